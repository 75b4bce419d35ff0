"""A process that ends on a day: until then the same run to the last bit, from then on without it."""

from typing import Any

import numpy as np
import pytest

from bonesim.cells.cavity import SITES_ARRESTED
from bonesim.cells.site import ARRESTED
from bonesim.config.ablation import PROCESSES
from bonesim.config.config import Config, to_toml, validated
from bonesim.config.twin import without
from bonesim.engine.burn_in import burn_in_key
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import State, put_back, state_of
from bonesim.lattice.topology import MIXED, PLATE_PERFORATION, STRUT_CUT
from bonesim.loss.washout import at_reference
from bonesim.specimens import Specimen, make_specimen

#: Every process acts soon: cavities are deep, surface is arrested early, mechanics is solved often.
BUSY: dict[str, Any] = {
    "seed": 3,
    "specimen": {"kind": "synthetic", "size_mm": [1.0, 1.0, 1.0], "seed": 2},
    "hormones": {"course": {"kind": "stepped", "steps": [{"start_day": 0, "e2_pg_per_ml": 5.0}]}},
    "cells": {
        "bmu": {"origination_per_mm2_per_year": 12.0},
        "osteoclast": {"strain_stop": 0.0, "mononuclear_um": 60.0},
        "osteoblast": {"arrest_day": 25.0},
    },
    "mechanics": {"interval_day": 20},
    "schedule": {"burn_in_day": 50, "duration_day": 150},
}
LAST = 150
HOLES, CUTS = (PLATE_PERFORATION, MIXED), (STRUT_CUT, MIXED)


@pytest.fixture(scope="module")
def whole() -> Config:
    """The run in which every process works."""
    return validated(BUSY, "test")


@pytest.fixture(scope="module")
def bone(whole: Config) -> Specimen:
    """Its bone."""
    return make_specimen(whole.specimen)


def stepped(simulation: Simulation, day: int) -> Simulation:
    while simulation.day < day:
        simulation.step()
    return simulation


def begun(config: Config, bone: Specimen, state: State) -> Simulation:
    """A simulation of a config that goes on from a state."""
    simulation = Simulation(config, bone)
    put_back(simulation, state)
    return simulation


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Where two states differ in any bit."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return [x for name in one for x in differences(one[name], other[name], f"{where}.{name}")]
    if isinstance(one, list | tuple):
        return [x for a, b in zip(one, other, strict=True) for x in differences(a, b, where)]
    same = np.array_equal(
        np.asarray(one), np.asarray(other), equal_nan=np.asarray(one).dtype.kind == "f"
    )
    return [] if same else [where]


@pytest.fixture(scope="module")
def day_0(whole: Config, bone: Specimen) -> State:
    """The state at the end of the burn-in."""
    return state_of(stepped(Simulation(whole, bone), 0))


@pytest.fixture(scope="module")
def days(whole: Config, bone: Specimen, day_0: State) -> tuple[Simulation, list[State]]:
    """The whole run on its last day, and its state on every day from 0 on."""
    simulation, states = begun(whole, bone, day_0), [day_0]
    while simulation.day < LAST:
        simulation.step()
        states.append(state_of(simulation))
    return simulation, states


def test_the_burn_in_is_that_of_the_run(whole: Config, bone: Specimen, day_0: State) -> None:
    """Simulated by itself, with every process to end on day 0; and the cache has it under one key."""
    ended = whole.with_changes({f"ablation.{name}_day": 0 for name in PROCESSES})
    other = Simulation(ended, bone)
    assert burn_in_key(other) == burn_in_key(Simulation(whole, bone))
    assert differences(day_0, state_of(stepped(other, 0))) == []


def crossings(simulation: Simulation, kinds: tuple[int, ...]) -> np.ndarray:
    """Days on which bone was opened or parted, in order."""
    columns = simulation.events.columns()
    return np.unique(columns["day"][np.isin(columns["kind"], kinds)]).astype(int)


def first_act(process: str, simulation: Simulation, states: list[State]) -> int:
    """The first day from 1 on on which a process acts in the whole run."""
    if process in ("perforation", "cuts"):
        return int(crossings(simulation, HOLES if process == "perforation" else CUTS)[0])
    if process == "arrest":
        return next(d for d, s in enumerate(states) if s["cavities"]["tally"][SITES_ARRESTED] > 0)
    energy = states[0]["mechanics"]["energy"]
    return next(
        d for d, s in enumerate(states) if not np.array_equal(s["mechanics"]["energy"], energy)
    )


@pytest.mark.parametrize("process", ["perforation", "cuts", "arrest", "mechanics"])
def test_the_same_until_the_process_would_act(
    process: str, whole: Config, bone: Specimen, days: tuple[Simulation, list[State]]
) -> None:
    simulation, states = days
    acts = first_act(process, simulation, states)
    assert 1 <= acts < LAST
    twin = begun(without(whole, process), bone, states[0])
    for day in range(1, acts):
        assert differences(states[day], state_of(stepped(twin, day))) == [], day
    assert differences(states[acts], state_of(stepped(twin, acts))) != []


def test_off_is_off(whole: Config, bone: Specimen, days: tuple[Simulation, list[State]]) -> None:
    simulation, states = days
    assert len(crossings(simulation, HOLES)) > 3
    assert len(crossings(simulation, CUTS)) > 3
    for process, kinds in (("perforation", HOLES), ("cuts", CUTS)):
        twin = stepped(begun(without(whole, process), bone, states[0]), LAST)
        assert crossings(twin, kinds).size == 0
        # Only that: the other kind of break goes on, and bone is dug as ever.
        other = PLATE_PERFORATION if process == "cuts" else STRUT_CUT
        assert len(crossings(twin, (other,))) > 3
        resorbed = [int(s.table()["resorbed_quanta"][-1]) for s in (simulation, twin)]
        assert resorbed[1] == pytest.approx(resorbed[0], rel=0.2)
        twin.conclude()
        assert twin.events.final_count(kinds[0]) == 0


def test_without_arrest_surface_waits(
    whole: Config, bone: Specimen, days: tuple[Simulation, list[State]]
) -> None:
    """None is arrested from then on; what was arrested before stays so, or is taken up again."""
    simulation, states = days
    assert simulation.cavities.tally[SITES_ARRESTED] > 3
    twin = stepped(begun(without(whole, "arrest"), bone, states[0]), LAST)
    assert twin.cavities.tally[SITES_ARRESTED] == 0

    def arrested(state: State) -> set[int]:
        sites = state["cavities"]["sites"]
        return set(sites["id"][(sites["phase"] == ARRESTED) & (sites["alive"] == 1)].tolist())

    assert arrested(state_of(twin)) <= arrested(states[0])


def test_without_mechanics_strain_energy_stays(
    whole: Config, bone: Specimen, days: tuple[Simulation, list[State]]
) -> None:
    simulation, states = days
    then = states[0]["mechanics"]["energy"]
    assert then.any()
    assert not np.array_equal(simulation.mechanics.energy, then)
    twin = stepped(begun(without(whole, "mechanics"), bone, states[0]), LAST)
    assert np.array_equal(twin.mechanics.energy, then)
    # Without a burn-in nothing was solved by day 0: the first solve counts, and is the only one.
    fresh = without(whole.with_changes({"schedule.burn_in_day": 0}), "mechanics")
    other = stepped(Simulation(fresh, bone), 1)
    first = other.mechanics.energy.copy()
    assert first.any()
    assert np.array_equal(stepped(other, 45).mechanics.energy, first)


def test_without_mineral_lag_bmd_follows_bone_alone(
    whole: Config, bone: Specimen, days: tuple[Simulation, list[State]]
) -> None:
    simulation, states = days
    twin = stepped(begun(without(whole, "mineral_lag"), bone, states[0]), LAST)
    mine, its = simulation.table(), twin.table()
    differ = {name for name in mine if not np.array_equal(mine[name], its[name], equal_nan=True)}
    assert differ == {"bmd_mg_per_cm3"}
    assert its["bmd_mg_per_cm3"] / its["bvtv_percent"] == pytest.approx(
        mine["bmd_mg_per_cm3"][0] / mine["bvtv_percent"][0], rel=1e-12
    )
    # Nothing jumps on the day it ends.
    steps = np.abs(np.diff(its["bmd_mg_per_cm3"]))
    assert steps[0] < 3.0 * steps[:20].mean()


def test_a_restart_goes_on_without_them(whole: Config, bone: Specimen, day_0: State) -> None:
    """All five, ending on different days, one of them after the restart."""
    last = dict(zip(PROCESSES, (0, 5, 10, 20, 30), strict=True))
    config = whole.with_changes({f"ablation.{name}_day": day for name, day in last.items()})
    simulation = stepped(begun(config, bone, day_0), 25)
    again = begun(config, bone, state_of(simulation))
    assert differences(state_of(stepped(simulation, 60)), state_of(stepped(again, 60))) == []
    assert simulation.off == set(PROCESSES)
    # Until its last day a process works.
    events = simulation.events.columns()
    cut = events["day"][np.isin(events["kind"], CUTS)]
    assert cut.size == 0 or cut.max() <= 5


def test_what_a_run_file_states(whole: Config) -> None:
    config = whole.with_changes({"ablation.cuts_day": 12})
    assert config.ablation.notes() == ("without strut cuts after day 12",)
    assert "cuts_day = 12" in to_toml(config)
    # A washout is of the bone, not of the ablation.
    reference = at_reference(config)
    assert reference.ablation.last_days() == {}
