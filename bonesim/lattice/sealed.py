"""Marrow that bone seals off from every face of the block: one definition for all who fill it.

Marrow that reaches a face may go on beyond it. Whether it is enclosed is not known, so it is not.
"""

import cc3d
import numpy as np
from numpy.typing import NDArray


def sealed_marrow(bone: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], int]:
    """Marrow whose 6-connected piece touches no face of the block.

    Args:
        bone: shape (nz, ny, nx).

    Returns:
        Its voxels, of the same shape, and the number of its pieces.
    """
    labels, count = cc3d.connected_components(
        np.ascontiguousarray(~bone), connectivity=6, return_N=True
    )
    sealed = np.ones(int(count) + 1, bool)
    sealed[0] = False
    for axis in range(3):
        for face in (0, -1):
            sealed[np.unique(labels.take(face, axis=axis))] = False
    return sealed[labels], int(np.count_nonzero(sealed))
