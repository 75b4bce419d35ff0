"""Differences from twins, shares and texts, on numbers made by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from bonesim.analysis.paired import (
    K_DXA,
    difference_from_twin,
    in_markdown,
    regained,
    since_start,
    summary,
    with_interval,
)
from bonesim.analysis.statistics import mean_and_ci, ratio_and_ci
from bonesim.errors import InputError
from bonesim.sweeps.worker import means_between


@pytest.fixture
def results() -> pd.DataFrame:
    """Two women, two arms, three seeds, days 0, 100, 200; the drug costs 10 % and 4 come back.

    Seeds start from different bone, and all lose 2 % without the drug: only twins isolate its effect.
    """
    rows = []
    for age in (50, 70):
        for arm, change in (("nothing", (1.0, 1.0, 1.0)), ("drug", (1.0, 0.90, 0.94))):
            for seed in (1, 2, 3):
                for snapshot, own in enumerate(change):
                    bone = 10.0 * seed * (1.0 - 0.02 * snapshot) * own
                    rows.append({
                        "point": f"{age}{arm}{seed}", "age": age, "arm": arm, "seed": seed,
                        "snapshot": snapshot, "day": 100 * snapshot, "bvtv_percent": bone,
                        "bmd_mg_per_cm3": 12.0 * bone,
                    })  # fmt: skip
    return pd.DataFrame(rows)


def test_an_arm_is_compared_with_its_twin(results: pd.DataFrame) -> None:
    runs = difference_from_twin(results, "arm", "nothing", ["age"])
    assert len(runs) == len(results)
    ends = runs[(runs["arm"] == "drug") & (runs["day"] == 100)]
    np.testing.assert_allclose(ends["bone_percent"], -10.0)
    np.testing.assert_allclose(ends["dxa_percent"], K_DXA * -10.0)
    assert (runs.loc[runs["arm"] == "nothing", "bone_percent"] == 0.0).all()


def test_a_run_without_a_twin_is_not_compared(results: pd.DataFrame) -> None:
    lost = results["point"] == "50nothing2"
    runs = difference_from_twin(results[~lost], "arm", "nothing", ["age"])
    assert len(runs) == len(results) - 6
    assert runs[(runs["age"] == 50) & (runs["arm"] == "drug")]["seed"].unique().tolist() == [1, 3]


def test_a_change_is_since_the_own_start(results: pd.DataFrame) -> None:
    shuffled = results.sample(frac=1.0, random_state=1)
    runs = since_start(shuffled, ["arm", "age"], {"bone_percent": "bvtv_percent"})
    assert "dxa_percent" not in runs
    assert (runs["seed"].to_numpy() == shuffled["seed"].to_numpy()).all()
    health = runs[(runs["arm"] == "nothing") & (runs["day"] == 200)]
    np.testing.assert_allclose(health["bone_percent"], -4.0)


def test_seeds_are_the_sample(results: pd.DataFrame) -> None:
    results.loc[results["point"] == "70drug1", "bvtv_percent"] *= 0.9
    runs = difference_from_twin(results, "arm", "nothing", ["age"])
    table = summary(runs[runs["day"] == 100], ["age", "arm"])["bone_percent"]
    assert table.index.tolist() == [(50, "nothing"), (50, "drug"), (70, "nothing"), (70, "drug")]
    one = table.loc[(70, "drug")]
    assert one["mean"] == pytest.approx((-19.0 - 10.0 - 10.0) / 3)
    # t(0.975; 2) = 4.3027; the SD of -19, -10, -10 is 3 sqrt(3).
    assert one["ci"] == pytest.approx(4.3027 * 3.0, rel=1e-4)
    assert table["ci"].iloc[1] == pytest.approx(0.0, abs=1e-9)
    assert math.isnan(mean_and_ci(pd.Series([1.0, math.nan]))["ci"])


def test_what_is_back_is_a_share_of_what_was_lost(results: pd.DataFrame) -> None:
    runs = difference_from_twin(results, "arm", "nothing", ["age"])
    back = regained(runs[runs["arm"] == "drug"], ["age"], 100, 200)
    assert back["mean"].tolist() == pytest.approx([40.0, 40.0])
    assert back["n"].tolist() == [3, 3]


def test_another_studys_table_is_one_line(results: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="no column dose"):
        difference_from_twin(results, "dose", 1.0)
    with pytest.raises(InputError, match="no result has 'placebo'"):
        difference_from_twin(results, "arm", "placebo")
    with pytest.raises(InputError, match="no results yet"):
        since_start(results.iloc[:0], ["arm"])


def test_a_seed_that_lost_little_does_not_dominate_a_pooled_ratio() -> None:
    back, lost = pd.Series([1.0, 1.2, 0.8, 0.5]), pd.Series([4.0, 4.0, 4.0, 0.01])
    found = ratio_and_ci(back, lost)
    assert found["mean"] == pytest.approx(100 * 3.5 / 12.01)
    assert found["n"] == 4
    exact = ratio_and_ci(pd.Series([1.0, 2.0, 3.0]), pd.Series([2.0, 4.0, 6.0]))
    assert exact["mean"] == pytest.approx(50.0)
    assert exact["ci"] == pytest.approx(0.0, abs=1e-9)


def test_texts() -> None:
    assert with_interval(-1.234, 0.56) == "-1.2 +/- 0.6"
    assert with_interval(1.0, math.nan) == "+1.0"
    assert with_interval(50.2, 6.1, ".0f") == "50 +/- 6"
    assert with_interval(math.nan, math.nan) == ""
    table = pd.DataFrame({"lost": ["1 +/- 2"]}, index=pd.Index([0.5], name="dose"))
    assert in_markdown(table) == "| dose | lost |\n|---|---|\n| 0.5 | 1 +/- 2 |"


def test_hormones_are_means_since_the_snapshot_before() -> None:
    daily = pd.DataFrame({"day": range(6), "e2_pg_per_ml": [9.0, 1.0, 3.0, 5.0, 7.0, 99.0],
                          "t_ng_per_dl": 300.0})  # fmt: skip
    means = means_between(daily, pd.Series([0, 2, 4]))
    assert means["e2_mean_pg_per_ml"].tolist() == [9.0, 2.0, 6.0]
    assert means["t_mean_ng_per_dl"].tolist() == [300.0] * 3
