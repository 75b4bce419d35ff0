"""The commands on a tiny bone, as a user types them."""

import csv
import io
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest


def bonesim(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bonesim", *map(str, arguments)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "c.toml").write_text(
        'title = "tiny"\n[specimen]\nkind = "synthetic"\nsize_mm = [1.0, 1.0, 1.0]\n'
        "[schedule]\nburn_in_day = 0\nduration_day = 40\nsnapshots_day = [0, 20, 40]\n"
    )
    done = bonesim("run", folder / "c.toml", "-o", folder / "a.vtkhdf")
    assert done.stdout == ""
    assert "voxels" in done.stderr
    return folder / "a.vtkhdf"


def test_help_is_quick() -> None:
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        assert "resume" in bonesim("--help").stdout
        best = min(best, time.perf_counter() - begun)
    # The target is 0.5 s; what makes it slow is importing, and that costs seconds.
    assert best < 1.5


def test_info(tiny: Path) -> None:
    said = bonesim("info", tiny).stdout
    assert "tiny" in said
    assert "complete" in said
    assert "BV/TV" in said


def test_measure_as_csv(tiny: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(bonesim("measure", tiny, "--csv", "-").stdout)))
    assert {row["day"] for row in rows} == {"0", "20", "40"}
    thickness = next(row for row in rows if row["measure"] == "tb_th_um")
    assert 60 < float(thickness["value"]) < 300
    assert thickness["unit"] == "um"


def test_render(tiny: Path, tmp_path: Path) -> None:
    bonesim("render", tiny, "-o", tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((tmp_path / "p.csv").read_text().splitlines()))
    assert len(rows) == 41


def test_dry_run_prints_a_config_that_reads_back(tiny: Path) -> None:
    said = bonesim("run", tiny.parent / "c.toml", "-o", "x", "--dry-run", "--seed", "9").stdout
    tree = tomllib.loads(said)
    assert tree["seed"] == 9
    assert tree["cells"]["osteoclast"]["dig_um_per_day"] == 2.4


def test_schema_names_units_and_sources() -> None:
    said = bonesim("schema").stdout
    assert "dig_um_per_day" in said
    assert "Eriksen" in said
