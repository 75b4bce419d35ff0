"""Breaks of the network, on bodies whose holes and cuts are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.morphometry.breaks import (
    Change,
    changes,
    connected_bone,
    medial,
    thickness_um,
    width_um,
)
from bonesim.morphometry.connectivity import connectivity

VOXEL_UM = 20.0
Quanta = NDArray[np.uint8]


def plate(thickness: int = 6) -> Quanta:
    """A plate through a block of 40 voxels, across z."""
    q = np.zeros((40, 40, 40), np.uint8)
    q[17 : 17 + thickness] = 255
    return q


def lattice_of_rods() -> Quanta:
    """Rods of 5 x 5 voxels along all axes, 20 apart."""
    q = np.zeros((60, 60, 60), np.uint8)
    for a in (8, 28, 48):
        for b in (8, 28, 48):
            q[:, a : a + 5, b : b + 5] = 255
            q[a : a + 5, :, b : b + 5] = 255
            q[a : a + 5, b : b + 5, :] = 255
    return q


def between(before: Quanta, now: Quanta) -> list[Change]:
    return changes(connected_bone(before, VOXEL_UM), connected_bone(now, VOXEL_UM))


@pytest.mark.parametrize("width", [4, 7, 12])
def test_a_hole_through_a_plate_is_one_connection(width: int) -> None:
    holed = plate()
    holed[:, 14 : 14 + width, 14 : 14 + width] = 0
    (found,) = between(plate(), holed)
    assert found.connections == pytest.approx(1.0)
    assert found.removed
    network = connected_bone(holed, VOXEL_UM)
    places = medial(connected_bone(plate(), VOXEL_UM))
    lost = places[~network.ravel()[places]]
    assert width_um(network, lost, VOXEL_UM) == pytest.approx(width * VOXEL_UM, abs=VOXEL_UM)
    (refilled,) = between(holed, plate())
    assert refilled.connections == pytest.approx(-1.0)
    assert not refilled.removed


def test_thickness_in_um_decides_not_the_voxel() -> None:
    """A film thinner than 20 um is a hole; at twice the voxels it is the same film."""
    for fine in (1, 2):
        voxel = VOXEL_UM / fine
        whole = np.repeat(np.repeat(np.repeat(plate(), fine, 0), fine, 1), fine, 2)
        part = slice(14 * fine, 24 * fine)
        for film_um, holes in ((12.0, 1), (30.0, 0)):
            thinned = whole.copy()
            thinned[:, part, part] = 0
            middle = 20 * fine
            layers, rest = divmod(film_um, voxel)
            thinned[middle : middle + int(layers), part, part] = 255
            thinned[middle + int(layers), part, part] = round(255 * rest / voxel)
            found = changes(connected_bone(whole, voxel), connected_bone(thinned, voxel))
            assert sum(one.connections for one in found) == pytest.approx(holes)


def test_a_cut_rod_takes_a_connection_and_a_thinned_one_none() -> None:
    rods = lattice_of_rods()
    cut, thinned = rods.copy(), rods.copy()
    cut[17:22, 28:33, 28:33] = 0
    thinned[17:22, 28:31, 28:33] = 0
    (found,) = between(rods, cut)
    assert found.connections == pytest.approx(-1.0)
    assert not between(rods, thinned)


def test_clusters_that_touch_are_one() -> None:
    """Two shafts that meet at an edge: one cluster, two connections."""
    before = np.zeros((9, 20, 20), bool)
    before[3:6] = True
    now = before.copy()
    now[:, 8:10, 8:10] = now[:, 10:12, 10:12] = False
    (found,) = changes(before, now)
    assert found.connections == pytest.approx(2.0)
    assert found.voxels.size == 24


def test_clusters_add_up_to_the_change_of_the_network() -> None:
    """Random holes, cuts and deposits: bone removed first, then bone added."""
    rng = np.random.default_rng(3)
    before = connected_bone(lattice_of_rods(), VOXEL_UM)
    for _ in range(20):
        changed = lattice_of_rods()
        for value in (0, 0, 0, 255):
            z, y, x = rng.integers(0, 52, 3)
            changed[z : z + 8, y : y + 8, x : x + 8] = value
        now = connected_bone(changed, VOXEL_UM)
        found = sum(one.connections for one in changes(before, now))
        assert found == pytest.approx(connectivity(now) - connectivity(before), abs=1e-9)


def test_medial_voxels_have_the_thickness_of_their_plate_or_rod() -> None:
    for thickness in (4, 5, 6, 9):
        network = connected_bone(plate(thickness), VOXEL_UM)
        places = medial(network)
        assert thickness_um(network, places, VOXEL_UM) == pytest.approx(
            thickness * VOXEL_UM, abs=0.6 * VOXEL_UM
        )
        z = np.unravel_index(places, network.shape)[0]
        assert np.ptp(z) <= 1
    assert np.isnan(thickness_um(~network & network, places, VOXEL_UM))
