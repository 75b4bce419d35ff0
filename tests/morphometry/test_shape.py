"""Area, SMI and fabric on bodies whose numbers are known, at three resolutions, turned."""

import itertools
import math

import numpy as np
import pytest

from bonesim.morphometry.shape import (
    crossings,
    fabric,
    half_sphere,
    structure_model_index,
    surface_mesh,
)
from tests.morphometry.phantoms import ball, gyroid, places, rod, sampled, slab, turned

SMOOTH = 1.0


def within(edge: int, margin: int) -> np.ndarray:
    region = np.zeros((edge,) * 3, bool)
    region[(slice(margin, edge - margin),) * 3] = True
    return region


@pytest.mark.parametrize("degree", [0.0, 30.0])
@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize(
    ("body", "size", "smi"),
    [(slab, 4.0, 0.0), (rod, 5.0, 3.0), (ball, 8.0, 4.0), (gyroid, 16.0, 0.0)],
)
def test_smi(body, size: float, smi: float, scale: int, degree: float) -> None:  # type: ignore[no-untyped-def]
    edge = 24 * scale
    quanta = sampled(body(turned(places(edge), degree), size * scale))
    mesh = surface_mesh(quanta, within(edge, 3), SMOOTH)
    assert structure_model_index(mesh) == pytest.approx(smi, abs=0.15)


def test_a_ball_s_surface_and_volume_are_the_ball_s() -> None:
    """With the boundary voxels partly full, within 1 %; faces of voxels would be 50 % too much."""
    mesh = surface_mesh(sampled(ball(places(40), 14.0)), np.ones((40,) * 3, bool))
    assert mesh.area() == pytest.approx(4 * math.pi * 14**2, rel=0.01)
    assert mesh.bone == pytest.approx(4 / 3 * math.pi * 14**3, rel=0.005)
    # The mean chord of a ball is 4/3 of its radius, whatever the direction.
    assert 1 / crossings(mesh, half_sphere(64)) == pytest.approx(4 / 3 * 14, rel=0.02)


def test_normals_point_out_of_bone() -> None:
    mesh = surface_mesh(sampled(ball(places(30), 9.0)), np.ones((30,) * 3, bool), SMOOTH)
    out = mesh.vertices - 14.5
    assert ((out * mesh.normals).sum(axis=1) > 0.9 * np.linalg.norm(out, axis=1)).all()
    assert mesh.moved(0.5).area() > mesh.area()


#: Rods along each axis.
GRIDS = [(1, 1, 1), (4, 1, 1), (9, 4, 1), (4, 4, 1)]


def rods_by_hand(lengths: np.ndarray, radius: float, volume: float) -> float:
    """DA of straight rods along the axes: surface met along w is 4 r length sin(angle) each.

    The ellipsoid is fitted to 1/MIL^2 by its definition, over directions of another kind.
    """
    rng = np.random.default_rng(5)
    w = rng.normal(size=(4000, 3))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    met = (4 * radius * lengths * np.sqrt(1 - w**2)).sum(axis=1) / volume
    terms = np.concatenate([w**2, w * np.roll(w, 1, axis=1)], axis=1)
    m = np.linalg.lstsq(terms, met**2, rcond=None)[0][:3]
    return float(np.sqrt(m.max() / m.min()))


@pytest.mark.parametrize(
    ("scale", "numbers"),
    [
        *((1, numbers) for numbers in GRIDS),
        (2, GRIDS[1]),
        *(
            pytest.param(2, numbers, marks=pytest.mark.slow)
            for numbers in GRIDS
            if numbers != GRIDS[1]
        ),
    ],
)
def test_fabric_of_grids_of_rods(numbers: tuple[int, int, int], scale: int) -> None:
    """Rods along each axis, that many a face, apart from one another: DA within 3 %."""
    edge, radius = 96 * scale, 3.0 * scale
    z, y, x = np.indices((edge,) * 3, dtype=np.float32)
    depth = np.full((edge,) * 3, -np.inf, np.float32)
    # Slots of a 4 x 4 grid across each axis, chosen so that no two rods meet.
    across = {0: (y, x), 1: (z, x), 2: (z, y)}
    slots = {0: (0, 2, 0, 2), 1: (1, 3, 0, 2), 2: (1, 3, 1, 3)}
    for axis, count in enumerate(numbers):
        first = slots[axis][0]
        for number in range(count):
            side = math.isqrt(count)
            a, b = divmod(number, side)
            u, v = across[axis]
            pitch = edge / (4 * side)
            at = (a * 4 + 0.5 + first % 4) * pitch, (b * 4 + 0.5 + slots[axis][2] * 1.0) * pitch
            depth = np.maximum(depth, radius - np.hypot(u - at[0], v - at[1]))
    mesh = surface_mesh(sampled(depth), np.ones((edge,) * 3, bool))
    expected = rods_by_hand(np.array(numbers, float) * edge, radius, edge**3)
    assert fabric(mesh).anisotropy == pytest.approx(expected, rel=0.03)
    if numbers[0] > numbers[1]:
        assert abs(fabric(mesh).directions[0, 0]) > 0.99


def test_plates_go_on_for_ever_in_their_plane() -> None:
    found = fabric(surface_mesh(sampled(slab(places(30), 4.0)), np.ones((30,) * 3, bool)))
    assert np.isinf(found.anisotropy)
    assert abs(found.directions[2]) == pytest.approx([1, 0, 0])


def test_axes_are_turned_with_the_bone() -> None:
    region = ball(places(60), 27.0) > 0  # the same part of the body, however it is turned
    straight, slanted = (
        fabric(surface_mesh(sampled(stretched(turned(places(60), degree))), region, SMOOTH))
        for degree in (0.0, 30.0)
    )
    assert slanted.anisotropy == pytest.approx(straight.anisotropy, rel=0.03)
    turn = turned(np.eye(3), 30.0)
    assert abs(slanted.directions[0] @ turn[0]) > 0.99


def stretched(place: np.ndarray) -> np.ndarray:
    """Ellipsoids twice as long as wide, on a grid."""
    z, y, x = place
    cells = [(a + h) % (2 * h) - h for a, h in ((z, 14), (y, 8), (x, 8))]
    return (5.0 - np.sqrt((cells[0] / 2) ** 2 + cells[1] ** 2 + cells[2] ** 2)) * 1.2


def test_regions_add_up() -> None:
    quanta = sampled(ball(places(30), 10.0))
    halves = [np.zeros((30,) * 3, bool) for _ in range(2)]
    halves[0][:16], halves[1][15:] = True, True  # they share the layer the cut goes through
    parts = [surface_mesh(quanta, half) for half in halves]
    whole = surface_mesh(quanta, np.ones((30,) * 3, bool))
    assert sum(p.area() for p in parts) == pytest.approx(whole.area())
    assert sum(p.bone for p in parts) == pytest.approx(whole.bone)
    assert sum(p.cubes for p in parts) == whole.cubes


@pytest.mark.parametrize("flat", [0, 255])
def test_without_surface_there_is_none(flat: int) -> None:
    mesh = surface_mesh(np.full((5, 5, 5), flat, np.uint8), np.ones((5, 5, 5), bool))
    assert mesh.area() == 0.0
    assert math.isnan(structure_model_index(mesh))
    assert math.isnan(fabric(mesh).anisotropy)


def test_mirrored_and_turned_bone_has_the_same_numbers() -> None:
    rng = np.random.default_rng(3)
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(rng.normal(size=(36, 36, 36)), 2.5)
    quanta = np.where(noise > 0.02, 255, 0).astype(np.uint8)
    region = within(36, 3)
    one = surface_mesh(quanta, region, SMOOTH)
    for axes, flip in itertools.product(((1, 2, 0), (2, 1, 0)), (0, 1)):
        other = surface_mesh(
            np.ascontiguousarray(np.flip(quanta.transpose(axes), flip)), region, SMOOTH
        )
        assert structure_model_index(other) == pytest.approx(structure_model_index(one), rel=0.01)
        assert fabric(other).anisotropy == pytest.approx(fabric(one).anisotropy, rel=0.003)
