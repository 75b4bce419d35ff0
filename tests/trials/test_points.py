"""A trial as points of the sweep engine: shared burn-ins, refusals, stopping and going on."""

import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bonesim.errors import InputError
from bonesim.sweeps.cost import plan_of
from bonesim.sweeps.folder import Folder
from bonesim.trials.compare import compared
from bonesim.trials.outcomes import outcomes_of
from bonesim.trials.summary import people_of
from bonesim.trials.summary import text as text_of
from bonesim.trials.trial import Trial
from tests.trials import dummy
from tests.trials.conftest import ARMS, COHORT, HEAD

pytest.importorskip("distributed", reason="sweeps need: pip install '.[sweep]'")

Write = Callable[..., Path]
ROOT = Path(__file__).parents[2]


def test_every_person_is_a_point_in_every_arm(write: Write) -> None:
    points = Trial(write()).points()
    assert [(p.columns["person"], p.columns["arm"]) for p in points[:3]] == [
        (0, "placebo"), (0, "drug"), (1, "placebo"),
    ]  # fmt: skip
    assert len({p.id for p in points}) == 12
    trees = [tomllib.loads(p.config) for p in points]
    for placebo, drug in zip(trees[::2], trees[1::2], strict=True):
        assert drug["protocol"].pop("anastrozole")[0]["dose_mg"] == 1.0
        assert placebo["protocol"].pop("anastrozole") == []
        assert placebo == drug  # seed, bone, levels, all
    assert len({tree["seed"] for tree in trees}) == 6
    assert len({point.group for point in points}) == 2  # bones
    assert {tuple(tree["schedule"]["snapshots_day"]) for tree in trees} == {(0, 20, 40)}
    assert {tree["schedule"]["duration_day"] for tree in trees} == {40}


def test_identical_arms_are_simulated_once(write: Write) -> None:
    same = ARMS.replace('set = { "protocol.anastrozole" = { dose_mg = 1.0 } }', "")
    points = Trial(write(arms=same)).points()
    assert len(points) == 12
    assert len({p.id for p in points}) == 6


def test_changed_readings_are_simulated_again(write: Write) -> None:
    ids = {p.id for p in Trial(write()).points()}
    noise = "[clinic.density]\ndxa_cv = 0.02\n"
    assert {p.id for p in Trial(write(more=noise)).points()} == ids
    assert not {p.id for p in Trial(write(more="[clinic.density]\nk_dxa = 0.4\n")).points()} & ids
    assert (
        not {p.id for p in Trial(write(head=HEAD.replace("[20, 40]", "[10, 40]"))).points()} & ids
    )
    more = {p.id for p in Trial(write(cohort=COHORT.replace("people = 6", "people = 8"))).points()}
    assert ids < more


def test_a_burn_in_that_is_shared_costs_once(write: Write) -> None:
    few, many = (
        Trial(write(cohort=COHORT.replace("bones = 2", f"bones = {n}"))).points() for n in (1, 6)
    )
    assert plan_of(False, few, few, 1).burn_ins == 1
    assert plan_of(False, many, many, 1).burn_ins == 6
    assert plan_of(False, few, few, 1).hours < plan_of(False, many, many, 1).hours
    solved = Trial(write(cohort=COHORT.replace("bones = 2", "bones = 1")))
    (solved.path.parent / "base.toml").write_text(
        (solved.path.parent / "base.toml")
        .read_text()
        .replace("interval_day = 0", "interval_day = 10")
    )
    loaded = Trial(solved.path).points()
    assert plan_of(False, loaded, loaded, 1).hours > plan_of(False, few, few, 1).hours


def test_from_runs_to_tables(write: Write, tmp_path: Path) -> None:
    from bonesim.sweeps.sweep import run_study

    trial, folder = Trial(write()), tmp_path / "out"
    assert run_study(trial, folder, workers=1, simulate=dummy.read) == 0
    place = Folder(folder)
    people = people_of(place.points())
    pd.testing.assert_frame_equal(people[["person", "bone", "own_e2"]],
                                  trial.people[["person", "bone", "own_e2"]])  # fmt: skip
    outcomes = outcomes_of(place.results(), trial.parameters)
    assert outcomes.seed.tolist() == trial.people["seed"].tolist()
    found = compared(trial.parameters, outcomes)
    table = found.estimates.set_index(["quantity", "estimate", "arm", "day"])
    twin = table.loc[("ls_abmd", "twin", "drug - placebo", 40)]
    assert twin["mean"].to_list() == pytest.approx([-2.0, -1.6, -2.8, -4.0])
    assert twin["k_dxa"].to_list() == [0.5, 0.4, 0.7, 1.0]
    level = table.loc[("e2_pg_per_ml", "twin", "drug", 20), "mean"]
    assert level == pytest.approx(trial.people["own_e2"].mean() / 2)
    assert len(found.repeats) == 50
    curve = found.curves.query("quantity == 'ls_abmd' and arm == 'drug' and source == 'twin'")
    assert curve["day"].tolist() == [0, 20, 40]
    text = text_of(found)
    assert "6 of 6 persons, 2 bones" in text
    assert "k = 0.50" in text and "k 1.00" in text


@pytest.mark.long
def test_what_was_stopped_goes_on(write: Write, tmp_path: Path) -> None:
    path, folder = write(), tmp_path / "out"
    command = [sys.executable, "-m", "tests.trials.dummy", str(path), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    journal = folder / "journal.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (journal.exists() and journal.stat().st_size):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    kept = journal.read_bytes()
    done, _ = Folder(folder).status()
    assert 0 < len(done) < 12
    assert subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0
    assert journal.read_bytes().startswith(kept)
    assert len(journal.read_text().splitlines()) == 12
    calm = tmp_path / "calm"
    from bonesim.sweeps.sweep import run_study

    run_study(Trial(path), calm, workers=1, simulate=dummy.read)
    one, other = (Folder(place).results().drop(columns="seconds") for place in (folder, calm))
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"head": HEAD.replace("ls_abmd", "ls_abdm")}, "'ls_abdm' is not known; there are ls_abmd"),
        ({"head": HEAD.replace("[20, 40]", "[40, 20]")}, "in rising order"),
        ({"head": HEAD + "primary_day = 30\n"}, "primary_day 30 is no visit"),
        ({"head": HEAD.replace('"e2_pg_per_ml"', '"ls_abmd"')}, "name it once"),
        ({"head": HEAD.replace("base.toml", "none.toml")}, "none.toml"),
        ({"head": HEAD + "colour = 1\n"}, "no such parameter"),
        ({"arms": ARMS.replace("reference = true\n", "")}, "no arms have reference = true"),
        ({"arms": ARMS.replace('"drug"', '"placebo"')}, "a name of its own"),
        ({"arms": ARMS.replace("dose_mg", "dose_g")}, "arm 'drug'"),
        ({"cohort": COHORT.replace("e2_pg_per_ml", "e2_pg")}, "person 0, arm 'placebo'"),
        ({"cohort": COHORT.replace("sd = 4", "")}, "lacks sd"),
        ({"cohort": COHORT.replace("people = 6", "people = 1")}, "from 2"),
        ({"more": '[[published]]\narm = "x"\nquantity = "ls_abmd"\nvisit_day = 20\nvalue = 1\n'
                  'source = "a"\n'}, "published arm 'x' is not there"),
        ({"more": '[[published]]\narm = "drug"\nquantity = "ctx"\nvisit_day = 20\nvalue = 1\n'
                  'source = "a"\n'}, "in neither changes nor levels"),
        ({"more": '[[published]]\narm = "drug"\nquantity = "ls_abmd"\nvisit_day = 21\nvalue = 1\n'
                  'source = "a"\n'}, "day 21 is no visit"),
    ],
)  # fmt: skip
def test_impossible_trials_are_one_line(write: Write, change: dict[str, str], words: str) -> None:
    path = write(**change)
    with pytest.raises(InputError) as error:
        Trial(path).points()
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["burnett_bowie_2009", "atac"])
def test_the_shipped_trials_can_be_run(name: str) -> None:
    trial = Trial(ROOT / "configs" / f"{name}.toml")
    points, p = trial.points(), trial.parameters
    assert len(points) == p.cohort.people * len(p.arm)
    assert len({point.group for point in points}) == p.cohort.bones
    # At .42 core-seconds a mm3-year (96 runs of experiments/predictions) these are half an hour and two
    # hours of two cores.
    mm3_years = len(points) * plan_of(False, points, points, 2).mm3_years
    assert mm3_years < {"burnett_bowie_2009": 8_600, "atac": 34_000}[name]
    assert p.primary[0] == "ls_abmd"
