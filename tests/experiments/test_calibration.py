"""The calibration's own tools: courses from one start, readings of targets, the posterior."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bonesim.config.config import load_config, to_toml
from bonesim.sweeps.design import DesignParameters

HERE = Path(__file__).parents[2] / "experiments" / "calibration"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(HERE))
    return import_module


def test_courses_share_their_start_and_nothing_is_lost_for_nothing(use: Any) -> None:
    scenarios = use("scenarios")
    small = {"specimen.size_mm": [1.5, 1.5, 1.5], "schedule.burn_in_day": 100,
             "cells.bmu.origination_per_mm2_per_year": 6.0}  # fmt: skip
    config = to_toml(load_config(HERE / "block.toml", small))
    short = {
        name: scenarios.SCENARIOS[name]._replace(days=(0, 120))
        for name in ("control", "woman_inhibitor", "woman_tamoxifen")
    }
    short["control again"] = short["control"]
    rows = pd.DataFrame(scenarios.simulate(config, None, short)).set_index(["scenario", "day"])
    assert rows.xs(0, level="day")["bmd_mg_per_cm3"].nunique() == 1
    eroded = rows["es_bs_surface_percent"]
    assert (eroded.xs(0, level="day") > 0).all() and eroded.xs(120, level="day").isna().all()
    ends = rows.xs(120, level="day")
    assert ends["bmd_mg_per_cm3"]["control again"] == ends["bmd_mg_per_cm3"]["control"]
    assert ends["e2_deficit"]["control"] == 0.0
    assert ends["e2_deficit"]["woman_inhibitor"] > 0.8
    assert (
        ends["bmd_mg_per_cm3"]["woman_inhibitor"]
        < ends["bmd_mg_per_cm3"]["control"]
        < ends["bmd_mg_per_cm3"]["woman_tamoxifen"]
    )


def test_readings_are_on_the_scale_of_dxa(use: Any) -> None:
    targets, scenarios = use("targets"), use("scenarios")
    rows = []
    for name, scenario in scenarios.LONGER.items():
        for day in scenario.days:
            end = {"woman_inhibitor": -6.0, "control": -1.0}.get(name, 0.0)
            mineral = 70.0 * (1.0 + end / 100.0 * day / 1825)
            rows.append({"point": "a", "scenario": name, "day": day, **dict.fromkeys(
                scenarios.KEPT, 1.0), "bmd_mg_per_cm3": mineral,
                "area_started_mm2": day * (1.85 if name == "ovary_lost" else 1.0)})  # fmt: skip
    found = targets.readings(pd.DataFrame(rows)).loc["a"]
    assert found["A5"] == pytest.approx(-3.0)  # k = 0.50 of 6 % mineral
    assert found["A8"] == pytest.approx(-0.1)
    assert found["A10"] == pytest.approx(1.85)
    assert found["A2"] == 0.0
    assert found["A11'"] == pytest.approx(0.1)  # the control falls by as much
    assert found["A1"] == pytest.approx(0.1)
    assert found["slopes"] == pytest.approx(1.0)
    hip = pd.DataFrame(rows)
    two = pd.concat([hip.assign(candidate="hip-like"), hip.assign(candidate="scan", point="b")])
    table = use("confirm").table_of(two)
    assert table[table["candidate"] == "hip-like"]["target"].tolist() == ["A6"]
    assert "A6" not in set(table[table["candidate"] == "scan"]["target"])


def test_cheaper_settings_are_compared_in_percent_of_the_loss(use: Any) -> None:
    """Ten bones lose 4 % of mineral in a year (2 of DXA), with fewer mechanical solves a tenth more."""
    scenarios, targets, cheaper = use("scenarios"), use("targets"), use("cheaper_settings")
    rng = np.random.default_rng(1)
    rows = []
    for bone in range(10):
        own = rng.normal(0.0, 0.5)
        for name, scenario in scenarios.CHEAPER.items():
            falls = (
                (4.0 + own) * name.startswith("woman") * (1.0 if name.endswith("often") else 1.1)
            )
            rows += [
                {"point": f"bone {bone}", "scenario": name, "day": day,
                 **dict.fromkeys(scenarios.KEPT, 1.0),
                 "bmd_mg_per_cm3": 70.0 * (1.0 - falls / 100.0 * day / 365)}
                for day in scenario.days
            ]  # fmt: skip
    table = cheaper.table_of(targets.Courses(pd.DataFrame(rows)))
    assert table.loc[365, "often_pp"] == pytest.approx(2.0, abs=0.25)
    assert table["difference_percent_of_loss"].tolist() == pytest.approx([10.0, 10.0])
    assert table.loc[365, "bones"] == 10
    assert (table["ci_percent_of_loss"] < 2.0).all()
    assert (table["variance_saved"] > 50.0).all()


def test_the_posterior_finds_what_the_data_determine_and_no_more(
    use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two parameters, one statistic that is 10 a + chance: a is found, b is not."""
    pytest.importorskip("sklearn", reason="needs: pip install '.[calibration]'")
    fit = use("fit")
    monkeypatch.setattr(fit, "FITTED", {"s": (3.0, 0.5, None)})
    monkeypatch.setattr(fit, "DRAWS", 2000)
    rng = np.random.default_rng(1)
    inputs = rng.random((24, 2))
    statistics = pd.DataFrame({"s": 10.0 * inputs[:, 0] + 0.3 * rng.standard_normal(24)})
    draws, weight, quality = fit.posterior(inputs, statistics, 2)
    design = DesignParameters.model_validate(
        {"kind": "latin_hypercube", "variable": [
            {"path": "hormones.response.hill", "name": "a", "low": 0.0, "high": 1.0},
            {"path": "cells.bmu.width_um", "name": "b", "low": 100.0, "high": 300.0}]}
    )  # fmt: skip
    table = fit.marginals(draws, weight, design)
    assert quality.loc["s", "left_out_r2"] > 0.9
    assert table.loc["a", "mean"] == pytest.approx(0.3, abs=0.05)
    assert table.loc["a", "identified"]
    assert not table.loc["b", "identified"]
    assert table.loc["b", "q05"] < 120 < 280 < table.loc["b", "q95"]
