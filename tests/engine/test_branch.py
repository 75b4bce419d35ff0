"""A branch is the run whose change begins on its day, to the last bit; what it cannot change it refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bonesim
from bonesim.api.inputs import as_config_or_run
from bonesim.config.config import Config, validated
from bonesim.engine.days import Observer, advance
from bonesim.engine.replay import bone_on
from bonesim.engine.run import checkpoint_path, run
from bonesim.engine.simulation import Simulation
from bonesim.errors import CorruptFileError, InputError
from bonesim.storage.reader import open_run
from bonesim.storage.validation import DAMAGE

DAY, LAST = 20, 32
CONFIG: dict[str, Any] = {
    "title": "parent",
    "specimen": {"kind": "synthetic", "size_mm": [0.7, 0.7, 0.7], "voxel_um": 25.0},
    "cells": {"bmu": {"origination_per_mm2_per_year": 15.0}},
    "protocol": {"anastrozole": [{"dose_mg": 1.0}]},
    "mechanics": {"interval_day": 8, "delay_day": 3, "tolerance": 1e-3},
    "schedule": {"burn_in_day": 10, "duration_day": LAST, "snapshots_day": [0, 10, DAY, LAST]},
}
STEPS = {
    "hormones.course.kind": "stepped",
    "hormones.course.steps": [{"start_day": DAY, "e2_pg_per_ml": 3.0, "tau_day": 1.0}],
}
LOAD = {"protocol.loading.change": [{"start_day": DAY, "load_percent": 30.0}]}
STOP = {"protocol.anastrozole.stop_day": DAY}
CUTS = {"ablation.cuts_day": DAY, "ablation.mechanics_day": DAY}
SIGNALS = {"signals.rankl_disuse_gain": 5.0, "signals.interval_day": 3}


class Notes(Observer):
    """The notes and the days simulated."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.days: list[int] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def on_day(self, simulation: Simulation) -> None:
        self.days.append(simulation.day)


def config(**groups: Any) -> Config:
    return validated(CONFIG | groups, "test")


def without_protocol() -> Config:
    return validated({k: v for k, v in CONFIG.items() if k != "protocol"}, "test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("branch")


@pytest.fixture(scope="module")
def parent(folder: Path) -> Path:
    return run(config(), folder / "parent.vtkhdf")


@pytest.fixture(scope="module")
def until_the_day(folder: Path) -> Path:
    """A parent that ended on the day, with its checkpoint."""
    return run(config(), folder / "until.vtkhdf", until_day=DAY)


@pytest.fixture(scope="module")
def with_parameters(parent: Path, folder: Path) -> Path:
    """A branch in which parameters change that act every day."""
    return bonesim.branch(parent, folder / "signals.vtkhdf", day=DAY, changes=SIGNALS)


def content(path: Path) -> str:
    with open_run(path) as opened:
        return opened.content_hash()


def table_of(path: Path) -> Any:
    with open_run(path) as opened:
        return opened.table


def test_without_a_change_it_is_its_parent(parent: Path, until_the_day: Path, folder: Path) -> None:
    for number, (one, day) in enumerate(((parent, 0), (until_the_day, DAY))):
        same = bonesim.branch(one, folder / f"same_{number}.vtkhdf", day=day)
        assert content(same) == content(parent)
        with open_run(same) as opened:
            assert opened.status == "complete"


def test_a_step_on_its_day_is_that_of_a_run_from_the_start(folder: Path) -> None:
    plain = without_protocol()
    start = run(plain, folder / "plain.vtkhdf")
    whole = run(plain.with_changes(STEPS), folder / "stepped.vtkhdf")
    made = bonesim.branch(start, folder / "step.vtkhdf", day=DAY, changes=STEPS)
    assert content(made) == content(whole) != content(start)
    with open_run(made) as one, open_run(whole) as other:
        assert one.config_text == other.config_text


@pytest.mark.long
@pytest.mark.parametrize(
    ("changes", "shared"),
    ((LOAD, DAY - 1), (STOP, DAY), (CUTS, DAY)),
    ids=("load", "drug", "ablation"),
)
def test_what_is_written_against_time_is_that_of_a_run_from_the_start(
    parent: Path, until_the_day: Path, folder: Path, changes: dict[str, Any], shared: int
) -> None:
    """A load of the day acts on that day: the branch then goes on from the day before."""
    name = "".join(changes)[:20]
    whole = run(config().with_changes(changes), folder / f"{name}_whole.vtkhdf")
    again, kept = Notes(), Notes()
    one = bonesim.branch(
        parent, folder / f"{name}_1.vtkhdf", day=DAY, changes=changes, observers=[again]
    )
    two = bonesim.branch(
        until_the_day, folder / f"{name}_2.vtkhdf", day=DAY, changes=changes, observers=[kept]
    )
    assert content(one) == content(two) == content(whole) != content(parent)
    assert f"{parent}: days up to {shared} are simulated from the burn-in" in again.notes
    assert [day for day in again.days if day > 0] == list(range(1, LAST + 1))
    if shared == DAY:
        assert (
            f"{until_the_day}: days up to {DAY} are simulated from the checkpoint of day {DAY}"
            in (kept.notes)
        )
        assert kept.days == list(range(DAY + 1, LAST + 1))


def test_a_parameter_acts_from_the_day_after(parent: Path, with_parameters: Path) -> None:
    """As in a simulation whose parameters are exchanged in place."""
    simulation = advance(Simulation(config()), DAY)
    simulation.config = config().with_changes(SIGNALS)
    simulation.signals.parameters = simulation.config.signals
    advance(simulation, LAST)
    with open_run(with_parameters) as made, open_run(parent) as before:
        table = simulation.table()
        for name in made.table:
            np.testing.assert_array_equal(made.table[name], table[name], err_msg=name)
        bone = simulation.tissue.inner(simulation.tissue.lattice.quanta)
        np.testing.assert_array_equal(made.quanta(LAST), bone)
        shared, whole = made.table["day"] <= DAY, before.table
        assert made.table[shared].equals(whole[shared]) and not made.table.equals(whole)


def test_it_states_where_it_comes_from(parent: Path, with_parameters: Path) -> None:
    with open_run(parent) as opened:
        identity = opened.identity()
    with open_run(with_parameters) as opened:
        (record,) = opened.provenance["branches"]
    assert (record["file"], record["parent"], record["day"]) == ("parent.vtkhdf", identity, DAY)
    assert record["changes"] == SIGNALS and record["last_shared_day"] == DAY
    from bonesim.reports.run import text

    line = f"branch    of parent.vtkhdf ({identity[:12]}), from day {DAY} on: "
    assert line + "signals.interval_day = 3; signals.rankl_disuse_gain = 5.0" in text(
        bonesim.info(with_parameters)
    )


def test_its_days_can_be_simulated_again(with_parameters: Path) -> None:
    with open_run(with_parameters) as opened:
        for day in (DAY - 1, LAST):
            opened.snapshot_days.remove(day) if day in opened.snapshot_days else None
            bone = bone_on(opened, day)
        opened.__dict__.pop("snapshot_days")
        np.testing.assert_array_equal(bone, opened.quanta(LAST))


def test_no_configuration_gives_one_with_other_parameters(
    with_parameters: Path, parent: Path, folder: Path
) -> None:
    with pytest.raises(
        InputError, match=r"branch in which signals\.interval_day, signals\.rankl_dis"
    ):
        as_config_or_run(with_parameters)
    dated = bonesim.branch(parent, folder / "dated.vtkhdf", day=DAY, changes=STOP, until_day=DAY)
    assert as_config_or_run(dated) == config().with_changes(STOP)


@pytest.mark.long
def test_it_stops_and_resumes_and_branches_again(
    parent: Path, with_parameters: Path, folder: Path
) -> None:
    half = bonesim.branch(
        parent, folder / "half.vtkhdf", day=DAY, changes=SIGNALS, until_day=DAY + 5
    )
    same = bonesim.branch(half, folder / "same_half.vtkhdf", day=DAY + 5)
    bonesim.resume(half)
    assert content(half) == content(same) == content(with_parameters)
    assert not checkpoint_path(half).exists()
    # Of a complete branch: through both phases again.
    again = bonesim.branch(half, folder / "again.vtkhdf", day=DAY + 5, changes={"title": "again"})
    assert content(again) == content(with_parameters)
    with open_run(again) as opened:
        assert [one["day"] for one in opened.provenance["branches"]] == [DAY, DAY + 5]
        assert opened.title == "again"
    with pytest.raises(InputError, match=r"got 19; .* has days 20 to 32 of its own .*parent"):
        bonesim.branch(half, folder / "no.vtkhdf", day=DAY - 1)


@pytest.mark.parametrize(
    ("day", "changes", "message"),
    (
        (DAY, {"specimen.voxel_um": 20.0}, "specimen.voxel_um acts at the start"),
        (DAY, {"seed": 9}, "seed acts at the start .* allowed protocol, hormones.course"),
        (DAY, {"schedule.burn_in_day": 5}, "schedule.burn_in_day acts"),
        (DAY, {"tissue.mineral.lag_day": 5.0}, "tissue.mineral.lag_day acts"),
        (DAY, {"cells.precursor.block_um": 100.0}, "cells.precursor.block_um acts"),
        (DAY, {"protocol.age_year": 80.0}, "would change day 0 "),
        (DAY, {"protocol.anastrozole.stop_day": DAY - 2}, "would change day 19 .* day 20 or later"),
        (DAY, {"ablation.cuts_day": 10}, "would change day 11 "),
        (DAY, {"protocol.loading.change": [{"start_day": 19, "load_percent": 50.0}]}, "change day 19 "),
        (DAY, {"schedule.duration_day": 9, "schedule.snapshots_day": []}, "duration_day is 9"),
        (LAST + 1, {}, r"got 33; .* has days 0 to 32"),
        (DAY, {"cells.osteoclast.nothing": 1}, "nothing"),
    ),
)  # fmt: skip
def test_what_cannot_be_is_refused(
    parent: Path, folder: Path, day: int, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        bonesim.branch(parent, folder / "refused.vtkhdf", day=day, changes=changes)
    assert "\n" not in str(caught.value)
    assert not (folder / "refused.vtkhdf").exists()


def test_a_parent_whose_days_are_not_those_simulated_again_is_refused(
    parent: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_run(parent) as opened:
        monkeypatch.setattr(opened, "quanta", lambda day: np.zeros(opened.shape, np.uint8))
        with pytest.raises(
            InputError, match="simulated again, its bone on day 0 is not what the file"
        ):
            bonesim.branch(opened, folder / "other.vtkhdf", day=DAY)
    assert not list(folder.glob("*other.vtkhdf*"))


def test_a_record_of_branches_that_is_none(parent: Path, folder: Path) -> None:
    assert ValueError in DAMAGE
    with open_run(parent) as opened:
        opened.__dict__["provenance"] = {**opened.provenance, "branches": [{"config": 3}]}
        with pytest.raises(CorruptFileError, match="its record of branches is none"):
            bonesim.branch(opened, folder / "none.vtkhdf", day=DAY)
