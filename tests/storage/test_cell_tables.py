"""The cells of a simulated run: where they are, and that tables and simulation agree."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from bonesim.cells.bmu_parameters import FINISHING, TRAVELLING
from bonesim.cells.lacuna import LONG_AGO
from bonesim.cells.osteoblast_parameters import APOPTOSIS_FATE, LINING_FATE, OSTEOCYTE_FATE
from bonesim.config.config import Config, validated
from bonesim.engine.run import run as run_to_file
from bonesim.engine.simulation import Simulation
from bonesim.engine.snapshot import cells_of
from bonesim.storage.cell_tables import CELL_COLUMNS, FATES, PHASES, from_version_0_1
from bonesim.storage.reader import open_run
from bonesim.units import BONE

FORMING = 6
#: Axes of three lengths, so that swapped ones show; much turnover.
CONFIG = {
    "title": "cells", "seed": 3,
    "specimen": {"kind": "synthetic", "size_mm": [0.9, 0.8, 0.7], "voxel_um": 20.0, "seed": 6},
    "cells": {"bmu": {"origination_per_mm2_per_year": 6.0}},
    "schedule": {"burn_in_day": 120, "duration_day": 40, "snapshots_day": [0, 40]},
}  # fmt: skip


@pytest.fixture(scope="module")
def config() -> Config:
    return validated(CONFIG, "test")


@pytest.fixture(scope="module")
def path(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_to_file(config, tmp_path_factory.mktemp("cells") / "a.vtkhdf")


@pytest.fixture(scope="module")
def simulation(config: Config) -> Simulation:
    """The same, in memory, at its last day."""
    simulation = Simulation(config)
    while simulation.day < config.schedule.duration_day:
        simulation.step()
    return simulation


def voxels(table: pd.DataFrame, voxel_um: float) -> tuple[NDArray[np.int64], ...]:
    """The voxel of each row, z, y, x."""
    return tuple((table[f"{axis}_um"].to_numpy() // voxel_um).astype(np.int64) for axis in "zyx")


def test_places_are_in_the_lattice_and_centres_of_voxels(path: Path) -> None:
    with open_run(path) as run:
        for population in CELL_COLUMNS:
            for day in run.snapshot_days:
                table = run.cells(population, day)
                assert len(table)
                for axis, count in zip("zyx", run.shape, strict=True):
                    place = table[f"{axis}_um"].to_numpy(np.float64)
                    assert ((place > 0) & (place < count * run.voxel_um)).all()
                    if population != "bmus":
                        assert np.allclose(place / run.voxel_um % 1.0, 0.5)


def test_osteoblasts_sit_where_bone_forms(path: Path) -> None:
    with open_run(path) as run:
        for day in run.snapshot_days:
            place = voxels(run.cells("osteoblasts", day), run.voxel_um)
            assert (run.field("surface_state", day)[place] == FORMING).all()


def test_viable_osteocytes_are_in_bone(path: Path) -> None:
    """But for those whose bone was resorbed within the days between two looks at a cell."""
    with open_run(path) as run:
        for day in run.snapshot_days:
            table = run.cells("osteocytes", day)
            in_bone = run.quanta(day)[voxels(table, run.voxel_um)] >= BONE
            assert in_bone[table["viable"]].mean() > 0.95
            image = run.field("osteocyte_viability", day)
            assert (image[voxels(table[table["viable"]], run.voxel_um)] > 0).all()
        assert table["viable"].sum() == run.table["osteocytes_viable"].iloc[-1]


def test_osteoclasts_and_fronts_are_at_the_surface(path: Path) -> None:
    with open_run(path) as run:
        for day in run.snapshot_days:
            bone = run.quanta(day) >= BONE
            surface = bone & ~ndimage.binary_erosion(bone, border_value=1)
            distance = ndimage.distance_transform_edt(~surface)
            for population in ("osteoclasts", "bmus"):
                away = distance[voxels(run.cells(population, day), run.voxel_um)]
                assert np.percentile(away, 90) <= 2.5
                assert away.max() <= 5.0


def test_normals_and_directions_are_unit_vectors(path: Path) -> None:
    with open_run(path) as run:
        table = run.cells("bmus", 40)
    for name in "nt":
        lengths = np.linalg.norm(table[[f"{name}{axis}" for axis in "xyz"]].to_numpy(), axis=1)
        assert lengths == pytest.approx(1.0, abs=1e-3)


def test_file_and_simulation_agree(path: Path, simulation: Simulation) -> None:
    tables = cells_of(simulation)
    with open_run(path) as run:
        assert run.cells().drop(columns="day").iloc[-1].to_dict() == {
            population: len(rows) for population, rows in simulation.tables().items()
        }
        for population, columns in tables.items():
            table = run.cells(population, 40)
            assert list(columns) == list(CELL_COLUMNS[population])
            for column, values in columns.items():
                assert values.dtype == column.dtype
                kept = table[column.name]
                kept = kept.cat.codes if column.codes else kept
                assert np.array_equal(kept, values, equal_nan=values.dtype.kind == "f")


def test_ages_codes_and_identities_are_of_the_simulation(
    path: Path, simulation: Simulation
) -> None:
    rows = {name: table.alive_columns() for name, table in simulation.tables().items()}
    with open_run(path) as run:
        found = {name: run.cells(name, 40) for name in rows}
    for name, table in found.items():
        assert np.array_equal(table["id"], rows[name]["id"])
        assert np.array_equal(table["age_day"], 40 - rows[name]["born_day"])
    phases = {TRAVELLING: "travelling", FINISHING: "finishing"}
    assert [phases[code] for code in rows["bmus"]["phase"]] == list(found["bmus"]["phase"])
    fates = {OSTEOCYTE_FATE: "osteocyte", LINING_FATE: "lining cell", APOPTOSIS_FATE: "apoptosis"}
    assert [fates[code] for code in rows["osteoblasts"]["fate"]] == list(
        found["osteoblasts"]["fate"]
    )
    assert (tuple(fates.values()), tuple(phases.values())) == (FATES, PHASES)
    sites = simulation.cavities.sites.columns
    site_ids = sites.id[rows["osteoclasts"]["site"]]
    assert np.array_equal(found["osteoclasts"]["site_id"], site_ids)
    osteocytes, raw = found["osteocytes"], rows["osteocytes"]
    dead = raw["viable"] == 0
    assert np.array_equal(osteocytes["viable"], ~dead)
    known = dead & (raw["died_day"] > LONG_AGO)
    assert np.array_equal(osteocytes["died_day"].notna(), known)
    assert np.array_equal(osteocytes["died_day"][known], raw["died_day"][known])
    assert np.array_equal(osteocytes["setpoint_mpa"].notna(), raw["setpoint_mpa"] > 0)


def test_the_rows_of_version_0_1_give_the_same_tables(simulation: Simulation) -> None:
    """Version 0.1 kept the rows of the simulation; those of today still have its columns."""
    for population, rows in simulation.tables().items():
        then = from_version_0_1(
            population, rows.alive_columns(), simulation.day, simulation.tissue.shape,
            simulation.tissue.voxel_um,
        )  # fmt: skip
        now = cells_of(simulation)[population]
        assert list(then) == list(now)
        for column, values in now.items():
            assert then[column].tobytes() == values.tobytes(), column.name
