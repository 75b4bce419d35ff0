"""Digital topology on bits against labelling, sets of cells, and scikit-image."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import generate_binary_structure, label
from skimage.measure import euler_number as skimage_euler_number

from bonesim.lattice import topology as t
from bonesim.units import BONE

CELLS = list(itertools.product((-1, 0, 1), repeat=3))
ORDER = np.array([sum(map(abs, cell)) for cell in CELLS]).reshape(3, 3, 3)
SIX, ALL = generate_binary_structure(3, 1), generate_binary_structure(3, 3)

#: Any state of the 26 neighbours; the centre's bit stays 0. Dense and sparse ones as well.
neighbourhoods = st.one_of(
    st.integers(0, 2**27 - 1),
    st.builds(lambda a, b: a & b, st.integers(0, 2**27 - 1), st.integers(0, 2**27 - 1)),
    st.builds(lambda a, b: a | b, st.integers(0, 2**27 - 1), st.integers(0, 2**27 - 1)),
).map(lambda bits: bits & ~(1 << 13))
blocks = arrays(np.uint8, st.tuples(*[st.integers(1, 6)] * 3), elements=st.sampled_from([0, 255]))


def block_of(bits: int) -> np.ndarray:
    """The neighbours as a 3x3x3 array of booleans."""
    return np.array([bits >> place & 1 for place in range(27)], bool).reshape(3, 3, 3)


def bits_of(block: np.ndarray) -> int:
    bits = sum(int(value) << place for place, value in enumerate(block.ravel()))
    return bits & ~(1 << 13)


def plain_bone_parts(bits: int) -> int:
    return int(label(block_of(bits), ALL)[1])


def plain_marrow_parts(bits: int) -> int:
    marrow = ~block_of(bits) & (ORDER > 0) & (ORDER < 3)
    labels = label(marrow, SIX)[0]
    return len(set(labels[(ORDER == 1) & marrow]))


def cells_of_cube(z: int, y: int, x: int) -> set[tuple[int, int, int]]:
    """The 27 vertices, edges, faces and the body of a cube, by doubled coordinates."""
    return {(2 * z + a, 2 * y + b, 2 * x + c) for a, b, c in CELLS}


def plain_euler(bone: np.ndarray) -> int:
    """Vertices - edges + faces - cubes of the union of closed cubes."""
    cells: set[tuple[int, int, int]] = set()
    for voxel in np.argwhere(bone):
        cells |= cells_of_cube(*map(int, voxel))
    # A coordinate that is even lies inside the cell: dimension = number of even coordinates.
    return sum((-1) ** sum(c % 2 == 0 for c in cell) for cell in cells)


@settings(max_examples=300)
@given(neighbourhoods)
def test_bone_parts_are_the_labels_of_26_connected_bone(bits: int) -> None:
    assert t.bone_parts(np.int64(bits)) == plain_bone_parts(bits)


@settings(max_examples=300)
@given(neighbourhoods)
def test_marrow_parts_are_the_labels_of_6_connected_marrow_that_touch(bits: int) -> None:
    assert t.marrow_parts(np.int64(bits)) == plain_marrow_parts(bits)


@settings(max_examples=300)
@given(neighbourhoods)
def test_crossing_is_named_by_which_number_is_not_one(bits: int) -> None:
    bone, marrow = plain_bone_parts(bits), plain_marrow_parts(bits)
    if bone == 0:
        expected = t.SPECK_LOST
    elif marrow == 0:
        expected = t.CAVITY_OPENED
    else:
        expected = {
            (False, False): t.SIMPLE, (False, True): t.PLATE_PERFORATION,
            (True, False): t.STRUT_CUT, (True, True): t.MIXED,
        }[bone > 1, marrow > 1]  # fmt: skip
    assert t.crossing_kind(np.int64(bits)) == expected


@settings(max_examples=300)
@given(neighbourhoods)
def test_a_simple_crossing_changes_neither_number_of_parts_nor_euler(bits: int) -> None:
    """The definition itself, in a 5x5x5 room: bone by 26, marrow by 6, before and after."""
    if t.crossing_kind(np.int64(bits)) != t.SIMPLE:
        return
    room = np.pad(block_of(bits), 1)
    counts = []
    for centre in (False, True):
        room[2, 2, 2] = centre
        counts.append((label(room, ALL)[1], label(~room, SIX)[1], plain_euler(room)))
    assert counts[0] == counts[1]


def shape(*slices: tuple[slice | int, ...]) -> int:
    block = np.zeros((3, 3, 3), bool)
    for place in slices:
        block[place] = True
    return bits_of(block)


_ALL = slice(None)


@pytest.mark.parametrize(
    ("bits", "kind"),
    [
        (shape((_ALL, _ALL, 1)), "plate_perforation"),
        (shape((1, _ALL, _ALL)), "plate_perforation"),
        (shape((_ALL, 1, 1)), "strut_cut"),
        (shape((1, 1, _ALL)), "strut_cut"),
        (shape((0, 0, 0), (2, 2, 2)), "strut_cut"),
        (shape((0, _ALL, _ALL)), None),
        (shape((0, 0, 0)), None),
        (0, "speck_lost"),
        (shape((_ALL, _ALL, _ALL)), "cavity_opened"),
        # four arms around the voxel touch one another by edges: a ring that closes a hole
        (shape((1, 1, _ALL), (_ALL, 1, 1)), "plate_perforation"),
        (shape((_ALL, _ALL, 0), (_ALL, _ALL, 2)), "strut_cut"),
    ],
)
def test_known_shapes(bits: int, kind: str | None) -> None:
    code = t.crossing_kind(np.int64(bits))
    assert (None if code == t.SIMPLE else t.EVENT_KINDS[code]) == kind


@given(neighbourhoods)
def test_euler_gain_is_the_recount_of_cells(bits: int) -> None:
    block = block_of(bits)
    before = plain_euler(block)
    block[1, 1, 1] = True
    assert t.euler_gain(np.int64(bits)) == plain_euler(block) - before


@settings(max_examples=60)
@given(blocks)
def test_euler_number_is_that_of_sets_and_of_scikit_image(quanta: np.ndarray) -> None:
    padded = np.pad(quanta, 1)
    y, z = padded.shape[2], padded.shape[1] * padded.shape[2]
    found = t.euler_number(padded.reshape(-1), y, z)
    assert found == plain_euler(quanta >= BONE)
    assert found == skimage_euler_number(padded >= BONE, connectivity=3)


def test_euler_number_of_solids() -> None:
    """Ball 1, ring 0, hollow ball 2, two balls 2."""
    ball = np.zeros((9, 9, 9), np.uint8)
    ball[2:7, 2:7, 2:7] = 255
    ring, hollow = ball.copy(), ball.copy()
    ring[:, 4, 4] = 0
    hollow[4, 4, 4] = 0
    two = ball.copy()
    two[4] = 0
    for solid, expected in ((ball, 1), (ring, 0), (hollow, 2), (two, 2)):
        assert t.euler_number(solid.reshape(-1), 9, 81) == expected


@given(neighbourhoods)
def test_pairs_and_bits_are_counted(bits: int) -> None:
    block = block_of(bits)
    expected = tuple(int(block[order == ORDER].sum()) for order in (1, 2, 3))
    assert t.pair_counts(np.int64(bits)) == expected
    assert t.count_bits(np.int64(bits)) == bits.bit_count()


def test_lowest_bit() -> None:
    for low in range(27):
        for rest in (0, 1 << 26, 0x5555555):
            bits = 1 << low | (rest >> low << low) & 0x7FFFFFF
            assert t.lowest_bit(np.int64(bits)) == low


@given(neighbourhoods, st.integers(0, 26))
def test_flood_reaches_the_part_of_its_seed(bits: int, place: int) -> None:
    seed = 1 << place & bits
    labels = label(block_of(bits), ALL)[0].ravel()
    reached = t.flood(np.int64(seed), np.int64(bits), t.TOUCHES_26)
    expected = labels == labels[place] if seed else np.zeros(27, bool)
    assert reached == sum(1 << int(k) for k in np.flatnonzero(expected))


@given(arrays(np.uint8, (3, 3, 3), elements=st.integers(0, 255)))
def test_bone_bits_read_the_neighbours_at_the_threshold(quanta: np.ndarray) -> None:
    assert t.bone_bits(quanta.reshape(-1), 13, 3, 9) == bits_of(quanta >= BONE)


def test_area_weights_are_the_voronoi_cells_of_the_13_axes_on_the_sphere() -> None:
    """By counting which axis is nearest to each point of a fine, even net on the sphere."""
    k = np.arange(400_000) + 0.5
    height, turn = 1 - 2 * k / k.size, np.pi * (1 + 5**0.5) * k
    radius = np.sqrt(1 - height**2)
    points = np.stack([radius * np.cos(turn), radius * np.sin(turn), height], axis=1)
    axes = np.array([c for c in CELLS if c > (0, 0, 0)], float)
    length = np.linalg.norm(axes, axis=1)
    nearest = np.abs(points @ (axes / length[:, None]).T).argmax(axis=1)
    share = np.bincount(nearest, minlength=13) / k.size
    for steps, weight in (
        (1.0, t.AREA_PER_FACE_PAIR), (2.0, t.AREA_PER_EDGE_PAIR), (3.0, t.AREA_PER_CORNER_PAIR)
    ):  # fmt: skip
        shares = share[np.isclose(length**2, steps)]
        assert weight == pytest.approx(2 * shares.mean() / np.sqrt(steps), rel=2e-3)
