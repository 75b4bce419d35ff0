"""Checkpoints whose hash is right and whose content is not: refused, or harmless; never a crash."""

import hashlib
import io
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_run_faults import TINY

from bonesim.cells.site import ARRESTED
from bonesim.config.config import validated
from bonesim.engine import burn_in
from bonesim.engine.days import advance
from bonesim.engine.run import checkpoint_path, resume, run
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import put_back_from, state_of
from bonesim.errors import BonesimError, CorruptFileError, InputError
from bonesim.specimens import make_specimen
from bonesim.storage import checkpoint

#: Long enough to have cavities, cells of all kinds and events.
BUSY: dict[str, Any] = TINY | {
    "schedule": {"burn_in_day": 60, "duration_day": 8, "checkpoint_every_day": 100},
    "mechanics": {"interval_day": 30},
    "specimen": {**TINY["specimen"], "preset": "young_vertebra"},
    "cells": {**TINY["cells"], "osteoblast": {"reversal_day": 10.0}},
}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run stopped at day 5, with its checkpoint."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(burn_in, "user_cache_path", lambda _: Path(os.devnull))
        folder = tmp_path_factory.mktemp("stopped")
        path = run(validated(BUSY, "test"), folder / "out.vtkhdf", until_day=5)
    state, _ = checkpoint.load(checkpoint_path(path))
    assert state["cavities"]["records"]["alive"].sum() > 100
    for table in state["populations"].values():
        assert table["alive"].sum() > 0
    return path


def assert_none_crashes(stopped: Path, seeds: range) -> None:
    """Each mutation is refused or taken; the process that tries them ends well."""
    program = Path(__file__).with_name("state_mutations.py")
    command = [sys.executable, str(program), str(stopped), *map(str, seeds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    assert len(lines) == len(seeds)
    refused = sum(line.endswith(": refused") for line in lines)
    assert refused > len(seeds) // 4


def test_a_long_history_is_sound() -> None:
    """Arrested sites outlive their BMU, whose row is free or another one's by then."""
    tree = {
        "seed": 3,
        "specimen": {"kind": "synthetic", "size_mm": [0.8, 0.8, 0.8], "seed": 4},
        "mechanics": {"interval_day": 0},
        "cells": {"osteoblast": {"arrest_day": 60.0}},
        "schedule": {"burn_in_day": 2000, "duration_day": 20},
    }
    config = validated(tree, "test")
    bone = make_specimen(config.specimen)
    simulation = Simulation(config, bone)
    orphans = 0
    for day in (-1000, -600, -500):
        advance(simulation, day)
        state = state_of(simulation)
        put_back_from(Path("state"), Simulation(config, bone), state)
        sites, bmus = state["cavities"]["sites"], state["populations"]["bmus"]
        of_bmu = (sites["alive"] == 1) & (sites["bmu"] >= 0)
        orphan = of_bmu.copy()
        row = sites["bmu"][of_bmu]
        orphan[of_bmu] = (bmus["alive"][row] == 0) | (bmus["id"][row] != sites["bmu_id"][of_bmu])
        assert np.all(sites["phase"][orphan] == ARRESTED)
        orphans += int(orphan.sum())
    assert orphans > 0


@pytest.mark.long
def test_mutated_states_are_refused_or_harmless(stopped: Path) -> None:
    assert_none_crashes(stopped, range(15))


@pytest.mark.slow
def test_many_mutated_states_are_refused_or_harmless(stopped: Path) -> None:
    assert_none_crashes(stopped, range(100, 1600))


def _set(group: str, name: str, value: Any, row: int | None = None) -> Callable[[Any], None]:
    def change(state: Any) -> None:
        for part in filter(None, group.split("/")):
            state = state[part]
        if row is None:
            state[name] = value
        else:
            alive = np.flatnonzero(state["alive"] == 1) if "alive" in state else [0]
            state[name][alive[row]] = value

    return change


def _cycle(state: Any) -> None:
    """A list of records without an end."""
    records = state["cavities"]["records"]
    first = int(state["cavities"]["sites"]["first"].max())
    records["next"][first] = first


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set("populations/osteoclasts", "voxel", 2**30, 0), "osteoclasts/voxel"),
        (_set("populations/osteocytes", "voxel", 0, 0), "osteocytes/voxel is outside"),
        (_set("populations/osteoclasts", "site", -1, 0), "osteoclasts/site"),
        (_set("populations/bmus", "z", 1e6, 0), "bmus/z"),
        (_set("populations/bmus", "nz", 50.0, 0), "unit vector"),
        (_set("cavities/sites", "bmu", 2**30, 0), "sites/bmu"),
        (_set("cavities/sites", "phase", 9, 0), "sites/phase"),
        (_set("cavities/records", "next", 2**30, 0), "records/next"),
        (_cycle, "records/"),
        (_set("tissue", "owner", np.zeros(0, np.int32)), "tissue/owned"),
        (_set("tissue", "surface", np.zeros(0, np.int32)), "tissue/surface"),
        (_set("", "day", 9), "day is 9"),
        (_set("", "day", -61), "day is -61"),
        (_set("", "osteocytes_viable", 1), "osteocytes_viable"),
        (_set("signals/fields", "rankl", np.zeros(3, np.float32)), "signals/fields/rankl is"),
        (_set("mechanics/memory/case_0", "places", np.full((1, 3), 99, "i2")), "case_0"),
        (_set("events", "row_voxel", np.full(1, 2**40)), "events"),
        (_set("response", "deficit", float("nan")), "response/deficit"),
        (_set("counting/table", "day", np.arange(3)), "counting/table"),
    ],
)
def test_a_wrong_value_is_named(
    stopped: Path, tmp_path: Path, change: Callable[[Any], None], reason: str
) -> None:
    path = tmp_path / "out.vtkhdf"
    path.write_bytes(stopped.read_bytes())
    state, meta = checkpoint.load(checkpoint_path(stopped))
    change(state)
    checkpoint.save(checkpoint_path(path), state, meta)
    before = path.read_bytes()
    with pytest.raises(CorruptFileError, match=reason) as error:
        resume(path)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == before


def _archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    payload = buffer.getvalue()
    return checkpoint.MAGIC + hashlib.sha256(checkpoint.MAGIC + payload).digest() + payload


INDEX = b'{"meta": {}, "numbers": {}, "empty": []}'
NPY = b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,), }"


@pytest.mark.parametrize(
    "members",
    [
        {"__index__": INDEX, "bomb": bytes(2**27)},
        {"__index__": INDEX, "huge": NPY.ljust(127) + b"\n"},
        {"__index__": INDEX, "/".join("a" * 3000): NPY},
        {"__index__": b"[" * 100000},
        {"__index__": b'{"meta": 3, "numbers": [], "empty": 4}'},
        {"__index__": b'{"meta": {}, "numbers": {"a": 1, "a/b": 2}, "empty": []}'},
        {},
    ],
)
def test_bombs_and_foreign_archives_are_refused(tmp_path: Path, members: dict[str, bytes]) -> None:
    path = tmp_path / "a.checkpoint"
    path.write_bytes(_archive(members))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CorruptFileError) as error:
        checkpoint.load(path)
    assert "\n" not in str(error.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 100_000


def test_a_checkpoint_of_another_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    line = b"bonesim checkpoint 9\n"
    path.write_bytes(line + hashlib.sha256(line + b"x").digest() + b"x")
    with pytest.raises(checkpoint.EarlierVersionError, match="checkpoint 9"):
        checkpoint.load(path)


def test_pipes_and_devices_are_no_checkpoint(stopped: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.vtkhdf"
    path.write_bytes(stopped.read_bytes())
    os.mkfifo(checkpoint_path(path))
    with pytest.raises(BonesimError, match="named pipe"):
        resume(path)
    checkpoint_path(path).unlink()
    checkpoint_path(path).symlink_to("/dev/zero")
    with pytest.raises(InputError, match="device"):
        resume(path)
