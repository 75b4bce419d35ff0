"""Markers on courses whose answer is known by hand."""

import numpy as np
import pytest

from bonesim.instruments.markers import MarkerParameters, from_level, from_total

#: Nothing but the arithmetic: one day's window, all of the skeleton follows.
BARE = MarkerParameters(window_day=1, trabecular_share=1.0)


def stepped(day: int, days: int = 300) -> np.ndarray:
    """A running total that grows by 10 a day, from `day` on by 20."""
    rate = np.where(np.arange(1, days + 1) <= day, 10.0, 20.0)
    return np.concatenate(([0.0], np.cumsum(rate)))


def test_a_steady_state_reads_100_from_the_first_day() -> None:
    for p in (MarkerParameters(), BARE):
        for lag in (0, 15):
            np.testing.assert_allclose(from_total(7.0 + 3.0 * np.arange(200), p, lag), 100.0)
        np.testing.assert_allclose(from_level(np.full(200, 6.3), p), 100.0)


@pytest.mark.parametrize("share", [0.0, 0.55, 1.0])
def test_the_skeleton_dilutes(share: float) -> None:
    """Twice the block's turnover is 100 + 100 share."""
    p = MarkerParameters(trabecular_share=share)
    assert from_total(stepped(100), p)[-1] == pytest.approx(100 + 100 * share)
    levels = np.where(np.arange(301) < 100, 4.0, 8.0)
    assert from_level(levels, p)[-1] == pytest.approx(100 + 100 * share)


def test_the_window_makes_a_step_a_ramp() -> None:
    p = MarkerParameters(window_day=28, trabecular_share=1.0)
    marker = from_total(stepped(100), p)
    np.testing.assert_allclose(marker[:101], 100.0)
    np.testing.assert_allclose(marker[100:129], 100 + 100 * np.arange(29) / 28)
    np.testing.assert_allclose(marker[128:], 200.0)


def test_osteocalcin_is_late_by_its_lag() -> None:
    prompt, late = from_total(stepped(100), BARE), from_total(stepped(100), BARE, 15)
    assert prompt[100] == 100 and prompt[101] == 200
    assert late[115] == 100 and late[116] == 200
    np.testing.assert_array_equal(late[15:], prompt[:-15])


def test_short_tables() -> None:
    """A window that is not full is what there is; one day has no rate but a surface."""
    p = MarkerParameters()
    np.testing.assert_allclose(from_total(np.array([0.0, 2.0, 9.0]), p), 100.0)
    np.testing.assert_allclose(from_total(np.array([0.0, 2.0, 9.0]), p, 15), 100.0)
    assert np.isnan(from_total(np.array([5.0]), p)).all()
    assert from_level(np.array([5.0]), p).tolist() == [100.0]
    np.testing.assert_allclose(from_level(np.array([5.0, 7.0]), p), 100.0)


def test_nothing_in_the_baseline_is_nan_without_a_warning() -> None:
    total = np.concatenate((np.zeros(40), np.arange(60.0)))
    assert np.isnan(from_total(total, MarkerParameters())).all()
    assert np.isfinite(from_total(total + np.arange(100), MarkerParameters())).all()
