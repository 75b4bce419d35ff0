"""The one number of `what_load_does`, on a smaller bone, two seeds and three arms."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import ROOT, both_forms, printed_and_drawn, script


@both_forms
def test_bone_follows_load(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path, full: bool
) -> None:
    load = script("what_load_does")
    arms = ["usual", "disuse 50 % for 17 weeks", "training 130 %"]
    table = load.table_of(miniature(
        ROOT / "configs" / "sweep_load.toml", seeds=2 if full else 1, where=f"arm in {arms}",
        base={"specimen.size_mm": [1.5 if full else 1.2] * 3, "schedule.burn_in_day": 300 if full else 60,
              "schedule.duration_day": 119, "schedule.snapshots_day": [0, 119]},
    ))  # fmt: skip
    dxa = table["dxa_percent"]["mean"].unstack("day")[119]
    assert dxa["disuse 50 % for 17 weeks"] < 0 < dxa["training 130 %"]
    if full:
        assert dxa["disuse 50 % for 17 weeks"] == pytest.approx(-2.9, abs=0.9)
        assert dxa["training 130 %"] == pytest.approx(0.4, abs=0.3)  # 0.4 +/- 0.2 on bones of 3 mm
    assert "| training 130 % | +" in printed_and_drawn(load, table, tmp_path / "load.png")
