"""Local thickness: phantoms of known answer, and the definition itself in plain Python."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from bonesim.morphometry.thickness import (
    DIAMETER_OFFSET,
    covering_squares,
    half_widths,
    is_covered,
    local_thickness,
    paint_spheres,
    sphere_centres,
)

blocks = arrays(np.bool_, st.tuples(*[st.integers(2, 6)] * 3))


def grid(shape: tuple[int, int, int]) -> NDArray[np.float64]:
    return np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in shape), indexing="ij"))


@settings(max_examples=80, deadline=None)
@given(blocks)
def test_every_voxel_has_the_largest_sphere_over_it(phase: NDArray[np.bool_]) -> None:
    """Over all centres c with radius r(c): the largest r of those with |c - v| < r."""
    if phase.all() or not phase.any():
        return
    radius = distance_transform_edt(phase)
    expected = np.zeros(phase.shape)
    inside = list(zip(*np.nonzero(phase), strict=True))
    for voxel in inside:
        over = [radius[c] for c in inside if math.dist(c, voxel) < radius[c] - 1e-9]
        expected[voxel] = max(over)
    largest = np.zeros(phase.shape, np.float32)
    paint_spheres(radius.astype(np.float32), largest)
    np.testing.assert_allclose(largest[phase], expected[phase], rtol=1e-6)
    found = local_thickness(phase)
    np.testing.assert_allclose(found[phase], 2 * expected[phase] + DIAMETER_OFFSET, rtol=1e-6)
    assert not found[~phase].any()


def sphere(middle: tuple[int, ...], squared: int) -> set[tuple[int, ...]]:
    """All voxels nearer to the middle than the radius, by looking at each."""
    reach = math.isqrt(squared)
    box = itertools.product(range(-reach, reach + 1), repeat=3)
    return {
        tuple(m + d for m, d in zip(middle, step, strict=True))
        for step in box
        if sum(d * d for d in step) < squared
    }


STEPS = [s for s in itertools.product(range(-2, 3), repeat=3) if any(s)]


@pytest.mark.parametrize("squared", [1, 2, 3, 9, 14, 26])
def test_what_a_neighbour_needs_to_cover_a_sphere(squared: int) -> None:
    """The least square of a radius whose sphere holds the whole other sphere, found by trying."""
    needed = covering_squares(30)
    shapes = sorted({tuple(sorted(map(abs, step))) for step in STEPS})
    assert needed.shape == (len(shapes), 31)
    for row, shape in enumerate(shapes):
        least = next(n for n in range(200) if sphere((0, 0, 0), squared) <= sphere(shape, n))
        assert needed[row, squared] == least


@settings(max_examples=20, deadline=None)
@given(blocks)
def test_a_covered_sphere_lies_within_a_neighbour_s(phase: NDArray[np.bool_]) -> None:
    if phase.all():
        return
    radius = distance_transform_edt(phase).astype(np.float32)
    squares = np.rint(np.float64(radius) ** 2).astype(int)
    needed = covering_squares(int(squares.max()))
    spheres = {v: sphere(v, int(squares[v])) for v in np.ndindex(*phase.shape)}
    for voxel in zip(*np.nonzero(phase), strict=True):
        expected = False
        for step in STEPS:
            near = tuple(int(v + d) for v, d in zip(voxel, step, strict=True))
            if near in spheres and squares[near] > squares[voxel]:
                expected |= spheres[tuple(map(int, voxel))] <= spheres[near]
        assert is_covered(radius, *voxel, needed) == expected
        place = np.ravel_multi_index(voxel, phase.shape)
        assert (place in sphere_centres(radius)) == (not expected)


@pytest.mark.parametrize("squared", [1, 2, 9, 10, 27, 50])
def test_rows_of_a_sphere(squared: int) -> None:
    reach = math.ceil(math.sqrt(squared)) - 1
    widths = np.zeros((reach + 1, reach + 1), np.int64)
    half_widths(squared, reach, widths)
    voxels = sphere((0, 0, 0), squared)
    for dz, dy in np.ndindex(*widths.shape):
        row = [x for z, y, x in voxels if (z, y) == (dz, dy)]
        assert widths[dz, dy] == max(row, default=-1)


def test_long_rows_and_any_radii() -> None:
    """Rows of more than 64 voxels; radii that are no distances, as plates and rods use them."""
    rng = np.random.default_rng(3)
    radius = np.where(rng.random((5, 6, 150)) < 0.03, rng.random((5, 6, 150)) * 5, 0)
    radius = radius.astype(np.float32)
    expected = np.zeros_like(radius)
    for centre in zip(*np.nonzero(radius), strict=True):
        for voxel in sphere(centre, round(float(radius[centre]) ** 2)):
            if all(0 <= v < n for v, n in zip(voxel, radius.shape, strict=True)):
                expected[voxel] = max(expected[voxel], radius[centre])
    largest = np.zeros_like(radius)
    paint_spheres(radius, largest)
    np.testing.assert_array_equal(largest, expected)


@pytest.mark.parametrize("thick", [3, 4, 7, 10, 15])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_plate(thick: int, axis: int) -> None:
    phase = np.zeros((40, 40, 40), bool)
    at = [slice(None)] * 3
    at[axis] = slice(10, 10 + thick)
    phase[tuple(at)] = True
    assert local_thickness(phase)[phase].mean() == pytest.approx(thick, abs=0.51)
    gap = local_thickness(~phase)[~phase]
    assert gap.max() >= 2 * (40 - 10 - thick) - 1  # a marrow space goes on beyond the cut


#: Where the middle of a phantom lies between voxels: results differ by up to a voxel.
PLACES = [(0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.25, 0.5, 0.75), (0.5, 0.0, 0.25), (0.1, 0.8, 0.4)]


@pytest.mark.parametrize("diameter", [6.0, 9.0, 14.0])
@pytest.mark.parametrize("tilt", [0.0, 30.0])
def test_rod(diameter: float, tilt: float) -> None:
    """Within about a voxel on the mean of positions, and too thin: spheres in a round
    cross-section seldom sit in its middle."""
    found = []
    a = math.radians(tilt)
    middle = (slice(12, 28),) * 3
    for place in PLACES:
        z, y, x = grid((40, 40, 40)) - 20.0 - np.array(place).reshape(3, 1, 1, 1)
        phase = np.hypot(math.cos(a) * y - math.sin(a) * z, x) < diameter / 2
        found.append(local_thickness(phase)[middle][phase[middle]].mean())
    assert diameter - 1.1 < np.mean(found) < diameter


def test_an_oblique_plate() -> None:
    z, y, x = grid((48, 48, 48)) - 24.0
    n = np.array([1.0, 2.0, 2.0]) / 3.0
    phase = abs(n[0] * z + n[1] * y + n[2] * x) < 4.5
    middle = (slice(12, 36),) * 3
    found = local_thickness(phase)[middle][phase[middle]]
    assert found.mean() == pytest.approx(9.0, abs=1.0)


def test_balls_converge() -> None:
    """At twice and four times the resolution the error, in the ball's own diameter, halves."""
    errors = []
    for diameter in (8, 16, 32):
        found = []
        for place in PLACES:
            middle = (diameter + 6) / 2 + np.array(place).reshape(3, 1, 1, 1)
            c = grid((diameter + 6,) * 3) - middle
            phase = (c**2).sum(axis=0) < (diameter / 2) ** 2
            found.append(local_thickness(phase)[phase].mean())
        errors.append(abs(np.mean(found) / diameter - 1))
        assert errors[-1] * diameter < 1.6
    assert errors[2] < 0.6 * errors[1] < 0.36 * errors[0] + 0.01


@settings(max_examples=30, deadline=None)
@given(blocks, st.permutations([0, 1, 2]), st.sets(st.integers(0, 2)))
def test_turned_and_mirrored_lattices_are_as_thick(
    phase: NDArray[np.bool_], axes: list[int], mirrored: set[int]
) -> None:
    turned = np.flip(phase.transpose(axes), sorted(mirrored))
    expected = np.flip(local_thickness(phase).transpose(axes), sorted(mirrored))
    np.testing.assert_array_equal(local_thickness(np.ascontiguousarray(turned)), expected)


def test_a_phase_without_surface_is_endless() -> None:
    assert np.isinf(local_thickness(np.ones((4, 4, 4), bool))).all()
