"""The participants: the values of every person and every bone, drawn one by one.

A value depends only on the cohort's seed, the trait's first path and the number of the person or
bone. So added people or traits do not change the others. Values outside a normal trait's bounds are
drawn again.

Persons who share a bone share its specimen and the random numbers of its burn-in, which is simulated
once. From day 1 on each has random numbers of its own.
"""

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from bonesim.chance import TRAIT, Day, Seed, uniforms
from bonesim.config.config import Config, tree_of
from bonesim.errors import InputError
from bonesim.specimens.synthetic import SyntheticParameters
from bonesim.sweeps.members import member_of
from bonesim.trials.parameters import CohortParameters, Trait

if TYPE_CHECKING:
    import pandas as pd

#: Seeds of a cohort: those of its persons, those of its bones, and one of the trial itself.
ROOM = 2**34
BONES_FROM = 2**33
#: Half a step of a number in [0, 1), added so that no quantile is infinite.
HALF_STEP = 2.0**-54
#: Draws after which drawing fails; MIN_SHARE_KEPT makes this practically impossible.
MAX_DRAWS = 10_000


def seed_of_trial(cohort: CohortParameters) -> Seed:
    """The seed of assignment to arms, dropout and repeats."""
    return Seed(cohort.seed * ROOM + ROOM - 1)


def normals(seed: Seed, day: Day, entity: NDArray[np.uint64], purpose: int) -> NDArray[np.float64]:
    """A standard normal number for each entity, for one purpose (inverse of the CDF)."""
    return ndtri(uniforms(seed, day, entity, purpose) + HALF_STEP)


def drawn(trait: Trait, seed: Seed, count: int) -> NDArray[np.float64]:
    """A trait of the first `count` persons or bones: values, or factors on the base's value.

    Of a mixture: factors, NaN for the share that has `value`.
    """
    entity = (np.uint64(zlib.crc32(trait.path[0].encode())) << np.uint64(32)) + np.arange(
        count, dtype=np.uint64
    )
    if trait.distribution == "uniform":
        assert trait.low is not None and trait.high is not None
        share = uniforms(seed, Day(0), entity, TRAIT)
        return trait.low + share * (trait.high - trait.low)
    if trait.distribution in ("lognormal", "mixture"):
        cv = 0.0 if trait.cv is None else trait.cv
        sigma = np.sqrt(np.log1p(cv * cv))
        factors = np.exp(sigma * normals(seed, Day(0), entity, TRAIT) - 0.5 * sigma * sigma)
        if trait.share is not None:
            chosen = uniforms(seed, Day(1), entity, TRAIT) < trait.share
            factors[chosen] = np.nan
        return np.asarray(factors)
    assert trait.mean is not None and trait.sd is not None
    low = -np.inf if trait.low is None else trait.low
    high = np.inf if trait.high is None else trait.high
    values = np.full(count, np.nan)
    for attempt in range(MAX_DRAWS):
        open_ = np.flatnonzero(~((values >= low) & (values <= high)))
        if not open_.size:
            return values
        values[open_] = trait.mean + trait.sd * normals(seed, Day(attempt), entity[open_], TRAIT)
    raise InputError(f"cohort: {trait.column} finds no value from {low:g} to {high:g}; widen them")


def cohort_of(cohort: CohortParameters, base: Config) -> "pd.DataFrame":
    """One row per person: person, bone, seed, member of the posterior, each trait as the config has it.

    A trait of several paths is reported by its first one.

    Raises:
        InputError: a factor on a value that the base leaves out.
    """
    import pandas as pd

    people, bones = np.arange(cohort.people), cohort.different_bones
    columns: dict[str, Any] = {
        "person": people, "bone": people % bones, "seed": cohort.seed * ROOM + people,
    }  # fmt: skip
    if cohort.posterior:
        columns["member"] = people % bones % cohort.posterior
    for trait, values in _values(cohort, base):
        columns[trait.column] = values[trait.path[0]]
    return pd.DataFrame(columns)


def changes_of(cohort: CohortParameters, base: Config) -> list[dict[str, Any]]:
    """The changes of the base that give each person's config: path -> value, a dict per person.

    Raises:
        InputError: as `cohort_of`.
    """
    bones = cohort.different_bones
    own_specimen = isinstance(base.specimen, SyntheticParameters)
    found = []
    for person in range(cohort.people):
        bone = person % bones
        changes: dict[str, Any] = {
            "seed": cohort.seed * ROOM + person,
            "schedule.burn_in_seed": cohort.seed * ROOM + BONES_FROM + bone,
        }
        if own_specimen:
            changes["specimen.seed"] = cohort.seed * ROOM + BONES_FROM + bone
        if cohort.posterior:
            changes |= member_of(bone, cohort.posterior)
        found.append(changes)
    for _, values in _values(cohort, base):
        for path, of_people in values.items():
            for person, value in enumerate(of_people):
                found[person][path] = float(value)
    return found


def _values(
    cohort: CohortParameters, base: Config
) -> list[tuple[Trait, dict[str, NDArray[np.float64]]]]:
    """Each trait with the value of each of its paths, for every person."""
    tree, bones = tree_of(base), cohort.different_bones
    which = np.arange(cohort.people) % bones
    found = []
    for trait in cohort.trait:
        if trait.of == "bone":
            values = drawn(trait, Seed(cohort.seed * ROOM + BONES_FROM), bones)[which]
        else:
            values = drawn(trait, Seed(cohort.seed * ROOM), cohort.people)
        by_path = {}
        for path in trait.path:
            by_path[path] = values
            if trait.distribution in ("lognormal", "mixture"):
                own = values * _usual(cohort, tree, path, which)
                by_path[path] = (
                    own if trait.value is None else np.where(np.isnan(own), trait.value, own)
                )
        found.append((trait, by_path))
    return found


def _usual(
    cohort: CohortParameters, tree: dict[str, Any], path: str, which: NDArray[np.int64]
) -> NDArray[np.float64] | float:
    """What a person's factor is on: the value of the bone's member of the posterior, or the base's."""
    if cohort.posterior and path in member_of(0, cohort.posterior):
        return np.array([member_of(int(bone), cohort.posterior)[path] for bone in which])
    return _value_at(tree, path)


def _value_at(tree: dict[str, Any], path: str) -> float:
    """The number a config has at a path."""
    place: Any = tree
    for name in path.split("."):
        if isinstance(place, list):
            place = place[int(name)] if name.isdigit() and int(name) < len(place) else None
        else:
            place = place.get(name) if isinstance(place, dict) else None
    if isinstance(place, bool) or not isinstance(place, int | float):
        raise InputError(
            f"cohort: {path} is no number in the base config, so no factor can act on it; write "
            "its value there, or use distribution = 'normal' or 'uniform'"
        )
    return float(place)
