"""What is prescribed (drug, dose, route, frequency, first and last day), and what is then taken.

[protocol.testosterone_cypionate]
dose_mg = 100
every_day = 7

[[protocol.anastrozole]]          # twice: one course, a pause, another
dose_mg = 0.5
times_per_week = 2
start_day = 0
stop_day = 365
taper_day = 28                    # over the last 28 days doses fall evenly to zero
missed_share = 0.1                # each dose is missed with this probability
"""

from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from bonesim.chance import MISSED_DOSE, uniform
from bonesim.endocrine.drugs import DRUGS, DrugParameters
from bonesim.parameters import Parameters

#: The earliest day on which a drug may have been started.
EARLIEST_DAY = -3650


class Regimen(Parameters):
    """A course of one drug."""

    #: Days between doses if none are given.
    default_every_day: ClassVar[float] = 1.0

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

    def dose_text(self) -> str:
        """The dose as text, e.g. "0.5 mg"."""
        raise NotImplementedError

    def described(self) -> str:
        """Dose and frequency in words."""
        if self.times_per_week is not None:
            often = f"{self.times_per_week}x/week"
        else:
            often = "daily" if self.interval_day == 1 else f"every {self.interval_day:g} d"
        return f"{self.dose_text()} {often}"


class MilligramRegimen(Regimen):
    """A drug given in milligrams."""

    dose_mg: Annotated[float, Field(gt=0, le=1000, description="one dose; input")]

    def dose_text(self) -> str:
        """The dose as text."""
        return f"{self.dose_mg:g} mg"


class TabletRegimen(MilligramRegimen):
    """A tablet."""

    route: Annotated[Literal["oral"], Field(description="how it is given; input")] = "oral"


class CypionateRegimen(MilligramRegimen):
    """Testosterone cypionate in oil, injected."""

    default_every_day: ClassVar[float] = 7.0
    route: Annotated[
        Literal["intramuscular", "subcutaneous"], Field(description="how it is given; input")
    ] = "intramuscular"


class GelRegimen(MilligramRegimen):
    """A gel; the dose is what is put on the skin."""

    route: Annotated[Literal["transdermal"], Field(description="how it is given; input")] = (
        "transdermal"
    )


class ImplantRegimen(MilligramRegimen):
    """A depot that releases at a constant rate."""

    default_every_day: ClassVar[float] = 28.0
    route: Annotated[
        Literal["subcutaneous", "intramuscular"], Field(description="how it is given; input")
    ] = "subcutaneous"


class PatchRegimen(Regimen):
    """A patch, worn until the next."""

    default_every_day: ClassVar[float] = 3.5
    dose_ug_per_day: Annotated[float, Field(gt=0, le=1000, description="release; input")]
    route: Annotated[Literal["transdermal"], Field(description="how it is given; input")] = (
        "transdermal"
    )

    def dose_text(self) -> str:
        """The dose as text."""
        return f"{self.dose_ug_per_day:g} ug/day"


def _one_or_more(value: Any) -> Any:
    """A single table stands for a list of one."""
    return (value,) if isinstance(value, dict) else value


class Prescriptions(Parameters):
    """The drugs of a protocol; each may have several courses, one after the other."""

    anastrozole: Annotated[
        tuple[TabletRegimen, ...],
        BeforeValidator(_one_or_more),
        Field(description="aromatase inhibitor; input"),
    ] = ()
    letrozole: Annotated[
        tuple[TabletRegimen, ...],
        BeforeValidator(_one_or_more),
        Field(description="aromatase inhibitor; input"),
    ] = ()
    tamoxifen: Annotated[
        tuple[TabletRegimen, ...],
        BeforeValidator(_one_or_more),
        Field(description="partial agonist at the estrogen receptor of bone; input"),
    ] = ()
    testosterone_cypionate: Annotated[
        tuple[CypionateRegimen, ...],
        BeforeValidator(_one_or_more),
        Field(description="testosterone ester; input"),
    ] = ()
    testosterone_gel: Annotated[
        tuple[GelRegimen, ...],
        BeforeValidator(_one_or_more),
        Field(description="testosterone on the skin; input"),
    ] = ()
    estradiol_gel: Annotated[
        tuple[GelRegimen, ...],
        BeforeValidator(_one_or_more),
        Field(description="estradiol on the skin; input"),
    ] = ()
    estradiol_patch: Annotated[
        tuple[PatchRegimen, ...],
        BeforeValidator(_one_or_more),
        Field(description="estradiol through the skin; input"),
    ] = ()
    gnrh_agonist: Annotated[
        tuple[ImplantRegimen, ...],
        BeforeValidator(_one_or_more),
        Field(description="medical castration; input"),
    ] = ()

    @model_validator(mode="after")
    def _one_course_at_a_time(self) -> "Prescriptions":
        for drug in DRUGS:
            courses: list[Regimen] = sorted(getattr(self, drug), key=lambda r: r.start_day)
            for one, next_one in pairwise(courses):
                if one.stop_day is None or one.stop_day > next_one.start_day:
                    until = "never stops" if one.stop_day is None else f"lasts to {one.stop_day:g}"
                    raise ValueError(
                        f"{drug}: the course from day {one.start_day:g} {until} and overlaps "
                        f"that from day {next_one.start_day:g}; stop it first"
                    )
        return self

    def courses(self) -> list[tuple[str, Regimen]]:
        """All courses with the name of their drug."""
        return [(drug, one) for drug in DRUGS for one in getattr(self, drug)]


class Doses(NamedTuple):
    """What is taken, in order of time: amounts at once, and changes of a constant release."""

    day: NDArray[np.float64]
    drug: NDArray[np.int64]
    bolus_mg: NDArray[np.float64]
    release_mg_per_day: NDArray[np.float64]


def doses_of(
    prescriptions: Prescriptions, drugs: DrugParameters, until_day: float, seed: int, person: int
) -> Doses:
    """All doses before `until_day`. Which are missed depends on seed, person, drug and time."""
    rows: list[tuple[float, int, float, float]] = []
    for drug, regimen in prescriptions.courses():
        which = DRUGS.index(drug)
        for day, share in _taken(regimen, which, until_day, seed, person):
            if isinstance(regimen, PatchRegimen):
                rate = share * regimen.dose_ug_per_day / 1000.0
                end = min(day + regimen.interval_day, _end(regimen))
                rows += [(day, which, 0.0, rate), (end, which, 0.0, -rate)]
            elif isinstance(regimen, ImplantRegimen):
                rate = share * regimen.dose_mg / drugs.implant_release_day
                rows += [
                    (day, which, 0.0, rate),
                    (day + drugs.implant_release_day, which, 0.0, -rate),
                ]
            elif isinstance(regimen, MilligramRegimen):
                rows.append((day, which, share * regimen.dose_mg, 0.0))
    rows.sort()
    columns = np.array(rows, np.float64).reshape(-1, 4).T
    return Doses(
        columns[0].copy(), columns[1].astype(np.int64), columns[2].copy(), columns[3].copy()
    )


def _end(regimen: Regimen) -> float:
    return np.inf if regimen.stop_day is None else regimen.stop_day


def _taken(
    regimen: Regimen, drug: int, until_day: float, seed: int, person: int
) -> list[tuple[float, float]]:
    """(day, share of the full dose) of each dose of a course that is taken."""
    end = min(until_day, _end(regimen))
    number = int(np.ceil((end - regimen.start_day) / regimen.interval_day - 1e-9))
    taken = []
    for index in range(max(number, 0)):
        day = regimen.start_day + index * regimen.interval_day
        if any(abs(day - missed) < 0.5 * regimen.interval_day for missed in regimen.missed_day):
            continue
        if regimen.missed_share > 0.0:
            entity = (person << 32) + (drug << 24) + index
            if uniform(seed, int(regimen.start_day), entity, MISSED_DOSE) < regimen.missed_share:
                continue
        share = 1.0
        if regimen.taper_day > 0.0 and regimen.stop_day is not None:
            share = min(1.0, (regimen.stop_day - day) / regimen.taper_day)
        taken.append((day, share))
    return taken
