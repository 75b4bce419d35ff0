"""A study with the parts of each loss: same runs, more columns, other points."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from bonesim.config.config import to_toml, validated
from bonesim.loss.parts import PARTS
from bonesim.sweeps import worker as work
from bonesim.sweeps.study import Study
from bonesim.sweeps.sweep import plan
from tests.sweeps.conftest import HILL

Write = Callable[..., Path]
DESIGN = "seeds = 1\n" + HILL + "values = [1.0]"


@pytest.mark.long
def test_the_same_runs_with_more_columns() -> None:
    config = validated({
        "specimen": {"kind": "synthetic", "size_mm": [1.0, 1.0, 1.0]},
        "mechanics": {"interval_day": 0},
        "cells": {"bmu": {"origination_per_mm2_per_year": 15.0}},
        # Day 0 is no snapshot: losses are since then all the same.
        "schedule": {"burn_in_day": 0, "duration_day": 30, "snapshots_day": [15, 30]},
    }, "test")  # fmt: skip
    text = to_toml(config)
    plain, decomposed = work.outcomes(text, None), work.decomposed_outcomes(text, None)
    assert [row["day"] for row in decomposed] == [15, 30]
    for before, after in zip(plain, decomposed, strict=True):
        assert {name: repr(after[name]) for name in before} == {
            n: repr(v) for n, v in before.items()
        }
        parts = [after[f"loss_{name}_quanta"] for name in PARTS]
        assert sum(parts) == after["loss_total_quanta"]
        assert after["loss_open_space_quanta"] > 0
        percents = [after[f"loss_{name}_percent"] for name in PARTS]
        assert sum(percents) == pytest.approx(after["loss_total_percent"])


def test_a_study_chooses(write: Write, tmp_path: Path) -> None:
    plain = Study(write(DESIGN))
    decomposed = Study(write(DESIGN + "\n[results]\ndecompose = true"))
    assert plain.points()[0].config == decomposed.points()[0].config
    assert tomllib.loads(decomposed.text)["results"] == {"decompose": True}
    # A result of one does not serve the other.
    assert plain.points()[0].id != decomposed.points()[0].id
    assert [study.simulate for study in (plain, decomposed)] == [
        work.outcomes, work.decomposed_outcomes,
    ]  # fmt: skip
    sizes = [plan(study, tmp_path / "out", 1).bytes_per_run for study in (plain, decomposed)]
    assert sizes[0] < sizes[1] < 2 * sizes[0]
