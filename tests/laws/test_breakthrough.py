"""Without breakthrough bone is dug as ever, and no plate is perforated, no strut cut, no piece freed."""

import numpy as np

from bonesim.config.config import validated
from bonesim.engine.simulation import Simulation
from bonesim.lattice.topology import FRAGMENT_FREED, PLATE_PERFORATION, STRUT_CUT
from bonesim.specimens import Specimen, make_specimen


def dug_hard(chance: float, bone: Specimen) -> tuple[int, float]:
    """Events that open or part bone in 200 days of deep, unhindered digging; share resorbed."""
    config = validated(
        {"schedule": {"burn_in_day": 0, "duration_day": 200}, "mechanics": {"interval_day": 0},
         "cells": {"bmu": {"origination_per_mm2_per_year": 12.0},
                   "osteoclast": {"strain_stop": 0.0, "mononuclear_um": 60.0,
                                  "breakthrough_chance": chance}}},
        "test",
    )  # fmt: skip
    simulation = Simulation(config, bone)
    first = simulation.bone_quanta()
    while simulation.day < 200:
        simulation.step()
    kinds = simulation.events.columns()["kind"]
    opened = np.isin(kinds, (PLATE_PERFORATION, STRUT_CUT, FRAGMENT_FREED))
    return int(opened.sum()), float(simulation.table()["resorbed_quanta"][-1]) / first


def test_a_chance_of_zero_is_bone_without_perforation() -> None:
    config = validated({"specimen": {"kind": "synthetic", "size_mm": [1.2, 1.2, 1.2]}}, "test")
    bone = make_specimen(config.specimen)
    open_as_ever, much = dug_hard(1.0, bone)
    none, nearly_as_much = dug_hard(0.0, bone)
    assert open_as_ever > 10
    assert none == 0
    assert nearly_as_much > 0.7 * much > 0.05
