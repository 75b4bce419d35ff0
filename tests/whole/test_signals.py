"""Effects of messengers on a whole bone, each arm alone, on common random numbers."""

from typing import Any

import numpy as np
import pytest

from bonesim.cells.site import FORMING, MONONUCLEAR, REVERSAL
from bonesim.config.config import Config, validated
from bonesim.engine.simulation import Simulation

#: Between-person standard deviation of RANKL and of OPG in serum, about; assumed.
SD = 0.4
#: With load twins diverge by chance long before they converge.
NO_SOLVES = {"mechanics__interval_day": 0}


def simulated(seed: int, days: int, size_mm: float, **changes: Any) -> Simulation:
    config = validated({
        "seed": seed,
        "specimen": {"kind": "synthetic", "size_mm": [size_mm] * 3, "seed": seed},
        "schedule": {"burn_in_day": 300, "duration_day": days},
    }, "test").with_changes({name.replace("__", "."): value for name, value in changes.items()})  # fmt: skip
    simulation = Simulation(config)
    while simulation.day < days:
        simulation.step()
    return simulation


@pytest.mark.parametrize(
    ("messenger", "more_is"),
    [
        ("signals__rankl_production", -1),
        pytest.param("signals__opg_production", 1, marks=pytest.mark.long),
    ],
)
def test_rankl_takes_bone_and_opg_keeps_it(messenger: str, more_is: int) -> None:
    """One standard deviation more or less, three seeds against their twins, load not sensed.

    OPG's effect is smaller than the random variation of one small block: the mean and most seeds count.
    """
    kept = {
        level: [
            simulated(seed, 500, 1.6, **{messenger: level, **NO_SOLVES}).bone_quanta()
            for seed in (1, 2, 3)
        ]
        for level in (1 - SD, 1 + SD)
    }
    more, less = np.array(kept[1 + SD], float), np.array(kept[1 - SD], float)
    print(f"{messenger}: bone {100 * (more / less - 1)} % apart after 500 days")
    right = np.sign(more - less) == more_is
    assert right.sum() >= (3 if messenger == "signals__rankl_production" else 2)
    assert np.sign((more / less - 1.0).mean()) == more_is


def depth_um(simulation: Simulation) -> float:
    """Mean osteoclastic depth of the sites at hand that osteoclasts have left."""
    sites: Any = simulation.cavities.sites.columns
    left = (sites.alive == 1) & np.isin(sites.phase, (MONONUCLEAR, REVERSAL, FORMING))
    return float(sites.osteoclast_depth_um[left].mean())


@pytest.mark.slow
def test_menopause_raises_activation_and_deepens_cavities() -> None:
    """E2 100 -> 5 pg/mL: Ac.f x1.6-2.2 (Recker 2004), E.De +5..20 %, osteoclastic +20..60 %."""
    found: dict[float, list[tuple[float, float, float]]] = {}
    for e2 in (100.0, 5.0):
        course = {"kind": "stepped", "e2_pg_per_ml": 100.0,
                  "steps": [{"start_day": 0, "e2_pg_per_ml": e2, "tau_day": 10.0}]}  # fmt: skip
        found[e2] = []
        for seed in (1, 2, 3):
            simulation = simulated(seed, 730, 3.0, hormones__course=course)
            table = simulation.table()
            values = (table["ac_f_per_year"][-1], table["e_de_um"][-1], depth_um(simulation))
            found[e2].append(values)
    before, after = (np.array(found[e2]).mean(axis=0) for e2 in (100.0, 5.0))
    activation, depth, by_osteoclasts = after / before
    print(f"Ac.f x{activation:.2f}, E.De x{depth:.2f}, osteoclastic depth x{by_osteoclasts:.2f}")
    assert 1.6 <= activation <= 2.2
    assert 1.05 <= depth <= 1.20
    assert 1.2 <= by_osteoclasts <= 1.6


def test_every_arm_can_be_switched_off(small: Config, small_bone: Any) -> None:
    """With all local gains at zero cells sense hormones only: the fields' grid does not matter."""
    gains_at_zero = {
        "cells.bmu.death_share": 0.0, "cells.bmu.steering_per_day": 0.0,
        "cells.osteoblast.coupling_exponent": 0.0, "cells.osteoblast.canopy_exponent": 0.0,
        "cells.osteoblast.sclerostin_exponent": 0.0,
        "hormones.response.sclerostin_wall_exponent": 0.0,
        "hormones.response.activation_exponent": 0.0, "hormones.response.speed_exponent": 0.0,
        "mechanics.interval_day": 0,
    }  # fmt: skip
    ends = []
    for grid_um in (60.0, 200.0):
        simulation = Simulation(
            small.with_changes({**gains_at_zero, "signals.grid_um": grid_um}), small_bone
        )
        while simulation.day < 100:
            simulation.step()
        ends.append(simulation.tissue.lattice.quanta.copy())
    assert np.array_equal(*ends)
