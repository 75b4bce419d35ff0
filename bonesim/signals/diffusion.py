"""Messengers spread and decay: the quasi-steady screened Poisson equation, solved directly.

    c - reach^2 laplace(c) = source        no flux through the faces of the box

Signals settle in hours and bone changes in weeks, so each day's field is the steady one. Reach,
sqrt(D / k), is the screening length. Second-order differences with mirrored faces are diagonal in
the cosine transform (DCT-II), so the discrete equation is solved exactly: the sum of c is the sum
of the source (what is released decays), and c is nowhere negative beyond rounding.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn


def stiffness(length: int, spacing: float) -> NDArray[np.float64]:
    """Minus the eigenvalues of the second difference along an axis with mirrored ends."""
    wave = np.pi * np.arange(length) / length
    return 2.0 * (1.0 - np.cos(wave)) / spacing**2


def spread(
    source: NDArray[np.float64], spacing_um: tuple[float, float, float], reach_um: float
) -> NDArray[np.float64]:
    """Concentration from what is released, same unit: an even source is its own concentration.

    Args:
        source: released per cell of the grid, (nz, ny, nx).
        spacing_um: edges of a cell along z, y, x.
        reach_um: screening length; 0 leaves the source as it is.
    """
    if reach_um == 0.0:
        return source.copy()
    z, y, x = (stiffness(n, h) for n, h in zip(source.shape, spacing_um, strict=True))
    damping = 1.0 + reach_um**2 * (z[:, None, None] + y[:, None] + x)
    # One worker: the same bits whatever the machine's number of cores.
    field = idctn(dctn(source, type=2, workers=1) / damping, type=2, workers=1)
    # The inverse is a positive matrix: what is below zero is rounding.
    return np.maximum(field, 0.0)
