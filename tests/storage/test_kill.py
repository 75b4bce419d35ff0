"""Writers killed at any time, and full disks: the last commit can be read, and gone on from."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_pieces import events_of, fields_on, fill, new_writer, put_snapshot, rows_on

from bonesim.errors import ResourceError
from bonesim.storage import checkpoint, layout
from bonesim.storage.reader import open_run
from bonesim.storage.writer import RunWriter

#: Writes a day, commits, and reports it, for ever.
WRITER = """
import sys
from pathlib import Path
import numpy as np
from run_pieces import events_of, new_writer, put_snapshot, rows_on
from bonesim.storage import layout
from bonesim.storage.writer import RunWriter
path, first = Path(sys.argv[1]), int(sys.argv[2])
writer = RunWriter.reopen(path) if first else new_writer(path)
if first:
    writer.truncate_to(first - 1)
for day in range(first, 10**6):
    writer.append_table(rows_on(np.arange(day, day + 1)))
    writer.write_log(layout.EVENTS, events_of(day // 2))
    put_snapshot(writer, day)
    writer.commit()
    print(day, flush=True)
"""


def _killed_writer(path: Path, first: int, seconds: float) -> int:
    """Let a writer work for some time after its first commit; the last day it reported on file."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    }
    command = [sys.executable, "-c", WRITER, str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        first_line = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        days = [
            int(line)
            for line in (first_line + process.stdout.read()).splitlines(True)
            if "\n" in line
        ]
    return days[-1]


def _kill_and_check(path: Path, kills: int) -> None:
    day = -1
    for kill in range(kills):
        # Steps that never divide the time of a commit evenly.
        day = _killed_writer(path, day + 1, 0.02 + 0.618034 * kill % 0.1)
        with open_run(path) as run:
            last = int(run.table["day"].iloc[-1])
            # The commit was made, but the writer died before it could report it.
            assert last in (day, day + 1)
            assert run.snapshot_days == list(range(last + 1))
            assert len(run.events) == last // 2
            for name, values in rows_on(np.arange(last + 1)).items():
                assert np.array_equal(run.table[name], values)
            for each in (0, last // 2, last):
                for name, field in fields_on(each).items():
                    assert np.array_equal(run.field(name, each), field)


def test_killed_writer_leaves_its_last_commit(tmp_path: Path) -> None:
    _kill_and_check(tmp_path / "out.vtkhdf", 3)


@pytest.mark.slow
def test_often_killed_writer_leaves_its_last_commit(tmp_path: Path) -> None:
    _kill_and_check(tmp_path / "out.vtkhdf", 60)


def _full_after(monkeypatch: pytest.MonkeyPatch, calls: int) -> list[int]:
    """The disk is full after so many writes; how often it was asked."""
    real, asked = os.pwrite, [0]

    def pwrite(*arguments: Any) -> int:
        asked[0] += 1
        if asked[0] > calls:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments)

    monkeypatch.setattr(os, "pwrite", pwrite)
    return asked


def test_full_disk_at_any_write_keeps_the_last_commit(run_file: Path) -> None:
    with open_run(run_file) as run:
        before = run.content_hash()
    calls, reached = 0, {before}
    while True:
        with pytest.MonkeyPatch.context() as patch, RunWriter.reopen(run_file) as writer:
            asked = _full_after(patch, calls)
            put_snapshot(writer, 30)
            writer.append_table(rows_on(np.arange(21, 31)))
            writer.write_log(layout.EVENTS, events_of(15))
            try:
                writer.commit()
                break
            except ResourceError as error:
                assert "disk is full" in str(error)
                assert asked[0] > calls
        with open_run(run_file) as run:
            if run.content_hash() != before:
                break
        calls += 1
    with open_run(run_file) as run:
        assert run.snapshot_days[-1] == 30
        reached.add(run.content_hash())
    assert calls > 1
    assert len(reached) == 2


def test_full_disk_passes_and_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "out.vtkhdf"
    with new_writer(path) as writer:
        fill(writer, (0,))
        put_snapshot(writer, 5)
        with pytest.MonkeyPatch.context() as patch:
            _full_after(patch, 0)
            with pytest.raises(ResourceError):
                writer.commit()
        writer.commit()
    with open_run(path) as run:
        assert np.array_equal(run.quanta(5), fields_on(5)["quanta"])


def test_full_disk_keeps_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, {"day": 1}, {})
    with pytest.MonkeyPatch.context() as patch:
        _full_after(patch, 0)
        with pytest.raises(ResourceError, match="disk is full"):
            checkpoint.save(path, {"day": 2}, {})
    assert checkpoint.load(path)[0] == {"day": 1}
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
