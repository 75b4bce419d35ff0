"""Segmentation of bone into plates and rods, and their numbers (after Liu 2008b).

The skeleton with sheets is used. A sheet voxel belongs to a plate if a disc of the sheet covers it
whose diameter is at least the local bone thickness: then the cross-section is at least PLATE_ASPECT
times as wide as it is thick. The rest of the skeleton is rods. Each bone voxel belongs to the nearer
of the two. Plates are separated where sheets meet, rods at their junctions.

Liu's own method classifies by the topology of the skeleton alone, so that every ribbon, a slightly
flattened strut, is a plate; here a plate has to be broad.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bonesim.morphometry.network import pieces_within, seen
from bonesim.morphometry.spheres import paint_spheres
from bonesim.morphometry.thinning import PERSISTENCE, Skeleton, half_thickness_of, skeleton_of

#: Width over thickness from which on bone is a plate; Liu 2008b has no value, assumed.
PLATE_ASPECT = 2.0
#: Skeleton pieces of fewer voxels are junctions' crumbs, not counted.
SMALLEST_PIECE = 3

Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class PlatesAndRods:
    """Plates and rods within a region.

    Attributes:
        plate_share: share of the bone volume that is plates, 0..1; NaN without bone.
        plates: how many plates.
        rods: how many rods.
    """

    plate_share: float
    plates: int
    rods: int


def plates_and_rods(
    bone: Bool, region: Bool, known: Bool | None = None,
    half_thickness: NDArray[np.float32] | None = None,
) -> PlatesAndRods:  # fmt: skip
    """Segment bone into plates and rods.

    Args:
        bone: shape (nz, ny, nx).
        region: voxels to count, same shape; bone beyond it is used too.
        known: of a plate or rod that leaves these voxels (default: all) only the part within is seen.
        half_thickness: see `half_thickness_of`, if it is at hand.
    """
    inside = bone & region
    if not inside.any() or bone.all():
        return PlatesAndRods(float("nan"), 0, 0)
    half_thickness = half_thickness_of(bone) if half_thickness is None else half_thickness
    skeleton = skeleton_of(bone, sheets=True, half_thickness=half_thickness)
    plate = plate_voxels(half_thickness, skeleton)
    is_plate = plate[tuple(skeleton.voxels.T)]
    apart = skeleton.marrow_parts <= 2
    plates = skeleton.marked(is_plate & apart)
    # Where a curve forks, or leaves a plate, the rods part.
    rods = skeleton.marked(~is_plate & (skeleton.bone_parts <= 2))
    return PlatesAndRods(
        plate_share=_plate_share(inside, plate, skeleton.image & ~plate),
        plates=pieces_within(seen(plates, known), region, SMALLEST_PIECE),
        rods=pieces_within(seen(rods, known), region, SMALLEST_PIECE),
    )


def plate_voxels(half_thickness: NDArray[np.float32], skeleton: Skeleton) -> Bool:
    """Skeleton voxels that lie on a plate, as an image.

    The distance from a sheet's voxel to the rim of its sheet, over the half thickness of bone there,
    measures how broad the sheet is. All that the disc of that radius covers is plate.
    """
    import edt

    sheet = skeleton.marrow_parts >= 2
    rim = skeleton.marked(~sheet)
    if not rim.any():
        return skeleton.image
    to_rim = edt.edt(np.ascontiguousarray(~rim, np.uint8), black_border=False, parallel=1)
    middle = tuple(skeleton.voxels[sheet].T)
    broad = np.asarray(to_rim[middle], np.float32)
    del to_rim
    # Thinning shortens a rim by more than the half thickness: by the layers an isthmus must last.
    narrow = broad + PERSISTENCE < (PLATE_ASPECT - 1.0) * half_thickness[middle]
    radius = np.zeros(half_thickness.shape, np.float32)
    # The rim itself is covered too.
    radius[middle] = np.where(narrow | (broad == 0.0), np.float32(0.0), broad + np.float32(1.0))
    reached = np.zeros(half_thickness.shape, np.float32)
    paint_spheres(radius, reached)
    return np.asarray((reached > 0.0) & skeleton.image)


def _plate_share(inside: Bool, plates: Bool, rods: Bool) -> float:
    """Share of bone voxels that are nearer to plates than to rods."""
    import edt

    if not plates.any():
        return 0.0
    if not rods.any():
        return 1.0
    to_plate, to_rod = (
        edt.edtsq(np.ascontiguousarray(~one, np.uint8), black_border=False, parallel=1)[inside]
        for one in (plates, rods)
    )
    return float((to_plate <= to_rod).mean())
