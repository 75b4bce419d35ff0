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

from bonesim.morphometry.spheres import (
    CELLS,
    COARSE_CELLS,
    COARSE_NEIGHBOURS,
    FINE,
    STEPS,
    ball_of,
    cover,
    paint_spheres,
    sector_of,
    sphere_centres,
)
from bonesim.morphometry.thickness import (
    DIAMETER_OFFSET,
    local_thickness,
    mean_and_sd,
    spheres_over,
    survival_weights,
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


def ball(top: int, shape: tuple[int, ...], cells: int) -> list[tuple[int, tuple[int, ...], int]]:
    """Distance squared, step and sector of each voxel of `ball_of`."""
    begin, steps = ball_of(top, shape, cells)
    found = [
        (q, tuple(map(int, steps[n])), s)
        for s in range(6 * cells**2)
        for q in range(top)
        for n in range(begin[q, s], begin[q + 1, s])
    ]
    assert len(found) == len(steps)
    return found


@pytest.mark.parametrize("cells", [COARSE_CELLS, CELLS])
@pytest.mark.parametrize("shape", [(20, 20, 20), (3, 9, 2)])
def test_sectors_part_a_ball(shape: tuple[int, ...], cells: int) -> None:
    """Each voxel once, at its distance, in the sector of its direction, whatever its length."""
    found = ball(30, shape, cells)
    within = {
        v for v in sphere((0, 0, 0), 30) if all(abs(a) < n for a, n in zip(v, shape, strict=True))
    }
    assert sorted(v for _, v, _ in found) == sorted(within)
    for square, step, sector in found:
        assert square == sum(d * d for d in step)
        assert sector == sector_of(*step, cells) == sector_of(*(3 * d for d in step), cells)
    if shape[0] == 20:
        assert {sector for *_, sector in ball(200, shape, cells)} == set(range(6 * cells**2))


@pytest.mark.parametrize(
    ("cells", "ways"), [(CELLS, len(STEPS)), (COARSE_CELLS, COARSE_NEIGHBOURS)]
)
def test_what_a_neighbour_s_sphere_covers(cells: int, ways: int) -> None:
    """Of each sector the least distance at which a voxel is not covered, found by looking at all."""
    top = 13
    covered = np.full((ways, top + 1, 6 * cells**2), top)
    cover(*ball_of(top, (20, 20, 20), cells), covered)
    voxels = ball(top, (20, 20, 20), cells)
    for way, step in enumerate(STEPS[:ways]):
        for square in range(top + 1):
            over = sphere(tuple(map(int, step)), square)
            expected = [top] * covered.shape[2]
            for q, voxel, sector in voxels:
                if voxel not in over:
                    expected[sector] = min(expected[sector], q)
            assert covered[way, square].tolist() == expected


@settings(max_examples=20, deadline=None)
@given(blocks)
def test_spheres_that_a_neighbour_s_holds_are_left_out(phase: NDArray[np.bool_]) -> None:
    """Held: all voxels that may be in the block, wherever in it the sphere is."""
    if phase.all():
        return
    radius = distance_transform_edt(phase).astype(np.float32)
    squares = np.rint(np.float64(radius) ** 2).astype(int)
    expected = []
    for voxel in np.ndindex(*phase.shape):
        steps = {
            v
            for v in sphere((0, 0, 0), int(squares[voxel]))
            if all(abs(a) < n for a, n in zip(v, phase.shape, strict=True))
        }
        held = not steps
        for step in map(tuple, STEPS.tolist()):
            near = tuple(v + d for v, d in zip(voxel, step, strict=True))
            if all(0 <= v < n for v, n in zip(near, phase.shape, strict=True)):
                larger = squares[near] > squares[voxel]
                held |= bool(larger) and steps <= sphere(step, int(squares[near]))
        if not held:
            expected.append(int(np.ravel_multi_index(voxel, phase.shape)))
    assert sphere_centres(radius).tolist() == expected


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, (4, 5, 6), elements=st.integers(0, 20)), st.data())
def test_only_some_spheres_are_painted(size: NDArray[np.uint8], data: st.DataObject) -> None:
    """What spheres of the others cover is painted already; the two together are all of them."""
    radius = np.sqrt(size, dtype=np.float32)
    only = data.draw(arrays(np.bool_, size.shape))
    largest = np.zeros_like(radius)
    others = np.where(only, np.float32(0), radius)
    paint_spheres(others, largest)
    np.testing.assert_array_equal(largest, plain_spheres(others))
    paint_spheres(radius, largest, only=only)
    np.testing.assert_array_equal(largest, plain_spheres(radius))


def plain_spheres(radius: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every sphere painted, with NumPy."""
    largest = np.zeros_like(radius)
    z, y, x = np.ogrid[tuple(map(slice, radius.shape))]
    for k, j, i in np.argwhere(radius > 0):
        r = radius[k, j, i]
        inside = (z - k) ** 2 + (y - j) ** 2 + (x - i) ** 2 < np.rint(np.float64(r) * r)
        np.maximum(largest, np.where(inside, r, 0), out=largest)
    return largest


def solid(edge: int, hole: float, at: float) -> NDArray[np.bool_]:
    """A cube with a ball of marrow in it."""
    place = np.indices((edge,) * 3) - at
    return np.asarray((place**2).sum(axis=0) >= hole**2)


BODIES = {
    "solid with a hole": solid(22, 4.0, 11.0),
    "solid with a hole in its corner": solid(19, 6.0, 2.3),
    "solid with one voxel out": solid(17, 0.5, 5.0),
    "blob": np.random.default_rng(1).random((14, 17, 19)) < 0.97,
    "plate": np.abs(np.indices((20, 18, 16))[0] - 9) < 5,
    "rod": np.hypot(*(np.indices((18, 20, 20))[1:] - 9.3)) < 6,
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("edge", [False, True])
def test_bodies_with_large_spheres(body: str, edge: bool) -> None:
    """Of solid bone most spheres are large, and many discs are about one place."""
    phase = BODIES[body]
    padded = np.pad(phase, 1, mode="constant" if edge else "edge")
    radius = distance_transform_edt(padded if edge else phase).astype(np.float32)
    radius = np.ascontiguousarray(radius[(slice(1, -1),) * 3] if edge else radius)
    largest, seen = np.zeros_like(radius), []
    paint_spheres(radius, largest, seen.append)
    np.testing.assert_array_equal(largest, plain_spheres(radius))
    assert seen == sorted(set(seen))
    assert seen[-1] == 1.0


def test_the_farther_the_larger() -> None:
    """Spheres in a row that all matter on its first plane: none holds another there."""
    far = np.arange(1, 24)
    radius = np.zeros((24, 15, 15), np.float32)
    radius[1:, 7, 7] = np.sqrt(far**2 - 2 * far + 48)
    largest = np.zeros_like(radius)
    paint_spheres(radius, largest)
    np.testing.assert_array_equal(largest, plain_spheres(radius))


@pytest.mark.parametrize("longest", [95, 262])
def test_spheres_too_large_for_fine_tables(longest: int) -> None:
    """Beyond FINE, and beyond 16 bits: as an all but empty block has."""
    assert longest**2 > FINE
    rng = np.random.default_rng(longest)
    radius = np.where(rng.random((3, 4, 300)) < 0.6, rng.random((3, 4, 300)) * longest, 0)
    radius[:, 0] = np.arange(1, 301) * (longest / 300)
    radius = radius.astype(np.float32)
    largest = np.zeros_like(radius)
    paint_spheres(radius, largest)
    np.testing.assert_array_equal(largest, plain_spheres(radius))


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
    phase = np.ones((4, 4, 4), bool)
    assert np.isinf(local_thickness(phase)).all()
    known = np.indices((4, 4, 4))[0] < 3
    found = local_thickness(np.indices((4, 4, 4))[0] < 3, known)
    assert np.isinf(found[known]).all()
    assert not found[~known].any()
    assert spheres_over(phase).within.max() == 2.0


@settings(max_examples=60, deadline=None)
@given(blocks, st.data())
def test_spheres_by_what_is_known(phase: NDArray[np.bool_], data: st.DataObject) -> None:
    """By the definition: centred on known voxels; `within`, or stopped by known marrow alone."""
    known = data.draw(arrays(np.bool_, phase.shape, elements=st.sampled_from([True, True, False])))
    places = list(np.ndindex(*phase.shape))
    outside = [tuple(c - 1 for c in p) for p in np.ndindex(*(n + 2 for n in phase.shape))]
    solid_voxels = [p for p in outside if p not in set(places) or not known[p] or not phase[p]]
    marrow = [p for p in places if known[p] and not phase[p]]
    found = spheres_over(phase, known)
    mine = [p for p in places if known[p] and phase[p]]
    for got, stops in ((found.within, solid_voxels), (found.reaching, marrow)):
        radius = {c: min((math.dist(c, s) for s in stops), default=math.inf) for c in mine}
        for v in places:
            over = [r for c, r in radius.items() if math.dist(c, v) < r - 1e-9]
            assert got[v] == pytest.approx(max(over, default=0.0) if v in radius else 0.0, rel=1e-6)
    to_edge = {
        c: min(math.dist(c, o) for o in outside if o not in places or not known[o]) for c in mine
    }
    free = {c: min((math.dist(c, s) for s in marrow), default=math.inf) for c in mine}
    for v in mine:
        over = [c for c in mine if math.dist(c, v) < free[c] - 1e-9]
        clear = max((free[c] for c in over if free[c] < to_edge[c]), default=0.0)
        beyond = max((free[c] for c in over if free[c] >= to_edge[c]), default=0.0)
        assert found.cut[v] == (clear < beyond - 1e-9)
    assert not found.cut[~(known & phase)].any()


@settings(max_examples=30, deadline=None)
@given(arrays(np.bool_, (5, 6, 7)), arrays(np.bool_, (5, 6, 7)), arrays(np.bool_, (5, 6, 7)))
def test_what_is_outside_does_not_matter(
    phase: NDArray[np.bool_], outside: NDArray[np.bool_], known: NDArray[np.bool_]
) -> None:
    one, other = (
        spheres_over(np.where(known, phase, beyond), known) for beyond in (outside, ~outside)
    )
    np.testing.assert_array_equal(one.within, other.within)
    np.testing.assert_array_equal(one.reaching, other.reaching)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=30))
def test_survival_by_the_product_over_observations(seen: list[tuple[int, bool]]) -> None:
    values = np.array([v for v, _ in seen])
    ended = np.array([v for v, end in seen if end], int)
    weights = survival_weights(np.bincount(values), np.bincount(ended))
    top = max(values)
    left = 1.0
    for value in range(1, top + 1):
        risk = sum(v >= value for v, _ in seen)
        ends = sum(v == value and (end or value == top) for v, end in seen)
        assert weights[value] == pytest.approx(left * ends / risk)
        left *= 1 - ends / risk
    assert weights.sum() == pytest.approx(1.0)


def test_without_censoring_mean_and_sd_are_plain() -> None:
    phase = solid(24, 5.0, 12.0)
    marrow = ~phase  # within the block: no sphere reaches its edge
    found = mean_and_sd(spheres_over(marrow), marrow)
    thick = local_thickness(marrow)[marrow].astype(float)
    assert found == pytest.approx((thick.mean(), thick.std()))
    assert all(map(math.isnan, mean_and_sd(spheres_over(marrow), np.zeros_like(marrow))))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(("thick", "gap"), [(4, 6), (6, 10), (3, 15), (5, 8), (7, 7)])
def test_plates_are_as_thick_and_far_apart_wherever_the_block_begins(
    thick: int, gap: int, axis: int
) -> None:
    """Gaps and plates that the faces cut count for what is certain of them."""
    pitch = thick + gap
    for shift in range(pitch):
        one = ((np.arange(4 * pitch) + shift) % pitch) < thick
        shape = [1, 1, 1]
        shape[axis] = -1
        size = [20, 20, 20]
        size[axis] = 4 * pitch
        bone = np.broadcast_to(one.reshape(shape), size)
        for phase, wide in ((bone, thick), (~bone, gap)):
            mean, sd = mean_and_sd(spheres_over(phase), phase)
            assert mean == wide + (0.5 if wide % 2 else -0.5)
            assert sd == 0.0


def test_small_cubes_have_the_spacing_of_the_block_they_are_cut_from() -> None:
    """Random blobs: unbiased within a few percent, where either kind of sphere alone is not."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(5).normal(size=(96,) * 3), 4, mode="wrap")
    marrow = noise < noise.std()
    whole = spheres_over(np.pad(marrow, 24, mode="wrap")).reaching[(slice(24, -24),) * 3]
    ratios = []
    for corner in np.ndindex(2, 2, 2):
        cube = tuple(slice(48 * c, 48 * c + 48) for c in corner)
        part = marrow[cube]
        found = spheres_over(np.ascontiguousarray(part))
        truth = 2 * whole[cube][part].mean() + DIAMETER_OFFSET
        plain = [2 * r[part].mean() + DIAMETER_OFFSET for r in (found.within, found.reaching)]
        ratios.append(np.array([mean_and_sd(found, part)[0], *plain]) / truth)
    mean, within, reaching = np.mean(ratios, axis=0)
    assert mean == pytest.approx(1.0, abs=0.04)
    assert within < 0.9
    assert reaching > 1.05
