"""Connectivity of the trabecular network (Odgaard and Gundersen 1993), on the purified network.

Purified (BoneJ's and IPL's custom): only the largest 26-connected piece of bone, its enclosed
marrow cavities filled, so that specks and pores do not count.
"""

import numpy as np
from numpy.typing import NDArray


def purified(bone: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest 26-connected piece of bone with enclosed 6-connected marrow filled in."""
    import cc3d

    if not bone.any():
        return bone
    network = cc3d.largest_k(np.ascontiguousarray(bone), k=1, connectivity=26) > 0
    if network.all():
        return network
    return np.asarray(cc3d.largest_k(np.ascontiguousarray(~network), k=1, connectivity=6) == 0)


def fragments(bone: NDArray[np.bool_]) -> int:
    """Pieces of bone beside the largest, 26-connected."""
    import cc3d

    _, count = cc3d.connected_components(np.ascontiguousarray(bone), connectivity=26, return_N=True)
    return max(int(count) - 1, 0)


def euler_of_block(bone: NDArray[np.bool_]) -> float:
    """The block's contribution to the Euler number of the endless structure it was cut from.

    X - sum over faces X/2 + over edges X/4 - over corners X/8: what meets a cut face is shared
    with the neighbouring block.
    """
    from skimage.measure import euler_number

    total = float(euler_number(bone, connectivity=3))
    for axis in range(3):
        for side in (0, -1):
            face: NDArray[np.bool_] = np.asarray(bone.take(side, axis=axis))
            total -= float(euler_number(face, connectivity=2)) / 2.0
            # Every edge of the block belongs to two faces, every corner to three.
            for edge in (face[0], face[-1], face[:, 0], face[:, -1]):
                total += _runs(edge) / 8.0
                total -= (int(edge[0]) + int(edge[-1])) / 48.0
    return total


def _runs(line: NDArray[np.bool_]) -> int:
    """Runs of bone along a line: its Euler number."""
    return int(line[0]) + int(np.count_nonzero(line[1:] & ~line[:-1]))


def connectivity(bone: NDArray[np.bool_]) -> float:
    """Connections of the network: 1 - Euler number, corrected for cut faces; bone as given."""
    return 1.0 - euler_of_block(bone)
