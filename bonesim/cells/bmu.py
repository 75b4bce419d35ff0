"""Basic multicellular units (BMUs): where remodelling starts, and how it travels.

A BMU is born on quiescent bone surface at a rate per true area, has an inward normal n, a
direction of travel and a quota of area (lognormal). Its front moves along the surface and
recruits osteoclasts into fresh territories within its width; when the quota is reached or no
surface is left ahead it stops, and when its last site has closed it ends.

Origination proposes voxels drawn from (seed, day, k) at a fixed ceiling rate and accepts each
with rate / ceiling, so that runs that differ only in treatment share their BMUs.

Where there is more RANKL (less OPG), where osteocytes die and where bone strains less than usual
more are born; fronts turn towards RANKL. Left out: strain steering, vessels.
Sources: guide M1; footprint of trenches about 500 x 200 um (Easley 2012).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.cells.accounts import take_up
from bonesim.cells.bmu_front import tangent, travel
from bonesim.cells.bmu_parameters import (
    AHEAD_VOXEL,
    FINISHING,
    RAGGED,
    TRAVELLING,
    BmuColumns,
    BmuNumbers,
    BmuParameters,
)
from bonesim.cells.cavity import AREA_STARTED, BMUS_BORN, CavityTables
from bonesim.cells.column import inward_normal, is_old_surface
from bonesim.cells.depth import CavityDepth, bmu_factors, lognormal
from bonesim.cells.osteoclast import OsteoclastColumns
from bonesim.cells.population import (
    CellPopulation,
    Rows,
    copy_of,
    entity_of,
    first_free_copy,
    free_row,
    identity,
    new_row,
)
from bonesim.cells.site import SiteColumns, join_bmu
from bonesim.cells.territory import claim, rearmost_free
from bonesim.cells.world import World, world_of
from bonesim.chance import (
    BMU_AREA,
    BMU_DIRECTION,
    BMU_WAIT,
    CANDIDATE_PLACE,
    ORIGINATION,
    OSTEOCLAST_PLACE,
    normal,
    uniform,
    uniform_pair,
)
from bonesim.endocrine.response import Drive
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Day, Normal, Place, Row, Seed, Shape, Site, Voxel
from bonesim.lattice.ledger import INTERIOR
from bonesim.lattice.tissue import Tissue
from bonesim.parameters import numbers_of
from bonesim.signals.fields import Fields, occupancy_in, read_voxel, strain_in
from bonesim.units import BONE, DAYS_PER_YEAR


@lean_kernel
def area_weight(lattice: Lattice, voxel: Voxel, nz: float, ny: float, nx: float) -> float:
    """True surface area of a bone voxel, in voxel faces: sum of |n.e| over faces at marrow.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    y, z = lattice.stride_y, lattice.stride_z
    weight = 0.0
    for step, component in ((-z, nz), (z, nz), (-y, ny), (y, ny), (-1, nx), (1, nx)):
        if lattice.quanta[voxel + step] < BONE and lattice.region[voxel + step] != 0:
            weight += abs(component)
    return weight


@lean_kernel
def candidate_voxel(k: int, seed: Seed, day: Day, purpose: int, shape: Shape) -> Voxel:
    """The k-th place proposed on a day: a flat padded index, uniform over the specimen.

    `purpose` is the decision it is for, `shape` the padded (nz, ny, nx).

    Args:
        k: which of the places of the day.
        purpose: the decision, by its number in `chance`.
    """
    u, v = uniform_pair(seed, day, Place(k), purpose)
    plane = (shape[1] - 2) * (shape[2] - 2)
    z = np.int64(u * (shape[0] - 2))
    rest = np.int64(v * plane)
    y = rest // (shape[2] - 2)
    x = rest - y * (shape[2] - 2)
    return Voxel(((z + 1) * shape[1] + y + 1) * shape[2] + x + 1)


@lean_kernel
def activation_in(
    fields: Fields, numbers: BmuParameters, voxel: Voxel, exponent: float, shape: Shape
) -> float:
    """Births at a voxel relative to health: RANK occupancy, osteocytes dying nearby, and strain.

    `blind_share` of them know nothing of strain: loaded bone is renewed too.

    Args:
        exponent: of RANK occupancy.
    """
    near_death = read_voxel(fields.death, fields, voxel, shape)
    targeted = 1.0 + numbers.death_share * (near_death - 1.0)
    unloaded = np.exp(-numbers.strain_bias * (strain_in(fields, voxel, shape) - 1.0))
    targeted *= numbers.blind_share + (1.0 - numbers.blind_share) * unloaded
    return occupancy_in(fields, voxel, shape) ** exponent * targeted


@lean_kernel
def originate(
    world: World,
    bmus: BmuColumns,
    numbers: BmuParameters,
    depth: CavityDepth,
    exponent: float,
    pth: float,
    candidates: int,
) -> int:
    """Births of one day. Returns how many BMUs were born.

    Each of `candidates` places is accepted with the chance that makes the rate per true area
    `origination x pth x activation_in`, at most the ceiling; quiescent interior bone surface
    older than `young_bone_day` only.

    Args:
        exponent: of RANK occupancy.
        pth: multiplies births: parathyroid hormone.
        candidates: how many places are proposed.

    Writes:
        bmus
    """
    lattice, fields, cavities = world.lattice, world.fields, world.cavities
    seed, day = world.seed, world.day
    shape = lattice.shape
    a2 = lattice.voxel_um * lattice.voxel_um * 1e-6
    volume = (shape[0] - 2) * (shape[1] - 2) * (shape[2] - 2)
    per_weight = numbers.origination_per_mm2_per_year / DAYS_PER_YEAR * a2
    births = 0
    for k in range(candidates):
        voxel = candidate_voxel(k, seed, day, CANDIDATE_PLACE, shape)
        if lattice.surface_slot[voxel] < 0 or lattice.region[voxel] != INTERIOR:
            continue
        if lattice.owner[voxel] >= 0 or day - lattice.formed_day[voxel] < numbers.young_bone_day:
            continue
        nz, ny, nx = inward_normal(lattice, cavities, voxel, numbers.normal_radius_voxel)
        if not is_old_surface(lattice, voxel, nz, ny, nx):
            continue
        chance = per_weight * area_weight(lattice, voxel, nz, ny, nx) * volume / candidates
        activation = pth * activation_in(fields, numbers, voxel, exponent, shape)
        chance *= min(activation, numbers.origination_ceiling)
        if uniform(seed, day, voxel, ORIGINATION) >= chance:
            continue
        row = new_row(bmus)
        if row < 0:
            continue
        found(world, bmus, row, voxel, (nz, ny, nx), numbers, depth)
        births += 1
    return births


@lean_kernel
def found(
    world: World,
    bmus: BmuColumns,
    row: Row,
    voxel: Voxel,
    inward: Normal,
    numbers: BmuParameters,
    depth: CavityDepth,
) -> None:
    """Write the columns of a BMU born at `voxel`: all its chance is fixed by its id.

    `depth`: as in `recruit`.

    Writes:
        bmus
    """
    lattice, seed, day = world.lattice, world.seed, world.day
    nz, ny, nx = inward
    shape = lattice.shape
    who = identity(voxel, day, 0)
    bmus.id[row] = copy_of(who, first_free_copy(bmus, who))
    bmus.voxel[row] = voxel
    bmus.born_day[row] = day
    bmus.phase[row] = TRAVELLING
    z = voxel // (shape[1] * shape[2])
    rest = voxel - z * shape[1] * shape[2]
    y = rest // shape[2]
    bmus.z[row], bmus.y[row], bmus.x[row] = z, y, rest - y * shape[2]
    bmus.nz[row], bmus.ny[row], bmus.nx[row] = nz, ny, nx
    angle = 2.0 * np.pi * uniform(seed, day, who, BMU_DIRECTION)
    bmus.tz[row], bmus.ty[row], bmus.tx[row] = tangent(nz, ny, nx, angle)
    spread = np.sqrt(np.log(1.0 + numbers.area_cv * numbers.area_cv))
    bmus.quota_um2[row] = numbers.area_median_um2 * np.exp(
        spread * normal(seed, day, who, BMU_AREA)
    )
    bmus.area_um2[row] = 0.0
    bmus.owed_um2[row] = numbers.founders * np.pi * numbers.territory_radius_um**2
    bmus.depth_factor[row], bmus.mononuclear_factor[row] = bmu_factors(depth, seed, day, who)
    bmus.wait_factor[row] = lognormal(numbers.wait_cv, normal(seed, day, who, BMU_WAIT))
    bmus.misses[row] = 0
    bmus.recruited[row] = 0
    bmus.open_sites[row] = 0


@lean_kernel
def recruit(
    world: World,
    bmus: BmuColumns,
    row: Row,
    osteoclasts: OsteoclastColumns,
    numbers: BmuParameters,
    depth: CavityDepth,
) -> None:
    """Man the area the front has come to: osteoclasts on free territories within its width.

    `depth`: how deep its sites will be (`CavityDepth`). Territories are taken from the rear of the front
    on, so that none is left between them; founders open a disc of the BMU's width. Arrested surface is
    taken up (`accounts.take_up`). A front that finds no free surface for `patience_day` days in a row
    stops.

    Writes:
        world, bmus, osteoclasts
    """
    lattice, cavities, seed, day = world.lattice, world.cavities, world.seed, world.day
    who = entity_of(bmus.id[row])
    half = 0.5 * numbers.width_um / lattice.voxel_um
    ragged = 1.0 + RAGGED * (2.0 * uniform(seed, day, who, OSTEOCLAST_PLACE) - 1.0)
    ahead = half if day == bmus.born_day[row] else AHEAD_VOXEL
    rear = -half
    found_none = False
    while bmus.owed_um2[row] > 0.0:
        voxel, place = rearmost_free(
            lattice, cavities, bmus, row, half * ragged, (rear, ahead), numbers
        )
        if voxel < 0:
            found_none = True
            break
        if lattice.owner[voxel] >= 0:
            again = Site(cavities.records.site[lattice.owner[voxel]])
            take_up(lattice, cavities, bmus, row, again, day)
            bmus.owed_um2[row] -= cavities.sites.area_um2[again]
            bmus.misses[row] = 0
            continue
        bmus.recruited[row] += 1
        index = bmus.recruited[row]
        site = claim(world, bmus, row, voxel, index, numbers, depth)
        if site < 0:
            rear = place + 1e-6  # nothing to be claimed there
            continue
        bmus.misses[row] = 0
        area = cavities.sites.area_um2[site]
        bmus.area_um2[row] += area
        bmus.owed_um2[row] -= area
        join_bmu(cavities.sites, bmus, site)
        cavities.tally[AREA_STARTED] += area
        man(osteoclasts, cavities.sites, site, day)
        if bmus.area_um2[row] >= bmus.quota_um2[row]:
            bmus.phase[row] = FINISHING
            return
    if found_none:
        bmus.misses[row] += 1
        bmus.owed_um2[row] = 0.0
        if bmus.misses[row] >= numbers.patience_day:
            bmus.phase[row] = FINISHING


@lean_kernel
def man(osteoclasts: OsteoclastColumns, sites: SiteColumns, site: Site, day: Day) -> None:
    """An osteoclast is born on a site; it bears the site's id.

    Writes:
        osteoclasts
    """
    cell = new_row(osteoclasts)
    if cell >= 0:
        osteoclasts.id[cell] = sites.id[site]
        osteoclasts.site[cell] = site
        osteoclasts.voxel[cell] = sites.voxel[site]
        osteoclasts.born_day[cell] = day
        osteoclasts.depth_um[cell] = 0.0


@lean_kernel
def advance(
    world: World,
    bmus: BmuColumns,
    osteoclasts: OsteoclastColumns,
    numbers: BmuParameters,
    depth: CavityDepth,
    closed: NDArray[np.uint64],
) -> int:
    """One day of all BMUs: fronts travel and recruit; finished ones end.

    Args:
        closed: uint64 (most,), receives the ids of the BMUs that ended.

    Writes:
        world, bmus, osteoclasts, closed

    Returns:
        How many BMUs ended.
    """
    day = world.day
    ended = 0
    daily = numbers.travel_um_per_day * numbers.width_um
    for one in range(bmus.used[0]):
        row = Row(one)
        if bmus.alive[row] == 0:
            continue
        if bmus.phase[row] == TRAVELLING:
            if day > bmus.born_day[row]:
                travel(world, bmus, row, numbers)
                bmus.owed_um2[row] += daily
            recruit(world, bmus, row, osteoclasts, numbers, depth)
            if day - bmus.born_day[row] > numbers.longest_travel_day:
                bmus.phase[row] = FINISHING
        elif bmus.open_sites[row] == 0 and ended < closed.size:
            closed[ended] = entity_of(bmus.id[row])
            ended += 1
            free_row(bmus, row)
    return ended


class RemodellingUnits(CellPopulation):
    """All BMUs of a specimen."""

    def __init__(self, model: Any, parameters: BmuParameters) -> None:
        super().__init__(model)
        self.parameters = parameters
        self.numbers = numbers_of(parameters, BmuNumbers)
        self.rows: Rows[BmuColumns] = Rows(BmuColumns)

    def candidates(self, tissue: Tissue) -> int:
        """Places proposed a day: enough that no acceptance chance exceeds 1 at the ceiling."""
        p = self.parameters
        volume = float(np.prod(tissue.shape))
        per_day = p.origination_per_mm2_per_year / DAYS_PER_YEAR * tissue.voxel_um**2 * 1e-6
        return int(np.ceil(volume * per_day * np.sqrt(12.0) * p.origination_ceiling)) + 1

    def be_born(
        self, tissue: Tissue, fields: Fields, cavities: CavityTables, drive: Drive,
        depth: CavityDepth, seed: int, day: int,
    ) -> None:  # fmt: skip
        """Start today's BMUs on quiescent surface."""
        candidates = self.candidates(tissue)
        self.rows.make_room(candidates)
        cavities.tally[BMUS_BORN] += originate(
            world_of(tissue, fields, cavities, seed, day),
            self.rows.columns,
            self.numbers,
            depth,
            drive.activation_exponent,
            drive.pth_activation,
            candidates,
        )

    def travel_and_recruit(
        self, tissue: Tissue, fields: Fields, cavities: CavityTables, osteoclasts: Rows[Any],
        depth: CavityDepth, seed: int, day: int,
    ) -> NDArray[np.uint64]:  # fmt: skip
        """Move the fronts, man their territories, end the finished; returns the ended ids."""
        osteoclasts.make_room(4096 + 8 * self.parameters.founders * len(self))
        cavities.make_room()
        closed = np.zeros(max(len(self), 1), np.uint64)
        ended = advance(
            world_of(tissue, fields, cavities, seed, day),
            self.rows.columns,
            osteoclasts.columns,
            self.numbers,
            depth,
            closed,
        )
        return closed[: int(ended)]
