"""A trial read from a file: every person in every arm, as points of the sweep engine."""

import json
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from bonesim.config.config import load_config, tree_of
from bonesim.config.inputs import digest_of
from bonesim.errors import InputError
from bonesim.sweeps.members import members
from bonesim.sweeps.study import Point, burn_in_group, identity, read_as
from bonesim.sweeps.worker import Simulate
from bonesim.trials.cohort import changes_of, cohort_of
from bonesim.trials.parameters import TrialParameters
from bonesim.trials.visits import check_quantities, visited

if TYPE_CHECKING:
    import pandas as pd


class Trial:
    """A trial with all its points resolved and checked; it is `StudyLike` to the engine.

    Args:
        path: the TOML file.
        posterior: each bone has one of so many members of the posterior; None: as the file has it.

    Raises:
        InputError: anything in it that is not allowed, or a path the config does not have.
    """

    def __init__(self, path: Path, posterior: int | None = None) -> None:
        self.path = path
        self.parameters, self.text = read_as(path, TrialParameters)
        if posterior is not None:
            over = self.parameters.cohort.model_copy(update={"posterior": posterior})
            self.parameters = self.parameters.model_copy(update={"cohort": over})
            self.text = tomli_w.dumps(self.parameters.model_dump(mode="json", exclude_none=True))
        if self.parameters.cohort.posterior:
            members(self.parameters.cohort.posterior)  # which refuses more than there are
        self.base = load_config(path.parent / self.parameters.base)
        try:
            check_quantities(self.parameters)
            self.people: pd.DataFrame = cohort_of(self.parameters.cohort, self.base)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    @property
    def title(self) -> str:
        """Its name."""
        return self.parameters.title

    @property
    def keep_files(self) -> bool:
        """Whether the run file of every point is kept."""
        return self.parameters.results.keep == "files"

    @property
    def decompose(self) -> bool:
        """A trial has the readings of a clinic, not the parts of a loss."""
        return False

    @property
    def simulate(self) -> Simulate:
        """The function that returns a point's readings at the visits."""
        return partial(visited, days=self.parameters.visits_day, clinic=self.parameters.clinic)

    @cache  # noqa: B019 (a trial exists as long as its command)
    def points(self) -> list[Point]:
        """Every person in every arm. Arms that give a person the same config share an id."""
        p = self.parameters
        schedule: dict[str, Any] = {
            "schedule.duration_day": p.last_day,
            "schedule.snapshots_day": [0, *p.visits_day],
        }
        found, seen = [], dict[tuple[str, ...], str]()
        people = self.people.to_dict("records")
        for row, changes in zip(people, changes_of(p.cohort, self.base), strict=True):
            for number, arm in enumerate(p.arm):
                try:
                    config = self.base.with_changes(changes | schedule | arm.set)
                except InputError as error:
                    raise InputError(
                        f"{self.path}: person {row['person']}, arm {arm.name!r}: {error}"
                    ) from None
                tree = tree_of(config)
                text, inputs = tomli_w.dumps(tree), digest_of(config, seen)
                columns = {str(n): v for n, v in row.items() if n != "seed"} | {"arm": arm.name}
                found.append(
                    Point(
                        identity(text + self._read, inputs), int(row["person"]), number,
                        config.seed, columns, text, burn_in_group(tree), inputs,
                    )
                )  # fmt: skip
        return found

    @property
    def _read(self) -> str:
        """The settings of readings that need a re-simulation if they change: all but noise."""
        clinic = {
            group: {name: value for name, value in values.items() if not name.endswith("_cv")}
            for group, values in self.parameters.clinic.model_dump().items()
        }
        return json.dumps([self.parameters.visits_day, clinic])
