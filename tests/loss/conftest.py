"""A small bone with fast loss and breaks: suppressed, strain does not stop osteoclasts."""

from typing import Any, NamedTuple

import pytest

from bonesim.config.config import Config, validated
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import State, state_of
from bonesim.loss.parts import Decomposition, Loss
from bonesim.specimens import Specimen, make_specimen

FRAIL: dict[str, Any] = {
    "seed": 5,
    "specimen": {"kind": "synthetic", "size_mm": [1.2, 1.2, 1.2], "seed": 2},
    "hormones": {"course": {"kind": "stepped", "steps": [{"start_day": 0, "e2_pg_per_ml": 5.0}]}},
    "cells": {
        "bmu": {"origination_per_mm2_per_year": 8.0},
        "osteoclast": {"strain_stop": 0.0},
    },
    "mechanics": {"interval_day": 0},
    "schedule": {"burn_in_day": 90, "duration_day": 400},
}
MIDDLE, LAST = 120, 300


class SimulatedRun(NamedTuple):
    """A run: its last day, losses and states on some days; not to be changed."""

    simulation: Simulation
    decomposition: Decomposition
    losses: dict[int, Loss]
    states: dict[int, State]
    bmd_mg_per_cm3: dict[int, float]


@pytest.fixture(scope="session")
def frail() -> Config:
    """Its configuration."""
    return validated(FRAIL, "test")


@pytest.fixture(scope="session")
def frail_bone(frail: Config) -> Specimen:
    """Its bone."""
    return make_specimen(frail.specimen)


@pytest.fixture(scope="session")
def frail_run(frail: Config, frail_bone: Specimen) -> SimulatedRun:
    """A run of it for 300 days."""
    simulation = Simulation(frail, frail_bone)
    while simulation.day < 0:
        simulation.step()
    found = SimulatedRun(simulation, Decomposition(simulation), {}, {}, {})
    for day in (0, MIDDLE, LAST):
        while simulation.day < day:
            simulation.step()
        found.losses[day] = found.decomposition.at(simulation)
        found.states[day] = state_of(simulation)
        found.bmd_mg_per_cm3[day] = simulation.bmd_mg_per_cm3()
    return found
