"""A synthetic vertebra-like bone, grown from a seed.

Marrow spaces are the Voronoi cells of scattered points that stand in loose columns along z, the
loading axis, so that walls go on from cell to cell. Edges of the cells carry rods. Every face
carries a plate along its edges, as wide as chance, place and direction make it: where it is wider
than half the face the plate is whole, where it is narrower a hole with a round rim is left, and
where it has no width only the rods are. Upright plates are wider than level ones, and plates share
a direction with their neighbours, as upright rods are thicker. Thickness varies along plates and
rods by smooth noise of which the logarithm is normal, so that a few stretches are thin. Space is
bent by smooth noise and junctions are rounded. Everything is a function of the seed and of the
place in um in an unbounded field, of which the specimen is a block: no boundary artefacts, and the
same structure at every size and voxel size.
"""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator
from scipy import ndimage

from bonesim.chance import Seed
from bonesim.errors import InputError
from bonesim.parameters import Parameters
from bonesim.specimens.field import MARGIN, ROUNDING_UM, SPACING_UM
from bonesim.specimens.network import Structure, network
from bonesim.specimens.raster import quanta_of
from bonesim.specimens.specimen import Specimen, cleaned

#: Set by measuring blocks of 4 mm at 20 um with `bonesim.morphometry` (guide/validation.md, "The
#: synthetic bone"). elderly_vertebra by 9 elderly donors (PMC3352993: BV/TV 6.75 +/- 2.45 %, Tb.Th
#: 132 +/- 22 um, Tb.Sp 1020 +/- 217 um, BS/TV 1.77 +/- 0.50 /mm, Conn.D 4.84 +/- 2.26 /mm3);
#: young_vertebra by twelve cubes of the eight BoneBox donors with BV/TV 9 to 15 %; the shape of both
#: by the relation of SMI, plates, DA, nodes and free ends to BV/TV in these donors. The SD of ln
#: thickness is assumed: Tb.Th.SD over Tb.Th comes out between that of the donors (.36, of 50-um
#: voxels, which hide thin bone) and that of a scan of 19.5 um (.43).
PRESETS = {
    "elderly_vertebra": Structure(
        1130.0, 0.9, -15.0, 130.0, 80.0, 120.0, 101.0, 0.965, 119.0, 0.25, 65.0
    ),
    "young_vertebra": Structure(
        1225.0, 0.9, 76.0, 130.0, 80.0, 120.0, 126.0, 0.98, 132.0, 0.25, 75.0
    ),
}


class SyntheticParameters(Parameters):
    """A block of synthetic trabecular bone."""

    kind: Literal["synthetic"] = "synthetic"
    preset: Annotated[
        Literal["elderly_vertebra", "young_vertebra"],
        Field(
            description="kind of bone; elderly by PMC3352993, young by BoneBox donors (guide/validation.md)"
        ),
    ] = "elderly_vertebra"
    size_mm: Annotated[
        tuple[float, float, float], Field(description="size along x, y, z (0.5 to 20 mm); assumed")
    ] = (4.0, 4.0, 4.0)
    voxel_um: Annotated[float, Field(ge=10, le=40, description="edge of a voxel; assumed")] = 20.0
    seed: Annotated[
        int, Field(ge=0, lt=2**63, description="the number the structure depends on; assumed")
    ] = 1
    cell_um: Annotated[
        float | None,
        Field(ge=300, le=3000, description="spacing of marrow spaces; assumed: of the preset"),
    ] = None
    elongation: Annotated[
        float | None,
        Field(ge=0.5, le=3, description="height over width of a cell; assumed: of the preset"),
    ] = None
    width_um: Annotated[
        float | None,
        Field(
            ge=-2000,
            le=2000,
            description="mean width of a face's plate along each edge, whole if wider than half the "
            "face, none below 0; assumed: of the preset",
        ),
    ] = None
    width_sd_um: Annotated[
        float | None,
        Field(
            ge=0,
            le=1000,
            description="SD of that width, between and within faces; assumed: of the preset",
        ),
    ] = None
    upright_um: Annotated[
        float | None,
        Field(
            ge=-1000,
            le=1000,
            description="added to the width on upright faces, twice taken on level ones; "
            "assumed: of the preset",
        ),
    ] = None
    aligned_um: Annotated[
        float | None,
        Field(
            ge=0,
            le=1000,
            description="how much wider plates are that share the direction of their "
            "neighbourhood; assumed: of the preset",
        ),
    ] = None
    plate_um: Annotated[
        float | None,
        Field(ge=60, le=400, description="mean thickness of plates; assumed: of the preset"),
    ] = None
    rod_share: Annotated[
        float | None,
        Field(ge=0, le=1, description="share of edges with a rod; assumed: of the preset"),
    ] = None
    rod_um: Annotated[
        float | None,
        Field(ge=60, le=400, description="mean diameter of rods; assumed: of the preset"),
    ] = None
    thickness_sd: Annotated[
        float | None,
        Field(
            ge=0,
            le=0.6,
            description="SD of ln thickness along plates and rods; assumed: of the preset",
        ),
    ] = None
    bending_um: Annotated[
        float | None,
        Field(ge=0, le=150, description="SD of the bending of space; assumed: of the preset"),
    ] = None

    @field_validator("size_mm")
    @classmethod
    def _reasonable(cls, size: tuple[float, float, float]) -> tuple[float, float, float]:
        if not all(0.5 <= edge <= 20.0 for edge in size):
            raise ValueError(f"got {list(size)}; each edge must be 0.5 to 20 mm")
        return size

    def structure(self) -> Structure:
        """The preset's numbers, with those given in their place."""
        own = {name: getattr(self, name) for name in Structure._fields}
        given = {name: value for name, value in own.items() if value is not None}
        return PRESETS[self.preset]._replace(**given)


def grow(parameters: SyntheticParameters) -> Specimen:
    """Grow the bone. The same parameters give the same bytes.

    Raises:
        InputError: the structure numbers leave no bone, or nothing but bone, in the block.
    """
    x_mm, y_mm, z_mm = parameters.size_mm
    voxel_um = parameters.voxel_um
    distance = signed_distance(parameters.structure(), parameters.seed, (z_mm, y_mm, x_mm))
    shape = (_count(z_mm, voxel_um), _count(y_mm, voxel_um), _count(x_mm, voxel_um))
    quanta = quanta_of(distance, SPACING_UM, -MARGIN * SPACING_UM, shape, voxel_um)
    try:
        quanta, notes = cleaned(quanta)
    except InputError as error:
        raise InputError(f"synthetic {error}") from None
    origin = (
        f"synthetic {parameters.preset}, seed {parameters.seed}, "
        f"{shape[2]} x {shape[1]} x {shape[0]} voxels (x, y, z) of {voxel_um:g} um"
    )
    return Specimen(quanta, voxel_um, origin, notes)


def signed_distance(
    structure: Structure, seed: int, size_mm: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Distance to the bone surface in um (negative in bone), on a grid of fixed spacing.

    The grid does not depend on the voxel size; it starts `MARGIN` nodes before the block.

    Args:
        structure: of the bone.
        seed: of the specimen.
        size_mm: of the block along z, y, x.
    """
    z, y, x = (_count(edge, SPACING_UM) + 2 * MARGIN + 1 for edge in size_mm)
    rounded: NDArray[np.float64] = ndimage.gaussian_filter(
        network((z, y, x), Seed(seed), structure), ROUNDING_UM / SPACING_UM
    )
    return rounded


def _count(edge_mm: float, step_um: float) -> int:
    return max(1, round(edge_mm * 1000.0 / step_um))
