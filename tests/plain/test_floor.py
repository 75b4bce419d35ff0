"""Floors of cavities: which voxels have one, which are bridged, and what becomes of the others."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.cells.accounts import lose_stock
from bonesim.cells.bmu_parameters import BmuParameters
from bonesim.cells.cavity import (
    QUANTA_ERODED,
    QUANTA_FLOORLESS,
    Cavities,
    CavityTables,
    add_record,
    drop_record,
)
from bonesim.cells.column import add_columns, inward_normal
from bonesim.cells.floor import (
    FLOOR,
    FURTHER,
    MARROW,
    NOTCH_UM,
    dug_from_behind,
    floor_below,
    is_bridged,
    run_from,
    settle,
    tangents,
    weigh_floor,
)
from bonesim.cells.population import new_row
from bonesim.lattice.ledger import (
    FLOORLESS,
    log_floorless,
    take,
)
from bonesim.lattice.rays import LONGEST_UM, along
from bonesim.lattice.tissue import Tissue
from bonesim.units import BONE, FULL
from tests.plain.conftest import Busy, alive, assert_same, normal_of, owners, records_of

P = BmuParameters()
DAY = 201
Owners = dict[int, int]
Vector = tuple[float, float, float]
units = st.tuples(*[st.integers(-9, 9)] * 3).map(
    lambda v: (np.array(v) + 0.01) / np.linalg.norm(np.array(v) + 0.01)
)


def at(busy: Busy, voxel: int, n: np.ndarray, distance: float) -> int:
    """The voxel at a distance from another's centre."""
    start = np.array(np.unravel_index(voxel, busy.shape))
    there = tuple(np.floor(start + n * distance + 0.5).astype(int))
    return int(np.ravel_multi_index(there, busy.shape))


def floored(busy: Busy, owner_of: Owners, voxel: int, bmu: int, n: np.ndarray) -> bool:
    """Bone along n before the marrow of the far side; half steps, mirror at the cut face."""
    lattice, sites = busy.lattice, busy.cavities.sites
    if lattice.quanta[voxel] >= BONE:
        return True
    for half in range(1, int(2 * LONGEST_UM / lattice.voxel_um) + 1):
        place = at(busy, voxel, n, half / 2)
        if lattice.region[place] == 0 or lattice.quanta[place] >= BONE:
            return True
        if place == voxel:
            continue
        owner = owner_of.get(place)
        if owner is None:
            return False
        if sites.bmu_id[owner] != bmu and np.array(normal_of(busy.cavities, owner)) @ n <= 0:
            return False
    return False


def run(busy: Busy, owner_of: Owners, voxel: int, bmu: int, n: np.ndarray, t: np.ndarray,
        reach: int) -> tuple[int, str]:  # fmt: skip
    """Voxels without a floor that follow along t, and what comes after them."""
    for step in range(1, reach + 1):
        place = at(busy, voxel, t, step)
        lattice = busy.lattice
        if lattice.region[place] and lattice.quanta[place] < BONE and place not in owner_of:
            return step - 1, "marrow"
        if not lattice.region[place] or floored(busy, owner_of, place, bmu, n):
            return step - 1, "floor"
    return reach, "further"


def bridged(busy: Busy, owner_of: Owners, voxel: int, bmu: int, n: np.ndarray, hole: int,
            notch: int) -> bool:  # fmt: skip
    """In one of four directions across n: a narrow hole between floors, or a narrow notch."""
    a, b = map(np.array, tangents(*n))
    for angle in range(0, 180, 45):
        t = math.cos(math.radians(angle)) * a + math.sin(math.radians(angle)) * b
        runs = [run(busy, owner_of, voxel, bmu, n, way, max(hole, notch)) for way in (t, -t)]
        width = 1 + sum(count for count, _ in runs)
        ends = sorted(end for _, end in runs)
        if (ends == ["floor", "floor"] and width < hole) or (
            ends == ["floor", "marrow"] and width < notch
        ):
            return True
    return False


def holed(busy: Busy, sites: list[int]) -> None:
    """Take away all bone in and under part of the lists of some sites: no floor is left there."""
    for number, site in enumerate(sites):
        n = normal_of(busy.cavities, site)
        rows = records_of(busy.cavities, site)
        for record in rows[: (len(rows), len(rows) // 2, len(rows) // 6)[number % 3]]:
            voxel = int(busy.cavities.records.voxel[record])
            for half in range(9):
                there = int(along(busy.lattice, voxel, *n, half / 2))
                if not busy.lattice.region[there]:
                    break
                if busy.lattice.owner[there] in (-1, record):
                    busy.lattice.quanta[there] = 0


@given(units)
def test_tangents_are_across_n_and_each_other(n: np.ndarray) -> None:
    frame = np.array([n, *tangents(*n)])
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-9)


def test_floors_and_bridges(busy: Busy) -> None:
    holed(busy, alive(busy.cavities.sites)[::6])
    owner_of, lattice = owners(busy), busy.lattice
    names = {FLOOR: "floor", MARROW: "marrow", FURTHER: "further"}
    kinds: set[object] = set()
    for site in alive(busy.cavities.sites)[::3]:
        n = np.array(normal_of(busy.cavities, site))
        bmu = busy.cavities.sites.bmu_id[site]
        for record in records_of(busy.cavities, site)[::9]:
            voxel = int(busy.cavities.records.voxel[record])
            expected = floored(busy, owner_of, voxel, bmu, n)
            assert floor_below(lattice, busy.cavities, voxel, bmu, *n) == expected
            kinds.add(expected)
            if expected:
                continue
            t = np.array(tangents(*n)[0])
            count, end = run_from(lattice, busy.cavities, voxel, bmu, tuple(n), tuple(t), 3)
            assert (count, names[int(end)]) == run(busy, owner_of, voxel, bmu, n, t, 3)
            kinds.add(names[int(end)])
            for hole, notch in ((2, 3), (4, 0), (0, 4)):
                narrow = bridged(busy, owner_of, voxel, bmu, n, hole, notch)
                found = is_bridged(lattice, busy.cavities, voxel, bmu, tuple(n), hole, notch)
                assert found == narrow
                kinds.add((hole, narrow))
    both = {(hole, narrow) for hole in (4, 0) for narrow in (True, False)}
    assert kinds >= {True, False, "floor", "marrow", "further", *both}


def test_dug_from_behind(busy: Busy) -> None:
    seen = set()
    owner_of = owners(busy)
    for voxel in busy.lattice.surface[: busy.lattice.counts[0] : 13].tolist():
        n = np.array(inward_normal(busy.lattice, busy.cavities, voxel, P.normal_radius_voxel))
        end = None
        for half in range(1, int(2 * LONGEST_UM / 20.0) + 1):
            place = at(busy, voxel, n, half / 2)
            if not busy.lattice.region[place]:
                break
            if busy.lattice.quanta[place] < BONE:
                end = place
                break
        owner = owner_of.get(end) if end is not None else None
        bmu = busy.cavities.sites.bmu_id[owner] if owner is not None else np.uint64(1)
        for who in (bmu, np.uint64(12345)):
            expected = owner is not None and busy.cavities.sites.bmu_id[owner] == who
            assert dug_from_behind(busy.lattice, busy.cavities, voxel, who, *n) == expected
            seen.add(expected)
    assert seen == {True, False}


def lost(busy: Busy, record: int) -> None:
    """Its stock is reported as floorless; what little bone is left in its voxel goes, too."""
    lattice, s, r = busy.lattice, busy.cavities.sites, busy.cavities.records
    site, voxel = int(r.site[record]), int(r.voxel[record])
    rest = int(lattice.quanta[voxel])
    if rest >= BONE:
        rest = 0
    if rest:
        assert take(lattice, voxel, FULL, DAY, math.nan, math.nan, s.bmu_id[site]) == rest
    s.removed_quanta[site] += rest
    busy.cavities.tally[QUANTA_ERODED] += rest
    gone = int(r.stock[record]) + rest
    busy.cavities.tally[QUANTA_FLOORLESS] += gone
    log_floorless(lattice, voxel, gone, s.bmu_id[site], r.event[record])
    r.stock[record] = 0


def test_losing_a_voxel_s_stock(busy: Busy) -> None:
    before = busy.lattice.counts[FLOORLESS]
    rests = set()
    for site in alive(busy.cavities.sites)[::12]:
        for record in records_of(busy.cavities, site)[::8]:
            plain = busy.copy()
            rests.add(bool(0 < busy.lattice.quanta[busy.cavities.records.voxel[record]] < BONE))
            lose_stock(busy.lattice, busy.cavities, record, DAY)
            lost(plain, record)
            assert_same(busy, plain)
    assert rests == {True, False}
    assert busy.lattice.counts[FLOORLESS] > before


def kept(busy: Busy, owner_of: Owners, site: int, hole: int, notch: int) -> set[int]:
    """The records of a site whose stock can be refilled: over a floor, or bridged."""
    records = busy.cavities.records
    n, bmu = np.array(normal_of(busy.cavities, site)), busy.cavities.sites.bmu_id[site]
    stocked = [
        row
        for row in records_of(busy.cavities, site)
        if busy.lattice.owner[records.voxel[row]] == row and records.stock[row]
    ]
    firm = {row for row in stocked if floored(busy, owner_of, int(records.voxel[row]), bmu, n)}
    bare = [row for row in stocked if row not in firm]
    # Notches are bridged only where most of a site has a floor.
    if sum(int(records.stock[row]) for row in bare) > sum(int(records.stock[r]) for r in firm):
        notch = 0
    over = [r for r in bare if bridged(busy, owner_of, int(records.voxel[r]), bmu, n, hole, notch)]
    return firm | set(over)


@pytest.mark.parametrize("smallest_hole_um", [0.0, 30.0, 70.0])
def test_the_end_of_resorption(busy: Busy, smallest_hole_um: float) -> None:
    """What has a floor is kept for osteoblasts; the rest is lost, once and for ever."""
    holed(busy, alive(busy.cavities.sites)[::2])
    hole = math.ceil(smallest_hole_um / 20.0)
    notch = math.ceil(NOTCH_UM / 20.0) if hole else 0
    bridges = losses = 0
    for site in alive(busy.cavities.sites)[::14]:
        plain = busy.copy()
        r, before = plain.cavities.records, plain.lattice.counts[FLOORLESS]
        owner_of = owners(plain)
        keep = kept(plain, owner_of, site, hole, notch)
        bridges += len(keep) - len(kept(plain, owner_of, site, 0, 0))
        stock = sum(int(r.stock[row]) for row in keep)
        weighed = busy.copy()
        weigh_floor(weighed.lattice, weighed.cavities, site, hole, notch)
        rows = records_of(weighed.cavities, site)
        assert {row for row in rows if weighed.cavities.records.weight[row] == 1.0} == keep
        assert {weighed.cavities.records.weight[row] for row in rows} <= {0.0, 1.0}

        assert settle(busy.lattice, busy.cavities, site, smallest_hole_um, DAY) == stock
        order = records_of(plain.cavities, site)
        for row in order:
            if row not in keep:
                if plain.lattice.owner[r.voxel[row]] == row and r.stock[row]:
                    lost(plain, row)
                drop_record(plain.lattice, plain.cavities, row)
        s = plain.cavities.sites
        s.first[site] = -1
        for row in order:
            if row in keep:
                r.next[row], s.first[site] = s.first[site], row
        r.weight[:] = busy.cavities.records.weight
        r.next[r.alive == 0] = busy.cavities.records.next[r.alive == 0]
        assert_same(busy, plain)
        losses += int(busy.lattice.counts[FLOORLESS] - before)
    assert losses > 0
    assert (bridges > 0) == (hole > 0)


def gap_in_a_plate(
    make: object, width: int, at_edge: bool, rows: int
) -> tuple[Tissue, Cavities, int]:
    """A site on a plate of two voxels: `rows` x 9 voxels dug, a run of `width` of them through.

    The run is in the middle of them, or at the free edge of the plate.
    """
    quanta = np.zeros((11, 17, 17), np.uint8)
    quanta[5:7, :, 4 if at_edge else 0 :] = FULL
    tissue: Tissue = make(quanta)  # type: ignore[operator]
    cavities = CavityTables().columns
    site = int(new_row(cavities.sites))
    sites, lattice = cavities.sites, tissue.lattice
    sites.nz[site], sites.bmu_id[site], sites.first[site] = 1.0, 9, -1
    sites.area_um2[site] = rows * 9 * 400.0
    first = 4 if at_edge else 8 - width // 2
    for y in range(8 - rows // 2, 8 - rows // 2 + rows):
        for x in range(4, 13):
            voxel = int(np.ravel_multi_index((6, y + 1, x + 1), tissue.padded_shape))
            cavities.records.foot[add_record(lattice, cavities, site, voxel, True)] = 1
    add_columns(lattice, cavities, site, 40.0)
    for row in records_of(cavities, site):
        voxel = int(cavities.records.voxel[row])
        z, _, x = np.unravel_index(voxel, tissue.padded_shape)
        if z == 6 or first <= x - 1 < first + width:
            taken = take(lattice, voxel, FULL, DAY, math.nan, math.nan, 9)
            cavities.records.stock[row] = taken
            lattice.owner[voxel] = row
    return tissue, cavities, site


@pytest.mark.parametrize("at_edge", [False, True])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_how_wide_osteoblasts_bridge(make_tissue: object, width: int, at_edge: bool) -> None:
    """A hole below 30 um, and a notch in an edge below 60 um; nothing if that is switched off."""
    for smallest, longest in ((30.0, 2 if at_edge else 1), (0.0, 0)):
        tissue, cavities, site = gap_in_a_plate(make_tissue, width, at_edge, 7)
        stock = sum(int(cavities.records.stock[row]) for row in records_of(cavities, site))
        assert stock == 7 * (9 + width) * FULL
        refillable = settle(tissue.lattice, cavities, site, smallest, DAY)
        _, lost_now = tissue.drain_events()
        assert refillable + lost_now["quanta"].sum() == stock
        # In the middle row: the ends of a slit are narrow along its diagonals.
        rows = np.unravel_index(lost_now["voxel"], tissue.padded_shape)[1]
        assert (rows == 9).sum() == (0 if width <= longest else 2 * width)
