"""`why_markers_do_not_move`: its power against a table's, and its rise of CTX on small bones."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import EXPERIMENTS, printed_and_drawn, script


def test_power_is_that_of_the_table() -> None:
    """Cohen 1988, table 2.3.5: d = .5 takes 64 an arm for a power of .80; d = .8 takes 26."""
    markers = script("why_markers_do_not_move")
    assert markers.power(0.5, 1.0, 64) == pytest.approx(0.801, abs=0.001)
    assert markers.power(0.0, 1.0, 35) == pytest.approx(0.05, abs=1e-6)
    assert markers.power(-3.0, 6.0, 64) == pytest.approx(markers.power(0.5, 1.0, 64))
    assert markers.power(3.0, 1.0, 35) == markers.power(30.0, 1.0, 35) == pytest.approx(1.0)
    assert markers.men_needed(0.5, 1.0) == 64
    assert markers.men_needed(-0.8, 1.0) == 26
    assert markers.men_needed(0.0, 1.0) == float("inf")


@pytest.mark.long
def test_ctx_rises_and_is_diluted_in_serum(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    markers = script("why_markers_do_not_move")
    results = miniature(
        EXPERIMENTS / "why_markers_do_not_move" / "sweep.toml", seeds=3, where="missed_share >= 0",
        base={"specimen.size_mm": [1.6, 1.6, 1.6], "schedule.burn_in_day": 100,
              "schedule.duration_day": 180, "schedule.snapshots_day": [0, 60, 180]},
    )  # fmt: skip
    table = markers.table_of(results)
    rise = table["change_percent"]["mean"]
    # From day 60 to 180, by hand: resorbed in all bones, drug over placebo, 55 % of it in serum.
    moved = results.pivot_table(
        index="missed_share", columns="day", values="resorbed_quanta", aggfunc="sum"
    )
    late = moved[180] - moved[60]
    assert rise["CTX", 180] == pytest.approx(55.0 * (late[0] / late[1] - 1.0))
    assert 5.0 < rise["CTX", 180] < 60.0
    assert rise["spine DXA", 180] < 0
    seen = table[("power_mean", "mean")]
    assert seen["CTX", 180] == pytest.approx(markers.power(rise["CTX", 180], 18.385), abs=1e-3)
    assert "| spine DXA | 180 | -" in printed_and_drawn(markers, table, tmp_path / "markers.png")
