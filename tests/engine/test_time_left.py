"""The time left, on a clock of the test's own: one number over burn-in and run, without jumps."""

import io
import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from bonesim.engine.progress import Terminal
from bonesim.engine.time_left import TimeLeft, in_words

BURN_IN, DAYS = 900, 2920


def days_of(
    *, first: float, solve: float, every: int, day: float = 0.02, snapshot: float = 0.0,
    noise: float = 0.2,
) -> list[tuple[int, float]]:  # fmt: skip
    """Day and its duration, of a run whose load is solved every so many days."""
    chance = random.Random(7)
    durations = []
    for n, number in enumerate(range(1 - BURN_IN, DAYS + 1)):
        took = day * (1.0 + noise * (2.0 * chance.random() - 1.0))
        took += first if n == 0 else solve * bool(every and n % every == 0)
        durations.append((number, took + snapshot * (number % 365 == 0)))
    return durations


def followed(
    days: list[tuple[int, float]], every: int
) -> Iterator[tuple[int, float, float, float]]:
    """Day, duration, time shown, time truly left; from the first time shown on."""
    left, now = TimeLeft(-BURN_IN, DAYS, every), 100.0
    left.begin(-BURN_IN, now)
    end = now + sum(took for _, took in days)
    for day, took in days:
        now += took
        left.after_day(day, now)
        seconds = left.seconds()
        if seconds is not None:
            yield day, took, seconds, end - now


@pytest.mark.parametrize(
    ("first", "solve", "every", "snapshot"),
    [(5.0, 1.0, 30, 0.0), (240.0, 1.0, 30, 0.0), (5.0, 0.6, 30, 1.4), (0.02, 0.0, 0, 0.0),
     (1.0, 0.2, 7, 0.0)],
)  # fmt: skip
def test_it_converges_and_does_not_jump(
    first: float, solve: float, every: int, snapshot: float
) -> None:
    days = days_of(first=first, solve=solve, every=every, snapshot=snapshot)
    before: float | None = None
    for day, took, shown, true in followed(days, every):
        assert shown >= 0.0
        if 200 - BURN_IN < day < DAYS - 100:
            assert shown == pytest.approx(true, rel=0.15, abs=1.5)
        if before is not None and day < DAYS - 100:
            # The clock has moved by the day; the rest is a correction.
            assert abs(shown + took - before) < 0.05 * before, day
        before = shown
    assert before is not None and before < 0.5


def test_nothing_is_shown_before_a_few_days() -> None:
    days = [day for day, *_ in followed(days_of(first=99.0, solve=1.0, every=30), 30)]
    assert days[0] == 1 - BURN_IN + 10


def test_a_pause_between_the_stretches_is_no_day() -> None:
    left = TimeLeft(0, 1000, 0)
    left.begin(0, 0.0)
    for day in range(1, 101):
        left.after_day(day, float(day))
    before = left.seconds()
    left.begin(100, 5000.0)
    left.after_day(101, 5001.0)
    assert before == pytest.approx(900.0, rel=0.01)
    assert left.seconds() == pytest.approx(899.0, rel=0.01)


def simulation(day: int) -> Any:
    """What the terminal reads of a simulation."""
    return SimpleNamespace(
        day=day,
        tissue=SimpleNamespace(bone_volume_fraction=lambda: 0.1),
        config=SimpleNamespace(mechanics=SimpleNamespace(interval_day=30)),
    )


def test_the_terminal_states_one_time_over_burn_in_and_run() -> None:
    now = 0.0
    terminal = Terminal(clock=lambda: now)
    out = io.StringIO()
    terminal.console = Console(file=out, width=200)
    terminal.expect(-300, 700)
    for first, last in ((-300, 0), (0, 700)):
        terminal.begin(first, last)
        for day in range(first + 1, last + 1):
            now += 1.0
            terminal.on_day(simulation(day))
        terminal.end()
    lines = [line for line in out.getvalue().splitlines() if "left" in line]
    assert lines[0].startswith("burn-in -280 d") and "about 16 min left" in lines[0]
    assert any(line.startswith("year 1, day 0 ") and "12 min left" in line for line in lines)
    assert len(lines) == 50


def test_the_terminal_shows_a_note_of_both_twins_once() -> None:
    terminal, out = Terminal(runs=2), io.StringIO()
    terminal.console = Console(file=out, width=200)
    for text in ("scan a.tif", "largest piece kept", "scan a.tif", "burn-in taken from the cache"):
        terminal.note(text)
    lines = ["scan a.tif", "largest piece kept", "burn-in taken from the cache"]
    assert out.getvalue().splitlines() == lines


def test_durations_are_read_at_a_glance() -> None:
    assert [in_words(s) for s in (0.2, 40.0, 700.0, 12600.0)] == ["1 s", "40 s", "12 min", "3.5 h"]
