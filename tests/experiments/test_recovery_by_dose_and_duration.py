"""`recovery_by_dose_and_duration` on smaller bones and three seeds: a year on the drug, two doses."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import ROOT, printed_and_drawn, script


def test_a_years_loss_goes_by_the_dose_and_most_of_it_comes_back(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    recovery = script("recovery_by_dose_and_duration")
    table = recovery.table_of(miniature(
        ROOT / "configs" / "sweep_dose_duration.toml", seeds=3,
        where="dose_mg in [0.25, 1.0] and duration_day == 365",
        base={"specimen.size_mm": [1.5, 1.5, 1.5]},
    ))  # fmt: skip
    lost = table["bvtv_lost"]["mean"].xs(365, level="duration_day")
    assert 0.0 < lost[0.25] < lost[1.0]
    # The mean of three small bones: one bone's loss has an SD of about 2 points.
    assert 1.5 < lost[1.0] < 8.5
    assert table["bvtv_regained"]["mean"][(1.0, 365)] == pytest.approx(83, abs=30)
    assert "| 1 | 365 |" in printed_and_drawn(recovery, table, tmp_path / "recovery.png")
