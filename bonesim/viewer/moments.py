"""The days a picture shows, and the periods of suppressed estradiol, from the daily table."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.storage.reader import Run
from bonesim.units import DAYS_PER_YEAR

#: Estradiol below this share of its value on day 0 counts as suppressed in a picture.
SUPPRESSED_BELOW = 0.8
#: Estradiol this near its minimum, as a share of the whole fall, has not begun to return.
NEAR_LOWEST = 0.05
#: A snapshot this many days after the last low day still shows the end of suppression.
SOON_AFTER_DAY = 7
#: Days over which estradiol is averaged, so that the swing between doses does not count as suppression.
WEEK = 7


class Moment(NamedTuple):
    """One snapshot to show and its name in the picture."""

    day: int
    name: str


def weekly_e2(run: Run) -> NDArray[np.float64]:
    """Mean estradiol of the past week on each day of the daily table, pg/mL."""
    return weekly(run.table["e2_pg_per_ml"].to_numpy(np.float64))


def weekly(e2_pg_per_ml: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of the past week, of less at the beginning."""
    import pandas as pd

    return pd.Series(e2_pg_per_ml).rolling(WEEK, min_periods=1).mean().to_numpy(np.float64)


def suppressed_spans(
    day: NDArray[np.int64], e2_pg_per_ml: NDArray[np.float64]
) -> list[tuple[float, float]]:
    """First and last day of each period with E2 below 80 % of its value on day 0."""
    low = e2_pg_per_ml < SUPPRESSED_BELOW * e2_pg_per_ml[0]
    edges = np.diff(np.concatenate([[0], low.astype(np.int8), [0]]))
    firsts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(float(day[a]), float(day[b - 1])) for a, b in zip(firsts, ends, strict=True)]


def last_low_day(day: NDArray[np.int64], e2_pg_per_ml: NDArray[np.float64]) -> int | None:
    """The last day before E2 returns; None if it was never suppressed or never returned."""
    if not suppressed_spans(day, e2_pg_per_ml):
        return None
    lowest, start = e2_pg_per_ml.min(), e2_pg_per_ml[0]
    low = np.flatnonzero(e2_pg_per_ml <= lowest + NEAR_LOWEST * (start - lowest))
    return int(day[low[-1]]) if low[-1] < len(day) - 1 else None


def three_moments(
    day: NDArray[np.int64], e2_pg_per_ml: NDArray[np.float64], snapshot_days: list[int]
) -> list[Moment]:
    """Before, end of suppression, end of recovery; fewer if the run has fewer snapshots.

    The second is the last snapshot before E2 returns. If E2 does not fall, or does not return, it is
    the middle one. Raises InputError if there is no snapshot.
    """
    days = sorted(snapshot_days)
    if not days:
        raise InputError("the run holds no snapshot yet, nothing to draw; let it run on")
    between = days[1:-1]
    returns = last_low_day(day, e2_pg_per_ml)
    if returns is not None:
        reached = [d for d in between if d <= returns + SOON_AFTER_DAY]
        if reached:
            return [
                Moment(days[0], "Before"),
                Moment(reached[-1], "End of suppression"),
                Moment(days[-1], "End of recovery"),
            ]
    chosen = {days[0], days[-1]} | ({between[len(between) // 2]} if between else set())
    spans = suppressed_spans(day, e2_pg_per_ml)
    return [Moment(d, plain_name(d, days, spans)) for d in sorted(chosen)]


def plain_name(day: int, days: list[int], spans: list[tuple[float, float]]) -> str:
    """The name of a snapshot that is none of the three: by estradiol and its place among the days."""
    if day == days[0]:
        return "Before" if spans else "Start"
    if any(first <= day <= last for first, last in spans):
        return "During suppression"
    return "End" if day == days[-1] else "On the way"


def day_text(day: float) -> str:
    """A day as text: "day 0", "day 90 (3.0 months)", "day 1826 (5.0 years)"."""
    if day < DAYS_PER_YEAR / 12:
        return f"day {day:.0f}"
    if day < 1.5 * DAYS_PER_YEAR:
        return f"day {day:.0f} ({day * 12 / DAYS_PER_YEAR:.1f} months)"
    return f"day {day:.0f} ({day / DAYS_PER_YEAR:.1f} years)"
