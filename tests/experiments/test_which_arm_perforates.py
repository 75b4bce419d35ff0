"""`which_arm_perforates` on made-up ends: 20 points lost, 5 of them in health too."""

from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import printed_and_drawn, script


def test_an_arm_is_what_suppression_takes_beyond_health(tmp_path: Path) -> None:
    arms = script("which_arm_perforates")
    rows = [
        {"point": f"{arm}{seed}{e2}", "arm": arm, "seed": seed, arms.E2: e2, "snapshot": snapshot,
         "day": 1825 * snapshot, "bvtv_percent": 10.0 if snapshot == 0 else end - 0.1 * seed,
         "bmd_mg_per_cm3": 100.0, "volume_mm3": 2.5**3,
         "holes": 4 if e2 < 10 else 1, "cuts": 0}
        for arm, suppressed in ((arms.WHOLE, 8.0), ("no RANKL", 9.0))
        for seed in (1, 2, 3)
        for e2, end in ((25.0, 9.5), (7.0, suppressed))
        for snapshot in (0, 1)
    ]  # fmt: skip
    table = arms.table_of(pd.DataFrame(rows))
    assert list(table.index) == [arms.WHOLE, "no RANKL"]
    assert table["lost_percent"]["mean"].tolist() == pytest.approx([15.0, 5.0])
    assert table["spared_percent"]["mean"].tolist() == pytest.approx([0.0, 10.0])
    assert table["breaks_per_mm3"]["mean"].tolist() == pytest.approx([3 / 2.5**3] * 2)
    assert table["lost_in_health_percent"]["mean"].tolist() == pytest.approx([7.0, 7.0])
    assert "| no RANKL | 5.0 +/- 0.0 |" in printed_and_drawn(arms, table, tmp_path / "arms.png")
