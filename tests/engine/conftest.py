"""A small bone with hormones, as a config."""

import pytest

from bonesim.config.config import Config, validated


@pytest.fixture(scope="session")
def small() -> Config:
    """A 1 mm block, suppressed from day 0 on."""
    return validated({
        "seed": 5,
        "specimen": {"kind": "synthetic", "size_mm": [1.0, 1.0, 1.0], "seed": 2},
        "hormones": {"course": {"kind": "stepped",
                                "steps": [{"start_day": 0, "e2_pg_per_ml": 7.0}]}},
        "schedule": {"burn_in_day": 30, "duration_day": 30},
    }, "test")  # fmt: skip
