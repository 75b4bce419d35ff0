"""`load_during_and_after` on small bones: disuse takes more, training less, in suppression too."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from tests.experiments.conftest import EXPERIMENTS, printed_and_drawn, script


def test_in_suppression_too_bone_follows_load(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    loads = script("load_during_and_after")
    results = miniature(
        EXPERIMENTS / "load_during_and_after" / "sweep.toml", seeds=1,
        where="after == 100 and (missed_share == 0 or during == 100) or after == 50 and during == 100",
        base={"specimen.size_mm": [1.6, 1.6, 1.6], "schedule.burn_in_day": 100,
              "protocol.anastrozole.stop_day": 150, "protocol.loading.change.1.start_day": 151,
              "schedule.duration_day": 270, "schedule.snapshots_day": [0, 150, 270]},
    )  # fmt: skip
    table = loads.table_of(results)
    dxa = table["dxa_percent"]["mean"].loc[loads.DRUG[0]]
    assert dxa[50, 100, 150] < dxa[100, 100, 150] - 0.3
    assert dxa[100, 100, 150] < dxa[120, 100, 150]
    # What differs later is one and the same before.
    assert dxa[100, 50, 150] == dxa[100, 100, 150] < 0
    assert dxa[100, 50, 270] < dxa[100, 100, 270]
    words = printed_and_drawn(loads, table, tmp_path / "loads.png")
    assert "% of the bone back)" in words
    assert "| never suppressed | 100 | +0.0 | +0.0 | -" in words
