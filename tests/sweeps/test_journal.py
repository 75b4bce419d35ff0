"""The journal of a sweep: a damaged line costs its own point and is reported; nothing else changes."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bonesim.errors import InputError
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.journal import Journal, line_of, records_of
from bonesim.sweeps.status import notes, status_of, text
from bonesim.sweeps.study import Study
from bonesim.sweeps.sweep import run_study
from tests.sweeps import dummy
from tests.sweeps.conftest import HILL

Write = Callable[..., Path]
FOUR = "seeds = 2\n" + HILL + "values = [1.0, 1.5, 2.0, 2.5]"


@pytest.fixture
def folder(write: Write, tmp_path: Path) -> Folder:
    """The folder of a finished sweep."""
    study, path = Study(write(FOUR)), tmp_path / "out"
    folder = Folder(path, study)
    folder.write_points(study.points())
    journal = Journal(path / "journal.jsonl")
    for point in study.points():
        journal.add({"point": point.id, "status": "done", "seconds": 0.25, "program": "this",
                     "rows": dummy.numbers(point.config, None)})  # fmt: skip
    journal.close()
    return folder


def assert_no_other_table(folder: Folder, whole: pd.DataFrame, what: str) -> int:
    """Rows that are there are right; a row that is not there is reported. Returns points lost."""
    status = status_of(folder.path)
    assert text(status)
    found = folder.results()
    lost = set(whole["point"]) - (set(found["point"]) if len(found) else set())
    kept = whole[~whole["point"].isin(lost)].reset_index(drop=True)
    if len(kept):
        pd.testing.assert_frame_equal(found, kept)
    assert status.missing == len(lost), what
    return len(lost)


def damage(folder: Folder, number: int) -> None:
    """Flip one bit `number` times, then cut at every fifth byte."""
    place, whole = folder.path / "journal.jsonl", folder.results()
    content, rng = place.read_bytes(), np.random.default_rng(5)
    for _ in range(number):
        where, bit = int(rng.integers(len(content))), int(rng.integers(8))
        flipped = bytearray(content)
        flipped[where] ^= 1 << bit
        place.write_bytes(bytes(flipped))
        what = f"byte {where}, bit {bit}"
        lost = assert_no_other_table(folder, whole, what)
        assert lost <= 1, what
        if lost:
            assert records_of(folder.path).damaged, what
    for end in range(0, len(content), max(5, len(content) // number // 5 * 5)):
        place.write_bytes(content[:end])
        lost = assert_no_other_table(folder, whole, f"cut at {end}")
        assert lost >= 8 - content[:end].count(b"\n") - 1
    place.write_bytes(content)
    assert assert_no_other_table(folder, whole, "") == 0


def test_flips_and_cuts(folder: Folder) -> None:
    damage(folder, 60)


@pytest.mark.slow
def test_600_flips_and_every_fifth_byte(folder: Folder) -> None:
    damage(folder, 600)


def test_a_damaged_line_names_its_point_and_only_that_is_done_again(
    folder: Folder, write: Write
) -> None:
    place = folder.path / "journal.jsonl"
    lines = place.read_bytes().splitlines(keepends=True)
    point = json.loads(lines[3])["point"]
    lines[3] = lines[3].replace(b'"day": 100', b'"day": 900')
    place.write_bytes(b"".join(lines))
    expected = f"journal.jsonl, line 4: damaged; point {point} is done again"
    assert expected in text(status_of(folder.path))
    notes_shown: list[str] = []

    class Shown:
        def note(self, text: str) -> None:
            notes_shown.append(text)

        def begin(self, done: int, total: int) -> None:
            assert (done, total) == (7, 8)

        def ended(self, entry: dict[str, object], done: int, total: int) -> None:
            assert entry["point"] == point

        def end(self) -> None:
            pass

    missing = run_study(
        Study(write(FOUR)), folder.path, workers=1, simulate=dummy.numbers, progress=Shown()
    )
    assert missing == 0
    assert expected in notes_shown
    assert len(place.read_bytes().splitlines()) == 9


def test_two_lines_that_became_one_are_both_read(folder: Folder) -> None:
    place = folder.path / "journal.jsonl"
    content = place.read_bytes()
    end = content.index(b"\n")
    place.write_bytes(content[:end] + b"\x0b" + content[end + 1 :])
    assert status_of(folder.path).missing == 0


def test_lines_without_checksums_are_read_and_reported(folder: Folder) -> None:
    place = folder.path / "journal.jsonl"
    whole = folder.results()
    old = []
    for line in place.read_text().splitlines():
        entry = json.loads(line)
        old.append(json.dumps({k: entry[k] for k in ("point", "status", "seconds", "rows")}))
    place.write_text("\n".join(old[:3]) + "\n")
    journal = Journal(place)
    for line in old[3:]:
        journal.add(json.loads(line))
    journal.close()
    pd.testing.assert_frame_equal(folder.results(), whole)
    status = status_of(folder.path)
    assert status.unprotected == 3
    assert "3 entries of the journal have no checksum" in text(status)


@pytest.mark.parametrize(
    "line",
    [
        '{"point": "a", "status": "done", "seconds": 1e999, "rows": []}',
        '{"point": "a", "status": "done", "seconds": -1, "rows": []}',
        '{"point": "a", "status": "done", "seconds": 1, "rows": 1152921504606846976}',
        '{"point": "a", "status": "done", "seconds": 1, "rows": [{"x": 99999999999999999999}]}',
        '{"point": "a", "status": "done", "seconds": 1, "rows": [{"x": NaN}]}',
        '{"point": "a", "status": "done", "seconds": 1, "rows": [{"x": [1]}]}',
        '{"point": "a", "status": "done", "seconds": 1, "rows": [], "colour": 1}',
        '{"point": 3, "status": "done", "seconds": 1, "rows": []}',
        '{"point": "a", "status": "won", "seconds": 1, "rows": []}',
        '{"point": "a", "status": "failed", "seconds": 1}',
        '{"point": "a", "status": "done", "seconds": ' + "9" * 5000 + ', "rows": []}',
        "[" * 100_000,
        "\udcff",
        "null",
    ],
)
def test_what_no_attempt_can_be(folder: Folder, line: str) -> None:
    with (folder.path / "journal.jsonl").open("ab") as file:
        file.write(line.encode(errors="surrogateescape") + b"\n")
    records = records_of(folder.path)
    assert (len(records.entries), len(records.damaged)) == (8, 1)
    assert folder.status()[0].keys() == set(folder.points()["point"])


def test_a_line_cut_off_by_a_kill_is_replaced(folder: Folder) -> None:
    place = folder.path / "journal.jsonl"
    content = place.read_bytes()
    for rest in (b'{"point": "b", "st', b"\xff" * 200_000):
        place.write_bytes(content + rest)
        assert not records_of(folder.path).damaged
        journal = Journal(place)
        journal.add({"point": "c", "status": "failed", "seconds": 1, "error": "x"})
        journal.close()
        added = line_of({"point": "c", "status": "failed", "seconds": 1, "error": "x"})
        assert place.read_bytes() == content + added
    # Only the line's end is lost: the line counts.
    for rest in (content[:-1], content[:-1] + b"\x0b"):
        place.write_bytes(rest)
        assert status_of(folder.path).missing == 0
        Journal(place).close()
        assert place.read_bytes() == content


def test_other_programs_and_designs_are_stated(folder: Folder) -> None:
    text_of_notes = "\n".join(notes(status_of(folder.path)))
    assert "8 of 8 results are of bonesim this, this is " in text_of_notes
    journal = Journal(folder.path / "journal.jsonl")
    journal.add({"point": "0" * 20, "status": "done", "seconds": 1, "rows": []})
    journal.close()
    assert "1 results in the journal are of another program, input or design" in "\n".join(
        notes(status_of(folder.path))
    )
    assert len(folder.results()) == 24


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["journal.jsonl", "journal_3.jsonl", "points.csv"])
def test_a_fifo_or_device_is_refused_at_once(
    folder: Folder, name: str, main_here: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    place = folder.path / name
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    for command in ("status", "gather"):
        done = main_here("sweep", command, folder.path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert "no regular file" in done.stderr
    place.unlink()
    place.symlink_to("/dev/zero")
    with pytest.raises(InputError, match="no regular file"):
        status_of(folder.path)
    if name == "journal.jsonl":
        with pytest.raises(InputError, match="no regular file"):
            Journal(place)
