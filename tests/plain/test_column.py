"""The columns of a cavity: what lies under a claimed surface, and how deep, voxel by voxel."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.cells.accounts import close_site
from bonesim.cells.bmu_parameters import BmuNumbers, BmuParameters
from bonesim.cells.cavity import Cavities, CavityTables, add_record
from bonesim.cells.column import (
    area_there_was,
    axis_distance2,
    bone_above,
    bone_there_was,
    claimed_foot,
    depth_below,
    distance_along,
    foot_depth,
    foot_of,
    go_down,
    inward_normal,
    is_old_surface,
    left_of,
    set_feet,
    span_um,
)
from bonesim.cells.population import new_row
from bonesim.cells.territory import take_patch
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.rays import LONGEST_UM
from bonesim.lattice.tissue import Tissue
from bonesim.parameters import numbers_of
from bonesim.units import BONE, FULL
from tests.plain.conftest import Busy, alive, bone_before, normal_of, records_of
from tests.plain.layers import area_of_layer

Make = Callable[..., Tissue]
NUMBERS = numbers_of(BmuParameters(), BmuNumbers)
units = st.tuples(*[st.integers(-9, 9)] * 3).map(
    lambda v: (np.array(v) + 0.01) / np.linalg.norm(np.array(v) + 0.01)
)


def strides(lattice: Lattice) -> tuple[int, int, int]:
    return lattice.stride_z, lattice.stride_y, 1


def some_voxels(busy: Busy, count: int) -> list[int]:
    """Inside the specimen: of lists, of the surface, anywhere."""
    rng = np.random.default_rng(4)
    records = busy.cavities.records
    listed = records.voxel[alive(records)]
    surface = busy.lattice.surface[: busy.lattice.counts[0]]
    inside = np.flatnonzero(busy.lattice.region)
    found = [rng.choice(pool, count).tolist() for pool in (listed, surface, inside)]
    return [int(voxel) for part in found for voxel in part]


def some_normals(count: int) -> list[tuple[float, float, float]]:
    drawn = np.random.default_rng(5).normal(size=(count, 3))
    free = [tuple(map(float, n / np.linalg.norm(n))) for n in drawn]
    return [(1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.6, 0.0, -0.8), *free]  # type: ignore[list-item]


def test_bone_there_was_before_cavities(busy: Busy) -> None:
    whole = bone_before(busy.lattice, busy.cavities)
    for voxel in some_voxels(busy, 300):
        assert bone_there_was(busy.lattice, busy.cavities, voxel) == whole[voxel]
    assert (whole > busy.lattice.quanta).sum() > 100
    assert whole.max() == FULL


def test_normals_are_those_of_bone_without_cavities(busy: Busy) -> None:
    """The gradient in a ball of the bone there was, mirrored at the cut faces."""
    whole = bone_before(busy.lattice, busy.cavities).reshape(busy.shape)[1:-1, 1:-1, 1:-1]
    radius = 3
    padded = np.pad(whole, radius, mode="symmetric")
    steps = np.indices((7, 7, 7)) - radius
    ball = (steps**2).sum(axis=0) <= (radius + 0.5) ** 2
    for voxel in some_voxels(busy, 60):
        z, y, x = (int(c) - 1 for c in np.unravel_index(voxel, busy.shape))
        around = padded[z : z + 7, y : y + 7, x : x + 7] * ball
        gradient = (steps * around).sum(axis=(1, 2, 3))
        length = np.linalg.norm(gradient)
        expected = gradient / length if length else np.zeros(3)
        found = inward_normal(busy.lattice, busy.cavities, voxel, radius)
        assert found == pytest.approx(expected, abs=1e-12)


def test_what_is_old_surface_and_how_much(busy: Busy) -> None:
    """Faces that look against n: at marrow that was marrow before, and at no cavity."""
    whole, kinds, areas = bone_before(busy.lattice, busy.cavities), set(), 0
    lattice = busy.lattice
    for number, voxel in enumerate(some_voxels(busy, 150)):
        n = some_normals(40)[number % 43]
        beyond = [
            (abs(c), voxel - int(np.sign(c)) * stride)
            for c, stride in zip(n, strides(lattice), strict=True)
        ]
        inside = [(c, there) for c, there in beyond if lattice.region[there]]
        marrow = [there for c, there in inside if c >= 0.01 and lattice.quanta[there] < BONE]
        expected = bool(marrow) and all(lattice.owner[there] < 0 for there in marrow)
        assert is_old_surface(lattice, voxel, *n) == expected
        kinds.add((bool(marrow), expected))
        area = sum(c for c, there in inside if whole[there] == 0)
        assert area_there_was(lattice, busy.cavities, voxel, *n) == pytest.approx(area)
        areas += area > 0
    assert kinds == {(False, False), (True, False), (True, True)}
    assert areas > 20


def foot(busy: Busy, whole: np.ndarray, voxel: int, n: tuple[float, ...]) -> int:
    """Walk against n, face by face in the order in which the line crosses them."""
    lattice, reach = busy.lattice, LONGEST_UM / busy.lattice.voxel_um
    crossings = sorted(
        ((k + 0.5) / abs(c), axis)
        for axis, c in enumerate(n)
        if abs(c) > 1e-8
        for k in range(int(reach) + 2)
    )
    here = voxel
    last = 0.0
    for distance, axis in crossings:
        if last > reach:
            return -1
        last = distance
        there = here - int(np.sign(n[axis])) * strides(lattice)[axis]
        if not lattice.region[there]:
            return -1
        if whole[there] == 0:
            return here
        here = there
    return -1


def test_each_voxel_has_one_foot(busy: Busy) -> None:
    whole = bone_before(busy.lattice, busy.cavities)
    directions = some_normals(30)
    found = set()
    for number, voxel in enumerate(v for v in some_voxels(busy, 300) if whole[v]):
        n = directions[number % len(directions)]
        expected = foot(busy, whole, voxel, n)
        assert foot_of(busy.lattice, busy.cavities, voxel, *n) == expected
        found.add("none" if expected < 0 else "itself" if expected == voxel else "another")
    assert found == {"none", "itself", "another"}


@given(st.tuples(*[st.integers(0, 6)] * 3), st.tuples(*[st.integers(0, 6)] * 3), units)
def test_distances_along_a_line_and_from_it(
    make_tissue: Make, place: tuple[int, ...], start: tuple[int, ...], n: np.ndarray
) -> None:
    tissue = make_tissue(np.zeros((7, 7, 7)))
    one, other = (
        int(np.ravel_multi_index(tuple(c + 1 for c in p), tissue.padded_shape))
        for p in (place, start)
    )
    way = np.array(place) - np.array(start)
    assert distance_along(tissue.lattice, one, other, *n) == pytest.approx(way @ n, abs=1e-9)
    across = np.linalg.norm(np.cross(way, n)) ** 2
    assert axis_distance2(tissue.lattice, one, other, *n) == pytest.approx(across, abs=1e-9)


@given(units, st.floats(0, 100))
def test_what_floors_leave_adds_up_to_their_depth(
    make_tissue: Make, n: np.ndarray, depth_um: float
) -> None:
    """Along the axis that n leans to most, the bone above a floor is its depth over that component."""
    lattice = make_tissue(np.zeros((3, 3, 3))).lattice
    span = span_um(lattice, *n)
    assert span == pytest.approx(20.0 * np.abs(n).max())
    column = [(k + 0.5) * span for k in range(12)]
    left = [left_of(depth_um, below, span) for below in column]
    for below, quanta in zip(column, left, strict=True):
        if below + span / 2 <= depth_um - 1e-9:
            assert quanta == 0
        elif below - span / 2 >= depth_um + 1e-9:
            assert quanta == FULL
        else:
            share = (below + span / 2 - depth_um) / span
            assert abs(quanta - FULL * share) <= 0.5 + 1e-6
    assert sum(FULL - q for q in left) / FULL * span == pytest.approx(depth_um, abs=span / FULL)


def above(busy: Busy, whole: np.ndarray, voxel: int, step: int) -> float:
    """The bone of a row of voxels from the centre of the first to the first empty one, voxels."""
    held = [whole[voxel] - FULL / 2]
    there = voxel + step
    while busy.lattice.region[there] and whole[there]:
        if (len(held) - 1) * busy.lattice.voxel_um >= LONGEST_UM:
            break
        held.append(whole[there])
        there += step
    return float(sum(held)) / FULL


def surface_depth(busy: Busy, whole: np.ndarray, base: int, n: tuple[float, ...]) -> float:
    """Depth of a foot: by the bone above it along each axis that counts and agrees with its own bone."""
    size = busy.lattice.voxel_um
    own = size * (whole[base] / FULL - 0.5) * max(map(abs, n))
    depths, weights = [], []
    for c, stride in zip(n, strides(busy.lattice), strict=True):
        if abs(c) >= 0.4:
            depth = size * abs(c) * above(busy, whole, base, -int(np.sign(c)) * stride)
            if abs(depth - own) <= size:
                depths.append(depth)
                weights.append(c * c)
    return float(np.average(depths, weights=weights)) if depths else float(own)


def below_of(busy: Busy, whole: np.ndarray, voxel: int, base: int, n: tuple[float, ...]) -> float:
    """Depth: the way along n from the foot, and the foot's own depth."""
    way = np.subtract(np.unravel_index(voxel, busy.shape), np.unravel_index(base, busy.shape))
    along = busy.lattice.voxel_um * float(way @ np.array(n))
    return along + surface_depth(busy, whole, base, n)


def test_depths_below_the_old_surface(busy: Busy) -> None:
    whole = bone_before(busy.lattice, busy.cavities)
    directions, seen = some_normals(30), 0
    for number, voxel in enumerate(v for v in some_voxels(busy, 300) if whole[v]):
        n = directions[number % len(directions)]
        for stride in strides(busy.lattice):
            for step in (-stride, stride):
                found = bone_above(busy.lattice, busy.cavities, voxel, step)
                assert found == pytest.approx(above(busy, whole, voxel, step))
        base = foot(busy, whole, voxel, n)
        if base >= 0:
            found = depth_below(busy.lattice, busy.cavities, voxel, base, *n)
            assert found == pytest.approx(below_of(busy, whole, voxel, base, n))
            found = foot_depth(busy.lattice, busy.cavities, base, *n)
            assert found == pytest.approx(surface_depth(busy, whole, base, n))
            seen += 1
    assert seen > 200


def plane(size: int, n: tuple[float, ...]) -> np.ndarray:
    """Bone behind a plane through the middle: by the share of each voxel that a floor would leave."""
    places = np.indices((size, size, size)) - size // 2
    distance = np.tensordot(np.array(n), places, axes=1)
    quanta: np.ndarray = np.round(FULL * np.clip(distance / max(map(abs, n)) + 0.5, 0, 1))
    return quanta.astype(np.uint8)


TILTS = [(1.0, 0.0, 0.0), (0.0, -0.8, 0.6), (0.48, 0.6, -0.64), (0.96, 0.28, 0.0)]


@pytest.mark.parametrize("n", TILTS)
def test_depth_below_a_plane_is_the_distance_from_it(
    make_tissue: Make, n: tuple[float, float, float]
) -> None:
    size = 23
    tissue, cavities = make_tissue(plane(size, n)), CavityTables().columns
    checked = 0
    for place in np.ndindex(5, 5, 5):
        way = np.array(place) - 2
        distance = 20.0 * float(way @ np.array(n))
        centre = tuple(int(c) for c in way + size // 2 + 1)
        voxel = int(np.ravel_multi_index(centre, tissue.padded_shape))
        if distance < 0 or tissue.lattice.quanta[voxel] == 0:
            continue
        base = foot_of(tissue.lattice, cavities, voxel, *n)
        found = depth_below(tissue.lattice, cavities, voxel, base, *n)
        assert found == pytest.approx(distance, abs=0.5)
        checked += 1
    assert checked > 30


def claimed(busy: Busy, count: int) -> list[int]:
    """New sites of new BMUs on free surface, their surface taken and no columns yet."""
    sites, found = busy.cavities.sites, []
    surface = np.sort(busy.lattice.surface[: busy.lattice.counts[0]])
    for voxel in surface[:: len(surface) // (12 * count)].tolist():
        n = inward_normal(busy.lattice, busy.cavities, voxel, 3)
        if busy.lattice.owner[voxel] >= 0 or len(found) == count or not any(n):
            continue
        site = int(new_row(sites))
        sites.nz[site], sites.ny[site], sites.nx[site] = n
        sites.voxel[site], sites.first[site], sites.bmu_id[site] = voxel, -1, 10**6 + site // 2
        if take_patch(busy.lattice, busy.cavities, site, voxel, NUMBERS)[0] > 0:
            found.append(site)
        else:
            close_site(busy.lattice, busy.cavities, site)
    return found


def columns_of(busy: Busy, whole: np.ndarray, site: int, deepest: float) -> dict[int, float]:
    """Voxel -> depth: all that can be reached from the claimed surface in steps into the bone."""
    lattice, cavities, n = busy.lattice, busy.cavities, normal_of(busy.cavities, site)
    owner, records = lattice.owner, cavities.records
    feet = [int(records.voxel[r]) for r in records_of(cavities, site)]
    found = {v: below_of(busy, whole, v, v, n) for v in feet}
    waiting = list(found)
    while waiting:
        voxel = waiting.pop()
        for c, stride in zip(n, strides(lattice), strict=True):
            there = voxel + int(np.sign(c)) * stride
            bone = lattice.region[there] and lattice.quanta[there]
            if abs(c) < 0.01 or not bone or there in found:
                continue
            if owner[there] >= 0:
                other = records.site[owner[there]]
                if cavities.sites.bmu_id[other] == cavities.sites.bmu_id[site]:
                    continue
            base = foot(busy, whole, there, n)
            if base not in feet:
                continue
            below = below_of(busy, whole, there, base, n)
            if below - 10.0 * max(map(abs, n)) < deepest:
                found[there] = below
                waiting.append(there)
    return found


def test_the_bone_that_a_site_will_dig(busy: Busy) -> None:
    """Its columns, their depths, who owns what, and the area: volume over depth."""
    sites = claimed(busy, 24)
    assert len(sites) == 24
    lattice, records = busy.lattice, busy.cavities.records
    guests = backs = 0
    for number, site in enumerate(sites):
        deepest = (25.0, 50.0, 90.0)[number % 3]
        n = normal_of(busy.cavities, site)
        whole = bone_before(lattice, busy.cavities)
        feet = {int(records.voxel[r]) for r in records_of(busy.cavities, site)}
        expected = columns_of(busy, whole, site, deepest)
        owner = lattice.owner.copy()
        for voxel in list(expected)[:20]:
            base = foot(busy, whole, voxel, n)
            mine = base if base in feet else -1
            assert claimed_foot(lattice, busy.cavities, site, voxel) == mine
        area = area_of_layer(lattice, busy.cavities, site, deepest)
        listed = records_of(busy.cavities, site)
        assert len(listed) == len(expected)
        removed = 0.0
        for row in listed:
            voxel = int(records.voxel[row])
            assert records.below_um[row] == pytest.approx(expected[voxel], abs=1e-4)
            assert records.foot[row] == (voxel in feet)
            if voxel in feet:
                assert lattice.owner[voxel] == row
            elif owner[voxel] >= 0:
                guests += 1
                assert lattice.owner[voxel] == owner[voxel]
            elif lattice.surface_slot[voxel] >= 0:
                backs += 1
                assert lattice.owner[voxel] < 0
            else:
                assert lattice.owner[voxel] == row
            left = left_of(deepest, float(records.below_um[row]), span_um(lattice, *n))
            removed += max(whole[voxel] - left, 0)
        assert area == pytest.approx(removed / FULL * 20.0**3 / deepest)
    assert guests > 0
    assert backs > 0


def test_one_step_into_the_bone(busy: Busy) -> None:
    """`go_down` from one record adds what is behind it, `set_feet` writes the depths of the feet."""
    lattice, cavities = busy.lattice, busy.cavities
    records, total = cavities.records, 0
    for site in claimed(busy, 8):
        n, whole = normal_of(cavities, site), bone_before(lattice, cavities)
        set_feet(lattice, cavities, site)
        feet = records_of(cavities, site)
        for row in feet:
            voxel = int(records.voxel[row])
            assert records.below_um[row] == pytest.approx(below_of(busy, whole, voxel, voxel, n))
        columns = columns_of(busy, whole, site, 60.0)
        known = {int(records.voxel[row]) for row in feet}
        for row in feet:
            voxel = int(records.voxel[row])
            behind = {
                voxel + int(np.sign(c)) * stride
                for c, stride in zip(n, strides(lattice), strict=True)
                if abs(c) >= 0.01
            }
            new = (behind & set(columns)) - known
            assert go_down(lattice, cavities, site, row, 60.0) == len(new)
            known |= new
            assert {int(records.voxel[r]) for r in records_of(cavities, site)} == known
            total += len(new)
    assert total > 30


def wide_site(tissue: Tissue, n: tuple[float, ...], radius: float) -> tuple[Cavities, int]:
    """A site on all surface of a plane within `radius` of its middle."""
    cavities, shape = CavityTables().columns, tissue.padded_shape
    site = int(new_row(cavities.sites))
    sites = cavities.sites
    sites.nz[site], sites.ny[site], sites.nx[site] = n
    sites.first[site], sites.bmu_id[site] = -1, 5
    middle = np.array(shape) // 2
    for place in np.ndindex(*shape):
        voxel = int(np.ravel_multi_index(place, shape))
        near = ((np.array(place) - middle) ** 2).sum() <= radius**2
        area = area_there_was(tissue.lattice, cavities, voxel, *n) if near else 0.0
        if area > 0 and tissue.lattice.quanta[voxel]:
            row = add_record(tissue.lattice, cavities, site, voxel, True)
            cavities.records.foot[row] = 1
    return cavities, site


@pytest.mark.parametrize("n", TILTS)
def test_the_area_of_a_disc_on_a_plane(make_tissue: Make, n: tuple[float, float, float]) -> None:
    """Volume of the columns over depth is the area of the disc, in every direction and depth."""
    radius = 6.0
    for deepest in (30.0, 60.0):
        tissue = make_tissue(plane(27, n))
        cavities, site = wide_site(tissue, n, radius)
        area = area_of_layer(tissue.lattice, cavities, site, deepest)
        assert area == pytest.approx(math.pi * (20.0 * radius) ** 2, rel=0.08)
