"""Runs compared: what pairs, what does not and how to override, and the numbers against plain NumPy."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bonesim
from bonesim.analysis.pairs import differences
from bonesim.errors import InputError
from bonesim.sweeps.study import Study
from tests.page.test_folder import done

SMALL: dict[str, Any] = {
    "specimen": {"kind": "synthetic", "size_mm": [1.0, 1.0, 1.0], "voxel_um": 25.0},
    "cells": {"bmu": {"origination_per_mm2_per_year": 10.0}},
    "hormones": {"course": {"kind": "stepped", "steps": [{"start_day": 0, "e2_pg_per_ml": 5.0}]}},
    "mechanics": {"interval_day": 0},
    "schedule": {"burn_in_day": 30, "duration_day": 60, "snapshots_day": [0, 30, 60]},
}


@pytest.fixture(scope="module")
def runs(one_core: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a1, a2 with twins a1_twin, a2_twin: two bones, two seeds; s3: bone of a1, another seed."""
    folder = tmp_path_factory.mktemp("pairs")
    for n in (1, 2):
        bonesim.run_twins(SMALL, folder / f"a{n}.vtkhdf", seed=n, changes={"specimen.seed": n})
    bonesim.run(SMALL, folder / "s3.vtkhdf", seed=3, changes={"specimen.seed": 1})
    return folder


def names(folder: Path, *stems: str) -> list[Path]:
    return [folder / f"{stem}.vtkhdf" for stem in stems]


ALL = ("a1", "a1_twin", "a2", "a2_twin")


def bvtv(folder: Path, stem: str, day: int) -> float:
    with bonesim.open_run(folder / f"{stem}.vtkhdf") as run:
        table = run.table.set_index("day")
        return float(table.loc[day, "bvtv_percent"])  # type: ignore[arg-type]


def row_of(table: pd.DataFrame, quantity: str, day: int) -> pd.Series:
    return table[(table["quantity"] == quantity) & (table["day"] == day)].iloc[0]


def test_pairs_are_the_sample(runs: Path) -> None:
    found = bonesim.compare(*names(runs, *ALL))
    row = row_of(found.table, "bvtv_percent", 60)
    a, b = (np.array([bvtv(runs, f"a{n}{end}", 60) for n in (1, 2)]) for end in ("", "_twin"))
    share = 100.0 * (a / b - 1.0)
    low, high = stats.t.interval(0.95, 1, share.mean(), stats.sem(share))
    assert row["n"] == 2
    assert row["difference_percent"] == pytest.approx(share.mean())
    assert row["difference_percent_low"] == pytest.approx(low)
    assert row["difference_percent_high"] == pytest.approx(high)
    assert row["difference"] == pytest.approx((a - b).mean())
    assert row["a"] == pytest.approx(a.mean())
    before = np.array([bvtv(runs, f"a{n}", 0) for n in (1, 2)])
    assert row["a_change_percent"] == pytest.approx((100.0 * (a / before - 1.0)).mean())
    start = row_of(found.table, "bvtv_percent", 0)
    assert start["difference"] == 0.0
    assert found.table.attrs["differs"] == ["hormones.course.steps"]
    assert found.table.attrs["names"] == ["treated", "untreated twin"]
    assert set(found.pairs["run"]) == set(ALL)


def test_what_a_user_may_give(runs: Path, tmp_path: Path) -> None:
    """A run with its twin, a folder of both, two folders in any order: the same numbers."""
    whole = bonesim.compare(*names(runs, *ALL)).table
    one = bonesim.compare(runs / "a1.vtkhdf").table
    assert row_of(one, "bvtv_percent", 30)["n"] == 1
    assert one["difference_percent_low"].isna().all()
    pd.testing.assert_frame_equal(bonesim.compare(runs).table, whole)
    for side, stems in (("x", ("a2", "a1")), ("y", ("a1_twin", "a2_twin"))):
        (tmp_path / side).mkdir()
        for number, stem in enumerate(stems):
            shutil.copy(runs / f"{stem}.vtkhdf", tmp_path / side / f"{number}.vtkhdf")
    two = bonesim.compare(tmp_path / "x", tmp_path / "y", names=("treated", "untreated twin")).table
    numbers = ["n", "a", "b", "difference", "difference_percent_high"]
    np.testing.assert_allclose(two[numbers], whole[numbers])
    some = bonesim.compare(*names(runs, *ALL), days=[0, 30], quantities=["bmus"]).table
    assert some["day"].tolist() == [0, 30]
    assert some["difference_percent"].isna().all()  # of counts no percent


@pytest.mark.parametrize(
    ("stems", "given", "words"),
    [
        (("a1", "s3"), {}, r"other seeds \(1 and 3\) and do not pair.*unpaired"),
        (("a1", "a2_twin"), {}, "do not pair"),
        (("a1", "a1"), {}, "given twice"),
        (("a1", "a1_twin", "a2"), {}, "3 files; give them in pairs"),
        (("s3",), {}, r"no twin beside it \(s3_twin.vtkhdf\)"),
        (("a1", "a1_twin", "a2_twin", "a2"), {}, "not of one arm: hormones.course.steps.*order"),
        (("a1", "a1_twin"), {"days": [0, 31]}, "day 31 has no snapshot.*0, 30, 60"),
        (("a1", "a1_twin"), {"quantities": ["bvtv"]}, "did you mean bvtv_percent"),
        (("a1", "a1_twin"), {"names": ["one"]}, "names: got 1"),
        (("a1", "a1_twin"), {"arms": [{"dose": 1}]}, "of a sweep's folder"),
        ((), {}, "none; give two"),
    ],
)
def test_what_does_not_pair_is_one_line(
    runs: Path, stems: tuple[str, ...], given: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words) as error:
        bonesim.compare(*names(runs, *stems), **given)
    assert "\n" not in str(error.value)
    assert error.value.parameter is not None


def test_other_days_and_other_bones(runs: Path, tmp_path: Path) -> None:
    """A shorter run is refused until days are chosen; a bone made by hand is another bone."""
    short = bonesim.run(
        bonesim.untreated_twin(bonesim.Config.model_validate(SMALL)), tmp_path / "short.vtkhdf", seed=1,
        changes={"specimen.seed": 1, "schedule.duration_day": 30, "schedule.snapshots_day": [0, 30]},
    )  # fmt: skip
    with pytest.raises(InputError, match=r"other days.*choose days of those that all have: 0, 30"):
        bonesim.compare(runs / "a1.vtkhdf", short)
    chosen = bonesim.compare(runs / "a1.vtkhdf", short, days=[0, 30]).table
    assert chosen["day"].unique().tolist() == [0, 30]
    block = np.zeros((40, 40, 40), bool)
    block[:, 15:20] = True
    own = bonesim.run(
        SMALL, tmp_path / "own.vtkhdf", seed=1, changes={"specimen.seed": 1},
        specimen=bonesim.make_specimen(block, 25.0),
    )  # fmt: skip
    with pytest.raises(InputError, match=r"other bones.*on day 0 they share"):
        bonesim.compare(runs / "a1.vtkhdf", own)


def test_what_acts_in_the_burn_in_is_noted(runs: Path, tmp_path: Path) -> None:
    other = bonesim.run(
        SMALL, tmp_path / "births.vtkhdf", seed=1,
        changes={"specimen.seed": 1, "cells.bmu.origination_per_mm2_per_year": 30.0},
    )  # fmt: skip
    found = bonesim.compare(runs / "a1.vtkhdf", other).table.attrs
    assert found["differs"] == ["cells.bmu.origination_per_mm2_per_year"]
    assert len(found["notes"]) == 1
    assert "differ on day 0 already" in found["notes"][0]


def test_independent_groups_have_welchs_interval(runs: Path) -> None:
    """Three of one arm against two: other seeds are allowed, the interval is wider than of pairs."""
    table = bonesim.compare(*names(runs, "a1", "a2_twin", "a2", "a1_twin"), unpaired=True).table
    row = row_of(table, "bvtv_percent", 60)
    a, b = (np.array([bvtv(runs, f"a{n}{end}", 60) for n in (1, 2)]) for end in ("", "_twin"))
    exact = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert [row["difference_low"], row["difference_high"]] == pytest.approx(list(exact))
    assert not table.attrs["paired"]
    pairs = row_of(bonesim.compare(*names(runs, *ALL)).table, "bvtv_percent", 60)
    width, narrow = (one["difference_high"] - one["difference_low"] for one in (row, pairs))
    assert width > narrow


def test_percent_of_a_pair_is_of_its_own_twin() -> None:
    a = pd.DataFrame({"pair": [0, 1], "day": 0, "tb_th_um": [90.0, 220.0]})
    b = pd.DataFrame({"pair": [1, 0], "day": 0, "tb_th_um": [200.0, 100.0]})
    row = differences(a, b, ["tb_th_um"], [0]).iloc[0]
    assert row["difference_percent"] == pytest.approx(0.0)
    assert row["difference"] == pytest.approx(5.0)
    alone = differences(a.iloc[:1], b, ["tb_th_um"], [0]).iloc[0]
    assert (alone["n"], alone["difference_percent"]) == (1, pytest.approx(-10.0))


def test_the_text_has_every_number(runs: Path) -> None:
    text = bonesim.compare(*names(runs, *ALL)).text()
    assert "2 pairs of one bone and seed each" in text
    assert "differ in: hormones.course.steps" in text
    assert "95 % confidence interval over pairs" in text
    row = row_of(bonesim.compare(*names(runs, *ALL)).table, "bvtv_percent", 60)
    assert f"{row['difference_percent']:+.1f} % ({row['difference_percent_low']:+.1f} to" in text
    assert "nan" not in text


STUDY = """title = "doses"
base = "base.toml"
[design]
seeds = 3
common_random_numbers = {common}
[[design.variable]]
path = "hormones.response.hill"
name = "hill"
values = [1.0, 2.0]
[[design.variable]]
path = "hormones.response.activation_exponent"
name = "gain"
values = [1.0, 3.0]
"""


def outcome(text: str, _: str | None) -> list[dict[str, Any]]:
    """BV/TV falls by hill x gain from a start of each seed's own."""
    config = tomllib.loads(text)
    response, seed = config["hormones"]["response"], config["seed"] % 2**34
    fall = response["hill"] * response["activation_exponent"] * (1.0 + 0.1 * seed)
    return [
        {"snapshot": k, "day": 20 * k, "bvtv_percent": 50.0 + seed - fall * k, "cuts": k}
        for k in (0, 1)
    ]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four rows of three replicates, with common random numbers."""
    return sweep_of(tmp_path_factory.mktemp("arms"), "true")


def sweep_of(place: Path, common: str) -> Path:
    (place / "base.toml").write_text(
        '[specimen]\nkind = "synthetic"\nsize_mm = [1.0, 1.0, 1.0]\n'
        "[schedule]\nburn_in_day = 0\nduration_day = 20\n"
    )
    (place / "study.toml").write_text(STUDY.format(common=common))
    return done(place / f"out_{common}", Study(place / "study.toml"), outcome)


def test_two_arms_of_a_sweep(sweep: Path) -> None:
    arms = [{"hill": "2", "gain": 3.0}, {"hill": 1, "gain": "3.0"}]
    table = bonesim.compare(sweep, arms=arms).table
    row = row_of(table, "bvtv_percent", 20)
    off = np.array([-3.0 * (1.0 + 0.1 * seed) for seed in (0, 1, 2)])
    assert row["n"] == 3
    assert row["difference"] == pytest.approx(off.mean())
    half = stats.t.ppf(0.975, 2) * stats.sem(off)
    assert row["difference_high"] == pytest.approx(off.mean() + half)
    assert table.attrs["differs"] == ["hormones.response.hill"]
    assert table.attrs["names"] == ["hill = 2, gain = 3", "hill = 1, gain = 3"]
    two = bonesim.compare(sweep, sweep, arms=arms).table
    pd.testing.assert_frame_equal(two, table)


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        ([], "give two rows.*hill = 1, gain = 1; hill = 1, gain = 3"),
        ([{"hill": 1}, {"hill": 2}], "hill = 1 has 2 rows; choose one"),
        ([{"hil": 1}, {"hill": 2}], "no column 'hil'; its design has hill, gain"),
        ([{"hill": 7}, {"hill": 2}], "no row has hill = 7; there are 1, 2"),
        ([{"hill": 1, "gain": 1}] * 2, "one and the same row"),
    ],
)
def test_arms_that_are_none(sweep: Path, arms: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        bonesim.compare(sweep, arms=arms)
    assert error.value.parameter == "arms"


@pytest.mark.long
def test_a_sweep_without_common_random_numbers_does_not_pair(tmp_path: Path) -> None:
    place = sweep_of(tmp_path, "false")
    arms = [{"hill": 1, "gain": 1}, {"hill": 2, "gain": 1}]
    with pytest.raises(InputError, match=r"share no pair of one bone and seed.*unpaired"):
        bonesim.compare(place, arms=arms)
    assert not bonesim.compare(place, arms=arms, unpaired=True).table.attrs["paired"]
    assert bonesim.paired_sweep(place).empty


def test_differences_of_a_sweep_are_within_replicates(sweep: Path) -> None:
    table = bonesim.paired_sweep(sweep, moment="end").set_index(["hill", "gain"])
    assert list(table.index) == [(2.0, 1.0), (2.0, 3.0)]
    for gain in (1.0, 3.0):
        off = np.array([-gain * (1.0 + 0.1 * seed) for seed in (0, 1, 2)])
        row = table.loc[(2.0, gain)]
        assert row["mean"] == pytest.approx(off.mean())
        assert row["ci"] == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem(off))
        assert (row["differs"], row["reference"], row["n"]) == ("hill = 2", "hill = 1", 3)
    other = bonesim.paired_sweep(sweep, moment="end", reference="2")
    assert other["mean"].tolist() == pytest.approx((-table["mean"]).tolist())
    with pytest.raises(InputError, match="no run has hill = 9; there are 1, 2"):
        bonesim.paired_sweep(sweep, reference=9)
