"""A hole through a plate stays a hole, whatever its orientation: formation never re-bridges."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.config.config import validated
from bonesim.engine.simulation import Simulation
from bonesim.specimens import Specimen
from bonesim.units import BONE

SIZE = 48
HALF_THICKNESS = 3.5
HOLE_RADIUS = 5.0
NORMALS = {
    "axis": (1.0, 0.0, 0.0),
    "xy": (0.0, 1.0, 1.0),
    "zx": (1.0, 0.0, 1.0),
    "diagonal": (1.0, 1.0, 1.0),
}


def holed_plate(normal: tuple[float, ...]) -> Specimen:
    """A plate of 140 um across the block with one hole of 200 um through its middle."""
    n = np.array(normal) / np.linalg.norm(normal)
    place = np.stack(np.indices((SIZE,) * 3), axis=-1) - (SIZE - 1) / 2
    along = place @ n
    across = np.linalg.norm(place - along[..., None] * n, axis=-1)
    distance = np.maximum(np.abs(along) - HALF_THICKNESS, HOLE_RADIUS - across)
    quanta = np.clip(np.round(127.5 - 255 * distance), 0, 255).astype(np.uint8)
    return Specimen(quanta, 20.0, "a holed plate", ())


def line_through(normal: tuple[float, ...]) -> tuple[NDArray[np.int64], ...]:
    """The voxels along the hole's axis, through the plate and beyond."""
    n = np.array(normal) / np.linalg.norm(normal)
    steps = np.arange(-HALF_THICKNESS - 2, HALF_THICKNESS + 2.1, 0.5)
    places = np.round((SIZE - 1) / 2 + steps[:, None] * n).astype(np.int64)
    return places[:, 0], places[:, 1], places[:, 2]


def keeps_its_hole(normal: tuple[float, ...], years: int) -> None:
    config = validated(
        {"seed": 3, "schedule": {"burn_in_day": 0, "duration_day": 365 * years},
         "cells": {"bmu": {"origination_per_mm2_per_year": 6.0}}},
        "test",
    )  # fmt: skip
    simulation = Simulation(config, holed_plate(normal))
    line = line_through(normal)
    for _ in range(years):
        for _ in range(365):
            simulation.step()
        quanta = simulation.tissue.inner(simulation.tissue.lattice.quanta)
        assert (quanta[line] < BONE).all()
    # The plate has been remodelled, or the law was not put to the test.
    assert simulation.table()["bmus_born"][-1] >= 3 * years


@pytest.mark.long
@pytest.mark.parametrize("name", ["axis", "diagonal"])
def test_three_busy_years(name: str) -> None:
    keeps_its_hole(NORMALS[name], 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(NORMALS))
def test_ten_busy_years(name: str) -> None:
    keeps_its_hole(NORMALS[name], 10)
