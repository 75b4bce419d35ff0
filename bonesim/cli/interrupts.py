"""A second Ctrl-C ends a run at once: whole commits make that safe at any instant."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def ended_at_once() -> Iterator[None]:
    """Ctrl-C that the block does not take itself ends the process quietly, exit 130.

    A run takes the first one and stops after the day. Python's own KeyboardInterrupt would break
    into HDF5's calls, which can end in a segmentation fault.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(number: int, _frame: Any) -> None:
    os.write(2, b"bonesim: stopped at once; what was saved before is intact\n")
    os._exit(128 + number)
