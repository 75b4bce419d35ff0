"""Results of another input or program never pass for this one's."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bonesim.errors import InputError
from bonesim.sweeps import folder as folders
from bonesim.sweeps import status, study, worker
from bonesim.sweeps.alone import work_through_alone
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.study import Study
from bonesim.sweeps.sweep import plan, run_study
from tests.sweeps import dummy
from tests.sweeps.conftest import HILL

Write = Callable[..., Path]
TWO = "seeds = 1\n" + HILL + "values = [1.0, 2.0]"
OTHER = "fedcba9876543210"


@pytest.fixture
def table(write: Write, tmp_path: Path) -> Path:
    """A study whose base reads a table of hormones; returns the table."""
    write(TWO)
    place = tmp_path / "levels.csv"
    place.write_text("day,e2_pg_per_ml\n0,20\n10,5\n")
    with (tmp_path / "base.toml").open("a") as base:
        base.write('[hormones.course]\nkind = "table"\npath = "levels.csv"\n')
    return place


def ids(path: Path) -> list[str]:
    return [point.id for point in Study(path).points()]


def test_a_changed_table_is_another_point(table: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "study.toml", tmp_path / "out"
    before = ids(path)
    assert ids(path) == before
    assert run_study(Study(path), out, workers=1, simulate=dummy.numbers) == 0
    assert plan(Study(path), out, 1).to_do == 0
    table.write_text(table.read_text().replace("10,5", "10,6"))
    assert not set(ids(path)) & set(before)
    assert plan(Study(path), out, 1).to_do == 2
    assert run_study(Study(path), out, workers=1, simulate=dummy.numbers) == 0
    results = pd.read_csv(out / "results.csv")
    assert set(results["point"]) == set(ids(path))
    assert "2 results in the journal are of another program, input or design" in status.text(
        status.status_of(out)
    )


def test_another_program_is_another_point(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write(TWO), tmp_path / "out"
    before = ids(path)
    assert run_study(Study(path), out, workers=1, simulate=dummy.numbers) == 0
    assert status.notes(status.status_of(out)) == []
    for module in (study, status, folders):
        monkeypatch.setattr(module, "outcome_hash", lambda: OTHER)
    assert not set(ids(path)) & set(before)
    noted = "\n".join(Folder(out).notes())
    assert "2 of 2 results are of bonesim" in noted
    assert OTHER in noted
    assert plan(Study(path), out, 1).to_do == 2
    # Its worker runs the program on the disk, not the one of the parent.
    assert run_study(Study(path), out, workers=1, simulate=dummy.numbers) == 2
    failed = pd.read_csv(out / "failed.csv")
    assert failed["error"].str.contains(f"the sweep {OTHER}; give all workers the same").all()


def test_an_input_that_changes_under_a_sweep_is_refused(table: Path, tmp_path: Path) -> None:
    study_ = Study(tmp_path / "study.toml")
    folder = Folder(tmp_path / "out", study_)
    tasks = [folder.task(point, False) for point in study_.points()]
    entry = worker.attempt(tasks[0], dummy.numbers)
    assert entry["status"] == "done"
    assert worker.outcome_hash() in entry["program"]

    def simulate(config: str, keep: str | None) -> worker.Outcomes:
        table.write_text("day,e2_pg_per_ml\n0,20\n10,7\n")
        return dummy.numbers(config, keep)

    for task, function in ((tasks[0], simulate), (tasks[1], dummy.numbers)):
        entry = worker.attempt(task, function)
        assert entry["status"] == "refused"
        assert "has changed since the sweep began" in entry["error"]
        assert "rows" not in entry


def test_repeated_rows_are_stated_in_one_line(write: Write, tmp_path: Path) -> None:
    double = "seeds = 2\n" + HILL + "values = [1.0, 2.0, 1.0]"
    line = plan(Study(write(double)), tmp_path / "out", 1).text()
    assert "2 points repeat parameters and seed of another" in line
    assert "\n" not in line
    own = "common_random_numbers = false\n" + double
    assert "repeat" not in plan(Study(write(own)), tmp_path / "out", 1).text()


def test_a_file_in_place_of_a_folder(write: Write, tmp_path: Path) -> None:
    path = write(TWO)
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(InputError, match="is a file, and a folder is needed") as error:
            run_study(Study(path), place, workers=1, simulate=dummy.numbers)
        assert error.value.exit_code == 2
    out = tmp_path / "out"
    Folder(out, Study(path))
    (out / "logs").write_text("x")
    with pytest.raises(InputError, match="is a file, and a folder is needed"):
        run_study(Study(path), out, workers=1, simulate=dummy.numbers)


def test_one_worker_that_dies_costs_one_attempt(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BONESIM_TEST_MARK", str(tmp_path / "mark"))
    path = write(TWO)
    assert run_study(Study(path), tmp_path / "out", workers=1, simulate=dummy.deadly_once) == 0
    assert (tmp_path / "mark").exists()
    tasks = [worker.Task(str(k), p.config) for k, p in enumerate(Study(path).points())]
    entries = list(work_through_alone(tasks, dummy.deadly))
    assert [entry["status"] for entry in entries] == ["done", "failed"]
    assert "died 3 times" in entries[1]["error"]
