"""Mineral from one running sum against the sum of m(age) over every deposit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.lattice.mineral import (
    RECENT_DAYS,
    MineralParameters,
    density_mg_per_cm3,
    mineral_fraction,
    mineral_quanta,
    recent_deficit,
)

parameters = st.builds(
    MineralParameters,
    lag_day=st.floats(0, 60),
    fast_fraction=st.floats(0.05, 0.95),
    fast_tau_day=st.floats(0.5, 12),
    slow_tau_day=st.floats(11, 3000),
)
young = st.lists(st.tuples(st.integers(0, RECENT_DAYS - 1), st.integers(1, 10**6)), max_size=30)
old = st.lists(st.tuples(st.floats(RECENT_DAYS, 2e4), st.integers(1, 10**6)), max_size=30)


def plain_m(age: float, p: MineralParameters) -> float:
    """The two pools, each filled from mineral onset on."""
    if age <= p.lag_day:
        return 0.0
    since = age - p.lag_day
    fast = p.fast_fraction * (1 - np.exp(-since / p.fast_tau_day))
    return float(fast + (1 - p.fast_fraction) * (1 - np.exp(-since / p.slow_tau_day)))


@given(parameters, young, old)
def test_mineral_is_the_sum_over_every_deposit(
    p: MineralParameters, young: list[tuple[int, int]], old: list[tuple[float, int]]
) -> None:
    deposits = np.zeros(RECENT_DAYS)
    for age, quanta in young:
        deposits[age] += quanta
    everything = [*young, *old]
    bone = float(sum(quanta for _, quanta in everything))
    slow = sum(quanta * np.exp(-age / p.slow_tau_day) for age, quanta in everything)
    expected = sum(quanta * plain_m(age, p) for age, quanta in everything)
    found = mineral_quanta(bone, float(slow), deposits, p)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-4 * bone + 1e-9)


@given(parameters, st.lists(st.floats(0, 2e4), min_size=1))
def test_fraction_is_the_formula(p: MineralParameters, ages: list[float]) -> None:
    age = np.array(ages, np.float32)
    found = mineral_fraction(age, p)
    expected = [plain_m(float(a), p) for a in age]
    assert found == pytest.approx(expected, abs=1e-5)


@given(parameters, st.floats(0, 1e4), st.floats(0, 1e4))
def test_mineral_only_grows(p: MineralParameters, a: float, b: float) -> None:
    m = mineral_fraction(np.array([min(a, b), max(a, b), 1e6], np.float32), p)
    assert -1e-6 <= m[0] <= m[1] + 1e-6 <= m[2] + 2e-6
    assert m[2] == pytest.approx(1, abs=1e-6)


@given(parameters, st.integers(0, 1000))
def test_the_recent_deficit_is_what_the_slow_pool_does_not_explain(
    p: MineralParameters, age: int
) -> None:
    slow = (1 - p.fast_fraction) * np.exp(-(age - p.lag_day) / p.slow_tau_day)
    found = recent_deficit(np.array([float(age)]), p)[0]
    assert found == pytest.approx(1 - slow - plain_m(age, p), abs=1e-9)


def test_defaults_agree_with_fuchs() -> None:
    """Two thirds of the final mineral by 18 days after its onset, almost all after a year."""
    p = MineralParameters()
    m = mineral_fraction(np.array([p.lag_day + 18, p.lag_day + 350], np.float32), p)
    assert m[0] == pytest.approx(0.67, abs=0.05)
    assert m[1] > 0.85


def test_density_of_solid_old_bone_is_its_tissue_density() -> None:
    p = MineralParameters()
    assert density_mg_per_cm3(255.0 * 1000, 1000, p) == p.full_density_mg_per_cm3
    assert density_mg_per_cm3(255.0 * 100, 1000, p) == pytest.approx(0.1 * 1150)
