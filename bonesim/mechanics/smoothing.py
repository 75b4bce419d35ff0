"""Chebyshev smoothing of the fourth kind: polynomials in the Jacobi-scaled stiffness.

Unlike the first kind it needs no estimate of the smallest eigenvalue to be damped, only a bound of
the largest, which the element gives. The weights minimise the error bound of a V-cycle.
Source: Lottes 2023, Phillips 2022 (optimised fourth-kind Chebyshev smoothers).
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel

#: Optimised weights of the corrections for each degree (Phillips 2022).
WEIGHTS = {
    1: (1.125,),
    2: (1.02387287570313, 1.26408905371085),
    3: (1.00842544782028, 1.08867839208730, 1.33753125909618),
    4: (1.00391310427285, 1.04035811188593, 1.14863498546254, 1.38268869241000),
}


def steps(degree: int, largest: float) -> NDArray[np.float32]:
    """For each step (k, 3): share kept of the last correction, factor of the residual, weight."""
    made = []
    for k, weight in enumerate(WEIGHTS[degree], 1):
        keep = 0.0 if k == 1 else (2 * k - 3) / (2 * k + 1)
        new = (8 * k - 4) / (2 * k + 1) / largest
        made.append((keep, new, weight))
    return np.array(made, np.float32)


@kernel
def begin(residual, mesh, new, weight, d, z, part, parts):  # type: ignore[no-untyped-def]
    """The first step from zero: a Jacobi correction `d`, and `z` with its weight."""
    n = mesh.inverse.size
    for c in range(3):
        o = c * mesh.stride
        for i in range(part * n // parts, (part + 1) * n // parts):
            value = new * mesh.inverse[i] * residual[o + i]
            d[o + i] = value
            z[o + i] = weight * value


@kernel
def step(change, mesh, keep, new, weight, residual, d, z, part, parts):  # type: ignore[no-untyped-def]
    """A further step: the residual follows the last correction's force, `z` takes the next one."""
    n = mesh.inverse.size
    for c in range(3):
        o = c * mesh.stride
        for i in range(part * n // parts, (part + 1) * n // parts):
            left = residual[o + i] - change[o + i]
            value = keep * d[o + i] + new * mesh.inverse[i] * left
            residual[o + i] = left
            d[o + i] = value
            z[o + i] += weight * value


@kernel
def less(residual, change, part, parts):  # type: ignore[no-untyped-def]
    """The residual after a correction whose force is `change`."""
    for i in range(part * residual.size // parts, (part + 1) * residual.size // parts):
        residual[i] -= change[i]
