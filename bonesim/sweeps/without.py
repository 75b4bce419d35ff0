"""A run, its untreated twin, and both without some processes, as points of the sweep engine.

All share bone, random numbers and burn-in, and are equal on day 0 to the last bit. A process ends on
that day (`config.ablation`). So what differs later is what the process does. Every point keeps its run
file and has the parts of its loss, from the same ledger.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import tomli_w

from bonesim.config.ablation import PROCESSES
from bonesim.config.config import Config, tree_of
from bonesim.config.inputs import digest_of
from bonesim.config.twin import is_treated, untreated_twin, why_off, without
from bonesim.errors import InputError
from bonesim.sweeps.study import Point, burn_in_group, identity
from bonesim.sweeps.worker import Simulate, simulate_for

#: The run and its untreated twin, in the column `of` of points and results.
RUN, HEALTHY = "run", "healthy"
#: Every process that is not off already.
ALL = "all"


class Arm(NamedTuple):
    """One simulation: of the run or its untreated twin, without one process or with all ("")."""

    of: str
    without: str
    config: Config


def chosen(config: Config, names: Sequence[str]) -> list[str]:
    """The processes to end, in the order of `PROCESSES`; "all" is those that work in this run.

    Args:
        config: of the run.
        names: of processes, or "all"; a hyphen or a space is read as an underscore.

    Raises:
        InputError: an unknown name; a process that is off already; none that works.
    """
    found = [name.strip().lower().replace("-", "_").replace(" ", "_") for name in names]
    unknown = [name for name in found if name not in (*PROCESSES, ALL)]
    if unknown or not found:
        raise InputError(
            f"got {', '.join(unknown) or 'nothing'}; give some of {', '.join(PROCESSES)}, or {ALL}",
            parameter="without",
        )
    off = {name: reason for name in PROCESSES if (reason := why_off(config, name))}
    if ALL in found:
        if len(off) == len(PROCESSES):
            raise InputError(f"every process is off already: {off}", parameter="without")
        return [name for name in PROCESSES if name not in off]
    for name in found:
        without(config, name)  # refuses what is off
    return [name for name in PROCESSES if name in found]


class Ablations:
    """A run without each of some processes, beside the run itself; it is `StudyLike`.

    Args:
        config: of the run.
        processes: what to end on day 0, see `chosen`.
        days: when to compare, rising, from 1 on; the last ends the simulation.

    Raises:
        InputError: as `chosen`.
    """

    def __init__(self, config: Config, processes: Sequence[str], days: Sequence[int]) -> None:
        self.days = tuple(int(day) for day in days)
        self.config = config.with_changes(
            {"schedule.duration_day": self.days[-1], "schedule.snapshots_day": [0, *self.days]}
        )
        self.processes = chosen(self.config, processes)

    @property
    def title(self) -> str:
        """Its name: of one run and its days, so that a folder never holds two."""
        text = tomli_w.dumps(tree_of(self.config))
        return f"without processes {hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def text(self) -> str:
        """Title, processes and the run's configuration, TOML."""
        return tomli_w.dumps(
            {"title": self.title, "without": self.processes, "run": tree_of(self.config)}
        )

    @property
    def keep_files(self) -> bool:
        """Run files are kept: twins can be looked at."""
        return True

    @property
    def decompose(self) -> bool:
        """Losses are decomposed."""
        return True

    @property
    def simulate(self) -> Simulate:
        """The function that returns a point's outcomes and the parts of its losses."""
        return simulate_for(True)

    def arms(self) -> list[Arm]:
        """The run and, if it is treated, its untreated twin: whole, and without each process."""
        whole = [Arm(RUN, "", self.config)]
        if is_treated(self.config):
            whole.append(Arm(HEALTHY, "", untreated_twin(self.config)))
        return whole + [
            Arm(one.of, name, without(one.config, name)) for name in self.processes for one in whole
        ]

    @cache  # noqa: B019 (it exists as long as its command)
    def points(self) -> list[Point]:
        """Every arm, as a point."""
        found, seen = [], dict[tuple[str, ...], str]()
        for row, arm in enumerate(self.arms()):
            tree, inputs = tree_of(arm.config), digest_of(arm.config, seen)
            text = tomli_w.dumps(tree)
            columns = {"of": arm.of, "without": arm.without}
            found.append(
                Point(
                    identity(text, inputs, decompose=True), row, 0, arm.config.seed, columns, text,
                    burn_in_group(tree), inputs,
                )
            )  # fmt: skip
        return found
