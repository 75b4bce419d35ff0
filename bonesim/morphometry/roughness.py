"""Roughness: the surface that a Gaussian of 40 um takes away.

    R   BS over BS after the Gaussian. 1: as smooth as the measure can see.

The Gaussian (SD 40 um, two voxels of a simulation) is of the bone fraction. Its threshold is that
at which as many voxels are bone as there was bone, partial volume included: equal volume. So R and
Tb.Th after the Gaussian see no change of BV/TV, as they would at a fixed threshold.

What R is of real bone: micro-CT of 19.5 um, after the customary Gaussian of one voxel, 1.16;
segmented cubes of 50 um, resampled to 20 um, 1.10 to 1.15; synthetic bone 1.07 (measured with other
code, second edition of the mechanism). A cavity that is open today roughens too: see `closed`.
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.morphometry.shape import Mesh, surface_mesh
from bonesim.units import FULL

#: Standard deviation of the Gaussian before R and Tb.Th are measured, um.
ROUGH_UM = 40.0
#: Bone fraction after the Gaussian below which no threshold of equal volume lies, in all but dust.
_FAINT = 0.25

Bool = NDArray[np.bool_]


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
        uint8, to be measured as any lattice: as many of the counted voxels are bone as the counted
        quanta fill. Next to a flat surface its values are bone fractions.
    """
    from scipy.ndimage import gaussian_filter

    full, sd = np.float32(FULL), sd_um / voxel_um
    smooth = gaussian_filter(quanta.astype(np.float32) / full, sd, mode="nearest")
    volume = round(float(quanta[counted].sum(dtype=np.int64)) / FULL)
    # The slope of a filtered step is 1 / (sd sqrt(2 pi)); that of a bone fraction is 1 a voxel.
    steep = full * np.float32(max(sd * np.sqrt(2.0 * np.pi), 1.0))
    smooth -= _level(smooth[counted], volume)
    smooth *= steep
    smooth += np.float32((FULL + 1) / 2)
    np.floor(smooth, out=smooth)
    return smooth.clip(0.0, full, out=smooth).astype(np.uint8)


def _level(values: NDArray[np.float32], above: int) -> np.float32:
    """A level that so many of the values exceed: amid the last above and the first below."""
    if above <= 0 or above >= values.size:
        return np.float32(np.inf if above <= 0 else -np.inf)
    likely = values[values > _FAINT]
    values = likely if likely.size > above else values
    first = values.size - above
    parted = np.partition(values, (first - 1, first))
    return np.float32((parted[first - 1] + parted[first]) / 2.0)


def roughness(surface: Mesh, smooth: NDArray[np.uint8], region: Bool) -> float:
    """R: area of a surface over that of the smooth copy in the same region; NaN if it has none."""
    area = surface_mesh(smooth, region).area()
    return surface.area() / area if area > 0.0 else float("nan")
