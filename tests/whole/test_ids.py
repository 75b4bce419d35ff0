"""No two living cells share an id."""

from typing import Any

import numpy as np
import pytest

from bonesim.config.config import Config, validated
from bonesim.engine.simulation import Simulation
from bonesim.units import FULL

#: Turnover as fast as parameters allow: many sites, and two of one centre.
BUSY: dict[str, Any] = {
    "mechanics": {"interval_day": 30},
    "schedule": {"burn_in_day": 0, "duration_day": 300},
    "cells": {
        "bmu": {"origination_per_mm2_per_year": 50.0},
        "modelling": {"start_per_mm2_per_year": 1000.0, "most_per_mm2_per_year": 1000.0},
    },
}  # fmt: skip


def block(seed: int) -> Config:
    specimen = {"kind": "synthetic", "preset": "young_vertebra", "size_mm": [1.0, 1.0, 1.0],
                "seed": seed}  # fmt: skip
    return validated({**BUSY, "seed": seed, "specimen": specimen}, "test")


@pytest.mark.parametrize(("seed", "copied"), [(1, True), (6, False)])
def test_ids_are_unique_on_every_day(seed: int, copied: bool) -> None:
    """300 days of two blocks, every kind of cell; in the first two teams started at one voxel."""
    simulation = Simulation(block(seed))
    found = 0
    for _ in range(300):
        simulation.step()
        for name, rows in {**simulation.tables(), "sites": simulation.cavities.sites}.items():
            ids = rows.alive_columns()["id"]
            assert np.unique(ids).size == ids.size, f"day {simulation.day}: {name}"
            found = max(found, int((ids >> np.uint64(59) > 0).sum()))
    assert simulation.bone_quanta() > 1000 * FULL
    assert (found > 0) == copied
