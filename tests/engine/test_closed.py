"""The closed lattice of a simulation: what is open today, exactly; old files; the API."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import bonesim
from bonesim.config.config import validated
from bonesim.engine.run import resume, run
from bonesim.engine.simulation import Simulation
from bonesim.engine.snapshot import SNAPSHOT_COLUMNS, measures_of
from bonesim.errors import CorruptFileError, InputError
from bonesim.histology.surface_state import owned_records
from bonesim.morphometry.closed import CLOSED, closed_lattice
from bonesim.storage import checksums, layout
from bonesim.storage.reader import open_run

CONFIG: dict[str, Any] = {
    "seed": 41,
    "specimen": {
        "kind": "synthetic", "preset": "young_vertebra", "size_mm": [0.9] * 3, "seed": 41,
    },
    "hormones": {"course": {"kind": "constant", "e2_pg_per_ml": 5.0, "t_ng_per_dl": 500.0}},
    "schedule": {"burn_in_day": 0, "duration_day": 30, "snapshots_day": [0, 30]},
    "mechanics": {"interval_day": 0},
    "cells": {"bmu": {"origination_per_mm2_per_year": 15.0}},
}  # fmt: skip


def quanta_of(simulation: Simulation) -> np.ndarray[Any, np.dtype[np.uint8]]:
    tissue = simulation.tissue
    return np.ascontiguousarray(tissue.inner(tissue.lattice.quanta))


def test_before_anything_is_lost_or_formed_the_closed_lattice_is_the_first_day() -> None:
    """To the last quantum, though the bone of today is not."""
    simulation = Simulation(CONFIG)
    first = quanta_of(simulation)
    assert not simulation.stock().any()
    for _ in range(25):
        simulation.step()
    now, stock = quanta_of(simulation), simulation.stock()
    taken = int(first.sum(dtype=np.int64)) - int(now.sum(dtype=np.int64))
    assert taken > 1000
    assert int(stock.sum(dtype=np.int64)) == taken
    np.testing.assert_array_equal(closed_lattice(now, stock), first)
    was = measures_of(Simulation(CONFIG))
    today = measures_of(simulation)
    assert today["roughness"] > was["roughness"]
    for name in ("roughness", "tb_th_um"):
        assert today[f"closed_{name}"] == pytest.approx(was[name], rel=1e-6)
    assert today["open_bv_percent"] > 0.0
    assert was["open_bv_percent"] == 0.0


def test_the_stock_is_that_of_the_records_that_own_their_voxels() -> None:
    simulation = Simulation(CONFIG | {"schedule": {"burn_in_day": 0, "duration_day": 200}})
    for _ in range(150):
        simulation.step()
    voxel, _, stock = owned_records(simulation)
    image = np.zeros(simulation.tissue.padded_shape, np.int64).reshape(-1)
    image[voxel] = stock
    assert stock.sum() > 0
    np.testing.assert_array_equal(simulation.tissue.inner(image), simulation.stock())


def test_closing_stops_at_a_full_voxel_and_needs_one_shape() -> None:
    quanta, stock = np.array([[[0, 200, 255]]], np.uint8), np.array([[[40, 100, 3]]], np.uint8)
    assert closed_lattice(quanta, stock).tolist() == [[[40, 255, 255]]]
    with pytest.raises(InputError, match="must match"):
        closed_lattice(quanta, stock[0])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two snapshots."""
    return run(validated(CONFIG, "closed"), tmp_path_factory.mktemp("closed") / "run.vtkhdf")


def test_a_run_file_has_stock_and_closed_measures(recorded: Path) -> None:
    with open_run(recorded) as opened:
        table = opened.snapshot_table
        assert list(table) == [column.name for column in SNAPSHOT_COLUMNS]
        assert set(CLOSED) <= set(table)
        assert opened.field("stock", 30).any()
        assert "stock" in opened.image(30).cell_data
        closed = closed_lattice(opened.quanta(30), opened.field("stock", 30))
        rows = bonesim.measure(opened).set_index(["day", "measure"])["value"]
        for name in CLOSED:
            np.testing.assert_allclose(rows[30, name], table[name][1])
    whole = bonesim.measure(recorded, closed=True).set_index(["day", "measure"])["value"]
    array = bonesim.measure(closed, 20.0, quanta=True)
    for name, one in array.items():
        np.testing.assert_allclose(whole[30, name], one.value)
    assert (30, "closed_roughness") not in whole.index
    info = bonesim.info(recorded).set_index("day")
    assert info.loc[30, "closed_roughness"] == table["closed_roughness"][1]
    assert info.attrs["units"]["closed_tb_th_um"] == "um"


def test_filled_cavities_are_stiffer_and_as_mineralised_as_the_bone_beside(recorded: Path) -> None:
    options = {"voxels_per_element": 2, "tolerance": 1e-4}
    moduli = {}
    for closed in (False, True):
        table = bonesim.measure_stiffness(recorded, closed=closed, **options)
        table = table[table["measure"] == "apparent_modulus_mpa"].set_index("day")["value"]
        moduli[closed] = table
    assert moduli[True][0] == moduli[False][0]
    assert moduli[True][30] > moduli[False][30]
    # Nothing is lost yet: closed, the bone is that of day 0, with the mineral of 30 days more.
    assert 1.0 <= moduli[True][30] / moduli[False][0] < 1.05


def test_only_runs_can_be_closed() -> None:
    with pytest.raises(InputError, match="run files"):
        bonesim.measure(np.zeros((9, 9, 9), np.uint8), 20.0, quanta=True, closed=True)  # type: ignore[call-overload]


def without_stock(path: Path, place: Path) -> Path:
    """A copy of a run file as a version without stock and closed measures wrote it."""
    place.write_bytes(path.read_bytes())
    with h5py.File(place, "r+") as file:
        for group in (layout.CELL_DATA, layout.OFFSETS, checksums.FIELD_SUMS):
            del file[f"{group}/stock"]
        table = file[layout.SNAPSHOT_TABLE]
        kept = [name for name in layout.column_names(table) if name not in CLOSED]
        for name in CLOSED:
            del table[name]
        layout.set_text(table.attrs, "columns", json.dumps(kept))
    return place


def test_a_file_without_stock_is_read_and_cannot_be_closed(recorded: Path, tmp_path: Path) -> None:
    old = without_stock(recorded, tmp_path / "old.vtkhdf")
    with open_run(old) as opened:
        assert [field.name for field in opened.fields][-1] == "osteocyte_viability"
        assert len(opened.content_hash()) == 64
        assert "stock" not in opened.image(30).cell_data
        with pytest.raises(InputError, match="no image 'stock'"):
            opened.field("stock", 30)
    rows = bonesim.measure(old, quick=True)
    assert not set(CLOSED) & set(rows["measure"])
    assert "closed_roughness" not in bonesim.info(old)
    assert bonesim.verify(old).attrs["wrong"] == 0
    with pytest.raises(InputError, match="earlier version"):
        bonesim.measure(old, closed=True)


def test_a_file_with_other_columns_is_not_continued(tmp_path: Path) -> None:
    path = run(validated(CONFIG, "half"), tmp_path / "half.vtkhdf", until_day=10)
    place = tmp_path / "kept.vtkhdf"
    without_stock(path, place)
    path.write_bytes(place.read_bytes())
    with pytest.raises(InputError, match=r"other columns .*closed_bvtv_percent.*not continued"):
        resume(path)
    with open_run(path) as opened:
        assert opened.last_day == 10


def test_a_missing_field_of_old_is_damage(recorded: Path, tmp_path: Path) -> None:
    """Only what was added may be missing."""
    place = tmp_path / "damaged.vtkhdf"
    place.write_bytes(recorded.read_bytes())
    with h5py.File(place, "r+") as file:
        del file[f"{layout.CELL_DATA}/mineral"]
    with pytest.raises(CorruptFileError):
        open_run(place)
