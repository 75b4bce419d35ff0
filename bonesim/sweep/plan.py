"""What a study will cost, before it costs anything."""

import os
import shutil
import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bonesim.config import Config, validated
from bonesim.errors import ResourceError
from bonesim.specimens.synthetic import SyntheticParameters
from bonesim.sweep.study import Point, Study

#: Measured on 2 cores of a cloud machine: see README, "Many runs".
BASE_BYTES = 300e6
BYTES_PER_VOXEL = 40.0
#: A washout lives in a lattice of its own.
BYTES_PER_VOXEL_DECOMPOSED = 30.0
MS_PER_DAY_AND_MEGAVOXEL = 2.7
START_SECONDS = 4.0
#: Points whose configs are looked at.
LOOKED_AT = 100
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

    def said(self) -> str:
        """In words."""
        return (
            f"{self.points} points, {self.to_do} to do; {self.workers} workers, "
            f"about {self.bytes_per_run / 1e9:.1f} GB of memory each, {self.disk_bytes / 1e9:.2f} GB "
            f"of disk, {self.hours:.2g} hours here"
        )


def voxels_of(config: Config) -> float:
    """Voxels of a config's lattice; a scan is taken for 300^3 until it is read."""
    specimen = config.specimen
    if isinstance(specimen, SyntheticParameters):
        return float(
            specimen.size_mm[0] * specimen.size_mm[1] * specimen.size_mm[2]
            / (specimen.voxel_um / 1000.0) ** 3
        )  # fmt: skip
    return 300.0**3


def plan_of(study: Study, points: list[Point], to_do: int, workers: int) -> Plan:
    """What is left to do costs about so much."""
    step = max(1, len(points) // LOOKED_AT)
    some = [validated(tomllib.loads(point.config), point.id) for point in points[::step]]
    voxels = np.array([voxels_of(config) for config in some])
    days = np.array([c.schedule.burn_in_day + c.schedule.duration_day for c in some])
    seconds = START_SECONDS + days * voxels / 1e6 * MS_PER_DAY_AND_MEGAVOXEL / 1e3
    disk = to_do * TABLE_BYTES_PER_POINT
    if study.parameters.results.keep == "files":
        snapshots = np.array([len(config.schedule.kept_days()) for config in some])
        disk += to_do * float((voxels * FILE_BYTES_PER_VOXEL * snapshots).mean())
    per_voxel = BYTES_PER_VOXEL
    if study.parameters.results.decompose:
        per_voxel += BYTES_PER_VOXEL_DECOMPOSED
    return Plan(
        len(points), to_do, workers, BASE_BYTES + per_voxel * float(voxels.max()), disk,
        to_do * float(seconds.mean()) / workers / 3600.0,
    )  # fmt: skip


def refuse_what_cannot_fit(plan: Plan, folder: Path) -> None:
    """Raise ResourceError if memory or disk will not do."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if plan.workers * plan.bytes_per_run > 0.9 * memory:
        raise ResourceError(
            f"{plan.workers} workers of {plan.bytes_per_run / 1e9:.1f} GB need more than the "
            f"{memory / 1e9:.0f} GB of this machine; give fewer --workers or a smaller bone"
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
