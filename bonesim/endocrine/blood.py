"""Blood levels under a prescription: of one person, and of a cohort.

Day 0 is the start of the simulation. Before it a course holds the mean of the four weeks before
day 0. That is the person's baseline unless a drug was started earlier.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.chance import PERSON, Day, Place, Seed, normal, uniform
from bonesim.endocrine.axis import SAMPLES_PER_DAY, AxisNumbers, AxisParameters, simulate_axis
from bonesim.endocrine.drug import Drug, Taker
from bonesim.endocrine.formulary import Doses, DrugParameters, doses_of
from bonesim.endocrine.history import OVARY_T_SHARE
from bonesim.endocrine.kinetics import simulate_level
from bonesim.endocrine.protocol import ProtocolParameters
from bonesim.endocrine.targets import (
    AXIS_TARGETS,
    BoneTargets,
    Values,
    combined,
    shares_held,
)
from bonesim.parameters import Parameters
from bonesim.units import DAYS_PER_YEAR

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
    recovery_cv: Annotated[
        float,
        Field(ge=0, le=3, description="time to recover from a GnRH agonist; Kaku 2006"),
    ] = 0.8
    never_recover_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="men who never do; assumed: 10-25 % at 65-75 y, Wilke 2006",
        ),
    ] = 0.15


class Person(NamedTuple):
    """One person's deviations from the protocol's: factors, 1 for the typical one."""

    number: int
    clearance: Mapping[str, float]  # by drug; of one that is not in it: 1
    ic50: float
    e2: float
    t: float
    feedback: float
    recovery: float = 1.0  # of the time to recover from a GnRH agonist; infinite: never


class Blood(NamedTuple):
    """Levels in one person, a row every 1/8 day."""

    day: NDArray[np.float64]
    t_ng_per_dl: NDArray[np.float64]
    e2_pg_per_ml: NDArray[np.float64]
    lh_iu_per_l: NDArray[np.float64]
    shbg_nmol_per_l: NDArray[np.float64]
    drug_ng_per_ml: dict[str, NDArray[np.float64]]  # of each drug that is taken
    receptors_held: tuple[tuple[NDArray[np.float64], float], ...]  # share, and its signal
    bone_targets: BoneTargets  # arrays, see `targets`


TYPICAL = Person(0, MappingProxyType({}), 1.0, 1.0, 1.0, 1.0)
#: Keys of a person's draws beside the drugs' own (`Drug.key`). A number is never reused.
IC50_KEY, E2_KEY, T_KEY, FEEDBACK_KEY, RECOVERY_KEY, NEVER_KEY = 8, 9, 10, 11, 12, 13


def draw_person(
    number: int, seed: int, drugs: DrugParameters, variation: VariationParameters
) -> Person:
    """Person `number` of a cohort: the same in every arm (common random numbers).

    Each draw has a constant key: a drug that nobody takes changes no person.
    """

    def factor(cv: float, key: int) -> float:
        sigma = np.sqrt(np.log1p(cv * cv))
        drawn = normal(Seed(seed), Day(key), Place(number), PERSON)
        return float(np.exp(sigma * drawn - 0.5 * sigma * sigma))

    draw = uniform(Seed(seed), Day(NEVER_KEY), Place(number), PERSON)
    never = draw < variation.never_recover_share
    return Person(
        number,
        {name: factor(one.clearance_cv, one.key()) for name, one in drugs.all().items()},
        factor(drugs.ic50_cv, IC50_KEY), factor(variation.e2_cv, E2_KEY),
        factor(variation.t_cv, T_KEY), factor(variation.feedback_cv, FEEDBACK_KEY),
        np.inf if never else factor(variation.recovery_cv, RECOVERY_KEY),
    )  # fmt: skip


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
    own = protocol.baseline(start)
    e2, t = own.e2_pg_per_ml * person.e2, own.t_ng_per_dl * person.t
    sample = start + np.arange(samples) / SAMPLES_PER_DAY
    moment = np.unique(np.concatenate([sample, doses.day[doses.day < sample[-1]]]))
    at_sample = np.searchsorted(moment, sample)
    taken = _taken(moment, doses, drugs, person)
    numbers = _numbers(protocol, axis, person, start, e2, t)
    signals = _signals(taken, _with_half_ways(moment), protocol, numbers)
    steroids, lh, shbg = np.zeros((samples, 2)), np.zeros(samples), np.zeros(samples)
    simulate_axis(moment, at_sample, signals, numbers, steroids, lh, shbg)
    sampled = [one.at(2 * at_sample) for one in taken]
    return Blood(
        sample, steroids[:, 0] * t, steroids[:, 1] * e2, lh * own.lh_iu_per_l,
        shbg * own.shbg_nmol_per_l, {one.drug.name: one.level for one in sampled},
        _receptors_held(sampled), _bone_targets(sampled, samples),
    )  # fmt: skip


class _Taken(NamedTuple):
    """A drug that is taken: its levels (ng/mL) and effects at the same moments."""

    drug: Drug
    level: Values
    effects: Mapping[str, Values]

    def at(self, rows: NDArray[np.int64]) -> "_Taken":
        """The same at some of the moments."""
        effects = {target: values[rows] for target, values in self.effects.items()}
        return self._replace(level=self.level[rows], effects=effects)


def _taken(
    moment: Values, doses: Doses, drugs: DrugParameters, person: Person
) -> list[_Taken]:  # fmt: skip
    """Levels and effects of the drugs that are taken, at the moments and half way between."""
    day = _with_half_ways(moment)
    taker = Taker(day, person.ic50, drugs.inhibition_hill, drugs.testis_ic50_ratio)
    given, found = set(doses.drug.tolist()), []
    for name, drug in drugs.all().items():
        if name in given:
            mine, level = doses.of(name), np.zeros(day.size)
            k1, k2, per_mg = drug.kinetics(person.clearance.get(name, 1.0))
            simulate_level(
                moment, mine.day, mine.bolus_mg, mine.release_mg_per_day, k1, k2, per_mg, level
            )
            found.append(_Taken(drug, level, drug.checked_effects(level, taker)))
    return found


def _with_half_ways(moment: Values) -> Values:
    """The n moments and those half way between, (2 n - 1)."""
    day = np.empty(2 * moment.size - 1)
    day[::2], day[1::2] = moment, 0.5 * (moment[1:] + moment[:-1])
    return day


def _signals(
    taken: list[_Taken], day: Values, protocol: ProtocolParameters, numbers: Any
) -> Values:
    """What the axis reads of drugs and age, (moments, 7); see `axis.sex_steroids`."""
    effects = combined([one.effects for one in taken], day.size)
    columns = [effects[target] for target in AXIS_TARGETS]
    signals = np.stack([*columns, _capacity(day, protocol, numbers)], axis=1)
    if protocol.sex == "male":
        signals[:, AXIS_TARGETS.index("ovary")] = 0.0
    # 1 ng/mL is 100 ng/dL and 1000 pg/mL.
    signals[:, AXIS_TARGETS.index("testosterone")] *= 100.0
    signals[:, AXIS_TARGETS.index("estradiol")] *= 1000.0
    return np.ascontiguousarray(signals)


def _capacity(day: Values, protocol: ProtocolParameters, numbers: Any) -> Values:
    """What the gonad can make at one level of LH, over that at the start.

    An ovary that ceases is driven harder by the LH of less estradiol: of what it can make so much is
    left that without drugs estradiol follows the history.
    """
    if protocol.sex == "male":
        decades = np.maximum(day, 0.0) / (10.0 * DAYS_PER_YEAR)
        return np.asarray((1.0 - numbers.t_decline_per_decade) ** decades)
    if numbers.testis_share == 0.0:
        return np.ones(day.size)
    history = protocol.history()
    output = history.ovary_output(day) / float(history.ovary_output(day[0]))
    driven = numbers.e2_feedback * numbers.testis_share * (1.0 - output)
    lh = np.exp(np.minimum(driven, np.log(numbers.max_lh_ratio)))
    return np.asarray(output / lh**numbers.leydig_exponent)


def _receptors_held(taken: list[_Taken]) -> tuple[tuple[Values, float], ...]:
    """Share of bone's estrogen receptors that each drug holds, and the signal of those."""
    holders = [one for one in taken if "receptor" in one.effects]
    shares = shares_held([one.effects["receptor"] for one in holders])
    signals = [one.drug.signal_of_held_receptors() for one in holders]
    return tuple(zip(shares, signals, strict=True))


def _bone_targets(taken: list[_Taken], samples: int) -> BoneTargets:
    effects = combined([one.effects for one in taken], samples)
    return BoneTargets(**{target: effects[target] for target in BoneTargets._fields})  # type: ignore[arg-type]


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
    protocol: ProtocolParameters, axis: AxisParameters, person: Person, start: float,
    e2: float, t: float,
) -> Any:  # fmt: skip
    """All numbers of a person that the axis kernel needs; levels and shares are those at the start."""
    values = axis.model_dump()
    values["e2_feedback"] *= person.feedback
    values["t_feedback"] *= person.feedback
    values["given_t_feedback_dl_per_ng"] *= person.feedback
    values["resensitised_tau_day"] *= person.recovery
    gonad_t_share = gonad_precursor_share = 1.0
    if protocol.sex == "female":
        history = protocol.history()
        made = float(history.ovary_output(start))
        gonad_precursor_share = 0.0
        gonad_t_share = OVARY_T_SHARE * made / (1.0 - OVARY_T_SHARE * (1.0 - made))
        share = 1.0 - history.rest_pg_per_ml / float(history.e2_pg_per_ml(start))
        values["resensitised_tau_day"] = axis.resensitised_tau_day
        values["e2_feedback"] *= e2 / FEEDBACK_AT_PG_PER_ML
        values |= {"testis_share": share if made > 0.0 else 0.0, "t_feedback": 0.0,
                   "leydig_exponent": axis.ovary_exponent if made > 0.0 else 0.0,
                   "max_atrophy": 0.0, "t_decline_per_decade": 0.0}  # fmt: skip
    numbers: Any = AxisNumbers
    return numbers(
        **values, gonad_t_share=gonad_t_share, gonad_precursor_share=gonad_precursor_share,
        e2_pg_per_ml=e2, t_ng_per_dl=t,
    )  # fmt: skip
