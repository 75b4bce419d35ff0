"""A run on the terminal: one line that moves, and notes above it, all on stderr."""

import sys
import time
from typing import TYPE_CHECKING

from bonesim.engine.days import Observer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from bonesim.engine.simulation import Simulation

#: Seconds between two updates of the line, on a terminal and elsewhere.
TERMINAL_SECONDS = 0.2
LOG_SECONDS = 20.0
#: With fewer days since the last line the time left is not estimated.
FEWEST_DAYS = 10


def simulated_time(day: int) -> str:
    """A day for reading: "year 4, day 113"; before day 0 "burn-in"."""
    if day < 0:
        return f"burn-in {day} d"
    return f"year {day // 365 + 1}, day {day % 365}"


class Terminal(Observer):
    """Shows a run on stderr: a bar on a terminal, a line now and then in a log."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(stderr=True, highlight=False)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._last = 0.0

    def note(self, text: str) -> None:
        """Print one note."""
        self.console.print(printable(text), markup=False, soft_wrap=True)

    def begin(self, first_day: int, last_day: int) -> None:
        """Show a stretch of days."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        if last_day <= first_day:
            return
        self._last = time.monotonic()
        self._first, self._before, self._goal = first_day, first_day, last_day
        if self.console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(),
                console=self.console, transient=True,
            )  # fmt: skip
            self._bar.start()
            self._task = self._bar.add_task(simulated_time(first_day), total=last_day - first_day)

    def on_day(self, simulation: "Simulation") -> None:
        """Show where the run is, if it is time to."""
        now = time.monotonic()
        pause = TERMINAL_SECONDS if self._bar is not None else LOG_SECONDS
        if now - self._last < pause:
            return
        before, self._last = self._last, now
        day = simulation.day
        bvtv = 100.0 * simulation.tissue.bone_volume_fraction()
        text = f"{simulated_time(day)}   BV/TV {bvtv:.2f} %"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=day - self._first, description=text)
            return
        # Of the last stretch only: while kernels compile, a day takes a minute.
        pace = (now - before) / max(day - self._before, 1)
        left = f"   about {pace * (self._goal - day):.0f} s left"
        self.note(text + (left if day - self._before >= FEWEST_DAYS else ""))
        self._before = day

    def end(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None


def printable(text: str) -> str:
    """A text as a terminal may have it: control characters but line ends and tabs are escaped."""
    return "".join(
        one if one in "\n\t" or one.isprintable() else one.encode("unicode_escape").decode()
        for one in text
    )


def complain(text: str) -> None:
    """One line of error on stderr, also where a file's name has several."""
    print(f"bonesim: {printable(' '.join(text.splitlines()))}", file=sys.stderr)
