"""One writer at a time: a lock file beside the run file, held until its process ends."""

import fcntl
import os
from pathlib import Path

from bonesim.errors import BusyError
from bonesim.storage.durable import failures_explained


def lock_path(path: Path) -> Path:
    """The lock file of `path`: its holder is the one writer."""
    return path.with_name(path.name + ".lock")


class WriteLock:
    """The right to write `path`, until `release` or the end of the process.

    The system drops the lock of a process that ended. A lock file left behind is no obstacle.

    Raises:
        BusyError: another writer has it. InputError: no such folder, or no permission.
    """

    def __init__(self, path: Path) -> None:
        self._path = lock_path(path)
        self._descriptor: int | None = None
        while self._descriptor is None:
            with failures_explained(path):
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise BusyError(
                    f"{path}: another process is writing it; wait, or choose another name"
                ) from None
            # Its last holder may have removed the file between open and flock.
            if self._is_at_path(descriptor):
                self._descriptor = descriptor
            else:
                os.close(descriptor)

    def release(self) -> None:
        """Let others write; a second time does nothing."""
        if self._descriptor is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def _is_at_path(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False
