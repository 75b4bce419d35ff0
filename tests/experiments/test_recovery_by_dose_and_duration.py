"""`recovery_by_dose_and_duration` on smaller bones and three seeds: a year on the drug, two doses."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import ROOT, STRONG, both_forms, printed_and_drawn, script


@pytest.mark.long
@both_forms
def test_a_years_loss_goes_by_the_dose_and_most_of_it_comes_back(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path, full: bool
) -> None:
    recovery, days = script("recovery_by_dose_and_duration"), 365 if full else 182
    table = recovery.table_of(miniature(
        ROOT / "configs" / "sweep_dose_duration.toml", seeds=3 if full else 1,
        where=f"dose_mg in [0.25, 1.0] and duration_day == {days}",
        base={"specimen.size_mm": [1.5 if full else 1.1] * 3,
              "schedule.burn_in_day": 750 if full else 60, **({} if full else STRONG)},
    ))  # fmt: skip
    lost = table["bvtv_lost"]["mean"].xs(days, level="duration_day")
    assert 0.0 < lost[0.25] < lost[1.0]
    regained = table["bvtv_regained"]["mean"][(1.0, days)]
    assert regained > 0.0
    if full:
        # The mean of three small bones: one bone's loss has an SD of about 2 points.
        assert 1.5 < lost[1.0] < 8.5
        assert regained == pytest.approx(83, abs=30)
    assert f"| 1 | {days} |" in printed_and_drawn(recovery, table, tmp_path / "recovery.png")
