"""Plates and rods: which part of bone is which, and how many of each (after Liu 2008).

The skeleton with sheets is taken; a sheet voxel lies on a plate if some disc of the sheet, not
narrower than the bone around it is thick, covers it: then the cross-section is at least
PLATE_ASPECT times as wide as it is thick. The rest of the skeleton is rods. Each bone voxel is of
the nearer. Plates are told apart where sheets meet, rods at their junctions.

Liu's own method tells plates from rods by the topology of the skeleton alone, so that every
ribbon, a slightly flattened strut, is a plate; here a plate has to be broad.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bonesim.morphometry.network import pieces_within
from bonesim.morphometry.thickness import paint_spheres
from bonesim.morphometry.thinning import PERSISTENCE, Skeleton, skeleton_of

#: Width over thickness from which on bone is a plate; Liu 2008 has no figure, assumed.
PLATE_ASPECT = 2.0
#: Skeleton pieces of fewer voxels are junctions' crumbs, not counted.
SMALLEST_PIECE = 3

Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class PlatesAndRods:
    """Bone told apart into plates and rods, within a region.

    Attributes:
        plate_share: share of the bone volume that is plates, 0..1; NaN without bone.
        plates: how many plates.
        rods: how many rods.
    """

    plate_share: float
    plates: int
    rods: int


def plates_and_rods(bone: Bool, region: Bool) -> PlatesAndRods:
    """Tell plates from rods.

    Args:
        bone: shape (nz, ny, nx).
        region: voxels to count, same shape; bone beyond it is seen.
    """
    inside = bone & region
    if not inside.any() or bone.all():
        return PlatesAndRods(float("nan"), 0, 0)
    skeleton = skeleton_of(bone, sheets=True)
    plate = plate_voxels(bone, skeleton)
    is_plate = plate[tuple(skeleton.voxels.T)]
    apart = skeleton.marrow_parts <= 2
    plates = skeleton.marked(is_plate & apart)
    # Where a curve forks, or leaves a plate, the rods part.
    rods = skeleton.marked(~is_plate & (skeleton.bone_parts <= 2))
    return PlatesAndRods(
        plate_share=_plate_share(inside, plate, skeleton.image & ~plate),
        plates=pieces_within(plates, region, SMALLEST_PIECE),
        rods=pieces_within(rods, region, SMALLEST_PIECE),
    )


def plate_voxels(bone: Bool, skeleton: Skeleton) -> Bool:
    """Skeleton voxels that lie on a plate, as an image.

    The distance from a sheet's voxel to the rim of its sheet, in bone's half thickness there, says
    how broad the sheet is; all that the disc of that distance covers is plate.
    """
    import edt

    half_thickness = edt.edt(np.ascontiguousarray(bone, np.uint8), black_border=False, parallel=1)
    sheet = skeleton.marrow_parts >= 2
    rim = skeleton.marked(~sheet)
    if not rim.any():
        return skeleton.image
    to_rim = edt.edt(np.ascontiguousarray(~rim, np.uint8), black_border=False, parallel=1)
    radius = np.where(skeleton.marked(sheet), to_rim, np.float32(0.0))
    # What a rim lost to thinning beyond bone's half thickness: the layers an isthmus has to last.
    narrow = radius + PERSISTENCE < (PLATE_ASPECT - 1.0) * half_thickness
    radius[narrow] = 0.0
    radius[radius > 0.0] += 1.0  # the rim itself is covered too
    reached = np.zeros(bone.shape, np.float32)
    paint_spheres(np.ascontiguousarray(radius, np.float32), reached)
    return np.asarray((reached > 0.0) & skeleton.image)


def _plate_share(inside: Bool, plates: Bool, rods: Bool) -> float:
    """Share of bone voxels that are nearer to plates than to rods."""
    import edt

    if not plates.any():
        return 0.0
    if not rods.any():
        return 1.0
    to_plate = edt.edt(np.ascontiguousarray(~plates, np.uint8), black_border=False, parallel=1)
    to_rod = edt.edt(np.ascontiguousarray(~rods, np.uint8), black_border=False, parallel=1)
    return float((to_plate <= to_rod)[inside].mean())
