"""The experiment's reading of run files, on hand-made numbers."""

from types import ModuleType

import pandas as pd
import pytest

from tests.experiments.conftest import script


@pytest.fixture(scope="module")
def answer() -> ModuleType:
    return script("does_lost_bone_come_back")


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
