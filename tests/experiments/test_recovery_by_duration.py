"""`recovery_by_duration` in miniature: half a year of suppression on two small bones, and back."""

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bonesim.config.config import load_config, to_toml
from bonesim.lattice.topology import HEALING, PLATE_PERFORATION
from tests.experiments.conftest import both_forms, importer

HERE = Path(__file__).parents[2] / "experiments" / "recovery_by_duration"


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    load = importer(monkeypatch, HERE)
    simulate, answer = load("simulate"), load("answer")
    monkeypatch.setattr(simulate, "DURATIONS_OF_ARMS", (90, 180))
    monkeypatch.setattr(simulate, "FOLLOW_UP", (0, 240))
    monkeypatch.setattr(answer, "FOLLOW_UP", (0, 240))
    return simulate, answer


@both_forms
def test_what_half_a_year_took_comes_back_in_part(
    scripts: tuple[Any, Any], tmp_path: Path, full: bool
) -> None:
    simulate, answer = scripts
    rows = []
    for seed in (1, 2) if full else (1,):
        # A single small bone turns over more quickly, so that chance matters less.
        quick = {} if full else {"cells.bmu.origination_per_mm2_per_year": 6.0}
        small = {"specimen.size_mm": [1.3 if full else 1.1] * 3, "schedule.burn_in_day": 150,
                 "hormones.course.steps.0.e2_pg_per_ml": 0.5,
                 "seed": seed, **quick, "title": answer.WHOLE}  # fmt: skip
        config = load_config(HERE / "block.toml", small)
        found = simulate.simulate(to_toml(config), None, arms=True)
        rows += [{"point": str(seed), "seed": seed, "arm": answer.WHOLE, **row} for row in found]
    results = pd.DataFrame(rows)
    assert set(results["course"]) == {"healthy", "recovering"}
    stops = results[results["day"] == results["stop_day"]]
    assert set(stops[stops["course"] == "recovering"]["stop_day"]) == {90, 180}
    gone = answer.missing(results)
    bmd = gone[(gone["measure"] == "bmd_mg_per_cm3") & (gone["stop_day"] == 180)]
    lost, left = bmd.groupby("after_day")["missing_percent"].mean()[[0, 240]]
    assert lost > 0.5
    # One block of 1.1 mm drifts from its twin by as much as it lost.
    assert (-0.2 if full else -1.0) * lost < left < lost
    table = answer.table_of(gone)
    final, marrow, closed = answer.holes(results).loc[answer.WHOLE]
    assert final == marrow
    assert closed == 0
    assert "BMD" in answer.markdown(table, answer.WHOLE, 240)
    answer.draw(table, tmp_path / "r.png")
    assert (tmp_path / "r.png").stat().st_size > 10_000


def test_members_become_bands(scripts: tuple[Any, Any], tmp_path: Path) -> None:
    """Four members lose 10 %, and 80, 60, 40 and 20 % of it come back: less in those that adapt less."""
    members = import_module("members")
    rows = []
    for seed in range(4):
        for course, stop, day, value in (
            ("healthy", 0, 0, 100.0), ("healthy", 0, 90, 100.0), ("healthy", 0, 180, 100.0),
            ("healthy", 0, 90 + members.LAST, 100.0), ("healthy", 0, 180 + members.LAST, 100.0),
            ("recovering", 90, 90, 95.0), ("recovering", 90, 90 + members.LAST, 98.5),
            ("recovering", 180, 180, 90.0),
            ("recovering", 180, 180 + members.LAST, 98.0 - 2.0 * seed),
        ):  # fmt: skip
            row = dict.fromkeys((*members.MEASURES, "conn_d_per_mm3"), value)
            rows.append({"point": str(seed), "seed": seed, "arm": "everything", "course": course,
                         "stop_day": stop, "day": day, **row})  # fmt: skip
    per_member = members.shares(pd.DataFrame(rows))
    table = members.table_of(per_member).set_index(["measure", "stop_day"])
    row = table.loc["bvtv_percent", 180]
    assert row["lost"] == pytest.approx(10.0)
    assert (row["members"], row["with_loss"]) == (4, 4)
    assert row["regained"] == pytest.approx(50.0)
    assert (row["low"], row["high"]) == pytest.approx((23.0, 77.0))
    fall = members.falling(per_member).set_index("measure").loc["bvtv_percent"]
    assert (fall["members"], fall["falling"]) == (4, 3)
    parameters = pd.DataFrame({"w": [0.9, 0.7, 0.3, 0.1], "other": [1.0, 2.0, 2.0, 1.0]})
    ranks = members.widening(per_member, parameters, "bvtv_percent", 180)
    assert ranks.index[0] == "w"
    assert ranks["w"] == pytest.approx(1.0)
    assert "**50** [23, 77] (4)" in members.markdown(table.reset_index())
    members.draw(per_member, table.reset_index(), tmp_path / "members.png")
    assert (tmp_path / "members.png").stat().st_size > 10_000


def test_breaks_are_marrow_grown_over_or_perhaps_closed(scripts: tuple[Any, Any]) -> None:
    """Three final perforations: one marrow, one grown over, one that modelling has closed 40 um off."""
    simulate, _ = scripts
    at = np.array([0.0, 1000.0, 2000.0, 2040.0])
    events = {"day": np.array([10.0, 10.0, 10.0, 900.0]), "z_um": at, "y_um": at * 0, "x_um": at * 0,
              "kind": np.array([PLATE_PERFORATION] * 3 + [HEALING]), "delta_euler": [-1, -1, -1, 1],
              "bmu": [1, 2, 3, 0], "voxel": np.arange(4)}  # fmt: skip
    run = SimpleNamespace(
        events=SimpleNamespace(columns=lambda: events),
        tissue=SimpleNamespace(lattice=SimpleNamespace(quanta=np.array([0, 255, 255, 255]))),
    )
    found = simulate.breaks(run, np.arange(3), 800)
    assert found == {"final_at_stop": 3, "of_them_marrow": 1, "of_them_maybe_closed": 1}
    assert simulate.breaks(run, np.arange(3), 900)["of_them_maybe_closed"] == 0


def test_the_share_regained_is_of_mean_losses(scripts: tuple[Any, Any]) -> None:
    _, answer = scripts
    found = answer.regained(np.array([10.0, 8.0, 6.0]), np.array([5.0, 6.0, 1.0]))
    assert found["lost"] == pytest.approx(8.0)
    assert found["regained"] == pytest.approx(50.0)
    assert found["low"] < 50.0 < found["high"]
    for unsure in ([0.1, 0.2, 0.1], [12.0, -9.0, 6.0]):  # too little; an interval with 0 in it
        assert np.isnan(answer.regained(np.array(unsure), np.zeros(3))["regained"])
