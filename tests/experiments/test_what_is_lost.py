"""`what_is_lost` on a small bone: what half a year takes is space and mineral first."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import EXPERIMENTS, printed_and_drawn, script


def test_most_of_an_early_loss_is_no_structure(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    lost = script("what_is_lost")
    results = miniature(
        EXPERIMENTS / "what_is_lost" / "sweep.toml", seeds=2, where="e2 > 0",
        base={"specimen.size_mm": [1.3, 1.3, 1.3], "schedule.burn_in_day": 120,
              "schedule.duration_day": 300, "schedule.snapshots_day": [0, 150, 300]},
    )  # fmt: skip
    quanta = [f"loss_{part}_quanta" for part in lost.PARTS]
    assert (results[quanta].sum(axis=1) == results["loss_total_quanta"]).all()
    table = lost.table_of(results)
    parts = sum(table[(name, "mean")] for name in lost.NAMES)
    assert parts.to_numpy() == pytest.approx(table[(lost.WHOLE, "mean")].to_numpy())
    assert table.loc[300, (lost.WHOLE, "mean")] > 1.0
    assert table.loc[300, ("at_once_percent", "mean")] > 30.0
    assert "open remodelling space" in printed_and_drawn(lost, table, tmp_path / "lost.png")
