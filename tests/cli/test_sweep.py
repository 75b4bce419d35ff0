"""Many runs as users type them: plan, run, status, pictures, and what is refused."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from bonesim.storage.lock import WriteLock

pytest.importorskip("distributed", reason="sweeps need: pip install '.[sweep]'")

Command = Callable[..., subprocess.CompletedProcess[str]]
BASE = """
[specimen]
kind = "synthetic"
size_mm = [1.0, 1.0, 1.0]
[schedule]
burn_in_day = 0
duration_day = 20
snapshots_day = [0, 10, 20]
"""
STUDY = """
title = "two hills"
base = "base.toml"
[design]
seeds = 2
[[design.variable]]
path = "hormones.response.hill"
name = "hill"
values = [1.5, 2.5]
"""


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Run `bonesim ARGUMENTS` in a process of its own, in the folder of base.toml and study.toml."""
    (tmp_path / "base.toml").write_text(BASE)
    (tmp_path / "study.toml").write_text(STUDY)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bonesim", *map(str, arguments)],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def here(command: Command, main_here: Command) -> Command:
    """The same within this process."""
    return main_here


@pytest.mark.long
def test_from_plan_to_picture(command: Command, here: Command, tmp_path: Path) -> None:
    result = here("sweep", "run", "study.toml", "-o", "out", "--dry-run")
    assert result.stdout.startswith("4 points, 4 to do")
    assert not (tmp_path / "out").exists()

    done = command("sweep", "run", "study.toml", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert "dashboard: http" in done.stderr
    assert "4 of 4 points" in done.stderr
    next_line = "out/results.csv: done; next: bonesim plot sweep out -o sweep.png"
    assert done.stderr.splitlines()[-1] == next_line
    results = pd.read_csv(tmp_path / "out" / "results.csv")
    assert len(results) == 4 * 3
    assert set(results) >= {"hill", "seed", "status", "seconds", "day", "bvtv_percent", "tb_th_um"}
    log = (tmp_path / "out" / "logs" / f"{results['point'][0]}.log").read_text()
    assert "begun on" in log
    assert "synthetic" in log
    assert log.endswith("done\n")

    again = here("sweep", "run", "study.toml", "-o", "out")
    assert "4 points, 0 to do" in again.stderr
    assert pd.read_csv(tmp_path / "out" / "results.csv").equals(results)
    assert here("sweep", "status", "out").stdout.startswith("4 of 4 points done")

    drawn = here("plot", "sweep", "out", "-o", "hills.png", "--moment", "end")
    assert drawn.returncode == 0, drawn.stderr
    numbers = pd.read_csv(tmp_path / "hills.csv")
    ends = results[results["day"] == 20].groupby("hill")["bvtv_percent"].mean()
    assert numbers["mean"].tolist() == pytest.approx(ends.tolist())


def test_points_without_a_result_end_with_3(here: Command, tmp_path: Path) -> None:
    grey = np.zeros((24, 24, 24), np.uint8)
    grey[8:14] = 200
    tifffile.imwrite(tmp_path / "slab.tif", grey)
    (tmp_path / "base.toml").write_text(
        '[specimen]\nkind = "scan"\npath = "slab.tif"\nvoxel_um = 20.0\nthreshold = 100\n'
        "[schedule]\nburn_in_day = 0\nduration_day = 5\n"
    )
    study = STUDY.replace("hormones.response.hill", "specimen.threshold")
    (tmp_path / "study.toml").write_text(study.replace("1.5, 2.5", "100, 250"))
    done = here("sweep", "run", "study.toml", "-o", "out", "--workers", 1)
    assert done.returncode == 3, done.stderr
    assert done.stderr.endswith("2 points have no result: out/failed.csv\n")
    failed = pd.read_csv(tmp_path / "out" / "failed.csv")
    assert failed["status"].tolist() == ["refused", "refused"]
    assert failed["error"].str.contains("threshold").all()


def test_it_ends_with_where_results_are_and_what_is_next(
    here: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = pd.DataFrame({"day": [0]})
    results.attrs["missing"] = 0
    for name in ("sweep", "sweep_share"):
        monkeypatch.setattr(f"bonesim.api.studies.{name}", lambda *_, **__: results)
    ends = {
        (): "out/results.csv: done; next: bonesim plot sweep out -o sweep.png\n",
        ("--task-index", 0): "share 0 done; next, once all are: bonesim sweep gather out\n",
        ("--quiet",): "",
    }
    for more, end in ends.items():
        assert here("sweep", "run", "study.toml", "-o", "out", *more).stderr == end


@pytest.mark.long
def test_ctrl_c_on_a_terminal(here: Command, tmp_path: Path) -> None:
    """It reaches workers and parent at once; what is finished stays, and no trace is shown."""
    (tmp_path / "study.toml").write_text(STUDY.replace("seeds = 2", "seeds = 200"))
    process = subprocess.Popen(
        [sys.executable, "-m", "bonesim", "sweep", "run", "study.toml", "-o", "out"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    journal = tmp_path / "out" / "journal.jsonl"
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and not (journal.exists() and journal.stat().st_size):
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    printed = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in printed, printed
    assert "run it again to go on" in printed.splitlines()[-1]
    finished = len(journal.read_text().splitlines())
    assert 0 < finished < 400
    assert here("sweep", "status", "out").stdout.startswith(f"{finished} of 400 points done")


def test_bad_input_is_one_line(here: Command, tmp_path: Path) -> None:
    place = tmp_path / "study.toml"

    def refused(code: int, text: str, *words: str, arguments: tuple[str, ...] = ()) -> None:
        place.write_text(text)
        done = here("sweep", "run", "study.toml", "-o", "out", *arguments)
        assert done.returncode == code, done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        for word in words:
            assert word in done.stderr
        assert not (tmp_path / "out").exists()

    refused(2, STUDY.replace("response.hill", "response.hil"), "row 1", "hil")
    refused(2, STUDY.split("[[")[0], "nothing varies")
    refused(2, STUDY + 'unit = "mg"\n', "not in mg")
    refused(2, STUDY.replace("1.5", '"high"'), "row 1", "hill", "'high'")
    refused(2, STUDY.replace("base.toml", "no.toml"), "no.toml")
    refused(2, STUDY + "[", "TOML")
    refused(2, STUDY, "allowed 0 to 3", arguments=("--task-index", "7", "--task-count", "4"))


def test_folders_that_are_not_ours(command: Command, here: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    done = here("sweep", "run", "study.toml", "-o", "out")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert [p.name for p in out.iterdir()] == ["thesis.txt"]
    for asked in (("sweep", "status", "out"), ("plot", "sweep", "out", "-o", "a.png")):
        done = here(*asked)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    (out / "thesis.txt").unlink()
    shutil.copy(tmp_path / "study.toml", out)
    lock = WriteLock(out / "sweep")
    try:
        done = command("sweep", "run", "study.toml", "-o", "out")
        assert (done.returncode, done.stderr.count("\n")) == (6, 1), done.stderr
    finally:
        lock.release()
    (tmp_path / "base.toml").write_text(BASE.replace("1.0, 1.0, 1.0", "20.0, 20.0, 20.0"))
    done = here("sweep", "run", "study.toml", "-o", "other")
    assert (done.returncode, done.stderr.count("\n")) == (4, 1), done.stderr
    assert "--workers" in done.stderr
