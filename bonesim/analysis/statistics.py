"""Means, differences and ratios with their 95 % confidence intervals."""

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

if TYPE_CHECKING:
    import pandas as pd

#: Level of all intervals.
CONFIDENCE = 0.95

Numbers = NDArray[np.float64]
#: Mean, SD and n of groups, arrays of one shape.
Summary = tuple[Numbers, Numbers, Numbers]


def finite(values: ArrayLike) -> Numbers:
    """The finite values, as float64."""
    numbers = np.asarray(values, np.float64)
    return numbers[np.isfinite(numbers)]


def half_width(standard_error: float, freedom: int) -> float:
    """Half the 95 % interval of a mean by Student's t; NaN without a degree of freedom."""
    if freedom < 1:
        return float("nan")
    return float(stats.t.ppf(0.5 + CONFIDENCE / 2, freedom)) * standard_error


def interval(values: ArrayLike) -> dict[str, float]:
    """n, mean, SD, 95 % interval of the mean (Student's t) and median of the finite values."""
    numbers = finite(values)
    n = int(numbers.size)
    if n == 0:
        return {"n": 0}
    mean, sd = float(numbers.mean()), float(numbers.std(ddof=1)) if n > 1 else np.nan
    half = half_width(sd / np.sqrt(n), n - 1)
    return {"n": n, "mean": mean, "sd": sd, "low": mean - half, "high": mean + half,
            "median": float(np.median(numbers))}  # fmt: skip


def paired(treated: Numbers, reference: Numbers) -> dict[str, float]:
    """Mean difference within persons, its 95 % interval, and P of the paired t-test."""
    found = interval(treated - reference)
    if found.get("sd", np.nan) > 0.0:
        t = abs(found["mean"]) / (found["sd"] / np.sqrt(found["n"]))
        found["p"] = float(2.0 * stats.t.sf(t, found["n"] - 1))
    elif found.get("mean") == 0.0:
        found["p"] = 1.0  # equal twins
    return found


def welch(treated: Numbers, reference: Numbers) -> dict[str, float]:
    """Difference of the means of two groups, its 95 % interval and P of Welch's t-test."""
    a, b = finite(treated), finite(reference)
    found: dict[str, float] = {"n": int(a.size + b.size)}
    if min(a.size, b.size) < 2:
        return found
    difference = float(a.mean() - b.mean())
    found |= {"mean": difference, "median": float(np.median(a) - np.median(b))}
    if a.std() == b.std() == 0.0:
        return found
    with warnings.catch_warnings():  # a nearly constant group is no error
        warnings.simplefilter("ignore", RuntimeWarning)
        test = stats.ttest_ind(a, b, equal_var=False)
        low, high = test.confidence_interval(CONFIDENCE)
    return found | {
        "sd": float(np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)),
        "low": float(low), "high": float(high), "p": float(test.pvalue),
    }  # fmt: skip


def welch_p(one: Summary, other: Summary) -> Numbers:
    """P of Welch's t-test for many pairs of groups at once, from mean, SD and n of each group."""
    with np.errstate(divide="ignore", invalid="ignore"):
        test = stats.ttest_ind_from_stats(*one, *other, equal_var=False)
    return np.asarray(test.pvalue, np.float64)


def mean_and_ci(values: "pd.Series") -> "pd.Series":
    """Mean, half width of its 95 % interval and number, of finite values: `interval` as a Series."""
    import pandas as pd

    found = interval(values)
    nothing = float("nan")
    half = found["high"] - found["mean"] if found["n"] else nothing
    return pd.Series({"mean": found.get("mean", nothing), "ci": half, "n": found["n"]})


def ratio_and_ci(part: "pd.Series", whole: "pd.Series") -> "pd.Series":
    """Mean of `part` over mean of `whole`, %, with the half width of its 95 % interval and number.

    Seeds with a small whole would dominate a mean of ratios. The interval is the jackknife's over
    seeds (Quenouille 1956), with Student's t.
    """
    import pandas as pd

    both = np.isfinite(part) & np.isfinite(whole)
    a, b = part[both].to_numpy(float), whole[both].to_numpy(float)
    n, half = len(a), np.nan
    if n > 1:
        without = 100.0 * (a.sum() - a) / (b.sum() - b)
        half = half_width(float(np.sqrt((n - 1) * np.var(without))), n - 1)
    return pd.Series({"mean": 100.0 * a.sum() / b.sum() if n else np.nan, "ci": half, "n": n})
