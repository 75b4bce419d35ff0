"""`what_is_lost` on a small bone: what half a year takes is space and mineral first."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import EXPERIMENTS, STRONG, both_forms, printed_and_drawn, script


@pytest.mark.long
@both_forms
def test_most_of_an_early_loss_is_no_structure(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path, full: bool
) -> None:
    lost, last = script("what_is_lost"), 300 if full else 200
    results = miniature(
        EXPERIMENTS / "what_is_lost" / "sweep.toml", seeds=2 if full else 1, where="e2 > 0",
        base={"specimen.size_mm": [1.3 if full else 1.1] * 3, "schedule.burn_in_day": 120 if full else 60,
              "schedule.duration_day": last, "schedule.snapshots_day": [0, last // 2, last],
              **({} if full else STRONG)},
    )  # fmt: skip
    quanta = [f"loss_{part}_quanta" for part in lost.PARTS]
    assert (results[quanta].sum(axis=1) == results["loss_total_quanta"]).all()
    table = lost.table_of(results)
    parts = sum(table[(name, "mean")] for name in lost.NAMES)
    assert parts.to_numpy() == pytest.approx(table[(lost.WHOLE, "mean")].to_numpy())
    assert table.loc[last, (lost.WHOLE, "mean")] > 1.0
    assert table.loc[last, ("at_once_percent", "mean")] > 30.0
    assert "open remodelling space" in printed_and_drawn(lost, table, tmp_path / "lost.png")
