"""Effects of load on a whole bone: sensed at once, exact after a restart, can be off."""

from typing import Any

import numpy as np
import pytest

from bonesim.config.config import Config, validated
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import put_back, state_of
from bonesim.errors import InputError
from bonesim.lattice.ledger import FORMED, FRAGMENTS, RESORBED, take
from bonesim.specimens import Specimen
from bonesim.storage.content_hash import content_hash
from bonesim.units import FULL

#: Load from day 0 on, %.
LOADS = {"disuse": 50.0, "habitual": 100.0, "training": 150.0}


def loaded(percent: float, size_mm: float, start_day: int = 0, **changes: Any) -> Config:
    """A block whose load changes on a day."""
    config = validated({
        "specimen": {"kind": "synthetic", "size_mm": [size_mm] * 3},
        "protocol": {
            "loading": {"change": [{"start_day": start_day, "load_percent": percent}]},
        },
        "schedule": {"burn_in_day": 60, "duration_day": 1000},
    }, "test")  # fmt: skip
    return config.with_changes({name.replace("__", "."): v for name, v in changes.items()})


def simulated(config: Config, days: int) -> Simulation:
    simulation = Simulation(config)
    while simulation.day < days:
        simulation.step()
    return simulation


def refilled(run: Simulation) -> float:
    """What was formed of what had been eroded, of the sites closed since day 0."""
    table = run.table()
    formed, eroded = table["closed_formed_mm3"], table["closed_eroded_mm3"]
    return float((formed[-1] - formed[0]) / (eroded[-1] - eroded[0]))


def test_bone_follows_load_on_common_random_numbers() -> None:
    """Less load, less bone, from resorption and formation both; more load, more, by both kinds of it."""
    runs = {name: simulated(loaded(percent, 1.4), 200) for name, percent in LOADS.items()}
    bone = {name: run.bone_quanta() for name, run in runs.items()}
    print({name: round(100 * (b / bone["habitual"] - 1), 2) for name, b in bone.items()})
    assert bone["disuse"] < bone["habitual"] < bone["training"]
    last = {name: {k: v[-1] for k, v in run.table().items()} for name, run in runs.items()}
    assert last["disuse"]["resorbed_quanta"] > last["habitual"]["resorbed_quanta"]
    # More cavities, so more is formed in all; but of a cavity less is refilled.
    print({name: round(refilled(run), 3) for name, run in runs.items()})
    assert refilled(runs["disuse"]) < refilled(runs["habitual"]) < refilled(runs["training"])
    assert last["training"]["area_modelled_mm2"] > 5 * last["habitual"]["area_modelled_mm2"]
    assert last["disuse"]["osteocytes_viable"] < last["habitual"]["osteocytes_viable"]
    for name, run in runs.items():
        counts = run.tissue.lattice.counts
        moved = int(counts[FORMED] - counts[RESORBED] - counts[FRAGMENTS])
        assert run.bone_quanta() - run.first_quanta == moved
        assert last[name]["load_percent"] == LOADS[name]


def test_a_change_of_load_is_sensed_on_its_day_and_exactly() -> None:
    table = simulated(loaded(40.0, 1.0, start_day=5), 7).table()
    assert table["load_percent"].tolist() == [100.0] * 5 + [40.0] * 3
    assert table["strain_mean"][5] == pytest.approx(0.4 * table["strain_mean"][4], rel=0.02)


@pytest.mark.parametrize("delay_day", [0, 3])
def test_a_restart_across_a_solve_is_exact(delay_day: int) -> None:
    """Also on a day between the start of a solve (day 4) and the day its strain counts (day 7)."""
    config = loaded(60.0, 1.0, mechanics__interval_day=4, mechanics__delay_day=delay_day)
    straight, first = simulated(config, 10), simulated(config, 5)
    assert state_of(first)["mechanics"]["coming"]["is_one"] == (delay_day > 0)
    second = Simulation(config)
    put_back(second, state_of(first))
    while second.day < 10:
        second.step()
    assert content_hash(state_of(second)) == content_hash(state_of(straight))


def test_without_solves_no_strain_is_sensed() -> None:
    """Off is off: with no solve no gain of load changes a single quantum."""
    gains_at_zero = {
        "cells.bmu.strain_bias": 0.0, "cells.osteoblast.strain_wall_exponent": 0.0,
        "cells.osteoblast.disuse_exponent": 0.0,
        "cells.modelling.start_per_mm2_per_year": 0.0, "cells.osteocyte.disuse_death_gain": 0.0,
        "signals.sclerostin_strain_exponent": 0.0, "signals.rankl_disuse_gain": 0.0,
        "signals.opg_strain_gain": 0.0,
    }  # fmt: skip
    off = loaded(100.0, 1.2, mechanics__interval_day=0)
    ends = [simulated(config, 100) for config in (off, off.with_changes(gains_at_zero))]
    assert np.array_equal(*(end.tissue.lattice.quanta for end in ends))
    assert (ends[0].signals.fields.strain == 1.0).all()
    assert set(ends[0].table()["strain_mean"]) == {1.0}
    assert (ends[0].mechanics.energy == 0.0).all()


def test_a_load_that_no_cell_senses_is_refused() -> None:
    with pytest.raises(InputError, match="interval_day is 0: nothing would sense it") as error:
        loaded(50.0, 1.0, mechanics__interval_day=0)
    assert "\n" not in str(error.value)


def columns() -> Specimen:
    """Four columns along the load between two plates."""
    quanta = np.zeros((60, 60, 60), np.uint8)
    quanta[:6] = quanta[-6:] = FULL
    for z, y in ((8, 8), (8, 44), (44, 8), (44, 44)):
        quanta[:, z : z + 8, y : y + 8] = FULL
    return Specimen(quanta, 20.0, "columns", ())


def stumps_left(interval_day: int, seed: int) -> tuple[float, float]:
    """One column is cut on day 0: bone of its stumps, and of the others, two years later, share."""
    config = loaded(100.0, 1.2, mechanics__interval_day=interval_day, seed=seed,
                    cells__bmu__origination_per_mm2_per_year=3.0)  # fmt: skip
    simulation = Simulation(config, columns())
    while simulation.day < 0:
        simulation.step()
    lattice = simulation.tissue.lattice
    inner = simulation.tissue.inner(lattice.quanta)
    places = np.arange(lattice.quanta.size).reshape(simulation.tissue.padded_shape)
    for voxel in places[1:-1, 1:-1, 1:-1][28:32, 6:18, 6:18].reshape(-1):
        take(lattice, voxel, FULL, 0, np.nan, np.nan, np.uint64(0))
    stump = (slice(6, -6), slice(6, 18), slice(6, 18))
    other = (slice(6, -6), slice(42, 54), slice(42, 54))
    before = [float(inner[part].sum(dtype=np.int64)) for part in (stump, other)]
    while simulation.day < 500:
        simulation.step()
    after = [float(inner[part].sum(dtype=np.int64)) for part in (stump, other)]
    return after[0] / before[0], after[1] / before[1]


@pytest.mark.long
def test_an_unloaded_stump_is_resorbed_sooner() -> None:
    """Its strain is far below its set-point; without mechanics it is bone like any other."""
    solved, unsolved = (
        np.array([stumps_left(days, seed) for seed in (1, 2, 3)]).mean(axis=0) for days in (30, 0)
    )
    print(f"left of stumps and of others: with solves {solved}, without {unsolved}")
    assert solved[0] < unsolved[0] - 0.05
    assert solved[0] < solved[1]


def test_set_points_settle_before_day_zero() -> None:
    """Up to `settled_day` before day 0 set-points become the present strain energy; later they drift."""
    simulation = simulated(loaded(100.0, 1.0), 1)
    cells, p = simulation.osteocytes, simulation.config.cells.osteocyte
    rows = cells.rows.columns
    drift = 1.0 - np.exp(-p.look_day / (p.setpoint_tau_year * 365.0))
    for first, left in (
        (-p.settled_day - p.look_day, 0.0),  # all before the day from which they settle
        (-p.settled_day + 1, 1.0 - drift),  # all after it
    ):
        asked = (rows.alive == 1) & (rows.viable == 1) & (rows.setpoint_mpa > 0.0)
        rows.setpoint_mpa[asked] = 1e3
        for day in range(first, first + p.look_day):  # each cell has its day
            cells.adapt_setpoints(simulation.tissue, 100.0, day)
        assert rows.setpoint_mpa[asked] == pytest.approx(1e3 * left, abs=1.0)
