"""The experiment's reading of run files, on hand-made numbers."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest


def script(experiment: str) -> ModuleType:
    place = Path(__file__).parents[2] / "experiments" / experiment / "answer.py"
    spec = importlib.util.spec_from_file_location(f"answer_{experiment}", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def answer() -> ModuleType:
    return script("does_lost_bone_come_back")


def test_on_replacement_the_daily_tablet_leaves_a_tenth(tmp_path: Path) -> None:
    """The one number of `the_trap_of_replacement`, on 60 of its 1,000 men."""
    trap = script("the_trap_of_replacement")
    names = ["no drug", "anastrozole 1 mg/day alone", "TC + 0.5 mg 2x/week", "TC + 1 mg/day"]
    table = trap.table_of({name: trap.estradiol(name, 60) for name in names}).set_index(
        "prescription"
    )
    assert table.loc["TC + 1 mg/day", "of_own"] == pytest.approx(0.10, abs=0.03)
    assert table.loc["anastrozole 1 mg/day alone", "of_own"] == pytest.approx(0.35, abs=0.03)
    assert table.loc["TC + 0.5 mg 2x/week", "of_own"] == pytest.approx(1.0, abs=0.25)
    trap.draw({name: trap.estradiol(name, 5) for name in names}, tmp_path / "e2.png")
    assert (tmp_path / "e2.png").stat().st_size > 10_000


def test_the_longer_the_drug_the_less_comes_back(tmp_path: Path) -> None:
    """The one number of `recovery_by_dose_and_duration`, on a smaller bone and two seeds."""
    pytest.importorskip("distributed", reason="sweeps need: pip install '.[sweep]'")
    from bonesim.sweep.study import Study
    from bonesim.sweep.sweep import run_study

    configs = Path(__file__).parents[2] / "configs"
    base = (configs / "trt_anastrozole_small.toml").read_text()
    small = base.replace("size_mm = [2.0, 2.0, 2.0]", "size_mm = [1.5, 1.5, 1.5]")
    (tmp_path / "trt_anastrozole_small.toml").write_text(small)
    study = (configs / "sweep_dose_duration.toml").read_text()
    for old, new in (("seeds = 6", "seeds = 2"), ("[0.25, 0.5, 1.0]", "[1.0]"),
                     ("[182, 365, 1095, 1825]", "[182, 1095]")):  # fmt: skip
        assert old in study
        study = study.replace(old, new)
    (tmp_path / "study.toml").write_text(study)
    assert run_study(Study(tmp_path / "study.toml"), tmp_path / "out", workers=2) == 0
    recovery = script("recovery_by_dose_and_duration")
    table = recovery.summary(
        recovery.outcomes(pd.read_csv(tmp_path / "out" / "results.csv"), 1.5**3)
    )
    back = table["bvtv_regained"]["mean"].loc[1.0]
    assert back[1095] == pytest.approx(67, abs=15)
    assert back[1095] < back[182]
    recovery.draw(table, tmp_path / "recovery.png")
    assert (tmp_path / "recovery.png").stat().st_size > 10_000


def test_bone_follows_load(tmp_path: Path) -> None:
    """The one number of `what_load_does`, on a smaller bone, two seeds and three arms."""
    pytest.importorskip("distributed", reason="sweeps need: pip install '.[sweep]'")
    from bonesim.sweep.study import Study
    from bonesim.sweep.sweep import run_study

    configs = Path(__file__).parents[2] / "configs"
    base = (configs / "load_small.toml").read_text()
    for old, new in (("[2.0, 2.0, 2.0]", "[1.5, 1.5, 1.5]"), ("[0, 119, 244, 484]", "[0, 119]"),
                     ("duration_day = 484", "burn_in_day = 300\nduration_day = 119")):  # fmt: skip
        assert old in base
        base = base.replace(old, new)
    (tmp_path / "load_small.toml").write_text(base)
    rows = (configs / "sweep_load.csv").read_text().splitlines()
    kept = [row for row in rows if row.startswith(("arm", "usual", "disuse 50", "training 130"))]
    (tmp_path / "sweep_load.csv").write_text("\n".join(kept))
    study = (configs / "sweep_load.toml").read_text().replace("seeds = 3", "seeds = 2")
    (tmp_path / "study.toml").write_text(study)
    assert run_study(Study(tmp_path / "study.toml"), tmp_path / "out", workers=2) == 0
    load = script("what_load_does")
    table = load.summary(load.outcomes(pd.read_csv(tmp_path / "out" / "results.csv")))
    dxa = table["dxa_percent"]["mean"].unstack("day")[119]
    print(dxa)
    assert dxa["disuse 50 % for 17 weeks"] == pytest.approx(-1.8, abs=0.9)
    assert dxa["training 130 %"] > 0.3
    load.draw(table, tmp_path / "load.png")
    assert (tmp_path / "load.png").stat().st_size > 10_000


def test_half_of_a_loss_regained(answer: ModuleType) -> None:
    measures = pd.DataFrame({"bvtv_percent": [10.0, 6.0, 8.0]}, index=[0, 1825, 2920])
    assert answer.regained(measures)["bvtv_percent"] == pytest.approx(50.0)


def test_rate_ratio_counts_exposure(answer: ModuleType) -> None:
    empty = pd.DataFrame()
    treated = [answer.Outcome(empty, 30, 100.0)]
    healthy = [answer.Outcome(empty, 20, 200.0)]
    ratio, low, high = answer.rate_ratio(treated, healthy)
    assert ratio == pytest.approx(3.0)
    assert 1.6 < low < 3.0 < high < 5.6


def test_an_arm_is_what_suppression_takes_beyond_health(tmp_path: Path) -> None:
    """`which_arm_perforates` on made-up ends: 20 points lost, 5 of them in health too."""
    arms = script("which_arm_perforates")
    rows = [
        {"point": f"{arm}{seed}{e2}", "arm": arm, "seed": seed, arms.E2: e2, "snapshot": snapshot,
         "bvtv_percent": 10.0 if snapshot == 0 else end - 0.1 * seed,
         "perforations_final": 4 if e2 < 10 else 1, "strut_cuts_final": 0}
        for arm, suppressed in ((arms.WHOLE, 8.0), ("no RANKL", 9.0))
        for seed in (1, 2, 3)
        for e2, end in ((25.0, 9.5), (7.0, suppressed))
        for snapshot in (0, 1)
    ]  # fmt: skip
    table = arms.summary(arms.outcomes(pd.DataFrame(rows)))
    assert list(table.index) == [arms.WHOLE, "no RANKL"]
    assert table["lost_percent"]["mean"].tolist() == pytest.approx([15.0, 5.0])
    assert table["breaks_per_mm3"]["mean"].tolist() == pytest.approx([3 / 2.5**3] * 2)
    arms.draw(table, tmp_path / "arms.png")
    assert (tmp_path / "arms.png").stat().st_size > 5_000
