"""Everything a simulation knows, as nested dictionaries of arrays, and back.

A state put into a fresh `Simulation` of the same config continues bit for bit. Chance needs no
state; what follows from other arrays (surface slots) is rebuilt.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bonesim.engine.daily_table import DailyTable
from bonesim.engine.simulation import Simulation
from bonesim.engine.state_rules import State, require_sound
from bonesim.errors import CorruptFileError
from bonesim.lattice.event_log import EventLog
from bonesim.lattice.tissue import Tissue

__all__ = ["State", "put_back", "put_back_from", "state_of"]


def state_of(simulation: Simulation) -> State:
    """The state after the last whole day; arrays are copies."""
    s = simulation
    state: State = {
        "day": s.day,
        "tissue": _tissue_state(s.tissue),
        "cavities": {
            "sites": s.cavities.sites.state(),
            "records": s.cavities.records.state(),
            "tally": s.cavities.tally.copy(),
        },
        "populations": {name: rows.state() for name, rows in s.tables().items()},
        "osteocytes_viable": s.osteocytes.viable,
        "precursors": {
            "pool": s.precursors.pool.copy(),
            "slow_deficit": s.precursors.slow_deficit,
        },
        "signals": s.signals.state(),
        "mechanics": s.mechanics.state(),
        "response": s.response.state(),
        "fragments": {"voxels": s.fragments.voxels, "due_day": s.fragments.due_day},
        "deposits": {"recent": s.recent_deposits.copy(), "interior": s.interior_formed},
        "events": s.events.state(),
        "earlier_events": s.earlier_events.state(),
        "floorless": s.floorless.state(),
        "breaks": s.breaks.state(),
    }
    if s.counting:
        state["counting"] = {
            "first_quanta": s.first_quanta,
            "first_euler": s.first_euler,
            "table": s.table(),
        }
    return state


def put_back_from(path: Path, simulation: Simulation, state: State) -> None:
    """`put_back` of a state that the file at `path` has, if it is sound.

    Raises:
        CorruptFileError: a value in it would mislead the simulation; nothing is changed.
    """
    try:
        require_sound(simulation, state, state_of(simulation))
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise CorruptFileError(
            f"{path}: is no checkpoint of this run ({error}); run it again"
        ) from None
    put_back(simulation, state)


def put_back(simulation: Simulation, state: State) -> None:
    """Make a fresh simulation of the same config continue from a `state`."""
    s = simulation
    s.day = int(state["day"])
    _restore_tissue(s.tissue, state["tissue"])
    s.cavities.sites.restore(state["cavities"]["sites"])
    s.cavities.records.restore(state["cavities"]["records"])
    s.cavities.tally[:] = state["cavities"]["tally"]
    for name, rows in s.tables().items():
        rows.restore(state["populations"][name])
    s.osteocytes.viable = int(state["osteocytes_viable"])
    s.precursors.pool[:] = state["precursors"]["pool"]
    s.precursors.slow_deficit = float(state["precursors"]["slow_deficit"])
    s.signals.restore(state["signals"])
    s.mechanics.restore(state["mechanics"])
    s.osteocytes.take_strain(s.mechanics)
    s.response.restore(state["response"])
    s.fragments.voxels = np.array(state["fragments"]["voxels"])
    s.fragments.due_day = np.array(state["fragments"]["due_day"])
    s.recent_deposits[:] = state["deposits"]["recent"]
    s.interior_formed = int(state["deposits"]["interior"])
    s.events, s.earlier_events = EventLog(), EventLog()
    s.events.restore(state["events"])
    s.earlier_events.restore(state["earlier_events"])
    s.floorless.restore(state["floorless"])
    s.breaks.restore(state["breaks"])
    if "counting" in state:
        _restore_counting(s, state["counting"])


def _restore_counting(s: Simulation, counting: State) -> None:
    s.counting = True
    s.first_quanta = int(counting["first_quanta"])
    s.first_euler = int(counting["first_euler"])
    s.datacollector = DailyTable(counting["table"], s.measures)


def _tissue_state(tissue: Tissue) -> State:
    lattice = tissue.lattice
    bone = lattice.quanta > 0
    owned = np.flatnonzero(lattice.owner >= 0)
    return {
        "quanta": lattice.quanta.copy(),
        # Only where there is bone: the rest is never read.
        "formed_day": lattice.formed_day[bone],
        "owned": owned,
        "owner": lattice.owner[owned],
        "surface": tissue.surface_voxels.copy(),
        "counts": lattice.counts.copy(),
        "sums": lattice.sums.copy(),
    }


def _restore_tissue(tissue: Tissue, state: State) -> None:
    lattice = tissue.lattice
    lattice.quanta[:] = state["quanta"]
    lattice.formed_day[:] = 0
    lattice.formed_day[lattice.quanta > 0] = state["formed_day"]
    lattice.owner[:] = -1
    lattice.owner[state["owned"]] = state["owner"]
    surface: NDArray[np.int32] = state["surface"]
    lattice.surface_slot[:] = -1
    lattice.surface[: surface.size] = surface
    lattice.surface_slot[surface] = np.arange(surface.size, dtype=np.int32)
    lattice.counts[:] = state["counts"]
    lattice.sums[:] = state["sums"]
