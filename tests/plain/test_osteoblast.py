"""Osteoblasts: teams start, form, end and leave, site by site and cell by cell."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from bonesim.cells.accounts import close_site, interior_stock
from bonesim.cells.apposition import fill, fill_pockets, finish, grant
from bonesim.cells.cavity import QUANTA_ARRESTED, SITES_ARRESTED
from bonesim.cells.film import forgo, peel, plan_film, strained_wall
from bonesim.cells.osteoblast import (
    apposition_um,
    begin,
    form,
    formation_period,
    is_done,
    leave,
    recruitment_in,
    settle_team,
    start_teams,
    works,
)
from bonesim.cells.osteoblast_parameters import (
    APOPTOSIS_FATE,
    LINING_FATE,
    LINING_SHARE,
    MAX_SIGNAL,
    MIN_SIGNAL,
    OSTEOCYTE_FATE,
    OsteoblastNumbers,
    OsteoblastParameters,
    TeamOrders,
)
from bonesim.cells.population import entity_of, free_row, identity, new_row
from bonesim.cells.precursors import Marrow, block_of
from bonesim.cells.site import ARRESTED, FORMING, REVERSAL
from bonesim.chance import (
    FORMING_SPELL,
    OSTEOBLAST_FATE,
    OSTEOBLAST_LIFE,
    OSTEOBLAST_NUMBER,
    rounded,
    uniform,
)
from bonesim.engine.simulation import Simulation
from bonesim.lattice.ledger import INTERIOR
from bonesim.parameters import numbers_of
from bonesim.signals.fields import read_voxel
from bonesim.units import BONE
from tests.plain.conftest import Busy, alive, assert_same, records_of, signal_at, strained

P = OsteoblastParameters()
NUMBERS = numbers_of(P, OsteoblastNumbers)
DAY, SEED = 201, 3


@given(st.floats(0, 300), st.floats(0, 60), st.floats(5, 80))
def test_apposition_is_the_integral_of_a_slowing_rate(age: float, more: float, wall: float) -> None:
    tau = P.apposition_tau_day * wall / P.wall_um
    expected, _ = quad(lambda t: P.apposition_um_per_day * math.exp(-t / tau), age, age + more)
    assert apposition_um(age, age + more, wall, NUMBERS) == pytest.approx(expected, abs=1e-9)


def test_a_wall_takes_the_time_in_which_it_is_formed() -> None:
    for wall in (5.0, 30.0, 47.0, 80.0):
        days = formation_period(wall, NUMBERS)
        assert apposition_um(0.0, days, wall, NUMBERS) == pytest.approx(wall)
    # One so slow that it never forms its wall has the time to form all but a thousandth.
    slow = NUMBERS._replace(apposition_um_per_day=0.1)
    days = formation_period(47.0, slow)
    ever = 0.1 * P.apposition_tau_day
    assert ever < 47.0
    assert apposition_um(0.0, days, 47.0, slow) == pytest.approx(0.999 * ever)


@pytest.mark.parametrize("share", [0.5, 0.25, 1.0])
def test_teams_work_and_rest_in_turns(busy: Busy, share: float) -> None:
    numbers = NUMBERS._replace(working_share=share)
    sites, cycle, begun = busy.cavities.sites, P.cycle_day, []
    for site in alive(sites)[:40]:
        on = [works(busy.cavities, site, age, numbers, SEED) for age in range(3 * cycle)]
        # All teams of a BMU in turn as they begin.
        who = sites.bmu_id[site] if sites.bmu[site] >= 0 else sites.id[site]
        start = cycle * uniform(SEED, 0, who, FORMING_SPELL)
        assert on == [(age + start) / cycle % 1.0 < share for age in range(3 * cycle)]
        assert on[:cycle] == on[cycle : 2 * cycle]
        assert sum(on[:cycle]) == pytest.approx(share * cycle, abs=1)
        # One spell of each a cycle.
        assert sum(now != before for before, now in itertools.pairwise(on)) <= 6
        begun.append(on[0])
    assert share == 1.0 or 0 < sum(begun) < len(begun)


def stock_at(busy: Busy, site: int, inside: bool = False) -> int:
    """What a site is to return; or its part in the interior."""
    records = busy.cavities.records
    rows = records_of(busy.cavities, site)
    if inside:
        rows = [r for r in rows if busy.lattice.region[records.voxel[r]] == INTERIOR]
    return sum(int(records.stock[r]) for r in rows)


def test_stock_of_the_interior_and_when_a_team_is_done(busy: Busy) -> None:
    sites, records = busy.cavities.sites, busy.cavities.records
    inside, all_of_it, done = 0, 0, []
    for site in alive(sites):
        found = interior_stock(busy.lattice, busy.cavities, site)
        assert found == stock_at(busy, site, inside=True)
        inside, all_of_it = inside + found, all_of_it + stock_at(busy, site)
        # With stock or without, above, at, and below the film.
        records.stock[records_of(busy.cavities, site)] *= np.uint8(site % 2)
        sites.open_um[site] = sites.film_um[site] + site // 2 % 3 - 1
        at_film = float(sites.open_um[site]) <= float(sites.film_um[site])
        done.append(is_done(busy.cavities, site))
        assert done[-1] == (at_film and stock_at(busy, site) == 0)
    assert 0 < inside < all_of_it
    assert 0 < sum(done) < len(done)


def walled(busy: Busy, place: object) -> float:
    """What strain does to a wall."""
    half = float(np.clip((1 + strained(busy, place)) / 2, 0.5, 2.0))
    return half**P.strain_wall_exponent if half > 1 else half**P.disuse_exponent


def checked_wall(busy: Busy, record: int) -> float:
    """The same at a record's voxel, as the kernel has it to the last bit."""
    voxel = busy.cavities.records.voxel[record]
    found = float(strained_wall(busy.fields, NUMBERS, voxel, busy.shape))
    assert found == pytest.approx(walled(busy, np.unravel_index(voxel, busy.shape)))
    return found


def filmed(busy: Busy, site: int, planned: float) -> float:
    """Each voxel lacks what the wall there lacks of the depth, or has more; the mean."""
    sites, records = busy.cavities.sites, busy.cavities.records
    films = {
        r: max(
            float(sites.open_um[site]) - planned * max(checked_wall(busy, r), 1.0), -P.overfill_um
        )
        for r in records_of(busy.cavities, site)
    }
    for record, film in films.items():
        records.film_um[record] = film
    sites.film_um[site] = min(float(sites.open_um[site]), *films.values())
    return float(np.mean(list(films.values())))


def peeled(busy: Busy, site: int) -> int:
    """Stock above the old surface, moved in by the film, is not returned."""
    sites, records = busy.cavities.sites, busy.cavities.records
    width = 20.0 * max(abs(float(n[site])) for n in (sites.nz, sites.ny, sites.nx))
    taken = 0
    for r in records_of(busy.cavities, site):
        top = float(records.below_um[r]) - width / 2  # where the voxel begins
        gone = min(max((float(records.film_um[r]) - top) / width, 0.0), 1.0)
        room = max(round(255 * (1 - gone)) - int(busy.lattice.quanta[records.voxel[r]]), 0)
        taken += max(int(records.stock[r]) - room, 0)
        records.stock[r] = min(int(records.stock[r]), room)
    return taken


def loaded(busy: Busy) -> None:
    """One half of the bone is loaded more than usual, the other less."""
    half = busy.fields.strain.shape[0] // 2
    busy.fields.strain[:half] *= 0.4
    busy.fields.strain[half:] *= 2.0


def test_the_film_of_each_voxel_and_what_it_takes_off_the_stock(busy: Busy) -> None:
    loaded(busy)
    sites, kept, gone = busy.cavities.sites, 0, 0
    waiting = [s for s in alive(sites) if sites.phase[s] == REVERSAL]
    assert waiting
    plain = busy.copy()
    for site in waiting:
        for share in (1.1, 0.9, 0.5):
            planned = share * float(sites.open_um[site])
            mean = plan_film(busy.fields, busy.cavities, site, planned, NUMBERS, busy.shape)
            assert mean == pytest.approx(filmed(plain, site, planned), abs=1e-9)
            taken = peel(busy.lattice, busy.cavities, site)
            assert taken == peeled(plain, site)
            kept, gone = kept + stock_at(plain, site), gone + taken
            assert_same(busy, plain)
    assert kept > 0
    assert gone > 0


def test_what_is_not_formed_in_disuse_is_forgone(busy: Busy) -> None:
    loaded(busy)
    sites, records = busy.cavities.sites, busy.cavities.records
    lowered, left = 0, 0
    plain = busy.copy()
    for site in [s for s in alive(sites) if sites.phase[s] in (REVERSAL, FORMING)]:
        forgo(busy.lattice, busy.fields, busy.cavities, site, 6.0, NUMBERS)
        changed = False
        for r in records_of(plain.cavities, site):
            to_form = min(6.0, float(sites.open_um[site]) - float(records.film_um[r]))
            share = checked_wall(plain, r)
            if to_form > 0 and share < 1:
                below = plain.cavities.records.below_um
                below[r] = float(below[r]) - to_form * (1 - share)
                changed = True
        if changed:
            peeled(plain, site)
        lowered, left = lowered + changed, left + (not changed)
        assert_same(busy, plain)
    assert lowered > 0
    assert left > 0


def began(busy: Busy, site: int, wall: float, day: int) -> None:
    """What a team will form: what was taken but for the excess depth, and what strain adds to it."""
    sites = busy.cavities.sites
    by_osteoclasts = float(sites.osteoclast_depth_um[site])
    by_others = float(sites.mononuclear_depth_um[site])
    dug = by_osteoclasts + by_others
    usual = max(by_osteoclasts / float(sites.depth_excess[site]) + by_others + P.balance_um, 0.0)
    mean = filmed(busy, site, usual * wall)
    sites.wall_um[site] = max(dug - mean, 1.0)
    peeled(busy, site)
    if float(sites.film_um[site]) < 0:
        grant(busy.lattice, busy.cavities, site)
    sites.phase[site], sites.phase_day[site] = FORMING, day


def team(busy: Busy, site: int, day: int) -> None:
    """A team settles: who is in it."""
    sites, cells = busy.cavities.sites, busy.osteoblasts
    thick = float(sites.wall_um[site]) / P.wall_um
    expected = float(sites.area_um2[site]) / P.area_per_cell_um2 * thick
    number = max(1, int(rounded(expected, SEED, day, sites.id[site], OSTEOBLAST_NUMBER)))
    places = records_of(busy.cavities, site)
    there = {int(cells.id[row]) for row in alive(cells)}
    first = identity(sites.voxel[site], day, 0)
    copy = next(k for k in range(32) if first + (k << 59) not in there)
    for index in range(number):
        cell = int(new_row(cells))
        who = identity(sites.voxel[site], day, index)
        cells.id[cell] = who + (copy << 59)
        cells.site[cell], cells.site_id[cell] = site, sites.id[site]
        cells.voxel[cell] = busy.cavities.records.voxel[places[index % len(places)]]
        cells.born_day[cell] = day
        life = (
            P.apposition_tau_day * thick * -math.log(1 - uniform(SEED, day, who, OSTEOBLAST_LIFE))
        )
        cells.end_day[cell] = day + 1 + int(life)
        u = uniform(SEED, day, who, OSTEOBLAST_FATE)
        cells.fate[cell] = (
            OSTEOCYTE_FATE if u < P.osteocyte_share
            else LINING_FATE if u < P.osteocyte_share + LINING_SHARE else APOPTOSIS_FATE
        )  # fmt: skip


@pytest.mark.parametrize(("wall", "excess", "strain"), [(1.0, 1.0, 1.0), (0.8, 1.4, 0.5),
                                                       (1.2, 1.0, 4.0)])  # fmt: skip
def test_a_team_settles(busy: Busy, wall: float, excess: float, strain: float) -> None:
    waiting = [s for s in alive(busy.cavities.sites) if busy.cavities.sites.phase[s] == REVERSAL]
    assert waiting
    busy.cavities.sites.depth_excess[waiting] = excess
    busy.fields.strain[:] = strain / busy.fields.load_level
    plain = busy.copy()
    granted = int(busy.cavities.records.granted.sum(dtype=int))
    for site in waiting:
        begin(busy.world(SEED, DAY), site, NUMBERS, wall)
        settle_team(busy.cavities, busy.osteoblasts, site, NUMBERS, SEED, DAY)
        began(plain, site, wall, DAY)
        team(plain, site, DAY)
    more = int(busy.cavities.records.granted.sum(dtype=int)) - granted
    assert (more > 0) == (strain > 1)
    np.testing.assert_allclose(busy.cavities.sites.wall_um, plain.cavities.sites.wall_um, rtol=1e-6)
    plain.cavities.sites.wall_um[:] = busy.cavities.sites.wall_um
    assert_same(busy, plain)


def test_two_teams_at_one_voxel_have_ids_of_their_own(busy: Busy) -> None:
    """Two sites can have one centre and start on one day; a team can have more than 4,096 cells."""
    sites, cells = busy.cavities.sites, busy.osteoblasts
    one, other = [s for s in alive(sites) if sites.phase[s] == REVERSAL][:2]
    sites.voxel[other] = sites.voxel[one]
    small = NUMBERS._replace(area_per_cell_um2=float(sites.area_um2[one]) / 4200)
    before = set(alive(cells))
    for site, numbers in ((one, small), (other, NUMBERS)):
        sites.phase[site], sites.phase_day[site] = FORMING, DAY  # as whoever settles a team does
        sites.wall_um[site] = P.wall_um
        settle_team(busy.cavities, cells, site, numbers, SEED, DAY)
    rows = [row for row in alive(cells) if row not in before]
    ids = cells.id[rows]
    assert len(rows) > 4100
    assert len(set(ids.tolist())) == len(rows)
    # Chance knows a cell by place, day and index alone.
    first = {int(i): int(row) for i, row in zip(ids, rows, strict=True) if cells.site[row] == one}
    for row in (row for row in rows if cells.site[row] == other):
        twin = first[int(entity_of(cells.id[row]))]
        assert int(cells.id[row]) >> 59 == 2
        assert (cells.end_day[row], cells.fate[row]) == (cells.end_day[twin], cells.fate[twin])


def test_reversal_surface_gets_a_team_waits_or_is_arrested(busy: Busy, at_work: Simulation) -> None:
    precursors = at_work.precursors
    cost, started_in_all, arrested_in_all = 3e-6, 0, 0
    # Some have waited for ever.
    busy.cavities.sites.phase_day[::3] -= 800
    for day in range(DAY, DAY + 8):
        plain = busy.copy()
        started = start_teams(
            busy.world(SEED, day),
            busy.bmus,
            busy.osteoblasts,
            NUMBERS,
            Marrow(busy.pool, precursors.blocks, precursors.parameters.block_um, cost),
            TeamOrders(1.0, 0.1, 0.9),
        )
        sites, expected = plain.cavities.sites, 0
        for site in alive(sites):
            if sites.phase[site] != REVERSAL:
                continue
            block = block_of(sites.voxel[site], busy.shape, 20.0, precursors.parameters.block_um,
                             precursors.blocks)  # fmt: skip
            n = float(plain.pool[block])
            place = np.unravel_index(sites.voxel[site], busy.shape)
            coupled, lined, stopped = (
                max(signal_at(plain, name, place), MIN_SIGNAL)
                for name in ("coupling", "lining", "sclerostin")
            )
            here = coupled**P.coupling_exponent * lined**P.canopy_exponent
            here = min(here * stopped**-P.sclerostin_exponent, MAX_SIGNAL)
            found = recruitment_in(plain.fields, NUMBERS, sites.voxel[site], plain.shape)
            assert found == pytest.approx(here)
            pace = 0.9 / P.reversal_day * 2 * n**2 / (1 + n**2)
            sites.waited[site] = float(sites.waited[site]) + pace * found
            wall = float(max(read_voxel(plain.fields.sclerostin, plain.fields, sites.voxel[site],
                                        plain.shape), MIN_SIGNAL) ** -0.1)  # fmt: skip
            assert wall == pytest.approx(stopped**-0.1)
            if sites.waited[site] >= plain.bmus.wait_factor[sites.bmu[site]]:
                begin(plain.world(SEED, day), site, NUMBERS, wall * n**P.pool_wall_exponent)
                settle_team(plain.cavities, plain.osteoblasts, site, NUMBERS, SEED, day)
                plain.pool[block] = max(0.0, n - cost * float(sites.area_um2[site]))
                expected += 1
            elif day - sites.phase_day[site] >= P.arrest_day:
                sites.phase[site], sites.phase_day[site] = ARRESTED, day
                plain.cavities.tally[SITES_ARRESTED] += 1
                plain.bmus.open_sites[sites.bmu[site]] -= 1
                # What was taken there stays to be returned one day; its part inside is counted.
                plain.cavities.tally[QUANTA_ARRESTED] += stock_at(plain, site, inside=True)
                arrested_in_all += 1
        assert started == expected
        started_in_all += started
        assert_same(busy, plain)
    assert started_in_all > 0
    assert arrested_in_all > 0


def test_teams_form_by_turns_and_end(busy: Busy) -> None:
    ended_in_all = 0
    sites = busy.cavities.sites
    loaded(busy)
    late_in_all = 0
    # A third of the teams is very old: their grace is over.
    sites.phase_day[:] = np.where(np.arange(sites.phase_day.size) % 3 == 0,
                                  sites.phase_day - 800, sites.phase_day)  # fmt: skip
    for day in range(DAY, DAY + P.step_day):
        plain = busy.copy()
        ended = form(busy.world(SEED, day), busy.bmus, NUMBERS)  # fmt: skip
        other, expected = plain.cavities.sites, 0
        for site in alive(other):
            age = day - int(other.phase_day[site])
            if other.phase[site] != FORMING or age <= 0 or age % P.step_day:
                continue
            wall = float(other.wall_um[site])
            late = age > formation_period(wall, NUMBERS) + P.grace_day
            late_in_all += late
            if works(plain.cavities, site, age, NUMBERS, SEED):
                # It forms all it should in the share of the time in which it works.
                depth = apposition_um(float(age - P.step_day), float(age), wall, NUMBERS)
                depth /= P.working_share
                forgo(plain.lattice, plain.fields, plain.cavities, site, depth, NUMBERS)
                fill(plain.lattice, plain.cavities, site, depth, day)
            if late and other.bmu[site] >= 0:
                finish(plain.lattice, plain.cavities, site, day)
            if late or is_done(plain.cavities, site):
                fill_pockets(plain.lattice, plain.cavities, site, day)
                if other.bmu[site] >= 0:
                    plain.bmus.open_sites[other.bmu[site]] -= 1
                close_site(plain.lattice, plain.cavities, site)
                expected += 1
        assert ended == expected
        ended_in_all += ended
        assert_same(busy, plain)
    assert ended_in_all > late_in_all > 0


def test_osteoblasts_meet_their_fate(busy: Busy) -> None:
    plain = busy.copy()
    day = DAY + 60
    buried = leave(busy.lattice, busy.cavities, busy.osteoblasts, busy.osteocytes, day)
    cells, sites, expected = plain.osteoblasts, plain.cavities.sites, 0
    for cell in alive(cells):
        site = int(cells.site[cell])
        at_post = bool(sites.alive[site]) and sites.id[site] == cells.site_id[cell]
        if at_post and cells.end_day[cell] > day:
            continue
        if cells.fate[cell] == OSTEOCYTE_FATE:
            place = int(sites.front_voxel[site]) if at_post else int(cells.voxel[cell])
            if place < 0:
                continue
            if plain.lattice.quanta[place] >= BONE:
                lacuna = int(new_row(plain.osteocytes))
                plain.osteocytes.id[lacuna] = cells.id[cell]
                plain.osteocytes.voxel[lacuna] = place
                plain.osteocytes.born_day[lacuna] = day
                plain.osteocytes.viable[lacuna] = 1
                plain.osteocytes.setpoint_mpa[lacuna] = 0
                expected += 1
        free_row(cells, cell)
    assert buried == expected > 0
    assert_same(busy, plain)
