"""The untreated twin: the same bone, random numbers and burn-in; it lacks the treatment alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bonesim
from bonesim.config.config import Config, tree_of, validated

BASE: dict[str, Any] = {
    "specimen": {"kind": "synthetic", "size_mm": [1.2, 1.2, 1.2], "voxel_um": 25.0},
    "mechanics": {"interval_day": 0},
    "schedule": {"burn_in_day": 60, "duration_day": 90, "snapshots_day": [0, 90]},
}
STEPPED = BASE | {
    "hormones": {"course": {"kind": "stepped", "e2_pg_per_ml": 30.0,
                            "steps": [{"start_day": 0, "e2_pg_per_ml": 3.0, "tau_day": 1.0}]}},
}  # fmt: skip


def config_of(tree: dict[str, Any]) -> Config:
    return validated(tree, "test")


def twin_of(tree: dict[str, Any]) -> dict[str, Any]:
    return tree_of(bonesim.untreated_twin(config_of(tree)))


def test_a_stepped_course_without_steps_is_allowed_and_constant() -> None:
    course = config_of(
        BASE | {"hormones": {"course": {"kind": "stepped", "e2_pg_per_ml": 12.0, "steps": []}}}
    ).course()
    assert [course.e2_pg_per_ml(day) for day in (-5.0, 0.0, 4000.0)] == [12.0] * 3


def test_only_the_treatment_is_left_out() -> None:
    tree, twin = tree_of(config_of(STEPPED)), twin_of(STEPPED)
    assert twin["hormones"]["course"]["steps"] == []
    tree["hormones"]["course"]["steps"] = []
    assert twin.pop("title").startswith("untreated twin: ")
    tree.pop("title")
    assert twin == tree


def test_what_was_under_way_before_day_0_goes_on() -> None:
    tree = BASE | {"protocol": {
        "testosterone_cypionate": [{"dose_mg": 100, "every_day": 7, "start_day": -200,
                                    "stop_day": 60, "taper_day": 20}],
        "tamoxifen": [{"dose_mg": 20, "start_day": -90, "stop_day": -30}],
        "anastrozole": [{"dose_mg": 1, "stop_day": 40}, {"dose_mg": 1, "start_day": 40}],
        "diet": {"calcium_mg_per_day": 700,
                 "change": [{"start_day": 10, "calcium_mg_per_day": 1500}]},
        "loading": {"change": [{"start_day": 0, "load_percent": 50}]},
    }}  # fmt: skip
    tree["mechanics"] = {"interval_day": 30}
    protocol = twin_of(tree)["protocol"]
    (cypionate,) = protocol["testosterone_cypionate"]
    assert (cypionate["start_day"], cypionate.get("stop_day")) == (-200, None)
    assert protocol["tamoxifen"][0]["stop_day"] == -30
    assert not protocol["anastrozole"]
    assert protocol["diet"]["calcium_mg_per_day"] == 700
    assert not protocol["diet"]["change"] and not protocol["loading"]["change"]
    whole, twin = config_of(tree).course(), config_of(twin_of(tree)).course()
    for day in (-400.0, -1.0, 0.0):
        assert twin.e2_pg_per_ml(day) == whole.e2_pg_per_ml(day)
    assert twin.e2_pg_per_ml(30.0) > 1.2 * whole.e2_pg_per_ml(30.0)


def test_a_table_stays_at_its_level_of_day_0(tmp_path: Path) -> None:
    (tmp_path / "e2.csv").write_text("day,e2_pg_per_ml\n-10,40\n10,20\n100,3\n")
    tree = BASE | {"hormones": {"course": {"kind": "table", "path": str(tmp_path / "e2.csv")}}}
    whole, twin = config_of(tree).course(), config_of(twin_of(tree)).course()
    assert [twin.e2_pg_per_ml(day) for day in (-1.0, 0.0, 50.0, 5000.0)] == [30.0] * 4
    assert [twin.past.e2_pg_per_ml(day) for day in (-20.0, -5.0)] == [40.0, 35.0]
    assert twin.youth_e2_pg_per_ml == whole.youth_e2_pg_per_ml == 40.0
    assert twin.begins_day == whole.begins_day == -10.0


def test_what_came_before_day_0_is_the_twin_s_too() -> None:
    steps = [{"start_day": -900, "e2_pg_per_ml": 8}, {"start_day": 0, "e2_pg_per_ml": 2}]
    tree = BASE | {"hormones": {"course": {"kind": "stepped", "e2_pg_per_ml": 90, "steps": steps}}}
    assert [one["start_day"] for one in twin_of(tree)["hormones"]["course"]["steps"]] == [-900]


@pytest.mark.parametrize("tree", (BASE, BASE | {"protocol": {"age_year": 61}}))
def test_without_treatment_there_is_no_twin(tree: dict[str, Any]) -> None:
    with pytest.raises(bonesim.InputError, match="twin would be the run itself"):
        bonesim.untreated_twin(config_of(tree))


def test_a_dose_of_0_is_a_run_without_the_drug(tmp_path: Path) -> None:
    person = {"protocol": {"age_year": 61, "tamoxifen": [{"dose_mg": 20, "start_day": 5}]}}
    none = {"anastrozole": [{"dose_mg": 0, "start_day": -400, "missed_share": 0.2}],
            "estradiol_patch": {"dose_ug_per_day": 0}}  # fmt: skip
    short = BASE | {"schedule": {"burn_in_day": 10, "duration_day": 30, "snapshots_day": [0, 30]}}
    runs = [
        bonesim.run(short | {"protocol": person["protocol"] | more}, tmp_path / f"{name}.vtkhdf")
        for name, more in (("without", {}), ("zero", none))
    ]
    with bonesim.open_run(runs[0]) as one, bonesim.open_run(runs[1]) as other:
        assert one.table.equals(other.table)
        for name in (field.name for field in one.fields):
            assert np.array_equal(one.field(name, 30), other.field(name, 30)), name


def test_a_dose_of_0_is_no_treatment() -> None:
    tree = BASE | {"protocol": {"anastrozole": [{"dose_mg": 0}]}}
    assert config_of(tree).notes() == ()
    with pytest.raises(bonesim.InputError, match="twin would be the run itself"):
        bonesim.untreated_twin(config_of(tree))


class Burnt(bonesim.Observer):
    """Counts the days of burn-in that are simulated."""

    days = 0

    def on_day(self, simulation: Any) -> None:
        self.days += simulation.day <= 0


def test_twins_share_one_burn_in_and_differ_by_the_treatment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nothing" / "cached"))
    (tmp_path / "nothing").write_text("a file: no cache can be made below it")
    observer = Burnt()
    paths = bonesim.run_twins(STEPPED, tmp_path / "out.vtkhdf", observers=[observer])
    assert observer.days == 60
    assert [path.name for path in paths] == ["out.vtkhdf", "out_twin.vtkhdf"]
    with bonesim.open_run(paths[0]) as treated, bonesim.open_run(paths[1]) as twin:
        assert np.array_equal(treated.quanta(0), twin.quanta(0))
        assert treated.table.iloc[0].drop("day").equals(twin.table.iloc[0].drop("day"))
        assert not np.array_equal(treated.quanta(90), twin.quanta(90))
        assert float(twin.table["e2_pg_per_ml"].min()) == 30.0
    alone = bonesim.run(bonesim.untreated_twin(config_of(STEPPED)), tmp_path / "alone.vtkhdf")
    with bonesim.open_run(alone) as one, bonesim.open_run(paths[1]) as twin:
        assert one.content_hash() == twin.content_hash()


def test_a_twin_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "out_twin.vtkhdf").write_text("mine")
    with pytest.raises(bonesim.InputError, match=r"out_twin\.vtkhdf"):
        bonesim.run_twins(STEPPED, tmp_path / "out.vtkhdf")
    assert not (tmp_path / "out.vtkhdf").exists()
