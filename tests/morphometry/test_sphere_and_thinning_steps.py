"""The steps of painting spheres and of thinning, each against a plain account of it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.morphometry.spheres import (
    CELLS,
    NEAR,
    STEPS,
    ball_of,
    cover,
    covered_around,
    drop_covered,
    paint,
    whole_squares,
)
from bonesim.morphometry.thinning import (
    BORDER,
    FIELD,
    IS_BONE,
    KEPT,
    LISTED,
    MEMO,
    QUEUED,
    begin_layer,
    in_subfields,
    is_at_marrow,
    kind_of,
    put_in_queue,
    take_voxel,
)
from tests.morphometry.phantoms import parts_about

SHAPE = (6, 7, 8)
STRIDES = (8, 56)
AROUND = [k * 56 + j * 8 + i for k in (-1, 0, 1) for j in (-1, 0, 1) for i in (-1, 0, 1)]


def radii(seed: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Radii of spheres, many of them equal, and their squares."""
    squares = np.random.default_rng(seed).integers(0, 12, SHAPE).astype(np.int32)
    return np.sqrt(squares, dtype=np.float32), squares


def tables(top: int) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int64]]:
    begin, steps = ball_of(top, SHAPE, CELLS)
    covered = np.full((len(STEPS), top + 1, 6 * CELLS**2), top)
    cover(begin, steps, covered)
    return begin, steps, covered


def neighbours(place: tuple[int, ...]) -> list[tuple[int, tuple[int, ...]]]:
    near = [tuple(int(p + d) for p, d in zip(place, step, strict=True)) for step in STEPS]
    inside = [all(0 <= n < size for n, size in zip(one, SHAPE, strict=True)) for one in near]
    return [(way, one) for way, one in enumerate(near) if inside[way]]


def test_squares_are_whole() -> None:
    radius, squares = radii(1)
    found = np.zeros(SHAPE, np.int32)
    whole_squares(np.nextafter(radius, np.float32(9)), found)
    np.testing.assert_array_equal(found, squares)


def test_spheres_that_larger_neighbours_hold_are_dropped() -> None:
    _, squares = radii(2)
    whole = np.random.default_rng(3).integers(0, 14, (12, len(STEPS))).astype(np.int32)
    painted = squares > 0
    expected = painted.copy()
    for place in map(tuple, np.argwhere(painted)):
        for way, near in neighbours(place):
            larger = squares[near] > squares[place]
            expected[place] &= not (larger and whole[squares[near], way] >= squares[place])
    drop_covered(squares, whole, painted)
    np.testing.assert_array_equal(painted, expected)
    assert 0 < painted.sum() < (squares > 0).sum()


def test_earlier_neighbours_cover() -> None:
    """The larger, and of equal ones those before; the corners are not asked."""
    radius, squares = radii(4)
    _, _, covered = tables(11)
    bare = np.zeros(covered.shape[2], np.int64)
    for n, place in enumerate(np.ndindex(*SHAPE)):
        expected = np.zeros_like(bare)
        for way, near in neighbours(place):
            if way < NEAR and (-squares[near], near) < (-squares[place], place):
                expected = np.maximum(expected, covered[way, squares[near]])
        covered_around(radius.ravel(), squares.ravel(), SHAPE, n, covered, bare)
        np.testing.assert_array_equal(bare, expected)


def test_all_spheres_painted() -> None:
    radius, squares = radii(5)
    begin, steps, covered = tables(11)
    largest, expected = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    for place in map(tuple, np.argwhere(radius)):
        apart = sum((a - p) ** 2 for a, p in zip(np.ogrid[:6, :7, :8], place, strict=True))
        np.maximum(expected, np.where(apart < squares[place], radius[place], 0), out=expected)
    paint(radius, squares, np.flatnonzero(radius), covered, begin, steps, largest)
    np.testing.assert_array_equal(largest, expected)


def bone(seed: int, share: float) -> NDArray[np.uint8]:
    """Bone with a margin of marrow; the values are those of `thin` at work."""
    inner = np.random.default_rng(seed).random((4, 5, 6)) < share
    z, y, x = np.indices(SHAPE)
    field = 4 * (z & 1) + 2 * (y & 1) + (x & 1)
    return np.where(np.pad(inner, 1), IS_BONE + field, 0).astype(np.uint8)


def kinds(image: NDArray[np.uint8], place: int) -> tuple[int, int]:
    z, y, x = np.unravel_index(place, SHAPE)
    found = parts_about(image[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2] > 0)
    return min(2, found[0]), min(2, found[1])


@pytest.mark.parametrize("size", [MEMO, "again"])
def test_kinds_by_labelling(size: object) -> None:
    """What is kept is given again; neighbourhoods of one hash do not take each other's."""
    rng, memo = np.random.default_rng(6), np.full(MEMO, -1, np.int32)
    for _ in range(300):
        around = rng.random((3, 3, 3)) < rng.random()
        around[1, 1, 1] = False
        bits = int(around.ravel() @ (1 << np.arange(27)))
        if size == "again":
            memo[:] = rng.integers(0, 1 << 27, MEMO) << 4  # others' neighbourhoods, kind 0
        bone_parts, marrow_parts = parts_about(around)
        expected = min(2, bone_parts) + 4 * min(2, marrow_parts)
        assert kind_of(bits, memo) == expected
        assert kind_of(bits, memo) == expected


def test_voxels_by_subfield_and_those_at_marrow() -> None:
    image = bone(7, 0.8)
    voxels, subfields = in_subfields(image)
    flat = image.ravel()
    expected = np.flatnonzero(flat)
    expected = expected[np.argsort(flat[expected] & FIELD, kind="stable")]
    np.testing.assert_array_equal(voxels, expected)
    counts = np.bincount(flat[expected] & FIELD, minlength=8)
    assert subfields.tolist() == [0, *np.cumsum(counts)]
    for voxel in voxels:
        faces = [flat[voxel + d] for d in (-1, 1, -8, 8, -56, 56)]
        assert is_at_marrow(flat, voxel, *STRIDES) == (min(faces) == 0)


def test_a_queued_voxel_has_its_place_and_flag() -> None:
    image = bone(8, 1.0).ravel()
    voxels, subfields = in_subfields(image.reshape(SHAPE))
    queue, filled = np.zeros(voxels.size, np.int64), subfields[:8].copy()
    for voxel in voxels[::-1]:
        put_in_queue(image, voxel, queue, filled)
    assert (image[voxels] & QUEUED > 0).all()
    assert filled.tolist() == subfields[1:].tolist()
    for field in range(8):
        part = slice(subfields[field], subfields[field + 1])
        assert queue[part].tolist() == voxels[part][::-1].tolist()


@pytest.mark.parametrize("sheets", [False, True])
def test_a_layer_begins(sheets: bool) -> None:
    """Simple voxels at marrow are queued, isthmuses wait, and stay after two layers."""
    image = bone(9, 0.6).ravel()
    before = image.reshape(SHAPE).copy()
    voxels, subfields = in_subfields(before)
    at_marrow = [v for v in voxels if is_at_marrow(image, v, *STRIDES)]
    simple = {v for v in at_marrow if kinds(before, v) == (1, 1)}
    links = {v for v in at_marrow if kinds(before, v)[0] == 2}
    links |= {v for v in at_marrow if sheets and kinds(before, v)[1] == 2}
    assert simple and links
    image[voxels] |= LISTED
    listed, since = voxels.copy(), np.zeros(voxels.size, np.int16)
    queue, memo = np.zeros(voxels.size, np.int64), np.full(MEMO, -1, np.int32)
    count = voxels.size
    for layer in (1, 2, 3):
        filled = subfields[:8].copy()
        count = begin_layer(
            image, listed, since, count, queue, filled, memo, layer, STRIDES, sheets, 2
        )
        assert set(listed[:count]) == (links if layer < 3 else set())
        assert set(np.flatnonzero(image & LISTED)) == set(listed[:count])
        assert set(np.flatnonzero(image & KEPT)) == (links if layer == 3 else set())
        assert set(np.flatnonzero(image & QUEUED)) == simple
        assert set(np.flatnonzero(image & BORDER)) == set(at_marrow)
        assert filled.sum() - subfields[:8].sum() == (len(simple) if layer == 1 else 0)


def test_a_voxel_is_taken() -> None:
    """Its neighbours are listed once; those at marrow whose turn comes are queued; kept ones are not."""
    image = bone(10, 0.9).ravel()
    voxels, subfields = in_subfields(image.reshape(SHAPE))
    image[voxels[::3]] |= BORDER
    image[voxels[::7]] |= KEPT
    image[voxels[1::5]] |= LISTED
    voxel = int(np.ravel_multi_index((2, 3, 3), SHAPE))
    image[voxel] = IS_BONE + 3
    before = image.copy()
    near = {voxel + d for d in AROUND if d and before[voxel + d]}
    near = {v for v in near if not before[v] & KEPT}
    listed, since = np.zeros(voxels.size, np.int64), np.ones(voxels.size, np.int16)
    queue, filled = np.zeros(voxels.size, np.int64), subfields[:8].copy()
    count = take_voxel(image, voxel, listed, since, 0, queue, filled, STRIDES)
    assert image[voxel] == 0
    assert set(listed[:count]) == {v for v in near if not before[v] & LISTED}
    assert not since[:count].any()
    expected = {v for v in near if before[v] & BORDER and before[v] & FIELD > 3}
    assert expected
    assert set(np.flatnonzero(image & QUEUED)) == expected
    assert filled.sum() - subfields[:8].sum() == len(expected)
