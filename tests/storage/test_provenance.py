"""Provenance records versions and seed, and nothing about whose machine it was."""

import json
from datetime import UTC, datetime

import h5py
import numpy as np
import pytest

from bonesim.storage.provenance import provenance


def test_versions_seed_and_time() -> None:
    record = provenance(7, ["scan a.tif, 3 voxels"], ["bonesim", "run", "a.toml"])
    assert (record["seed"], record["notes"]) == (7, ["scan a.tif, 3 voxels"])
    assert (record["numpy"], record["h5py"]) == (np.__version__, h5py.__version__)
    assert record["command"] == ["bonesim", "run", "a.toml"]
    age = datetime.now(UTC) - datetime.fromisoformat(record["created"])
    assert -2 < age.total_seconds() < 60
    assert json.loads(json.dumps(record)) == record


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/home/jo/bin/bonesim", "bonesim"),
        ("--bone=/home/jo/my scans/a.tif", "--bone=a.tif"),
        ("~/scans/a.tif", "a.tif"),
        (r"C:\Users\jo\a.tif", "a.tif"),
        ("../scans/a.tif", "../scans/a.tif"),
        ("configs/a.toml", "configs/a.toml"),
        ("cells.rate_per_day=1/3", "cells.rate_per_day=1/3"),
    ],
)
def test_folders_of_absolute_paths_are_left_out(given: str, kept: str) -> None:
    assert provenance(1, [], [given])["command"] == [kept]


def test_notes_keep_units_and_lose_folders() -> None:
    notes = ["read /home/jo/a.tif, BV/TV 0.1", "20 um / voxel, 1/mm3"]
    assert provenance(1, notes, [])["notes"] == ["read a.tif, BV/TV 0.1", "20 um / voxel, 1/mm3"]
