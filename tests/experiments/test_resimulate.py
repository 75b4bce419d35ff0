"""`experiments/resimulate.py`: no stale figure passes as fresh, and README files show what steps printed."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.experiments.conftest import EXPERIMENTS

MECHANISM = "0123456789abcdef"


@pytest.fixture(scope="module")
def stamps() -> Iterator[ModuleType]:
    """The module beside the script, as the script imports it."""
    sys.path.insert(0, str(EXPERIMENTS))
    yield importlib.import_module("stamps")
    sys.path.remove(str(EXPERIMENTS))


@pytest.fixture
def resimulate(stamps: ModuleType) -> ModuleType:
    return importlib.import_module("resimulate")


@pytest.fixture
def small(
    stamps: ModuleType, resimulate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder of experiments with one: a script that prints a table, and one that fails if told so."""
    for module in (stamps, resimulate):
        monkeypatch.setattr(module, "HERE", tmp_path / "experiments")
        monkeypatch.setattr(module, "ROOT", tmp_path)
        monkeypatch.setattr(module, "mechanism_hash", lambda: MECHANISM)
    folder = tmp_path / "experiments" / "thing"
    folder.mkdir(parents=True)
    monkeypatch.setattr(resimulate, "SHOWING", (tmp_path / "README.md",))
    (tmp_path / "README.md").write_text(
        "# All\n\n<!-- printed by thing/answer, table 2 -->\nold\n<!-- end -->\n"
    )
    (folder / "README.md").write_text(
        "# Thing\n\n*Status: stale. Simulated with version 0.1.*\n\nText.\n\n"
        "<!-- printed by answer, table 1 -->\nold\n<!-- end -->\n\n| a hand-made | table |\n|---|---|\n"
        "<!-- printed by note -->\n<!-- end -->\n"
    )
    (folder / "answer.py").write_text(
        "import sys\nfrom pathlib import Path\n"
        "print('first\\n\\n| x | y |\\n|---|---|\\n| 1 | 2 |\\n\\nthen\\n\\n| z |\\n|---|\\n| 3 |')\n"
        "with Path(sys.argv[1]).open('a') as log: log.write('ran\\n')\n"
        "sys.exit(5 if Path(sys.argv[1]).with_name('wrong').exists() else 0)\n"
    )
    (folder / "note.py").write_text("print('no table')\n")
    (folder / "base.toml").write_text("a = 1\n")
    (folder / "rows.csv").write_text("b\n1\n")
    (folder / "study.toml").write_text('base = "base.toml"\n[design]\nrows_csv = "rows.csv"\n')
    (tmp_path / "experiments" / "resimulate.toml").write_text(
        "[thing]\nsteps = [\n"
        '  { script = "answer.py", arguments = ["{work}/log"] },\n  { script = "note.py" },\n]\n'
    )
    return folder


def log_of(work: Path) -> list[str]:
    return next(work.rglob("log")).read_text().splitlines()


# -- the repository as it is -----------------------------------------------------------------------


def test_every_experiment_has_steps_or_a_reason(stamps: ModuleType) -> None:
    folders = {place.parent.name for place in EXPERIMENTS.glob("*/README.md")}
    known = stamps.experiments()
    assert set(known) == folders
    for one in known.values():
        assert bool(one.steps) != bool(one.by_hand), one.name
        assert all(step.source.is_file() for step in one.steps), one.name
        assert len({step.output for step in one.steps}) == len(one.steps), one.name


def test_the_status_line_of_each_readme_is_true(stamps: ModuleType) -> None:
    """A stale figure may stay, but its README must state that it is stale."""
    for one in stamps.experiments().values():
        word = stamps.status_of(one).group("word")
        assert word == ("fresh" if stamps.is_fresh(one) else "stale"), (
            f"{one.name}: status is {word!r}; run `python experiments/resimulate.py --mark`"
        )


def test_every_readme_shows_what_its_steps_print(
    stamps: ModuleType, resimulate: ModuleType
) -> None:
    for one in stamps.experiments().values():
        shown = [found.group("step") for found in resimulate.MARK.finditer(one.readme.read_text())]
        assert set(shown) <= {step.output for step in one.steps}, one.name
        assert shown or one.by_hand, one.name


# -- one experiment, simulated again ---------------------------------------------------------------


def test_again_rewrites_tables_and_stamps(
    small: Path, stamps: ModuleType, resimulate: ModuleType, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    assert resimulate.main(["thing", "--work", str(work)]) == 0
    text = (small / "README.md").read_text()
    assert "| 1 | 2 |" in text and "| 3 |" not in text and "old" not in text
    assert "Text." in text and "| a hand-made | table |" in text
    assert "```text\nno table\n```" in text
    assert "| 3 |" in (tmp_path / "README.md").read_text()
    (thing,) = stamps.experiments().values()
    assert "fresh. Simulated on 2" in text and f"mechanism {MECHANISM}" in text
    assert stamps.is_fresh(thing)
    # What is fresh is left alone, and what is done is not done again.
    assert resimulate.main(["thing", "--work", str(work)]) == 0
    assert resimulate.main(["thing", "--work", str(work), "--again"]) == 0
    assert log_of(work) == ["ran"]
    assert (small / "README.md").read_text() == text


@pytest.mark.parametrize("what", ["mechanism", "script", "base", "rows", "steps"])
def test_what_makes_it_stale(
    what: str, small: Path, stamps: ModuleType, resimulate: ModuleType, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert resimulate.main(["thing", "--work", str(tmp_path / "work")]) == 0
    if what == "mechanism":
        monkeypatch.setattr(stamps, "mechanism_hash", lambda: MECHANISM[::-1])
    else:
        file = {
            "script": small / "note.py", "base": small / "base.toml", "rows": small / "rows.csv",
            "steps": small.parent / "resimulate.toml",
        }[what]  # fmt: skip
        file.write_text(
            file.read_text()
            .replace("1", "2")
            .replace("no table", "none")
            .replace("{work}/log", "{work}/other")
        )
    (thing,) = stamps.experiments().values()
    assert not stamps.is_fresh(thing)
    assert stamps.status_of(thing).group("word") == "fresh"
    assert resimulate.main(["--mark"]) == 0
    line = stamps.status_of(thing)
    assert line.group("word") == "stale" and f"mechanism {MECHANISM}" in line.group("rest")
    assert resimulate.main(["--mark"]) == 0
    assert stamps.status_of(thing).group(0) == line.group(0)


def test_another_form_of_the_same_mechanism_leaves_it_fresh(
    small: Path, stamps: ModuleType, resimulate: ModuleType, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert resimulate.main(["thing", "--work", str(tmp_path / "work")]) == 0
    (thing,) = stamps.experiments().values()
    listed = small.parent / "same_results.toml"
    listed.write_text(
        f'[[group]]\nmechanisms = ["{MECHANISM}", "b"]\n[[group]]\nmechanisms = ["c", "d"]\n'
    )
    for today, fresh in (("b", True), ("c", False), ("e", False), (MECHANISM, True)):
        monkeypatch.setattr(stamps, "mechanism_hash", lambda today=today: today)
        assert stamps.is_fresh(thing) == fresh, today


def test_words_in_a_readme_leave_it_fresh(
    small: Path, stamps: ModuleType, resimulate: ModuleType, tmp_path: Path
) -> None:
    assert resimulate.main(["thing", "--work", str(tmp_path / "work")]) == 0
    readme = small / "README.md"
    readme.write_text(readme.read_text().replace("Text.", "Other text."))
    (thing,) = stamps.experiments().values()
    assert stamps.is_fresh(thing)


def test_a_step_that_fails_stamps_nothing_and_is_done_again(
    small: Path, resimulate: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work, before = tmp_path / "work", (small / "README.md").read_text()
    (folder,) = [resimulate.Work(work, one).folder for one in resimulate.chosen([])]
    (folder / "wrong").touch()
    assert resimulate.main(["thing", "--work", str(work)]) == 1
    assert "step answer ended with exit code 5" in capsys.readouterr().err
    assert (small / "README.md").read_text() == before
    (folder / "wrong").unlink()
    assert resimulate.main(["thing", "--work", str(work)]) == 0
    assert log_of(work) == ["ran", "ran"]


def test_time_that_is_over_stops_a_step_and_the_same_call_goes_on(
    small: Path, resimulate: ModuleType, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    (small / "note.py").write_text(
        "import time\nfrom pathlib import Path\nhere = Path(__file__).with_name('slow')\n"
        "if here.exists():\n    time.sleep(600)\nprint('no table')\n"
    )
    (small / "slow").touch()
    assert (
        resimulate.main(["thing", "--work", str(work), "--hours", "0.0015"])
        == resimulate.TIME_IS_OVER
    )
    assert "stale" in (small / "README.md").read_text()
    (small / "slow").unlink()
    assert resimulate.main(["thing", "--work", str(work)]) == 0
    assert "fresh" in (small / "README.md").read_text()


def test_the_list_and_what_is_refused(
    small: Path, resimulate: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert resimulate.main(["--list", "--work", str(tmp_path / "work")]) == 0
    assert "thing: stale" in capsys.readouterr().out
    assert resimulate.main(["nothing"]) == 1
    assert "no experiment 'nothing'; there are thing" in capsys.readouterr().err
    assert resimulate.main(["thing", "--seeds", "1", "--work", str(tmp_path / "work")]) == 1
    assert "no study whose bones could be fewer" in capsys.readouterr().err
    readme = small / "README.md"
    readme.write_text(readme.read_text().replace("*Status", "Status"))
    assert resimulate.main(["--mark"]) == 1
    assert "has 0 status lines" in capsys.readouterr().err


def test_fewer_bones_are_a_copy_of_the_study(resimulate: ModuleType, tmp_path: Path) -> None:
    """With the same base and rows; nothing beside the work is written."""
    from bonesim.sweeps.study import Study

    (one,) = resimulate.chosen(["lowest_effective_dose"])
    whole = Study(one.steps[0].source).points()
    work = resimulate.Work(tmp_path, one, seeds=1)
    command = work.command(one.steps[0], 1)
    few = Study(Path(command[command.index("run") + 1])).points()
    assert len(whole) == 6 * len(few)
    assert {point.id for point in few} <= {point.id for point in whole}
    answer = work.command(one.steps[1], 1)
    assert Path(answer[answer.index("-o") + 1]).parent == work.folder
