"""A speck of bone with everything in it, simulated; prints the hash of its state and what happened.

    python tests/whole/hash_of_a_speck.py

Small enough for plain Python: kernels are not compiled under NUMBA_DISABLE_JIT=1.
"""

import json
from typing import Any

import numpy as np

from bonesim.config.config import validated
from bonesim.engine.days import advance
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import state_of
from bonesim.specimens.network import network
from bonesim.specimens.raster import quanta_of
from bonesim.specimens.specimen import Specimen
from bonesim.specimens.synthetic import PRESETS
from bonesim.storage.content_hash import content_hash

#: Turnover so quick that a site is dug and refilled within days; a drug from day 0, and more load.
CONFIG: dict[str, Any] = {
    "seed": 9,
    "protocol": {
        "sex": "male", "age_year": 58, "e2_pg_per_ml": 20.0, "t_ng_per_dl": 300.0,
        "testosterone_cypionate": [{"dose_mg": 100.0, "every_day": 7, "start_day": -5}],
        "anastrozole": [{"dose_mg": 1.0, "every_day": 1, "start_day": 0}],
        "loading": {"change": [{"start_day": 0, "load_percent": 160.0}]},
    },
    "cells": {
        "bmu": {"origination_per_mm2_per_year": 50.0, "area_median_um2": 2e4,
                "young_bone_day": 1.0},
        "osteoclast": {"dig_um_per_day": 6.0, "mononuclear_um": 5.0,
                       "mononuclear_um_per_day": 5.0},
        "osteoblast": {"reversal_day": 1.0, "step_day": 2, "apposition_um_per_day": 3.0},
        "modelling": {"start_per_mm2_per_year": 1000.0, "most_per_mm2_per_year": 1000.0},
    },
    "mechanics": {"interval_day": 8},
    "schedule": {"burn_in_day": 4, "duration_day": 30},
}  # fmt: skip
LAST_DAY = 9


def speck() -> Specimen:
    """A bent plate and a strut across, with a surface of partial voxels."""
    z, y, x = np.indices((12, 13, 14)).astype(float)
    plate = 2.2 - np.abs(y - 6.0 - 0.15 * (x - 6.0))
    strut = 2.0 - np.hypot(z - 5.6, x - 6.3)
    inside = np.maximum(plate, strut)
    return Specimen(np.clip(128.0 + 255.0 * inside, 0, 255).astype(np.uint8), 25.0, "a speck", ())


def grown() -> Any:
    """A few nodes of the synthetic bone, and quanta from them."""
    structure = PRESETS["young_vertebra"]
    distance = network((7, 7, 7), 3, structure)
    return {"distance": distance, "quanta": quanta_of(distance, 30.0, -60.0, (4, 4, 4), 20.0)}


def main() -> None:
    """Simulate and print JSON: the hashes, and what happened."""
    simulation = Simulation(validated(CONFIG, "speck"), speck())
    advance(simulation, LAST_DAY)
    table = simulation.table()
    print(json.dumps({
        "state": content_hash(state_of(simulation)),
        "grown": content_hash(grown()),
        "osteoclasts": float(table["osteoclasts"].max()),
        "osteoblasts": float(table["osteoblasts"].max()),
        "resorbed": float(table["resorbed_quanta"][-1]),
        "formed": float(table["formed_quanta"][-1]),
        "modelled_mm2": float(table["area_modelled_mm2"][-1]),
        "solved": float(np.isfinite(table["mechanics_cycles"][-1])),
        "strain_mean": float(table["strain_mean"][-1]),
        "e2_first": float(table["e2_pg_per_ml"][0]),
        "e2_last": float(table["e2_pg_per_ml"][-1]),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
