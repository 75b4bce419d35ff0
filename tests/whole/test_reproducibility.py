"""Same seed, same result, whatever the threads; twins have common random numbers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bonesim.config.config import Config, to_toml
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import state_of
from bonesim.specimens import Specimen, make_specimen
from bonesim.storage.content_hash import content_hash

PROGRAM = """
import sys
from bonesim.config.config import load_config
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import state_of
from bonesim.storage.content_hash import content_hash
simulation = Simulation(load_config(sys.argv[1]))
for _ in range(150):
    simulation.step()
print(content_hash(state_of(simulation)))
"""


def simulated(config: Config, bone: Specimen, days: int) -> Simulation:
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
    one, two = (simulated(small, small_bone, 120) for _ in range(2))
    assert content_hash(state_of(one)) == content_hash(state_of(two))


def test_another_seed_is_another_run(small: Config, small_bone: Specimen) -> None:
    one = simulated(small, small_bone, 120)
    two = simulated(small.with_changes({"seed": 6}), small_bone, 120)
    assert content_hash(state_of(one)) != content_hash(state_of(two))


def first_year(simulation: Simulation) -> tuple[set[int], list[float]]:
    """Ids of all BMUs born within a year, and BV/TV at the end of each quarter."""
    ids: set[int] = set()
    volumes = []
    for day in range(1, 365):
        simulation.step()
        ids.update(simulation.bmus.rows.alive_columns()["id"].tolist())
        if day % 91 == 0:
            volumes.append(simulation.tissue.bone_volume_fraction())
    return ids, volumes


@pytest.mark.slow
def test_twins_share_their_births(small: Config) -> None:
    """Activation x1.2 against x1, one year, ten seeds: what the common numbers save.

    The fewer twin's births are shared to 95 %; the variance of the difference, pooled over the
    quarters, is at most 0.2 of that between twins of different seeds.
    """
    healthy = small.with_changes(
        {"hormones.course": {"kind": "constant"}, "specimen.size_mm": [2.6, 2.6, 2.6]}
    )
    busier = healthy.with_changes({"cells.bmu.origination_per_mm2_per_year": 1.9 * 1.2,
                                   "cells.bmu.origination_ceiling": 4.0 / 1.2})  # fmt: skip
    bone = make_specimen(healthy.specimen)
    shared = of = 0
    volumes = np.zeros((10, 2, 4))
    for seed in range(10):
        births = []
        for arm, config in enumerate((healthy, busier)):
            ids, volumes[seed, arm] = first_year(
                Simulation(config.with_changes({"seed": seed}), bone)
            )
            births.append(ids)
        shared += len(births[0] & births[1])
        of += len(births[0])
    assert shared / of >= 0.95
    paired = np.var(volumes[:, 1] - volumes[:, 0], axis=0, ddof=1).sum()
    independent = np.var(volumes, axis=0, ddof=1).sum()
    assert paired <= 0.2 * independent
