"""A whole run on a failing disk, killed, stopped: never exit 0 with a bad file, nothing lost."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import bonesim
from bonesim.config.config import Config, to_toml, validated
from bonesim.engine import burn_in
from bonesim.engine.days import Observer
from bonesim.engine.run import checkpoint_path, resume, run
from bonesim.engine.simulation import Simulation
from bonesim.errors import BusyError, CorruptFileError, InputError, ResourceError
from bonesim.storage.journaled_file import journal_path
from bonesim.storage.reader import open_run
from bonesim.storage.writer import RunWriter

#: A bone that remodels within days, without mechanics: a run of a second.
TINY: dict[str, Any] = {
    "seed": 5,
    "specimen": {"kind": "synthetic", "size_mm": [0.8, 0.7, 0.75], "voxel_um": 25.0, "seed": 2},
    "schedule": {
        "burn_in_day": 12,
        "duration_day": 20,
        "snapshots_day": [0, 20],
        "checkpoint_every_day": 6,
    },
    "mechanics": {"interval_day": 0},
    "cells": {"bmu": {"origination_per_mm2_per_year": 50.0}},
}
#: The calls of a run at a file.
CALLS = ("open", "read", "pread", "pwrite", "fsync", "ftruncate", "replace", "rename", "unlink")


@pytest.fixture(scope="module")
def tiny() -> Config:
    return validated(TINY, "test")


@pytest.fixture(autouse=True, scope="module")
def no_cache() -> Iterator[None]:
    """Burn-ins are simulated: none is taken from a cache, none can be kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(burn_in, "user_cache_path", lambda _: Path(os.devnull))
        yield


@pytest.fixture(scope="module")
def clean(tiny: Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The content of a run that nothing disturbed."""
    return content(run(tiny, tmp_path_factory.mktemp("clean") / "clean.vtkhdf"))


def content(path: Path) -> str:
    with open_run(path) as opened:
        assert opened.status == "complete"
        return opened.content_hash()


class Disk:
    """Counts the calls of a run at files of one folder; the k-th fails."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, fails: int, number: int) -> None:
        self.folder, self.count, self.fails, self.number = str(folder), 0, fails, number
        self.ours: set[int] = set()
        self.calls: list[str] = []
        self.failed = ""
        for name in CALLS:
            patch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, real: Any) -> Any:
        def call(first: Any, *rest: Any, **more: Any) -> Any:
            ours = first in self.ours if isinstance(first, int) else self.folder in os.fspath(first)
            if ours:
                self.count += 1
                self.calls.append(name)
                if self.count == self.fails:
                    self.failed = name
                    raise OSError(self.number, os.strerror(self.number))
            result = real(first, *rest, **more)
            if name == "open":
                (self.ours.add if ours else self.ours.discard)(result)
            return result

        return call


def with_a_fault(
    tiny: Config, folder: Path, fails: int, number: int
) -> tuple[BaseException | None, Disk]:
    """A run on a disk whose `fails`-th call fails once; how it ended."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(folder, patch, fails, number)
        try:
            run(tiny, folder / "out.vtkhdf")
        except BaseException as error:
            return error, disk
    return None, disk


def assert_no_fault_deceives(
    tiny: Config, clean: str, folder: Path, chosen: Iterable[int], number: int
) -> None:
    """A failing call ends the run with one line, and `resume` makes up for it."""
    for fails in chosen:
        error, disk = with_a_fault(tiny, folder, fails, number)
        assert disk.failed
        path = folder / "out.vtkhdf"
        if error is not None:
            assert isinstance(error, ResourceError), (fails, disk.failed, repr(error))
            assert "\n" not in str(error)
            _make_up_for_it(tiny, path)
        assert content(path) == clean, (fails, disk.failed)
        allowed = {path, checkpoint_path(path), journal_path(path)}
        assert set(folder.iterdir()) <= allowed, (fails, disk.failed)
        shutil.rmtree(folder)


def _make_up_for_it(tiny: Config, path: Path) -> None:
    """Resume a run, or run it again if nothing was saved yet."""
    try:
        resume(path)
    except InputError as refused:
        if "complete" not in str(refused):
            assert not path.exists() or not checkpoint_path(path).exists()
            run(tiny, path, overwrite=True)


@pytest.mark.long
def test_no_failing_call_ends_well_with_a_bad_file(
    tiny: Config, clean: str, tmp_path: Path
) -> None:
    """Of each kind of call one that is early and one that is late."""
    calls = with_a_fault(tiny, tmp_path / "all", 0, 0)[1].calls
    # Without a path of the folder `open` may be first; `rename` is `replace` here.
    assert {"open", "pread", "pwrite", "fsync", "ftruncate", "replace", "unlink"} <= set(calls)
    chosen = set()
    for name in set(calls):
        places = [n for n, one in enumerate(calls, 1) if one == name]
        chosen |= {places[len(places) // 4], places[-1 - len(places) // 5]}
    for n, number in enumerate((errno.EIO, errno.ENOSPC)):
        some = sorted(chosen)[n::2]
        assert_no_fault_deceives(tiny, clean, tmp_path / "faulty", some, number)


@pytest.mark.slow
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("first", range(1, 9))
def test_no_failing_call_at_all_ends_well_with_a_bad_file(
    tiny: Config, clean: str, tmp_path: Path, number: int, first: int
) -> None:
    """Every call, an eighth of them at a time."""
    count = with_a_fault(tiny, tmp_path / "all", 0, 0)[1].count
    assert_no_fault_deceives(tiny, clean, tmp_path / "faulty", range(first, count + 1, 8), number)


#: Runs a config and dies at the k-th call of the disk, as by SIGKILL.
DIES = """
import os, sys
from pathlib import Path
from bonesim.config.config import load_config
from bonesim.engine import burn_in
from bonesim.engine.run import resume, run
config, path, left = sys.argv[1], Path(sys.argv[2]), [int(sys.argv[3])]
burn_in.user_cache_path = lambda _: Path(os.devnull)
def dying(name):
    real = getattr(os, name)
    def call(*arguments):
        left[0] -= 1
        if left[0] == 0:
            if name == "pwrite":
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2], arguments[2])
            os.kill(os.getpid(), 9)
        return real(*arguments)
    return call
for name in ("pwrite", "fsync", "ftruncate", "replace", "unlink"):
    setattr(os, name, dying(name))
resume(path) if path.exists() else run(load_config(config), path)
"""


def assert_kills_lose_nothing(
    tiny: Config, clean: str, tmp_path: Path, kills: Iterable[int]
) -> int:
    """Kill a run at a call, copy its folder, and go on in the copy; how many left a journal."""
    config = tmp_path / "c.toml"
    config.write_text(to_toml(tiny))
    journals = 0
    for number, kill in enumerate(kills):
        folder, copied = tmp_path / "killed", tmp_path / "copied"
        folder.mkdir()
        path = folder / "out.vtkhdf"
        command = [sys.executable, "-c", DIES, str(config), str(path), str(kill)]
        code = subprocess.run(command, check=False).returncode
        assert code in (0, -9)
        journals += journal_path(path).exists()
        # A copy has other inodes and times.
        shutil.copytree(folder, copied)
        if path.exists():
            with open_run(copied / path.name) as opened:
                days, status = opened.last_day, opened.status
                opened.content_hash()
            assert status in ("running", "interrupted", "complete")
            if number % 3 == 0 and journal_path(path).exists():
                # The file copied again over another: its journal is still its own.
                (copied / path.name).unlink()
                shutil.copy(path, copied / path.name)
        place = copied / path.name
        if code == 0 or (path.exists() and status == "complete"):
            assert content(place) == clean
        elif place.exists() and checkpoint_path(place).exists():
            resume(place)
            assert content(place) == clean, kill
        else:
            # Killed before its first checkpoint: nothing was there to be lost.
            assert not place.exists() or days is None
        shutil.rmtree(folder)
        shutil.rmtree(copied)
    return journals


@pytest.mark.long
def test_a_folder_copied_after_a_kill_can_be_read_and_resumed(
    tiny: Config, clean: str, tmp_path: Path
) -> None:
    assert_kills_lose_nothing(tiny, clean, tmp_path, (60, 143, 200))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, 9))
def test_folders_copied_after_many_kills(
    tiny: Config, clean: str, tmp_path: Path, first: int
) -> None:
    """200 kills, an eighth of them at a time."""
    assert assert_kills_lose_nothing(tiny, clean, tmp_path, range(first, 201, 8)) > 2


def test_a_run_killed_in_its_burn_in_goes_on_there(
    tiny: Config, clean: str, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    class Killer(Observer):
        def on_day(self, simulation: Simulation) -> None:
            if simulation.day == -3:
                raise Killed

    path, days = tmp_path / "out.vtkhdf", []

    class Days(Observer):
        def on_day(self, simulation: Simulation) -> None:
            days.append(simulation.day)

    with pytest.raises(Killed):
        run(tiny, path, observers=[Killer()])
    with open_run(path) as opened:
        assert (opened.status, opened.last_day, opened.snapshot_days) == ("running", None, [])
        assert "day none" in repr(opened)
        with pytest.raises(InputError, match="burn-in"):
            bonesim.info(opened)
    resume(path, observers=[Days()])
    assert days == list(range(-5, 21))
    assert content(path) == clean


def test_a_signal_in_the_burn_in_is_heeded_within_a_day(
    tiny: Config, clean: str, tmp_path: Path
) -> None:
    class Stopper(Observer):
        def on_day(self, simulation: Simulation) -> None:
            if simulation.day == -7:
                os.kill(os.getpid(), signal.SIGTERM)

    path = tmp_path / "out.vtkhdf"
    with pytest.raises(bonesim.Stopped) as stopped:
        run(tiny, path, observers=[Stopper()])
    assert (stopped.value.number, stopped.value.day) == (signal.SIGTERM, -7)
    assert stopped.value.in_burn_in
    with open_run(path) as opened:
        assert opened.status == "interrupted"
    resume(path)
    assert content(path) == clean


def test_resume_through_a_link(tiny: Config, clean: str, tmp_path: Path) -> None:
    path = run(tiny, tmp_path / "out.vtkhdf", until_day=9)
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.vtkhdf"
    link.symlink_to(path)
    resume(link)
    assert link.is_symlink()
    assert content(path) == content(link) == clean
    with pytest.raises(InputError, match="is a link"):
        run(tiny, link, overwrite=True)


def test_links_planted_beside_an_output_are_not_followed(
    tiny: Config, clean: str, tmp_path: Path
) -> None:
    path, secret = tmp_path / "out.vtkhdf", tmp_path / "secret"
    secret.write_bytes(b"secret")
    for name in (".out.vtkhdf.new", ".out.vtkhdf.checkpoint.tmp", ".out.vtkhdf.journal.tmp"):
        (tmp_path / name).symlink_to(secret)
    run(tiny, path)
    assert content(path) == clean
    (tmp_path / "out.vtkhdf.lock").symlink_to(secret)
    with pytest.raises(InputError, match="symbolic link"):
        run(tiny, path, overwrite=True)
    assert secret.read_bytes() == b"secret"


def test_a_second_ctrl_c_ends_quietly(tiny: Config, tmp_path: Path) -> None:
    config, path = tmp_path / "c.toml", tmp_path / "out.vtkhdf"
    config.write_text(to_toml(tiny.with_changes({"schedule.duration_day": 40000})))
    command = [sys.executable, "-m", "bonesim", "run", str(config), "-o", str(path), "-q"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not checkpoint_path(path).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    for _ in range(6):
        os.kill(process.pid, signal.SIGINT)
        time.sleep(0.001)
    _, printed = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed.count("\n") == 1
    with open_run(path) as opened:
        opened.content_hash()


def test_a_file_being_written_is_busy_not_damaged(tiny: Config, tmp_path: Path) -> None:
    """The state of the disk within a commit, while its writer holds the lock."""
    path = run(tiny, tmp_path / "out.vtkhdf", until_day=9)
    whole = path.read_bytes()
    with RunWriter.reopen(path):
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(BusyError, match="is being written") as busy:
            open_run(path)
        assert busy.value.exit_code == 6
    with pytest.raises(CorruptFileError, match="is damaged"):
        open_run(path)
