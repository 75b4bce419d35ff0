"""Trials of a dummy: a base config, arms and traits; and results that are made up."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bonesim.trials.parameters import TrialParameters

Write = Callable[..., Path]
BASE = """
[protocol]
e2_pg_per_ml = 9
t_ng_per_dl = 319
[specimen]
kind = "synthetic"
size_mm = [1.0, 1.0, 1.0]
[mechanics]
interval_day = 0
[schedule]
burn_in_day = 10
"""
HEAD = """
title = "a dummy"
base = "base.toml"
visits_day = [20, 40]
changes = ["ls_abmd"]
levels = ["e2_pg_per_ml"]
repeats = 50
"""
ARMS = """
[[arm]]
name = "placebo"
reference = true
people = 3
[[arm]]
name = "drug"
people = 3
set = { "protocol.anastrozole" = { dose_mg = 1.0 } }
"""
COHORT = """
[cohort]
people = 6
bones = 2
seed = 4
[[cohort.trait]]
path = "protocol.e2_pg_per_ml"
name = "own_e2"
distribution = "normal"
mean = 9
sd = 4
low = 2
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a trial and its base; returns the trial's path."""

    def make(*, head: str = HEAD, cohort: str = COHORT, arms: str = ARMS, more: str = "") -> Path:
        (tmp_path / "base.toml").write_text(BASE)
        path = tmp_path / "trial.toml"
        path.write_text(f"{head}\n{cohort}\n{arms}\n{more}")
        return path

    return make


def parameters(**changes: object) -> TrialParameters:
    """A trial of 36 and 33 people with one visit after a year and perfect instruments."""
    tree = {
        "title": "made up", "base": "none.toml", "visits_day": [365], "changes": ["ls_abmd"],
        "levels": [], "cohort": {"people": 69},
        "arm": [
            {"name": "placebo", "reference": True, "people": 33},
            {"name": "drug", "people": 36, "set": {}},
        ],
        "clinic": {"density": {"dxa_cv": 0.0}},
    }  # fmt: skip
    return TrialParameters.model_validate(tree | changes)


def made_up(placebo: Sequence[float], drug: Sequence[float], day: int = 365) -> pd.DataFrame:
    """Results in which person p's spine changed by so many percent in either arm."""
    rows = []
    for arm, changes in (("placebo", placebo), ("drug", drug)):
        for person, change in enumerate(changes):
            start = 1.121
            for when, value in ((0, start), (day, start * (1 + change / 100))):
                rows.append({"person": person, "arm": arm, "seed": 500 + person, "day": when,
                             "ls_abmd": value})  # fmt: skip
    return pd.DataFrame(rows)


def normal_quantiles(n: int, mean: float, sd: float) -> np.ndarray:
    """So many values spread as a normal distribution, with exactly this mean and SD."""
    from scipy.stats import norm

    values = norm.ppf((np.arange(n) + 0.5) / n)
    return mean + sd * (values - values.mean()) / values.std(ddof=1)
