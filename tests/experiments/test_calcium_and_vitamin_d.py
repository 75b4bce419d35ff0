"""`calcium_and_vitamin_d` on small bones: two fifths fewer births, with the drug and without."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bonesim.endocrine.response import ResponseParameters
from tests.experiments.conftest import EXPERIMENTS, STRONG, both_forms, printed_and_drawn, script


@pytest.mark.long
@both_forms
def test_both_supplements_spare_two_fifths_of_all_births(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path, full: bool
) -> None:
    supplements = script("calcium_and_vitamin_d")
    results = miniature(
        EXPERIMENTS / "calcium_and_vitamin_d" / "sweep.toml", seeds=2 if full else 1,
        where="(calcium == 800) == (vitamin_d == 25)",
        base={"specimen.size_mm": [1.4 if full else 1.1] * 3, "schedule.burn_in_day": 100,
              **({} if full else STRONG | {"cells.bmu.origination_per_mm2_per_year": 16.0}),
              "schedule.duration_day": 200, "schedule.snapshots_day": [0, 100, 200]},
    )  # fmt: skip
    arms = supplements.arms_of(results)
    ends = arms[arms["day"] == 200].groupby(["drug", "supplement"])
    activation, born = ends["activation_multiplier"].mean(), ends["bmus_born"].sum()
    for drug in ("anastrozole", "no drug"):
        # PTH falls from 1.15 to its least, 0.8; births go with a power of it.
        spared = activation[drug, "both"] / activation[drug, "neither"]
        exponent = ResponseParameters().pth_activation_exponent
        assert spared == pytest.approx((0.8 / 1.15) ** exponent, rel=0.01)
        assert born[drug, "both"] < born[drug, "neither"]
    table = supplements.table_of(results)
    gain = table["dxa_percent"]["mean"]
    assert gain["anastrozole", "both", 200] + gain["no drug", "both", 200] > 0
    assert gain["anastrozole", "neither", 200] < 0
    words = printed_and_drawn(supplements, table, tmp_path / "supplements.png")
    assert "| anastrozole | cost of the drug | -" in words
