"""`bonesim decompose --without` on a tiny bone: the table adds up, goes on, and refuses in one line."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bonesim.api.studies import decompose_without
from bonesim.reports.without import BEYOND, HEALTHY, PIECES, RUN
from bonesim.storage.reader import open_run

Bonesim = Callable[..., subprocess.CompletedProcess[str]]
CONFIG = """
title = "frail"
[specimen]
kind = "synthetic"
size_mm = [1.0, 1.0, 1.0]
seed = 2
[hormones.course]
kind = "stepped"
steps = [{ start_day = 0, e2_pg_per_ml = 5.0 }]
[cells.bmu]
origination_per_mm2_per_year = 20.0
[cells.osteoclast]
strain_stop = 0.0
mononuclear_um = 60.0
[mechanics]
interval_day = 0
[schedule]
burn_in_day = 20
duration_day = 100
snapshots_day = [0, 60, 100]
"""
PROCESSES = ["perforation", "cuts"]
WITHOUT = ["--without", "perforation", "--without", "cuts", "--workers", 1]


@pytest.fixture(scope="module")
def frail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config; deep cavities and no strain, so that bone breaks soon."""
    path = tmp_path_factory.mktemp("without") / "frail.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def made(frail: Path) -> tuple[Path, pd.DataFrame]:
    """The folder of its twins, and their table."""
    folder = frail.parent / "work"
    return folder, decompose_without(frail, PROCESSES, folder, workers=1)


@pytest.fixture(scope="module")
def work(made: tuple[Path, pd.DataFrame]) -> Path:
    return made[0]


@pytest.fixture(scope="module")
def table(made: tuple[Path, pd.DataFrame]) -> pd.DataFrame:
    return made[1]


@pytest.mark.long
def test_the_table_adds_up(table: pd.DataFrame) -> None:
    keys = ["process", "compared", "day"]
    assert set(map(tuple, table[keys].drop_duplicates().to_numpy().tolist())) == {
        (p, c, d) for p in PROCESSES for c in (RUN, HEALTHY, BEYOND) for d in (60, 100)
    }
    quanta = table.pivot_table("effect_quanta", keys, "quantity", aggfunc="first")
    assert (quanta[list(PIECES)].sum(axis=1) == quanta["total"]).all()
    reconciled = quanta["by_ledger"] - quanta["still_without"] + quanta["follows"]
    assert (reconciled == quanta["by_twin"]).all()
    assert (quanta["by_twin"] == quanta["total"]).all()
    assert (quanta["bone_by_twin"] == quanta["total"] - quanta["mineral_lag"]).all()
    passing = quanta["open_space"] + quanta["mineral_lag"]
    assert (quanta["structure_by_twin"] == quanta["total"] - passing).all()
    runs, healthy, beyond = (quanta.xs(one, level="compared") for one in (RUN, HEALTHY, BEYOND))
    assert (runs - healthy == beyond).all(axis=None)
    for process, part in (("perforation", "plate_perforation"), ("cuts", "strut_cut")):
        mine = quanta.loc[process]
        assert (mine["by_ledger"] - mine["still_without"] == mine[part]).all()
        assert runs.loc[(process, 100), "by_ledger"] > 0
        # Units that began before day 0 alone.
        assert (runs.loc[process, "still_without"] <= runs.loc[process, "by_ledger"]).all()


@pytest.mark.long
def test_the_numbers_are_those_of_the_run_files(table: pd.DataFrame, work: Path) -> None:
    points = pd.read_csv(work / "points.csv").fillna({"without": ""})
    assert list(zip(points["of"], points["without"], strict=True)) == [
        ("run", ""), ("healthy", ""), ("run", "perforation"), ("healthy", "perforation"),
        ("run", "cuts"), ("healthy", "cuts"),
    ]  # fmt: skip
    row = table.set_index(["process", "compared", "day", "quantity"]).sort_index()
    loss, tables = {}, {}
    for point in points.to_dict("records"):
        with open_run(work / "runs" / f"{point['point']}.vtkhdf") as run:
            tables[point["of"], point["without"]] = daily = run.table.set_index("day")
            notes = run.provenance["notes"]
            named = [f"without {w} after day 0" for w in ("plate perforation", "strut cuts")]
            assert [n for n in notes if n.startswith("without")] == (
                [named[PROCESSES.index(point["without"])]] if point["without"] else []
            )
            events = run.events
            opened = events["kind"].isin(["plate_perforation", "mixed"])
            cut = events["kind"].isin(["strut_cut", "mixed"])
            if point["without"]:
                assert not (opened if point["without"] == "perforation" else cut).any()
            bmd = daily["bmd_mg_per_cm3"]
            loss[point["of"], point["without"]] = 100.0 * (1.0 - bmd[100] / bmd[0])
    # All are equal on day 0.
    for one in tables.values():
        assert one.loc[0, "bmd_mg_per_cm3"] == tables["run", ""].loc[0, "bmd_mg_per_cm3"]
    for process in PROCESSES:
        mine = row.loc[process, RUN, 100]
        assert mine.loc["total", "with_process"] == pytest.approx(loss["run", ""], abs=1e-3)
        assert mine.loc["by_twin", "effect"] == pytest.approx(
            loss["run", ""] - loss["run", process], abs=2e-3
        )
        beyond = row.loc[process, BEYOND, 100].loc["by_twin", "effect"]
        four = (
            loss["run", ""] - loss["healthy", ""] - loss["run", process] + loss["healthy", process]
        )
        assert beyond == pytest.approx(four, abs=4e-3)
        measured = mine.loc["bvtv_percent"]
        assert measured["without_process"] == tables["run", process].loc[100, "bvtv_percent"]


@pytest.mark.long
def test_again_it_simulates_nothing(
    main_here: Bonesim, frail: Path, work: Path, table: pd.DataFrame, tmp_path: Path
) -> None:
    before = (work / "journal.jsonl").read_bytes()
    done = main_here("decompose", frail, *WITHOUT, "--work", work)
    assert done.returncode == 0, done.stderr
    for words in ("plate perforation, day 60", "strut cuts, day 100", "beyond health", "of loss",
                  "by the ledger", "what follows", "by twin", "edges and free ends", "Conn.D",
                  "Tb.Th closed", "holes"):  # fmt: skip
        assert words in done.stdout
    # A run file will do: its configuration is simulated, in the folder of the same run.
    first = pd.read_csv(work / "points.csv")["point"][0]
    done = main_here("decompose", work / "runs" / f"{first}.vtkhdf", *WITHOUT, "--work", work,
                     "--csv", tmp_path / "table.csv")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "table.csv").read_text() == table.to_csv(index=False)
    assert (work / "journal.jsonl").read_bytes() == before


@pytest.mark.long
def test_a_lost_twin_is_simulated_again(frail: Path, work: Path, table: pd.DataFrame) -> None:
    """The entry of a twin that a kill cut off, and nothing else."""
    journal = work / "journal.jsonl"
    whole = journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 6
    journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:100])
    again = decompose_without(frail, PROCESSES, work, workers=1)
    pd.testing.assert_frame_equal(again, table)
    assert journal.read_bytes().startswith(b"".join(lines[:-1]))
    assert len(journal.read_bytes().splitlines()) <= 7


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--without", "perforations"], ["--without: got perforations;", "cuts", "mineral_lag"]),
        (["--without", "mechanics"], ["--without: mechanics is off", "mechanics.interval_day is 0"]),
        (["--without", "cuts", "--set", "cells.osteoclast.breakthrough_chance=0"],
         ["cuts is off already", "breakthrough_chance is 0"]),
        (["--without", "arrest", "--set", "ablation.arrest_day=0"], ["arrest is off already"]),
        (["--without", "cuts", "--twin"], ["--twin:", "--without"]),
        (["--without", "cuts", "-o", "a.png"], ["--output:", "--without"]),
        (["--without", "cuts", "--days", "9,3"], ["--days:", "rising"]),
        (["--without", "cuts", "--seed", "7"], ["holds another study", "choose another folder"]),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(
    main_here: Bonesim, frail: Path, work: Path, arguments: list[str], words: list[str]
) -> None:
    before = (work / "points.csv").read_bytes()
    done = main_here("decompose", frail, "--workers", 1, "--work", work, *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    for word in words:
        assert word in done.stderr
    assert (work / "points.csv").read_bytes() == before


def test_a_folder_is_needed(main_here: Bonesim, frail: Path) -> None:
    done = main_here("decompose", frail, "--without", "cuts")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--work" in done.stderr
    done = main_here("decompose", frail, "--work", "folder")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--without" in done.stderr
