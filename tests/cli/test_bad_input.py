"""Bad input: one line, the right exit code, and nothing left behind."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

SMALL = [
    "--set", "specimen.kind=synthetic", "--set", "specimen.size_mm=[0.8,0.8,0.8]",
    "--set", "schedule.burn_in_day=0",
]  # fmt: skip
Command = Callable[..., tuple[int, str]]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Run bonesim; returns exit code and what it said on stderr."""
    (tmp_path / "plain.toml").write_text('title = "test"\n')

    def run(*arguments: object) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "bonesim", *map(str, arguments)],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stderr

    return run


def refused(result: tuple[int, str], out: Path, code: int, *words: str) -> None:
    assert result[0] == code, result
    assert result[1].count("\n") == 1, result
    assert result[1].startswith("bonesim: ")
    for word in words:
        assert word in result[1]
    assert list(out.iterdir()) == []


@pytest.fixture
def scans(tmp_path: Path) -> dict[str, Path]:
    grey = np.random.default_rng(1).integers(0, 255, (30, 30, 30)).astype(np.float32)
    hurt = grey.copy()
    hurt[3, 4, 5] = np.nan
    kinds = {"grey": grey, "nan": hurt, "empty": 0 * grey, "full": 0 * grey + 255}
    for name, image in kinds.items():
        tifffile.imwrite(tmp_path / f"{name}.tif", image)
    (tmp_path / "words.tif").write_text("not an image")
    return {name: tmp_path / f"{name}.tif" for name in (*kinds, "words", "missing")}


@pytest.mark.parametrize(
    ("scan", "options", "code", "word"),
    [
        ("grey", ["--threshold", "63"], 2, "--voxel-um"),
        ("grey", ["--threshold", "63", "--voxel-um", "500"], 2, "65 um"),
        ("grey", ["--threshold", "63", "--voxel-um", "-3"], 2, "voxel_um"),
        ("nan", ["--threshold", "63", "--voxel-um", "20"], 2, "NaN"),
        ("empty", ["--threshold", "63", "--voxel-um", "20"], 2, "no voxel bone"),
        ("full", ["--threshold", "63", "--voxel-um", "20"], 2, "every voxel bone"),
        ("missing", ["--voxel-um", "20"], 2, "no such file"),
        ("words", ["--voxel-um", "20"], 5, "cannot be read"),
    ],
)
def test_scans(
    command: Command, out: Path, scans: dict[str, Path],
    scan: str, options: list[str], code: int, word: str,
) -> None:  # fmt: skip
    result = command("run", "plain.toml", "-o", out / "a.vtkhdf", "--bone", scans[scan], *options)
    refused(result, out, code, word)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[cells.osteoclast]\ndig_um_per_dya = 3.0", ["Did you mean dig_um_per_day?"]),
        ("[cells.osteoclast]\ndig_um_per_day = -3.0", ["-3.0", "from 0 to 20 um/d"]),
        ("[cells.osteoclast]\ndig_um_per_day = nan", ["nan"]),
        ("[cells.osteoclast\n", ["TOML"]),
        (
            '[hormones.course]\nkind = "stepped"\nsteps = [{start_day = 9, e2_pg_per_ml = 5}, '
            "{start_day = 3, e2_pg_per_ml = 9}]",
            ["day 3 follows", "order"],
        ),
        ('[hormones.course]\nkind = "table"\npath = "none.csv"', ["none.csv"]),
        ("[schedule]\nduration_day = 10\nsnapshots_day = [0, 20]", ["day 20"]),
    ],
)
def test_configs(command: Command, tmp_path: Path, out: Path, text: str, words: list[str]) -> None:
    (tmp_path / "c.toml").write_text(text)
    refused(command("run", "c.toml", "-o", out / "a.vtkhdf", *SMALL), out, 2, *words)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["run", "none.toml", "-o", "out/a.vtkhdf"], 2, "none.toml"),
        (["run", "plain.toml", "-o", "nowhere/a.vtkhdf", *SMALL], 2, "no folder"),
        (["run", "plain.toml", "-o", "out", *SMALL], 2, "folder"),
        (["run", "plain.toml", "-o", "plain.toml", *SMALL], 2, "exists"),
        (["run", "plain.toml", "-o", "out/a.vtkhdf", "--set", "seed"], 2, "path=value"),
        (["run", "plain.toml", "-o", "out/a.vtkhdf", "--voxel-um", "20"], 2, "--bone"),
        (["run", "plain.toml"], 2, "--output"),
        (["fly"], 2, "fly"),
        (["info", "none.vtkhdf"], 2, "none.vtkhdf"),
        (["info", "plain.toml"], 5, "plain.toml"),
        (["resume", "none.vtkhdf"], 2, "none.vtkhdf"),
        (["render", "plain.toml", "-o", "out/a.png"], 5, "plain.toml"),
    ],
)
def test_files_and_options(
    command: Command, out: Path, arguments: list[str], code: int, word: str
) -> None:
    refused(command(*arguments), out, code, word)
