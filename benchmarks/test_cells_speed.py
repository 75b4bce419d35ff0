"""Cells and fields on a living block, after a burn-in: without one turnover is half of what it is.

Mechanics is off. Times are absolute and printed; gated is what the days cost over a plain walk through
the same records with NumPy, in the same process.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.conftest import YOUNG, ratio_of_minima
from bonesim.cells.secretion import sources_of
from bonesim.engine.days import advance
from bonesim.engine.simulation import Simulation
from bonesim.lattice.neighbours import OFFSETS
from bonesim.specimens import Specimen

BURN_IN_DAY = 600
#: Days of one measurement: a whole interval of the fields, so that each has one solve.
DAYS = 14
#: Records of a walk.
RECORDS = 4096
#: Walks that are timed together, and rounds of both.
AT_ONCE, ROUNDS = 100, 12
#: What those may cost, in plain walks; measured 280 to 440.
MOST_WALKS = 800.0
#: What a solve of the fields may cost, in plain walks; measured 67 to 95.
MOST_WALKS_OF_A_SOLVE = 190.0
#: What a step's parts are printed for: attribute of the simulation, method.
PARTS = (
    ("bmus", "be_born"), ("bmus", "travel_and_recruit"), ("osteoclasts", "resorb"),
    ("osteoclasts", "smooth"), ("osteoblasts", "arrive"), ("osteoblasts", "form"),
    ("osteoblasts", "leave"), ("modelling", "start"), ("osteocytes", "age"), ("cavities", "tidy"),
    ("signals", "solve"),
)  # fmt: skip


@pytest.fixture(scope="module")
def living(young_bone: Specimen) -> Simulation:
    """The young bone after its burn-in and a month."""
    schedule = {"burn_in_day": BURN_IN_DAY, "duration_day": 10000}
    config = YOUNG | {"schedule": schedule, "mechanics": {"interval_day": 0}}
    return advance(Simulation(config, young_bone), 30)


def walk_of(s: Simulation) -> Callable[[], Any]:
    """Sum the bone around the voxels of records, `AT_ONCE` times: what a cell must look at, and no more.

    One walk is too short to be timed: the least of a few would be the processor's fastest moment.
    """
    quanta, lattice = s.tissue.lattice.quanta, s.tissue.lattice
    steps = OFFSETS @ np.array([lattice.stride_z, lattice.stride_y, 1])
    # As many in every block, in order of place, and into memory that is there: else the walk's cost
    # jumps with what the cache holds.
    voxels = np.sort(np.resize(s.cavities.records.alive_columns()["voxel"], RECORDS))
    around = voxels[:, None] + steps
    bone = np.empty(around.shape, quanta.dtype)

    def walk() -> None:
        for _ in range(AT_ONCE):
            np.take(quanta, around, out=bone, mode="clip").sum(dtype=np.int64)

    return walk


def test_days_over_a_plain_walk(living: Simulation) -> None:
    walks = AT_ONCE / ratio_of_minima(
        lambda: advance(living, living.day + DAYS), walk_of(living), ROUNDS
    )
    print(f"\n{DAYS} days cost {walks:.0f} plain walks ({len(living.cavities.records)} records)")
    assert walks <= MOST_WALKS


def test_fields_over_a_plain_walk(living: Simulation) -> None:
    s, p = living, living.config.signals

    def solve() -> None:
        found = sources_of(s.tissue, s.cavities, s.osteocytes, p, s.day)
        s.signals.solve(found, max(s.day, 1))

    walks = AT_ONCE / ratio_of_minima(solve, walk_of(s), ROUNDS)
    print(f"\na solve of the fields costs {walks:.1f} plain walks")
    assert walks <= MOST_WALKS_OF_A_SOLVE


def test_parts_of_a_day(living: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Printed only: processor time of each part, and five years of 256^3 by volume."""
    spent = dict.fromkeys(PARTS, 0.0)

    def timed(key: tuple[str, str], method: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            begun = time.process_time()
            result = method(*given)
            spent[key] += time.process_time() - begun
            return result

        return run

    for key in PARTS:
        owner = getattr(living, key[0])
        monkeypatch.setattr(owner, key[1], timed(key, getattr(owner, key[1])))
    days = 8 * DAYS
    begun = time.process_time()
    advance(living, living.day + days)
    total = time.process_time() - begun
    share = 256**3 / living.specimen.quanta.size
    print(f"\n{1000 * total / days:.2f} ms a day, {len(living.cavities.sites)} sites; five years of "
          f"256^3 by volume: {total / days * 5 * 365 * share:.0f} s")  # fmt: skip
    for key, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {'.'.join(key):28} {1000 * seconds / days:7.3f} ms a day")
    assert total > 0.0
    assert all(seconds > 0.0 for seconds in spent.values())
