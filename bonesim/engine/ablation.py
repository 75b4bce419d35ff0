"""Processes of a simulation that have ended (`config.ablation`): what that is, day by day.

All follows from the configuration and the day, so a restart needs no state of it.
"""

import math
from typing import Any


def switch_off(simulation: Any) -> frozenset[str]:
    """End what is to end before today, of the numbers that kernels read; returns what has ended.

    `simulation`: an `engine.simulation.Simulation`.
    """
    off = simulation.config.ablation.off_on(simulation.day)
    if not off:
        return off
    clasts, blasts = simulation.osteoclasts, simulation.osteoblasts
    chances = clasts.numbers.breakthrough_chance
    if "perforation" in off:
        chances = chances._replace(hole=0.0)
    if "cuts" in off:
        chances = chances._replace(cut=0.0)
    clasts.numbers = clasts.numbers._replace(breakthrough_chance=chances)
    if "arrest" in off:
        blasts.numbers = blasts.numbers._replace(arrest_day=math.inf)
    return off


def kept_mineralisation(simulation: Any) -> float | None:
    """The mean mineralisation (0..1) that bone has kept since mineral lag ended; None if it has not."""
    last = simulation.config.ablation.mineral_lag_day
    if last is None or simulation.day <= last:
        return None
    then = simulation.datacollector.model_vars
    bone = 0.01 * float(then["bvtv_percent"][last])
    full = simulation.config.tissue.mineral.full_density_mg_per_cm3
    return float(then["bmd_mg_per_cm3"][last]) / full / bone if bone > 0.0 else 0.0
