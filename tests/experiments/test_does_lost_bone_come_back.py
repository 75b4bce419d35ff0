"""The experiment's reading of run files, on hand-made numbers."""

from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.experiments.conftest import script


@pytest.fixture(scope="module")
def experiment() -> ModuleType:
    return script("does_lost_bone_come_back")


def test_half_of_a_loss_regained(experiment: ModuleType) -> None:
    measures = pd.DataFrame({"bvtv_percent": [10.0, 6.0, 8.0]}, index=[0, 1825, 2920])
    assert experiment.regained(measures)["bvtv_percent"] == pytest.approx(50.0)


def test_breaks_until_a_day_are_counted_and_those_grown_over(experiment: ModuleType) -> None:
    """Four breaks, one of them too late to count; over one of three bone has grown, and nothing closed."""
    quanta = np.zeros((4, 4, 4), np.uint8)
    quanta[2, 2, 2] = 255
    events = pd.DataFrame({
        "day": [10.0, 15.0, 20.0, 900.0], "kind": "strut_cut", "status": "final", "bmu": 1,
        "delta_euler": 1,
        **{axis: [10.0, 30.0, 50.0, 70.0] for axis in ("z_um", "y_um", "x_um")}})  # fmt: skip
    day = pd.DataFrame(1.0, index=[0], columns=["day", *experiment.MEASURES])
    run = SimpleNamespace(
        table=day[["day", "bvtv_percent", "bmd_mg_per_cm3"]],
        snapshot_table=day.drop(columns="bmd_mg_per_cm3"),
        events=events, shape=quanta.shape, voxel_um=20.0, snapshot_days=[0, 1000],
        quanta=lambda _: quanta,
    )  # fmt: skip
    outcome = experiment.outcome(run, 800.0)
    assert (outcome.finals, outcome.grown_over, outcome.maybe_closed) == (3, 1, 0)


def test_rate_ratio_counts_exposure(experiment: ModuleType) -> None:
    empty = pd.DataFrame()
    treated = [experiment.Outcome(empty, 30, 100.0)]
    healthy = [experiment.Outcome(empty, 20, 200.0)]
    ratio, low, high = experiment.rate_ratio(treated, healthy)
    assert ratio == pytest.approx(3.0)
    assert 1.6 < low < 3.0 < high < 5.6
