"""One writer at a time: a lock file beside the file, held until its process ends."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bonesim.errors import BonesimError, BusyError
from bonesim.storage.durable import failures_explained, open_regular

#: Times to try, and seconds between: a reader that asks `is_being_written` has the lock for an instant.
TRIES, PAUSE = 4, 0.02
#: Seconds between two looks whether another process has made a file.
LOOK_SECONDS = 0.1


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


@contextmanager
def turn(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """The right to make a file of a cache: one process has it at a time, the others wait.

    The system ends the right of a process that ended. Where there is no such right (a cache that
    cannot be written, a file system without locks) each process makes the file for itself.

    Args:
        path: the file; its folder is made.
        on_wait: called every moment that another process has the right; an exception it raises ends
            the waiting.
    """
    lock = None
    while lock is None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = WriteLock(path)
        except BusyError:
            on_wait()
            time.sleep(LOOK_SECONDS)
        except (OSError, BonesimError):
            break
    try:
        yield
    finally:
        if lock is not None:
            lock.release()
