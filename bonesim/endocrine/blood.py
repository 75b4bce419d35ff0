"""Blood levels under a prescription: of one person, and of a cohort.

Day 0 is the start of the simulation. Before it a course holds the mean of the four weeks before
day 0. That is the person's baseline unless a drug was started earlier.
"""

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.chance import PERSON, normal
from bonesim.endocrine.axis import SAMPLES_PER_DAY, AxisNumbers, AxisParameters, simulate_axis
from bonesim.endocrine.drugs import (
    ANASTROZOLE_MASS,
    DRUGS,
    LETROZOLE_MASS,
    TAMOXIFEN,
    DrugParameters,
    kinetics_table,
)
from bonesim.endocrine.protocol import ProtocolParameters
from bonesim.endocrine.regimen import doses_of
from bonesim.parameters import Parameters

#: Days before day 0 whose mean is the level of the burn-in.
BEFORE_DAY = 28
#: Estradiol feedback acts per pg/mL: in a woman it is scaled by her level over this one.
FEEDBACK_AT_PG_PER_ML = 25.0


class VariationParameters(Parameters):
    """How persons of one protocol differ, beside clearance and IC50 (see `drugs`); lognormal."""

    e2_cv: Annotated[
        float, Field(ge=0, le=1, description="baseline estradiol; .27 in Burnett-Bowie 2009")
    ] = 0.27
    t_cv: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="baseline testosterone; .18-.29 in Leder 2004, Burnett-Bowie 2009",
        ),
    ] = 0.25
    feedback_cv: Annotated[
        float, Field(ge=0, le=1, description="both feedbacks on LH together; assumed")
    ] = 0.2


class Person(NamedTuple):
    """One person's deviations from the protocol's: factors, 1 for the typical one."""

    number: int
    clearance: NDArray[np.float64]  # by drug
    ic50: float
    e2: float
    t: float
    feedback: float


class Blood(NamedTuple):
    """Levels in one person, a row every 1/8 day."""

    day: NDArray[np.float64]
    t_ng_per_dl: NDArray[np.float64]
    e2_pg_per_ml: NDArray[np.float64]
    lh_iu_per_l: NDArray[np.float64]
    shbg_nmol_per_l: NDArray[np.float64]
    drug_ng_per_ml: NDArray[np.float64]  # (rows, drugs)


TYPICAL = Person(0, np.ones(len(DRUGS)), 1.0, 1.0, 1.0, 1.0)


def draw_person(
    number: int, seed: int, drugs: DrugParameters, variation: VariationParameters
) -> Person:
    """Person `number` of a cohort: the same in every arm (common random numbers)."""

    def factor(cv: float, which: int) -> float:
        sigma = np.sqrt(np.log1p(cv * cv))
        return float(np.exp(sigma * normal(seed, which, number, PERSON) - 0.5 * sigma * sigma))

    clearance = [factor(getattr(drugs, name).clearance_cv, k) for k, name in enumerate(DRUGS)]
    rest = (drugs.ic50_cv, variation.e2_cv, variation.t_cv, variation.feedback_cv)
    return Person(
        number, np.array(clearance), *(factor(cv, len(DRUGS) + k) for k, cv in enumerate(rest))
    )


def simulate_blood(
    protocol: ProtocolParameters,
    drugs: DrugParameters,
    axis: AxisParameters,
    until_day: float,
    seed: int,
    person: Person = TYPICAL,
) -> Blood:
    """Simulate all levels of one person, from before the first dose to `until_day`."""
    doses = doses_of(protocol, drugs, until_day, seed, person.number)
    first = min(0.0, float(doses.day[0])) if doses.day.size else 0.0
    start = np.floor(first) - BEFORE_DAY
    samples = round((until_day - start) * SAMPLES_PER_DAY) + 1
    own = protocol.baseline()
    e2, t = own.e2_pg_per_ml * person.e2, own.t_ng_per_dl * person.t
    table = kinetics_table(drugs, person.clearance)
    steroids, lh, shbg = np.zeros((samples, 2)), np.zeros(samples), np.zeros(samples)
    levels = np.zeros((samples, len(DRUGS)))
    simulate_axis(
        float(start), doses.day, doses.drug, doses.bolus_mg, doses.release_mg_per_day, table,
        _numbers(protocol, drugs, axis, person, e2, t), steroids, lh, shbg, levels,
    )  # fmt: skip
    return Blood(
        start + np.arange(samples) / SAMPLES_PER_DAY, steroids[:, 0] * t, steroids[:, 1] * e2,
        lh * own.lh_iu_per_l, shbg * own.shbg_nmol_per_l, levels,
    )  # fmt: skip


def cohort(
    protocol: ProtocolParameters,
    drugs: DrugParameters,
    axis: AxisParameters,
    variation: VariationParameters,
    until_day: float,
    seed: int,
    people: int,
) -> Iterator[Blood]:
    """The levels of `people` persons, one after the other."""
    for number in range(people):
        person = draw_person(number, seed, drugs, variation)
        yield simulate_blood(protocol, drugs, axis, until_day, seed, person)


def _numbers(
    protocol: ProtocolParameters, drugs: DrugParameters, axis: AxisParameters, person: Person,
    e2: float, t: float,
) -> Any:  # fmt: skip
    """All numbers of a person that the axis kernel needs."""
    values = axis.model_dump()
    values["e2_feedback"] *= person.feedback
    values["t_feedback"] *= person.feedback
    values["given_t_feedback_dl_per_ng"] *= person.feedback
    if protocol.sex == "female":
        values["e2_feedback"] *= e2 / FEEDBACK_AT_PG_PER_ML
        values |= {"testis_share": 0.0, "t_feedback": 0.0, "leydig_exponent": 0.0,
                   "max_atrophy": 0.0, "t_decline_per_decade": 0.0}  # fmt: skip
    numbers: Any = AxisNumbers
    return numbers(
        **values,
        e2_pg_per_ml=e2,
        t_ng_per_dl=t,
        # nmol/L to ng/mL
        anastrozole_ic50=drugs.anastrozole_ic50_nmol_per_l * person.ic50 * ANASTROZOLE_MASS / 1e3,
        anastrozole_max_inhibition=drugs.anastrozole_max_inhibition,
        anastrozole_insensitive=drugs.anastrozole_insensitive_share,
        letrozole_ic50=drugs.letrozole_ic50_nmol_per_l * person.ic50 * LETROZOLE_MASS / 1e3,
        letrozole_max_inhibition=drugs.letrozole_max_inhibition,
        letrozole_insensitive=drugs.letrozole_insensitive_share,
        inhibition_hill=drugs.inhibition_hill,
        testis_ic50_ratio=drugs.testis_ic50_ratio,
        gnrh_ec50=drugs.gnrh_ec50_ng_per_ml,
    )


def tamoxifen_occupancy(blood: Blood, drugs: DrugParameters) -> NDArray[np.float64]:
    """Share of estrogen receptors that tamoxifen holds, 0..1, one per row."""
    level = blood.drug_ng_per_ml[:, TAMOXIFEN]
    return level / (level + drugs.tamoxifen_ec50_ng_per_ml)
