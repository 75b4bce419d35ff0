"""The experiment's reading of run files, on hand-made numbers."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest


def script(experiment: str) -> ModuleType:
    place = Path(__file__).parents[2] / "experiments" / experiment / "answer.py"
    spec = importlib.util.spec_from_file_location(f"answer_{experiment}", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def answer() -> ModuleType:
    return script("does_lost_bone_come_back")


def test_on_replacement_the_daily_tablet_leaves_a_tenth(tmp_path: Path) -> None:
    """The one number of `the_trap_of_replacement`, on 60 of its 1,000 men."""
    trap = script("the_trap_of_replacement")
    names = ["no drug", "anastrozole 1 mg/day alone", "TC + 0.5 mg 2x/week", "TC + 1 mg/day"]
    table = trap.table_of({name: trap.estradiol(name, 60) for name in names}).set_index(
        "prescription"
    )
    assert table.loc["TC + 1 mg/day", "of_own"] == pytest.approx(0.10, abs=0.03)
    assert table.loc["anastrozole 1 mg/day alone", "of_own"] == pytest.approx(0.35, abs=0.03)
    assert table.loc["TC + 0.5 mg 2x/week", "of_own"] == pytest.approx(1.0, abs=0.25)
    trap.draw({name: trap.estradiol(name, 5) for name in names}, tmp_path / "e2.png")
    assert (tmp_path / "e2.png").stat().st_size > 10_000


def test_half_of_a_loss_regained(answer: ModuleType) -> None:
    measures = pd.DataFrame({"bvtv_percent": [10.0, 6.0, 8.0]}, index=[0, 1825, 2920])
    assert answer.regained(measures)["bvtv_percent"] == pytest.approx(50.0)


def test_rate_ratio_counts_exposure(answer: ModuleType) -> None:
    empty = pd.DataFrame()
    treated = [answer.Outcome(empty, 30, 100.0)]
    healthy = [answer.Outcome(empty, 20, 200.0)]
    ratio, low, high = answer.rate_ratio(treated, healthy)
    assert ratio == pytest.approx(3.0)
    assert 1.6 < low < 3.0 < high < 5.6
