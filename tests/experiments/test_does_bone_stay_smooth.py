"""`does_bone_stay_smooth`: what it measures of a run, and what its tables make of looks that are known."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from bonesim import load_config, measure, open_run, run
from tests.experiments.conftest import EXPERIMENTS, script

answer = script("does_bone_stay_smooth")
FOLDER = EXPERIMENTS / "does_bone_stay_smooth"
BONES = [(kind, seed) for kind in ("elderly_vertebra", "young_vertebra") for seed in (1, 2)]
#: A bone as smooth as it was: all measures of a look.
SMOOTH = {
    "closed_roughness": 1.08, "roughness": 1.08 * 1.065, "open_bv_percent": 5.0, "da": 1.4,
    "closed_da": 1.5, "closed_tb_th_um": 140.0, "tb_th_um": 130.0, "tb_th_smooth_um": 150.0,
    "closed_tb_th_smooth_um": 155.0, "conn_d_per_mm3": 3.0, "conn_d_unfiltered_per_mm3": 3.2,
    "bvtv_percent": 10.0, "closed_bvtv_percent": 10.5, "ac_f_per_year": 0.15, "es_bs_percent": 4.0,
    "os_bs_percent": 6.0,
}  # fmt: skip


def look(study: str, day: int, seed: int, bone: str = "", **other: object) -> dict[str, object]:
    return {"study": study, "day": day, "seed": seed, "bone": bone, **SMOOTH, **other}


def looks() -> pd.DataFrame:
    """Health without a change; a source that doubles roughening; a year's burn-in; suppression."""
    rows = [look("health", day, seed, bone) for bone, seed in BONES for day in (0, 3650)]
    for seed in (1, 2):
        for source, end in (("as is", 1.08 * 1.02), ("balance 0", 1.08 * 1.01)):
            rows += [look("sources", 0, seed, source=source),
                     look("sources", 2920, seed, source=source, closed_roughness=end)]  # fmt: skip
        rows += [look("burn_in", day, seed, burn_in_day=365.0) for day in (0, 365)]
    for bone, seed in BONES:
        for day, open_bv in ((0, 5.0), (1825, 10.0), (2190, 6.0), (2920, 5.0)):
            rough = 1.08 * (1.0 + answer.PER_OPEN * open_bv / 100.0)
            rows.append(look("suppressed", day, seed, bone, e2_pg_per_ml=7.0, roughness=rough,
                             open_bv_percent=open_bv, bvtv_percent=10.0 - open_bv / 10.0))  # fmt: skip
            rows.append(look("suppressed", day, seed, bone, e2_pg_per_ml=25.0))
    return pd.DataFrame(rows)


def test_smooth_bone_is_in_all_bands() -> None:
    table = answer.health(looks()).set_index("check")
    assert set(table["mean"]) == {"in"}
    assert set(table["bones within"]) == {"4 of 4"}
    assert set(answer.suppressed(looks())["mean"]) == {"in"}


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({"closed_roughness": 1.121}, {"closed R, ten years", "closed R, change, %"}),
        ({"da": 1.37}, {"DA, change, %"}),
        ({"closed_tb_th_um": 137.0}, {"closed Tb.Th less Tb.Th after 40 um, points",
                                      "the same, both closed, points"}),
        ({"conn_d_unfiltered_per_mm3": 3.5}, {"Conn.D raw over Conn.D at 15 um, less 1, %"}),
        ({"bvtv_percent": 9.4}, {"BV/TV, change, %"}),
        ({"ac_f_per_year": 0.12}, {"Ac.f, /y"}),
    ],
)  # fmt: skip
def test_a_figure_that_is_missed_is_out(change: dict[str, float], missed: set[str]) -> None:
    rows = looks()
    for name, value in change.items():
        rows.loc[(rows["study"] == "health") & (rows["day"] == 3650), name] = value
    table = answer.health(rows).set_index("check")
    assert set(table.index[table["mean"] == "OUT"]) == missed
    assert set(table.loc[list(missed), "bones within"]) == {"0 of 4"}


def test_open_space_that_does_not_explain_r_is_out() -> None:
    rows = looks()
    end = (rows["study"] == "suppressed") & (rows["e2_pg_per_ml"] == 7.0)
    rows.loc[end & (rows["day"] == 1825), "open_bv_percent"] = 5.0
    rows.loc[end & (rows["day"] == 2190), "roughness"] = 2.0
    table = answer.suppressed(rows)
    assert table["mean"].tolist() == ["OUT", "in", "in", "OUT"]
    assert table["all"][0].startswith("+100.0")


def test_sources_are_compared_on_the_same_bone() -> None:
    table = answer.sources(looks()).set_index("source")
    assert table.loc["as is", "change, %"] == "+2.0, +2.0"
    assert table.loc["balance 0", "less that as is, points"] == "-1.0, -1.0"


def test_the_twin_is_subtracted() -> None:
    table = answer.beyond_twin(looks()).set_index("measure")
    assert table.loc["bvtv_percent", "five years"].startswith("-10.5")
    assert table.loc["closed_roughness", "five years"].startswith("+0.0")


def test_all_tables_print_and_closed_r_is_drawn(tmp_path: Path) -> None:
    printed = answer.words_of(looks())
    assert "| closed R, change, % | -2 to 2 |" in printed
    assert "| balance 0 |" in printed
    answer.draw(looks()).savefig(tmp_path / "smooth.png")
    assert (tmp_path / "smooth.png").stat().st_size > 10_000


@pytest.fixture(scope="module")
def measured() -> ModuleType:
    spec = importlib.util.spec_from_file_location("measure_smooth", FOLDER / "measure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.long
def test_looks_are_those_of_the_run(measured: ModuleType, tmp_path: Path) -> None:
    """The health study on a block of 1.2 mm: closed and raw panel, Ac.f of the days between looks."""
    small = {
        "specimen.size_mm": [1.2] * 3, "schedule.burn_in_day": 100, "schedule.duration_day": 40,
        "schedule.snapshots_day": [0, 40], "mechanics.interval_day": 0,
    }  # fmt: skip
    path = tmp_path / "small.vtkhdf"
    run(load_config(FOLDER / "health_base.toml", small), path)
    rows = measured.looks_of(path, full=True).set_index("day")
    assert rows.index.tolist() == [0, 40]
    closed = measure(path, closed=True).set_index(["day", "measure"])["value"]
    raw = measure(path).set_index(["day", "measure"])["value"]
    with open_run(path) as one:
        table = one.table.set_index("day")
    for day in (0, 40):
        assert rows.loc[day, "da"] == pytest.approx(raw[day, "da"])
        assert rows.loc[day, "closed_da"] == pytest.approx(closed[day, "da"])
        assert rows.loc[day, "closed_roughness"] == pytest.approx(closed[day, "roughness"])
        assert rows.loc[day, "roughness"] >= rows.loc[day, "closed_roughness"]
    assert np.isnan(rows.loc[0, "ac_f_per_year"])
    assert rows.loc[40, "ac_f_per_year"] == pytest.approx(table["ac_f_per_year"].loc[1:40].mean())
    assert "da" not in measured.looks_of(path, full=False)
    assert measured.is_complete(path)


@pytest.mark.long
def test_looks_cost_something(tmp_path: Path) -> None:
    """A year of a block of 1 mm without load: snapshots cost more than none, in whole days' worth."""
    spec = importlib.util.spec_from_file_location("cost_of_looks", FOLDER / "cost.py")
    assert spec is not None
    assert spec.loader is not None
    cost = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cost)
    small = {
        "specimen.size_mm": [1.0] * 3, "schedule.burn_in_day": 60, "schedule.duration_day": cost.DAYS,
        "schedule.snapshots_day": [0], "mechanics.interval_day": 0,
    }  # fmt: skip
    table = cost.table(load_config(FOLDER / "health_base.toml", small), 1, tmp_path)
    assert table.index.tolist() == list(cost.ARMS)
    assert table.loc["no looks", "over no looks"] == 1.0
    assert table.loc["snapshots, each quarter", "over no looks"] > 1.0
    assert table.loc["snapshots, each quarter", "a look, days"] > 1.0
