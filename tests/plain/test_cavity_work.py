"""Erosion and apposition in one site by hand: every quantum is somewhere, none from nowhere."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bonesim.cells.apposition import appetite, build, fill, room_for
from bonesim.cells.cavity import (
    FORMING,
    OSTEOCLAST,
    QUANTA_ADDED,
    QUANTA_FLOORLESS,
    QUANTA_FORMED,
    Cavities,
    CavityTables,
    add_record,
    axis_distance2,
    eroded_depth_um,
    settle,
)
from bonesim.cells.erosion import dig, prominence
from bonesim.cells.population import new_row
from bonesim.cells.territory import faces_against, nearest_surface
from bonesim.lattice.ledger import EVENTS, FORMED, INTERIOR, RESORBED, give
from bonesim.lattice.surface import outward_area
from bonesim.lattice.tissue import Tissue
from bonesim.units import BONE, FULL
from tests.plain.conftest import Busy, alive, assert_same, records_of

Make = Callable[..., Tissue]
DAY = 201
STEPS = [(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)]
blocks = arrays(
    np.uint8, st.tuples(*[st.integers(3, 6)] * 3), elements=st.sampled_from([0, 60, 127, 128, 255])
)
normals = st.tuples(*[st.integers(-9, 9)] * 3).map(
    lambda v: (np.array(v) + 0.01) / np.linalg.norm(np.array(v) + 0.01)
)


def flat(tissue: Tissue, place: tuple[int, ...]) -> int:
    return int(np.ravel_multi_index(tuple(c + 1 for c in place), tissue.padded_shape))


def neighbours(quanta: np.ndarray, place: tuple[int, ...]) -> list[tuple[np.ndarray, int]]:
    """(outward step, quanta beyond) for each face inside the specimen."""
    found = []
    for step in STEPS:
        there = tuple(c + s for c, s in zip(place, step, strict=True))
        if all(0 <= c < n for c, n in zip(there, quanta.shape, strict=True)):
            found.append((np.array(step), int(quanta[there])))
    return found


def open_site(
    tissue: Tissue, tables: CavityTables, centre: tuple[int, int, int], n: tuple[float, ...], r: int
) -> tuple[Cavities, int]:
    """A site on all surface voxels that look against n within r voxels of `centre`."""
    cavities = tables.columns
    site = int(new_row(cavities.sites))
    sites = cavities.sites
    sites.voxel[site] = flat(tissue, centre)
    sites.nz[site], sites.ny[site], sites.nx[site] = n
    sites.phase[site], sites.bmu_id[site], sites.first[site] = OSTEOCLAST, 77, -1
    faces = 0.0
    for step in itertools.product(range(-r, r + 1), repeat=3):
        voxel = flat(tissue, tuple(c + s for c, s in zip(centre, step, strict=True)))
        area = outward_area(tissue.lattice, voxel, *n) if tissue.lattice.quanta[voxel] else 0.0
        if sum(s * s for s in step) <= r * r and area > 0:
            add_record(tissue.lattice, cavities, site, voxel)
            faces += area
    sites.area_um2[site] = faces * tissue.voxel_um**2
    return cavities, site


def half_space(size: int, n: tuple[float, ...]) -> np.ndarray:
    """Bone behind a plane through the middle, with partial voxels at its surface."""
    z, y, x = np.indices((size, size, size)) - size // 2
    return np.clip(128 + 255 * (n[0] * z + n[1] * y + n[2] * x), 0, 255).astype(np.uint8)


@settings(max_examples=40)
@given(blocks, normals, st.sampled_from([0, 90]))
def test_appetite_goes_with_floor_and_hollow(
    make_tissue: Make, quanta: np.ndarray, n: np.ndarray, stock: int
) -> None:
    tissue = make_tissue(quanta)
    lattice = tissue.lattice
    strides = lattice.stride_y, lattice.stride_z
    padded = np.pad(quanta, 1)
    for place in np.ndindex(quanta.shape):
        firm = [step for step, beyond in neighbours(quanta, place) if beyond >= BONE]
        around = padded[tuple(slice(c, c + 3) for c in place)] >= BONE
        bone = int(around.sum()) - int(around[1, 1, 1])
        pit = len(firm) >= 4
        floor = sum(max(0.0, float(step @ n)) for step in firm)
        if floor == 0.0 and (len(firm) >= 3 or quanta[place] >= BONE):
            floor = 0.5
        expected = floor * (bone / 9) ** 3
        if quanta[place] == FULL or (stock == 0 and not pit):
            expected = 0.0
        voxel = flat(tissue, place)
        found = appetite(lattice.quanta, voxel, stock, *strides, *n)
        assert found == pytest.approx(expected)
        room = room_for(lattice.quanta, voxel, stock, *strides)
        assert room == (FULL - quanta[place] if pit else stock)
        assert prominence(lattice, voxel) == 13 / max(bone, 4)


@settings(max_examples=40)
@given(blocks, normals, st.tuples(*[st.floats(-1, 8)] * 3), st.floats(0.5, 5))
def test_the_nearest_surface_that_looks_against_n(
    make_tissue: Make, quanta: np.ndarray, n: np.ndarray, point: tuple[float, ...], reach: float
) -> None:
    tissue = make_tissue(quanta)
    cavities = CavityTables().columns
    best, best_distance = -1, reach
    for place in np.ndindex(quanta.shape):
        looks = any(
            beyond < BONE and float(step @ n) < -0.3 for step, beyond in neighbours(quanta, place)
        )
        assert faces_against(tissue.lattice, flat(tissue, place), n) == looks
        distance = float(np.linalg.norm(np.array(place) + 1 - point))
        if quanta[place] >= BONE and looks and distance < best_distance - 1e-9:
            best, best_distance = flat(tissue, place), distance
    shape = np.array(tissue.padded_shape)
    found = nearest_surface(tissue.lattice, cavities, *point, n, reach, shape, True)
    if found != best:  # only a tie within rounding may differ
        gap = np.linalg.norm(np.array(np.unravel_index(found, tissue.padded_shape)) - point)
        assert gap == pytest.approx(best_distance, abs=1e-8)


@given(st.tuples(*[st.integers(0, 6)] * 3), st.tuples(*[st.integers(0, 6)] * 3), normals)
def test_distance_from_an_axis_is_the_cross_product(
    make_tissue: Make, place: tuple[int, ...], centre: tuple[int, ...], n: np.ndarray
) -> None:
    tissue = make_tissue(np.zeros((7, 7, 7)))
    found = axis_distance2(tissue.lattice, flat(tissue, place), flat(tissue, centre), *n)
    expected = np.linalg.norm(np.cross(np.array(place) - np.array(centre), n)) ** 2
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("n", [(1.0, 0.0, 0.0), (0.6, 0.8, 0.0), (0.48, 0.6, 0.64)])
@pytest.mark.parametrize("um_per_day", [0.7, 4.0])
def test_digging_to_a_depth_and_filling_it(
    make_tissue: Make, n: tuple[float, float, float], um_per_day: float
) -> None:
    """Depth per true area is the same for every orientation; filling gives back the stock."""
    size = 31
    tissue = make_tissue(half_space(size, n))
    tables = CavityTables()
    cavities, site = open_site(tissue, tables, (size // 2,) * 3, n, 4)
    lattice, sites, records = tissue.lattice, cavities.sites, cavities.records
    start = lattice.quanta.astype(int)
    days = int(40 / um_per_day)
    removed = 0
    for day in range(days):
        removed += dig(lattice, cavities, site, um_per_day, 4.0, 1.0, 9, day)
        mine = np.flatnonzero(records.alive)
        held = np.zeros(start.size, int)
        held[records.voxel[mine]] += records.stock[mine]
        assert (lattice.quanta + held == start).all()
    assert removed == sites.removed_quanta[site] == lattice.counts[RESORBED]
    assert removed == (start - lattice.quanta).sum()
    assert eroded_depth_um(lattice, sites, site) == pytest.approx(days * um_per_day, rel=0.1)

    assert settle(lattice, cavities, site, 60.0, days) == removed  # thick bone: all has a floor
    sites.phase[site] = FORMING
    sites.quota_quanta[site], sites.carry_quanta[site] = int(0.8 * removed), 0.0
    formed = 0
    for day in range(days, 4 * days):
        formed += fill(lattice, cavities, site, um_per_day, 9, day)
        # Only pits of one voxel are filled beyond their own stock, and they are few.
        beyond = np.clip(lattice.quanta.astype(int) - start, 0, None)
        assert beyond.sum() <= max(0.05 * formed, FULL)
        assert formed <= sites.quota_quanta[site]
    assert formed == sites.formed_quanta[site] == lattice.counts[FORMED]
    assert formed == sites.quota_quanta[site]
    assert (start - lattice.quanta).sum() == removed - formed
    mine = np.flatnonzero(records.alive)
    assert records.stock[mine].sum(dtype=int) == removed - formed + beyond.sum()


def broken_plate(make_tissue: Make) -> tuple[Tissue, Cavities, int]:
    """A plate of two voxels dug from one side until nothing more can be dug."""
    quanta = np.zeros((21, 21, 21), np.uint8)
    quanta[10:12] = FULL
    tissue = make_tissue(quanta)
    cavities, site = open_site(tissue, CavityTables(), (10, 10, 10), (1.0, 0.0, 0.0), 3)
    for day in range(40):
        dig(tissue.lattice, cavities, site, 3.0, 3.0, 1.0, 9, day)
    return tissue, cavities, site


def test_a_hole_through_a_plate_has_no_floor_and_stays(make_tissue: Make) -> None:
    tissue, cavities, site = broken_plate(make_tissue)
    columns, _ = tissue.drain_events()
    assert columns["euler"].sum(dtype=int) <= -1
    assert columns["thickness_um"][0] == pytest.approx(2 * tissue.voxel_um, abs=tissue.voxel_um / 2)
    holes = np.argwhere((tissue.inner(tissue.lattice.quanta)[10:12] < BONE).all(axis=0))
    assert len(holes)
    start, stocked = tissue.lattice.quanta.astype(int), tissue.lattice.quanta.astype(int)
    records = cavities.records
    mine = np.flatnonzero(records.alive)
    stocked[records.voxel[mine]] += records.stock[mine]
    events = set(records.voxel[mine][records.event[mine] == 1])
    refillable = settle(tissue.lattice, cavities, site, 0.0, 40)
    _, lost = tissue.drain_events()
    # What stands or is to be refilled, and what is reported as lost, is all there was.
    assert lost["quanta"].sum() == cavities.tally[QUANTA_FLOORLESS]
    assert stocked.sum() == tissue.lattice.quanta.sum(dtype=int) + refillable + lost["quanta"].sum()
    assert (lost["quanta"] == stocked[lost["voxel"]]).all()
    assert (tissue.lattice.quanta[lost["voxel"]] == 0).all()
    assert (start[lost["voxel"]] < BONE).all()
    assert set(lost["voxel"][lost["event"] == 1]) == events & set(lost["voxel"])
    assert lost["event"].sum() >= 1
    assert set(lost["bmu"]) == {77}
    cavities.sites.quota_quanta[site] = refillable
    for day in range(40, 200):
        fill(tissue.lattice, cavities, site, 3.0, 9, day)
    after = tissue.inner(tissue.lattice.quanta)[10:12]
    assert all((after[:, y, x] < BONE).all() for y, x in holes)


def test_a_hole_narrower_than_the_smallest_is_bridged(make_tissue: Make) -> None:
    """The hole is at most 7 voxels of 20 um wide: with 300 um nothing counts as floorless."""
    tissue, cavities, site = broken_plate(make_tissue)
    removed = int(cavities.sites.removed_quanta[site])
    tissue.drain_events()
    assert settle(tissue.lattice, cavities, site, 300.0, 40) == removed
    assert tissue.drain_events()[1]["voxel"].size == 0


def test_building(busy: Busy) -> None:
    turned = 0
    for site in alive(busy.cavities.sites)[::2]:
        for record in records_of(busy.cavities, site)[:2]:
            plain = busy.copy()
            moved = build(busy.lattice, busy.cavities, site, record, 90, DAY)
            s, r, lattice = plain.cavities.sites, plain.cavities.records, plain.lattice
            voxel = int(r.voxel[record])
            before = int(lattice.quanta[voxel])
            depth = s.removed_quanta[site] * lattice.voxel_um**3 / FULL / s.area_um2[site]
            stock, extra = int(r.stock[record]), int(r.granted[record])
            wanted = 90
            if extra and before + stock < BONE <= before + 90 and before < BONE:
                trial = plain.copy()
                give(trial.lattice, voxel, 90, DAY, depth, s.bmu_id[site])
                # A crossing that is not simple is an event: it must not be.
                if trial.lattice.counts[EVENTS] > lattice.counts[EVENTS]:
                    wanted = BONE - 1 - before
            expected = give(lattice, voxel, wanted, DAY, depth, s.bmu_id[site])
            assert moved == expected == min(wanted, FULL - before)
            r.stock[record] -= min(expected, stock)
            beyond = min(max(expected - stock, 0), extra)
            r.granted[record] -= beyond
            if lattice.region[voxel] == INTERIOR:
                plain.cavities.tally[QUANTA_ADDED] += beyond
            s.formed_quanta[site] += expected
            plain.cavities.tally[QUANTA_FORMED] += expected
            if before < BONE <= lattice.quanta[voxel]:
                s.front_voxel[site] = voxel
                turned += 1
            np.testing.assert_allclose(
                busy.lattice.event_depth_um, lattice.event_depth_um, rtol=1e-6
            )
            busy.lattice.event_depth_um[:] = lattice.event_depth_um
            assert_same(busy, plain)
    assert turned > 0
