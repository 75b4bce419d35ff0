"""Common random numbers reduce the variance of the difference of two doses."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("distributed", reason="sweeps need: pip install '.[sweep]'")

from bonesim.sweeps.study import Study
from bonesim.sweeps.sweep import run_study

CONFIGS = Path(__file__).parents[2] / "configs"
SEEDS = 24
STUDY = """
title = "two doses"
base = "base.toml"
[design]
seeds = {seeds}
common_random_numbers = {common}
[[design.variable]]
path = "protocol.anastrozole.dose_mg"
name = "dose"
values = [0.5, 1.0]
"""


def differences(folder: Path, common: bool) -> pd.Series:
    """BV/TV after half a year, one dose less the other, of each pair of runs."""
    base = (CONFIGS / "trt_anastrozole_small.toml").read_text()
    base = base.split("[schedule]")[0].replace("2.0, 2.0, 2.0", "1.5, 1.5, 1.5")
    (folder / "base.toml").write_text(
        base + "[schedule]\nburn_in_day = 0\nduration_day = 182\nsnapshots_day = [0, 182]\n"
    )
    place = folder / f"{common}.toml"
    place.write_text(STUDY.format(seeds=SEEDS, common=str(common).lower()))
    assert run_study(Study(place), folder / f"{common}", workers=2) == 0
    results = pd.read_csv(folder / f"{common}" / "results.csv")
    ends = results[results["day"] == 182].pivot_table(
        index="replicate", columns="dose", values="bvtv_percent"
    )
    return ends[0.5] - ends[1.0]


@pytest.mark.slow
def test_pairs_with_common_random_numbers_differ_by_the_drug_alone(tmp_path: Path) -> None:
    common, independent = (differences(tmp_path, share).to_numpy() for share in (True, False))
    assert len(common) == len(independent) == SEEDS
    assert np.var(independent, ddof=1) >= 5 * np.var(common, ddof=1)
    assert common.mean() > 0
