"""Rays through the lattice against walks with points and (z, y, x) indices."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bonesim.lattice import rays
from bonesim.lattice.tissue import Tissue
from bonesim.units import BONE

Make = Callable[..., Tissue]
#: Off the lattice's symmetric directions, so that no point falls on a face between voxels.
OFF = np.array([0.01234, 0.00456, 0.00789])
normals = st.tuples(*[st.integers(-9, 9)] * 3).map(
    lambda v: (np.array(v) + OFF) / np.linalg.norm(np.array(v) + OFF)
)
axes = st.sampled_from([np.array(v, float) for v in ((1, 0, 0), (0, -1, 0), (0, 0, 1))])
directions = st.one_of(normals, axes)
blocks = arrays(
    np.uint8,
    st.tuples(*[st.integers(3, 7)] * 3),
    elements=st.sampled_from([0, 127, 128, 255, 255, 255]),
)


def flat(tissue: Tissue, place: np.ndarray) -> int:
    return int(np.ravel_multi_index(tuple(int(c) + 1 for c in place), tissue.padded_shape))


def places_on(start: np.ndarray, n: np.ndarray, longest: float) -> list[tuple[int, ...]]:
    """Voxels that hold the points at half-voxel steps from the centre of `start`."""
    distances = np.arange(0.5, longest + 1e-9, 0.5)
    return [tuple(np.floor(start + 0.5 + n * d).astype(int)) for d in distances]


def inside(shape: tuple[int, ...], place: tuple[int, ...]) -> bool:
    return all(0 <= c < size for c, size in zip(place, shape, strict=True))


def plain_bone_behind(quanta: np.ndarray, start: np.ndarray, n: np.ndarray) -> bool:
    for place in places_on(start, n, 3.0):
        if not inside(quanta.shape, place):
            return False
        if place != tuple(start) and quanta[place] >= BONE:
            return True
    return False


def plain_solid(solid: np.ndarray, start: np.ndarray, n: np.ndarray, voxel_um: float) -> float:
    """Half a voxel for each step until marrow, a cut face or 400 um."""
    steps = 0
    for place in places_on(start, n, 400.0 / voxel_um):
        if not inside(solid.shape, place) or not solid[place]:
            break
        steps += 1
    return steps * 0.5


@given(directions, st.floats(0, 9))
def test_along_finds_the_voxel_that_holds_the_point(
    make_tissue: Make, n: np.ndarray, distance: float
) -> None:
    tissue = make_tissue(np.zeros((21, 21, 21)))
    start = np.array([10, 10, 10])
    point = start + 0.5 + n * distance
    if np.abs(point - np.round(point)).min() < 1e-9:
        return
    found = rays.along(tissue.lattice, flat(tissue, start), *n, distance)
    assert found == flat(tissue, np.floor(point))


@settings(max_examples=60)
@given(blocks, directions, st.data())
def test_bone_behind_and_thickness(
    make_tissue: Make, quanta: np.ndarray, n: np.ndarray, data: st.DataObject
) -> None:
    tissue = make_tissue(quanta)
    owned = data.draw(arrays(bool, quanta.shape))
    tissue.inner(tissue.lattice.owner)[owned] = 3
    solid = (quanta >= BONE) | owned
    for _ in range(5):
        start = np.array([data.draw(st.integers(0, size - 1)) for size in quanta.shape])
        voxel = flat(tissue, start)
        assert rays.bone_behind(tissue.lattice, voxel, *n) == plain_bone_behind(quanta, start, n)
        forth = plain_solid(solid, start, n, tissue.voxel_um)
        back = plain_solid(solid, start, -n, tissue.voxel_um)
        assert rays.solid_length(tissue.lattice, voxel, *n) == forth
        thickness = rays.thickness_along(tissue.lattice, voxel, *n)
        assert thickness == max(forth + back, 1.0) * tissue.voxel_um


@pytest.mark.parametrize("thick", [1, 2, 5, 9])
def test_thickness_of_a_plate_is_its_voxels(make_tissue: Make, thick: int) -> None:
    """Within half a voxel, seen along the normal from any voxel of the plate."""
    quanta = np.zeros((21, 9, 9), np.uint8)
    quanta[6 : 6 + thick] = 255
    tissue = make_tissue(quanta)
    for z in range(6, 6 + thick):
        voxel = flat(tissue, np.array([z, 4, 4]))
        found = rays.thickness_along(tissue.lattice, voxel, 1.0, 0.0, 0.0)
        assert found == pytest.approx(thick * tissue.voxel_um, abs=0.5 * tissue.voxel_um)


def test_a_ray_along_endless_bone_ends_at_400_um(make_tissue: Make) -> None:
    tissue = make_tissue(np.full((50, 3, 3), 255))
    voxel = flat(tissue, np.array([1, 1, 1]))
    length = rays.solid_length(tissue.lattice, voxel, 1.0, 0.0, 0.0)
    assert length * tissue.voxel_um == pytest.approx(rays.LONGEST_UM, abs=tissue.voxel_um / 2)


@pytest.mark.parametrize("gap", range(1, 7))
def test_bone_behind_is_looked_for_over_three_voxels(make_tissue: Make, gap: int) -> None:
    """Points at 0.5, 1 ... 3 voxels from the centre: the third voxel behind is the last seen."""
    quanta = np.zeros((21, 5, 5), np.uint8)
    quanta[8] = quanta[8 + gap] = 255
    tissue = make_tissue(quanta)
    for n in ((1.0, 0.0, 0.0), (0.999, 0.04, 0.02)):
        found = rays.bone_behind(tissue.lattice, flat(tissue, np.array([8, 2, 2])), *n)
        assert found == (gap <= 3)


@settings(max_examples=60)
@given(blocks, directions, st.data())
def test_bone_left_is_the_first_run_of_bone(
    make_tissue: Make, quanta: np.ndarray, n: np.ndarray, data: st.DataObject
) -> None:
    tissue = make_tissue(quanta)
    start = np.array([data.draw(st.integers(0, size - 1)) for size in quanta.shape])
    walk = [tuple(start), *places_on(start, n, 20.0)]
    bone = [inside(quanta.shape, place) and bool(quanta[place] >= BONE) for place in walk]
    end = next(k for k, place in enumerate(walk) if not inside(quanta.shape, place))
    first = next((k for k in range(end) if bone[k]), None)
    last = None if first is None else next((k for k in range(first, end) if not bone[k]), None)
    if first is None or last is None:  # noqa: SIM108
        expected = rays.LONGEST_UM  # the mirror beyond the cut face holds as much again
    else:
        expected = (last - first) * 0.5 * tissue.voxel_um
    assert rays.bone_left(tissue.lattice, flat(tissue, start), *n) == expected
