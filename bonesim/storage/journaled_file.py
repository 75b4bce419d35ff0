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
"""

import hashlib
import io
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bonesim.storage.durable import write_at, write_durably

PAGE = 4096
MAGIC = b"bonesim journal\n"
#: Of the journal: inode of its file, size of the file after the commit, number of pages.
HEADER = struct.Struct("<QQQ")


def journal_path(path: Path) -> Path:
    """Where the journal of the file at `path` is during a commit."""
    return path.with_name(path.name + ".journal")


def _packed(inode: int, size: int, pages: dict[int, bytearray]) -> bytes:
    """A journal: magic, hash of the rest, header, page numbers, pages."""
    numbers = struct.pack(f"<{len(pages)}Q", *pages)
    payload = HEADER.pack(inode, size, len(pages)) + numbers + b"".join(pages.values())
    return MAGIC + hashlib.sha256(payload).digest() + payload


def _unpacked(journal: bytes, inode: int) -> tuple[int, dict[int, bytearray]] | None:
    """Size of the file and its pages; None if the journal is damaged or another file's."""
    start = len(MAGIC) + hashlib.sha256().digest_size
    payload = journal[start:]
    if journal[:start] != MAGIC + hashlib.sha256(payload).digest():
        return None
    owner, size, count = HEADER.unpack_from(payload)
    if owner != inode:
        return None
    numbers = struct.unpack_from(f"<{count}Q", payload, HEADER.size)
    pages = payload[HEADER.size + 8 * count :]
    return size, {
        number: bytearray(pages[i * PAGE : (i + 1) * PAGE]) for i, number in enumerate(numbers)
    }


class JournaledFile(io.RawIOBase):
    """An existing file whose changes stay in memory until `commit`.

    Raises OSError as `open` would. Memory: the pages changed since the last commit.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self._writable = writable
        self._descriptor = os.open(path, os.O_RDWR if writable else os.O_RDONLY)
        status = os.fstat(self._descriptor)
        self._inode = status.st_ino
        #: Bytes in the file on the disk, and how many of them are still valid.
        self._disk_size = self._disk_valid = self._size = status.st_size
        self._pages: dict[int, bytearray] = {}
        self._position = 0
        try:
            journal = _unpacked(journal_path(path).read_bytes(), self._inode)
        except FileNotFoundError:
            journal = None
        if journal is not None:
            self._size, self._pages = journal
            self._disk_valid = min(self._disk_valid, self._size)

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
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._size - self._position))
        view[:count] = self._content(self._position, count)
        self._position += count
        return count

    def write(self, buffer: Any) -> int:
        """Change the bytes at the position, in memory."""
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
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Cut or extend (with zeros) to `size` bytes, in memory."""
        size = self._position if size is None else size
        if size < self._size:
            self._pages = {page: data for page, data in self._pages.items() if page * PAGE < size}
            if size // PAGE in self._pages:
                self._pages[size // PAGE][size % PAGE :] = bytes(PAGE - size % PAGE)
            self._disk_valid = min(self._disk_valid, size)
        self._size = size
        return size

    def commit(self) -> None:
        """Move the changes to the disk, all or none; on OSError they stay in memory."""
        # Where the file was cut and grown again, the old bytes on the disk must not show.
        for page in range(self._disk_valid // PAGE, -(-min(self._disk_size, self._size) // PAGE)):
            self._pages.setdefault(page, self._content(page * PAGE, PAGE))
        changed = {
            page: data for page, data in self._pages.items() if page * PAGE < self._disk_size
        }
        self._append(page for page in self._pages if page not in changed)
        if changed or self._size < self._disk_size:
            journal = journal_path(self.path)
            write_durably(journal, _packed(self._inode, self._size, changed))
            self._put(changed)
            os.ftruncate(self._descriptor, self._size)
            os.fsync(self._descriptor)
            journal.unlink()
        self._disk_size = self._disk_valid = self._size
        self._pages = {}

    def close(self) -> None:
        """Forget what is not committed."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    def _content(self, start: int, count: int) -> bytearray:
        """`count` bytes at `start`: the disk's, with the changed pages over them."""
        data = bytearray(count)
        on_disk = min(count, self._disk_valid - start)
        if on_disk > 0:
            found = os.pread(self._descriptor, on_disk, start)
            data[: len(found)] = found
        for page in range(start // PAGE, -(-(start + count) // PAGE)):
            if page in self._pages:
                origin = page * PAGE
                low, high = max(start, origin), min(start + count, origin + PAGE)
                data[low - start : high - start] = self._pages[page][low - origin : high - origin]
        return data

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
