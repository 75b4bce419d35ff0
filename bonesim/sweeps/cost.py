"""Estimates of a study's time, memory and disk before it runs."""

import math
import os
import shutil
import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bonesim.config.config import Config, validated
from bonesim.errors import ResourceError
from bonesim.specimens.synthetic import SyntheticParameters
from bonesim.sweeps.study import Point

#: Measured on 2 cores of a cloud machine: see README, "Many runs".
BASE_BYTES = 300e6
BYTES_PER_VOXEL = 40.0
#: A washout has a lattice of its own.
BYTES_PER_VOXEL_DECOMPOSED = 30.0
MS_PER_DAY_AND_MEGAVOXEL = 5.0
START_SECONDS = 4.0
#: One mechanical solve (three cases) that starts from the previous one; the first costs COLD_SOLVES.
SECONDS_PER_SOLVE = 0.2
COLD_SOLVES = 5
REFERENCE_VOXELS_PER_ELEMENT = 2
#: Points whose configs are read for the estimate.
SAMPLED_POINTS = 100
#: Bytes of a run file per voxel and snapshot, compressed.
FILE_BYTES_PER_VOXEL = 0.6
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

    def text(self) -> str:
        """As one line for the user."""
        return (
            f"{self.points} points, {self.to_do} to do on {self.burn_ins} burn-ins; "
            f"{self.workers} workers, "
            f"about {self.bytes_per_run / 1e9:.1f} GB of memory each, {self.disk_bytes / 1e9:.2f} GB "
            f"of disk, {self.hours:.2g} hours here"
        ) + (
            f"; {self.repeated} points repeat parameters and seed of another: simulated once, no "
            "replicates"
            if self.repeated
            else ""
        )


def voxels_of(config: Config) -> float:
    """Voxels of a config's lattice; 300^3 is assumed for a scan, which is not read here."""
    specimen = config.specimen
    if isinstance(specimen, SyntheticParameters):
        return float(
            specimen.size_mm[0] * specimen.size_mm[1] * specimen.size_mm[2]
            / (specimen.voxel_um / 1000.0) ** 3
        )  # fmt: skip
    return 300.0**3


def plan_of(
    keep_files: bool,
    points: list[Point],
    to_do: list[Point],
    workers: int,
    decompose: bool = False,
) -> Plan:
    """An estimate for the points to do; a burn-in is simulated once for all points that share it.

    Args:
        keep_files: whether the run file of every point is kept.
        points: all points of the study.
        to_do: those without a result.
        workers: number of processes.
        decompose: whether losses are decomposed, which takes a second lattice.
    """
    sampled = points[:: max(1, len(points) // SAMPLED_POINTS)]
    some = [validated(tomllib.loads(point.config), point.id) for point in sampled]
    voxels = np.array([voxels_of(config) for config in some])
    per_run = np.mean([_seconds(config, config.schedule.duration_day) for config in some])
    per_burn_in = np.mean(
        [_seconds(config, config.schedule.burn_in_day, first=True) for config in some]
    )
    burn_ins = len({point.group for point in to_do})
    number = len(to_do)
    disk = number * TABLE_BYTES_PER_POINT
    if keep_files:
        snapshots = np.array([len(config.schedule.kept_days()) for config in some])
        disk += number * float((voxels * FILE_BYTES_PER_VOXEL * snapshots).mean())
    per_voxel = BYTES_PER_VOXEL + (BYTES_PER_VOXEL_DECOMPOSED if decompose else 0.0)
    return Plan(
        len(points), number, workers, BASE_BYTES + per_voxel * float(voxels.max()), disk,
        (number * (START_SECONDS + float(per_run)) + burn_ins * float(per_burn_in))
        / workers / 3600.0,
        burn_ins, len(points) - len({point.id for point in points}),
    )  # fmt: skip


def _seconds(config: Config, days: int, *, first: bool = False) -> float:
    """Seconds that `days` of a config take on one core; `first`: no earlier mechanical solve."""
    mega = voxels_of(config) / 1e6
    seconds = days * mega * MS_PER_DAY_AND_MEGAVOXEL / 1e3
    if config.mechanics.interval_day and days:
        solves = math.ceil(days / config.mechanics.interval_day)
        finer = (REFERENCE_VOXELS_PER_ELEMENT / config.mechanics.voxels_per_element) ** 3
        seconds += (solves + (COLD_SOLVES if first else 0)) * mega * finer * SECONDS_PER_SOLVE
    return seconds


def refuse_what_cannot_fit(plan: Plan, folder: Path) -> None:
    """Raise ResourceError if memory or disk do not suffice."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if plan.workers * plan.bytes_per_run > 0.9 * memory:
        raise ResourceError(
            f"{plan.workers} workers of {plan.bytes_per_run / 1e9:.1f} GB need more than the "
            f"{memory / 1e9:.0f} GB of this machine; give fewer `workers` or a smaller bone"
        )
    place = folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if plan.disk_bytes > 0.95 * free:
        raise ResourceError(
            f"{folder}: needs about {plan.disk_bytes / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; "
            'use results.keep = "tables", or another disk'
        )
