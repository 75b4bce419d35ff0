"""Osteoblasts: teams recruited from the pool to a reversed surface, which fill the cavity.

    start       when a site has waited its BMU's share of tau (lognormal, mean 1), days counted as
                2 N^2 / (1 + N^2) / sclerostin, N the local precursor pool, more where resorption left
                coupling factors and lining cells shelter precursors, less where osteocytes make more
                sclerostin. Teams follow each other as their osteoclasts did: one cavity of a BMU;
                not started by the arrest limit: the surface stays eroded (arrested)
    thickness   W = (osteoclastic depth / its excess + mononuclear depth) (1 + balance / reference)
                    x wall(E2, T, sclerostin) x N^n
    strain      W x ((1 + u) / 2)^n: above 1 as the team finds it, up to 10 um beyond the surface
                there was; below 1 (another n) what it does not form in disuse is forgone
    speed       a0 exp(-t / (tau_a W / W0)) um/d: every team starts alike, thicker walls take longer

Wall thickness does not follow the depth that estradiol changes (Eriksen 1999: erosion depth +5 um,
walls not demonstrably different). Each osteoblast is a row with a day and a fate:
buried as an osteocyte, lining cell, or apoptosis; a team thins out as its speed does.

Strain comes to the wall as here, and weakly by sclerostin (sclerostin_wall_exponent).

Sources: guide M1, M4, M6; Eriksen 1984b, Eriksen 1999, Manolagas 2000, Lips 1978.
"""

from typing import Any

import numpy as np

from bonesim.cells.accounts import arrest_site, close_site
from bonesim.cells.apposition import (
    fill,
    fill_pockets,
    finish,
    grant,
    stock_of,
)
from bonesim.cells.bmu_parameters import BmuColumns
from bonesim.cells.cavity import Cavities, CavityTables, shares_centre
from bonesim.cells.film import forgo, peel, plan_film
from bonesim.cells.lacuna import OsteocyteColumns
from bonesim.cells.osteoblast_parameters import (
    APOPTOSIS_FATE,
    LINING_FATE,
    LINING_SHARE,
    MAX_SIGNAL,
    MIN_SIGNAL,
    OSTEOCYTE_FATE,
    OsteoblastColumns,
    OsteoblastNumbers,
    OsteoblastParameters,
    TeamOrders,
)
from bonesim.cells.osteocyte import Osteocytes
from bonesim.cells.population import (
    CellPopulation,
    Rows,
    copy_of,
    first_free_copy,
    free_row,
    identity,
    new_row,
)
from bonesim.cells.precursors import Marrow, Precursors, block_of
from bonesim.cells.site import FORMING, REVERSAL, begin_forming, leave_bmu
from bonesim.cells.world import World, world_of
from bonesim.chance import (
    FORMING_SPELL,
    OSTEOBLAST_FATE,
    OSTEOBLAST_LIFE,
    OSTEOBLAST_NUMBER,
    rounded,
    uniform,
)
from bonesim.endocrine.response import Drive
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Day, Seed, Shape, Site, Voxel
from bonesim.lattice.tissue import Tissue
from bonesim.parameters import numbers_of
from bonesim.signals.fields import Fields, read_voxel
from bonesim.units import BONE


@lean_kernel
def recruitment_in(
    fields: Fields, numbers: OsteoblastParameters, voxel: Voxel, shape: Shape
) -> float:
    """How much sooner than in health a team comes to a voxel: coupling, shelter, sclerostin."""
    coupled = max(read_voxel(fields.coupling, fields, voxel, shape), MIN_SIGNAL)
    sheltered = max(read_voxel(fields.lining, fields, voxel, shape), MIN_SIGNAL)
    stopped = max(read_voxel(fields.sclerostin, fields, voxel, shape), MIN_SIGNAL)
    signal = coupled**numbers.coupling_exponent * sheltered**numbers.canopy_exponent
    return min(signal / stopped**numbers.sclerostin_exponent, MAX_SIGNAL)


@lean_kernel
def start_teams(
    world: World,
    bmus: BmuColumns,
    cells: OsteoblastColumns,
    numbers: OsteoblastParameters,
    marrow: Marrow,
    orders: TeamOrders,
) -> int:
    """One day of all reversal surfaces: a team comes, or not, or the surface is arrested.

    Each team draws on the pool of the marrow around it. Returns how many teams started.

    Writes:
        world, bmus, cells, marrow
    """
    lattice, fields, cavities = world.lattice, world.fields, world.cavities
    seed, day = world.seed, world.day
    pool = marrow.pool
    shape = lattice.shape
    sites = cavities.sites
    started = 0
    for row in range(sites.used[0]):
        site = Site(row)
        if sites.alive[site] == 0 or sites.phase[site] != REVERSAL:
            continue
        block = block_of(sites.voxel[site], shape, lattice.voxel_um, marrow.block_um, marrow.blocks)
        n2 = pool[block] * pool[block]
        voxel = sites.voxel[site]
        pace = orders.recruitment / numbers.reversal_day * 2.0 * n2 / (1.0 + n2)
        sites.waited[site] += pace * recruitment_in(fields, numbers, voxel, shape)
        if sites.waited[site] >= bmus.wait_factor[sites.bmu[site]]:
            stopped = max(read_voxel(fields.sclerostin, fields, voxel, shape), MIN_SIGNAL)
            here = orders.wall * stopped**-orders.wall_exponent
            here *= pool[block] ** numbers.pool_wall_exponent
            begin(world, site, numbers, here)
            settle_team(cavities, cells, site, numbers, seed, day)
            pool[block] = max(0.0, pool[block] - marrow.cost_per_um2 * sites.area_um2[site])
            started += 1
        elif day - sites.phase_day[site] >= numbers.arrest_day:
            arrest_site(lattice, cavities, bmus, site, day)
    return started


@lean_kernel
def begin(world: World, site: Site, numbers: OsteoblastParameters, wall: float) -> None:
    """A team begins: it is to form what was taken, less the depth that loss of estradiol added.

    Strain, a drug, or a cavity less deep than usual make it more, by the largest overfill (`film`).

    Args:
        wall: multiplies the thickness planned.

    Writes:
        world
    """
    lattice, fields, cavities, day = world.lattice, world.fields, world.cavities, world.day
    sites = cavities.sites
    osteoclastic = np.float64(sites.osteoclast_depth_um[site])
    mononuclear = np.float64(sites.mononuclear_depth_um[site])
    dug = osteoclastic + mononuclear
    usual = osteoclastic / np.float64(sites.depth_excess[site]) + mononuclear
    planned = max(usual + numbers.balance_um, 0.0) * wall
    film = plan_film(fields, cavities, site, planned, numbers, lattice.shape)
    sites.wall_um[site] = max(dug - film, 1.0)
    peel(lattice, cavities, site)
    if sites.film_um[site] < 0.0:
        grant(lattice, cavities, site)
    begin_forming(sites, site, day)


@lean_kernel
def settle_team(
    cavities: Cavities,
    cells: OsteoblastColumns,
    site: Site,
    numbers: OsteoblastParameters,
    seed: Seed,
    day: Day,
) -> None:
    """A team of osteoblasts settles on a site: each cell's days and fate are fixed.

    Its size is area over `area_per_cell`, by its wall thickness. Two sites can have one centre.

    Writes:
        cells
    """
    sites = cavities.sites
    thickness = sites.wall_um[site] / numbers.wall_um
    expected = sites.area_um2[site] / numbers.area_per_cell_um2 * thickness
    team = max(1, rounded(expected, seed, day, sites.id[site], OSTEOBLAST_NUMBER))
    mean_life = numbers.apposition_tau_day * thickness
    place = sites.first[site]
    copy = 0
    if shares_centre(sites, site, day):  # cells of one birthday and place: mostly there are none
        copy = first_free_copy(cells, identity(sites.voxel[site], day, 0))
    for index in range(team):
        cell = new_row(cells)
        if cell < 0:
            return
        who = identity(sites.voxel[site], day, index)
        cells.id[cell] = copy_of(who, copy + (index >> 12))  # an index has 12 bits
        cells.site[cell] = site
        cells.site_id[cell] = sites.id[site]
        cells.voxel[cell] = cavities.records.voxel[place]
        cells.born_day[cell] = day
        life = -mean_life * np.log(1.0 - uniform(seed, day, who, OSTEOBLAST_LIFE))
        cells.end_day[cell] = day + 1 + np.int32(life)
        u = uniform(seed, day, who, OSTEOBLAST_FATE)
        if u < numbers.osteocyte_share:
            cells.fate[cell] = OSTEOCYTE_FATE
        elif u < numbers.osteocyte_share + LINING_SHARE:
            cells.fate[cell] = LINING_FATE
        else:
            cells.fate[cell] = APOPTOSIS_FATE
        following = cavities.records.next[place]
        place = following if following >= 0 else sites.first[site]


@lean_kernel
def apposition_um(t0: float, t1: float, wall_um: float, numbers: OsteoblastParameters) -> float:
    """Thickness a team of this wall thickness forms between ages t0 and t1 (days), um.

    Args:
        t0: age of the team, days.
        t1: a later age, days.
        wall_um: thickness of the wall, um.
    """
    tau = numbers.apposition_tau_day * wall_um / numbers.wall_um
    return numbers.apposition_um_per_day * tau * (np.exp(-t0 / tau) - np.exp(-t1 / tau))


@lean_kernel
def works(
    cavities: Cavities, site: Site, age: int, numbers: OsteoblastParameters, seed: Seed
) -> bool:
    """Whether a team of this age (days) is at work today, or in an off spell.

    On for `working_share` of each cycle; where in the cycle its sites begin is the BMU's chance.

    Args:
        age: of the team, days.
    """
    sites = cavities.sites
    who = sites.bmu_id[site] if sites.bmu[site] >= 0 else sites.id[site]
    start = numbers.cycle_day * uniform(seed, Day(0), who, FORMING_SPELL)
    return (age + start) % numbers.cycle_day < numbers.working_share * numbers.cycle_day


@lean_kernel
def form(world: World, bmus: BmuColumns, numbers: OsteoblastParameters) -> int:
    """Serve the teams whose turn it is: each forms what it would have in the days since.

    Where strain is less than usual it forms less. A team ends when all its stock is returned and what
    goes beyond is formed; a late one returns the rest at once. Returns how many ended.

    Writes:
        world, bmus
    """
    lattice, fields, cavities = world.lattice, world.fields, world.cavities
    seed, day = world.seed, world.day
    sites = cavities.sites
    step = np.int64(numbers.step_day)
    ended = 0
    for row in range(sites.used[0]):
        site = Site(row)
        if sites.alive[site] == 0 or sites.phase[site] != FORMING:
            continue
        age = day - sites.phase_day[site]
        if age <= 0 or age % step != 0:
            continue
        wall = np.float64(sites.wall_um[site])
        late = age > formation_period(wall, numbers) + numbers.grace_day
        if works(cavities, site, age, numbers, seed):
            depth = apposition_um(np.float64(age - step), np.float64(age), wall, numbers)
            depth /= numbers.working_share
            forgo(lattice, fields, cavities, site, depth, numbers)
            fill(lattice, cavities, site, depth, day)
        if late and sites.bmu[site] >= 0:
            finish(lattice, cavities, site, day)
        if late or is_done(cavities, site):
            fill_pockets(lattice, cavities, site, day)
            leave_bmu(sites, bmus, site)
            close_site(lattice, cavities, site)
            ended += 1
    return ended


@lean_kernel
def is_done(cavities: Cavities, site: Site) -> bool:
    """Whether a team has returned the stock of its site, and formed what goes beyond."""
    sites = cavities.sites
    return sites.open_um[site] <= sites.film_um[site] and stock_of(cavities, site) == 0


@lean_kernel
def formation_period(wall_um: float, numbers: OsteoblastParameters) -> float:
    """Days in which a team forms a wall of this thickness.

    Args:
        wall_um: thickness of the wall, um.
    """
    tau = numbers.apposition_tau_day * wall_um / numbers.wall_um
    planned = 1.0 - wall_um / (numbers.apposition_um_per_day * tau)
    return -tau * np.log(max(planned, 1e-3))


@lean_kernel
def leave(
    lattice: Lattice,
    cavities: Cavities,
    cells: OsteoblastColumns,
    osteocytes: OsteocyteColumns,
    day: Day,
) -> int:
    """Osteoblasts whose day has come, or whose team has ended, meet their fate.

    Future osteocytes are buried at the forming front: in the voxel that last became bone. One
    whose front is not yet bone waits; one whose team ended is buried where it sat, if that is
    bone. Returns how many were buried.

    Writes:
        cells, osteocytes
    """
    sites = cavities.sites
    buried = 0
    for row in range(cells.used[0]):
        if cells.alive[row] == 0:
            continue
        site = Site(cells.site[row])
        there = sites.alive[site] == 1 and sites.id[site] == cells.site_id[row]
        if there and cells.end_day[row] > day:
            continue
        if cells.fate[row] == OSTEOCYTE_FATE:
            voxel = cells.voxel[row]
            if there:
                if sites.front_voxel[site] < 0:
                    continue
                voxel = sites.front_voxel[site]
            if lattice.quanta[voxel] >= BONE:
                lacuna = new_row(osteocytes)
                if lacuna >= 0:
                    osteocytes.id[lacuna] = cells.id[row]
                    osteocytes.voxel[lacuna] = voxel
                    osteocytes.born_day[lacuna] = day
                    osteocytes.viable[lacuna] = 1
                    osteocytes.setpoint_mpa[lacuna] = 0.0
                    buried += 1
        free_row(cells, row)
    return buried


class Osteoblasts(CellPopulation):
    """All osteoblasts of a specimen."""

    def __init__(self, model: Any, parameters: OsteoblastParameters) -> None:
        super().__init__(model)
        self.parameters = parameters
        self.numbers = numbers_of(parameters, OsteoblastNumbers)
        self.rows: Rows[OsteoblastColumns] = Rows(OsteoblastColumns)

    def arrive(
        self, tissue: Tissue, fields: Fields, cavities: CavityTables, bmus: Rows[Any],
        precursors: Precursors, drive: Drive, seed: int, day: int,
    ) -> None:  # fmt: skip
        """Start teams on reversed surface; arrest surface that has waited too long."""
        self.rows.make_room(65536 + len(self))
        pool = precursors.parameters
        start_teams(
            world_of(tissue, fields, cavities, seed, day),
            bmus.columns,
            self.rows.columns,
            self.numbers,
            Marrow(
                precursors.pool, precursors.blocks, pool.block_um, pool.recruitment_per_mm2 * 1e-6
            ),
            TeamOrders(drive.wall, drive.wall_exponent, drive.recruitment),
        )

    def form(
        self, tissue: Tissue, fields: Fields, cavities: CavityTables, bmus: Rows[Any], seed: int,
        day: int,
    ) -> None:  # fmt: skip
        """Deposit bone for one day."""
        form(
            world_of(tissue, fields, cavities, seed, day), bmus.columns, self.numbers)  # fmt: skip

    def leave(
        self, tissue: Tissue, cavities: CavityTables, osteocytes: Osteocytes, day: int
    ) -> None:
        """Bury, line or lose the osteoblasts whose day has come."""
        osteocytes.rows.make_room(len(self) + 1024)
        osteocytes.viable += leave(
            tissue.lattice, cavities.columns, self.rows.columns, osteocytes.rows.columns, Day(day)
        )
