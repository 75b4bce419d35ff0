"""A mesh of elements as kernels use it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int32]


class Mesh(NamedTuple):
    """Bone as kernels use it; n nodes, e elements in runs along x."""

    stride: int  # n and padding: component c of node i is at c x stride + i
    weight: NDArray[np.float32]  # (e,) modulus x edge, N/mm
    base: Integers  # (runs, 4) first node of each row of a run
    first: Integers  # (runs + 1,) first element of a run
    slabs: NDArray[np.int64]  # first run of each slab, and the end
    fixed: NDArray[np.int64]  # flat places whose displacement is given
    inverse: NDArray[np.float32]  # (n,) of the diagonal, the same along x, y and z
