"""A hole in a plate: the normal, the width of what goes through, at any turn; what is no hole."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.morphometry.plate_hole import (
    Box,
    bone_along,
    hole_box,
    hole_in,
    plate_in,
    points_of,
    resampled,
    sight_on,
)
from tests.morphometry.phantoms import Floats, places, sampled, turned

UM, EDGE = 20.0, 72
MIDDLE = np.full(3, EDGE * UM / 2.0)


def plate(
    degree: float, hole: float = 0.0, pit: float = 0.0, half: float = 3.0
) -> NDArray[np.uint8]:
    """A plate (voxels: half thickness) with a round hole, or a round pit from one side only."""
    place = turned(places(EDGE), degree)
    depth = half - np.abs(place[0])
    away = np.hypot(place[1], place[2])
    if hole:
        depth = np.minimum(depth, away - hole)
    if pit:
        depth = np.minimum(depth, np.maximum(away - pit, -1.0 - place[0]))
    return sampled(depth)


def normal_of(degree: float) -> Floats:
    """The plate's normal, (z, y, x)."""
    unit = np.eye(3).reshape(3, 3, 1, 1, 1)
    return turned(np.moveaxis(unit, 1, 0), degree)[0].ravel()


@pytest.mark.parametrize("degree", [0.0, 20.0, 70.0])
@pytest.mark.parametrize("radius", [3.0, 7.5])
def test_width_and_volume_are_the_hole_s(degree: float, radius: float) -> None:
    whole, holed = plate(degree), plate(degree, hole=radius)
    sight = sight_on(whole, UM, MIDDLE + 15.0)
    assert abs(sight.towards @ normal_of(degree)) > 0.998
    grid = hole_box(UM)
    first = plate_in(bone_along(whole, UM, sight, grid), grid)
    hole = hole_in(first, bone_along(holed, UM, sight, grid))
    assert hole.width_um == pytest.approx(2.0 * radius * UM, abs=UM)
    assert hole.area_um2 == pytest.approx(np.pi * (radius * UM) ** 2, rel=0.15)
    assert hole.volume_um3 == pytest.approx(hole.area_um2 * 6.0 * UM, rel=0.15)
    assert hole_in(first, bone_along(whole, UM, sight, grid)).width_um == 0.0


def test_a_pinprick_nearer_to_the_place_is_not_the_hole() -> None:
    """What opens beside a hole on a later day does not stand for it."""
    whole, holed = plate(0.0), plate(0.0, hole=4.0)
    sight, grid = sight_on(whole, UM, MIDDLE + np.array([0.0, 150.0, 0.0])), hole_box(UM)
    first = plate_in(bone_along(whole, UM, sight, grid), grid)
    alone = hole_in(first, bone_along(holed, UM, sight, grid)).width_um
    pricked = holed.copy()
    pricked[:, EDGE // 2 + 7 : EDGE // 2 + 9, EDGE // 2 : EDGE // 2 + 2] = 0
    assert hole_in(first, bone_along(pricked, UM, sight, grid)).width_um == alone > 100.0


def test_a_pit_is_no_hole_and_a_far_hole_is_not_at_the_place() -> None:
    whole, pitted = plate(20.0), plate(20.0, pit=6.0)
    assert pitted.sum() < whole.sum()
    sight, grid = sight_on(whole, UM, MIDDLE), hole_box(UM)
    first = plate_in(bone_along(whole, UM, sight, grid), grid)
    assert hole_in(first, bone_along(pitted, UM, sight, grid)).width_um == 0.0
    far = sight_on(whole, UM, MIDDLE + 260.0 * sight.right)
    there = plate_in(bone_along(whole, UM, far, grid), grid)
    holed = plate(20.0, hole=3.0)
    assert hole_in(first, bone_along(holed, UM, sight, grid)).width_um > 0.0
    assert hole_in(there, bone_along(holed, UM, far, grid)).width_um == 0.0


@pytest.mark.parametrize("degree", [0.0, 35.0, 130.0])
def test_the_axes_of_a_sight_are_a_viewer_s(degree: float) -> None:
    """Right, up and towards the viewer are a right-handed set in x, y, z; the other side is one too."""
    for sight in (found := sight_on(plate(degree), UM, MIDDLE), found.turned()):
        axes = np.stack([sight.right, sight.up, sight.towards])[:, ::-1]
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(axes) == pytest.approx(1.0)
        assert sight.up[0] >= -1e-12 or abs(sight.towards[0]) > 0.9
    assert found.towards[1] <= 0.0 or abs(found.towards[1]) < 0.9, "the front is seen"


def test_resampling_follows_a_field_that_is_linear() -> None:
    field = np.einsum("i,i...->...", [1.0, 2.0, -3.0], np.indices((20, 24, 28), dtype=np.float64))
    sight = sight_on(plate(35.0), UM, MIDDLE)
    at = points_of(sight._replace(place_um=np.array([200.0, 240.0, 280.0])), Box(60, 40, 50, 10.0))
    expected = (at / UM - 0.5) @ [1.0, 2.0, -3.0]
    np.testing.assert_allclose(resampled(field, UM, at), expected, atol=1e-3)


def test_no_bone_is_refused() -> None:
    with pytest.raises(InputError, match="no bone within 200 um"):
        sight_on(np.zeros((30, 30, 30), np.uint8), UM, np.full(3, 300.0))
