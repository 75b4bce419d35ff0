"""The bone of a day that is not on file: simulated again, checked against what is on file."""

from pathlib import Path

import numpy as np
import pytest

from bonesim.config.config import validated
from bonesim.engine.days import Observer
from bonesim.engine.replay import bone_on
from bonesim.engine.run import run
from bonesim.engine.simulation import Simulation
from bonesim.errors import InputError
from bonesim.specimens.specimen import Specimen
from bonesim.storage.reader import Run, open_run
from bonesim.units import BONE

CONFIG = {
    "title": "again",
    "specimen": {"kind": "synthetic", "size_mm": [0.9, 0.9, 0.9], "seed": 2},
    "hormones": {"course": {"kind": "stepped", "steps": [{"start_day": 0, "e2_pg_per_ml": 7.0}]}},
    "schedule": {"burn_in_day": 20, "duration_day": 90, "snapshots_day": [0, 30, 90]},
}


class Days(Observer):
    """The days simulated, and the notes."""

    def __init__(self) -> None:
        self.days: list[int] = []
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def on_day(self, simulation: Simulation) -> None:
        self.days.append(simulation.day)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(validated(CONFIG, "test"), tmp_path_factory.mktemp("replay") / "a.vtkhdf")


def voxel_of(opened: Run, row: int) -> tuple[int, ...]:
    event = opened.events.iloc[row]
    return tuple(int(event[f"{axis}_um"] / opened.voxel_um) for axis in "zyx")


def test_an_event_s_voxel_opens_on_its_day(whole: Path) -> None:
    with open_run(whole) as opened:
        kinds = opened.events["kind"].astype(str).isin(["plate_perforation", "strut_cut"])
        days = opened.events["day"].to_numpy()
        row = int(np.flatnonzero(kinds & (days > 31) & (days < 89))[0])
        day, place, observer = int(days[row]), voxel_of(opened, row), Days()
        assert bone_on(opened, day - 1)[place] >= BONE
        assert bone_on(opened, day, [observer])[place] < BONE
        assert observer.days[-1] == day
        assert observer.notes[0].startswith(f"simulating to day {day} again: about")


def test_what_is_on_file_is_read(whole: Path) -> None:
    with open_run(whole) as opened:
        observer = Days()
        np.testing.assert_array_equal(bone_on(opened, 30, [observer]), opened.quanta(30))
        assert observer.days == []
        with pytest.raises(InputError, match="day 91 is not within its schedule, 0 to 90"):
            bone_on(opened, 91)


def test_a_checkpoint_saves_the_days_before_it(whole: Path, tmp_path: Path) -> None:
    part = run(validated(CONFIG, "test"), tmp_path / "part.vtkhdf", until_day=40)
    with open_run(part) as opened, open_run(whole) as all_of_it:
        observer = Days()
        bone = bone_on(opened, 45, [observer])
        assert observer.days == list(range(41, 46))
        np.testing.assert_array_equal(bone, bone_on(all_of_it, 45))
        early = Days()
        bone_on(opened, 35, [early])
        assert early.days[-1] == 35
        assert 1 in early.days, "the checkpoint is too late: from day 0 on"


def test_another_bone_is_refused(tmp_path: Path) -> None:
    """A specimen that was handed over is not what the configuration describes."""
    config = validated({**CONFIG, "schedule": {**CONFIG["schedule"], "burn_in_day": 0}}, "test")  # type: ignore[dict-item]
    made = Simulation(config).specimen
    other = Specimen(np.ascontiguousarray(made.quanta[::-1]), made.voxel_um, "mirrored", ())
    path = run(config, tmp_path / "b.vtkhdf", until_day=3, specimen=other)
    (tmp_path / "b.vtkhdf.checkpoint").unlink()
    with open_run(path) as opened, pytest.raises(InputError, match="its bone on day 0 is not what"):
        bone_on(opened, 2)
