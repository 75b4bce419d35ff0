"""The commands on a tiny bone, as a user types them."""

import csv
import io
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

Bonesim = Callable[..., subprocess.CompletedProcess[str]]


def test_help_is_quick(in_a_process: Bonesim) -> None:
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        assert "resume" in in_a_process("--help").stdout
        best = min(best, time.perf_counter() - begun)
    # The target is 0.5 s; what makes it slow is importing, and that costs seconds.
    assert best < 1.5


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bonesim", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "bonesim.cli.main" in imported
    heavy = {"numba", "mesa", "pyvista", "vtkmodules", "pandas", "matplotlib", "skimage", "h5py"}
    assert not imported & heavy


def test_info(in_a_process: Bonesim, tiny: Path) -> None:
    printed = in_a_process("info", tiny).stdout
    assert "tiny" in printed
    assert "complete" in printed
    assert "BV/TV" in printed


def test_measure_as_csv(in_a_process: Bonesim, tiny: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(in_a_process("measure", tiny, "--csv", "-").stdout)))
    assert {row["day"] for row in rows} == {"0", "20", "40"}
    thickness = next(row for row in rows if row["measure"] == "tb_th_um")
    assert 60 < float(thickness["value"]) < 300
    assert thickness["unit"] == "um"


def test_render(in_a_process: Bonesim, tiny: Path, tmp_path: Path) -> None:
    in_a_process("render", tiny, "-o", tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((tmp_path / "p.csv").read_text().splitlines()))
    assert len(rows) == 41


def test_dry_run_prints_a_config_that_reads_back(bonesim: Bonesim, tiny: Path) -> None:
    printed = bonesim("run", tiny.parent / "c.toml", "-o", "x", "--dry-run", "--seed", "9").stdout
    tree = tomllib.loads(printed)
    assert tree["seed"] == 9
    assert tree["cells"]["osteoclast"]["dig_um_per_day"] == 2.6


def test_schema_names_units_and_sources(bonesim: Bonesim) -> None:
    printed = bonesim("schema").stdout
    assert "dig_um_per_day" in printed
    assert "Eriksen" in printed
