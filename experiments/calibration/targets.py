"""The targets (`bonesim guide targets`, A1 to A18) as statistics of what `scenarios.simulate` returns.

A6 is read by the operator of the hip, on the trial of women; A17 is described, not scored. No row is one
of recovery: A14's lag is when the lowest value comes, while estradiol is still on its way back.
"""

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
from scenarios import ES_BS, KEPT, MONTHS, SCENARIOS

from bonesim.instruments import DensityParameters

#: Change of spine DXA per change of trabecular mineral: fixed before any calibration.
K = DensityParameters().k_dxa
YEAR = 365
#: A year is over when the deficit of E2 has long been steady.
LATER = (180, 545)


class Target(NamedTuple):
    """One line of the table: what is wanted, and how it is read off."""

    name: str
    what: str
    unit: str
    value: float
    low: float
    high: float
    fitted: bool
    read: Callable[["Courses"], pd.Series]


class Courses:
    """All runs of a study, a table by point; every statistic has one value a point."""

    def __init__(self, results: pd.DataFrame) -> None:
        kept = [column for column in (*KEPT, ES_BS) if column in results]
        self.of = results.pivot_table(values=kept, index="point", columns=["scenario", "day"])

    def at(self, column: str, scenario: str, day: float) -> pd.Series:
        """A column on a day; between two days read, on the line between them."""
        days = sorted(self.of[column][scenario].columns)
        if day in days:
            return self.of[column][scenario][day]
        before = max(one for one in days if one < day)
        after = min(one for one in days if one > day)
        share = (day - before) / (after - before)
        table = self.of[column][scenario]
        return (1.0 - share) * table[before] + share * table[after]

    def dxa(self, scenario: str, day: float, since: float = 0) -> pd.Series:
        """Change of spine DXA, % of that of day 0."""
        column = "bmd_mg_per_cm3"
        change = self.at(column, scenario, day) - self.at(column, scenario, since)
        return 100.0 * K * change / self.at(column, scenario, 0)

    def beyond(self, scenario: str, day: float) -> pd.Series:
        """`dxa`, less that of the untreated of its group on that day, percentage points."""
        return self.dxa(scenario, day) - self.dxa(untreated(scenario), day)

    def activated(self, scenario: str) -> pd.Series:
        """Surface activated a year and surface once E2 is steady, the same days in any course."""
        first, last = LATER
        started = self.at("area_started_mm2", scenario, last) - self.at(
            "area_started_mm2", scenario, first
        )
        surface = self.at("bstv_per_mm", scenario, first) + self.at("bstv_per_mm", scenario, last)
        return started / surface


def untreated(scenario: str) -> str:
    """The course of its group in which nothing happens."""
    group = SCENARIOS[scenario].group
    return next(name for name, one in SCENARIOS.items() if one.group == group and not one.changes)


def _slope(of: Courses) -> pd.Series:
    return of.dxa("woman", 5 * YEAR) / 5.0


def _drift(of: Courses) -> pd.Series:
    start = of.at("bvtv_percent", "control", 0)
    return 100.0 * (of.at("bvtv_percent", "control", 3 * YEAR) / start - 1.0) / 3.0


def _lowest_month(of: Courses) -> pd.Series:
    """Months after the last implant's end at which spine DXA is lowest."""
    found = pd.DataFrame({day: of.dxa("agonist", day) for day in MONTHS})
    return (found.idxmin(axis=1) - 168) / 30.4


def _deceleration(runs_by_course: Courses) -> pd.Series:
    first = runs_by_course.dxa("woman_inhibitor", YEAR)
    fifth = runs_by_course.dxa("woman_inhibitor", 5 * YEAR, 4 * YEAR)
    # Of the mean over runs: a single block's fifth year may be near 0.
    return pd.Series(first.mean() / fifth.mean(), index=first.index)


def _ratio(column: str, scenario: str, day: int) -> Callable[[Courses], pd.Series]:
    return lambda of: of.at(column, scenario, day) / of.at(column, untreated(scenario), day)


TARGETS: tuple[Target, ...] = (
    Target("A1", "men on the inhibitor less placebo, 1 y, spine DXA", "pp", -2.46, -3.9, -1.0, False,
           lambda v: v.beyond("man_inhibitor", YEAR)),
    Target("A2", "men on the inhibitor, 1 y, spine DXA", "%", -1.69, -2.7, -0.65, True,
           lambda v: v.dxa("man_inhibitor", YEAR)),
    Target("A3", "men on placebo, 1 y, spine DXA", "%", 0.76, -0.5, 1.5, False,
           lambda v: v.dxa("man", YEAR)),
    Target("A4", "women on the inhibitor, 2 y, spine DXA", "%", -4.1, -5.1, -3.1, True,
           lambda v: v.dxa("woman_inhibitor", 2 * YEAR)),
    Target("A5", "women on the inhibitor, 5 y, spine DXA", "%", -6.08, -7.6, -4.6, True,
           lambda v: v.dxa("woman_inhibitor", 5 * YEAR)),
    Target("A7", "women on tamoxifen, 2 y, spine DXA", "%", 2.2, 1.0, 3.4, True,
           lambda v: v.dxa("woman_tamoxifen", 2 * YEAR)),
    Target("A7'", "women on tamoxifen, 5 y, spine DXA", "%", 2.77, 1.3, 4.2, False,
           lambda v: v.dxa("woman_tamoxifen", 5 * YEAR)),
    Target("A8", "untreated, spine DXA a year", "%/y", -0.4, -0.7, 0.0, True, _slope),
    Target("A9", "untreated, BV/TV a year", "%/y", -0.5, -2.0, 0.5, False, _drift),
    Target("A9'", "ES/BS at the start, by the surface's geometry", "%", 5.1, 3.35, 6.85, False,
           lambda v: v.at(ES_BS, "woman", 0)),
    Target("A10", "activation frequency, E2 100 -> 5 over healthy", "", 1.85, 1.6, 2.2, True,
           lambda v: v.activated("ovary_lost") / v.activated("control")),
    Target("A10'", "erosion depth, E2 100 -> 5 over healthy", "", 1.11, 1.05, 1.20, True,
           _ratio("e_de_um", "ovary_lost", 545)),
    Target("A10w", "wall thickness, healthy", "um", 47.0, 45.0, 60.0, False,
           lambda v: v.at("w_th_um", "control", YEAR)),
    Target("A11", "calcium +800 mg/d, 1 y, spine DXA", "pp", 1.2, 0.5, 2.0, True,
           lambda v: v.beyond("calcium", YEAR)),
    Target("A11'", "calcium, each year after the first, spine DXA", "pp/y", 0.0, -0.2, 0.2, False,
           lambda v: (v.beyond("calcium", 3 * YEAR) - v.beyond("calcium", YEAR)) / 2.0),
    Target("A12", "load 120 %, 8 months, spine DXA", "pp", 1.5, 0.5, 4.0, True,
           lambda v: v.beyond("training", 244)),
    Target("A13", "load 50 %, 17 weeks, spine DXA", "pp", -3.5, -6.0, -1.5, True,
           lambda v: v.beyond("disuse", 119)),
    Target("A14", "six months of a GnRH agonist in a young woman, spine DXA", "%", -2.2, -4.5, -1.5, True,
           lambda v: v.dxa("agonist", 168)),
    Target("A14'", "its lowest value, months after the last implant's end", "", 2.0, 0.0, 4.0, False,
           _lowest_month),
    Target("A15", "from 1 y before to 2 y after menopause, spine DXA", "%", -7.4, -9.0, -5.5, True,
           lambda v: v.dxa("menopause", 4 * YEAR, YEAR)),
    Target("A15'", "each year after that, spine DXA", "%/y", -1.1, -1.6, -0.4, True,
           lambda v: v.dxa("menopause", 8 * YEAR, 5 * YEAR) / 3.0),
    Target("A16", "androgen deprivation, 9-12 months, spine DXA", "%", -3.3, -4.5, -2.2, True,
           lambda v: v.dxa("castrated", 320)),
    Target("A18", "estradiol after menopause less none, 3 y, spine DXA", "pp", 4.5, 3.0, 6.0, True,
           lambda v: v.beyond("woman_estradiol", 3 * YEAR)),
    Target("slopes", "women on the inhibitor: loss of year 1 over that of year 5", "", 3.0, 2.0, 9.0,
           False, _deceleration),
)  # fmt: skip


def readings(results: pd.DataFrame) -> pd.DataFrame:
    """Every target's value in every run: index point, columns the targets' names.

    Targets of courses, days or columns that were not simulated are left out.
    """
    runs_by_course = Courses(results)
    found = {}
    for one in TARGETS:
        try:
            found[one.name] = one.read(runs_by_course)
        except (KeyError, ValueError):  # no such course, day or column
            continue
    return pd.DataFrame(found)
