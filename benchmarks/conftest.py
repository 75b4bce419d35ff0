"""What benchmarks share: a bone, a running simulation, and a fair comparison with a plain twin."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from bonesim.config.config import validated
from bonesim.engine.simulation import Simulation
from bonesim.specimens import Specimen, make_specimen

#: A denser bone: BV/TV within the 0.15-0.25 of the speed target.
YOUNG: dict[str, Any] = {
    "seed": 1,
    "specimen": {"kind": "synthetic", "preset": "young_vertebra", "size_mm": [1.92, 1.92, 1.92]},
    "schedule": {"burn_in_day": 0, "duration_day": 10000},
}


@pytest.fixture(scope="session")
def young_bone() -> Specimen:
    """96^3 voxels of 20 um."""
    return make_specimen(validated(YOUNG, "benchmarks").specimen)


@pytest.fixture(scope="session")
def running(young_bone: Specimen) -> Simulation:
    """That bone after 200 days: all kinds of cells at work."""
    simulation = Simulation(YOUNG, young_bone)
    for _ in range(200):
        simulation.step()
    return simulation


def ratio_of_minima(fast: Callable[[], Any], plain: Callable[[], Any], rounds: int = 5) -> float:
    """Time of `plain` over time of `fast`, each the least of `rounds`, interleaved."""
    best = [float("inf"), float("inf")]
    fast()
    for _ in range(rounds):
        for place, work in enumerate((fast, plain)):
            begun = time.perf_counter()
            work()
            best[place] = min(best[place], time.perf_counter() - begun)
    return best[1] / best[0]
