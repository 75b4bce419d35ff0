"""`tamoxifen_or_anastrozole` on small bones: the same tablet gives and takes."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import EXPERIMENTS, both_forms, printed_and_drawn, script


@pytest.mark.long
@both_forms
def test_tamoxifen_gives_after_the_menopause_and_takes_before_it(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path, full: bool
) -> None:
    women = script("tamoxifen_or_anastrozole")
    results = miniature(
        EXPERIMENTS / "tamoxifen_or_anastrozole" / "sweep.toml", seeds=1, where="own_e2 > 0",
        base={"specimen.size_mm": [1.6 if full else 1.2] * 3, "schedule.burn_in_day": 100,
              "protocol.anastrozole.stop_day": 240, "protocol.tamoxifen.stop_day": 240,
              "schedule.duration_day": 240, "schedule.snapshots_day": [0, 120, 240]},
    )  # fmt: skip
    table = women.table_of(results)
    dxa = table["dxa_percent"]["mean"].xs(240, level="day")
    assert dxa[4.5, "anastrozole 1 mg/day"] < -0.5
    assert dxa[4.5, "tamoxifen 20 mg/day"] > 0.2
    assert dxa[80.0, "tamoxifen 20 mg/day"] < -0.2
    words = printed_and_drawn(women, table, tmp_path / "women.png")
    assert "| 80 | tamoxifen 20 mg/day | -" in words
