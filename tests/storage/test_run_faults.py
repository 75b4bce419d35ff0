"""A whole run on a failing disk, killed, stopped: never exit 0 with a bad file, nothing lost."""

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from bonesim.config.config import Config, to_toml, validated
from bonesim.engine import burn_in
from bonesim.engine.run import checkpoint_path, resume, run
from bonesim.errors import BonesimError, CorruptFileError, InputError, ResourceError
from bonesim.storage.journaled_file import journal_path
from bonesim.storage.reader import open_run

#: A bone that remodels within days, without mechanics: a run of a second.
TINY: dict[str, Any] = {
    "seed": 5,
    "specimen": {"kind": "synthetic", "size_mm": [0.8, 0.7, 0.75], "voxel_um": 25.0, "seed": 2},
    "schedule": {
        "burn_in_day": 30,
        "duration_day": 40,
        "snapshots_day": [0, 20, 40],
        "checkpoint_every_day": 10,
    },
    "mechanics": {"interval_day": 0},
    "cells": {"bmu": {"origination_per_mm2_per_year": 50.0}},
}
#: The calls of a run at a file.
CALLS = ("open", "read", "pread", "pwrite", "fsync", "ftruncate", "replace", "rename", "unlink")


@pytest.fixture(scope="module")
def tiny() -> Config:
    return validated(TINY, "test")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Burn-ins are simulated: none is taken from a cache, none is kept for others."""
    monkeypatch.setattr(burn_in, "user_cache_path", lambda _: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def clean(tiny: Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The content of a run that nothing disturbed."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("clean")
        patch.setattr(burn_in, "user_cache_path", lambda _: folder)
        return content(run(tiny, folder / "clean.vtkhdf"))


def content(path: Path) -> str:
    with open_run(path) as opened:
        assert opened.status == "complete"
        return opened.content_hash()


class Disk:
    """Counts the calls of a run at files of one folder; the k-th fails."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, fails: int, number: int) -> None:
        self.folder, self.count, self.fails, self.number = str(folder), 0, fails, number
        self.ours: set[int] = set()
        self.failed = ""
        for name in CALLS:
            patch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, real: Any) -> Any:
        def call(first: Any, *rest: Any, **more: Any) -> Any:
            ours = first in self.ours if isinstance(first, int) else self.folder in os.fspath(first)
            if ours:
                self.count += 1
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


def assert_no_fault_deceives(tiny: Config, clean: str, tmp_path: Path, stride: int) -> None:
    """Every `stride`-th call fails, with EIO and ENOSPC in turn."""
    _, disk = with_a_fault(tiny, tmp_path / "all", 0, 0)
    calls, ended = disk.count, set()
    assert calls > 100
    for fails in range(1, calls + 1, stride):
        number = (errno.EIO, errno.ENOSPC)[fails // stride % 2]
        folder = tmp_path / str(fails)
        error, disk = with_a_fault(tiny, folder, fails, number)
        assert disk.failed
        ended.add((type(error).__name__, disk.failed))
        path = folder / "out.vtkhdf"
        if error is not None:
            assert isinstance(error, ResourceError), (fails, disk.failed, repr(error))
            assert "\n" not in str(error)
            try:
                resume(path)
            except InputError as refused:
                if "complete" not in str(refused):
                    # Nothing was saved yet.
                    assert not path.exists() or not checkpoint_path(path).exists()
                    run(tiny, path, overwrite=True)
        assert content(path) == clean, (fails, disk.failed)
        assert {one.name for one in folder.iterdir()} <= {path.name, checkpoint_path(path).name}
        shutil.rmtree(folder)
    assert ("ResourceError", "pread") in ended
    assert ("ResourceError", "pwrite") in ended


def test_no_failing_call_ends_well_with_a_bad_file(
    tiny: Config, clean: str, tmp_path: Path
) -> None:
    assert_no_fault_deceives(tiny, clean, tmp_path, 29)


@pytest.mark.slow
def test_no_failing_call_at_all_ends_well_with_a_bad_file(
    tiny: Config, clean: str, tmp_path: Path
) -> None:
    assert_no_fault_deceives(tiny, clean, tmp_path, 1)
