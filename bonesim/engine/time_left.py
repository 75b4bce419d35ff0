"""How long a run will still take, from how long its days took: one estimate over burn-in and run.

Days are of two kinds. Most are alike; some take many times as long, because load is solved or a
snapshot is measured. Each kind has its own pace, so a solve changes the estimate little more than any
other day does. The first day, which compiles and solves from nothing, is no pace. What is shown follows
the estimate smoothly and otherwise counts down.
"""

import math
from collections import deque
from statistics import median

#: With fewer days the time left is not estimated.
FEWEST_DAYS = 10
#: A day longer than this many typical ones is of the long kind.
LONG = 4.0
#: Before a long day has been seen: the first one's share, which solves from nothing, and its limit.
COLD_SHARE, MAX_PRIOR_DAYS = 0.2, 30.0
#: Days the paces are averaged over, and long days.
WINDOW, LONG_WINDOW = 60, 24
#: Days in which the shown time follows a change of the estimate.
FOLLOWED_DAYS = 20.0


class TimeLeft:
    """The time left of a run.

    Args:
        first_day: the day before the first.
        last_day: of the run.
        long_every_day: days between long ones as far as it is known; 0: none.
    """

    def __init__(self, first_day: int, last_day: int, long_every_day: int) -> None:
        self.first_day, self.last_day, self.every = first_day, last_day, long_every_day
        self._day, self._now = first_day, math.nan
        self._short: deque[float] = deque(maxlen=WINDOW)
        self._long: deque[float] = deque(maxlen=LONG_WINDOW)
        self._days = self._long_days = 0
        self._first = 0.0
        self._shown = math.nan

    def begin(self, day: int, now: float) -> None:
        """The clock starts, or starts again after a pause; `now` in seconds, of any clock."""
        self._day, self._now = day, now

    def after_day(self, day: int, now: float) -> None:
        """One more day has been simulated."""
        took, self._day, self._now = now - self._now, day, now
        self._days += 1
        if self._days == 1:
            self._first = took
            return
        if len(self._short) >= FEWEST_DAYS and took > LONG * median(self._short):
            self._long.append(took)
            self._long_days += 1
        else:
            self._short.append(took)
        self._show(took)

    def seconds(self) -> float | None:
        """The time left; None as long as too few days are known."""
        return None if math.isnan(self._shown) else max(self._shown, 0.0)

    def _show(self, took: float) -> None:
        estimate = self._estimate()
        if estimate is None:
            return
        if math.isnan(self._shown):
            self._shown = estimate
        # Near the end there is no time to follow slowly.
        follow = min(FOLLOWED_DAYS, 0.2 * (self.last_day - self._day) + 1.0)
        self._shown += (estimate - self._shown + took) / follow - took

    def _estimate(self) -> float | None:
        """The time left by the days so far."""
        if len(self._short) < FEWEST_DAYS:
            return None
        ordered = sorted(self._short)
        # A few days at the ends are accidents of the machine.
        inner = ordered[len(ordered) // 20 : len(ordered) - len(ordered) // 20]
        short = sum(inner) / len(inner)
        prior = min(COLD_SHARE * self._first, MAX_PRIOR_DAYS * short) if self.every else 0.0
        long = sum(self._long) / len(self._long) if self._long else prior
        share = (self._long_days + bool(self.every)) / (self._days + self.every)
        return (self.last_day - self._day) * ((1.0 - share) * short + share * long)


def in_words(seconds: float) -> str:
    """A duration for reading: "40 s", "12 min", "3.5 h"."""
    if seconds < 90.0:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 5400.0 else f"{seconds / 3600.0:.1f} h"
