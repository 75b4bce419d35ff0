"""Writes that happen completely or not at all, and reads of regular files only; error messages."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bonesim.errors import BonesimError, InputError, ResourceError

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
WRONG_PLACE = (
    errno.ENOENT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.EINVAL,
    errno.ENAMETOOLONG,
    errno.ELOOP,
)
#: What is no regular file, by its name.
KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


def explained(error: OSError, path: Path) -> BonesimError:
    """The failure to write `path` as a one-line message with the right exit code."""
    reason = error.strerror or str(error)
    if error.errno in FULL_DISK:
        return ResourceError(
            f"{path}: the disk is full ({reason}); free some space or write to another disk; "
            "what was saved before is intact"
        )
    if error.errno == errno.ENOENT and not path.parent.is_dir():
        return InputError(f"{path}: there is no folder {path.parent}; create it first")
    if error.errno in WRONG_PLACE:
        return InputError(
            f"{path}: cannot be written ({reason}); choose a place where you may write files"
        )
    return ResourceError(
        f"{path}: the system failed to write it ({reason}); check the disk; "
        "what was saved before is intact"
    )


@contextmanager
def failures_explained(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into InputError (exit 2) or ResourceError (exit 4)."""
    try:
        yield
    except OSError as error:
        raise explained(error, path) from error


def unreadable(error: OSError, path: Path) -> BonesimError:
    """The failure to read `path` as a one-line message with the right exit code."""
    reason = error.strerror or str(error)
    if error.errno in (errno.EIO, errno.ENOMEM, errno.ENFILE, errno.EMFILE):
        return ResourceError(f"{path}: the system failed to read it ({reason}); check the disk")
    return InputError(f"{path}: cannot be read ({reason}); check the path")


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of the regular file at `path`; never waits, as opening a named pipe would.

    Raises:
        OSError: as `os.open`; EINVAL for a pipe, a device, a socket or a folder.
    """
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind != stat.S_IFREG:
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"it is {KINDS.get(kind, 'no regular file')}")
    return descriptor


def read_regular(path: Path, max_bytes: int, flags: int = os.O_RDONLY) -> bytes:
    """All bytes of a regular file of at most `max_bytes`.

    Raises:
        OSError: as `open_regular`; EINVAL if it is longer.
    """
    descriptor = open_regular(path, flags)
    try:
        size = os.fstat(descriptor).st_size
        if size > max_bytes:
            raise OSError(errno.EINVAL, f"it has {size} bytes, allowed are {max_bytes}")
        parts, left = [], max_bytes
        while left > 0 and (part := os.read(descriptor, min(left, 2**24))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def read_text(path: Path, max_bytes: int, encoding: str = "utf-8") -> str:
    """The text of a regular file of at most `max_bytes`.

    Raises:
        InputError: no such file, no regular one, too long, no text.
        ResourceError: the system failed to read it.
    """
    try:
        return read_regular(path, max_bytes).decode(encoding)
    except OSError as error:
        raise unreadable(error, path) from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not text in UTF-8; save it as such") from None


def write_at(descriptor: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    """Write all of `data` at `offset`, however many system calls it takes; OSError on failure."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view = view[written:]
        offset += written


def create_exclusively(path: Path) -> int:
    """A descriptor of a new, empty file at `path`, which is one of ours: hidden, beside an output.

    What a killed process left there is removed. A link there is removed, never followed.

    Raises:
        OSError: as `os.open`.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o666)
    except FileExistsError:
        path.unlink()
        return os.open(path, flags, 0o666)


def write_durably(path: Path, data: bytes | memoryview) -> None:
    """Make `path` hold exactly `data`, or leave it as it was and raise OSError.

    The data go to a temporary file beside it, which is renamed once it is safely on the disk.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    descriptor = create_exclusively(temporary)
    try:
        try:
            write_at(descriptor, data, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
