"""Open cavities one by one: boxes dug by hand, whose volume, surface and depth are known."""

import numpy as np
import pytest

from bonesim.cells.cavity import add_record
from bonesim.cells.population import new_row
from bonesim.cells.site import FORMING, OSTEOCLAST, REVERSAL
from bonesim.config.config import validated
from bonesim.engine.simulation import Simulation
from bonesim.histology.cavities import OpenCavity, cavity_measures, open_cavities
from bonesim.histology.health import HEALTH
from bonesim.specimens.specimen import Specimen
from bonesim.units import FULL

EDGE, TOP, VOXEL_UM = 44, 24, 20.0


@pytest.fixture
def block() -> Simulation:
    """Half a block of bone."""
    config = validated(
        {"cells": {"bmu": {"origination_per_mm2_per_year": 0.0}}, "schedule": {"burn_in_day": 0}},
        "test",
    )
    quanta = np.zeros((EDGE, EDGE, EDGE), np.uint8)
    quanta[:TOP] = FULL
    s = Simulation(config, Specimen(quanta, VOXEL_UM, "half a block", ()))
    s.cavities.make_room()
    return s


def dug(
    s: Simulation,
    bmu: int,
    y: tuple[int, int],
    x: tuple[int, int],
    deep: int,
    phase: int = REVERSAL,
    top: int = TOP,
) -> None:
    """A site in whose voxels (y, x from, to; `deep` layers below `top`) no bone is left."""
    lattice, cavities = s.tissue.lattice, s.cavities.columns
    site = new_row(cavities.sites)
    cavities.sites.first[site], cavities.sites.nz[site] = -1, -1.0
    cavities.sites.bmu_id[site], cavities.sites.phase[site] = bmu, phase
    inner = np.zeros(s.tissue.padded_shape, np.bool_)
    inner[1 + top - deep : 1 + top, 1 + y[0] : 1 + y[1], 1 + x[0] : 1 + x[1]] = True
    for voxel in np.flatnonzero(inner):
        lattice.quanta[voxel] = 0
        add_record(lattice, cavities, site, voxel, True)
        cavities.records.stock[lattice.owner[voxel]] = FULL


def only(s: Simulation) -> OpenCavity:
    (one,) = open_cavities(s)
    return one


@pytest.mark.parametrize(("side", "deep"), [(10, 2), (8, 3), (14, 1)])
def test_a_box_is_measured_as_it_was_dug(block: Simulation, side: int, deep: int) -> None:
    dug(block, 5, (12, 12 + side), (12, 12 + side), deep)
    one = only(block)
    assert (one.bmu, one.faces) == (5, 0)
    assert one.volume_um3 == pytest.approx(side * side * deep * VOXEL_UM**3)
    # Marching cubes bevels edges: the floor's costs 1 - sqrt(1/2) voxels, the rim's is not its own.
    bevels = 4 * side * (1.0 - np.sqrt(0.5) + 0.5)
    whole = side**2 + 4 * side * deep - bevels
    assert one.area_um2 == pytest.approx(whole * VOXEL_UM**2, rel=0.03)
    assert one.deepest_um == pytest.approx(deep * VOXEL_UM, rel=0.05)


def test_the_deepest_point_counts_not_the_mean(block: Simulation) -> None:
    dug(block, 5, (12, 20), (12, 20), 1)
    dug(block, 5, (20, 26), (12, 20), 4, OSTEOCLAST)
    one = only(block)
    assert one.deepest_um == pytest.approx(4 * VOXEL_UM, rel=0.05)
    assert one.volume_um3 == pytest.approx((64 + 48 * 4) * VOXEL_UM**3)


def test_the_far_side_of_a_thin_plate_is_no_lid(block: Simulation) -> None:
    """Four of six voxels are gone: the floor is nearer to the other side than to its own lid.

    There another cavity has its lid; it is not the first one's either.
    """
    block.tissue.inner(block.tissue.lattice.quanta)[: TOP - 6] = 0
    dug(block, 5, (12, 24), (12, 24), 4)
    assert only(block).deepest_um == pytest.approx(4 * VOXEL_UM, rel=0.05)
    dug(block, 6, (12, 24), (12, 24), 1, top=TOP - 5)
    assert [c.deepest_um for c in open_cavities(block)] == [
        pytest.approx(VOXEL_UM, rel=0.05), pytest.approx(4 * VOXEL_UM, rel=0.05),
    ]  # fmt: skip


def test_what_touches_of_one_bmu_is_one_cavity(block: Simulation) -> None:
    dug(block, 5, (10, 14), (10, 14), 2)
    dug(block, 5, (14, 18), (14, 18), 2)  # touches by an edge
    dug(block, 5, (28, 32), (28, 32), 2)  # of the same BMU, apart
    dug(block, 6, (10, 14), (14, 18), 2)  # of another, side by side
    dug(block, 7, (28, 32), (10, 14), 2, FORMING)  # being filled
    found = open_cavities(block)
    assert sorted((c.bmu, round(c.volume_um3 / VOXEL_UM**3)) for c in found) == [
        (5, 32), (5, 64), (6, 32),
    ]  # fmt: skip


def test_cut_faces_are_mirrors(block: Simulation) -> None:
    """A cavity at a face is half a one, at an edge of the block a quarter; the mean is of whole ones."""
    dug(block, 1, (12, 22), (12, 22), 2)
    dug(block, 2, (0, 8), (12, 22), 3)
    dug(block, 3, (36, 44), (36, 44), 3)
    values = cavity_measures(block)
    inside_mm3 = ((EDGE - 4) * VOXEL_UM / 1000.0) ** 3
    assert values["N.Cv/TV"] == pytest.approx(1.75 / inside_mm3)
    # The rim of two voxels is no part of the interior: 6 of 8 are.
    assert values["Cv.V"] == pytest.approx((200 + 180 + 108) / 1.75 * VOXEL_UM**3)
    assert values["Cv.De"] == pytest.approx((40 + 60 / 2 + 60 / 4) / 1.75, rel=0.05)


def test_less_than_a_territory_is_a_remnant(block: Simulation) -> None:
    dug(block, 1, (12, 22), (12, 22), 2)
    dug(block, 2, (30, 31), (30, 31), 1)
    inside_mm3 = ((EDGE - 4) * VOXEL_UM / 1000.0) ** 3
    assert len(open_cavities(block)) == 2
    assert cavity_measures(block)["N.Cv/TV"] == pytest.approx(1 / inside_mm3)
    assert cavity_measures(block)["Cv.V"] == pytest.approx(200 * VOXEL_UM**3)
    assert cavity_measures(block, least_um2=0.0)["N.Cv/TV"] == pytest.approx(2 / inside_mm3)
    assert cavity_measures(block, least_um2=1e5)["N.Cv/TV"] == 0.0


def test_no_cavity_has_no_size(block: Simulation) -> None:
    values = cavity_measures(block)
    assert values["N.Cv/TV"] == 0.0
    assert np.isnan([values[name] for name in ("Cv.De", "Cv.S", "Cv.V")]).all()


def test_bands_hold_what_lies_within() -> None:
    assert HEALTH["E.De"].holds(47.0)
    assert not HEALTH["E.De"].holds(39.9)
    assert not HEALTH["E.De"].holds(float("nan"))
    # Goff 2012: mean and SD between donors.
    for symbol, mean, sd in (("N.Cv/TV", 1.25, 0.77), ("Cv.De", 30.1, 8.6),
                             ("Cv.S", 80.6e3, 22.2e3), ("Cv.V", 614e3, 312e3)):  # fmt: skip
        band = HEALTH[symbol]
        assert (band.low, band.high) == pytest.approx((mean - sd, mean + sd), rel=1e-3)
