"""The results of a trial as arrays: the true values of each person, in each arm, at each visit."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.endocrine.assay import limited
from bonesim.errors import InputError
from bonesim.instruments.reading import noisy
from bonesim.trials.parameters import TrialParameters
from bonesim.trials.visits import ASSAYS, CV_OF, LIMIT_OF, Quantity, quantities

if TYPE_CHECKING:
    import pandas as pd

#: The one quantity that follows bone mineral by k; its rows report k.
BY_K = "ls_abmd"
#: Least number of persons for statistics.
MIN_PEOPLE = 2


class TrialOutcomes(NamedTuple):
    """The persons that were simulated in every arm."""

    arms: tuple[str, ...]
    person: NDArray[np.int64]  # their numbers, (people,)
    seed: NDArray[np.int64]  # of their readings' noise
    day: NDArray[np.int64]  # day 0 and the visits
    true: dict[str, NDArray[np.float64]]  # quantity -> (arms, people, days), without noise
    quantity: dict[str, Quantity]
    cv: dict[str, NDArray[np.float64]]  # quantity -> of one reading, (arms, people, days)
    limit: dict[str, NDArray[np.float64]]  # assay -> lower limit of its readings, as `cv`

    def with_k(self, k_before: float, k: float) -> "TrialOutcomes":
        """The same outcomes with another k of DXA: it scales every change of the spine."""
        first = self.true[BY_K][:, :, :1]
        scaled = first * (1.0 + (k / k_before) * (self.true[BY_K] / first - 1.0))
        return self._replace(true={**self.true, BY_K: scaled})

    def read(self, name: str) -> NDArray[np.float64]:
        """A quantity as measured: each reading with the noise of its person and day."""
        if not self.cv[name].any():
            return self.true[name]
        one = np.ones(self.day.size)
        noise = [
            [
                noisy(one, self.day, cv, int(seed), name)
                for seed, cv in zip(self.seed, arm, strict=True)
            ]
            for arm in self.cv[name]
        ]
        return self.reported(name, self.true[name] * np.array(noise))

    def reported(
        self, name: str, read: NDArray[np.float64], arm: int | None = None,
        people: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:  # fmt: skip
        """Readings as they are reported: an assay's are never below its limit.

        Args:
            name: of the quantity.
            read: readings, shape (arms, people, days), or (n, days) of n `people` of one `arm`.
            arm, people: whose they are; None: everybody's.
        """
        if name not in self.limit:
            return read
        true, limit = self.true[name], self.limit[name]
        if arm is not None:
            true, limit = true[arm, people], limit[arm, people]
        return limited(true, read, limit)


def as_reported(values: NDArray[np.float64], *, as_change: bool) -> NDArray[np.float64]:
    """Values as a trial reports them: % change since the first day (last axis), or levels."""
    if not as_change:
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        return 100.0 * (values / values[..., :1] - 1.0)


def outcomes_of(results: "pd.DataFrame", p: TrialParameters) -> TrialOutcomes:
    """Arrays from a folder's results; persons without a result in every arm are left out.

    Args:
        results: one row per point and visit, with person, arm, seed, day and quantities.
        p: the trial.

    Raises:
        InputError: fewer than two persons have results in every arm.
    """
    arms, days = tuple(one.name for one in p.arm), np.array([0, *p.visits_day], np.int64)
    names = [*p.changes, *p.levels]
    if results.empty or not {"person", "arm", "seed", "day", *names} <= set(results):
        raise InputError("the trial has no results yet; let it run on")
    rows = results[results["day"].isin(days) & results["arm"].isin(arms)]
    counts = rows.groupby("person")["day"].size()
    person = counts.index[counts == len(arms) * len(days)].to_numpy(np.int64)
    if person.size < MIN_PEOPLE:
        raise InputError(
            f"{person.size} of {results['person'].nunique()} persons have results in every arm, and "
            f"{MIN_PEOPLE} are needed; run the trial again to go on"
        )
    rows = rows.set_index(["arm", "person", "day"])
    seed = rows["seed"].groupby("person").first().reindex(person).to_numpy(np.int64)

    def of_all(column: str) -> NDArray[np.float64]:
        """A column of the results, shape (arms, people, days)."""
        return np.array([
            rows.loc[arm][column].unstack("day").reindex(person)[list(days)].to_numpy(np.float64)
            for arm in arms
        ])  # fmt: skip

    true = {name: of_all(name) for name in names}
    known = quantities(p.clinic)
    cv = {name: np.full(true[name].shape, known[name].cv) for name in names}
    limit = {}
    for name in names:
        if name in ASSAYS and name + CV_OF in results:  # a folder of an earlier version has none
            cv[name], limit[name] = of_all(name + CV_OF), of_all(name + LIMIT_OF)
    return TrialOutcomes(arms, person, seed, days, true, known, cv, limit)
