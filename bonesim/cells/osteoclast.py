"""Osteoclasts: each digs one territory to the depth of its BMU, unless strain stops it.

    digging   r x (RANK occupancy there)^n um/d along the site's normal
    depth     drawn for the BMU and the territory, more where estradiol is low (`depth`)
    strain    ends it before, once most of the depth is dug: chance 1 - exp(-k max(0, u c - o) step / depth)
    u, c      strain stimulus there; by how much it is higher at the floor than in intact bone (`brake`)
    o         overload: of ordinary surface nine tenths and more are strained less (guide M4)

Mononuclear cells then deepen the site at their own speed; when they are done it is decided, once,
which voxels have a floor. Strain ends their phase early in the same way.

Mechanics is solved once a month on elements as large as a cavity is deep: the solve says how strained
a place is for what its osteocytes are used to, c how much more than that the floor of its cavity
is. Bone that is unloaded loses the brake. Thin bone may break through all the same.

Left out: fusion of nuclei (the territory is one cell's), microdamage, a part of matrix-released TGF-beta
in ending resorption (Hughes 1996): depths scatter as measured, whatever ends them.
Sources: guide M1, M2.3, M4 (strain stop); Eriksen 1984a, Eriksen 1999, Manolagas 2000.
"""

from collections import namedtuple
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.cells.accounts import close_site
from bonesim.cells.bmu_parameters import BmuColumns
from bonesim.cells.brake import concentration
from bonesim.cells.cavity import SITES_PERFORATED, CavityTables
from bonesim.cells.depth import CavityDepth
from bonesim.cells.erosion import Breakthrough, dig
from bonesim.cells.floor import settle
from bonesim.cells.population import CellPopulation, Rows, free_row
from bonesim.cells.site import MONONUCLEAR, begin_mononuclear, begin_reversal, leave_bmu
from bonesim.cells.world import World, world_of
from bonesim.chance import MONONUCLEAR_END, STRAIN_STOP, uniform
from bonesim.endocrine.response import Drive
from bonesim.kernel import lean_kernel
from bonesim.lattice.indices import Identity, Site
from bonesim.lattice.tissue import Tissue
from bonesim.parameters import Parameters, numbers_of
from bonesim.signals.fields import Fields, occupancy_in, strain_in

#: Mononuclear sites are served every so many days: the deepest step stays below a fifth of a voxel.
MONONUCLEAR_STEP_DAY = 5


class OsteoclastParameters(Parameters):
    """How fast and deep osteoclasts dig, what ends it, and the mononuclear phase after them."""

    dig_um_per_day: Annotated[
        float, Field(ge=0, le=20, description="erosion rate under an osteoclast; Eriksen 1999, 1-5")
    ] = 2.6
    depth_um: Annotated[
        float,
        Field(
            ge=0,
            le=100,
            description="mean osteoclastic depth where strain does not end it; Eriksen 1999 (17.8 dug)",
        ),
    ] = 20.0
    depth_cv: Annotated[
        float, Field(ge=0, le=2, description="CV of that depth between BMUs; assumed")
    ] = 0.4
    territory_cv: Annotated[
        float, Field(ge=0, le=2, description="CV of it between territories of a BMU; assumed")
    ] = 0.2
    mononuclear_um: Annotated[
        float,
        Field(
            ge=0,
            le=100,
            description="mean depth dug after them, as above; Eriksen 1999 (46.9 dug in all)",
        ),
    ] = 30.0
    mononuclear_cv: Annotated[
        float, Field(ge=0, le=1, description="CV of that depth between BMUs; assumed")
    ] = 0.25
    mononuclear_um_per_day: Annotated[
        float, Field(gt=0, le=20, description="mononuclear erosion rate; Eriksen 1984a (34 d)")
    ] = 1.0
    strain_stop: Annotated[
        float,
        Field(
            ge=0,
            le=1000,
            description="k: how surely strain beyond overload ends resorption; assumed (guide M4)",
        ),
    ] = 60.0
    overload: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            description="strain at a cavity's floor, over the usual, that begins to end resorption; "
            "assumed: above that of ordinary surface (guide M4)",
        ),
    ] = 1.3
    least_share: Annotated[
        float,
        Field(ge=0, le=1, description="of the osteoclastic depth, before strain ends it; assumed"),
    ] = 0.75
    breakthrough_chance: Annotated[
        float,
        Field(ge=0, le=1, description="a day, to pass the last bone; assumed 1; 0: no perforation"),
    ] = 1.0
    smallest_hole_um: Annotated[
        float, Field(ge=0, le=300, description="narrower holes are bridged; assumed")
    ] = 30.0


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


def osteoclast_numbers(parameters: OsteoclastParameters) -> Any:
    """The kernels' view of the parameters: one chance of breakthrough for holes and cuts."""
    chance = parameters.breakthrough_chance
    numbers = numbers_of(parameters, OsteoclastNumbers)
    return numbers._replace(breakthrough_chance=Breakthrough(hole=chance, cut=chance))


@lean_kernel
def stops(
    world: World,
    site: Site,
    numbers: OsteoclastParameters,
    step_um: float,
    target_um: float,
    who: Identity,
    purpose: int,
) -> bool:
    """Whether strain ends resorption at a site, over a step of its way to `target_um`.

    Args:
        step_um: length of the step, um.
        target_um: depth at which it would end, um.
        purpose: the decision, by its number in `chance`.
    """
    sites = world.cavities.sites
    lattice, fields, seed, day = world.lattice, world.fields, world.seed, world.day
    voxel = sites.voxel[site]
    u = strain_in(fields, voxel, lattice.shape)
    u *= concentration(lattice, voxel, sites.nz[site], sites.ny[site], sites.nx[site])
    strain = numbers.strain_stop * max(0.0, u - numbers.overload)
    return uniform(seed, day, who, purpose) < 1.0 - np.exp(-strain * step_um / target_um)


@lean_kernel
def resorb(
    world: World, cells: OsteoclastColumns, numbers: OsteoclastParameters, exponent: float
) -> int:
    """One day of all osteoclasts: dig, then leave or not. Returns how many left.

    They dig as RANK is occupied where they are (to the `exponent`).

    Args:
        exponent: of RANK occupancy.

    Writes:
        world, cells
    """
    lattice, fields, cavities = world.lattice, world.fields, world.cavities
    seed, day = world.seed, world.day
    breakthrough: Any = numbers.breakthrough_chance  # of holes and of cuts: `osteoclast_numbers`
    left = 0
    sites = cavities.sites
    for row in range(cells.used[0]):
        if cells.alive[row] == 0:
            continue
        site = Site(cells.site[row])
        rate = (
            numbers.dig_um_per_day
            * occupancy_in(fields, sites.voxel[site], lattice.shape) ** exponent
        )
        target = np.float64(sites.osteoclast_target_um[site])
        before = np.float64(cells.depth_um[row])
        step = max(min(rate, target - before), 0.0)
        dig(lattice, cavities, site, step, breakthrough, seed, day)
        cells.depth_um[row] = before + step
        done = before + rate >= target
        if not done and before + step >= numbers.least_share * target:
            done = stops(
                world, site, numbers, step, target, cells.id[row], STRAIN_STOP)  # fmt: skip
        if done:
            begin_mononuclear(sites, site, before + step, day)
            free_row(cells, row)
            left += 1
    return left


@lean_kernel
def smooth(world: World, bmus: BmuColumns, numbers: OsteoclastParameters) -> int:
    """One day of all mononuclear phases; where one ends the floor is decided, once.

    A site with a floor goes into reversal with its refillable stock; one without ends
    as a perforation's open edge. Returns how many phases ended.

    Writes:
        world, bmus
    """
    lattice, cavities, seed, day = world.lattice, world.cavities, world.seed, world.day
    breakthrough: Any = numbers.breakthrough_chance
    sites = cavities.sites
    rate = numbers.mononuclear_um_per_day
    ended = 0
    for row in range(sites.used[0]):
        site = Site(row)
        if sites.alive[site] == 0 or sites.phase[site] != MONONUCLEAR:
            continue
        waited = day - sites.phase_day[site]
        if waited == 0 or waited % MONONUCLEAR_STEP_DAY != 0:
            continue
        depth = np.float64(sites.mononuclear_depth_um[site])
        target = np.float64(sites.mononuclear_target_um[site])
        step = min(MONONUCLEAR_STEP_DAY * rate, target - depth)
        if step > 0.0:
            dig(lattice, cavities, site, step, breakthrough, seed, day)
            sites.mononuclear_depth_um[site] = depth + step
            if stops(
                world, site, numbers, step, target, sites.id[site], MONONUCLEAR_END):  # fmt: skip
                sites.mononuclear_target_um[site] = depth + step
        if depth + step >= np.float64(sites.mononuclear_target_um[site]) - 1e-4:
            ended += 1
            if settle(lattice, cavities, site, numbers.smallest_hole_um, day) > 0:
                begin_reversal(sites, site, day)
            else:
                cavities.tally[SITES_PERFORATED] += 1
                leave_bmu(sites, bmus, site)
                close_site(lattice, cavities, site)
    return ended


class Osteoclasts(CellPopulation):
    """All osteoclasts of a specimen, and the mononuclear phase of their sites."""

    def __init__(self, model: Any, parameters: OsteoclastParameters) -> None:
        super().__init__(model)
        self.parameters = parameters
        self.numbers = osteoclast_numbers(parameters)
        self.rows: Rows[OsteoclastColumns] = Rows(OsteoclastColumns)

    def depth(self, drive: Drive) -> CavityDepth:
        """What the depths of sites claimed today are drawn from."""
        p = self.parameters
        return CavityDepth(
            p.depth_um, p.depth_cv, p.territory_cv, p.mononuclear_um, p.mononuclear_cv,
            drive.depth, drive.depth_excess,
        )  # fmt: skip

    def resorb(
        self, tissue: Tissue, fields: Fields, cavities: CavityTables, drive: Drive, seed: int,
        day: int,
    ) -> None:  # fmt: skip
        """Dig for one day; some are done."""
        cavities.make_room()
        resorb(
            world_of(tissue, fields, cavities, seed, day),
            self.rows.columns,
            self.numbers,
            drive.speed_exponent,
        )

    def smooth(
        self, tissue: Tissue, fields: Fields, cavities: CavityTables, bmus: Rows[Any], seed: int,
        day: int,
    ) -> None:  # fmt: skip
        """Let mononuclear cells deepen their sites for one day."""
        cavities.make_room()
        smooth(
            world_of(tissue, fields, cavities, seed, day), bmus.columns, self.numbers)  # fmt: skip
