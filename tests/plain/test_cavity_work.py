"""Erosion and apposition in one site by hand: every quantum is somewhere, none from nowhere."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bonesim.cells.accounts import lose_stock
from bonesim.cells.apposition import build, fill, finish, grant, stands, stock_of
from bonesim.cells.cavity import (
    QUANTA_ADDED,
    QUANTA_FLOORLESS,
    QUANTA_FORMED,
    Cavities,
    CavityTables,
    add_record,
    eroded_depth_um,
)
from bonesim.cells.column import area_there_was, left_of, span_um
from bonesim.cells.erosion import Breakthrough, dig
from bonesim.cells.floor import floor_below, settle
from bonesim.cells.population import new_row
from bonesim.cells.site import FORMING, OSTEOCLAST
from bonesim.cells.territory import faces_against, nearest_surface
from bonesim.lattice.ledger import EVENTS, FLOORLESS, FORMED, INTERIOR, RESORBED, give
from bonesim.lattice.tissue import Tissue
from bonesim.units import BONE, FULL
from tests.plain.conftest import Busy, alive, assert_same, normal_of, records_of
from tests.plain.layers import area_of_layer
from tests.plain.test_floor import holed

Make = Callable[..., Tissue]
DAY = 201
ALWAYS = Breakthrough(hole=1.0, cut=1.0)
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
    tissue: Tissue,
    tables: CavityTables,
    centre: tuple[int, int, int],
    n: tuple[float, ...],
    r: int,
    deepest_um: float,
) -> tuple[Cavities, int]:
    """A site on all surface voxels that look against n within r voxels of `centre`."""
    cavities = tables.columns
    site = int(new_row(cavities.sites))
    sites = cavities.sites
    sites.voxel[site] = flat(tissue, centre)
    sites.nz[site], sites.ny[site], sites.nx[site] = n
    sites.phase[site], sites.bmu_id[site], sites.first[site] = OSTEOCLAST, 77, -1
    for step in itertools.product(range(-r, r + 1), repeat=3):
        voxel = flat(tissue, tuple(c + s for c, s in zip(centre, step, strict=True)))
        bone = tissue.lattice.quanta[voxel] > 0 and sum(s * s for s in step) <= r * r
        if bone and area_there_was(tissue.lattice, cavities, voxel, *n) > 0:
            record = add_record(tissue.lattice, cavities, site, voxel, True)
            cavities.records.foot[record] = 1
    sites.area_um2[site] = area_of_layer(tissue.lattice, cavities, site, deepest_um)
    return cavities, site


def half_space(size: int, n: tuple[float, ...]) -> np.ndarray:
    """Bone behind a plane through the middle, with partial voxels at its surface."""
    z, y, x = np.indices((size, size, size)) - size // 2
    inside = (n[0] * z + n[1] * y + n[2] * x) / max(map(abs, n)) + 0.5
    return np.round(FULL * np.clip(inside, 0, 1)).astype(np.uint8)


def firm_on(quanta: np.ndarray, place: tuple[int, ...], n: np.ndarray) -> bool:
    """Bone itself, or on bone that lies behind it, or in a corner of three bone faces."""
    firm = [step for step, beyond in neighbours(quanta, place) if beyond >= BONE]
    floor = any(float(step @ n) > 0 for step in firm)
    return bool(quanta[place] >= BONE) or floor or len(firm) >= 3


@settings(max_examples=40)
@given(blocks, normals)
def test_what_bone_stands_on(make_tissue: Make, quanta: np.ndarray, n: np.ndarray) -> None:
    tissue = make_tissue(quanta)
    for place in np.ndindex(quanta.shape):
        expected = firm_on(quanta, place, n)
        assert stands(tissue.lattice, flat(tissue, place), *n) == expected


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
    found = nearest_surface(tissue.lattice, cavities, point[0], point[1], point[2], n, reach, True)
    if found != best:  # only a tie within rounding may differ
        gap = np.linalg.norm(np.array(np.unravel_index(found, tissue.padded_shape)) - point)
        assert gap == pytest.approx(best_distance, abs=1e-8)


TILTS = [(1.0, 0.0, 0.0), (0.6, 0.8, 0.0), (0.48, -0.6, 0.64)]


@pytest.mark.parametrize("n", TILTS)
@pytest.mark.parametrize("um_per_day", [0.7, 4.0])
def test_digging_to_a_depth_and_filling_it(
    make_tissue: Make, n: tuple[float, float, float], um_per_day: float
) -> None:
    """Area x depth is the volume at every depth and tilt; filling gives back the surface there was."""
    size = 31
    tissue = make_tissue(half_space(size, n))
    tables = CavityTables()
    cavities, site = open_site(tissue, tables, (size // 2,) * 3, n, 4, 50.0)
    lattice, sites, records = tissue.lattice, cavities.sites, cavities.records
    start = lattice.quanta.astype(int)
    days = int(40 / um_per_day)
    removed = 0
    for day in range(days):
        removed += dig(lattice, cavities, site, um_per_day, ALWAYS, 9, day)
        mine = np.flatnonzero(records.alive)
        held = np.zeros(start.size, int)
        held[records.voxel[mine]] += records.stock[mine]
        assert (lattice.quanta + held == start).all()
        assert sites.open_um[site] == pytest.approx((day + 1) * um_per_day, rel=1e-4)
    assert removed == sites.removed_quanta[site] == lattice.counts[RESORBED]
    assert removed == (start - lattice.quanta).sum()
    depth = days * um_per_day
    assert eroded_depth_um(lattice, sites, site) == pytest.approx(depth, rel=0.04)

    assert settle(lattice, cavities, site, 60.0, days) == removed  # thick bone: all has a floor
    assert stock_of(cavities, site) == removed
    sites.phase[site] = FORMING
    film = 12.0
    sites.film_um[site] = records.film_um[records_of(cavities, site)] = film
    formed = 0
    for day in range(days, 4 * days):
        formed += fill(lattice, cavities, site, um_per_day, day)
        assert (lattice.quanta <= start).all()
    assert sites.open_um[site] == film
    assert formed == sites.formed_quanta[site] == lattice.counts[FORMED]
    assert (start - lattice.quanta).sum() == removed - formed == stock_of(cavities, site)
    left_um = (removed - formed) / FULL * 20.0**3 / sites.area_um2[site]
    assert left_um == pytest.approx(film, abs=0.04 * depth)

    sites.film_um[site] = records.film_um[records_of(cavities, site)] = 0.0
    finish(lattice, cavities, site, 4 * days)
    assert stock_of(cavities, site) == 0
    assert (lattice.quanta == start).all()


def broken_plate(make_tissue: Make) -> tuple[Tissue, Cavities, int]:
    """A plate of two voxels dug from one side until nothing more can be dug."""
    quanta = np.zeros((21, 21, 21), np.uint8)
    quanta[10:12] = FULL
    tissue = make_tissue(quanta)
    cavities, site = open_site(tissue, CavityTables(), (10, 10, 10), (1.0, 0.0, 0.0), 3, 120.0)
    for day in range(40):
        dig(tissue.lattice, cavities, site, 3.0, ALWAYS, 9, day)
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
    for day in range(40, 200):
        fill(tissue.lattice, cavities, site, 3.0, day)
    finish(tissue.lattice, cavities, site, 200)
    assert stock_of(cavities, site) == 0
    after = tissue.inner(tissue.lattice.quanta)[10:12]
    assert all((after[:, y, x] < BONE).all() for y, x in holes)


def test_a_hole_narrower_than_the_smallest_is_bridged(make_tissue: Make) -> None:
    """The hole is at most 7 voxels of 20 um wide: with 300 um nothing counts as floorless."""
    tissue, cavities, site = broken_plate(make_tissue)
    removed = int(cavities.sites.removed_quanta[site])
    tissue.drain_events()
    assert settle(tissue.lattice, cavities, site, 300.0, 40) == removed
    assert tissue.drain_events()[1]["voxel"].size == 0


def filled(busy: Busy, site: int, depth: float, day: int) -> int:
    """Each voxel up to what the floor leaves, its film or its stock; if it stands on something."""
    lattice, s, r = busy.lattice, busy.cavities.sites, busy.cavities.records
    n = normal_of(busy.cavities, site)
    span, formed = span_um(lattice, *n), 0
    floor = max(float(s.open_um[site]) - depth, float(s.film_um[site]))
    s.open_um[site] = floor
    inner = lattice.quanta.reshape(busy.shape)[1:-1, 1:-1, 1:-1]
    for row in records_of(busy.cavities, site):
        voxel = int(r.voxel[row])
        to = left_of(max(floor, float(r.film_um[row])), float(r.below_um[row]), span)
        most = int(r.stock[row]) + int(r.granted[row])
        amount = min(int(to) - int(lattice.quanta[voxel]), most)
        place = tuple(int(c) - 1 for c in np.unravel_index(voxel, busy.shape))
        if amount > 0 and firm_on(inner, place, np.array(n)):
            formed += int(build(lattice, busy.cavities, site, row, amount, day))
    return formed


def beyond_the_surface(busy: Busy, sites: list[int]) -> None:
    """Some sites are to form beyond the old surface."""
    records = busy.cavities.records
    for site in sites:
        records.film_um[records_of(busy.cavities, site)] = -12.0
        busy.cavities.sites.film_um[site] = -12.0
        grant(busy.lattice, busy.cavities, site)


def test_filling(busy: Busy) -> None:
    total = waiting = 0
    beyond_the_surface(busy, alive(busy.cavities.sites)[::8])
    for site in alive(busy.cavities.sites)[::4]:
        stock = sum(int(busy.cavities.records.stock[r]) for r in records_of(busy.cavities, site))
        assert stock_of(busy.cavities, site) == stock
        for depth in (3.0, 30.0):
            plain = busy.copy()
            formed = fill(busy.lattice, busy.cavities, site, depth, DAY)
            assert formed == filled(plain, site, depth, DAY)
            assert_same(busy, plain)
            total += formed
        waiting += stock_of(busy.cavities, site) > 0
    assert total > 10_000
    assert waiting > 0


def test_the_end_of_a_team(busy: Busy) -> None:
    """All stock is back in place, or lost with its floor."""
    sites = alive(busy.cavities.sites)[::6]
    holed(busy, sites[1::3])
    beyond_the_surface(busy, sites[::4])
    before = busy.lattice.counts[FLOORLESS]
    for site in sites:
        plain = busy.copy()
        finish(busy.lattice, busy.cavities, site, DAY)
        s, r, n = plain.cavities.sites, plain.cavities.records, normal_of(plain.cavities, site)
        depth = float(s.open_um[site])
        while filled(plain, site, depth, DAY):
            depth = 0.0
        for row in records_of(plain.cavities, site):
            stock = int(r.stock[row])
            if not stock:
                continue
            if floor_below(plain.lattice, plain.cavities, r.voxel[row], s.bmu_id[site], *n):
                build(plain.lattice, plain.cavities, site, row, stock, DAY)
            else:
                lose_stock(plain.lattice, plain.cavities, row, DAY)
        assert_same(busy, plain)
        assert stock_of(busy.cavities, site) == 0
    assert busy.lattice.counts[FLOORLESS] > before


def test_building(busy: Busy) -> None:
    turned = refused = 0
    beyond_the_surface(busy, alive(busy.cavities.sites)[::4])
    for site in alive(busy.cavities.sites)[::12]:
        for record in records_of(busy.cavities, site)[:3]:
            plain = busy.copy()
            moved = build(busy.lattice, busy.cavities, site, record, 140, DAY)
            s, r, lattice = plain.cavities.sites, plain.cavities.records, plain.lattice
            voxel = int(r.voxel[record])
            before = int(lattice.quanta[voxel])
            depth = s.removed_quanta[site] * lattice.voxel_um**3 / FULL / s.area_um2[site]
            stock, extra = int(r.stock[record]), int(r.granted[record])
            wanted = 140
            if extra and before + stock < BONE <= before + 140 and before < BONE:
                trial = plain.copy()
                give(trial.lattice, voxel, 140, DAY, depth, s.bmu_id[site])
                # A crossing that is not simple is an event: it must not be.
                if trial.lattice.counts[EVENTS] > lattice.counts[EVENTS]:
                    wanted = BONE - 1 - before
                    refused += 1
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
    assert refused > 0
