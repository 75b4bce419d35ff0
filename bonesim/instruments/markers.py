"""Turnover markers in serum, percent of the person's own baseline, from the daily table.

    CTX          mineralised bone resorbed per day (young bone is never resorbed, so: all of it)
    P1NP         matrix formed per day
    BSAP         forming surface
    osteocalcin  matrix formed a lag ago, when its mineral comes

Each is a trailing mean. Over the published window of 7 days single BMUs of a block of some mm3 would
dominate; 28 days still respond within a month. Serum reflects the whole skeleton: a share of its
turnover follows this block, the rest stays at its baseline.
"""

from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from bonesim.parameters import Parameters


class MarkerParameters(Parameters):
    """Turnover markers in serum from the turnover of the block."""

    window_day: Annotated[
        int,
        Field(
            ge=1,
            le=365,
            description="trailing mean; assumed: guide M5 has 7, a small block needs 28",
        ),
    ] = 28
    baseline_day: Annotated[
        int,
        Field(ge=1, le=3650, description="the first days, whose mean is the baseline; assumed"),
    ] = 28
    trabecular_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of the skeleton's turnover that follows this block; assumed, "
            ".5-.6 (guide M5)",
        ),
    ] = 0.55
    osteocalcin_lag_day: Annotated[
        int,
        Field(
            ge=0, le=60, description="from matrix to its mineral; assumed as tissue.mineral.lag_day"
        ),
    ] = 15
    marker_cv: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="CV of one sample, assay and person; assumed, .12-.15 (guide M5)",
        ),
    ] = 0.13


def from_total(total: ArrayLike, p: MarkerParameters, lag_day: int = 0) -> NDArray[np.float64]:
    """A marker of a rate, % of baseline, from the running total day by day.

    Days before the first window is full show that window's mean, which is the baseline where the
    two are equally long; so does a late marker until its lag is over, too. All NaN if the table
    has one day only, or nothing happened in the baseline.

    Args:
        total: running total, one a day.
        p: parameters.
        lag_day: days by which the marker is late.
    """
    sums = np.asarray(total, np.float64)
    days = sums.size - 1
    if days < 1:
        return np.full(sums.size, np.nan)
    first = min(p.baseline_day, days)
    baseline = (sums[first] - sums[0]) / first
    window = min(p.window_day, days)
    end = np.maximum(np.arange(sums.size) - lag_day, window)
    return diluted(_over((sums[end] - sums[end - window]) / window, baseline), p)


def from_level(level: ArrayLike, p: MarkerParameters) -> NDArray[np.float64]:
    """A marker of an amount (a surface), % of baseline; its first days as in `from_total`."""
    levels = np.asarray(level, np.float64)
    sums = np.concatenate(([0.0], np.cumsum(levels)))
    window = min(p.window_day, levels.size)
    end = np.maximum(np.arange(1, levels.size + 1), window)
    first = min(p.baseline_day, levels.size)
    return diluted(_over((sums[end] - sums[end - window]) / window, sums[first] / first), p)


def diluted(ratio: NDArray[np.float64], p: MarkerParameters) -> NDArray[np.float64]:
    """Percent of baseline in serum if the block is at this ratio to its own."""
    return 100.0 * (1.0 + p.trabecular_share * (ratio - 1.0))


def _over(rate: NDArray[np.float64], baseline: float) -> NDArray[np.float64]:
    """Rates over the baseline; NaN if there is none."""
    return rate / baseline if baseline > 0.0 else np.full(rate.size, np.nan)
