"""The drugs that a config may name: their parameters, their courses, and the doses that are taken.

Both groups are made from the list of drugs. Those of a user's modules come with the context of the
validation (`{"drugs": {name: class}}`) and stand beside the package's own.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    create_model,
    model_validator,
)
from pydantic_core import InitErrorDetails

from bonesim.chance import MISSED_DOSE, Day, Place, Seed, uniform
from bonesim.endocrine.drug import HASHED_KEYS, Drug
from bonesim.endocrine.drugs import DRUGS
from bonesim.endocrine.regimen import Regimen
from bonesim.parameters import Parameters


class _WithDrugs(Parameters):
    """A group that has an entry for each drug, those of a user's modules too."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def taken_as(cls, drug: type[Drug]) -> Any:
        """The type of a drug's entry."""
        raise NotImplementedError

    @model_validator(mode="before")
    @classmethod
    def _known_drugs(cls, given: Any, info: ValidationInfo) -> Any:
        """Entries of a user's drugs as their own types; any other unknown name is an error."""
        if not isinstance(given, Mapping):
            return given
        more: Mapping[str, type[Drug]] = (info.context or {}).get("drugs", {})
        taken, problems = dict(given), []
        for name, value in given.items():
            if name in cls.model_fields:
                continue
            if name not in more:
                problems.append(InitErrorDetails(type="extra_forbidden", loc=(name,), input=value))
                continue
            try:
                taken[name] = TypeAdapter(cls.taken_as(more[name])).validate_python(value)
            except ValidationError as error:
                problems += [_within(name, problem) for problem in error.errors()]
        if problems:
            raise ValidationError.from_exception_data(cls.__name__, problems)
        return cls.completed(taken, more)

    @classmethod
    def completed(cls, taken: dict[str, Any], more: Mapping[str, type[Drug]]) -> dict[str, Any]:
        """The entries with those that are not given."""
        return taken


def _within(name: str, problem: Any) -> InitErrorDetails:
    """A problem of an entry, at its place in the group."""
    return InitErrorDetails(
        type=problem["type"], loc=(name, *problem["loc"]), input=problem["input"],
        ctx=problem.get("ctx", {}),
    )  # fmt: skip


def _one_or_more(value: Any) -> Any:
    """A single table stands for a list of one."""
    return (value,) if isinstance(value, dict) else value


def _courses_of(drug: type[Drug]) -> Any:
    """The type of a drug's courses in a protocol."""
    return Annotated[
        tuple[drug.regimen, ...],  # type: ignore[name-defined]
        BeforeValidator(_one_or_more),
        Field(description=drug.about),
    ]


class _SharedDrugParameters(_WithDrugs):
    """Kinetics and strength of every drug, and what the inhibitors of aromatase have in common."""

    inhibition_hill: Annotated[
        float, Field(ge=0.5, le=4, description="steepness of inhibition; fit (guide M7.3)")
    ] = 1.95
    testis_ic50_ratio: Annotated[
        float,
        Field(
            ge=1,
            le=1000,
            description="in the testis its own testosterone competes; fit (guide M7.3)",
        ),
    ] = 55.0
    ic50_cv: Annotated[
        float,
        Field(
            ge=0, le=1, description="CV of IC50 between persons, lognormal; assumed (guide M7.1)"
        ),
    ] = 0.40

    @classmethod
    def taken_as(cls, drug: type[Drug]) -> Any:
        """The drug's own parameters."""
        return drug

    @classmethod
    def completed(cls, taken: dict[str, Any], more: Mapping[str, type[Drug]]) -> dict[str, Any]:
        """With the defaults of a user's drugs."""
        return {name: drug.model_validate({}) for name, drug in more.items()} | taken

    def all(self) -> dict[str, Drug]:
        """Every drug by its name, those of a user's modules too."""
        return {name: one for name, one in self if isinstance(one, Drug)}


class _SharedPrescriptions(_WithDrugs):
    """The drugs of a protocol; each may have several courses, one after the other."""

    @classmethod
    def taken_as(cls, drug: type[Drug]) -> Any:
        """The drug's courses."""
        return _courses_of(drug)

    @model_validator(mode="after")
    def _one_course_at_a_time(self) -> "_SharedPrescriptions":
        for drug, given in self._by_drug().items():
            courses: list[Regimen] = sorted(given, key=lambda r: r.start_day)
            for one, next_one in pairwise(courses):
                if one.stop_day is None or one.stop_day > next_one.start_day:
                    until = "never stops" if one.stop_day is None else f"lasts to {one.stop_day:g}"
                    raise ValueError(
                        f"{drug}: the course from day {one.start_day:g} {until} and overlaps "
                        f"that from day {next_one.start_day:g}; stop it first"
                    )
        return self

    def _by_drug(self) -> dict[str, tuple[Regimen, ...]]:
        """The courses of each drug that has some."""
        return {
            name: given
            for name, given in self
            if isinstance(given, tuple) and given and isinstance(given[0], Regimen)
        }

    def courses(self) -> list[tuple[str, Regimen]]:
        """All courses with the name of their drug; a dose of 0 is no course."""
        return [
            (drug, one) for drug, given in self._by_drug().items() for one in given if one.is_given
        ]

    def as_taken(self) -> Self:
        """The same without courses whose dose is 0."""
        taken = {
            drug: tuple(one for one in given if one.is_given)
            for drug, given in self._by_drug().items()
        }
        return self.model_copy(update=taken)


if TYPE_CHECKING:

    class DrugParameters(_SharedDrugParameters):
        """Kinetics and strength of every drug: a field for each."""

    class Prescriptions(_SharedPrescriptions):
        """The drugs of a protocol: a field for each."""

else:
    DrugParameters = create_model(
        "DrugParameters",
        __base__=_SharedDrugParameters,
        __module__=__name__,
        __doc__=_SharedDrugParameters.__doc__,
        **{
            name: (Annotated[drug, Field(description=drug.sources)], drug())
            for name, drug in DRUGS.items()
        },
    )
    Prescriptions = create_model(
        "Prescriptions",
        __base__=_SharedPrescriptions,
        __module__=__name__,
        __doc__=_SharedPrescriptions.__doc__,
        **{name: (_courses_of(drug), ()) for name, drug in DRUGS.items()},
    )


class Doses(NamedTuple):
    """What is taken, in order of time: amounts at once, and changes of a constant release."""

    day: NDArray[np.float64]
    drug: NDArray[np.str_]
    bolus_mg: NDArray[np.float64]
    release_mg_per_day: NDArray[np.float64]

    def of(self, drug: str) -> "Doses":
        """The doses of one drug."""
        mine = self.drug == drug
        return Doses(*(column[mine] for column in self))


def doses_of(
    prescriptions: Prescriptions, drugs: DrugParameters, until_day: float, seed: int, person: int
) -> Doses:
    """All doses before `until_day`. Which are missed depends on seed, person, drug and time."""
    known = drugs.all()
    rows = sorted(
        (amount.day, name, amount.bolus_mg, amount.release_mg_per_day)
        for name, regimen in prescriptions.courses()
        for day, share in _taken(regimen, known[name].key(), until_day, seed, person)
        for amount in regimen.amounts(day, share, known[name])
    )
    day, names, bolus_mg, release = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Doses(
        np.array(day, np.float64), np.array(names, np.str_), np.array(bolus_mg, np.float64),
        np.array(release, np.float64),
    )  # fmt: skip


def _taken(
    regimen: Regimen, key: int, until_day: float, seed: int, person: int
) -> list[tuple[float, float]]:
    """(day, share of the full dose) of each dose of a course that is taken."""
    end = min(until_day, regimen.end_day())
    number = int(np.ceil((end - regimen.start_day) / regimen.interval_day - 1e-9))
    # A key without a number of its own goes into the day: an entity has room for 256 drugs.
    which, when = (0, key) if key >= HASHED_KEYS else (key, 0)
    taken = []
    for index in range(max(number, 0)):
        day = regimen.start_day + index * regimen.interval_day
        if any(abs(day - missed) < 0.5 * regimen.interval_day for missed in regimen.missed_day):
            continue
        if regimen.missed_share > 0.0:
            entity = Place((person << 32) + (which << 24) + index)
            start = Day(int(regimen.start_day) + when)
            if uniform(Seed(seed), start, entity, MISSED_DOSE) < regimen.missed_share:
                continue
        share = 1.0
        if regimen.taper_day > 0.0 and regimen.stop_day is not None:
            share = min(1.0, (regimen.stop_day - day) / regimen.taper_day)
        taken.append((day, share))
    return taken
