"""Sources and fields: nothing is lost, health is 1, order and place do not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bonesim.cells.secretion import sources_of
from bonesim.config.config import validated
from bonesim.engine.simulation import Simulation
from bonesim.lattice.mineral import MineralParameters
from bonesim.lattice.tissue import Tissue
from bonesim.signals.fields import (
    PARTS,
    WHOLE,
    grid_place,
    occupancy_at,
    occupancy_in,
    read,
    read_voxel,
    read_voxels,
    release,
    strain_in,
)
from bonesim.signals.fields import occupancy as occupancy
from bonesim.signals.messengers import MESSENGERS, SignalParameters, Signals, Sources
from bonesim.units import BONE

NONE = np.zeros(0, np.int64)


def block(shape: tuple[int, int, int] = (24, 30, 27)) -> Tissue:
    quanta = np.zeros(shape, np.uint8)
    quanta[8:14] = 255
    return Tissue(quanta, 20.0, MineralParameters(), 1)


def at_setpoint(voxels: np.ndarray) -> np.ndarray:
    """A stimulus of 1: osteocytes at their set-points."""
    return np.ones(voxels.size, np.float32)


def somewhere(tissue: Tissue, count: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    places = tuple(rng.integers(1, n + 1, count) for n in tissue.shape)
    return np.ravel_multi_index(places, tissue.padded_shape).astype(np.int64)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 40), st.floats(0.05, 1.0), st.integers(1, 20))
def test_a_place_lies_between_two_centres(index: float, per_voxel: float, count: int) -> None:
    low, past = grid_place(index, per_voxel, count)
    assert 0 <= low <= max(count - 2, 0)
    assert 0 <= past <= 1
    asked = (index - 0.5) * per_voxel - 0.5
    assert low + past == pytest.approx(np.clip(asked, 0, count - 1))


def test_sources_are_shared_out_whole_and_in_any_order() -> None:
    tissue = block()
    signals = Signals(SignalParameters(), tissue)
    voxels = somewhere(tissue, 300)
    amounts = np.random.default_rng(2).integers(0, 1000, 300)
    both = np.stack([amounts, amounts[::-1]], axis=1)
    grids = [np.zeros((*signals.cubes, 2), np.int64) for _ in range(2)]
    release(grids[0], voxels, both, signals.shape, signals.per_voxel)
    release(grids[1], voxels[::-1].copy(), both[::-1].copy(), signals.shape, signals.per_voxel)
    np.testing.assert_array_equal(*grids)
    one, other = grids[0][..., 0], np.zeros((*signals.cubes, 1), np.int64)
    release(other, voxels[::-1].copy(), both[:, 1:], signals.shape, signals.per_voxel)
    other = other[..., 0]
    assert one.sum() == WHOLE * amounts.sum()
    np.testing.assert_array_equal(one, other)
    plain = np.zeros(signals.cubes)
    for voxel, amount in zip(voxels, amounts, strict=True):
        place = np.array(np.unravel_index(voxel, signals.shape))
        cubes = [(p - 0.5) * f - 0.5 for p, f in zip(place, signals.per_voxel, strict=True)]
        for corner in np.ndindex(2, 2, 2):
            at, weight = [], 1.0
            for c, side, n in zip(cubes, corner, signals.cubes, strict=True):
                c = min(max(c, 0), n - 1)
                low = min(int(c), n - 2)
                past = int(PARTS * (c - low) + 0.5)
                at.append(low + side)
                weight *= past if side else PARTS - past
            plain[tuple(at)] += amount * weight
    np.testing.assert_array_equal(one, plain)


def test_reading_is_linear_between_centres() -> None:
    tissue = block()
    signals = Signals(SignalParameters(grid_um=50), tissue)
    z, y, x = (np.arange(n) for n in signals.cubes)
    ramp = (2.0 * z[:, None, None] + 0.5 * y[:, None] - 0.25 * x).astype(np.float32)
    fields = signals.fields._replace(rankl=ramp)
    for voxel in somewhere(tissue, 50):
        place = np.array(np.unravel_index(voxel, signals.shape), float)
        cubes = [np.clip((p - 0.5) * f - 0.5, 0, n - 1)
                 for p, f, n in zip(place, signals.per_voxel, signals.cubes, strict=True)]  # fmt: skip
        expected = 2 * cubes[0] + 0.5 * cubes[1] - 0.25 * cubes[2]
        assert read(ramp, fields, *place) == pytest.approx(expected, abs=1e-5)
        assert read_voxel(ramp, fields, voxel, signals.shape) == pytest.approx(expected, abs=1e-5)
    many = somewhere(tissue, 9)
    np.testing.assert_allclose(
        read_voxels(ramp, fields, many, signals.shape),
        [read_voxel(ramp, fields, voxel, signals.shape) for voxel in many],
    )


@given(st.floats(0.01, 10), st.floats(0.01, 10))
def test_opg_competes_for_rankl(rankl: float, opg: float) -> None:
    signals = Signals(SignalParameters(), block())
    signals.today(rankl, opg, 1.0)
    rho = occupancy(rankl, opg) / 3
    assert rho / (1 - rho) == pytest.approx(rankl / (1 + opg))
    assert occupancy_at(signals.fields, 5.0, 5.0, 5.0) == pytest.approx(3 * rho)
    assert occupancy_in(signals.fields, 5000, signals.shape) == pytest.approx(3 * rho)


def test_health_is_one_where_cells_sense_it_and_is_fixed_on_day_0() -> None:
    tissue = block()
    signals = Signals(SignalParameters(), tissue)
    lining = tissue.surface_voxels.astype(np.int64)
    inside = np.flatnonzero(tissue.lattice.quanta >= BONE)[::7]
    eroded = lining[::50]
    sources = Sources(inside, at_setpoint(inside), inside[::9], lining, eroded,
                      np.full(eroded.size, 200), eroded)  # fmt: skip
    signals.solve(sources, -5)
    for name in MESSENGERS:
        sensing = sources.reversal if name == "coupling" else lining
        field = getattr(signals.fields, name)
        mean = read_voxels(field, signals.fields, sensing, signals.shape).mean()
        assert mean == pytest.approx(1.0, rel=1e-5), name
    health = signals.health.copy()
    fewer = sources._replace(living=inside[::2], stimulus=at_setpoint(inside[::2]))
    signals.solve(fewer, 14)
    np.testing.assert_array_equal(signals.health, health)
    mean = read_voxels(signals.fields.sclerostin, signals.fields, lining, signals.shape).mean()
    assert mean == pytest.approx(0.5, rel=0.05)


def test_without_sources_a_field_is_level() -> None:
    signals = Signals(SignalParameters(), block())
    signals.solve(Sources(NONE, at_setpoint(NONE), NONE, NONE, NONE, NONE, NONE), 0)
    for name in MESSENGERS:
        assert (getattr(signals.fields, name) == 1.0).all()


def test_a_state_put_back_is_the_same() -> None:
    tissue = block()
    one, other = (Signals(SignalParameters(), tissue) for _ in range(2))
    lining = tissue.surface_voxels.astype(np.int64)
    for times, day in ((1, -14), (2, 14)):  # the burn-in's mean is the baseline
        one.solve(Sources(lining, times * at_setpoint(lining), lining, lining, lining,
                          np.full(lining.size, 3), lining), day)  # fmt: skip
    other.restore(one.state())
    for name in MESSENGERS:
        np.testing.assert_array_equal(getattr(one.fields, name), getattr(other.fields, name))
    np.testing.assert_array_equal(one.fields.strain, other.fields.strain)
    assert one.mean_surface_strain == other.mean_surface_strain == pytest.approx(2.0, rel=0.02)
    np.testing.assert_array_equal(one.health, other.health)
    assert not other.due(13)
    assert other.due(14)


def test_where_the_sources_of_a_bone_at_work_are() -> None:
    config = validated({"specimen": {"kind": "synthetic", "size_mm": [1.0, 1.0, 1.0]},
                        "cells": {"bmu": {"origination_per_mm2_per_year": 6.0}},
                        "schedule": {"burn_in_day": 0}}, "test")  # fmt: skip
    s = Simulation(config)
    while s.day < 120:
        s.step()
    p = config.signals
    found = sources_of(s.tissue, s.cavities, s.osteocytes, p, s.day)
    assert found.living.size == found.stimulus.size == s.osteocytes.viable
    assert 0.9 < found.stimulus.mean() < 1.2
    assert 0 < found.dying.size < found.living.size
    assert (s.tissue.lattice.owner[found.lining] < 0).all()
    assert (s.tissue.lattice.surface_slot[found.lining] >= 0).all()
    assert found.eroded.size == found.held.size > found.reversal.size > 0
    assert found.held.max() > 1000
    early = sources_of(s.tissue, s.cavities, s.osteocytes, p, s.day + 1000)
    assert early.dying.size == 0
    assert early.held.sum() < found.held.sum()


def test_strain_is_the_mean_stimulus_of_the_cells_around() -> None:
    """Against a sum over cells, each weighted by what it alone would send."""
    tissue = block()
    signals = Signals(SignalParameters(), tissue)
    inside = np.flatnonzero(tissue.lattice.quanta >= BONE)[::997].astype(np.int64)
    stimuli = np.random.default_rng(3).uniform(0.2, 3.0, inside.size).astype(np.float32)
    lining = tissue.surface_voxels.astype(np.int64)[::40]
    nobody = (NONE, lining, NONE, NONE, NONE)
    signals.solve(Sources(inside, stimuli, *nobody), 0)
    weighted, weights = 0.0, 0.0
    for voxel, stimulus in zip(inside, stimuli, strict=True):
        grid = np.zeros((*signals.cubes, 1), np.int64)
        release(grid, np.array([voxel]), np.array([[1]]), signals.shape, signals.per_voxel)
        alone = signals.diffusion.spread(grid[..., 0] / WHOLE, signals.parameters.strain_reach_um)
        weighted, weights = weighted + stimulus * alone, weights + alone
    expected = (weighted + 0.01) / (weights + 0.01)
    # Before day 0 the mean where the field is sensed is the baseline.
    np.testing.assert_allclose(signals.fields.strain * signals.baseline_strain, expected, rtol=2e-3)
    assert signals.mean_surface_strain == pytest.approx(1.0)
    signals.today(1.0, 1.0, 0.5)
    assert signals.due(1), "load changed"
    for voxel in lining[:5]:
        here = 0.5 * read_voxel(signals.fields.strain, signals.fields, voxel, signals.shape)
        assert strain_in(signals.fields, voxel, signals.shape) == pytest.approx(here)
    sensed = read_voxels(signals.fields.strain, signals.fields, np.sort(lining), signals.shape)
    assert signals.mean_surface_strain == pytest.approx(sensed.mean())


def test_an_unloaded_osteocyte_secretes_more_sclerostin() -> None:
    """Half the strain: a third more sclerostin, more RANKL, less OPG; training: the reverse."""
    tissue = block()
    p = SignalParameters()
    inside = np.flatnonzero(tissue.lattice.quanta >= BONE)[::7].astype(np.int64)
    lining = tissue.surface_voxels.astype(np.int64)
    sources = Sources(inside, at_setpoint(inside), NONE, lining, NONE, NONE, NONE)
    signals = Signals(p, tissue)
    signals.solve(sources, 0)
    before = signals.fields
    for load, day in ((0.5, 1), (1.2, 2)):
        signals.today(1.0, 1.0, load)
        signals.solve(sources, day)
        np.testing.assert_allclose(
            signals.fields.sclerostin, before.sclerostin * 2 / (1 + load), rtol=2e-3
        )
        for name, more in (("rankl", max(0.0, 1 - load)), ("opg", load - 1)):
            got, was = getattr(signals.fields, name), getattr(before, name)
            assert (np.sign(got - was) == np.sign(round(more, 3))).mean() > 0.99
    # Without strain effects secretion does not change.
    insensitive = SignalParameters(
        rankl_disuse_gain=0, opg_strain_gain=0, sclerostin_strain_exponent=0
    )
    one, other = Signals(insensitive, tissue), Signals(insensitive, tissue)
    other.today(1.0, 1.0, 0.5)
    for signals in (one, other):
        signals.solve(sources, 0)
    for name in MESSENGERS:
        np.testing.assert_allclose(
            getattr(one.fields, name), getattr(other.fields, name), rtol=1e-5
        )
