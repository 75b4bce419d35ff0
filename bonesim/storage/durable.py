"""Writes that happen completely or not at all: short writes, fsync, rename, error messages."""

import errno
import os
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
    errno.ENAMETOOLONG,
    errno.ELOOP,
)


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


def write_at(descriptor: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    """Write all of `data` at `offset`, however many system calls it takes; OSError on failure."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view = view[written:]
        offset += written


def write_durably(path: Path, data: bytes | memoryview) -> None:
    """Make `path` hold exactly `data`, or leave it as it was and raise OSError.

    The data go to a temporary file beside it, which is renamed once it is safely on the disk.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            write_at(descriptor, data, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except OSError:
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
