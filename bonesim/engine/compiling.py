"""The line on the terminal while kernels are compiled: what share is done, and how long it still takes.

Compilation holds the thread that simulates, so a thread of its own writes the line.
"""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bonesim.engine.time_left import in_words

if TYPE_CHECKING:
    from rich.console import Console

#: Seconds between two updates of the line, on a terminal and elsewhere.
TERMINAL_SECONDS, LOG_SECONDS = 1.0, 20.0
#: With a smaller share done the time left is not estimated.
LEAST_SHARE = 0.05


class CompilingLine:
    """Shows the share until `stop`.

    Args:
        console: where to.
        share: the share of kernels that are compiled, 0 to 1.
    """

    def __init__(self, console: "Console", share: Callable[[], float]) -> None:
        self._console, self._share = console, share
        self._begun, self._first = time.monotonic(), share()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take the line away; a second time does nothing."""
        self._ended.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _show(self) -> None:
        if not self._console.is_terminal:
            while not self._ended.wait(LOG_SECONDS):
                self._console.print(self._text(), markup=False, soft_wrap=True)
            return
        with self._console.status(self._text()) as line:
            while not self._ended.wait(TERMINAL_SECONDS):
                line.update(self._text())

    def _text(self) -> str:
        share, took = self._share(), time.monotonic() - self._begun
        return compiling_text(share, self._first, took)


def compiling_text(share: float, first: float, seconds: float) -> str:
    """The line: `share` is done, `first` was at the beginning, `seconds` ago."""
    text = f"compiling kernels, {100.0 * share:.0f} %"
    if share - first < LEAST_SHARE:
        return text
    left = seconds * (1.0 - share) / (share - first)
    return f"{text}   about {in_words(left)} left, then the days"
