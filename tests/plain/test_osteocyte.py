"""Lacunae: their number, their ages and deaths against the distributions they are drawn from."""

from collections.abc import Callable

import numpy as np
import pytest

from bonesim.cells.lacuna import OsteocyteColumns
from bonesim.cells.osteocyte import age, populate
from bonesim.cells.population import Rows
from bonesim.lattice.tissue import Tissue
from bonesim.signals.messengers import SignalParameters, Signals

Make = Callable[..., Tissue]
SIZE = 60
DENSITY = 50_000.0  # 0.4 in a full voxel of 20 um


@pytest.fixture
def settled(make_tissue: Make) -> tuple[Tissue, Rows[OsteocyteColumns], int]:
    """Bone with partial voxels, full of lacunae at a mean life of 3000 days."""
    quanta = np.zeros((SIZE, SIZE, SIZE), np.uint8)
    quanta[10:50] = 255
    quanta[50:55] = 160
    quanta[55:] = 100
    tissue = make_tissue(quanta)
    rows = Rows(OsteocyteColumns, 200_000)
    living = populate(tissue.lattice, rows.columns, DENSITY, 3000.0, 3, 0)
    return tissue, rows, int(living)


def test_number_of_lacunae_goes_by_bone_volume(
    settled: tuple[Tissue, Rows[OsteocyteColumns], int],
) -> None:
    tissue, rows, living = settled
    columns = rows.alive_columns()
    quanta = tissue.lattice.quanta[columns["voxel"]]
    voxel_mm3 = (tissue.voxel_um / 1000) ** 3
    for value, layers in ((255, 40), (160, 5), (100, 0)):
        expected = DENSITY * voxel_mm3 * layers * SIZE**2 * value / 255
        assert (quanta == value).sum() == pytest.approx(expected, abs=4.5 * expected**0.5)
    assert np.unique(columns["id"]).size == len(rows)
    assert (columns["born_day"] == tissue.lattice.formed_day[columns["voxel"]].astype(int)).all()
    assert living == columns["viable"].sum()


def test_the_start_has_died_by_its_age(
    settled: tuple[Tissue, Rows[OsteocyteColumns], int],
) -> None:
    _, rows, _ = settled
    columns = rows.alive_columns()
    for low, high in ((0, 500), (2000, 3000), (6000, 9000)):
        ages = -columns["born_day"].astype(float)
        group = (ages >= low) & (ages < high)
        expected = np.exp(-ages[group] / 3000)
        error = 4.5 * np.sqrt((expected * (1 - expected)).sum()) / group.sum()
        assert columns["viable"][group].mean() == pytest.approx(expected.mean(), abs=error)


@pytest.mark.parametrize("look_day", [1, 7])
def test_death_has_the_hazard_at_half_load_whatever_the_interval_of_looks(
    settled: tuple[Tissue, Rows[OsteocyteColumns], int], look_day: int
) -> None:
    tissue, rows, living = settled
    fields = Signals(SignalParameters(), tissue).fields._replace(load_level=0.5)
    died = 0
    for day in range(1, 71):
        lost, dead = age(tissue.lattice, fields, rows.columns, 0.01 / 1.75, 1.5, look_day, 5, day)
        assert lost == 0
        died += dead
    expected = 1 - np.exp(-0.7)
    error = 4.5 * np.sqrt(expected * (1 - expected) / living)
    assert died / living == pytest.approx(expected, abs=error)
    assert rows.alive_columns()["viable"].sum() == living - died


def test_lacunae_go_with_their_bone_within_one_round_of_looks(
    settled: tuple[Tissue, Rows[OsteocyteColumns], int],
) -> None:
    tissue, rows, living = settled
    columns = rows.alive_columns()
    gone = tissue.places_um(columns["voxel"])[:, 0] < 30 * tissue.voxel_um
    tissue.inner(tissue.lattice.quanta)[:30] = 127
    fields = Signals(SignalParameters(), tissue).fields
    counts = np.array([
        age(tissue.lattice, fields, rows.columns, 0.0, 1.0, 8, 5, day)
        for day in range(8)
    ])  # fmt: skip
    assert counts[:, 0].sum() == gone.sum()
    assert counts[:, 1].sum() == columns["viable"][gone].sum()
    left = rows.alive_columns()
    assert (left["id"] == columns["id"][~gone]).all()
    assert left["viable"].sum() == living - counts[:, 1].sum()
