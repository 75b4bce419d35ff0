"""`lowest_effective_dose` on small bones: half a milligram twice weekly is enough."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import EXPERIMENTS, both_forms, printed_and_drawn, script

ARMS = ["testosterone alone", "0.5 mg twice weekly", "1 mg/day"]


@pytest.mark.long
@both_forms
def test_half_a_milligram_twice_weekly_is_enough_and_a_milligram_a_day_costs_bone(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path, full: bool
) -> None:
    doses, last = script("lowest_effective_dose"), 240 if full else 150
    table = doses.table_of(miniature(
        EXPERIMENTS / "lowest_effective_dose" / "sweep.toml", seeds=2 if full else 1, where=f"arm in {ARMS}",
        base={"specimen.size_mm": [1.4 if full else 1.2] * 3, "schedule.burn_in_day": 100 if full else 40,
              "schedule.duration_day": last, "schedule.snapshots_day": [0, 28, last]},
    ))  # fmt: skip
    assert doses.enough(table).to_dict() == {"twice weekly": 1.0}
    ends = table.reset_index(["schedule", "mg_per_week"], drop=True)
    e2, dxa = (ends[name]["mean"] for name in ("e2_mean_pg_per_ml", "dxa_percent"))
    # His own are 20 pg/mL; on replacement all is peripheral, and more than twice as much.
    assert e2["testosterone alone"] == pytest.approx(45, abs=3)
    assert e2["1 mg/day"] < 0.5 * 20 < doses.LOWEST
    assert dxa["1 mg/day"] < (-0.5 if full else 0.0)
    assert dxa["1 mg/day"] < dxa["0.5 mg twice weekly"]
    words = printed_and_drawn(doses, table, tmp_path / "doses.png")
    assert "twice weekly: 1 mg a week; daily: none of these doses" in words
