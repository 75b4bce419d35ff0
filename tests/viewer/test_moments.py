"""The days shown: from estradiol and the snapshots, never from a config."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.viewer.moments import day_text, last_low_day, suppressed_spans, three_moments

DAY = np.arange(1001)


def course(*levels: tuple[int, float]) -> NDArray[np.float64]:
    """Estradiol that jumps to each level on its day."""
    e2 = np.full(DAY.size, 25.0)
    for day, level in levels:
        e2[day:] = level
    return e2


def names(e2: NDArray[np.float64], snapshots: list[int]) -> list[tuple[int, str]]:
    return [tuple(moment) for moment in three_moments(DAY, e2, snapshots)]


def test_before_end_of_suppression_end_of_recovery() -> None:
    e2 = course((1, 7.0), (500, 25.0))
    assert suppressed_spans(DAY, e2) == [(1.0, 499.0)]
    assert last_low_day(DAY, e2) == 499
    assert names(e2, [0, 100, 500, 800, 1000]) == [
        (0, "Before"), (500, "End of suppression"), (1000, "End of recovery"),
    ]  # fmt: skip


def test_suppression_without_return() -> None:
    e2 = course((1, 7.0))
    assert last_low_day(DAY, e2) is None
    assert names(e2, [0, 500, 1000]) == [
        (0, "Before"), (500, "During suppression"), (1000, "During suppression"),
    ]  # fmt: skip


def test_health_has_no_suppression() -> None:
    assert suppressed_spans(DAY, course()) == []
    assert names(course(), [0, 400, 1000]) == [(0, "Start"), (400, "On the way"), (1000, "End")]
    assert names(course(), [0]) == [(0, "Start")]


def test_two_courses_are_two_spans() -> None:
    e2 = course((100, 7.0), (200, 25.0), (300, 10.0), (400, 25.0))
    assert suppressed_spans(DAY, e2) == [(100.0, 199.0), (300.0, 399.0)]
    assert last_low_day(DAY, e2) == 199  # of the deepest


def test_no_snapshot_no_moment() -> None:
    with pytest.raises(InputError, match="no snapshot yet"):
        three_moments(DAY, course(), [])


def test_days_as_text() -> None:
    assert day_text(0) == "day 0"
    assert day_text(90) == "day 90 (3.0 months)"
    assert day_text(730) == "day 730 (2.0 years)"  # not 24.0 months beside 3.0 years
    assert day_text(1826) == "day 1826 (5.0 years)"
