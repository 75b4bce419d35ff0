"""Twins without processes as points: which there are, what they share, and the table of numbers given."""

from typing import Any

import pandas as pd
import pytest

from bonesim.config.ablation import PROCESSES
from bonesim.config.config import Config, validated
from bonesim.config.twin import untreated_twin
from bonesim.errors import InputError
from bonesim.reports import without as report
from bonesim.reports.without import BEYOND, MEASURES, PIECES, RUN
from bonesim.sweeps.without import Ablations, chosen

TREATED: dict[str, Any] = {
    "title": "low",
    "hormones": {"course": {"kind": "stepped", "steps": [{"start_day": 0, "e2_pg_per_ml": 7.0}]}},
    "schedule": {"duration_day": 900},
}


def config(**changes: Any) -> Config:
    return validated({**TREATED, **changes}, "test")


def test_arms_of_a_treated_run() -> None:
    what = Ablations(config(), ["cuts", "perforation", "cuts"], [100, 300])
    assert what.processes == ["perforation", "cuts"]
    arms = what.arms()
    assert [(arm.of, arm.without) for arm in arms] == [
        (of, name) for name in ("", "perforation", "cuts") for of in ("run", "healthy")
    ]
    for arm in arms:
        assert arm.config.schedule.duration_day == 300
        assert arm.config.schedule.kept_days() == (0, 100, 300)
        assert arm.config.ablation.last_days() == ({arm.without: 0} if arm.without else {})
        steps = arm.config.hormones.course.model_dump()["steps"]
        assert bool(steps) == (arm.of == "run")
    # Nothing else is changed.
    plain = {"ablation.cuts_day": None, "title": untreated_twin(what.config).title}
    assert arms[5].config.with_changes(plain) == untreated_twin(what.config)
    points = what.points()
    assert len({point.id for point in points}) == 6
    assert len({point.group for point in points}) == 1  # one burn-in
    assert {point.seed for point in points} == {1}


def test_arms_without_treatment() -> None:
    what = Ablations(validated({}, "test"), ["all"], [50])
    assert {arm.of for arm in what.arms()} == {"run"}
    assert [arm.without for arm in what.arms()] == ["", *PROCESSES]


def test_a_folder_is_of_one_run_whatever_the_processes() -> None:
    titles = {Ablations(config(), [name], [50]).title for name in PROCESSES}
    assert len(titles) == 1
    others = {Ablations(config(seed=2), ["cuts"], [50]).title,
              Ablations(config(), ["cuts"], [60]).title}  # fmt: skip
    assert len(titles | others) == 3


def test_all_that_is_not_off() -> None:
    off = config(mechanics={"interval_day": 0}, ablation={"arrest_day": 0})
    assert chosen(off, ["all"]) == ["perforation", "cuts", "mineral_lag"]
    assert chosen(config(), ["Mineral-Lag", "mineral lag"]) == ["mineral_lag"]
    # One that ends later does not end with the burn-in.
    assert chosen(config(ablation={"arrest_day": 30}), ["arrest"]) == ["arrest"]
    nothing = {f"{name}_day": 0 for name in PROCESSES}
    for names, words in (
        (["all"], "every process is off"),
        ([], "got nothing"),
        (["cuts"], "cuts is off"),
    ):
        with pytest.raises(InputError, match=words):
            chosen(config(ablation=nothing), names)


def outcomes(of: str, without: str, **quanta: int) -> dict[str, Any]:
    """A row of results on day 9 in which the mineral of day 0 is 10 000 quanta."""
    whole = dict.fromkeys(PIECES, 0) | quanta
    return {
        "of": of, "without": without, "day": 9, "loss_day_0_quanta": 10_000,
        "loss_total_quanta": sum(whole.values()),
        **{f"loss_{name}_quanta": amount for name, amount in whole.items()},
        **dict.fromkeys(MEASURES, 2.0),
    }  # fmt: skip


def test_the_words_and_numbers_of_a_table() -> None:
    results = pd.DataFrame([
        outcomes("run", "", wall=300, plate_perforation=40, edge=60),
        outcomes("healthy", "", wall=100, plate_perforation=10),
        outcomes("run", "perforation", wall=310, plate_perforation=5),
        outcomes("healthy", "perforation", wall=105),
        {**outcomes("run", "mechanics", wall=250), "conn_d_per_mm3": None},
        outcomes("healthy", "mechanics", wall=100),
    ])  # fmt: skip
    table = report.table(results, ["perforation", "mechanics"], [9])
    row = table.set_index(["process", "compared", "quantity"]).sort_index()
    run, beyond = row.loc["perforation", RUN], row.loc["perforation", BEYOND]
    # 400 lost with it, 315 without: 40 by the ledger, 5 of them also without, and 50 that follow.
    expected = {"by_ledger": 40, "structure_by_twin": 85, "still_without": 5, "follows": 50, "by_twin": 85,
                "wall": -10, "edge": 60, "plate_perforation": 35}  # fmt: skip
    assert run["effect_quanta"].loc[list(expected)].to_dict() == expected
    assert run.loc["by_twin", "effect"] == pytest.approx(0.85)
    assert run.loc["by_twin", "percent_of_loss"] == pytest.approx(100 * 85 / 400)
    # Beyond health 290 are lost with it, 210 without.
    assert beyond.loc["by_twin", "effect_quanta"] == (400 - 110) - (315 - 105)
    assert beyond.loc["by_ledger", "effect_quanta"] == 30
    assert beyond.loc["total", "with_process"] == pytest.approx(2.9)
    assert row.loc["mechanics", RUN, "conn_d_per_mm3"]["effect"] != 0.0
    # A twin without mechanics has no stiffness of its own, and the ledger no entry for it.
    stiffness = row.loc["mechanics", RUN].loc["apparent_modulus_z_mpa"]
    assert stiffness["with_process"] == 2.0
    assert stiffness["without_process"] != stiffness["without_process"]
    assert row.loc["mechanics", RUN].loc["follows", "effect_quanta"] == 400 - 250
    lines = report.text(table).splitlines()
    first = next(line for line in lines if line.startswith("by twin"))
    assert first.split()[-5:] == ["0.85", "0.05", "0.8", "28", "%"]
    blocks = "\n".join(lines).split("mechanics, day 9")
    assert "by the ledger" in blocks[0]
    assert "by the ledger" not in blocks[1].split("losses in %")[0]


def test_a_process_that_does_not_act_is_named() -> None:
    same = [
        outcomes(of, name, wall=50, edge=7) for of in ("run", "healthy") for name in ("", "arrest")
    ]
    printed = report.text(report.table(pd.DataFrame(same), ["arrest"], [9]))
    assert "it did not act in: run, healthy;" in printed
    same[1]["conn_d_per_mm3"] = 2.5
    printed = report.text(report.table(pd.DataFrame(same), ["arrest"], [9]))
    assert "it did not act in: healthy;" in printed
