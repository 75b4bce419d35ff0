"""The one number of `recovery_by_dose_and_duration`, on a smaller bone and two seeds."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import ROOT, said_and_drawn, script


def test_the_longer_the_drug_the_less_comes_back(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    recovery = script("recovery_by_dose_and_duration")
    table = recovery.table_of(miniature(
        ROOT / "configs" / "sweep_dose_duration.toml", seeds=2,
        where="dose_mg == 1.0 and duration_day in [182, 1095]",
        base={"specimen.size_mm": [1.5, 1.5, 1.5]},
    ))  # fmt: skip
    back = table["bvtv_regained"]["mean"].loc[1.0]
    assert back[1095] == pytest.approx(97, abs=15)
    assert back[1095] < back[182]
    assert "| 1 | 1095 |" in said_and_drawn(recovery, table, tmp_path / "recovery.png")
