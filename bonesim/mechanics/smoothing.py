"""Smoothing: a damped step of Jacobi on the bone itself, Chebyshev of the fourth kind on aggregates.

On the bone every further step costs a product of the whole mesh and saves less than its cost: one is
best. Below, polynomials are cheap. Of the fourth kind they need no estimate of the smallest eigenvalue
to be damped, only a bound of the largest; their weights minimise the error bound of a V-cycle.

Source: Lottes 2022, Phillips and Fischer 2022 (optimised fourth-kind Chebyshev smoothers).
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel

#: Optimised weights of the corrections for each degree (Phillips and Fischer 2022).
WEIGHTS = {
    1: (1.125,),
    2: (1.02387287570313, 1.26408905371085),
    3: (1.00842544782028, 1.08867839208730, 1.33753125909618),
    4: (1.00391310427285, 1.04035811188593, 1.14863498546254, 1.38268869241000),
}
#: Of the longest step that converges for whatever structure, 2 / bound of the largest eigenvalue.
JACOBI = 0.94


def steps(degree: int, largest: float) -> NDArray[np.float32]:
    """For each step (k, 3): share kept of the last correction, factor of the residual, weight."""
    made = []
    for k, weight in enumerate(WEIGHTS[degree], 1):
        keep = 0.0 if k == 1 else (2 * k - 3) / (2 * k + 1)
        new = (8 * k - 4) / (2 * k + 1) / largest
        made.append((keep, new, weight))
    return np.array(made, np.float32)


@kernel
def jacobi(residual, mesh, factor, z, part, parts):  # type: ignore[no-untyped-def]
    """A step of Jacobi from zero."""
    n = mesh.inverse.size
    for c in range(3):
        o = c * mesh.stride
        for i in range(part * n // parts, (part + 1) * n // parts):
            z[o + i] = factor * mesh.inverse[i] * residual[o + i]


@kernel
def jacobi_again(residual, change, mesh, factor, z, part, parts):  # type: ignore[no-untyped-def]
    """A step of Jacobi for residual - change, added to `z`."""
    n = mesh.inverse.size
    for c in range(3):
        o = c * mesh.stride
        for i in range(part * n // parts, (part + 1) * n // parts):
            z[o + i] += factor * mesh.inverse[i] * (residual[o + i] - change[o + i])
