"""The hash of the program: what changes it, what does not, and how a run and a sweep carry it."""

import shutil
from pathlib import Path

import pytest

from bonesim.storage import program


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources that may be edited."""
    copy = tmp_path / "bonesim"
    shutil.copytree(program.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(program, "PACKAGE", copy)
    return copy


def hashes() -> tuple[str, str]:
    """Of the program and of outcomes, computed now."""
    return program.program_hash.__wrapped__(), program.outcome_hash.__wrapped__()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("engine/simulation.py", "self.osteoclasts.resorb(", "self.osteoclasts.resorb_all("),
        ("engine/daily_table.py", "TRAILING_DAYS = 365", "TRAILING_DAYS = 364"),
        ("engine/burn_in.py", "advance(simulation, 0, on_day)", "advance(simulation, -1, on_day)"),
        ("cells/osteoclast.py", "left += 1", "left += 2"),
        ("endocrine/course.py", "def pinned", "def pinned_twice"),
    ],
)
def test_an_edit_of_the_engine_is_another_program(
    package: Path, file: str, old: str, new: str
) -> None:
    before = hashes()
    text = (package / file).read_text()
    assert old in text
    (package / file).write_text(text.replace(old, new))
    assert [one != other for one, other in zip(before, hashes(), strict=True)] == [True, True]
    (package / file).write_text(text)
    assert hashes() == before


def test_a_new_or_renamed_module_is_another_program(package: Path) -> None:
    before = hashes()
    (package / "cells" / "neuron.py").write_text('"""New."""\n')
    new = hashes()
    (package / "cells" / "neuron.py").rename(package / "cells" / "nerve.py")
    assert len({before[0], new[0], hashes()[0]}) == 3


@pytest.mark.parametrize(
    "file", ["reports/run.py", "viewer/palette.py", "cli/run.py", "api/look.py"]
)
def test_an_edit_of_a_report_is_the_same_program(package: Path, file: str) -> None:
    before = hashes()
    with (package / file).open("a") as source:
        source.write("\n# a comment\n")
    assert hashes() == before


@pytest.mark.parametrize("file", ["loss/parts.py", "trials/visits.py", "instruments/visits.py"])
def test_an_edit_of_readings_is_another_outcome_of_the_same_run(package: Path, file: str) -> None:
    before = hashes()
    with (package / file).open("a") as source:
        source.write("\n# a comment\n")
    assert [one != other for one, other in zip(before, hashes(), strict=True)] == [False, True]


def test_line_ends_and_caches_do_not_count_and_the_version_does(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = hashes()
    file = package / "engine" / "days.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    (package / "engine" / "days.pyc").write_bytes(b"\0")
    assert hashes() == before
    monkeypatch.setattr(program, "version_of", lambda _: "99.0")
    assert [one != other for one, other in zip(before, hashes(), strict=True)] == [True, True]


CODE = [
    ("cells/osteoclast.py", "left += 1", "left += 2"),
    ("endocrine/response.py", "SAMPLES_PER_DAY = 4", "SAMPLES_PER_DAY = 8"),
    ("instruments/density.py", "] = 0.50", "] = 0.51"),
    ("specimens/library.toml", "=", " ="),
    ("engine/burn_in.py", "advance(simulation, 0, on_day)", "advance(simulation, -1, on_day)"),
]


@pytest.mark.parametrize(("file", "old", "new"), CODE, ids=[one[0] for one in CODE])
def test_an_edit_of_code_is_another_mechanism(package: Path, file: str, old: str, new: str) -> None:
    before = program.mechanism_hash.__wrapped__()
    text = (package / file).read_text()
    assert old in text
    (package / file).write_text(text.replace(old, new, 1))
    assert program.mechanism_hash.__wrapped__() != before
    (package / file).write_text(text)
    (package / "cells" / "neuron.py").write_text("LAYERS = 6\n")
    assert program.mechanism_hash.__wrapped__() != before


def test_words_progress_and_version_are_the_same_mechanism(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = program.mechanism_hash.__wrapped__()
    for file in ("cells/bmu.py", "engine/simulation.py", "endocrine/response.py"):
        text = (package / file).read_text()
        place = text.index('"""') + 3
        (package / file).write_text(f"{text[:place]}Otherwise: {text[place:]}\n\n# a remark\n")
    (package / "engine" / "progress.py").write_text("PROGRESS = None\n")
    (package / "storage" / "lock.py").write_text("LOCK = None\n")
    monkeypatch.setattr(program, "version_of", lambda _: "99.0")
    assert program.mechanism_hash.__wrapped__() == before


def test_what_cannot_change_a_result_exists() -> None:
    assert all((program.PACKAGE / name).exists() for name in program.NO_MECHANISM)


def test_code_is_what_runs() -> None:
    source = '''"""About."""

X = "# no comment"  # a comment


def double(x):
    """Twice.

    Always.
    """
    return (  # two
        2 * x
    )


class Nothing:
    """Nothing."""
'''
    code = program.code_of(source)
    assert code.splitlines() == [
        'X = "# no comment"', "def double(x):", "    return (", "        2 * x", "    )",
        "class Nothing:",
    ]  # fmt: skip
