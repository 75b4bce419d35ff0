"""Smoothing on the bone itself: one damped step of Jacobi.

Every further step costs a product of the whole mesh and saves less than its cost, once the rigid bodies
below take the slow motions: 13, 12 and 12 cycles with one, two and three steps of Chebyshev. The step is
close to the longest that converges for whatever structure, 2 / bound of the largest eigenvalue.
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.mechanics.element import max_eigenvalue_ratio
from bonesim.mechanics.mesh_arrays import Mesh

#: Of the longest step that converges.
JACOBI = 0.94


def jacobi_factor(poisson: float) -> np.float32:
    """Of the inverse of the diagonal in a step."""
    return np.float32(2.0 * JACOBI / max_eigenvalue_ratio(poisson))


@kernel
def jacobi(
    residual: NDArray[np.float32],
    mesh: Mesh,
    factor: np.float32,
    z: NDArray[np.float32],
    part: int,
    parts: int,
) -> None:
    """A step of Jacobi from zero."""
    n = mesh.inverse.size
    for c in range(3):
        o = c * mesh.stride
        for i in range(part * n // parts, (part + 1) * n // parts):
            z[o + i] = factor * mesh.inverse[i] * residual[o + i]


@kernel
def jacobi_again(
    residual: NDArray[np.float32],
    change: NDArray[np.float32],
    mesh: Mesh,
    factor: np.float32,
    z: NDArray[np.float32],
    part: int,
    parts: int,
) -> None:
    """A step of Jacobi for residual - change, added to `z`."""
    n = mesh.inverse.size
    for c in range(3):
        o = c * mesh.stride
        for i in range(part * n // parts, (part + 1) * n // parts):
            z[o + i] += factor * mesh.inverse[i] * (residual[o + i] - change[o + i])
