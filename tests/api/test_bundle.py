"""A bundle holds what it states: files with their SHA-256, a config that runs, a crate that validates."""

import csv
import hashlib
import importlib.util
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bonesim
from bonesim.errors import InputError

VALIDATOR = Path(__file__).with_name("crate_validator.py")
SCHEDULE = {"burn_in_day": 0, "duration_day": 10, "snapshots_day": [0, 10]}


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a scan in a folder whose name must not be in the bundle."""
    folder = tmp_path_factory.mktemp("secret_name")
    bone = np.zeros((40, 40, 40), np.uint8)
    bone[:, 12:20] = 255
    np.save(folder / "scan.npy", bone)
    config = {
        "title": "a scan", "mechanics": {"interval_day": 0}, "schedule": SCHEDULE,
        "specimen": {"kind": "scan", "path": str(folder / "scan.npy"), "voxel_um": 20.0},
    }  # fmt: skip
    return bonesim.run(config, folder / "run.vtkhdf")


def graph_of(crate: Path) -> dict[str, dict[str, Any]]:
    with zipfile.ZipFile(crate) as archive:
        found = json.loads(archive.read("ro-crate-metadata.json"))
    return {one["@id"]: one for one in found["@graph"]}


def test_every_file_is_described_and_as_described(scanned: Path, tmp_path: Path) -> None:
    crate = bonesim.bundle(scanned, tmp_path / "run.zip", licence="CC-BY-4.0", author="A. Nobody")
    graph = graph_of(crate)
    parts = {part["@id"] for part in graph["./"]["hasPart"]}
    with zipfile.ZipFile(crate) as archive:
        assert parts == set(archive.namelist()) - {"ro-crate-metadata.json"}
        for name in parts:
            data = archive.read(name)
            assert graph[name]["sha256"] == hashlib.sha256(data).hexdigest()
            assert graph[name]["contentSize"] == str(len(data))
            if name != "run.vtkhdf":
                assert b"secret_name" not in data, name
        archive.extractall(tmp_path / "out")
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("tables/columns.csv"))))
    assert {row["unit"] for row in rows if row["column"] == "bvtv_percent"} == {"%"}
    assert graph["./"]["license"]["@id"] == "https://spdx.org/licenses/CC-BY-4.0"
    assert graph["./"]["author"]["@id"] == "#author"
    out = tmp_path / "out"
    assert (out / "run.vtkhdf").read_bytes() == scanned.read_bytes()
    assert (out / "inputs/scan.npy").read_bytes() == (scanned.parent / "scan.npy").read_bytes()
    again = bonesim.run(out / "config.toml", tmp_path / "again.vtkhdf")
    with bonesim.open_run(again) as repeated, bonesim.open_run(scanned) as first:
        assert repeated.content_hash() == first.content_hash()


def test_the_same_run_gives_the_same_bytes(scanned: Path, tmp_path: Path) -> None:
    one, other = (bonesim.bundle(scanned, tmp_path / f"{n}.zip") for n in (1, 2))
    assert one.read_bytes() == other.read_bytes()
    assert graph_of(one)["#licence"]["name"] == "No licence stated"
    with pytest.raises(InputError, match="exists"):
        bonesim.bundle(scanned, one)
    with pytest.raises(InputError, match=r"ends in .zip"):
        bonesim.bundle(scanned, tmp_path / "a.tar")


def test_an_input_that_changed_since_is_left_out(tmp_path: Path) -> None:
    bone = np.zeros((40, 40, 40), np.uint8)
    bone[:, 12:20] = 255
    np.save(tmp_path / "scan.npy", bone)
    config = {
        "mechanics": {"interval_day": 0}, "schedule": SCHEDULE,
        "specimen": {"kind": "scan", "path": str(tmp_path / "scan.npy"), "voxel_um": 20.0},
    }  # fmt: skip
    run = bonesim.run(config, tmp_path / "run.vtkhdf")
    np.save(tmp_path / "scan.npy", bone[::-1] // 2)
    graph = graph_of(bonesim.bundle(run, tmp_path / "run.zip"))
    assert not [name for name in graph if name.startswith("inputs/")]


@pytest.mark.long
@pytest.mark.skipif(
    importlib.util.find_spec("rocrate_validator") is None
    or importlib.util.find_spec("rocrate") is None,
    reason="roc-validator and rocrate are not installed (extra dev)",
)
def test_the_crate_meets_ro_crate_1_2(scanned: Path, tmp_path: Path) -> None:
    """No required rule is broken; a crate without its root's name breaks one."""
    crate = bonesim.bundle(scanned, tmp_path / "run.zip", licence="CC-BY-4.0")
    assert issues(crate) == []
    with zipfile.ZipFile(crate) as archive:
        archive.extractall(tmp_path / "broken")
    place = tmp_path / "broken" / "ro-crate-metadata.json"
    metadata = json.loads(place.read_text())
    next(one for one in metadata["@graph"] if one["@id"] == "./").pop("license")
    place.write_text(json.dumps(metadata))
    assert issues(tmp_path / "broken")


def issues(crate: Path) -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(VALIDATOR), str(crate), "REQUIRED"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["passed"] is (not found["issues"])
    return list(found["issues"])
