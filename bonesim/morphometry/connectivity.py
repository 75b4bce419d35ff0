"""Connectivity of the trabecular network (Odgaard 1993), on the purified network.

Purified: only the largest 26-connected piece of bone, marrow sealed within it filled, so that specks
and pores do not count. BoneJ keeps the largest piece of marrow instead: where a plate parts the
marrow it fills one side of it (BoneJ2 issue 259).

The Euler number of closed voxel cubes (corners - edges + faces - cubes) is summed over the points
amid eight voxels, each with its share of what meets there. What a block shares with its
neighbours is then shared by itself: over all points within a block the sum is its contribution to
the endless structure, X - faces/2 + edges/4 - corners/8, and blocks, or any regions, add up.
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.lattice.sealed import sealed_marrow
from bonesim.morphometry.shape import amid_eight

Bool = NDArray[np.bool_]


def _shares() -> NDArray[np.float64]:
    """Euler number amid eight voxels, for each of their 256 states; bit = 4 dz + 2 dy + dx."""
    code = np.arange(256)
    on = [(code >> bit) & 1 for bit in range(8)]
    corner = (code > 0).astype(np.float64)
    # Six half edges end at the point, each between the four voxels of one side.
    edges = sum(
        np.maximum.reduce([on[bit] for bit in range(8) if (bit >> axis) & 1 == side])
        for axis in range(3)
        for side in (0, 1)
    )
    faces = sum(
        on[bit] | on[bit ^ (1 << axis)]
        for axis in range(3)
        for bit in range(8)
        if not bit >> axis & 1
    )
    return np.asarray(corner - edges / 2.0 + faces / 4.0 - sum(on) / 8.0)


_SHARES = _shares()


def purified(bone: Bool) -> Bool:
    """The largest 26-connected piece of bone with its `sealed_marrow` filled in.

    Marrow that reaches a face of the block stays: a plate, cortex or growth plate that parts the
    marrow encloses none of it.
    """
    import cc3d

    if not bone.any():
        return bone
    network = cc3d.largest_k(np.ascontiguousarray(bone), k=1, connectivity=26) > 0
    sealed, _ = sealed_marrow(network)
    return np.asarray(network | sealed)


def fragments(bone: Bool) -> int:
    """Pieces of bone beside the largest, 26-connected."""
    import cc3d

    _, count = cc3d.connected_components(np.ascontiguousarray(bone), connectivity=26, return_N=True)
    return max(int(count) - 1, 0)


def amid_eight_share(bone: Bool, points: NDArray[np.int64]) -> NDArray[np.float64]:
    """Contribution of single points amid eight voxels to the Euler number.

    Args:
        bone: shape (nz, ny, nx).
        points: lowest of the eight voxels of each, shape (n, 3).
    """
    code = np.zeros(len(points), np.uint8)
    z, y, x = points.T
    for bit in range(8):
        dz, dy, dx = bit >> 2, bit >> 1 & 1, bit & 1
        code |= bone[z + dz, y + dy, x + dx].astype(np.uint8) << np.uint8(bit)
    return np.asarray(_SHARES[code])


def euler_of(bone: Bool, region: Bool | None = None) -> float:
    """A region's contribution to the Euler number of the endless structure it was cut from.

    Args:
        bone: shape (nz, ny, nx).
        region: voxels to measure, same shape; default all.
    """
    nz, ny, nx = bone.shape
    code = np.zeros((nz - 1, ny - 1, nx - 1), np.uint8)
    for bit in range(8):
        dz, dy, dx = bit >> 2, bit >> 1 & 1, bit & 1
        part = bone[dz : dz + nz - 1, dy : dy + ny - 1, dx : dx + nx - 1]
        code |= part.astype(np.uint8) << np.uint8(bit)
    within = code.ravel() if region is None else code[amid_eight(region)]
    return float(np.bincount(within, minlength=256) @ _SHARES)


def connectivity(bone: Bool, region: Bool | None = None) -> float:
    """Connections of the network: 1 - Euler number, corrected for cut faces; bone as given."""
    return 1.0 - euler_of(bone, region)
