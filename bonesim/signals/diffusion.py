"""Messengers spread and decay: the quasi-steady screened Poisson equation, solved directly.

    c - reach^2 laplace(c) = source        no flux through the faces of the box

Signals settle in hours and bone changes in weeks, so each day's field is the steady one. Reach,
sqrt(D / k), is the screening length. Second-order differences with mirrored faces are diagonal in
the cosine transform (DCT-II), so the discrete equation is solved exactly: the sum of c is the sum
of the source (all that is released decays), and c is nowhere negative beyond rounding.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

from bonesim.kernel import lean_kernel

Floats = NDArray[np.floating[Any]]


def stiffness(length: int, spacing: float) -> NDArray[np.float64]:
    """Minus the eigenvalues of the second difference along an axis with mirrored ends."""
    wave = np.pi * np.arange(length) / length
    return 2.0 * (1.0 - np.cos(wave)) / spacing**2


@lean_kernel
def damp(
    transformed: Floats,
    reach_um: tuple[float, ...],
    z: NDArray[np.float64],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
) -> None:
    """From the transforms of several sources to those of their concentrations, in place.

    `transformed` (z, y, x, source); the reach of each; `stiffness` along each axis.

    Args:
        transformed: (z, y, x, source).
        reach_um: screening length of each source, um.
        z: `stiffness` along z, 1/um2.
        y: along y.
        x: along x.

    Writes:
        transformed
    """
    nz, ny, nx, count = transformed.shape
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                stiff = z[k] + y[j] + x[i]
                for n in range(count):
                    decay = 1.0 + reach_um[n] * reach_um[n] * stiff
                    # Rounded first: in single precision all of the arithmetic is.
                    transformed[k, j, i, n] /= transformed.dtype.type(decay)


class Diffusion:
    """Spreading on one grid, in the precision of the sources.

    Several sources lie side by side, (z, y, x, source): they are transformed as one.

    Args:
        shape: cubes along z, y, x.
        spacing_um: edges of a cube.
    """

    def __init__(self, shape: tuple[int, ...], spacing_um: tuple[float, ...]) -> None:
        self._stiffness = tuple(stiffness(n, h) for n, h in zip(shape, spacing_um, strict=True))

    @staticmethod
    def transformed(sources: Floats) -> Floats:
        """The cosine transform of sources; sums of sources are sums of transforms."""
        # One worker: the same bits whatever the machine's number of cores.
        return np.asarray(dctn(sources, type=2, axes=(0, 1, 2), workers=1))

    def concentration(self, transformed: Floats, reach_um: Sequence[float]) -> Floats:
        """Concentrations from transformed sources, which are overwritten; same unit.

        `reach_um` is the screening length of each; with 0 the source is the concentration.
        """
        damp(transformed, tuple(float(one) for one in reach_um), *self._stiffness)
        found = np.asarray(idctn(transformed, type=2, axes=(0, 1, 2), workers=1, overwrite_x=True))
        # The inverse is a positive matrix: what is below zero is rounding.
        return np.maximum(found, 0.0, out=found)

    def spread(self, source: Floats, reach_um: float) -> Floats:
        """Concentration of one source from its release per cube (z, y, x)."""
        return self.concentration(self.transformed(source[..., None]), (reach_um,))[..., 0]
