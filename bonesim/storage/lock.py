"""One writer at a time: a lock file beside the run file, held until its process ends."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from bonesim.errors import BusyError
from bonesim.storage.durable import failures_explained, open_regular

#: Times to try, and seconds between: a reader that asks `is_being_written` has the lock for an instant.
TRIES, PAUSE = 4, 0.02


def lock_path(path: Path) -> Path:
    """The lock file of `path`: its holder is the one writer."""
    return path.with_name(path.name + ".lock")


def is_being_written(path: Path) -> bool:
    """Whether a process holds the lock of `path` now."""
    try:
        descriptor = open_regular(lock_path(path), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # a file system without locks
    else:
        return False
    finally:
        os.close(descriptor)


class WriteLock:
    """The right to write `path`, until `release` or the end of the process.

    The system drops the lock of a process that ended. A lock file left behind is no obstacle.

    Raises:
        BusyError: another writer has it. InputError: no such folder, or no permission.
    """

    def __init__(self, path: Path) -> None:
        self._path = lock_path(path)
        self._descriptor: int | None = None
        refusals = 0
        while self._descriptor is None:
            with failures_explained(path):
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                refusals += 1
                if refusals < TRIES:
                    time.sleep(PAUSE)
                    continue
                raise BusyError(
                    f"{path}: is being written by another process; wait, or choose another name"
                ) from None
            # Its last holder may have removed the file between open and flock.
            if self._is_at_path(descriptor):
                self._descriptor = descriptor
            else:
                os.close(descriptor)

    def release(self) -> None:
        """Let others write; a second time does nothing."""
        if self._descriptor is not None:
            # A lock file left behind is no obstacle.
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def _is_at_path(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False
