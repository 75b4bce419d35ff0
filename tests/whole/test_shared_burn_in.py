"""Persons with the same bone share its burn-in, and nothing but it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bonesim.config.config import Config, validated
from bonesim.engine import burn_in
from bonesim.engine.simulation import Simulation
from bonesim.specimens import make_specimen

BONE: dict[str, Any] = {
    "specimen": {"kind": "synthetic", "size_mm": [1.2, 1.2, 1.2]},
    "mechanics": {"interval_day": 0},
    "schedule": {"burn_in_day": 30, "duration_day": 40, "burn_in_seed": 5},
}


def person(seed: int, e2: float, k: float) -> Config:
    course = {"kind": "constant", "e2_pg_per_ml": e2, "t_ng_per_dl": 20 * e2}
    response = {"half_maximum_pg_per_ml": k}
    return validated(
        {**BONE, "seed": seed, "hormones": {"course": course, "response": response}}, "test"
    )


@pytest.fixture
def persons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Simulation, bool]]:
    """A first person, whose burn-in is simulated; another on the same bone; the latter re-simulated."""
    monkeypatch.setattr(burn_in, "user_cache_path", lambda _: tmp_path)
    found = {}
    for name, config in (("first", person(1, 9.0, 12.0)), ("other", person(2, 25.0, 18.0)),
                         ("again", person(2, 25.0, 18.0))):  # fmt: skip
        if name == "again":
            monkeypatch.setattr(burn_in, "user_cache_path", lambda _: tmp_path / "empty")
        bone = make_specimen(config.specimen)
        found[name] = burn_in.equilibrated(config, bone, lambda _: None)
    return found


def test_other_hormones_share_the_burn_in(persons: dict[str, tuple[Simulation, bool]]) -> None:
    assert [persons[name][1] for name in ("first", "other", "again")] == [False, True, False]
    first, other = persons["first"][0], persons["other"][0]
    assert (first.tissue.lattice.quanta == other.tissue.lattice.quanta).all()
    assert other.response.setpoint_pg_per_ml == 25.0
    assert other.table()["e2_pg_per_ml"].tolist() == [25.0]


def test_a_run_from_the_cached_burn_in_is_the_same(
    persons: dict[str, tuple[Simulation, bool]],
) -> None:
    other, again = persons["other"][0], persons["again"][0]
    for _ in range(40):
        other.step()
        again.step()
    assert (other.tissue.lattice.quanta == again.tissue.lattice.quanta).all()
    one, two = other.table(), again.table()
    for name in one:
        assert np.array_equal(one[name], two[name], equal_nan=True), name


def test_random_numbers_are_their_own_after_day_zero(
    persons: dict[str, tuple[Simulation, bool]],
) -> None:
    first, other = persons["first"][0], persons["other"][0]
    for _ in range(40):
        first.step()
        other.step()
    assert (first.tissue.lattice.quanta != other.tissue.lattice.quanta).any()


def test_no_rounding_of_levels_keeps_persons_apart() -> None:
    """Mean levels of untreated people differ from their own level in the last bit."""
    keys = set()
    for k in range(12):
        protocol = {"e2_pg_per_ml": 5.3 + 1.7 * k, "t_ng_per_dl": 211.0 + 17.3 * k,
                    "youth_e2_pg_per_ml": 5.3 + 1.7 * k,
                    "anastrozole": {"dose_mg": 1.0}}  # fmt: skip
        tree = {**BONE, "seed": k, "protocol": protocol,
                "hormones": {"response": {"half_maximum_pg_per_ml": 7.3 + 0.9 * k}}}  # fmt: skip
        config = validated(tree, "test")
        keys.add(burn_in.burn_in_key(Simulation(config, make_specimen(config.specimen))))
    assert len(keys) == 1


def test_another_bone_or_age_does_not_share() -> None:
    bone = make_specimen(person(1, 9.0, 12.0).specimen)
    plain = burn_in.burn_in_key(Simulation(person(1, 9.0, 12.0), bone))
    changes: tuple[dict[str, Any], ...] = (
        {"schedule.burn_in_seed": 6},
        {"cells.bmu.width_um": 210.0},
        {"hormones.course.kind": "constant", "hormones.response.activation_exponent": 1.2},
    )
    for change in changes:
        other = Simulation(person(1, 9.0, 12.0).with_changes(change), bone)
        assert burn_in.burn_in_key(other) != plain
