"""A run on the terminal: one line that moves, and notes above it, all on stderr."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bonesim.engine.compiling import CompilingLine
from bonesim.engine.days import Observer
from bonesim.engine.time_left import TimeLeft, in_words

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from bonesim.engine.simulation import Simulation

#: Seconds between two updates of the line, on a terminal and elsewhere.
TERMINAL_SECONDS = 0.2
LOG_SECONDS = 20.0


def simulated_time(day: int) -> str:
    """A day for reading: "year 4, day 113"; before day 0 "burn-in"."""
    if day < 0:
        return f"burn-in {day} d"
    return f"year {day // 365 + 1}, day {day % 365}"


class Terminal(Observer):
    """Shows a run on stderr: a bar on a terminal, a line now and then in a log.

    Bar and time left are of the whole run, burn-in included, or of several runs on one burn-in.

    Args:
        clock: seconds, of any origin.
        runs: how many follow each other: 2 for a run and its twin.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, runs: int = 1) -> None:
        from rich.console import Console

        self.console = Console(stderr=True, highlight=False)
        self._clock = clock
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._last = 0.0
        self._days: tuple[int, int] | None = None
        self._left: TimeLeft | None = None
        self._compiling: CompilingLine | None = None
        self._runs, self._number = runs, 0
        self._earlier_days = 0  # of the runs before this one
        self._run_days = 0
        self._noted: set[str] = set()

    def note(self, text: str) -> None:
        """Print one note, once: a run and its twin have most of them in common."""
        if text in self._noted:
            return
        self._noted.add(text)
        self.console.print(printable(text), markup=False, soft_wrap=True)

    def compiling(self, share: Callable[[], float]) -> None:
        """Show what share of the kernels is compiled, until the first day is over."""
        self.compiled()
        self._compiling = CompilingLine(self.console, share)

    def compiled(self) -> None:
        """Take that line away."""
        if self._compiling is not None:
            self._compiling.stop()
            self._compiling = None

    def expect(self, first_day: int, last_day: int) -> None:
        """Take the whole run, or all runs, as what the bar shows."""
        self._number = self._number % self._runs + 1
        if self._number == 1:
            self._days, self._left = (first_day, self._runs * last_day), None
            self._earlier_days = 0
        else:
            self._earlier_days += self._run_days
        self._run_days = last_day

    def begin(self, first_day: int, last_day: int) -> None:
        """Show a stretch of days."""
        if last_day <= first_day:
            return
        if self._days is None:
            self._days = (first_day, last_day)
        self._last = self._clock()
        if self._left is not None:
            self._left.begin(self._earlier_days + first_day, self._last)
        if self._compiling is None:
            self._show_bar(first_day)

    def _show_bar(self, day: int) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        if self._days is None or not self.console.is_terminal:
            return
        first, last = self._days
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"),
            console=self.console, transient=True,
        )  # fmt: skip
        self._bar.start()
        self._task = self._bar.add_task(
            self._where(day), total=last - first, completed=self._earlier_days + day - first,
            left="",
        )  # fmt: skip

    def _where(self, day: int) -> str:
        """A day for reading, with the number of the run if there are several."""
        run = f"run {self._number} of {self._runs}, " if self._runs > 1 else ""
        return run + simulated_time(day)

    def on_day(self, simulation: "Simulation") -> None:
        """Show where the run is, if it is time to."""
        now, day = self._clock(), self._earlier_days + simulation.day
        if self._compiling is not None:
            self.compiled()
            self._show_bar(simulation.day)
        first, last = self._days or (day - 1, day)
        if self._left is None:
            self._left = TimeLeft(first, last, simulation.config.mechanics.interval_day)
            self._left.begin(day - 1, self._last)
        self._left.after_day(day, now)
        pause = TERMINAL_SECONDS if self._bar is not None else LOG_SECONDS
        if now - self._last < pause:
            return
        self._last = now
        bvtv = 100.0 * simulation.tissue.bone_volume_fraction()
        text = f"{self._where(simulation.day)}   BV/TV {bvtv:.2f} %"
        seconds = self._left.seconds()
        left = "" if seconds is None else f"about {in_words(seconds)} left"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=day - first, description=text, left=left)
        else:
            self.note(f"{text}   {left}".rstrip())

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
