"""Estimates of a study's time, memory and disk before it runs; a run's own cost is `engine.cost`."""

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bonesim.config.config import Config, validated
from bonesim.engine.cost import DISK_SHARE, MEMORY_SHARE, Cost, Size, cost_of, planned, speed
from bonesim.engine.machine import free_disk_bytes, memory_bytes
from bonesim.engine.time_left import in_words
from bonesim.errors import BonesimError, CorruptFileError, InputError, ResourceError
from bonesim.sweeps.spent import Mean
from bonesim.sweeps.study import Point

#: What a worker's process holds beside its run: Dask, pandas, and the bones of earlier points.
WORKER_BYTES = 60e6
#: Start of a worker's run: libraries and machine code are in memory after the first.
START_SECONDS = 1.0
#: Points whose configs are read for the estimate.
SAMPLED_POINTS = 100
TABLE_BYTES_PER_POINT = 20e3


class Plan(NamedTuple):
    """A study's size."""

    points: int
    to_do: int
    workers: int
    bytes_per_run: float
    disk_bytes: float
    hours: float
    burn_ins: int = 0
    repeated: int = 0  # points with parameters and seed of another
    core_seconds: float = 0.0  # of a run, its share of the burn-ins included
    mm3_years: float = 0.0  # of a run, its days on record
    measured: int = 0  # runs of this study that hours and core-seconds are measured on

    def text(self) -> str:
        """As one line for the user."""
        return (
            f"{self.points} points, {self.to_do} to do on {self.burn_ins} burn-ins; "
            f"{self.workers} worker{'' if self.workers == 1 else 's'}, "
            f"about {self.bytes_per_run / 1e9:.1f} GB of memory each, {self.disk_bytes / 1e9:.2f} GB "
            f"of disk, {in_words(3600.0 * self.hours) if self.to_do else '0 s'} here, {self._rate()}"
        ) + (
            f"; {self.repeated} points repeat parameters and seed of another: simulated once, no "
            "replicates"
            if self.repeated
            else ""
        )

    def _rate(self) -> str:
        """Core-seconds of a run and of a mm3-year, and where they are from."""
        volume = f", {self.core_seconds / self.mm3_years:.2g} a mm3-year" if self.mm3_years else ""
        source = f"measured on {self.measured} of its runs" if self.measured else "estimated"
        return f"{self.core_seconds:.3g} core-seconds a run{volume} ({source})"


def plan_of(
    keep_files: bool,
    points: list[Point],
    to_do: list[Point],
    workers: int,
    decompose: bool = False,
    measured: Mean | None = None,
) -> Plan:
    """An estimate for the points to do; a burn-in is simulated once for all points that share it.

    Args:
        keep_files: whether the run file of every point is kept.
        points: all points of the study.
        to_do: those without a result.
        workers: number of processes.
        decompose: whether losses are decomposed, which takes a second lattice.
        measured: what runs of this study took, if there are some: better than an estimate.
    """
    sampled = points[:: max(1, len(points) // SAMPLED_POINTS)]
    costs = _costs([validated(tomllib.loads(one.config), one.id) for one in sampled], decompose)
    burn_ins = len({point.group for point in to_do})
    number = len(to_do)
    disk = number * TABLE_BYTES_PER_POINT + burn_ins * _mean([one.burn_in_bytes for one in costs])
    disk += workers * 2.0 * max(one.checkpoint_bytes for one in costs)
    if keep_files:
        disk += number * _mean([one.run_file_bytes for one in costs])
    if measured is None:
        per_run = START_SECONDS + _mean(
            [one.days_seconds + one.solves_seconds + one.snapshots_seconds for one in costs]
        )
        per_burn_in = _mean([one.burn_in_seconds for one in costs])
        per_run, per_burn_in = per_run / speed(), per_burn_in / speed()
    else:
        per_burn_in = measured.burn_in_seconds
        per_run = measured.core_seconds - per_burn_in * measured.burn_ins / measured.runs
    core_seconds = number * per_run + burn_ins * per_burn_in
    return Plan(
        len(points), number, workers, WORKER_BYTES + max(one.memory_bytes for one in costs), disk,
        core_seconds / workers / 3600.0, burn_ins,
        len(points) - len({point.id for point in points}),
        core_seconds / number if number else per_run, _mean([one.mm3_years for one in costs]),
        measured.runs if measured else 0,
    )  # fmt: skip


def _costs(configs: list[Config], decompose: bool) -> list[Cost]:
    """What each config's run costs; a scan is read once for all of its points.

    A point whose bone cannot be read fails alone, when it is simulated: it costs nothing here.

    Raises:
        InputError, CorruptFileError: none of the bones can be read: the first one's.
    """

    @cache
    def size(text: str) -> Size:
        config = next(one for one in configs if one.specimen.model_dump_json() == text)
        return planned(config.specimen)[0]

    costs, failures = [], list[BonesimError]()
    for one in configs:
        try:
            lattice = size(one.specimen.model_dump_json())
        except (InputError, CorruptFileError) as error:
            failures.append(error)
        else:
            costs.append(cost_of(lattice, one, decompose=decompose))
    if not costs:
        raise failures[0]
    return costs


def _mean(values: list[float]) -> float:
    return float(np.mean(values))


def refuse_what_cannot_fit(plan: Plan, folder: Path) -> None:
    """Raise ResourceError if memory or disk do not suffice."""
    memory, free = memory_bytes(), free_disk_bytes(folder)
    if plan.workers * plan.bytes_per_run > MEMORY_SHARE * memory:
        raise ResourceError(
            f"{plan.workers} workers of {plan.bytes_per_run / 1e9:.1f} GB need more than the "
            f"{memory / 1e9:.0f} GB of this machine; give fewer `workers` or a smaller bone"
        )
    if plan.disk_bytes > DISK_SHARE * free:
        raise ResourceError(
            f"{folder}: needs about {plan.disk_bytes / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; "
            'use results.keep = "tables", or another disk'
        )
