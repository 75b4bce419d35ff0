"""The same trial repeated many times: the distribution of P over repetitions.

Each time the arms of the real trial are filled with persons of the cohort, drawn with replacement.
Each reading has new noise, and some people leave. Arms are compared by Welch's t-test. All quantities
of a repeat are of the same people.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from bonesim.analysis.statistics import Numbers, welch_p
from bonesim.chance import DROPOUT, READING, REPEATED_TRIAL, Day, uniforms
from bonesim.instruments.reading import identity_of
from bonesim.trials.cohort import HALF_STEP, seed_of_trial
from bonesim.trials.outcomes import TrialOutcomes, as_reported
from bonesim.trials.parameters import TrialParameters
from bonesim.units import DAYS_PER_YEAR

#: Limits of the people of an arm and of the arms of a trial, in the entity number of a draw.
MAX_PEOPLE, MAX_ARMS = 2**17, 2**5
#: Number of the first repeat; number 0 is the trial itself (see `compare`).
FIRST = 1
QUANTILES = (0.05, 0.5, 0.95)


class Repeats(NamedTuple):
    """Every repeat's difference to the reference arm and its P, by arm: (repeats, days) each."""

    difference: dict[int, Numbers]
    p: dict[int, Numbers]

    def spread(self, arm: int, place: int) -> dict[str, float]:
        """Mean, SD and median of the difference, and the 5th to 95th percentile of it and of P."""
        difference, p = self.difference[arm][:, place], self.p[arm][:, place]
        fine = np.isfinite(difference) & np.isfinite(p)
        if not fine.any():
            return {"n": 0}
        low, middle, high = np.quantile(difference[fine], QUANTILES)
        p_low, p_middle, p_high = np.quantile(p[fine], QUANTILES)
        return {
            "n": int(fine.sum()), "mean": float(difference[fine].mean()),
            "sd": float(difference[fine].std(ddof=1)), "low": float(low), "high": float(high),
            "median": float(middle), "p": float(p_middle), "p_low": float(p_low),
            "p_high": float(p_high),
        }  # fmt: skip


class _Group(NamedTuple):
    """One arm in every repeat, by day: people left, mean and SD of the reported values."""

    n: Numbers
    mean: Numbers
    sd: Numbers


def repeated(p: TrialParameters, outcomes: TrialOutcomes, name: str) -> Repeats:
    """Repeat a trial `p.repeats` times and compare its arms by one quantity."""
    groups = [_group(p, outcomes, name, arm) for arm in range(len(outcomes.arms))]
    reference = groups[outcomes.arms.index(p.reference.name)]
    found = Repeats({}, {})
    for arm, group in enumerate(groups):
        if group is reference:
            continue
        found.difference[arm] = group.mean - reference.mean
        found.p[arm] = welch_p(
            (group.mean, group.sd, group.n), (reference.mean, reference.sd, reference.n)
        )
    return found


def _group(p: TrialParameters, outcomes: TrialOutcomes, name: str, arm: int) -> _Group:
    seed, size = seed_of_trial(p.cohort), p.arm[arm].people
    repeat = FIRST + np.arange(p.repeats, dtype=np.uint64)[:, None]
    place = np.arange(size, dtype=np.uint64)
    entity = (
        (repeat * np.uint64(MAX_ARMS) + np.uint64(arm)) * np.uint64(MAX_PEOPLE) + place
    ).ravel()
    numbers = uniforms(seed, Day(0), entity, REPEATED_TRIAL)
    people = (numbers * outcomes.person.size).astype(np.int64)
    values = outcomes.true[name][arm, people]  # (repeats x size, days)
    cv = outcomes.cv[name][arm, people]
    if cv.any():
        noise = np.empty_like(values)
        for column, day in enumerate(outcomes.day):
            reading = identity_of(name) + entity
            numbers = uniforms(seed, Day(day), reading, READING)
            noise[:, column] = ndtri(numbers + HALF_STEP)
        values = outcomes.reported(name, values * (1.0 + cv * noise), arm, people)
    values = as_reported(values, as_change=name in p.changes)
    if p.cohort.dropout_per_year > 0.0:
        numbers = uniforms(seed, Day(0), entity, DROPOUT)
        leaves = DAYS_PER_YEAR * np.log1p(-numbers) / np.log1p(-p.cohort.dropout_per_year)
        values[leaves[:, None] < outcomes.day] = np.nan
    values = np.where(np.isfinite(values), values, np.nan).reshape(p.repeats, size, -1)
    return _summed(values)


def _summed(values: Numbers) -> _Group:
    """n, mean and SD over the people (axis 1) with a value; NaN where there are too few."""
    there = np.isfinite(values)
    n = there.sum(axis=1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(there, values, 0.0).sum(axis=1) / n
        off = np.where(there, values - mean[:, None], 0.0)
        sd = np.sqrt((off * off).sum(axis=1) / (n - 1.0))
    return _Group(n, mean, np.where(n > 1.0, sd, np.nan))
