"""Same seed, same result, whatever the threads; twins share their luck."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bonesim.config import Config, to_toml
from bonesim.simulation import Simulation
from bonesim.simulation_state import state_of
from bonesim.specimens import Specimen
from bonesim.storage.content_hash import content_hash

PROGRAM = """
import sys
from bonesim.config import load_config
from bonesim.simulation import Simulation
from bonesim.simulation_state import state_of
from bonesim.storage.content_hash import content_hash
simulation = Simulation(load_config(sys.argv[1]))
for _ in range(150):
    simulation.step()
print(content_hash(state_of(simulation)))
"""


def lived(config: Config, bone: Specimen, days: int) -> Simulation:
    simulation = Simulation(config, bone)
    for _ in range(days):
        simulation.step()
    return simulation


def test_threads_do_not_matter(small: Config, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(to_toml(small))
    hashes = []
    for threads in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path / "c.toml")],
            env={**os.environ, "NUMBA_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        hashes.append(done.stdout.strip())
    assert len(hashes[0]) == 64
    assert hashes[0] == hashes[1]


def test_placebo_twins_are_the_same(small: Config, small_bone: Specimen) -> None:
    one, two = (lived(small, small_bone, 120) for _ in range(2))
    assert content_hash(state_of(one)) == content_hash(state_of(two))


def test_another_seed_is_another_life(small: Config, small_bone: Specimen) -> None:
    one = lived(small, small_bone, 120)
    two = lived(small.with_changes({"seed": 6}), small_bone, 120)
    assert content_hash(state_of(one)) != content_hash(state_of(two))


def births(simulation: Simulation, days: int) -> set[int]:
    """Ids of all BMUs born within `days`."""
    ids: set[int] = set()
    for _ in range(days):
        simulation.step()
        ids.update(simulation.bmus.rows.alive_columns()["id"].tolist())
    return ids


@pytest.mark.slow
def test_twins_share_their_births(small: Config, small_bone: Specimen) -> None:
    """Activation x1.2 against x1: at least 95 % of the fewer twin's originations are shared."""
    healthy = small.with_changes({"hormones.course": {"kind": "constant"}})
    busier = healthy.with_changes({"cells.bmu.origination_per_mm2_per_year": 1.9 * 1.2,
                                   "cells.bmu.origination_ceiling": 4.0 / 1.2})  # fmt: skip
    shared = of = 0
    differences, crossed = [], []
    ends: list[tuple[float, float]] = []
    for seed in range(8):
        pair = [Simulation(c.with_changes({"seed": seed}), small_bone) for c in (healthy, busier)]
        few, many = (births(one, 730) for one in pair)
        shared += len(few & many)
        of += len(few)
        ends.append(tuple(one.tissue.bone_volume_fraction() for one in pair))  # type: ignore[arg-type]
    assert shared / of >= 0.95
    differences = [b - a for a, b in ends]
    crossed = [b - a for i, (a, _) in enumerate(ends) for j, (_, b) in enumerate(ends) if i != j]
    assert np.var(differences) <= 0.5 * np.var(crossed)
