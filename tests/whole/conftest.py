"""A small bone, fast enough to be simulated several times."""

from typing import Any

import pytest

from bonesim.config.config import Config, validated
from bonesim.specimens import Specimen, make_specimen

SMALL: dict[str, Any] = {
    "seed": 5,
    "specimen": {"kind": "synthetic", "size_mm": [1.6, 1.5, 1.7], "voxel_um": 20.0, "seed": 2},
    "hormones": {
        "course": {
            "kind": "stepped",
            "steps": [
                {"start_day": 0, "e2_pg_per_ml": 7.0},
                {"start_day": 150, "e2_pg_per_ml": 25.0},
            ],
        }
    },
    "schedule": {
        "burn_in_day": 60,
        "duration_day": 300,
        "snapshots_day": [0, 150, 300],
        "checkpoint_every_day": 100,
    },
}


@pytest.fixture(scope="session")
def small() -> Config:
    """A 1.6 mm block, suppressed for 150 days and followed for 150 more."""
    return validated(SMALL, "test")


@pytest.fixture(scope="session")
def small_bone(small: Config) -> Specimen:
    """Its bone."""
    return make_specimen(small.specimen)
