"""The surface set, areas and normals against loops over (z, y, x)."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bonesim.cells.cavity import CavityTables, add_record
from bonesim.cells.column import inward_normal
from bonesim.cells.population import new_row
from bonesim.lattice.surface import (
    exposed_faces,
    mirrored,
    outward_area,
    put_on_surface,
    take_off_surface,
)
from bonesim.lattice.tissue import Tissue
from bonesim.units import BONE

STEPS = [(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)]
Make = Callable[..., Tissue]
blocks = arrays(
    np.uint8,
    st.tuples(*[st.integers(1, 6)] * 3),
    elements=st.sampled_from([0, 1, 127, 128, 254, 255]),
)


def flat(tissue: Tissue, place: tuple[int, ...]) -> int:
    """Flat padded index of an unpadded (z, y, x)."""
    return int(np.ravel_multi_index(tuple(c + 1 for c in place), tissue.padded_shape))


def plain_exposed(quanta: np.ndarray, place: tuple[int, ...]) -> int:
    """Marrow neighbours by a face, inside the specimen."""
    count = 0
    for step in STEPS:
        there = tuple(c + s for c, s in zip(place, step, strict=True))
        if all(0 <= c < n for c, n in zip(there, quanta.shape, strict=True)):
            count += quanta[there] < BONE
    return count


@settings(max_examples=50)
@given(blocks)
def test_exposed_faces_and_the_set_a_fresh_tissue_starts_with(
    make_tissue: Make, quanta: np.ndarray
) -> None:
    tissue = make_tissue(quanta)
    expected = set()
    for place in np.ndindex(quanta.shape):
        faces = plain_exposed(quanta, place)
        assert exposed_faces(tissue.lattice, flat(tissue, place)) == faces
        if quanta[place] >= BONE and faces:
            expected.add(flat(tissue, place))
    assert len(tissue.surface_voxels) == len(expected)
    assert set(tissue.surface_voxels.tolist()) == expected


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 124)), max_size=80))
def test_the_set_is_a_set(make_tissue: Make, moves: list[tuple[bool, int]]) -> None:
    tissue = make_tissue(np.zeros((3, 3, 3)))
    plain: set[int] = set()
    for put, voxel in moves:
        (put_on_surface if put else take_off_surface)(tissue.lattice, voxel)
        (plain.add if put else plain.discard)(voxel)
        held = tissue.surface_voxels.tolist()
        assert len(held) == len(plain)
        assert set(held) == plain
    slots = tissue.lattice.surface_slot
    for voxel in range(125):
        assert (slots[voxel] >= 0) == (voxel in plain)
        if voxel in plain:
            assert tissue.lattice.surface[slots[voxel]] == voxel


@settings(max_examples=50)
@given(blocks, st.tuples(*[st.floats(-1, 1)] * 3))
def test_outward_area_sums_faces_without_bone_beyond(
    make_tissue: Make, quanta: np.ndarray, n: tuple[float, float, float]
) -> None:
    tissue = make_tissue(quanta)
    for place in np.ndindex(quanta.shape):
        expected = 0.0
        for step in STEPS:
            there = tuple(c + s for c, s in zip(place, step, strict=True))
            inside = all(0 <= c < m for c, m in zip(there, quanta.shape, strict=True))
            if inside and quanta[there] == 0:
                expected += max(0.0, -sum(a * b for a, b in zip(n, step, strict=True)))
        found = outward_area(tissue.lattice, flat(tissue, place), *n)
        assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", [(1.0, 0.0, 0.0), (0.6, 0.8, 0.0), (0.48, 0.6, 0.64)])
def test_outward_area_of_a_tilted_plane_is_its_true_area(
    make_tissue: Make, n: tuple[float, float, float]
) -> None:
    """Per area of the lattice's z face a plane with normal n has 1 / n_z; by column of voxels."""
    n = tuple(sorted(n, reverse=True))  # type: ignore[assignment]
    size = 24
    z, y, x = np.indices((size, size, size)) + 0.5
    bone = n[0] * (z - size / 2) + n[1] * (y - size / 2) + n[2] * (x - size / 2) > 0
    tissue = make_tissue(bone * 255)
    middle = range(6, size - 6)
    area = 0.0
    # Only columns in the middle; a column's surface voxels may be several on a steep plane.
    for j, i in itertools.product(middle, middle):
        for k in range(1, size - 1):
            if bone[k, j, i]:
                area += outward_area(tissue.lattice, flat(tissue, (k, j, i)), *n)
    assert area / len(middle) ** 2 == pytest.approx(1 / n[0], rel=0.06)


def normal_at(tissue: Tissue, voxel: int, radius: int) -> tuple[float, float, float]:
    """The kernel's normal where there are no cavities."""
    nz, ny, nx = inward_normal(tissue.lattice, CavityTables().columns, voxel, radius)
    return nz, ny, nx


def plain_mirrored(k: int, size: int) -> int:
    """Walk `k` steps from the first voxel of a row, turning round at both ends."""
    row = list(range(size))
    return (row[::-1] + row + row[::-1])[k + size]


@settings(max_examples=40)
@given(
    arrays(np.uint8, st.tuples(*[st.integers(3, 6)] * 3), elements=st.integers(0, 255)),
    st.integers(1, 3),
)
def test_inward_normal_is_the_gradient_in_a_mirrored_ball(
    make_tissue: Make, quanta: np.ndarray, radius: int
) -> None:
    tissue = make_tissue(quanta)
    around = range(-radius, radius + 1)
    for place in [
        (0, 0, 0),
        tuple(n // 2 for n in quanta.shape),
        tuple(n - 1 for n in quanta.shape),
    ]:
        gradient = np.zeros(3)
        for step in itertools.product(around, around, around):
            if np.linalg.norm(step) <= radius + 0.5:
                there = tuple(
                    plain_mirrored(c + s, n)
                    for c, s, n in zip(place, step, quanta.shape, strict=True)
                )
                gradient += float(quanta[there]) * np.array(step)
        length = np.linalg.norm(gradient)
        expected = gradient / length if length >= 1 else np.zeros(3)
        found = normal_at(tissue, flat(tissue, place), radius)
        assert found == pytest.approx(expected, abs=1e-9)


@given(st.integers(3, 20), st.data())
def test_mirroring_turns_round_at_the_cut_faces(size: int, data: st.DataObject) -> None:
    inside = size
    k = data.draw(st.integers(-inside, 2 * inside - 1))
    assert mirrored(k + 1, size + 2) == plain_mirrored(k, size) + 1


def test_normals_of_simple_bodies(make_tissue: Make) -> None:
    """Straight into a half space; towards the centre of a ball; none in a thin sheet."""
    size = 15
    z, y, x = np.indices((size, size, size)) - size // 2
    half = make_tissue((z >= 0) * 255)
    assert normal_at(half, flat(half, (7, 7, 7)), 2) == (1.0, 0.0, 0.0)
    assert normal_at(half, flat(half, (7, 0, 14)), 2) == (1.0, 0.0, 0.0)
    sheet = make_tissue((z == 0) * 255)
    assert normal_at(sheet, flat(sheet, (7, 7, 7)), 2) == (0.0, 0.0, 0.0)
    ball = make_tissue((z**2 + y**2 + x**2 <= 36) * 255)
    place = np.array([7 + 4, 7 - 3, 7 + 3])
    inward = (7 - place) / np.linalg.norm(7 - place)
    found = normal_at(ball, flat(ball, tuple(place)), 3)
    assert np.dot(found, inward) > 0.98


def test_an_open_cavity_does_not_turn_the_normal(make_tissue: Make) -> None:
    """What its owners took counts as bone still; what nobody owns does not."""
    size = 15
    z, _, x = np.indices((size, size, size)) - size // 2
    tissue = make_tissue((z >= 0) * 255)
    lattice, cavities = tissue.lattice, CavityTables().columns
    beside, site = flat(tissue, (7, 7, 7)), int(new_row(cavities.sites))
    cavities.sites.first[site] = -1
    pit = [flat(tissue, place) for place in np.argwhere((z >= 0) & (z < 2) & (x > 0)).tolist()]
    for voxel in pit:
        record = add_record(lattice, cavities, site, voxel, True)
        cavities.records.stock[record], lattice.quanta[voxel] = 255, 0
    assert inward_normal(lattice, cavities, beside, 3) == (1.0, 0.0, 0.0)
    lattice.owner[:] = -1
    assert inward_normal(lattice, cavities, beside, 3)[2] < -0.2
