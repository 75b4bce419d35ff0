"""Measures of a user's: columns in table and file, of a day that can only be read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bonesim
from bonesim.config import modules
from bonesim.config.config import Config, load_config, validated
from bonesim.engine.measures import Day, Measure
from bonesim.engine.run import resume, run
from bonesim.engine.simulation import Simulation
from bonesim.engine.without_file import recorded
from bonesim.errors import InputError
from bonesim.specimens import make_specimen
from bonesim.storage.reader import open_run

TREE = {
    "specimen": {"kind": "synthetic", "size_mm": [0.8, 0.8, 0.8], "voxel_um": 25},
    "mechanics": {"interval_day": 0},
    "schedule": {"burn_in_day": 5, "duration_day": 12, "checkpoint_every_day": 5},
}
MODULE = """
def full_percent(day):
    \"\"\"Voxels full of bone.\"\"\"
    return 100.0 * (day.quanta == 255).mean()
"""
TOML = """
specimen = {kind = "synthetic", size_mm = [0.8, 0.8, 0.8], voxel_um = 25}
mechanics = {interval_day = 0}
schedule = {burn_in_day = 5, duration_day = 12, checkpoint_every_day = 5}
[[measure]]
module = "mine.py"
function = "full_percent"
unit = "%"
every_day = 3
"""


@pytest.fixture
def config() -> Config:
    return validated(TREE, "test")


def bone(day: Day) -> float:
    return float(day.quanta.sum(dtype=np.int64))


def measure(name: str = "own_quanta", **given: Any) -> Measure:
    return Measure(name, "quanta", "bone", bone, **given)


def test_a_measure_is_a_column_of_table_and_file(config: Config, tmp_path: Path) -> None:
    path = run(config, tmp_path / "a.vtkhdf", observers=[measure()])
    with open_run(path) as file:
        table, column = file.table, file.columns("table")[-1]
        assert (table["own_quanta"] == table["bone_quanta"]).all()
        assert (column.name, column.unit, column.meaning) == ("own_quanta", "quanta", "bone")
        assert table.attrs["units"]["own_quanta"] == "quanta"
        assert len(table) == 13
        plain = table.drop(columns="own_quanta")
    with open_run(run(config, tmp_path / "b.vtkhdf")) as file:
        assert file.table.equals(plain)


def test_a_run_with_a_measure_is_resumed(config: Config, tmp_path: Path) -> None:
    every = measure(every_day=3)
    straight = run(config, tmp_path / "a.vtkhdf", observers=[every])
    path = run(config, tmp_path / "b.vtkhdf", observers=[every], until_day=7)
    with pytest.raises(InputError, match="own_quanta"):
        resume(path)
    resume(path, observers=[every])
    with open_run(straight) as one, open_run(path) as other:
        assert one.table.equals(other.table)
        days = one.table["day"][one.table["own_quanta"].notna()]
        assert days.tolist() == [0, 3, 6, 9, 12]


def test_a_day_can_only_be_read(config: Config) -> None:
    simulation = Simulation(config)
    while simulation.day < 3:
        simulation.step()
    day = Day(simulation)
    arrays = [
        day.quanta,
        day.image("mineral"),
        day.messenger("rankl"),
        *day.cells("osteocytes").values(),
    ]
    for array in arrays:
        assert array.size
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    assert simulation.tissue.lattice.quanta.flags.writeable
    assert day.table["bvtv_percent"] == simulation.table()["bvtv_percent"][-1]
    assert day.drive is simulation.drive
    simulation.step()
    with pytest.raises(InputError, match="allowed quanta, mineral"):
        day.image("colour")


def test_a_config_s_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "_LOADED", {})
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "c.toml").write_text(TOML)
    path = bonesim.run(tmp_path / "c.toml", tmp_path / "a.vtkhdf", until_day=6)
    with open_run(path) as file:
        digest = file.config["modules"][0]["sha256"]
        assert file.columns("table")[-1].meaning == "Voxels full of bone."
        assert np.isfinite(file.table["full_percent"]).sum() == 3
    monkeypatch.setattr(modules, "_LOADED", {})
    with pytest.raises(InputError, match=f"mine.py .sha256 {digest[:12]}"):
        resume(path)
    bonesim.load_module(tmp_path / "mine.py")
    resume(path)
    config = load_config(tmp_path / "c.toml")
    with open_run(path) as file:
        without = recorded(config, make_specimen(config.specimen)).daily
        assert without["full_percent"].equals(file.table["full_percent"])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda day: 1 / 0, "measure x_percent: day 0: ZeroDivisionError: division by zero"),
        (lambda day: "much", "returned 'much'; return a number"),
        (lambda day: day.cells("adipocytes"), "day 0: got population 'adipocytes'; allowed bmus"),
    ],
)
def test_a_measure_that_fails_is_one_line(
    config: Config, tmp_path: Path, function: Any, message: str
) -> None:
    one = Measure("x_percent", "%", "nothing", function)
    with pytest.raises(InputError) as error:
        run(config, tmp_path / "a.vtkhdf", observers=[one])
    assert message in str(error.value)


def test_names_are_free_and_functions_there(config: Config, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is such a column"):
        run(config, tmp_path / "a.vtkhdf", observers=[measure("bvtv_percent")])
    with pytest.raises(InputError, match="there is such a column"):
        run(config, tmp_path / "a.vtkhdf", observers=[measure(), measure()])
    with pytest.raises(InputError, match="allowed a-z, 0-9 and _"):
        measure("own/percent")
    (tmp_path / "mine.py").write_text("x = 1\n")
    (tmp_path / "c.toml").write_text(TOML)
    with pytest.raises(InputError, match="has no function full_percent"):
        bonesim.run(tmp_path / "c.toml", tmp_path / "a.vtkhdf")
