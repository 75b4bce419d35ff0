"""Messengers spread and decay: the quasi-steady screened Poisson equation, solved directly.

    c - reach^2 laplace(c) = source        no flux through the faces of the box

Signals settle in hours and bone changes in weeks, so each day's field is the steady one. Reach,
sqrt(D / k), is the screening length. Second-order differences with mirrored faces are diagonal in
the cosine transform (DCT-II), so the discrete equation is solved exactly: the sum of c is the sum
of the source (all that is released decays), and c is nowhere negative beyond rounding.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

Floats = NDArray[np.floating[Any]]


def stiffness(length: int, spacing: float) -> NDArray[np.float64]:
    """Minus the eigenvalues of the second difference along an axis with mirrored ends."""
    wave = np.pi * np.arange(length) / length
    return 2.0 * (1.0 - np.cos(wave)) / spacing**2


class Diffusion:
    """Spreading on one grid, in the precision of the sources.

    Args:
        shape: cubes along z, y, x.
        spacing_um: edges of a cube.
    """

    def __init__(self, shape: tuple[int, ...], spacing_um: tuple[float, ...]) -> None:
        z, y, x = (stiffness(n, h) for n, h in zip(shape, spacing_um, strict=True))
        self._stiffness = z[:, None, None] + y[:, None] + x

    @staticmethod
    def transformed(source: Floats) -> Floats:
        """The cosine transform of a source; sums of sources are sums of transforms."""
        # One worker: the same bits whatever the machine's number of cores.
        return np.asarray(dctn(source, type=2, workers=1))

    def concentration(self, transformed: Floats, reach_um: float) -> Floats:
        """Concentration from a transformed source, same unit: an even source is its own.

        `reach_um` is the screening length; with 0 the source is the concentration.
        """
        damped = transformed / (1.0 + reach_um**2 * self._stiffness).astype(transformed.dtype)
        # The inverse is a positive matrix: what is below zero is rounding.
        return np.maximum(idctn(damped, type=2, workers=1), 0.0)

    def spread(self, source: Floats, reach_um: float) -> Floats:
        """Concentration from the release per cube."""
        return self.concentration(self.transformed(source), reach_um)
