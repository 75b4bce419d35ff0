"""bonesim trial and plot trial, as users call them, on three persons and a little bone."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("distributed", reason="sweeps need: pip install '.[sweep]'")

Command = Callable[..., subprocess.CompletedProcess[str]]
BASE = """
[protocol]
e2_pg_per_ml = 9
t_ng_per_dl = 319
[specimen]
kind = "synthetic"
size_mm = [1.2, 1.2, 1.2]
[mechanics]
interval_day = 60
tolerance = 2e-3
[schedule]
burn_in_day = 30
"""
TRIAL = """
title = "three men"
base = "base.toml"
visits_day = [30, 60]
changes = ["ls_abmd", "bvtv_percent", "ctx"]
levels = ["e2_pg_per_ml", "e2_immunoassay_pg_per_ml"]
repeats = 100
[cohort]
people = 3
bones = 2
[[cohort.trait]]
path = "protocol.e2_pg_per_ml"
name = "own_e2"
unit = "pg/mL"
distribution = "normal"
mean = 9
sd = 4
low = 2
[[arm]]
name = "placebo"
reference = true
people = 33
[[arm]]
name = "sugar"
people = 36
set = { title = "another name for nothing" }
[[arm]]
name = "anastrozole"
people = 36
set = { "protocol.anastrozole" = { dose_mg = 10.0 } }
[[published]]
arm = "anastrozole - placebo"
quantity = "ls_abmd"
visit_day = 60
value = -2.46
low = -3.9
high = -1.0
p = 0.0014
source = "made up"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with base.toml, trial.toml, and after the first test its results in out."""
    place = tmp_path_factory.mktemp("trial")
    (place / "base.toml").write_text(BASE)
    (place / "trial.toml").write_text(TRIAL)
    return place


@pytest.fixture(scope="module")
def command(folder: Path) -> Command:
    """Run `bonesim ARGUMENTS` in that folder."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bonesim", *map(str, arguments)],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def here(main_here: Command, folder: Path) -> Command:
    """The same within this process."""
    return partial(main_here, within=folder)


@pytest.fixture(scope="module")
def done(command: Command, folder: Path) -> subprocess.CompletedProcess[str]:
    """The trial, once."""
    ended = command("trial", "trial.toml", "-o", "out")
    assert ended.returncode == 0, ended.stderr
    return ended


def test_a_plan_makes_nothing(here: Command, folder: Path) -> None:
    result = here("trial", "trial.toml", "-o", "planned", "--dry-run")
    assert result.stdout.startswith("9 points, 9 to do on 2 burn-ins")
    assert not (folder / "planned").exists()


@pytest.mark.long
def test_tables_and_figure(done: subprocess.CompletedProcess[str], folder: Path) -> None:
    out = folder / "out"
    assert "9 of 9 points" in done.stderr
    assert "spine aBMD, DXA (ls_abmd, % change, k = 0.50)" in done.stdout
    assert "OUTSIDE" in done.stdout
    assert pd.read_csv(out / "people.csv")["person"].tolist() == [0, 1, 2]
    results = pd.read_csv(out / "results.csv")
    assert len(results) == 9 * 3
    table = pd.read_csv(out / "trial.csv").set_index(["quantity", "estimate", "arm", "day"])
    rows = table.loc[("ls_abmd", "repeated", "anastrozole - placebo", 60)]
    assert rows["n"].tolist() == [100] * 4
    assert rows["k_dxa"].tolist() == [0.5, 0.4, 0.7, 1.0]
    treated = results[results["arm"] == "anastrozole"].groupby("day")["e2_pg_per_ml"].mean()
    assert treated[60] < 0.8 * treated[0]
    for name in ("trial.png", "trial_curves.csv", "trial_repeats.csv"):
        assert (out / name).stat().st_size > 100


@pytest.mark.long
def test_twins_differ_by_nothing_without_a_drug_and_by_the_drug(
    done: subprocess.CompletedProcess[str], folder: Path
) -> None:
    """Placebo is simulated by itself, not copied: only common random numbers give exactly 0."""
    results = pd.read_csv(folder / "out" / "results.csv")
    assert results["point"].nunique() == 9
    table = pd.read_csv(folder / "out" / "trial.csv")
    twins = table[(table["estimate"] == "twin") & (table["quantity"] != "ctx")]
    sugar = twins[twins["arm"] == "sugar - placebo"]
    assert (sugar[["mean", "low", "high", "sd"]] == 0.0).all(axis=None)
    assert (sugar["p"] == 1.0).all()
    drug = twins[(twins["arm"] == "anastrozole - placebo") & (twins["day"] == 60)]
    assert (drug["mean"] != 0.0).all()


@pytest.mark.long
def test_run_again_it_has_nothing_to_do(
    done: subprocess.CompletedProcess[str], here: Command, folder: Path
) -> None:
    before = (folder / "out" / "journal.jsonl").read_bytes()
    again = here("trial", "trial.toml", "-o", "out")
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert "9 points, 0 to do" in again.stderr
    assert (folder / "out" / "journal.jsonl").read_bytes() == before
    assert here("sweep", "status", "out").stdout.startswith("9 of 9 points done")


@pytest.mark.long
def test_the_figure_again_from_the_folder(
    done: subprocess.CompletedProcess[str], here: Command, folder: Path
) -> None:
    drawn = here("plot", "trial", "out", "-o", "again.png")
    assert (drawn.returncode, drawn.stderr) == (0, "again.png\n")
    for name in ("curves", "repeats"):
        first = folder / "out" / f"trial_{name}.csv"
        assert (folder / f"again_{name}.csv").read_text() == first.read_text()


def test_bad_input_is_one_line(here: Command, folder: Path) -> None:
    wrong = folder / "wrong.toml"
    for text, word in (
        (TRIAL.replace("ls_abmd", "lsabmd"), "lsabmd"),
        (TRIAL.replace("dose_mg = 10.0", "dose_mg = -1"), "arm 'anastrozole'"),
        (TRIAL.replace("[cohort]\n", "[cohort\n"), "TOML"),
    ):
        wrong.write_text(text)
        result = here("trial", "wrong.toml", "-o", "none")
        assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
        assert word in result.stderr
        assert not (folder / "none").exists()
    result = here("plot", "trial", "nowhere", "-o", "a.png")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr


def test_people_without_a_result_end_with_3(here: Command, folder: Path) -> None:
    """A trait that leaves no bone in the block: every run is refused, and the reason is reported."""
    (folder / "thin.toml").write_text(
        TRIAL.replace('title = "three men"', 'title = "thin"') + "\n[[cohort.trait]]\n"
        'path = "specimen.rod_share"\ndistribution = "uniform"\nlow = 0.0\nhigh = 1e-9\n'
        '[[cohort.trait]]\npath = "specimen.width_um"\n'
        'distribution = "uniform"\nlow = -2000.0\nhigh = -1999.0\n'
    )
    result = here("trial", "thin.toml", "-o", "thin", "--workers", 1)
    assert result.returncode == 3, result.stderr
    assert result.stderr.endswith("points have no result: thin/failed.csv\n")
    assert "Traceback" not in result.stderr
