"""The washout: the bone that comes back if resorption stops and all open cavities are refilled.

From the state of one day a second simulation runs until the last site has closed, with

    no births, no travel    no new BMU, no new site, no modelling: nothing new by chance
    no resorption           cells at work stop at their present depth. Which voxels have a floor is
                            decided there. Bone that would have been resorbed later is not lost yet
    no ablation         every process works
    perfect balance         every open site gets a team at once that is to refill all its stock:
                            hormones at the set-point, unlimited precursors, no effect of load, pool or
                            sclerostin on the wall, no arrest. Stock without firm bone to grow from is
                            not refilled, as in a real run: that is a thinner wall
    no stock, no bone       bone that modelling, or a strained site, was about to add is not added

Surface that is arrested already stays so. At the end every loose piece is removed and every event is
judged as after a year, because no later change is possible.

Teams are accelerated, otherwise it would take a year. They come at once and form bone in the same
steps, layer by layer, but one step a day instead of one in `step_day` days.
"""

from typing import Any

import mesa
import numpy as np

from bonesim.cells.bmu_parameters import FINISHING
from bonesim.cells.osteoclast import MONONUCLEAR_STEP_DAY
from bonesim.cells.site import ARRESTED, FORMING, MONONUCLEAR, OSTEOCLAST
from bonesim.config.config import Config
from bonesim.engine.days import advance
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import State, put_back, state_of
from bonesim.specimens.specimen import Specimen

#: Changes of the config: path -> value.
CHANGES: dict[str, Any] = {
    "protocol": None,
    "ablation": {},
    "mechanics.interval_day": 0,
    "cells.bmu.origination_per_mm2_per_year": 0.0,
    "cells.modelling.start_per_mm2_per_year": 0.0,
    "cells.precursor.recruitment_per_mm2": 0.0,
    "cells.osteoblast.balance_um": 0.0,
    "cells.osteoblast.pool_wall_exponent": 0.0,
    "cells.osteoblast.strain_wall_exponent": 0.0,
    "cells.osteoblast.disuse_exponent": 0.0,
    "hormones.response.osteoblast_life_exponent": 0.0,
    "hormones.response.sclerostin_wall_exponent": 0.0,
    "hormones.response.androgen_formation_exponent": 0.0,
}
#: Steps of teams after which a washout fails; with default parameters it takes about 40.
MAX_STEPS = 1000


def washed_out(simulation: Simulation) -> Simulation:
    """A new simulation: the given one after its washout. The given one is not changed.

    Raises:
        RuntimeError: sites do not close; a bug.
    """
    state = at_rest(state_of(simulation))
    # The state replaces everything on this lattice.
    nothing = np.zeros(simulation.tissue.shape, np.uint8)
    bone = Specimen(nothing, simulation.tissue.voxel_um, simulation.specimen.origin, ())
    other = Simulation(at_reference(simulation.config), bone)
    put_back(other, state)
    other.datacollector = mesa.DataCollector()
    other.osteoblasts.numbers = accelerated(other.osteoblasts.numbers)
    first = other.day
    advance(other, first + MAX_STEPS, done=lambda s: not is_open(s))
    if is_open(other):
        raise RuntimeError(f"washout from day {first}: sites are open after {MAX_STEPS} steps")
    other.conclude()
    return other


def at_reference(config: Config) -> Config:
    """A config without births in which open sites are refilled; hormones at the set-point."""
    return config.with_changes({**CHANGES, "hormones.course": {"kind": "constant"}})


def accelerated(numbers: Any) -> Any:
    """Osteoblasts' numbers for teams that come the next day and form a step of bone a day.

    Only the bone formed matters here, not the number of cells: a few suffice.
    """
    step = numbers.step_day
    return numbers._replace(
        reversal_day=1e-6,
        arrest_day=float(MAX_STEPS),
        apposition_um_per_day=numbers.apposition_um_per_day * step,
        apposition_tau_day=numbers.apposition_tau_day / step,
        grace_day=numbers.grace_day / step,
        step_day=1,
        area_per_cell_um2=100.0 * numbers.area_per_cell_um2,
    )


def is_open(simulation: Simulation) -> bool:
    """Whether any site is still to be refilled, or any BMU to end."""
    sites: Any = simulation.cavities.sites.columns
    waits = (sites.alive == 1) & (sites.phase != ARRESTED)
    return bool(waits.any()) or len(simulation.bmus) > 0


def at_rest(state: State) -> State:
    """A state without resorption or travel, in which every open site is to refill all its stock.

    The given state is changed and returned.
    """
    day = state["day"]
    populations, sites = state["populations"], state["cavities"]["sites"]
    populations["bmus"]["phase"][:] = FINISHING
    _stop_resorption(populations["osteoclasts"], sites, day)

    sites["depth_excess"][:] = 1.0
    forming = sites["phase"] == FORMING
    sites["phase_day"][forming] = day
    # What goes beyond the old surface is not added any more.
    sites["film_um"][:] = np.maximum(sites["film_um"], 0.0)
    records = state["cavities"]["records"]
    records["film_um"][:] = np.maximum(records["film_um"], 0.0)
    records["granted"][:] = 0

    state["precursors"]["pool"][:] = 1.0
    state["response"] = dict.fromkeys(state["response"], 0.0)
    state.pop("counting", None)  # a washout has no daily table
    return state


def _stop_resorption(osteoclasts: State, sites: State, day: int) -> None:
    """Osteoclasts and mononuclear cells leave their sites the next day, at the present depth."""
    living = osteoclasts["alive"] == 1
    mine = osteoclasts["site"][living]
    sites["osteoclast_depth_um"][mine] = osteoclasts["depth_um"][living]
    for name, column in osteoclasts.items():
        osteoclasts[name] = np.zeros_like(column) if name == "used" else column[:0]
    eroding = np.isin(sites["phase"], (OSTEOCLAST, MONONUCLEAR))
    sites["phase"][eroding] = MONONUCLEAR
    sites["phase_day"][eroding] = day + 1 - MONONUCLEAR_STEP_DAY
    sites["mononuclear_target_um"][eroding] = sites["mononuclear_depth_um"][eroding]
