"""`load_during_and_after` on small bones: disuse takes more, training less, in suppression too."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import EXPERIMENTS, both_forms, printed_and_drawn, script


@pytest.mark.long
@both_forms
def test_in_suppression_too_bone_follows_load(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path, full: bool
) -> None:
    loads = script("load_during_and_after")
    stop, last = (150, 270) if full else (100, 180)
    results = miniature(
        EXPERIMENTS / "load_during_and_after" / "sweep.toml", seeds=1,
        where="after == 100 and (missed_share == 0 or during == 100) or after == 50 and during == 100",
        base={"specimen.size_mm": [1.6 if full else 1.2] * 3, "schedule.burn_in_day": 100 if full else 40,
              "protocol.anastrozole.stop_day": stop, "protocol.loading.change.1.start_day": stop + 1,
              "schedule.duration_day": last, "schedule.snapshots_day": [0, stop, last]},
    )  # fmt: skip
    table = loads.table_of(results)
    dxa = table["dxa_percent"]["mean"].loc[loads.DRUG[0]]
    assert dxa[50, 100, stop] < dxa[100, 100, stop] - (0.3 if full else 0.0)
    assert dxa[100, 100, stop] < dxa[120, 100, stop]
    # What differs later is one and the same before.
    assert dxa[100, 50, stop] == dxa[100, 100, stop] < 0
    assert dxa[100, 50, last] < dxa[100, 100, last]
    words = printed_and_drawn(loads, table, tmp_path / "loads.png")
    assert "% of the bone back)" in words
    assert "| never suppressed | 100 | +0.0 | +0.0 | -" in words
