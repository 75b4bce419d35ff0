"""Estradiol of one person without drugs, from youth on: the ovary, menopause, a man's decline.

    woman   E(age) = P + (Y - P) / (1 + exp((age - middle) / s))    P after menopause, Y in youth
    man     ln E falls evenly from youth (at 30) to the baseline of day 0, and stays

The middle of the fall is half a year before the final menstrual period (menopause). s is such that
estradiol falls from three quarters to one quarter of the ovary's within `transition_year`.
"""

from typing import NamedTuple

import numpy as np

from bonesim.endocrine.targets import Values
from bonesim.units import DAYS_PER_YEAR

#: Usual levels of estradiol: in youth (cycle mean of women 60-120, men 24-30: guide M7.2), and of a
#: woman after menopause, who has no ovary's; true ones, pg/mL.
WOMAN_IN_YOUTH_E2, WOMAN_AFTER_E2, MAN_E2 = 100.0, 4.5, 25.0
#: The ovary's share of a woman's testosterone in youth; Burger 2002.
OVARY_T_SHARE = 0.25
#: Age before which levels are those of youth: a man's, and any person's; assumed.
MAN_DECLINES_FROM_YEAR, YOUTH_YEAR = 30.0, 20.0
#: The middle of the fall before the final menstrual period; Sowers 2008.
MIDDLE_BEFORE_FINAL_PERIOD_YEAR = 0.5
#: An ovary that makes less than this share of what it made in youth makes nothing.
SMALLEST_OVARY = 1e-3


class Ovary(NamedTuple):
    """When it ceases: age at the final menstrual period, and how long the fall takes."""

    menopause_age_year: float
    transition_year: float

    def output(self, age_year: Values | float) -> Values:
        """What it makes at an age, over that in youth, 0..1."""
        middle = self.menopause_age_year - MIDDLE_BEFORE_FINAL_PERIOD_YEAR
        # From 3/4 to 1/4 is 2 ln 3 of the logistic's scale.
        scale = self.transition_year / (2.0 * np.log(3.0))
        with np.errstate(over="ignore"):
            share = 1.0 / (1.0 + np.exp((np.asarray(age_year) - middle) / scale))
        return np.where(share < SMALLEST_OVARY, 0.0, share)


class History(NamedTuple):
    """Levels without drugs: in youth, without ovary (0 in a man), and on day 0, pg/mL.

    Attributes:
        ovary: of a woman; None: a man.
        age_year: on day 0.
        youth_pg_per_ml: the own level in youth.
        rest_pg_per_ml: of a woman: what the ovary does not make.
        baseline_pg_per_ml: of a man: on day 0 and later.
    """

    ovary: Ovary | None
    age_year: float
    youth_pg_per_ml: float
    rest_pg_per_ml: float
    baseline_pg_per_ml: float

    @classmethod
    def of(
        cls, ovary: Ovary | None, age_year: float, baseline: float | None, youth: float | None
    ) -> "History":
        """The usual history, moved so that it goes through what is known of this person.

        Args:
            ovary: of a woman; None: a man.
            age_year: on day 0.
            baseline: estradiol on day 0, pg/mL; None: the usual at this age.
            youth: estradiol in youth, pg/mL; None: the usual.
        """
        if ovary is None:
            own = MAN_E2 if youth is None else youth
            return cls(None, age_year, own, 0.0, own if baseline is None else baseline)
        own, rest = WOMAN_IN_YOUTH_E2 if youth is None else youth, WOMAN_AFTER_E2
        made = float(ovary.output(age_year))
        if baseline is not None and youth is None and made >= 0.5:
            # She is young: it is her ovary that differs.
            rest = min(rest, baseline)
            own = max(rest, rest + (baseline - rest) / made)
        elif baseline is not None:
            rest = max(0.0, baseline - made * own) / (1.0 - made) if made < 1.0 else rest
        return cls(ovary, age_year, own, min(rest, own), 0.0)

    def ovary_output(self, day: Values | float) -> Values:
        """What the ovary makes on a day, over that in youth; 0 in a man."""
        age = self.age_year + np.asarray(day) / DAYS_PER_YEAR
        return np.zeros(age.shape) if self.ovary is None else self.ovary.output(age)

    def e2_pg_per_ml(self, day: Values | float) -> Values:
        """Estradiol on a day (before or after day 0), pg/mL."""
        if self.ovary is not None:
            return self.rest_pg_per_ml + self.ovary_output(day) * (
                self.youth_pg_per_ml - self.rest_pg_per_ml
            )
        years = self.age_year - MAN_DECLINES_FROM_YEAR
        age = self.age_year + np.asarray(day) / DAYS_PER_YEAR
        gone = (age - MAN_DECLINES_FROM_YEAR) / years if years > 0.0 else np.ones(age.shape)
        fall = np.log(max(self.baseline_pg_per_ml, 1e-3) / self.youth_pg_per_ml)
        return np.asarray(self.youth_pg_per_ml * np.exp(np.clip(gone, 0.0, 1.0) * fall))

    @property
    def begins_day(self) -> float:
        """Since when estradiol is another than in youth; 0: it never was."""
        if self.ovary is None and self.baseline_pg_per_ml == self.youth_pg_per_ml:
            return 0.0
        return min(0.0, -(self.age_year - YOUTH_YEAR) * DAYS_PER_YEAR)
