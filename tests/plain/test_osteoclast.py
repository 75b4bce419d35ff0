"""Osteoclasts and mononuclear cells: a day of all of them, cell by cell."""

import math

import numpy as np
import pytest

from bonesim.cells.cavity import (
    MONONUCLEAR,
    REVERSAL,
    SITES_PERFORATED,
    close_site,
    settle,
)
from bonesim.cells.erosion import dig
from bonesim.cells.osteoclast import (
    MONONUCLEAR_STEP_DAY,
    OsteoclastNumbers,
    OsteoclastParameters,
    resorb,
    smooth,
    strain_factor,
)
from bonesim.cells.population import free_row
from bonesim.chance import MONONUCLEAR_END, OSTEOCLAST_DEATH, uniform
from bonesim.lattice.rays import bone_left, solid_length
from bonesim.parameters import numbers_of
from tests.plain.conftest import Busy, alive, assert_same, occupied, signal_at, strained

PARAMETERS = OsteoclastParameters()
NUMBERS = numbers_of(PARAMETERS, OsteoclastNumbers)
DAY, SEED, RADIUS_UM = 201, 3, 30.0


def strain_on(busy: Busy, site: int) -> float:
    sites = busy.cavities.sites
    n = (float(sites.nz[site]), float(sites.ny[site]), float(sites.nx[site]))
    voxel, edge = int(sites.voxel[site]), busy.lattice.voxel_um
    left = max(bone_left(busy.lattice, voxel, *n), 0.25 * edge)
    before = solid_length(busy.lattice, voxel, *n) * edge
    u = strained(busy, np.unravel_index(voxel, busy.shape)) * max(before / left, 1.0)
    return PARAMETERS.strain_stop * max(0.0, u - 1.0)


def test_strain_grows_as_bone_gets_thin(busy: Busy) -> None:
    sites = alive(busy.cavities.sites)
    # Some are not loaded at all.
    busy.fields.strain[: busy.fields.strain.shape[0] // 2] = 0.1
    found = [
        strain_factor(busy.lattice, busy.fields, busy.cavities.sites, site, NUMBERS, busy.shape)
        for site in sites
    ]
    assert found == pytest.approx([strain_on(busy, site) for site in sites], rel=1e-6)
    assert min(found) == 0.0
    assert max(found) > 0.0


@pytest.mark.parametrize(("exponent", "death", "excess"), [(0.0, 1.0, 1.0), (0.5, 3.0, 1.4)])
def test_a_day_of_all_osteoclasts(busy: Busy, exponent: float, death: float, excess: float) -> None:
    """Dig, grow old by the depth dug, die with the hazard's exact integral over the day."""
    plain = busy.copy()
    died = resorb(busy.lattice, busy.fields, busy.cavities, busy.osteoclasts, NUMBERS, exponent,
                  death, excess, RADIUS_UM, SEED, DAY, busy.shape)  # fmt: skip
    cells, sites = plain.osteoclasts, plain.cavities.sites
    buried = 0
    assert len(alive(cells)) > 10
    for cell in alive(cells):
        site = int(cells.site[cell])
        place = np.unravel_index(sites.voxel[site], plain.shape)
        rate = PARAMETERS.dig_um_per_day * occupied(plain, place) ** exponent
        dig(plain.lattice, plain.cavities, site, rate, RADIUS_UM / 20.0, 1.0, SEED, DAY)
        before = float(cells.depth_um[cell])
        after = before + rate
        # hazard(q) = c q, so the integral over the day is c (q1^2 - q0^2) / 2 / rate.
        c = PARAMETERS.death_per_day * death / PARAMETERS.death_depth_um
        c *= 1 + PARAMETERS.neighbour_share * (signal_at(plain, "coupling", place) - 1)
        survival = math.exp(-c * (1 + strain_on(plain, site)) * (after**2 - before**2) / 2 / rate)
        cells.depth_um[cell] = after
        if uniform(SEED, DAY, cells.id[cell], OSTEOCLAST_DEATH) < 1 - survival:
            sites.phase[site], sites.phase_day[site] = MONONUCLEAR, DAY
            sites.osteoclast_depth_um[site], sites.depth_excess[site] = after, excess
            free_row(cells, cell)
            buried += 1
    assert died == buried > 0
    for one, other in zip(busy.osteoclasts, plain.osteoclasts, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    np.testing.assert_allclose(sites.osteoclast_depth_um,
                               busy.cavities.sites.osteoclast_depth_um, rtol=1e-6)  # fmt: skip
    assert_same(busy.lattice.quanta, plain.lattice.quanta)
    assert_same(busy.cavities.records, plain.cavities.records)


def test_a_day_of_all_mononuclear_phases(busy: Busy) -> None:
    """They work every few days to their target; then the floor is decided, once."""
    total = 0
    for day in range(DAY, DAY + MONONUCLEAR_STEP_DAY):
        plain = busy.copy()
        ended = smooth(busy.lattice, busy.fields, busy.cavities, busy.bmus, NUMBERS,
                       RADIUS_UM, SEED, day, busy.shape)  # fmt: skip
        sites, closed = plain.cavities.sites, 0
        for site in alive(sites):
            waited = day - int(sites.phase_day[site])
            if sites.phase[site] != MONONUCLEAR or waited == 0 or waited % MONONUCLEAR_STEP_DAY:
                continue
            done, target = float(sites.mononuclear_depth_um[site]), sites.mononuclear_target_um
            step = min(MONONUCLEAR_STEP_DAY * PARAMETERS.mononuclear_um_per_day,
                       float(target[site]) - done)  # fmt: skip
            if step > 0:
                dig(plain.lattice, plain.cavities, site, step, RADIUS_UM / 20.0, 1.0, SEED, day)
                sites.mononuclear_depth_um[site] = done + step
                stop = 1 - math.exp(-strain_on(plain, site) * step / float(target[site]))
                if uniform(SEED, day, sites.id[site], MONONUCLEAR_END) < stop:
                    target[site] = done + step
            if done + step < float(target[site]) - 1e-4:
                continue
            closed += 1
            sites.carry_quanta[site] = 0
            sites.quota_quanta[site] = settle(
                plain.lattice, plain.cavities, site, PARAMETERS.smallest_hole_um, day
            )
            if sites.quota_quanta[site] > 0:
                sites.phase[site], sites.phase_day[site] = REVERSAL, day
            else:
                plain.cavities.tally[SITES_PERFORATED] += 1
                plain.bmus.open_sites[sites.bmu[site]] -= 1
                close_site(plain.lattice, plain.cavities, site)
        assert ended == closed
        total += closed
        assert_same(busy, plain)
    assert total > 0
    assert np.isfinite(busy.lattice.sums).all()
