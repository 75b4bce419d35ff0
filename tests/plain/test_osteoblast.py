"""Osteoblasts: teams start, form, end and leave, site by site and cell by cell."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from bonesim.cells.apposition import fill, grant
from bonesim.cells.cavity import (
    ARRESTED,
    FORMING,
    QUANTA_ARRESTED,
    QUANTA_ERODED,
    REVERSAL,
    SITES_ARRESTED,
    close_site,
)
from bonesim.cells.osteoblast import (
    APOPTOSIS_FATE,
    LINING_FATE,
    MAX_SIGNAL,
    MIN_SIGNAL,
    OSTEOCYTE_FATE,
    OsteoblastNumbers,
    OsteoblastParameters,
    apposition_um,
    fix_quota,
    forget_stock,
    form,
    leave,
    recruitment_in,
    settle_team,
    start_teams,
    strained_wall,
)
from bonesim.cells.population import entity_of, free_row, identity, new_row
from bonesim.cells.precursors import block_of
from bonesim.chance import (
    FORMATION_START,
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


def forgotten(busy: Busy, site: int) -> None:
    """A site's stock is gone; its part in the interior is returned."""
    rows, records = records_of(busy.cavities, site), busy.cavities.records
    inside = busy.lattice.region[records.voxel[rows]] == INTERIOR
    busy.cavities.tally[QUANTA_ARRESTED] += records.stock[rows][inside].sum(dtype=int)
    records.stock[rows] = 0


def test_forgotten_stock_is_gone_and_returned(busy: Busy) -> None:
    for site in [s for s in alive(busy.cavities.sites) if len(records_of(busy.cavities, s)) > 2]:
        plain = busy.copy()
        forget_stock(busy.lattice, busy.cavities, site)
        forgotten(plain, site)
        assert_same(busy, plain)
    assert 0 < busy.cavities.tally[QUANTA_ARRESTED] < busy.cavities.tally[QUANTA_ERODED]


def quota(busy: Busy, site: int, n: float, wall: float, strain: float, day: int) -> None:
    """What a team will form: at most what was taken, and what strain adds to it."""
    sites = busy.cavities.sites
    by_osteoclasts = float(sites.osteoclast_depth_um[site])
    by_others = float(sites.mononuclear_depth_um[site])
    dug = by_osteoclasts + by_others
    usual = by_osteoclasts / float(sites.depth_excess[site]) + by_others
    share = (usual / dug if dug > 0 else 1.0) * (1 + P.balance_um / P.wall_um)
    share = strain * min(max(share * wall * n**P.pool_wall_exponent, 0.0), 1.0)
    beyond = min(P.overfill_um, dug * max(0.0, share - 1))
    sites.wall_um[site] = max(dug * min(share, 1.0) + beyond, 1.0)
    formed = float(sites.quota_quanta[site]) * min(share, 1.0)
    if beyond > 0:
        grant(busy.lattice, busy.cavities, site)
        formed += beyond * float(sites.area_um2[site]) / 20.0**3 * 255
    sites.quota_quanta[site] = round(formed)
    sites.phase[site], sites.phase_day[site], sites.carry_quanta[site] = FORMING, day, 0


def walled(busy: Busy, place: object) -> float:
    """What strain does to a wall."""
    half = float(np.clip((1 + strained(busy, place)) / 2, 0.5, 2.0))
    return half**P.strain_wall_exponent if half > 1 else half**P.disuse_exponent


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
            else LINING_FATE if u < P.osteocyte_share + P.lining_share else APOPTOSIS_FATE
        )  # fmt: skip


@pytest.mark.parametrize(
    ("n", "wall", "strain"), [(1.0, 1.0, 1.0), (0.3, 0.9, 1.0), (1.1, 1.2, 1.1), (1.0, 1.0, 2.0)]
)
def test_a_team_settles(busy: Busy, n: float, wall: float, strain: float) -> None:
    waiting = [s for s in alive(busy.cavities.sites) if busy.cavities.sites.phase[s] == REVERSAL]
    assert waiting
    plain = busy.copy()
    granted = int(busy.cavities.records.granted.sum(dtype=int))
    for site in waiting:
        fix_quota(busy.lattice, busy.cavities, site, n, NUMBERS, wall, strain, DAY)
        settle_team(busy.cavities, busy.osteoblasts, site, NUMBERS, SEED, DAY)
        quota(plain, site, n, wall, strain, DAY)
        team(plain, site, DAY)
    more = int(busy.cavities.records.granted.sum(dtype=int)) - granted
    assert (more > 0) == (strain > 1)
    np.testing.assert_allclose(busy.cavities.sites.wall_um, plain.cavities.sites.wall_um, rtol=1e-6)
    assert_same(busy.osteoblasts, plain.osteoblasts)
    assert_same(busy.cavities.records, plain.cavities.records)
    assert_same(busy.cavities.sites.quota_quanta, plain.cavities.sites.quota_quanta)


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
    busy.cavities.sites.phase_day[::3] -= 400
    for day in range(DAY, DAY + 8):
        plain = busy.copy()
        started = start_teams(
            busy.lattice, busy.fields, busy.cavities, busy.bmus, busy.osteoblasts, busy.pool,
            precursors.blocks, precursors.parameters.block_um, cost, NUMBERS, 1.0, 0.1, 0.9, SEED,
            day, busy.shape,
        )  # fmt: skip
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
            per_day = 0.9 / P.reversal_day * 2 * n**2 / (1 + n**2) * found
            wall = float(max(read_voxel(plain.fields.sclerostin, plain.fields, sites.voxel[site],
                                        plain.shape), MIN_SIGNAL) ** -0.1)  # fmt: skip
            assert wall == pytest.approx(stopped**-0.1)
            if uniform(SEED, day, sites.id[site], FORMATION_START) < 1 - math.exp(-per_day):
                here = max(1.0, strained_wall(plain.fields, NUMBERS, sites.voxel[site],
                                              plain.shape))  # fmt: skip
                assert here == pytest.approx(max(1.0, walled(plain, place)))
                fix_quota(plain.lattice, plain.cavities, site, n, NUMBERS, wall, here, day)
                settle_team(plain.cavities, plain.osteoblasts, site, NUMBERS, SEED, day)
                plain.pool[block] = max(0.0, n - cost * float(sites.area_um2[site]))
                expected += 1
            elif day - sites.phase_day[site] >= P.arrest_day:
                sites.phase[site], sites.phase_day[site] = ARRESTED, day
                plain.cavities.tally[SITES_ARRESTED] += 1
                plain.bmus.open_sites[sites.bmu[site]] -= 1
                forgotten(plain, site)
                arrested_in_all += 1
        assert started == expected
        started_in_all += started
        assert_same(busy, plain)
    assert started_in_all > 0
    assert arrested_in_all > 0


def test_teams_form_by_turns_and_end(busy: Busy) -> None:
    ended_in_all = 0
    sites = busy.cavities.sites
    busy.fields.strain[: busy.fields.strain.shape[0] // 2] *= 0.4
    # A third of the teams is very old: their grace is over.
    sites.phase_day[:] = np.where(np.arange(sites.phase_day.size) % 3 == 0,
                                  sites.phase_day - 800, sites.phase_day)  # fmt: skip
    for day in range(DAY, DAY + P.step_day):
        plain = busy.copy()
        ended = form(busy.lattice, busy.fields, busy.cavities, busy.bmus, NUMBERS, SEED, day,
                     busy.shape)  # fmt: skip
        other, expected = plain.cavities.sites, 0
        for site in alive(other):
            age = day - int(other.phase_day[site])
            if other.phase[site] != FORMING or age <= 0 or age % P.step_day:
                continue
            wall = float(other.wall_um[site])
            depth = apposition_um(float(age - P.step_day), float(age), wall, NUMBERS)
            here = min(1.0, strained_wall(plain.fields, NUMBERS, other.voxel[site], plain.shape))
            assert here == pytest.approx(
                min(1.0, walled(plain, np.unravel_index(other.voxel[site], plain.shape)))
            )
            forgone = depth * (1 - here) * float(other.area_um2[site]) / 20.0**3 * 255
            other.quota_quanta[site] -= round(forgone)
            fill(plain.lattice, plain.cavities, site, depth * here, SEED, day)
            tau = P.apposition_tau_day * wall / P.wall_um
            # The wall is done when rate tau (1 - exp(-t / tau)) = wall.
            left = max(1 - wall / (P.apposition_um_per_day * tau), 1e-3)
            late = age > -tau * math.log(left) + P.grace_day
            if late or other.formed_quanta[site] >= other.quota_quanta[site]:
                if other.bmu[site] >= 0:
                    plain.bmus.open_sites[other.bmu[site]] -= 1
                close_site(plain.lattice, plain.cavities, site)
                expected += 1
        assert ended == expected
        ended_in_all += ended
        assert_same(busy, plain)
    assert ended_in_all > 0


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
