"""`calcium_and_vitamin_d` on small bones: a fifth fewer remodelling sites, whatever the drug."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import EXPERIMENTS, said_and_drawn, script


def test_both_supplements_spare_a_fifth_of_all_births(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    supplements = script("calcium_and_vitamin_d")
    results = miniature(
        EXPERIMENTS / "calcium_and_vitamin_d" / "sweep.toml", seeds=3,
        where="(calcium == 800) == (vitamin_d == 25)",
        base={"specimen.size_mm": [1.2, 1.2, 1.2], "schedule.burn_in_day": 100,
              "schedule.duration_day": 300, "schedule.snapshots_day": [0, 150, 300]},
    )  # fmt: skip
    arms = supplements.arms_of(results)
    births = arms[arms["day"] == 300].groupby(["drug", "supplement"])["bmus_born"].sum()
    # PTH 1.15 falls to 0.8, and births go with its power 0.6.
    for drug in ("anastrozole", "no drug"):
        assert births[drug, "both"] / births[drug, "neither"] == pytest.approx(0.80, abs=0.12)
    table = supplements.table_of(results)
    gain = table["dxa_percent"]["mean"]
    assert gain["anastrozole", "both", 300] + gain["no drug", "both", 300] > 0
    assert gain["anastrozole", "neither", 300] < 0
    words = said_and_drawn(supplements, table, tmp_path / "supplements.png")
    assert "| anastrozole | cost of the drug | -" in words
