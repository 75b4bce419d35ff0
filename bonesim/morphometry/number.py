"""The number of trabeculae in the definitions in which it is published, beside that by spheres.

Spheres (`tb_n_per_mm`): 1 / (Tb.Th + Tb.Sp), both direct.

Volume: BV/TV over the direct Tb.Th.

Ridges, as HR-pQCT (Laib 1999): one over the mean distance of the trabeculae's middles. The middles
are the skeleton with sheets and curves; the distance is the diameter of the largest sphere that fits
between them, over all voxels, and a voxel more: from middle to middle. Thickness is then derived, BV/TV
over that number. The manufacturer's program takes its middles from grey values, and BV/TV of the first
generation from mean density; here both are of the thresholded bone.

Sections (Parfitt 1983): plates in parallel, seen in sections. Thickness is 2 area over perimeter, times
pi/4 for sections at all angles; number is area over thickness: 2/pi of perimeter over tissue area.
The perimeter is the mean over all planes across z, y and x, exact for the surface's triangles: a plane
across an axis cuts each at the sine of its normal to the axis. Some papers have 1.2 in place of 4/pi:
6 % fewer and thicker.
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.lattice.sealed import sealed_marrow
from bonesim.morphometry.shape import Mesh
from bonesim.morphometry.spheres import Progress
from bonesim.morphometry.thickness import mean_and_sd, spheres_over
from bonesim.morphometry.thinning import skeleton_of

#: Parfitt 1983: half the perimeter per area is the number of profiles; 4/pi for sections at all angles.
PROFILES_TO_NUMBER = (4.0 / np.pi) / 2.0
#: Pieces of fewer voxels are noise, no trabeculae.
SPECK_VOXEL = 8

Bool = NDArray[np.bool_]


def middles_of(bone: Bool) -> Bool:
    """The middles of trabeculae: the skeleton with sheets, of all pieces of bone but specks.

    Marrow that bone encloses is filled in first; a piece that stands alone in the block counts.
    """
    import cc3d

    pieces = cc3d.dust(np.ascontiguousarray(bone), threshold=SPECK_VOXEL, connectivity=26)
    sealed, _ = sealed_marrow(pieces)
    return skeleton_of(np.asarray(pieces | sealed, bool), sheets=True).image


def ridge_distance(
    middles: Bool, region: Bool, known: Bool | None = None, progress: Progress | None = None
) -> float:
    """Mean distance between the middles of trabeculae, voxels; NaN without any.

    Args:
        middles: skeleton voxels, shape (nz, ny, nx).
        region: voxels that are counted.
        known: voxels that are known; default all.
        progress: receives the share that is done.
    """
    between = ~middles
    if not (middles & region).any() or not (between & region).any():
        return float("nan")
    spheres = spheres_over(between, known, progress)
    # The middles are one voxel thick: half of one at either end.
    return mean_and_sd(spheres, between & region)[0] + 1.0


def number_in_sections(mesh: Mesh) -> float:
    """Number of plates per voxel by the perimeter in plane sections across z, y and x; NaN if empty."""
    if mesh.cubes == 0:
        return float("nan")
    crossed = mesh.crossed()
    squares = crossed * crossed
    whole = squares.sum(axis=1)
    traces = [np.sqrt(np.maximum(whole - squares[:, k], 0.0)).sum() / 2.0 for k in range(3)]
    return PROFILES_TO_NUMBER * float(np.mean(traces)) / mesh.cubes
