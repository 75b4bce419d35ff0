"""Roughness: the surface that a Gaussian of 40 um takes away.

    R   BS over BS after the Gaussian. 1: as smooth as the measure can see.

The Gaussian (SD 40 um, two voxels of a simulation) is of the bone fraction. Its threshold is that
at which the volume enclosed, with partial volume, is the bone volume. So R and Tb.Th after the
Gaussian see no change of BV/TV, as they would at a fixed threshold.

R of bone: segmented cubes of 50 um, resampled to 20 um, 1.18 to 1.22, and 1.10 to 1.15 once the steps
of their voxels are smoothed; synthetic bone 1.07 to 1.11 (version 0.1), the elderly preset of
today 1.18: the Gaussian takes thin bone too. A cavity that is open today roughens too: see `closed`.
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.morphometry.shape import Mesh, surface_mesh
from bonesim.units import FULL

#: Standard deviation of the Gaussian before R and Tb.Th are measured, um.
ROUGH_UM = 40.0
#: Filtered fractions below this hardly decide where the threshold lies.
_FAINT = 0.25

Bool = NDArray[np.bool_]
Floats = NDArray[np.float32]


def after_gaussian(
    quanta: NDArray[np.uint8], voxel_um: float, counted: Bool, sd_um: float = ROUGH_UM
) -> NDArray[np.uint8]:
    """A copy of a lattice after a Gaussian of `sd_um` on the bone fraction, at equal volume.

    Args:
        quanta: bone, 0..255 quanta a voxel, shape (nz, ny, nx).
        voxel_um: edge of a voxel.
        counted: voxels whose bone volume is kept, same shape.
        sd_um: standard deviation of the Gaussian.

    Returns:
        uint8, to be measured as any lattice: partial volume at the surface where the filtered
        fraction has its threshold; the counted voxels hold as many quanta as before.
    """
    from scipy.ndimage import gaussian_filter

    full, sd = np.float32(FULL), sd_um / voxel_um
    smooth = gaussian_filter(quanta.astype(np.float32) / full, sd, mode="nearest")
    # The slope of a filtered step is 1 / (sd sqrt(2 pi)); that of partial volume is 1 a voxel.
    steep = float(max(sd * np.sqrt(2.0 * np.pi), 1.0))
    volume = float(quanta[counted].sum(dtype=np.int64)) / FULL
    smooth -= np.float32(_level(smooth[counted], volume, steep))
    smooth *= np.float32(steep)
    smooth += np.float32(0.5)
    smooth.clip(0.0, 1.0, out=smooth)
    smooth *= full
    return np.rint(smooth, out=smooth).astype(np.uint8)


def _level(values: Floats, volume: float, steep: float) -> float:
    """The threshold above which these filtered fractions enclose a volume, voxels.

    A value counts as the partial volume 1/2 + `steep` (value - threshold), within 0 and 1.
    """
    above = round(volume)
    if not 0 < above < values.size:
        return np.inf if above <= 0 else -np.inf
    from scipy.optimize import brentq

    likely = values[values > _FAINT]
    values = likely if likely.size > above else values
    # The level that so many values reach is at most half a voxel's step off.
    middle, reach = (
        float(np.partition(values, values.size - above)[values.size - above]),
        0.5 / steep,
    )
    near = values[values > middle - 2.0 * reach] * np.float32(steep) + np.float32(0.5)

    def excess(level: float) -> float:
        filled = np.clip(near - np.float32(steep * level), 0.0, 1.0)
        return float(filled.sum(dtype=np.float64)) - above

    low, high = middle - reach, middle + reach
    # Many equal values: the volume jumps there, and no level has just that volume.
    if excess(low) <= 0.0:
        return low
    if excess(high) >= 0.0:
        return high
    return float(brentq(excess, low, high, xtol=1e-5))


def roughness(surface: Mesh, smooth: NDArray[np.uint8], region: Bool) -> float:
    """R: area of a surface over that of the smooth copy in the same region; NaN if it has none."""
    area = surface_mesh(smooth, region).area()
    return surface.area() / area if area > 0.0 else float("nan")
