"""A small run with hand-made final events, made once for all tests of pictures."""

from pathlib import Path

import pytest

from bonesim.config.config import validated
from bonesim.engine.run import run

SMALL = {
    "title": "a small run",
    "specimen": {"kind": "synthetic", "size_mm": [1.2, 1.0, 1.1], "seed": 2},
    "hormones": {"course": {"kind": "stepped", "steps": [
        {"start_day": 0, "e2_pg_per_ml": 7.0, "tau_day": 1.0},
        {"start_day": 60, "e2_pg_per_ml": 25.0, "tau_day": 1.0}]}},
    "schedule": {"burn_in_day": 0, "duration_day": 120, "snapshots_day": [0, 60, 120]},
    "cells": {"osteoclast": {"strain_stop": 0.0}},  # so little bone has no hole with it
}  # fmt: skip


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 days, half of them suppressed; snapshots at 0, 60, 120."""
    return run(validated(SMALL, "test"), tmp_path_factory.mktemp("viewer") / "small.vtkhdf")
