"""The one number of `the_trap_of_replacement`, on 60 of its 1,000 men."""

from pathlib import Path

import pytest

from tests.experiments.conftest import script


def test_on_replacement_the_daily_tablet_takes_all_that_it_can_reach(tmp_path: Path) -> None:
    trap = script("the_trap_of_replacement")
    names = ["no drug", "anastrozole 1 mg/day alone", "TC + 0.5 mg 2x/week", "TC + 1 mg/day"]
    table = trap.table_of({name: trap.estradiol(name, 60) for name in names}).set_index(
        "prescription"
    )
    of_own = table["of_own"]
    assert of_own["TC + 1 mg/day"] == pytest.approx(0.34, abs=0.04)
    assert of_own["TC + 1 mg/day"] < of_own["anastrozole 1 mg/day alone"] - 0.05
    assert of_own["TC + 0.5 mg 2x/week"] == pytest.approx(1.1, abs=0.25)
    trap.draw({name: trap.estradiol(name, 5) for name in names}, tmp_path / "e2.png")
    assert (tmp_path / "e2.png").stat().st_size > 10_000
