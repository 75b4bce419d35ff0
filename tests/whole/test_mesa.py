"""The simulation is a Mesa model as any other."""

import gc
import weakref
from typing import Any

import mesa
import numpy as np
import pytest
from mesa.batchrunner import batch_run

from bonesim.engine.seeds import seed_of_iteration
from bonesim.engine.simulation import Simulation
from bonesim.errors import InputError

QUICK = {
    "specimen": {"kind": "synthetic", "size_mm": [0.8, 0.8, 0.8], "seed": 1},
    "schedule": {"burn_in_day": 0, "duration_day": 10},
}


def test_populations_are_the_agents() -> None:
    model = Simulation(QUICK)
    assert isinstance(model, mesa.Model)
    kinds = {type(agent).__name__ for agent in model.agents}
    assert {"Osteoclasts", "Osteoblasts", "Osteocytes", "RemodellingUnits"} <= kinds
    assert len(model.osteocytes) > 0
    assert model.osteocytes[0]["viable"] in (0, 1)


def test_batch_run() -> None:
    rows = batch_run(
        Simulation,
        parameters={"config": [QUICK], "run_seed": [1, 2]},
        iterations=1,
        max_steps=10,
        number_processes=1,
        data_collection_period=-1,
        display_progress=False,
    )
    by_seed = {row["run_seed"]: row for row in rows}
    assert set(by_seed) == {1, 2}
    assert all(row["bvtv_percent"] > 0 for row in rows)
    assert all(row["day"] >= 10 for row in rows)


#: So busy that bone of two seeds differs within a month.
BUSY = QUICK | {"cells": {"bmu": {"origination_per_mm2_per_year": 50.0}}}
DAYS = 30


class Subclass(Simulation):
    """As users make one."""


def outcomes(parameters: dict[str, Any], model: type[Simulation] = Simulation, **more: Any) -> Any:
    """BV/TV of each run by iteration and the seed given."""
    rows = batch_run(model, {"config": [BUSY], **parameters}, max_steps=DAYS, display_progress=False,
                     **{"number_processes": 1, **more})  # fmt: skip
    return {
        (row["iteration"], row.get("seed", row.get("run_seed", row.get("rng")))): row["bone_quanta"]
        for row in rows
    }


def alone(**seed: Any) -> int:
    """The same run without the batch runner."""
    simulation = Simulation(BUSY, **seed)
    while simulation.day < DAYS:  # the row of day 0 comes first
        simulation.step()
    return simulation.bone_quanta()


@pytest.mark.parametrize("model", [Simulation, Subclass])
def test_iterations_are_different_runs(model: type[Simulation]) -> None:
    found = outcomes({}, model, iterations=3)
    assert len(found) == len(set(found.values())) == 3
    assert [found[k, None] for k in range(3)] == [alone(iteration=k) for k in range(3)]
    assert found[0, None] == alone()


@pytest.mark.parametrize("name", ["seed", "rng", "run_seed"])
def test_a_seed_has_iterations_too(name: str) -> None:
    """Also a single fixed one: the row's seed and iteration give that very run again."""
    found = outcomes({name: [1, 2]}, iterations=2)
    assert len(set(found.values())) == 4
    assert found[1, 2] == alone(**{name: 2}, iteration=1)
    assert found[0, 2] == alone(**{name: 2}) == alone(changes={"seed": 2})


@pytest.mark.long
def test_iterations_in_other_processes() -> None:
    found = outcomes({"seed": [1]}, iterations=2, number_processes=2)
    assert found == {(k, 1): alone(seed=1, iteration=k) for k in range(2)}


def test_seeds_of_iterations() -> None:
    seeds = {seed_of_iteration(seed, k) for seed in range(50) for k in range(50)}
    assert len(seeds) == 2500
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert [seed_of_iteration(7, 0), seed_of_iteration(7, 1)] == [7, 7651910736988481393]


def test_what_is_a_seed() -> None:
    generators = [Simulation(QUICK, rng=np.random.default_rng(3)).run_seed for _ in range(2)]
    assert generators[0] == generators[1]
    sequences = [Simulation(QUICK, rng=np.random.SeedSequence(k)).run_seed for k in (3, 3, 4)]
    assert sequences[0] == sequences[1] != sequences[2]
    assert Simulation(QUICK, seed=np.int64(5)).run_seed == Simulation(QUICK, seed=5.0).run_seed == 5
    simulations = [Simulation(QUICK, seed=5) for _ in range(2)]
    assert simulations[0].random.random() == simulations[1].random.random()
    for wrong in (1.5, "1", True, -1, 2**63, float("nan"), [1]):
        with pytest.raises(InputError, match="seed: got"):
            Simulation(QUICK, seed=wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="run_seed and seed are one thing"):
        Simulation(QUICK, run_seed=1, seed=1)


def test_a_finished_simulation_is_let_go() -> None:
    """A sweep's worker runs hundreds: none may stay in memory."""
    simulation = Simulation(QUICK)
    simulation.step()
    left = weakref.ref(simulation)
    del simulation
    gc.collect()
    assert left() is None
