"""A file that changes only by whole commits, for HDF5 to write into.

HDF5 changes its file in place and puts new data where old data were. In a test, 120 writers were
killed while they appended to a compressed table and flushed after every frame; 39 files lost
acknowledged rows. When the disk is full, HDF5 can crash the interpreter.

So HDF5 writes into memory here: h5py takes a Python file object. `commit` then moves the changed
pages to the disk. A kill at any instant leaves the state before or after the commit:

    1. pages beyond the old end are appended; a reader of the old state does not see them
    2. changed pages of the old part go to a journal, made by one rename: the commit point
    3. they are written in place, and the journal is removed

A reader that finds a journal uses its pages instead of those in the file. So a writer killed
within 3 loses nothing either. A full disk is an OSError in 1 or 2: the file is unchanged and the
pages stay in memory.

A journal is of a state of the file's content, not of a place on a disk: it goes with copies and
is ignored beside any other file. It has the sums of the pages that do not change, and of each
page that does, what was there before. Each byte of the file must be the one or the other.

HDF5 can forget what a callback of this class raised, and go on. So the first failure is
remembered (`failure`), and nothing is committed after it.
"""

import hashlib
import io
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bonesim.storage.durable import open_regular, read_regular, write_at, write_durably

PAGE = 4096
MAGIC = b"bonesim journal 2\n"
#: Of the journal: size of the file before and after the commit, number of pages.
HEADER = struct.Struct("<QQQ")
DIGEST = hashlib.sha256().digest_size
#: Bytes of the longest journal that is read.
MAX_JOURNAL = 2**33
#: The same of version 0.1, whose journal had: inode of its file, size after, number of pages.
OLD_MAGIC = b"bonesim journal\n"


def journal_path(path: Path) -> Path:
    """Where the journal of the file at `path` is during a commit."""
    return path.with_name(path.name + ".journal")


class Journal(NamedTuple):
    """A commit under way.

    Attributes:
        before, after: size of the file.
        kept: SHA-256 of the pages that do not change, see `_digest_of`.
        old, new: page number -> its bytes before and after, for those that change.
    """

    before: int
    after: int
    kept: bytes
    old: dict[int, bytes]
    new: dict[int, bytearray]


def packed(journal: Journal) -> bytes:
    """The bytes of a journal: magic, hash of the rest, header, sums, numbers, pages."""
    head = HEADER.pack(journal.before, journal.after, len(journal.new))
    numbers = struct.pack(f"<{len(journal.new)}Q", *journal.new)
    pages = b"".join(journal.old[page] + bytes(data) for page, data in journal.new.items())
    payload = head + journal.kept + numbers + pages
    return MAGIC + hashlib.sha256(payload).digest() + payload


def unpacked(data: bytes) -> Journal | None:
    """The journal in these bytes; None if it is damaged or none."""
    payload = memoryview(data)[len(MAGIC) + DIGEST :]
    if data[: len(MAGIC) + DIGEST] != MAGIC + hashlib.sha256(payload).digest():
        return None
    start = HEADER.size + DIGEST
    if len(payload) < start:
        return None
    before, after, count = HEADER.unpack_from(payload)
    if len(payload) != start + count * (8 + 2 * PAGE):
        return None
    numbers = struct.unpack_from(f"<{count}Q", payload, start)
    pages = [bytes(payload[at : at + PAGE]) for at in range(start + 8 * count, len(payload), PAGE)]
    return Journal(
        before, after, bytes(payload[HEADER.size : start]),
        dict(zip(numbers, pages[::2], strict=True)),
        dict(zip(numbers, map(bytearray, pages[1::2]), strict=True)),
    )  # fmt: skip


def _of_version_0_1(data: bytes, inode: int) -> tuple[int, dict[int, bytearray]] | None:
    """Size and pages in a journal of version 0.1, if it is of the file with this inode."""
    payload = data[len(OLD_MAGIC) + DIGEST :]
    if data[: len(OLD_MAGIC) + DIGEST] != OLD_MAGIC + hashlib.sha256(payload).digest():
        return None
    owner, size, count = HEADER.unpack_from(payload)
    if owner != inode or len(payload) != HEADER.size + count * (8 + PAGE):
        return None
    numbers = struct.unpack_from(f"<{count}Q", payload, HEADER.size)
    pages = payload[HEADER.size + 8 * count :]
    return size, {
        number: bytearray(pages[i * PAGE : (i + 1) * PAGE]) for i, number in enumerate(numbers)
    }


def _digest_of(sums: list[int], changed: Iterable[int], before: int, after: int) -> bytes:
    """SHA-256 over the sizes and the sums of the pages that do not change."""
    left = np.array(sums, np.uint32)
    numbers = np.array(sorted(changed), np.int64)
    kept = np.delete(left, numbers[numbers < left.size])
    return hashlib.sha256(struct.pack("<QQ", before, after) + kept.tobytes()).digest()


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    """What changes when a file is written or replaced."""
    return status.st_ino, status.st_size, status.st_mtime_ns


class JournaledFile(io.RawIOBase):
    """An existing file whose changes stay in memory until `commit`.

    Raises OSError as `open` would. Memory: the pages changed since the last commit.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self._writable = writable
        #: The first exception within a call of HDF5; after it nothing is committed.
        self.failure: BaseException | None = None
        self._descriptor = open_regular(path, os.O_RDWR if writable else os.O_RDONLY)
        status = os.fstat(self._descriptor)
        self._stamp = _stamp(status)
        #: Bytes in the file on the disk, and how many of them are still valid.
        self._disk_size = self._disk_valid = self._size = status.st_size
        self._pages: dict[int, bytearray] = {}
        #: Whether a journal is part of what is read.
        self.uses_journal = False
        #: CRC-32 of each page on the disk; not known before the first commit that needs it.
        self._sums: list[int] | None = None if status.st_size else []
        self._position = 0
        try:
            self._take_journal(status.st_ino)
        except BaseException:
            os.close(self._descriptor)
            raise

    def readable(self) -> bool:
        """Always."""
        return True

    def writable(self) -> bool:
        """Whether changes can be committed."""
        return self._writable

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to `offset` bytes from the start, the position or the end."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` from the position on; changes not yet committed are included."""
        with self._remembered():
            view = memoryview(buffer).cast("B")
            count = max(0, min(len(view), self._size - self._position))
            view[:count] = self._content(self._position, count)
            self._position += count
            return count

    def write(self, buffer: Any) -> int:
        """Change the bytes at the position, in memory.

        A failure is remembered only: raised within HDF5's flush it can crash the interpreter.
        """
        with suppress(BaseException), self._remembered():
            view = memoryview(buffer).cast("B")
            start, end = self._position, self._position + len(view)
            for page in range(start // PAGE, -(-end // PAGE)):
                origin = page * PAGE
                low, high = max(start, origin), min(end, origin + PAGE)
                if page not in self._pages:
                    self._pages[page] = self._content(origin, PAGE)
                self._pages[page][low - origin : high - origin] = view[low - start : high - start]
            self._position = end
            self._size = max(self._size, end)
        return memoryview(buffer).nbytes

    def truncate(self, size: int | None = None) -> int:
        """Cut or extend (with zeros) to `size` bytes, in memory. A failure: as `write`."""
        size = self._position if size is None else size
        with suppress(BaseException), self._remembered():
            if size < self._size:
                self._pages = {n: data for n, data in self._pages.items() if n * PAGE < size}
                if size // PAGE in self._pages:
                    self._pages[size // PAGE][size % PAGE :] = bytes(PAGE - size % PAGE)
                self._disk_valid = min(self._disk_valid, size)
            self._size = size
        return size

    def require_whole(self) -> None:
        """Raise what a call of HDF5 raised before, if one did: its view of the file may be wrong."""
        if self.failure is not None:
            raise self.failure

    def commit(self) -> None:
        """Move the changes to the disk, all or none; on OSError they stay in memory.

        Raises:
            OSError: the disk fails. Anything: what a call of HDF5 raised before (`failure`).
        """
        self.require_whole()
        # Where the file was cut and grown again, the old bytes on the disk must not show.
        for page in range(self._disk_valid // PAGE, -(-min(self._disk_size, self._size) // PAGE)):
            self._pages.setdefault(page, self._content(page * PAGE, PAGE))
        changed = {
            page: data for page, data in self._pages.items() if page * PAGE < self._disk_size
        }
        added = [page for page in self._pages if page not in changed]
        sums = self._sums_with(added)
        self._append(added)
        if changed or self._size < self._disk_size:
            journal = journal_path(self.path)
            write_durably(journal, packed(self._journal_of(changed, sums)))
            self._put(changed)
            os.ftruncate(self._descriptor, self._size)
            os.fsync(self._descriptor)
            journal.unlink()
        for page, data in changed.items():
            sums[page] = zlib.crc32(data)
        self._sums = sums[: -(-self._size // PAGE)]
        self._disk_size = self._disk_valid = self._size
        self._pages = {}

    def has_changed(self) -> bool:
        """Whether another process wrote the file, or put another in its place, since it was opened."""
        try:
            now = self.path.stat()
        except OSError:
            return True
        return _stamp(now) != self._stamp

    def close(self) -> None:
        """Forget what is not committed."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        """Keep the first exception of the block: HDF5 may not pass it on."""
        try:
            yield
        except BaseException as error:
            if self.failure is None:
                self.failure = error
            raise

    def _content(self, start: int, count: int) -> bytearray:
        """`count` bytes at `start`: the disk's, with the changed pages over them."""
        data = bytearray(count)
        on_disk = min(count, self._disk_valid - start)
        if on_disk > 0:
            data[:on_disk] = self._from_disk(start, on_disk)
        for page in range(start // PAGE, -(-(start + count) // PAGE)):
            if page in self._pages:
                origin = page * PAGE
                low, high = max(start, origin), min(start + count, origin + PAGE)
                data[low - start : high - start] = self._pages[page][low - origin : high - origin]
        return data

    def _from_disk(self, start: int, count: int) -> bytes:
        """`count` bytes of the file on the disk, zeros beyond its end."""
        parts, left = [], count
        while left > 0 and (part := os.pread(self._descriptor, left, start + count - left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts).ljust(count, b"\0")

    def _take_journal(self, inode: int) -> None:
        """Use the pages of the journal beside the file, if it is of this file."""
        try:
            data = read_regular(journal_path(self.path), MAX_JOURNAL, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        if data.startswith(OLD_MAGIC):
            old = _of_version_0_1(data, inode)
            if old is not None:
                self.uses_journal = True
                self._size, self._pages = old
                self._disk_valid = min(self._disk_valid, self._size)
            return
        journal = unpacked(data)
        if journal is not None and self._is_mine(journal):
            self.uses_journal = True
            self._size, self._pages = journal.after, journal.new
            self._disk_valid = min(self._disk_valid, self._size)

    def _is_mine(self, journal: Journal) -> bool:
        """Whether the file is on the way from the journal's old state to its new one."""
        end = min(journal.before, journal.after)
        if not journal.after <= self._disk_size <= max(journal.before, journal.after):
            return False
        for page, old in journal.old.items():
            start = page * PAGE
            count = max(0, min(PAGE, journal.after - start))
            now = np.frombuffer(self._from_disk(start, count), np.uint8)
            was, will = (np.frombuffer(d, np.uint8)[:count] for d in (old, journal.new[page]))
            if start >= end or not np.all((now == was) | (now == will)):
                return False
        whole = -(-journal.after // PAGE)
        sums = self._page_sums(0, whole, journal.after)
        changed = journal.new
        return journal.kept == _digest_of(sums, changed, journal.before, journal.after)

    def _page_sums(self, first: int, last: int, end: int) -> list[int]:
        """CRC-32 of pages on the disk, `first` to before `last`, of the bytes before `end`."""
        return [
            zlib.crc32(
                self._from_disk(page * PAGE, max(0, min(PAGE, end - page * PAGE))).ljust(
                    PAGE, b"\0"
                )
            )
            for page in range(first, last)
        ]

    def _sums_with(self, added: list[int]) -> list[int]:
        """The sums of the pages on the disk, and of those to be appended to it."""
        if self._sums is None:
            self._sums = self._page_sums(0, -(-self._disk_size // PAGE), self._disk_size)
        sums = list(self._sums)
        sums += [zlib.crc32(bytes(PAGE))] * max(0, -(-self._size // PAGE) - len(sums))
        for page in added:
            sums[page] = zlib.crc32(self._pages[page])
        return sums

    def _journal_of(self, changed: dict[int, bytearray], sums: list[int]) -> Journal:
        """The journal of this commit; the file on the disk is still as it was."""
        after = self._size
        old = {page: self._from_disk(page * PAGE, PAGE) for page in changed}
        kept = _digest_of(sums[: -(-after // PAGE)], changed, self._disk_size, after)
        return Journal(self._disk_size, after, kept, old, changed)

    def _append(self, pages: Iterable[int]) -> None:
        """Write pages beyond the old end; on failure the old end is restored.

        It is not restored while a journal exists, left by a commit that failed after its commit
        point: the pages beyond the old end then belong to the file.
        """
        try:
            self._put(pages)
            if self._size > self._disk_size:
                os.ftruncate(self._descriptor, self._size)
            os.fsync(self._descriptor)
        except OSError:
            if not journal_path(self.path).exists():
                os.ftruncate(self._descriptor, self._disk_size)
            raise

    def _put(self, pages: Iterable[int]) -> None:
        """Write pages at their places, the last one no further than the end."""
        for page in pages:
            origin = page * PAGE
            write_at(self._descriptor, self._pages[page][: self._size - origin], origin)
