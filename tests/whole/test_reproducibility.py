"""Same seed, same result, whatever threads, processor or compiler; common random numbers of twins."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bonesim.config.config import Config, to_toml
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import state_of
from bonesim.mechanics.mesh import SMALLEST_SHARED
from bonesim.specimens import Specimen, make_specimen
from bonesim.storage.content_hash import content_hash

#: Simulates some days; prints hash, elements of the last solve, and how often a level was shared.
PROGRAM = """
import json, sys
from bonesim.config.config import load_config
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import state_of
from bonesim.mechanics import multigrid
from bonesim.storage.content_hash import content_hash
shared, descend = [], multigrid.descend_shared
multigrid.descend_shared = lambda *given: shared.append(given[1].weight.size) or descend(*given)
simulation = Simulation(load_config(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    simulation.step()
elements = int((simulation.mechanics.energy > 0.0).sum())
print(json.dumps([content_hash(state_of(simulation)), elements, len(shared)]))
"""
SPECK = Path(__file__).with_name("hash_of_a_speck.py")


def simulated(config: Config, bone: Specimen, days: int) -> Simulation:
    simulation = Simulation(config, bone)
    for _ in range(days):
        simulation.step()
    return simulation


def printed(arguments: list[str], **environment: str) -> Any:
    """What a Python program prints, as JSON, with some variables of the environment set."""
    done = subprocess.run(
        [sys.executable, *arguments], env={**os.environ, **environment}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.long
@pytest.mark.parametrize(
    "number", [("1", "4"), pytest.param(("1", "2", "3", "4"), marks=pytest.mark.slow)]
)
def test_threads_do_not_matter(small: Config, tmp_path: Path, number: tuple[str, ...]) -> None:
    """On a bone of more elements than `SMALLEST_SHARED`, so that threads do share the work."""
    fine = small.with_changes(
        {"mechanics.voxels_per_element": 1, "mechanics.interval_day": 2,
         "schedule.burn_in_day": 0, "specimen.size_mm": [1.5, 1.5, 1.5]}
    )  # fmt: skip
    (tmp_path / "c.toml").write_text(to_toml(fine))
    hashes = []
    for threads in number:
        found, elements, shared = printed(
            ["-c", PROGRAM, str(tmp_path / "c.toml"), "4"],
            NUMBA_NUM_THREADS=threads, OMP_NUM_THREADS=threads,
        )  # fmt: skip
        assert elements > SMALLEST_SHARED
        assert (shared > 0) == (threads != "1")
        hashes.append(found)
    assert len(hashes[0]) == 64
    assert len(set(hashes)) == 1


@pytest.fixture(scope="module")
def speck() -> dict[str, Any]:
    """The speck of bone as it comes out here: everything happened in it."""
    found: dict[str, Any] = printed([str(SPECK)])
    assert len(found["state"]) == len(found["grown"]) == 64
    for what in ("osteoclasts", "osteoblasts", "resorbed", "formed", "modelled_mm2", "solved"):
        assert found[what] > 0.0, what
    assert found["e2_last"] < 0.5 * found["e2_first"]  # the drug
    assert found["strain_mean"] > 1.1  # the load
    return found


def features() -> str:
    """All instructions that NumPy would choose on this machine beyond its least."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))


@pytest.mark.slow
@pytest.mark.timeout(2400)  # it compiles all kernels once more, for that processor
def test_another_processor_gives_the_same(speck: dict[str, Any]) -> None:
    """Kernels compiled for the plainest processor of this kind, NumPy without its fast instructions.

    What the compiler may do with this processor's own instructions (contracted multiplications and
    additions, sums in another order), `test_plain_python_gives_the_same` finds in any suite.
    """
    generic = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    assert printed([str(SPECK)], NPY_DISABLE_CPU_FEATURES=features(), **generic) == speck


def test_plain_python_gives_the_same(speck: dict[str, Any]) -> None:
    """Kernels as Python without Numba; NumPy's fast exp and pow are not those of the C library."""
    plain = printed([str(SPECK)], NPY_DISABLE_CPU_FEATURES=features(), NUMBA_DISABLE_JIT="1")
    assert plain == speck


def test_placebo_twins_are_the_same(small: Config, small_bone: Specimen) -> None:
    one, two = (simulated(small, small_bone, 120) for _ in range(2))
    assert content_hash(state_of(one)) == content_hash(state_of(two))


def test_another_seed_is_another_run(small: Config, small_bone: Specimen) -> None:
    one = simulated(small, small_bone, 30)
    two = simulated(small.with_changes({"seed": 6}), small_bone, 30)
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
