"""The washout: what comes back of a bone if nothing new is dug and all that is open is refilled.

From the state of one day a second life is lived, with

    no births, no travel    no new BMU, no new site, no modelling: nothing new to luck
    no digging              cells at work stop where they are; it is decided there and then which
                            voxels have a floor. What would have been dug later was not yet lost
    perfect balance         every open site gets a team at once that is to put all its stock back:
                            hormones at the own set-point, endless precursors, nothing of load, pool
                            or sclerostin in the wall, no arrest. What it finds nothing firm to grow
                            from for is not put back, as in life: that is a thinner wall
    no stock, no bone       what modelling, or a strained site, was about to add is not added:
                            it was never there

until the last site has closed. Surface that is arrested already stays so. Then every loose piece is
removed and every event judged as if a year had passed: nothing more could happen to them.

Teams are hurried, or it would take a year: they come at once and take the steps of life, layer by
layer, but one every day instead of one in `step_day` days.
"""

from typing import Any

import mesa
import numpy as np

from bonesim.cells.bmu import FINISHING
from bonesim.cells.cavity import ARRESTED, FORMING, MONONUCLEAR, OSTEOCLAST
from bonesim.cells.osteoclast import MONONUCLEAR_STEP_DAY
from bonesim.config.config import Config
from bonesim.engine.days import advance
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import State, put_back, state_of
from bonesim.specimens.specimen import Specimen

#: What is changed of a config, path by path.
CHANGES: dict[str, Any] = {
    "protocol": None,
    "mechanics.interval_day": 0,
    "cells.bmu.origination_per_mm2_per_year": 0.0,
    "cells.modelling.start_per_mm2_per_year": 0.0,
    "cells.precursor.recruitment_per_mm2": 0.0,
    "cells.osteoblast.balance_um": 0.0,
    "cells.osteoblast.pool_wall_exponent": 0.0,
    "cells.osteoblast.strain_wall_exponent": 0.0,
    "cells.osteoblast.disuse_exponent": 0.0,
    "hormones.response.osteoblast_loss": 0.0,
    "hormones.response.sclerostin_wall_exponent": 0.0,
    "hormones.response.androgen_formation_exponent": 0.0,
}
#: Steps of teams after which a washout has no end: with usual parameters the last takes about 40.
MAX_STEPS = 1000


def washed_out(simulation: Simulation) -> Simulation:
    """Another simulation: this one after its washout. This one is left as it is.

    Raises:
        RuntimeError: sites stay open for ever; a bug.
    """
    state = at_rest(state_of(simulation))
    # The state replaces all that is on this lattice.
    nothing = np.zeros(simulation.tissue.shape, np.uint8)
    bone = Specimen(nothing, simulation.tissue.voxel_um, simulation.specimen.origin, ())
    other = Simulation(at_reference(simulation.config, state), bone)
    put_back(other, state)
    other.datacollector = mesa.DataCollector()
    other.osteoblasts.numbers = hurried(other.osteoblasts.numbers)
    first = other.day
    advance(other, first + MAX_STEPS, done=lambda s: not is_open(s))
    if is_open(other):
        raise RuntimeError(f"washout from day {first}: sites are open after {MAX_STEPS} steps")
    other.conclude()
    return other


def at_reference(config: Config, state: State) -> Config:
    """A config in which nothing is born and all that is open is refilled; hormones as accustomed."""
    usual = {"kind": "constant", "e2_pg_per_ml": state["response"]["setpoint_pg_per_ml"]}
    return config.with_changes({**CHANGES, "hormones.course": usual})


def hurried(numbers: Any) -> Any:
    """Osteoblasts' numbers for teams that come tomorrow and take a step of life a day.

    Cells are of no account here, only what they form: few of them do.
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
    """A state in which nobody digs or travels and every open site is to get all its stock back.

    The state given is changed and returned.
    """
    day = state["day"]
    populations, sites = state["populations"], state["cavities"]["sites"]
    populations["bmus"]["phase"][:] = FINISHING
    _stop_digging(populations["osteoclasts"], sites, day)

    sites["depth_excess"][:] = 1.0
    forming = sites["phase"] == FORMING
    sites["phase_day"][forming] = day
    left = _stock(state["cavities"]["records"], sites["alive"].size)
    sites["quota_quanta"][forming] = (sites["formed_quanta"] + left)[forming]

    state["precursors"]["pool"][:] = 1.0
    state["response"]["deficit"] = 0.0
    state.pop("counting", None)  # a washout has no daily table
    return state


def _stop_digging(osteoclasts: State, sites: State, day: int) -> None:
    """Osteoclasts and mononuclear cells leave their sites as deep as these are, tomorrow."""
    living = osteoclasts["alive"] == 1
    mine = osteoclasts["site"][living]
    sites["osteoclast_depth_um"][mine] = osteoclasts["depth_um"][living]
    for name, column in osteoclasts.items():
        osteoclasts[name] = np.zeros_like(column) if name == "used" else column[:0]
    digging = np.isin(sites["phase"], (OSTEOCLAST, MONONUCLEAR))
    sites["phase"][digging] = MONONUCLEAR
    sites["phase_day"][digging] = day + 1 - MONONUCLEAR_STEP_DAY
    sites["mononuclear_target_um"][digging] = sites["mononuclear_depth_um"][digging]


def _stock(records: State, number: int) -> Any:
    """Quanta taken and not put back, of each of `number` sites."""
    living = records["alive"] == 1
    stock = np.bincount(records["site"][living], records["stock"][living], minlength=number)
    return stock.astype(np.int64)
