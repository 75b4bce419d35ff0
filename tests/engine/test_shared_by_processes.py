"""Processes that need one burn-in at once: one simulates it, the others wait and take its end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bonesim.config.config import Config
from bonesim.engine import burn_in
from bonesim.engine.days import Observer
from bonesim.engine.run import Stopped, checkpoint_path, resume, run
from bonesim.errors import BusyError
from bonesim.specimens import make_specimen
from bonesim.specimens.specimen import Specimen
from bonesim.storage import lock
from bonesim.storage.lock import WriteLock
from bonesim.storage.reader import open_run

ROOT = Path(__file__).parents[2]
#: Prints how many days of the burn-in this process simulated, and what the bone weighs on day 0.
PROGRAM = """
import json, sys
from bonesim.config.config import validated
from bonesim.engine.burn_in import equilibrated
from bonesim.specimens import make_specimen
config = validated(json.loads(sys.argv[1]), "test")
bone = make_specimen(config.specimen)
print("ready", flush=True)
sys.stdin.readline()
days, waits = [], []
simulation, found = equilibrated(config, bone, days.append, on_wait=waits.append)
print(json.dumps([len(days), len(waits), found, simulation.bone_quanta()]))
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of burn-ins of its own, for processes that are started too."""
    monkeypatch.setattr(burn_in, "user_cache_path", lambda _: tmp_path / "bonesim")
    return tmp_path


@pytest.fixture
def long(small: Config) -> Config:
    """So long a burn-in that a second process finds the first one at work."""
    return small.with_changes({"schedule.burn_in_day": 300, "mechanics.interval_day": 0})


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the cache is moved by XDG_CACHE_HOME")
def test_two_processes_at_once_simulate_it_once(long: Config, tmp_path: Path) -> None:
    from bonesim.kernel import cache_folder

    environment = os.environ | {
        "XDG_CACHE_HOME": str(tmp_path), "NUMBA_CACHE_DIR": str(cache_folder().parent),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-c", PROGRAM, long.model_dump_json()]
    both = [
        subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    for one in both:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in both:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    answers = [json.loads(one.communicate(timeout=300)[0]) for one in both]
    first, second = sorted(answers)
    assert [first[0], second[0]] == [0, 300], "days simulated by each"
    assert [first[2], second[2]] == [True, False]
    assert first[1] > 0, "it waited"
    assert first[3] == second[3], "the bone on day 0"


def held(cache: Path, small: Config, bone: Specimen) -> WriteLock:
    """The right to simulate the burn-in of a config, as another process would have it."""
    from bonesim.engine.simulation import Simulation

    key = burn_in.burn_in_key(Simulation(small, bone))
    folder = cache / "bonesim" / "burn_in"
    folder.mkdir(parents=True, exist_ok=True)
    return WriteLock(folder / f"{key}.checkpoint")


class Notes(Observer):
    """Keeps notes; calls something at the first one that matches."""

    def __init__(self, match: str, then: Callable[[], None]) -> None:
        self.notes: list[str] = []
        self.match, self.then = match, then

    def note(self, text: str) -> None:
        self.notes.append(text)
        if self.match in text:
            self.then()


def test_if_the_other_dies_it_is_simulated_here(cache: Path, small: Config) -> None:
    bone = make_specimen(small.specimen)
    lock = held(cache, small, bone)
    days: list[object] = []
    simulation, found = burn_in.equilibrated(
        small, bone, days.append, on_wait=lambda _: lock.release()
    )
    assert (found, len(days), simulation.day) == (False, 30, 0)
    assert not list(cache.rglob("*.lock"))


def test_a_run_that_waits_says_so_and_can_be_stopped_and_resumed(
    cache: Path, small: Config, tmp_path: Path
) -> None:
    bone, place = make_specimen(small.specimen), tmp_path / "a.vtkhdf"
    lock = held(cache, small, bone)
    observer = Notes("waiting", lambda: os.kill(os.getpid(), signal.SIGTERM))
    begun = time.monotonic()
    with pytest.raises(Stopped) as stopped:
        run(small, place, specimen=bone, observers=[observer])
    assert time.monotonic() - begun < 60.0
    assert stopped.value.in_burn_in and checkpoint_path(place).is_file()
    assert sum("another process simulates this burn-in" in note for note in observer.notes) == 1
    lock.release()
    resume(place)
    calm = run(small, tmp_path / "b.vtkhdf", specimen=bone)
    with open_run(place) as one, open_run(calm) as other:
        assert one.status == "complete"
        assert one.table.equals(other.table)


def test_without_locks_everyone_simulates(
    cache: Path, small: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Path) -> WriteLock:
        raise OSError(37, "no locks available")

    monkeypatch.setattr(lock, "WriteLock", refused)
    days: list[object] = []
    _, found = burn_in.equilibrated(small, make_specimen(small.specimen), days.append)
    assert (found, len(days)) == (False, 30)


def test_the_lock_is_that_of_the_file(cache: Path, small: Config) -> None:
    """Held in one process it is held for all."""
    bone = make_specimen(small.specimen)
    lock = held(cache, small, bone)
    with pytest.raises(BusyError):
        held(cache, small, bone)
    lock.release()
