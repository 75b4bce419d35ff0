"""How a drug is given: dose, frequency, first and last day, and what each dose releases.

[[protocol.<drug>]]               # twice: one course, a pause, another
dose_mg = 0.5
times_per_week = 2
start_day = 0
stop_day = 365
taper_day = 28                    # over the last 28 days doses fall evenly to zero
missed_share = 0.1                # each dose is missed with this probability
"""

import math
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field, model_validator

from bonesim.parameters import Parameters

#: The earliest day on which a drug may have been started.
EARLIEST_DAY = -3650


class Amount(NamedTuple):
    """What goes in on a day: an amount at once, and the change of a constant release."""

    day: float
    bolus_mg: float
    release_mg_per_day: float


class Regimen(Parameters):
    """A course of one drug."""

    #: Days between doses if none are given.
    default_every_day: ClassVar[float] = 1.0
    #: Whether doses go through the first stage of the drug's kinetics; a constant release does not.
    has_first_stage: ClassVar[bool] = True

    start_day: Annotated[
        float, Field(ge=EARLIEST_DAY, le=73000, description="day of the first dose; input")
    ] = 0.0
    stop_day: Annotated[
        float | None,
        Field(ge=EARLIEST_DAY, le=73000, description="no dose from this day on; input; none: ever"),
    ] = None
    every_day: Annotated[
        float | None,
        Field(ge=0.1, le=400, description="days between doses; input, or default of the drug"),
    ] = None
    times_per_week: Annotated[
        int | None, Field(ge=1, le=21, description="doses a week, evenly spaced; input")
    ] = None
    taper_day: Annotated[
        float, Field(ge=0, le=3650, description="over so many last days doses fall to 0; input")
    ] = 0.0
    missed_share: Annotated[
        float, Field(ge=0, le=1, description="probability that a dose is missed; input")
    ] = 0.0
    missed_day: Annotated[
        tuple[float, ...], Field(max_length=10000, description="days without a dose; input")
    ] = ()

    @model_validator(mode="after")
    def _possible(self) -> "Regimen":
        if self.every_day is not None and self.times_per_week is not None:
            raise ValueError("has both every_day and times_per_week; leave one out")
        if self.stop_day is not None and self.stop_day <= self.start_day:
            raise ValueError(
                f"stops at day {self.stop_day:g}, not after its start at day "
                f"{self.start_day:g}; put stop_day later or leave it out"
            )
        if self.taper_day > 0 and self.stop_day is None:
            raise ValueError("has taper_day without stop_day; give stop_day")
        if self.stop_day is not None and self.taper_day > self.stop_day - self.start_day:
            raise ValueError(
                f"tapers over {self.taper_day:g} days but lasts only "
                f"{self.stop_day - self.start_day:g}; shorten taper_day"
            )
        return self

    @property
    def interval_day(self) -> float:
        """Days between two doses."""
        if self.times_per_week is not None:
            return 7.0 / self.times_per_week
        return self.default_every_day if self.every_day is None else self.every_day

    @property
    def is_given(self) -> bool:
        """Whether there is a dose: one of 0 stands for "without the drug"."""
        return True

    def dose_text(self) -> str:
        """The dose as text, e.g. "0.5 mg"."""
        raise NotImplementedError

    def amounts(self, day: float, share: float, drug: Any) -> list[Amount]:
        """What one dose on a day puts into the body.

        Args:
            day: of the dose.
            share: of the full dose, 0..1.
            drug: the drug's parameters.
        """
        raise NotImplementedError

    def end_day(self) -> float:
        """The day from which no dose is given; infinite if there is none."""
        return math.inf if self.stop_day is None else self.stop_day

    def described(self) -> str:
        """Dose and frequency in words."""
        if self.times_per_week is not None:
            often = f"{self.times_per_week}x/week"
        else:
            often = "daily" if self.interval_day == 1 else f"every {self.interval_day:g} d"
        return f"{self.dose_text()} {often}"


class MilligramRegimen(Regimen):
    """A drug given in milligrams."""

    dose_mg: Annotated[
        float, Field(ge=0, le=1000, description="one dose; 0: without the drug; input")
    ]

    @property
    def is_given(self) -> bool:
        """Whether the dose is above 0."""
        return self.dose_mg > 0.0

    def dose_text(self) -> str:
        """The dose as text."""
        return f"{self.dose_mg:g} mg"

    def amounts(self, day: float, share: float, drug: Any) -> list[Amount]:
        """All of it at once, into the first stage."""
        return [Amount(day, share * self.dose_mg, 0.0)]


class TabletRegimen(MilligramRegimen):
    """A tablet."""


class InjectionRegimen(MilligramRegimen):
    """An injection of a depot, into muscle or under the skin: its drug's kinetics hold for both."""

    default_every_day: ClassVar[float] = 7.0


class GelRegimen(MilligramRegimen):
    """A gel; the dose is what is put on the skin."""


class ImplantRegimen(MilligramRegimen):
    """A depot that releases at a constant rate over its drug's `release_day`."""

    default_every_day: ClassVar[float] = 28.0
    has_first_stage: ClassVar[bool] = False

    def amounts(self, day: float, share: float, drug: Any) -> list[Amount]:
        """A constant release into the second stage."""
        rate = share * self.dose_mg / drug.release_day
        return [Amount(day, 0.0, rate), Amount(day + drug.release_day, 0.0, -rate)]


class PatchRegimen(Regimen):
    """A patch, worn until the next."""

    default_every_day: ClassVar[float] = 3.5
    has_first_stage: ClassVar[bool] = False
    dose_ug_per_day: Annotated[
        float, Field(ge=0, le=1000, description="release; 0: without the drug; input")
    ]

    @property
    def is_given(self) -> bool:
        """Whether the release is above 0."""
        return self.dose_ug_per_day > 0.0

    def dose_text(self) -> str:
        """The dose as text."""
        return f"{self.dose_ug_per_day:g} ug/day"

    def amounts(self, day: float, share: float, drug: Any) -> list[Amount]:
        """A constant release into the second stage until the next one."""
        rate = share * self.dose_ug_per_day / 1000.0
        end = min(day + self.interval_day, self.end_day())
        return [Amount(day, 0.0, rate), Amount(end, 0.0, -rate)]
