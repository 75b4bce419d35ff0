"""A file that changes by whole commits: against a plain one in memory, and with failing disks."""

import errno
import hashlib
import io
import os
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bonesim.storage import journaled_file
from bonesim.storage.journaled_file import PAGE, Journal, JournaledFile, journal_path, packed

PLACES = st.integers(0, 4 * PAGE) | st.sampled_from([PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
ACTIONS = st.lists(
    st.tuples(st.just("write"), PLACES, st.integers(1, 2 * PAGE))
    | st.tuples(st.just("truncate"), PLACES, st.just(0))
    | st.tuples(st.sampled_from(["commit", "reopen"]), st.just(0), st.just(0)),
    max_size=25,
)


def content(path: Path) -> bytes:
    with JournaledFile(path, writable=False) as file:
        return file.read()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions=ACTIONS)
def test_behaves_as_a_plain_file(tmp_path: Path, actions: list[tuple[str, int, int]]) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"")
    file, plain, committed = JournaledFile(path, writable=True), io.BytesIO(), b""
    for number, (action, place, count) in enumerate(actions):
        if action == "write":
            for each in (file, plain):
                each.seek(place)
                each.write(bytes([number + 1]) * count)
        elif action == "truncate":
            file.truncate(place)
            old = plain.getvalue()
            plain = io.BytesIO(old[:place].ljust(place, b"\0"))
        elif action == "commit":
            file.commit()
            committed = plain.getvalue()
            assert path.read_bytes() == committed
        else:
            file.close()
            file, plain = JournaledFile(path, writable=True), io.BytesIO(committed)
        file.seek(0)
        assert file.read() == plain.getvalue()
        assert content(path) == committed
    file.close()


class Died(BaseException):
    """The process was killed here."""


def _failing_after(
    monkeypatch: pytest.MonkeyPatch,
    calls: int,
    error: BaseException,
    names: tuple[str, ...] = ("pwrite", "fsync", "ftruncate"),
) -> None:
    """From now on the disk works for so many calls of these names, then each one fails."""
    left = [calls]

    def failing(name: str) -> Any:
        real = getattr(os, name)

        def call(*arguments: Any) -> Any:
            left[0] -= 1
            if left[0] >= 0:
                return real(*arguments)
            if name == "pwrite" and left[0] == -1:
                # Half of it still went through.
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2], arguments[2])
            raise error

        return call

    for name in names:
        monkeypatch.setattr(os, name, failing(name))


def _two_states(path: Path) -> tuple[bytes, bytes, JournaledFile]:
    """A committed state, a wished one that changes, grows and shrinks it, and the open file."""
    before = np.arange(5 * PAGE + 77, dtype=np.uint32).astype(np.uint8).tobytes()
    path.write_bytes(before)
    file = JournaledFile(path, writable=True)
    after = bytearray(before)
    for place in (3, PAGE - 2, 3 * PAGE, 5 * PAGE + 70):
        after[place : place + 500] = b"x" * 500
        file.seek(place)
        file.write(b"x" * 500)
    after += b"y" * 3 * PAGE
    file.seek(0, io.SEEK_END)
    file.write(b"y" * 3 * PAGE)
    return before, bytes(after), file


@pytest.mark.parametrize("died", [False, True])
def test_failure_at_any_call_leaves_one_of_both_states(tmp_path: Path, died: bool) -> None:
    seen = set()
    for calls in range(40):
        path = tmp_path / f"{died}{calls}"
        before, after, file = _two_states(path)
        error = Died() if died else OSError(errno.ENOSPC, "No space left on device")
        with pytest.MonkeyPatch.context() as patch:
            _failing_after(patch, calls, error)
            try:
                file.commit()
            except (Died, OSError):
                whole = False
            else:
                whole = True
        found = content(path)
        seen.add((whole, found == after))
        # What was appended in vain may stay beyond the old end, where nobody reads.
        assert found == after or (not whole and found.startswith(before))
        if not died:
            file.commit()
            assert content(path) == path.read_bytes() == after
            assert not journal_path(path).exists()
        file.close()
        # The next writer continues from what a reader sees.
        with JournaledFile(path, writable=True) as again:
            again.commit()
        assert path.read_bytes() == (after if not died else found)
        if whole:
            break
    assert seen == {(False, False), (False, True), (True, True)}


def test_failed_retry_after_the_commit_point_keeps_the_commit(tmp_path: Path) -> None:
    """The journal exists: its pages beyond the old end stay though the next commit fails."""
    for first in range(40):
        path = tmp_path / str(first)
        before, after, file = _two_states(path)
        full = OSError(errno.ENOSPC, "No space left on device")
        with pytest.MonkeyPatch.context() as patch:
            _failing_after(patch, first, full)
            try:
                file.commit()
                break
            except OSError:
                reached = content(path)
        with pytest.MonkeyPatch.context() as patch:
            _failing_after(patch, 0, full, ("pwrite",))
            with pytest.raises(OSError, match="No space"):
                file.commit()
        assert content(path) == (after if reached == after else before)
        file.close()
    assert reached == after != before


def _journal(path: Path, new: bytes) -> Journal:
    """The journal of a commit that makes the first page of a file `new`."""
    data = path.read_bytes()
    rest = [
        zlib.crc32(data[at : at + PAGE].ljust(PAGE, b"\0")) for at in range(PAGE, len(data), PAGE)
    ]
    kept = journaled_file._digest_of([0, *rest], [0], len(data), len(data))
    return Journal(len(data), len(data), kept, {0: data[:PAGE]}, {0: bytearray(new)})


def test_damaged_and_foreign_journals_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a" * PAGE + b"c" * 300)
    good = packed(_journal(path, b"b" * PAGE))
    journal_path(path).write_bytes(good)
    assert content(path) == b"b" * PAGE + b"c" * 300
    (tmp_path / "other").write_bytes(b"a" * PAGE + b"d" * 300)
    foreign = packed(_journal(tmp_path / "other", b"b" * PAGE))
    for bad in (good[:-1], b"", good[:60] + b"!" + good[61:], foreign):
        journal_path(path).write_bytes(bad)
        assert content(path) == b"a" * PAGE + b"c" * 300
    for changed in (b"a" * PAGE + b"d" * 300, b"x" + b"a" * (PAGE - 1) + b"c" * 300, b"a" * PAGE):
        journal_path(path).write_bytes(good)
        path.write_bytes(changed)
        assert content(path) == changed


def test_a_journal_of_absurd_size_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a" * PAGE)
    good = packed(_journal(path, b"b" * PAGE))
    start = len(journaled_file.MAGIC) + journaled_file.DIGEST
    payload = journaled_file.HEADER.pack(PAGE, PAGE, 2**60) + good[start + 24 :]
    data = journaled_file.MAGIC + hashlib.sha256(payload).digest() + payload
    journal_path(path).write_bytes(data)
    assert content(path) == b"a" * PAGE


def test_a_journal_of_version_0_1_is_used_by_its_own_file_only(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a" * PAGE)
    for inode, expected in ((path.stat().st_ino, b"b"), (1, b"a")):
        payload = journaled_file.HEADER.pack(inode, PAGE, 1) + bytes(8) + b"b" * PAGE
        digest = hashlib.sha256(payload).digest()
        journal_path(path).write_bytes(journaled_file.OLD_MAGIC + digest + payload)
        assert content(path) == expected * PAGE


def test_copies_made_after_a_kill_at_any_call_can_be_read(tmp_path: Path) -> None:
    """In any mix: both copied, the file alone replaced, a journal of the commit before."""
    seen = set()
    for calls in range(40):
        folder = tmp_path / str(calls)
        folder.mkdir()
        path = folder / "a"
        before, after, file = _two_states(path)
        with pytest.MonkeyPatch.context() as patch:
            _failing_after(patch, calls, Died())
            try:
                file.commit()
            except Died:
                pass
            else:
                break
        file.close()
        copied = tmp_path / f"copy{calls}"
        shutil.copytree(folder, copied)
        shutil.rmtree(folder)
        found = content(copied / "a")
        seen.add(found == after)
        assert found == after or found.startswith(before)
        with JournaledFile(copied / "a", writable=True) as again:
            again.seek(7)
            again.write(b"next")
            stale = journal_path(copied / "a")
            journal = stale.read_bytes() if stale.exists() else None
            again.commit()
        if journal is not None:
            last = content(copied / "a")
            stale.write_bytes(journal)
            assert content(copied / "a") == last
            (copied / "a").write_bytes(b"another file" * 1000)
            assert content(copied / "a") == b"another file" * 1000
    assert seen == {False, True}


@pytest.mark.parametrize("failing", ["readinto", "write", "truncate"])
def test_nothing_is_committed_after_a_failed_call_of_hdf5(tmp_path: Path, failing: str) -> None:
    before, _, file = _two_states(tmp_path / "a")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JournaledFile, "_content", _raise(MemoryError("no room")))
        if failing == "readinto":
            with pytest.raises(MemoryError):
                file.readinto(bytearray(10))
        elif failing == "write":
            # Raised within HDF5's flush it could crash the interpreter: remembered only.
            file.seek(2 * PAGE + 7)
            assert file.write(b"xyz") == 3
        else:
            file._pages = None
            assert file.truncate(3) == 3
            file._pages = {}
    assert file.failure is not None
    for _ in range(2):
        with pytest.raises((MemoryError, AttributeError)):
            file.commit()
    file.close()
    assert (tmp_path / "a").read_bytes() == before
    assert not journal_path(tmp_path / "a").exists()


def _raise(error: BaseException) -> Any:
    def raising(*_: Any) -> Any:
        raise error

    return raising


def test_pipes_devices_and_links_are_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a" * PAGE)
    os.mkfifo(journal_path(path))
    with pytest.raises(OSError, match="named pipe"):
        JournaledFile(path, writable=False)
    journal_path(path).unlink()
    for target in ("/dev/zero", str(path)):
        journal_path(path).symlink_to(target)
        with pytest.raises(OSError, match="symbolic link"):
            JournaledFile(path, writable=False)
        journal_path(path).unlink()
    for wrong in ("/dev/zero", str(tmp_path)):
        with pytest.raises(OSError, match=r"device|folder"):
            JournaledFile(Path(wrong), writable=False)
