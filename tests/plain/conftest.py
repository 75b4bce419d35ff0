"""What all comparisons of kernels with plain twins share."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
from hypothesis import settings
from scipy.ndimage import map_coordinates

from bonesim.cells.bmu_parameters import BmuColumns
from bonesim.cells.cavity import Cavities
from bonesim.cells.lacuna import OsteocyteColumns
from bonesim.cells.osteoblast_parameters import OsteoblastColumns
from bonesim.cells.osteoclast import OsteoclastColumns
from bonesim.cells.world import World
from bonesim.config.config import validated
from bonesim.engine.simulation import Simulation
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.mineral import MineralParameters
from bonesim.lattice.tissue import Tissue
from bonesim.signals.fields import Fields

# The first call of a kernel compiles it: no example can be held to a time.
# In CI the same examples every time: chance finds new ones at a desk, not when something lands.
settings.register_profile("plain", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("plain")


@pytest.fixture(scope="session")
def make_tissue() -> Callable[..., Tissue]:
    """Quanta of shape (nz, ny, nx) -> their tissue of voxels of 20 um."""

    def make(quanta: np.ndarray, seed: int = 7) -> Tissue:
        return Tissue(np.ascontiguousarray(quanta, np.uint8), 20.0, MineralParameters(), seed)

    return make


class Busy(NamedTuple):
    """A copy of everything kernels see in a bone at work; a test may change it as it likes."""

    lattice: Lattice
    cavities: Cavities
    bmus: BmuColumns
    osteoclasts: OsteoclastColumns
    osteoblasts: OsteoblastColumns
    osteocytes: OsteocyteColumns
    pool: np.ndarray
    fields: Fields
    shape: tuple[int, int, int]

    def world(self, seed: int, day: int) -> World:
        """What kernels of cells see on a day."""
        return World(self.lattice, self.fields, self.cavities, seed, day)

    def copy(self) -> "Busy":
        """Another, equal one."""
        return cast(Busy, copied(self))


def copied(value: Any) -> Any:
    """Nested named tuples of arrays, copied."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(copied, value))
    return value


def assert_same(one: Any, other: Any, where: str = "") -> None:
    """Every array bit for bit; NaNs are equal."""
    if isinstance(one, np.ndarray):
        if not np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
            np.testing.assert_array_equal(one, other, err_msg=where)
    elif isinstance(one, tuple) and hasattr(one, "_fields"):
        for name, a, b in zip(one._fields, one, other, strict=True):
            assert_same(a, b, f"{where}.{name}")
    else:
        assert one == other, where


@pytest.fixture(scope="session")
def at_work() -> Simulation:
    """A 1.2 mm block after 200 days at low estradiol, with many BMUs; not to be changed."""
    simulation = Simulation(validated({
        "seed": 3,
        "specimen": {"kind": "synthetic", "size_mm": [1.2, 1.2, 1.2], "seed": 2},
        "cells": {"bmu": {"origination_per_mm2_per_year": 16.0}},
        "schedule": {"burn_in_day": 0, "duration_day": 1000},
    }, "test"))  # fmt: skip
    for _ in range(200):
        simulation.step()
    return simulation


@pytest.fixture
def busy(at_work: Simulation) -> Busy:
    """A copy of its state, with room for births."""
    s = at_work
    for rows in (*s.tables().values(), s.cavities.sites, s.cavities.records):
        rows.make_room(4096)
    lattice = copied(s.tissue.lattice)
    logs = [name for name in lattice._fields if name.startswith(("event_", "lost_"))]
    # Tests copy and compare all of it many times: room for a few events of a day will do.
    lattice = lattice._replace(**{name: getattr(lattice, name)[:256].copy() for name in logs})
    return Busy(
        lattice, copied(s.cavities.columns), copied(s.bmus.rows.columns),
        copied(s.osteoclasts.rows.columns), copied(s.osteoblasts.rows.columns),
        copied(s.osteocytes.rows.columns), s.precursors.pool.copy(),
        copied(s.signals.fields._replace(rankl_level=1.3, opg_level=0.9, load_level=1.1)),
        s.tissue.padded_shape,
    )  # fmt: skip


def signal_at(busy: Busy, name: str, place: Any) -> float:
    """A field at a padded place (z, y, x): straight lines between the cubes' centres."""
    field = getattr(busy.fields, name).astype(float)
    cubes = [
        (p - 0.5) * n / (size - 2) - 0.5
        for p, n, size in zip(place, field.shape, busy.shape, strict=True)
    ]
    return float(map_coordinates(field, np.array(cubes).reshape(3, 1), order=1, mode="nearest")[0])


def occupied(busy: Busy, place: Any) -> float:
    """RANK occupancy over that of health."""
    rankl = busy.fields.rankl_level * signal_at(busy, "rankl", place)
    opg = busy.fields.opg_level * signal_at(busy, "opg", place)
    return rankl / (rankl + 1 + opg) / (1 / 3)


def strained(busy: Busy, place: Any) -> float:
    """u: today's strain stimulus; 1 at the set-point."""
    return busy.fields.load_level * signal_at(busy, "strain", place)


def alive(table: Any) -> list[int]:
    """Rows in use, ascending."""
    return [int(row) for row in np.flatnonzero(table.alive)]


def records_of(cavities: Cavities, site: int) -> list[int]:
    """A site's records in list order."""
    found, record = [], int(cavities.sites.first[site])
    while record >= 0:
        found.append(record)
        record = int(cavities.records.next[record])
    return found


def normal_of(cavities: Cavities, site: int) -> tuple[float, float, float]:
    """A site's unit normal into bone."""
    sites = cavities.sites
    return float(sites.nz[site]), float(sites.ny[site]), float(sites.nx[site])


def owned_by(lattice: Lattice, cavities: Cavities) -> np.ndarray:
    """The record that owns each voxel, found by going through all records; -1: none."""
    found = np.full(lattice.owner.size, -1)
    for row in alive(cavities.records):
        voxel = cavities.records.voxel[row]
        if lattice.owner[voxel] == row:
            found[voxel] = row
    return found


def owners(busy: Busy) -> dict[int, int]:
    """Voxel -> the site that owns it, found by going through all lists."""
    found = {}
    for site in alive(busy.cavities.sites):
        for record in records_of(busy.cavities, site):
            voxel = int(busy.cavities.records.voxel[record])
            if busy.lattice.owner[voxel] == record:
                found[voxel] = site
    return found


def bone_before(lattice: Lattice, cavities: Cavities) -> np.ndarray:
    """Quanta of every voxel before there were cavities: its own, and its owner's stock."""
    record = owned_by(lattice, cavities)
    whole = lattice.quanta.astype(int)
    whole[record >= 0] += cavities.records.stock[record[record >= 0]]
    return whole


#: Columns of a record that mean the same whatever its row.
CONTENT = ("voxel", "site", "stock", "foot", "below_um", "film_um", "event", "granted")


def lists_of(lattice: Lattice, cavities: Cavities) -> dict[int, list[Any]]:
    """What the list of each site has, in its order: whether the site owns it, and its content."""
    records = cavities.records
    return {
        site: [
            (
                bool(lattice.owner[records.voxel[row]] == row),
                *(getattr(records, name)[row].item() for name in CONTENT),
            )
            for row in records_of(cavities, site)
        ]
        for site in alive(cavities.sites)
    }
