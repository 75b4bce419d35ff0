"""Osteoclasts and mononuclear cells: a day of all of them, cell by cell."""

import math

import numpy as np
import pytest

from bonesim.cells.accounts import close_site
from bonesim.cells.brake import concentration
from bonesim.cells.cavity import SITES_PERFORATED
from bonesim.cells.erosion import dig
from bonesim.cells.floor import settle
from bonesim.cells.osteoclast import (
    MONONUCLEAR_STEP_DAY,
    OsteoclastParameters,
    osteoclast_numbers,
    resorb,
    smooth,
    stops,
)
from bonesim.cells.population import free_row
from bonesim.cells.site import MONONUCLEAR, OSTEOCLAST, REVERSAL
from bonesim.chance import MONONUCLEAR_END, STRAIN_STOP, uniform
from bonesim.signals.fields import occupancy_in
from tests.plain.conftest import Busy, alive, assert_same, occupied, strained

P = OsteoclastParameters()
NUMBERS = osteoclast_numbers(P)
DAY, SEED = 201, 3


def chance_of_a_stop(busy: Busy, site: int, share: float) -> float:
    """That strain ends resorption, over this share of the way to the target."""
    sites = busy.cavities.sites
    n = (float(sites.nz[site]), float(sites.ny[site]), float(sites.nx[site]))
    voxel = int(sites.voxel[site])
    u = strained(busy, np.unravel_index(voxel, busy.shape))
    more = P.strain_stop * max(0.0, u * concentration(busy.lattice, voxel, *n) - P.overload)
    return 1.0 - math.exp(-more * share)


def test_strain_ends_resorption_as_often_as_it_should(busy: Busy) -> None:
    sites = busy.cavities.sites
    # Some are not loaded at all.
    busy.fields.strain[: busy.fields.strain.shape[0] // 2] = 0.1
    never, ended, expected = 0, 0, 0.0
    for site in alive(sites):
        chance = chance_of_a_stop(busy, site, 4.0 / 20.0)
        never += chance == 0.0
        expected += 50 * chance
        for who in range(50):
            found = stops(
                busy.world(SEED, DAY + site),
                site,
                NUMBERS,
                4.0,
                20.0,
                who,
                STRAIN_STOP,
            )
            assert found == (uniform(SEED, DAY + site, who, STRAIN_STOP) < chance)
            ended += found
    assert never > 0
    assert expected > 400
    assert ended == pytest.approx(expected, rel=4 / math.sqrt(expected))


@pytest.mark.parametrize("exponent", [0.0, 0.5])
def test_a_day_of_all_osteoclasts(busy: Busy, exponent: float) -> None:
    """Dig as RANK is occupied, never beyond the target; from half of it on strain may end it."""
    by_strain, by_depth, spared, days_of_work = 0, 0, 0, 0
    busy.fields.strain[:] = 2.0  # strain would end many, also some that have only begun
    begun = alive(busy.osteoclasts)[::2]
    busy.osteoclasts.depth_um[begun] = 0.0
    for day in range(DAY, DAY + 6):
        plain = busy.copy()
        left = resorb(busy.world(SEED, day), busy.osteoclasts, NUMBERS, exponent)  # fmt: skip
        cells, sites = plain.osteoclasts, plain.cavities.sites
        expected = 0
        days_of_work += len(alive(cells))
        for cell in alive(cells):
            site = int(cells.site[cell])
            assert sites.phase[site] == OSTEOCLAST
            here = occupancy_in(plain.fields, sites.voxel[site], plain.shape)
            place = np.unravel_index(sites.voxel[site], plain.shape)
            assert here == pytest.approx(occupied(plain, place))
            target, done = float(sites.osteoclast_target_um[site]), float(cells.depth_um[cell])
            a_day = P.dig_um_per_day * here**exponent
            step = min(a_day, max(target - done, 0.0))
            dig(plain.lattice, plain.cavities, site, step, NUMBERS.breakthrough_chance, SEED, day)
            cells.depth_um[cell] = done + step
            reached = done + a_day >= target
            stopped = not reached and uniform(
                SEED, day, cells.id[cell], STRAIN_STOP
            ) < chance_of_a_stop(plain, site, step / target)
            if stopped and done + step < P.least_share * target:
                spared += 1
                stopped = False
            if reached or stopped:
                sites.phase[site], sites.phase_day[site] = MONONUCLEAR, day
                sites.osteoclast_depth_um[site] = done + step
                free_row(cells, cell)
                expected += 1
                by_strain += stopped
                by_depth += reached
        assert left == expected
        assert_same(busy, plain)
    assert days_of_work > 20
    assert by_strain > 0
    assert by_depth > 0
    assert spared > 0


def test_a_day_of_all_mononuclear_phases(busy: Busy) -> None:
    """They work every few days to their target; then the floor is decided, once."""
    total, stopped = 0, 0
    near = alive(busy.cavities.sites)[::3]  # these are a step from their target
    busy.cavities.sites.mononuclear_target_um[near] = (
        busy.cavities.sites.mononuclear_depth_um[near] + 1.0
    )
    for day in range(DAY, DAY + MONONUCLEAR_STEP_DAY):
        plain = busy.copy()
        ended = smooth(busy.world(SEED, day), busy.bmus, NUMBERS)  # fmt: skip
        sites, closed = plain.cavities.sites, 0
        for site in alive(sites):
            waited = day - int(sites.phase_day[site])
            if sites.phase[site] != MONONUCLEAR or waited == 0 or waited % MONONUCLEAR_STEP_DAY:
                continue
            done, target = float(sites.mononuclear_depth_um[site]), sites.mononuclear_target_um
            wanted = float(target[site])
            step = min(MONONUCLEAR_STEP_DAY * P.mononuclear_um_per_day, wanted - done)
            if step > 0:
                dig(
                    plain.lattice,
                    plain.cavities,
                    site,
                    step,
                    NUMBERS.breakthrough_chance,
                    SEED,
                    day,
                )
                sites.mononuclear_depth_um[site] = done + step
                chance = chance_of_a_stop(plain, site, step / wanted)
                if uniform(SEED, day, sites.id[site], MONONUCLEAR_END) < chance:
                    target[site] = done + step
                    stopped += 1
            if done + step < float(target[site]) - 1e-4:
                continue
            closed += 1
            if settle(plain.lattice, plain.cavities, site, P.smallest_hole_um, day) > 0:
                sites.phase[site], sites.phase_day[site] = REVERSAL, day
            else:
                plain.cavities.tally[SITES_PERFORATED] += 1
                plain.bmus.open_sites[sites.bmu[site]] -= 1
                close_site(plain.lattice, plain.cavities, site)
        assert ended == closed
        total += closed
        assert_same(busy, plain)
    assert total > stopped > 0
    assert np.isfinite(busy.lattice.sums).all()
