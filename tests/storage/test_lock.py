"""One writer at a time, and nothing half-written under the file's name."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest
from run_pieces import fill, new_writer

from bonesim.engine.run import checkpoint_path
from bonesim.errors import BusyError, InputError
from bonesim.storage import checkpoint
from bonesim.storage.lock import WriteLock, lock_path
from bonesim.storage.outputs import MAX_NAME_BYTES
from bonesim.storage.reader import open_run
from bonesim.storage.writer import RunWriter

HOLDER = """
import sys
from pathlib import Path
from bonesim.storage.lock import WriteLock
lock = WriteLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_second_writer_of_another_process_is_refused_until_it_dies(run_file: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(run_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match="another process"):
            RunWriter.reopen(run_file)
        with pytest.raises(BusyError):
            new_writer(run_file, overwrite=True)
        holder.kill()
    assert lock_path(run_file).exists()
    RunWriter.reopen(run_file).close()
    assert names(run_file.parent) == [run_file.name]


def test_second_writer_of_this_process_is_refused(run_file: Path) -> None:
    with RunWriter.reopen(run_file), pytest.raises(BusyError):
        RunWriter.reopen(run_file)
    RunWriter.reopen(run_file).close()


def test_lock_is_released_once(tmp_path: Path) -> None:
    first = WriteLock(tmp_path / "a")
    first.release()
    second = WriteLock(tmp_path / "a")
    first.release()
    with pytest.raises(BusyError):
        WriteLock(tmp_path / "a")
    second.release()
    assert names(tmp_path) == []


def test_lock_file_removed_at_the_wrong_moment_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder goes between our opening it and locking it: what we then hold is no file."""
    path, real, calls = tmp_path / "a", fcntl.flock, []

    def flock(descriptor: int, operation: int) -> None:
        calls.append(operation)
        if len(calls) == 1:
            lock_path(path).unlink()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    lock = WriteLock(path)
    with pytest.raises(BusyError):
        WriteLock(path)
    lock.release()


def test_nothing_appears_before_the_first_commit(tmp_path: Path) -> None:
    path = tmp_path / "out.vtkhdf"
    with new_writer(path):
        assert not path.exists()
    assert names(tmp_path) == []
    with new_writer(path) as writer:
        fill(writer)
        assert ".out.vtkhdf.new" not in names(tmp_path)
    assert names(tmp_path) == ["out.vtkhdf"]
    writer.close()


def test_existing_file_is_kept_without_overwrite(run_file: Path) -> None:
    before = run_file.read_bytes()
    with pytest.raises(InputError, match="give overwrite"):
        new_writer(run_file)
    with new_writer(run_file, overwrite=True) as writer:
        assert run_file.read_bytes() == before
    assert run_file.read_bytes() == before
    with new_writer(run_file, overwrite=True) as writer:
        fill(writer, (0,))
    with open_run(run_file) as run:
        assert run.snapshot_days == [0]


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        new_writer(tmp_path / "none" / "out.vtkhdf")
    with pytest.raises(InputError, match="is a folder"):
        new_writer(tmp_path, overwrite=True)
    with pytest.raises(InputError, match="too long"):
        new_writer(tmp_path / ("a" * 300))
    assert names(tmp_path) == []


def test_longest_name_leaves_room_for_all_that_stands_beside_it(tmp_path: Path) -> None:
    path = tmp_path / ("a" * MAX_NAME_BYTES)
    with new_writer(path) as writer:
        fill(writer, (0,))
    checkpoint.save(checkpoint_path(path), {"day": 1}, {})
    assert checkpoint.load(checkpoint_path(path))[0] == {"day": 1}
