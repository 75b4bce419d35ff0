"""Synthetic bone point by point: geometry in NumPy and splines in SciPy against the kernels."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.interpolate import BSpline
from scipy.ndimage import binary_dilation, map_coordinates

from bonesim.chance import SPECIMEN, normal, uniform
from bonesim.specimens import field
from bonesim.specimens.field import (
    COLUMN,
    MARGIN,
    NEAREST,
    SCATTER_Z,
    SPACING_UM,
    SPLINE_SD,
    edge_id,
    face_id,
    inside_out,
    mixed,
    nearest_points,
    noise_at,
    noise_extent,
    noise_nodes,
    noise_row,
    place_id,
    scatter,
    scattered,
    smooth_min,
    spline_slopes,
    spline_weights,
)
from bonesim.specimens.network import (
    BETWEEN_FACES,
    COARSE_UM,
    FILLET_UM,
    FINE_SHARE,
    FINE_UM,
    LEVEL_THINNER,
    MIDDLE_UM,
    RELIEF_UM,
    ROD_SD,
    ROUND_UM,
    Structure,
    bone_distance,
    describe,
    edge_at,
    face_alignment,
    face_distance,
    face_level,
    margin_of,
    network,
    noise_over,
    plate_distance,
    points_over,
    rod_distance,
)
from bonesim.specimens.raster import _quanta, combined_row, quanta_of
from bonesim.specimens.specimen import with_skin
from bonesim.units import BONE

SEED = 5
FAR = 90.0
BONE_KIND = Structure(
    cell_um=900.0, elongation=1.3, width_um=40.0, width_sd_um=120.0, upright_um=90.0,
    aligned_um=110.0, plate_um=130.0, rod_share=0.7, rod_um=140.0, thickness_sd=0.3, bending_um=60.0,
)  # fmt: skip
BASIS = BSpline.basis_element(np.arange(5.0) - 2.0, extrapolate=False)
small = st.integers(-1000, 1000)


def basis(t: float) -> np.ndarray:
    """The cubic B-spline of nodes -1, 0, 1, 2 at t."""
    return np.nan_to_num(BASIS(t - np.array([-1.0, 0.0, 1.0, 2.0])))


@given(st.floats(0, 0.999))
def test_weights_are_the_cubic_b_spline(t: float) -> None:
    weights, slopes = np.zeros(4), np.zeros(4)
    spline_weights(t, weights)
    spline_slopes(t, slopes)
    np.testing.assert_allclose(weights, basis(t), atol=1e-12)
    assert weights.sum() == pytest.approx(1)
    expected = np.nan_to_num(BASIS.derivative()(t - np.array([-1.0, 0.0, 1.0, 2.0])))
    np.testing.assert_allclose(slopes, expected, atol=1e-9)


@given(st.lists(st.tuples(small, small, small), min_size=2, max_size=30, unique=True))
def test_places_have_names_of_their_own(places: list[tuple[int, int, int]]) -> None:
    names = [int(place_id(*place)) for place in places]
    assert len(set(names)) == len(names)
    k, j, i = places[0]
    assert names[0] == ((k + 2**20) << 42) + ((j + 2**20) << 21) + i + 2**20


@given(*[st.integers(0, 2**64 - 1)] * 3)
def test_borders_have_one_name_from_all_sides(a: int, b: int, c: int) -> None:
    def splitmix(x: int, y: int) -> int:
        x = (x * 0x9E3779B97F4A7C15 + y) % 2**64
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
        return x ^ (x >> 31)

    u = [np.uint64(v) for v in (a, b, c)]
    assert int(mixed(u[0], u[1])) == splitmix(a, b)
    assert int(face_id(u[0], u[1])) == int(face_id(u[1], u[0])) == splitmix(*sorted((a, b)))
    low, middle, high = sorted((a, b, c))
    for order in itertools.permutations(u):
        assert int(edge_id(*order)) == splitmix(splitmix(low, middle), high)


@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(1, 50))
def test_the_smooth_minimum(a: float, b: float, radius: float) -> None:
    found = smooth_min(a, b, radius)
    assert found <= min(a, b)
    assert found == pytest.approx(min(a, b) - max(radius - abs(a - b), 0) ** 2 / (4 * radius))


def test_neighbours_are_looked_at_from_inside_out() -> None:
    assert [inside_out(n) for n in range(5)] == [0, -1, 1, -2, 2]


def test_points_are_scattered_in_their_cells() -> None:
    low, count = np.array([-2, 0, 3]), np.array([3, 4, 2])
    points, names = scatter(low, count, SEED)
    for place in np.ndindex(3, 4, 2):
        node = [int(n) for n in low + place]
        entity = place_id(*node)
        column = place_id(2**20 - 1, *node[1:])
        assert names[place] == entity
        u = uniform(SEED, field._POINT_Z, entity, SPECIMEN)
        assert points[place][0] == pytest.approx(node[0] + 0.5 + SCATTER_Z * (u - 0.5))
        for axis, purpose in ((1, field._POINT_Y), (2, field._POINT_X)):
            own, shared = (uniform(SEED, purpose, one, SPECIMEN) for one in (entity, column))
            expected = COLUMN * shared + (1 - COLUMN) * own
            assert scattered(SEED, purpose, entity, column) == pytest.approx(expected)
            assert points[place][axis] == pytest.approx(node[axis] + expected)


def noise(low: np.ndarray, nodes: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Smooth noise at a place (in spacings of nodes), one number a field: SciPy's spline."""
    at = (place - low).reshape(3, 1)
    return np.array([
        map_coordinates(nodes[..., n], at, order=3, prefilter=False)[0] / SPLINE_SD
        for n in range(nodes.shape[-1])
    ])  # fmt: skip


def test_smooth_noise_is_a_spline_of_normal_numbers() -> None:
    low, count = np.array([-3, -1, 0]), np.array([7, 8, 9])
    nodes = noise_nodes(low, count, 2, 4, SEED)
    for place in np.ndindex(7, 8, 9):
        entity = place_id(*(int(n) for n in low + place))
        for n in range(2):
            assert nodes[place][n] == normal(SEED, field._NOISE + 4 + n, entity, SPECIMEN)
    rng = np.random.default_rng(1)
    scratch, row, found = np.zeros((2, 4)), np.zeros((9, 2)), np.zeros(2)
    for _ in range(50):
        z, y, x = low + 1.01 + rng.uniform(size=3) * (count - 4.0)
        noise_row(nodes, low, z, y, scratch, row)
        noise_at(row, int(low[2]), x, scratch[0], found)
        np.testing.assert_allclose(found, noise(low, nodes, np.array([z, y, x])), rtol=1e-9)


def nearest(place: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The nearest of all points, nearest first."""
    flat = points.reshape(-1, 3)
    return np.argsort(((flat - place) ** 2).sum(axis=1), kind="stable")[:NEAREST]


def test_the_nearest_points_of_all() -> None:
    low = np.array([-4, -4, -4])
    points, _ = scatter(low, np.array([9, 9, 9]), SEED)
    rng = np.random.default_rng(2)
    index, square = np.zeros(NEAREST, np.int64), np.zeros(NEAREST)
    for _ in range(200):
        place = rng.uniform(-1.5, 2.5, 3)
        nearest_points(place, points, low, index, square)
        assert index.tolist() == nearest(place, points).tolist()
        expected = ((points.reshape(-1, 3)[index] - place) ** 2).sum(axis=1)
        np.testing.assert_allclose(square, expected)


def rise(p: np.ndarray, a: np.ndarray, b: np.ndarray, cell: np.ndarray) -> tuple[float, np.ndarray]:
    """How much further (half squares, grid units) b is than a from p (um), and its gradient."""
    value = 0.5 * (((p / cell - b) ** 2).sum() - ((p / cell - a) ** 2).sum())
    return float(value), (a - b) / cell


def to_face(p: np.ndarray, a: np.ndarray, b: np.ndarray, cell: np.ndarray) -> float:
    """Distance (um) to the plane of equal grid distance."""
    value, gradient = rise(p, a, b, cell)
    return value / float(np.linalg.norm(gradient))


def to_edge(p: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, cell: np.ndarray) -> tuple[float, float]:  # fmt: skip # noqa: E501
    """The shortest step to the line where three are equally near, and how upright that line is."""
    (f, along_f), (g, along_g) = rise(p, a, b, cell), rise(p, a, c, cell)
    planes = np.array([along_f, along_g])
    if np.linalg.matrix_rank(planes / np.linalg.norm(planes, axis=1)[:, None], tol=1e-4) < 2:
        return 1e5, 0.0
    line = np.cross(along_f, along_g)
    step = np.linalg.lstsq(planes, -np.array([f, g]), rcond=None)[0]
    return float(np.linalg.norm(step)), float(line[0] ** 2 / (line @ line))


def level(gradient: np.ndarray) -> float:
    """The squared cosine of the plane's normal to the vertical."""
    return float(gradient[0] ** 2 / (gradient @ gradient))


def aligned(gradient: np.ndarray, along: np.ndarray) -> float:
    """Twice the squared cosine of the plane's normal to a direction across z, less its mean."""
    cosine = gradient[1:] @ along / (np.linalg.norm(gradient) * np.linalg.norm(along))
    return float(2 * cosine**2 - 2 / 3)


def rod(edge: float, upright: float, thickness: float, name: Any, s: Structure) -> float:
    """Distance to a rod's surface, if there is one."""
    if uniform(SEED, 12, name, SPECIMEN) >= s.rod_share:
        return FAR
    mean = s.rod_um / 2 * thickness * (1 + LEVEL_THINNER * (3 * upright - 1))
    own = math.exp(ROD_SD * normal(SEED, 13, name, SPECIMEN) - ROD_SD**2 / 2)
    return float(edge - mean * own) if edge < 2 * mean + FAR else FAR


def margin(edges: list[float]) -> float:
    """The nearest of some edges, with round corners."""
    return -ROUND_UM * math.log(sum(math.exp(-e / ROUND_UM) for e in edges))


def plate(face: float, gradient: np.ndarray, edges: list[float], thickness: float, coarse: np.ndarray, name: Any, s: Structure) -> float:  # fmt: skip # noqa: E501
    """Distance to a plate's surface: as wide as its face, its place and its direction make it."""
    half = s.plate_um / 2 * thickness * (1 + LEVEL_THINNER * (1 - 3 * level(gradient)))
    if face - half >= FAR:
        return FAR
    own = normal(SEED, 11, name, SPECIMEN)
    spread = math.sqrt(BETWEEN_FACES) * own + math.sqrt(1 - BETWEEN_FACES) * coarse[0]
    width = (
        s.width_um + s.width_sd_um * spread + s.upright_um * (1 - 3 * level(gradient))
        + s.aligned_um * aligned(gradient, coarse[1:])
    )  # fmt: skip
    return -smooth_min(half - face, width - margin(edges), half)


def surface(p: np.ndarray, points: np.ndarray, names: np.ndarray, cell: np.ndarray, thickness: float, coarse: np.ndarray, s: Structure) -> float:  # fmt: skip # noqa: E501
    """Distance to bone from the nearest cells' faces and edges, rounded where they meet."""
    order = nearest(p / cell, points)
    q, entity = points.reshape(-1, 3)[order], names.reshape(-1)[order]
    others = range(1, NEAREST)
    edge = {
        (b, c): to_edge(p, q[0], q[b], q[c], cell) for b, c in itertools.combinations(others, 2)
    }
    found, reach = FAR, max(0.6 * s.plate_um, s.rod_um) * thickness + FAR
    for (b, c), (distance, upright) in edge.items():
        if distance >= reach:
            continue
        name = np.uint64(edge_id(entity[0], entity[b], entity[c]))
        found = smooth_min(found, rod(distance, upright, thickness, name, s), FILLET_UM)
    for b in others:
        if to_face(p, q[0], q[b], cell) >= reach:
            continue
        _, gradient = rise(p, q[0], q[b], cell)
        edges = [d for pair, (d, _) in edge.items() if b in pair]
        one = plate(to_face(p, q[0], q[b], cell), gradient, edges, thickness, coarse,
                    np.uint64(face_id(entity[0], entity[b])), s)  # fmt: skip
        found = smooth_min(found, one, FILLET_UM)
    return min(found, FAR)


def test_faces_edges_plates_and_rods() -> None:
    cell = np.array([1100.0, 850.0, 850.0])
    low = np.array([-4, -4, -4])
    points, names = scatter(low, np.array([9, 9, 9]), SEED)
    rng = np.random.default_rng(3)
    index, square = np.zeros(NEAREST, np.int64), np.zeros(NEAREST)
    near, entity = np.zeros((NEAREST, 4)), np.zeros(NEAREST, np.uint64)
    kinds = set()
    for _ in range(300):
        place, thickness, coarse = (
            rng.uniform(-1.2, 1.2, 3),
            rng.uniform(0.5, 2),
            rng.normal(size=3),
        )
        p = place * cell
        nearest_points(place, points, low, index, square)
        describe(place, points, names, cell, index, square, near, entity)
        q = points.reshape(-1, 3)[index]
        assert entity.tolist() == names.reshape(-1)[index].tolist()
        edges = np.zeros((NEAREST, NEAREST))
        for b, c in itertools.permutations(range(1, NEAREST), 2):
            expected = to_edge(p, q[0], q[b], q[c], cell)
            edge, upright = edge_at(b, c, near)
            assert (edge, upright) == pytest.approx(expected, rel=1e-6, abs=1e-5)
            edges[b, c] = edge
            name = np.uint64(edge_id(entity[0], entity[b], entity[c]))
            assert rod_distance(edge, upright, thickness, name, SEED, BONE_KIND) == pytest.approx(
                rod(edge, upright, thickness, name, BONE_KIND), rel=1e-9
            )
        for b in range(1, NEAREST):
            _, gradient = rise(p, q[0], q[b], cell)
            edges[b, b] = face_distance(b, near)
            around = [edges[b, c] for c in range(1, NEAREST) if c != b]
            assert edges[b, b] == pytest.approx(to_face(p, q[0], q[b], cell), abs=1e-6)
            assert face_level(b, near) == pytest.approx(level(gradient))
            assert face_alignment(b, near, coarse[1], coarse[2]) == pytest.approx(
                aligned(gradient, coarse[1:])
            )
            assert margin_of(b, edges) == pytest.approx(margin(around))
            name = np.uint64(face_id(entity[0], entity[b]))
            one = plate(edges[b, b], gradient, around, thickness, coarse, name, BONE_KIND)
            found = plate_distance(b, edges, thickness, coarse, near, name, SEED, BONE_KIND)
            assert found == pytest.approx(one, abs=1e-6)
            kinds.add(found < FAR)
        found = bone_distance(near, entity, thickness, coarse, SEED, BONE_KIND, edges)
        one = surface(p, points, names, cell, thickness, coarse, BONE_KIND)
        assert found == pytest.approx(one, rel=1e-6, abs=1e-5)
    assert kinds == {True, False}


def test_points_and_noise_cover_a_grid() -> None:
    """Every place that bending can reach has two cells of points, and noise two nodes, around it."""
    shape, cell, reach = (9, 11, 20), np.array([500.0, 400.0, 300.0]), 130.0
    low, points, names = points_over(shape, cell, reach, SEED)
    same, identities = scatter(low, np.array(names.shape), SEED)
    np.testing.assert_array_equal(points, same)
    np.testing.assert_array_equal(names, identities)
    first_um = -MARGIN * SPACING_UM - reach
    last_um = (np.array(shape) - 1 - MARGIN) * SPACING_UM + reach
    assert (low <= np.floor(first_um / cell) - 2).all()
    assert (low + names.shape > np.floor(last_um / cell) + 2).all()
    begin, nodes, row = noise_over(shape, FINE_UM, 3, 7, SEED)
    expected, count = noise_extent(shape, FINE_UM)
    assert begin.tolist() == expected.tolist()
    np.testing.assert_array_equal(nodes, noise_nodes(expected, count, 3, 7, SEED))
    assert row.shape == (count[2], 3)


def test_a_whole_small_network() -> None:
    """Everything at once, node by node: bent places, thickness, the nearest cells, their borders."""
    shape, s = (11, 12, 10), BONE_KIND
    found = network(shape, SEED, s)
    width = s.cell_um * s.elongation ** (-1 / 3)
    cell = np.array([width * s.elongation, width, width])
    low = np.array([-6, -6, -6])
    points, names = scatter(low, np.array([14, 14, 14]), SEED)
    fields = {}
    for spacing, number, first in ((MIDDLE_UM, 4, 0), (FINE_UM, 4, 4), (COARSE_UM, 3, 8)):
        begin, count = noise_extent(shape, spacing)
        for axis in range(3):
            nodes_um = spacing * np.array([begin[axis], begin[axis] + count[axis] - 1])
            assert nodes_um[0] <= -MARGIN * SPACING_UM - spacing
            assert nodes_um[1] >= (shape[axis] - 1 - MARGIN) * SPACING_UM + spacing
        fields[spacing] = (begin, noise_nodes(begin, count, number, first, SEED))
    reach = 6 * (s.bending_um + RELIEF_UM)
    for node in np.ndindex(*shape):
        if sum(node) % 3:
            continue
        p = (np.array(node) - MARGIN) * SPACING_UM
        middle, fine, coarse = (
            noise(*fields[um], p / um) for um in (MIDDLE_UM, FINE_UM, COARSE_UM)
        )
        bent = p + np.clip(s.bending_um * middle[:3] + RELIEF_UM * fine[:3], -reach, reach)
        varied = math.sqrt(1 - FINE_SHARE) * middle[3] + math.sqrt(FINE_SHARE) * fine[3]
        thickness = math.exp(s.thickness_sd * varied - s.thickness_sd**2 / 2)
        expected = surface(bent, points, names, cell, thickness, coarse, s)
        assert found[node] == pytest.approx(expected, rel=1e-6, abs=1e-4), node


@given(st.floats(-3, 3), st.floats(0.01, 3))
def test_quanta_of_a_flat_surface_through_a_voxel(value: float, slope: float) -> None:
    share = np.clip(0.5 - value / slope, 0, 1)
    found = int(_quanta(value, slope))
    assert abs(found - 255 * share) <= 0.5 + 1e-9
    assert (found >= BONE) == (value <= 0) or abs(value / slope) < 1 / 255


def test_quanta_of_a_smooth_field() -> None:
    """SciPy's spline of the same coefficients; its slope by differences."""
    rng = np.random.default_rng(4)
    distance = rng.normal(size=(12, 12, 12)) * 20.0
    spacing, first, voxel, shape = 30.0, -75.0, 20.0, (8, 9, 7)
    found = quanta_of(distance, spacing, first, shape, voxel)

    def value(place_um: np.ndarray) -> float:
        at = ((place_um - first) / spacing).reshape(3, 1)
        return float(map_coordinates(distance, at, order=3, prefilter=False)[0])

    for node in np.ndindex(*shape):
        p = (np.array(node) + 0.5) * voxel
        steps = np.eye(3) * 1e-3
        slope = [(value(p + step) - value(p - step)) / 2e-3 for step in steps]
        steepness = math.hypot(*slope) * voxel
        assert abs(int(found[node]) - int(_quanta(value(p), steepness))) <= 1
    row, weights = np.zeros((3, 12)), rng.normal(size=(4, 4))
    combined_row(distance, 4, 6, weights, row)
    block = distance[3:7, 5:9]
    for n, (z, y) in enumerate(((0, 2), (1, 2), (0, 3))):
        np.testing.assert_allclose(row[n], np.einsum("c,b,cbi->i", weights[z], weights[y], block))


@settings(max_examples=50)
@given(
    arrays(
        np.uint8, st.tuples(*[st.integers(2, 6)] * 3), elements=st.sampled_from([0, 60, 128, 255])
    ),
    st.data(),
)
def test_bone_keeps_its_skin(quanta: np.ndarray, data: st.DataObject) -> None:
    chosen = data.draw(arrays(np.bool_, quanta.shape))
    kept = chosen & (quanta >= BONE)
    touched = binary_dilation(kept, np.ones((3, 3, 3)))
    expected = np.where(kept | (touched & (quanta < BONE)), quanta, 0)
    np.testing.assert_array_equal(with_skin(quanta, kept), expected)
