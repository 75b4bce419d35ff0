"""Osteoclasts: they dig one territory each, and die the sooner the deeper they have dug.

    digging   r x (RANK occupancy there)^n um/d along the site's normal
    death     hazard h (q / q0) (1 + k max(0, u - 1)), q = depth dug: matrix-released TGF-beta ends
              them, and so does strain: u = strain felt there x bone before this cavity / bone left
    so        osteoclastic depth is Weibull (shape 2) with mean sqrt(pi/2 x q0 r / h), CV 0.52

Lower estradiol lowers h and raises r: half the hazard is 41 % more depth, as measured (Eriksen
1999). Mononuclear cells then deepen the site at their own speed to a depth drawn once for each
BMU; when they are done it is decided, once, which voxels have a floor.

The same strain ends the mononuclear phase early. Mechanics is solved once a month on elements as
large as a cavity is deep; between solves strain is carried over as a plate under a held load
strains, by the inverse of what is left of it along n. So the solve says how strained a place is for
what its osteocytes are used to, the cavity how much more than that: bone that is unloaded loses
the brake, thin bone that is used to its strain is dug like any other until little is left of it.
It may break through all the same.

Left out: fusion of nuclei (the territory is one cell's), microdamage.
Sources: guide M1, M2.3, M4 (strain stop); Eriksen 1984a, Eriksen 1999, Hughes 1996,
Manolagas 2000.
"""

from collections import namedtuple
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.cells.bmu import BmuParameters
from bonesim.cells.cavity import (
    MONONUCLEAR,
    REVERSAL,
    SITES_PERFORATED,
    CavityTables,
    close_site,
    settle,
)
from bonesim.cells.erosion import dig
from bonesim.cells.population import CellPopulation, Rows, free_row
from bonesim.chance import MONONUCLEAR_END, OSTEOCLAST_DEATH, uniform
from bonesim.endocrine.response import Drive
from bonesim.kernel import lean_kernel
from bonesim.lattice.rays import bone_left, solid_length
from bonesim.lattice.tissue import Tissue
from bonesim.parameters import Parameters, numbers_of
from bonesim.signals.fields import Fields, occupancy_in, read_voxel, strain_in

#: Mononuclear sites are served every so many days: the deepest step stays below a fifth of a voxel.
MONONUCLEAR_STEP_DAY = 5


class OsteoclastParameters(Parameters):
    """Digging and death of osteoclasts, and the mononuclear phase after them."""

    dig_um_per_day: Annotated[
        float, Field(ge=0, le=20, description="erosion rate under an osteoclast; Eriksen 1999, 1-5")
    ] = 2.4
    death_per_day: Annotated[
        float,
        Field(
            ge=0, le=2, description="hazard at the reference depth; lifespan 12 d, Manolagas 2000"
        ),
    ] = 1.0 / 12.0
    death_depth_um: Annotated[
        float, Field(gt=0, le=100, description="depth q0 at that hazard; fit to Eriksen 1999, 5-12")
    ] = 8.0
    mononuclear_um: Annotated[
        float,
        Field(
            ge=0,
            le=100,
            description="depth of the mononuclear phase; calibrated to W.Th 45, Eriksen 1999, 22-35",
        ),
    ] = 35.0
    mononuclear_cv: Annotated[
        float, Field(ge=0, le=1, description="CV of that depth between BMUs; assumed")
    ] = 0.25
    mononuclear_um_per_day: Annotated[
        float, Field(gt=0, le=20, description="mononuclear erosion rate; Eriksen 1984a (34 d)")
    ] = 0.9
    strain_stop: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            description="k, strain's part in ending resorption; calibrated, .2-3 (guide M4)",
        ),
    ] = 1.0
    neighbour_share: Annotated[
        float,
        Field(
            ge=0, le=1, description="of the TGF-beta that ends them, released around; assumed, part"
        ),
    ] = 0.25
    breakthrough_chance: Annotated[
        float,
        Field(ge=0, le=1, description="a day, to pass the last bone; assumed 1; 0: no perforation"),
    ] = 1.0
    smallest_hole_um: Annotated[
        float, Field(ge=0, le=300, description="narrower holes are bridged: 3 osteoblasts; assumed")
    ] = 60.0


class OsteoclastColumns(NamedTuple):
    """One row per living osteoclast."""

    alive: NDArray[np.uint8]
    free: NDArray[np.int32]
    used: NDArray[np.int64]
    id: NDArray[np.uint64]
    site: NDArray[np.int32]
    voxel: NDArray[np.int64]
    born_day: NDArray[np.int32]
    depth_um: NDArray[np.float32]


OsteoclastNumbers = namedtuple("OsteoclastNumbers", OsteoclastParameters.model_fields)  # type: ignore[misc]


@lean_kernel
def strain_factor(lattice, fields, sites, site, numbers, shape):  # type: ignore[no-untyped-def]
    """k max(0, u - 1) at a site: how much the strain on what is left adds to ending resorption."""
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    voxel = sites.voxel[site]
    left = max(bone_left(lattice, voxel, nz, ny, nx), 0.25 * lattice.voxel_um)
    before = solid_length(lattice, voxel, nz, ny, nx) * lattice.voxel_um
    u = strain_in(fields, voxel, shape) * max(before / left, 1.0)
    return numbers.strain_stop * max(0.0, u - 1.0)


@lean_kernel
def resorb(lattice, fields, cavities, cells, numbers, exponent, death, excess, radius_um, seed, day, shape):  # type: ignore[no-untyped-def] # fmt: skip
    """One day of all osteoclasts: dig, then die or not. Returns how many died.

    They dig as RANK is occupied where they are (to the `exponent`); `death` multiplies the hazard
    today; `excess` (depth over what reference hormones would give) is noted at the site when its
    osteoclast dies. What the neighbours' digging has released ends them too, in its share.
    """
    died = 0
    hazard = numbers.death_per_day * death / numbers.death_depth_um
    sites = cavities.sites
    for row in range(cells.used[0]):
        if cells.alive[row] == 0:
            continue
        site = np.int64(cells.site[row])
        rate = numbers.dig_um_per_day * occupancy_in(fields, sites.voxel[site], shape) ** exponent
        dig(
            lattice, cavities, site, rate, radius_um / lattice.voxel_um,
            numbers.breakthrough_chance, seed, day,
        )  # fmt: skip
        strain = strain_factor(lattice, fields, sites, site, numbers, shape)
        before = np.float64(cells.depth_um[row])
        cells.depth_um[row] = before + rate
        released = read_voxel(fields.coupling, fields, sites.voxel[site], shape)
        released = 1.0 + numbers.neighbour_share * (released - 1.0)
        # The exact integral of hazard x depth over the day.
        chance = 1.0 - np.exp(-hazard * released * (1.0 + strain) * (before + 0.5 * rate))
        if uniform(seed, day, cells.id[row], OSTEOCLAST_DEATH) < chance:
            sites.phase[site] = MONONUCLEAR
            sites.phase_day[site] = day
            sites.osteoclast_depth_um[site] = before + rate
            sites.depth_excess[site] = excess
            free_row(cells, row)
            died += 1
    return died


@lean_kernel
def smooth(lattice, fields, cavities, bmus, numbers, radius_um, seed, day, shape):  # type: ignore[no-untyped-def] # fmt: skip
    """One day of all mononuclear phases; where one ends the floor is decided, once.

    A site with a floor goes into reversal with its refillable stock as quota; one without ends
    as a perforation's open edge. Returns how many phases ended.
    """
    sites = cavities.sites
    rate = numbers.mononuclear_um_per_day
    ended = 0
    for site in range(sites.used[0]):
        if sites.alive[site] == 0 or sites.phase[site] != MONONUCLEAR:
            continue
        waited = day - sites.phase_day[site]
        if waited == 0 or waited % MONONUCLEAR_STEP_DAY != 0:
            continue
        depth = np.float64(sites.mononuclear_depth_um[site])
        step = min(MONONUCLEAR_STEP_DAY * rate, sites.mononuclear_target_um[site] - depth)
        if step > 0.0:
            dig(
                lattice, cavities, site, step, radius_um / lattice.voxel_um,
                numbers.breakthrough_chance, seed, day,
            )  # fmt: skip
            sites.mononuclear_depth_um[site] = depth + step
            strain = strain_factor(lattice, fields, sites, site, numbers, shape)
            chance = 1.0 - np.exp(-strain * step / sites.mononuclear_target_um[site])
            if uniform(seed, day, sites.id[site], MONONUCLEAR_END) < chance:
                sites.mononuclear_target_um[site] = depth + step
        if depth + step >= np.float64(sites.mononuclear_target_um[site]) - 1e-4:
            ended += 1
            sites.carry_quanta[site] = 0.0
            sites.quota_quanta[site] = settle(
                lattice, cavities, site, numbers.smallest_hole_um, day
            )
            if sites.quota_quanta[site] > 0:
                sites.phase[site] = REVERSAL
                sites.phase_day[site] = day
            else:
                cavities.tally[SITES_PERFORATED] += 1
                bmus.open_sites[sites.bmu[site]] -= 1
                close_site(lattice, cavities, site)
    return ended


class Osteoclasts(CellPopulation):
    """All osteoclasts of a specimen, and the mononuclear phase of their sites."""

    def __init__(
        self, model: Any, parameters: OsteoclastParameters, bmu_parameters: BmuParameters
    ) -> None:
        super().__init__(model)
        self.parameters = parameters
        self.numbers = numbers_of(parameters, OsteoclastNumbers)
        self.radius_um = bmu_parameters.territory_radius_um
        self.rows: Rows[OsteoclastColumns] = Rows(OsteoclastColumns)

    @property
    def mononuclear(self) -> tuple[float, float]:
        """Mean (um) and CV of the mononuclear depth."""
        return self.parameters.mononuclear_um, self.parameters.mononuclear_cv

    def resorb(
        self, tissue: Tissue, fields: Fields, cavities: CavityTables, drive: Drive, seed: int,
        day: int,
    ) -> None:  # fmt: skip
        """Dig and die for one day."""
        cavities.make_room()
        resorb(
            tissue.lattice, fields, cavities.columns, self.rows.columns, self.numbers,
            drive.speed_exponent, drive.osteoclast_death, drive.depth_excess, self.radius_um,
            seed, day, tissue.padded_shape,
        )  # fmt: skip

    def smooth(
        self, tissue: Tissue, fields: Fields, cavities: CavityTables, bmus: Rows[Any], seed: int,
        day: int,
    ) -> None:  # fmt: skip
        """Let mononuclear cells deepen their sites for one day."""
        cavities.make_room()
        smooth(
            tissue.lattice, fields, cavities.columns, bmus.columns, self.numbers, self.radius_um,
            seed, day, tissue.padded_shape,
        )  # fmt: skip
