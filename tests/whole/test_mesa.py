"""The simulation is a Mesa model as any other."""

import gc
import weakref

import mesa
from mesa.batchrunner import batch_run

from bonesim.engine.simulation import Simulation

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


def test_a_finished_simulation_is_let_go() -> None:
    """A sweep's worker runs hundreds: none may stay in memory."""
    simulation = Simulation(QUICK)
    simulation.step()
    left = weakref.ref(simulation)
    del simulation
    gc.collect()
    assert left() is None
