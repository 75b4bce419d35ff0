"""Progress of the commands on many runs on the terminal, and how they are stopped."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonesim.engine.progress import LOG_SECONDS, complain
from bonesim.sweeps.journal import FAILED

if TYPE_CHECKING:
    from rich.progress import Progress


def exit_if_results_missing(missing: int, folder: Path) -> None:
    """Exit with code 3 and one line if `missing` points of a folder have no result."""
    if missing:
        complain(f"{missing} points have no result: {folder / FAILED}")
        sys.exit(3)


@contextmanager
def stopped_politely(folder: Path) -> Iterator[None]:
    """Ctrl-C and SIGTERM close the workers and end with one line."""
    numbers: list[int] = [signal.SIGINT]

    def stop(number: int, _frame: Any) -> None:
        numbers.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        complain(f"stopped; all finished points are in {folder}, run it again to go on")
        sys.exit(128 + numbers[-1])


class SweepTerminal:
    """Shows a sweep on stderr: a bar on a terminal, a line at intervals in a log."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(stderr=True, highlight=False)
        self._bar: Progress | None = None
        self._begun = self._last = time.monotonic()
        self._ended = self._failed = 0

    def note(self, text: str) -> None:
        """Print one note."""
        self.console.print(text, markup=False, soft_wrap=True)

    def begin(self, done: int, total: int) -> None:
        """Start the display; `done` of `total` points have a result."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._begun = self._last = time.monotonic()
        if self.console.is_terminal:
            self._bar = Progress(
                BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"),
                console=self.console,
            )  # fmt: skip
            self._bar.start()
            self._task = self._bar.add_task("points", total=total, completed=done)

    def ended(self, entry: dict[str, Any], done: int, total: int) -> None:
        """Show failures at once, progress every few seconds."""
        if entry["status"] != "done":
            self._failed += 1
            self.note(f"{entry['point']}: {entry['error']}")
        self._ended += 1
        now = time.monotonic()
        pace = self._ended / max(now - self._begun, 1e-9)
        left = timedelta(seconds=round((total - done) / pace))
        text = f"{60 * pace:.3g} a minute   about {left} left" + (
            f"   {self._failed} attempts failed" if self._failed else ""
        )
        if self._bar is not None:
            self._bar.update(self._task, completed=done, description=text)
        elif now - self._last >= LOG_SECONDS or done == total:
            self._last = now
            self.note(f"{done} of {total} points   {text}")

    def end(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
