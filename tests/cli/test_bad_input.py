"""Bad input: one line, the right exit code, and nothing left behind."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from bonesim.storage.lock import WriteLock, lock_path
from tests.cli.conftest import Bonesim

SMALL = [
    "--set", "specimen.kind=synthetic", "--set", "specimen.size_mm=[0.8,0.8,0.8]",
    "--set", "schedule.burn_in_day=0",
]  # fmt: skip
PLAIN = 'title = "test"\n'
Command = Callable[..., tuple[int, str]]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Run bonesim in a process of its own; returns exit code and stderr."""
    (tmp_path / "plain.toml").write_text(PLAIN)

    def run(*arguments: object) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "bonesim", *map(str, arguments)],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stderr

    return run


@pytest.fixture
def here(main_here: Bonesim, tmp_path: Path) -> Command:
    """The same within this process."""
    (tmp_path / "plain.toml").write_text(PLAIN)

    def run(*arguments: object) -> tuple[int, str]:
        done = main_here(*arguments)
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
        ("grey", ["--threshold", "63", "--voxel-um", "100"], 2, "65 um"),
        ("grey", ["--threshold", "63", "--voxel-um", "-3"], 2, "voxel_um"),
        ("grey", ["--threshold", "63", "--voxel-um", "0.0195"], 2, "mm? then 19.5"),
        ("nan", ["--threshold", "63", "--voxel-um", "20"], 2, "NaN"),
        ("empty", ["--threshold", "63", "--voxel-um", "20"], 2, "no voxel bone"),
        ("full", ["--threshold", "63", "--voxel-um", "20"], 2, "every voxel bone"),
        ("missing", ["--voxel-um", "20"], 2, "no such file"),
        ("words", ["--voxel-um", "20"], 5, "cannot be read"),
    ],
)
def test_scans(
    here: Command, out: Path, scans: dict[str, Path],
    scan: str, options: list[str], code: int, word: str,
) -> None:  # fmt: skip
    result = here("run", "plain.toml", "-o", out / "a.vtkhdf", "--bone", scans[scan], *options)
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
        (
            "[protocol.loading]\nchange = [{start_day = 9, load_percent = 50}]\n"
            "[mechanics]\ninterval_day = 0",
            ["mechanics.interval_day is 0", "leave one out"],
        ),
    ],
)
def test_configs(here: Command, tmp_path: Path, out: Path, text: str, words: list[str]) -> None:
    (tmp_path / "c.toml").write_text(text)
    refused(here("run", "c.toml", "-o", out / "a.vtkhdf", *SMALL), out, 2, *words)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["run", "none.toml", "-o", "out/a.vtkhdf"], 2, "none.toml"),
        (["run", "plain.toml", "-o", "nowhere/a.vtkhdf", *SMALL], 2, "no folder"),
        (["run", "plain.toml", "-o", "out", *SMALL], 2, "folder"),
        (["run", "plain.toml", "-o", "plain.toml", *SMALL], 2, "reads"),
        (["run", "plain.toml", "-o", f"out/{'a' * 300}", *SMALL], 2, "too long"),
        (["run", "plain.toml", "-o", f"{'a' * 300}/a.vtkhdf", *SMALL], 2, "too long"),
        (
            ["run", "plain.toml", "-o", "out/a.vtkhdf", "--bone", "out", "--voxel-um", "20"],
            2,
            ".tif",
        ),
        (["run", "plain.toml", "-o", "out/a.vtkhdf", "--set", "seeed=3"], 2, "Did you mean seed?"),
        (["run", "plain.toml", "-o", "out/a.vtkhdf", "--set", "seed=-3"], 2, "from 0"),
        (
            [
                "run",
                "plain.toml",
                "-o",
                "out/a.vtkhdf",
                "--set",
                "protocol.loading.change=[{start_day=3,load_percent=-1}]",
            ],
            2,
            "load_percent",
        ),
        (["run", "plain.toml", "-o", "out/a.vtkhdf", "--seed", "-3"], 2, "--seed"),
        (["run", "plain.toml", "-o", "out/a.vtkhdf", "--until-day", "x"], 2, "--until-day"),
        (["run", "out", "-o", "out/a.vtkhdf"], 2, "folder"),
        (["run", "two\nlines.toml", "-o", "out/a.vtkhdf"], 2, "two lines.toml"),
        (["info", "a" * 300], 2, "too long"),
        (["info", "out"], 2, "no such file"),
        (["measure", "plain.toml", "--csv", "out/a.csv"], 5, "plain.toml"),
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
    here: Command, tmp_path: Path, out: Path, arguments: list[str], code: int, word: str
) -> None:
    refused(here(*arguments), out, code, word)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "plain.toml"]
    assert (tmp_path / "plain.toml").read_text() == PLAIN


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["resume", "TINY"], "complete"),
        (["measure", "TINY", "--csv", "nowhere/a.csv"], "no folder"),
        (["measure", "TINY", "--csv", "out"], "is a folder"),
        (["render", "TINY", "-o", "nowhere/a.png"], "no folder"),
        (["render", "TINY", "-o", "out/a.xyz"], ".png"),
        (["render", "TINY", "-o", "out/a.png", "--colour", "pink"], "surface_state"),
        (["render", "TINY", "-o", "out/a.xyz", "--event", "largest"], ".png"),
        (
            ["render", "TINY", "-o", "out/a.png", "--event", "largest"],
            "--event: TINY: no hole in a plate",
        ),
        (["render", "TINY", "-o", "out/a.png", "--event", "0"], "is no break of TINY"),
        (["render", "TINY", "-o", "out/a.png", "--event", "0", "--colour", "bone"], "--colour"),
        (["render", "TINY", "-o", "out/a.png", "--exact"], "--exact: belongs to --event"),
    ],
)
def test_whole_run_file_asked_for_the_impossible(
    here: Command, tiny: Path, out: Path, arguments: list[str], word: str
) -> None:
    before = tiny.read_bytes()
    word = word.replace("TINY", str(tiny))
    refused(here(*(str(tiny) if a == "TINY" else a for a in arguments)), out, 2, word)
    assert tiny.read_bytes() == before
    assert sorted(path.name for path in tiny.parent.iterdir()) == ["a.vtkhdf", "c.toml"]


def test_output_that_another_process_writes(command: Command, tmp_path: Path) -> None:
    """Reported before the bone is made, and the other's lock stays."""
    path = tmp_path / "busy.vtkhdf"
    lock = WriteLock(path)
    code, message = command("run", "plain.toml", "-o", path, *SMALL)
    assert (code, message.count("\n")) == (6, 1)
    assert message.startswith("bonesim: ")
    assert lock_path(path).exists()
    lock.release()


def test_folder_closed_to_us(here: Command, out: Path) -> None:
    """Root may write into any folder but those that are not on a disk."""
    if os.geteuid():
        out.chmod(0o500)
        closed = out
    else:
        closed = Path("/proc")
    if not closed.is_dir():
        pytest.skip("no folder that is closed to root")
    refused(here("run", "plain.toml", "-o", closed / "a.vtkhdf", *SMALL), out, 2, "be written")
