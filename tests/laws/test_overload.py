"""The brake begins at an overload: ordinary bone is dug to its depth, and thin loaded floors are left.

A sheet across the block is remodelled hard, without mechanics (the stimulus is 1 everywhere, or what
the fields are told), once with the brake and once without.
"""

from typing import NamedTuple

import numpy as np
import pytest

from bonesim.cells.cavity import SITES_PERFORATED
from bonesim.config.config import validated
from bonesim.engine.simulation import Simulation
from bonesim.specimens import Specimen
from bonesim.units import FULL

EDGE, DAYS = 40, 320


class Worked(NamedTuple):
    """What some months did to a sheet."""

    passed: int
    depth_um: float


def sheet(thick: int) -> Specimen:
    """A sheet across z, so many voxels of 20 um thick."""
    quanta = np.zeros((EDGE, EDGE, EDGE), np.uint8)
    first = (EDGE - thick) // 2
    quanta[first : first + thick] = FULL
    return Specimen(quanta, 20.0, "a sheet", ())


def worked(thick: int, load: float = 1.0, **osteoclast: float) -> Worked:
    """Sites of a sheet without a floor, and E.De, at so much of the usual strain."""
    config = validated(
        {"seed": 5, "schedule": {"burn_in_day": 0, "duration_day": DAYS},
         "mechanics": {"interval_day": 0},
         "cells": {"bmu": {"origination_per_mm2_per_year": 8.0, "strain_bias": 0.0},
                   "osteoclast": {"depth_cv": 0.0, "territory_cv": 0.0, "mononuclear_cv": 0.0,
                                  "smallest_hole_um": 0.0, **osteoclast}}},
        "test",
    )  # fmt: skip
    simulation = Simulation(config, sheet(thick))
    listen = simulation._listen
    simulation._listen = lambda day: listen(day)._replace(load_level=load)  # type: ignore[method-assign]
    while simulation.day < DAYS:
        simulation.step()
    passed = int(simulation.cavities.tally[SITES_PERFORATED])
    return Worked(passed, float(simulation.table()["e_de_um"][-1]))


def test_thick_bone_is_dug_to_its_depth_whatever_the_scatter_of_strain() -> None:
    """400 um, u up to 1.2: the cavity adds 5 %, and the depth is that without a brake."""
    free = worked(20, strain_stop=0.0)
    assert free.depth_um == pytest.approx(50.0, abs=2.0)
    for load in (1.0, 1.2):
        assert worked(20, load).depth_um == pytest.approx(free.depth_um, rel=0.01)
    assert worked(20, 1.6).depth_um < 0.8 * free.depth_um


def test_a_thin_floor_is_left_where_it_is_loaded() -> None:
    """60 um, cavities of 50: few sites pass it, as many as without a brake where nothing is loaded."""
    free, braked, idle = worked(3, strain_stop=0.0), worked(3), worked(3, 0.2)
    assert free.passed >= 20
    assert braked.passed <= 0.35 * free.passed
    assert braked.depth_um < 0.8 * free.depth_um
    assert idle.passed >= 0.8 * free.passed
    linear = worked(3, strain_stop=1.0, overload=1.0)  # one that begins at the usual strain
    assert linear.passed > 2 * braked.passed
