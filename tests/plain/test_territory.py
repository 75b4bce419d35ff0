"""Territories and cavities: who owns what, against searches through everything."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bonesim.cells.apposition import floor_area
from bonesim.cells.bmu import BmuNumbers, BmuParameters
from bonesim.cells.cavity import (
    AREA_CLOSED,
    ARRESTED,
    CLOSED_ERODED,
    CLOSED_FORMED,
    FORMING,
    OSTEOCLAST,
    QUANTA_ERODED,
    QUANTA_MODELLED,
    REVERSAL,
    SITES_CLOSED,
    add_record,
    axis_distance2,
    close_site,
    drop_record,
    dug_from_behind,
    eroded_depth_um,
    floor_below,
    has_record,
    is_pinhole,
)
from bonesim.cells.erosion import erode, expose
from bonesim.cells.population import free_row, identity, new_row
from bonesim.cells.territory import claim, faces_against, free_for_bmu, nearest_within, take_patch
from bonesim.lattice.ledger import (
    INTERIOR,
    INTERIOR_RESORBED,
    RESORBED,
    take,
)
from bonesim.lattice.rays import LONGEST_UM, along, bone_behind, thickness_along
from bonesim.lattice.surface import inward_normal, outward_area
from bonesim.lattice.tissue import Tissue
from bonesim.lattice.topology import SIMPLE, bone_bits, crossing_kind
from bonesim.parameters import numbers_of
from bonesim.units import BONE
from tests.plain.conftest import Busy, alive, assert_same, records_of

Make = Callable[..., Tissue]
P = BmuParameters()
NUMBERS = numbers_of(P, BmuNumbers)
DAY, SEED = 201, 3
blocks = arrays(
    np.uint8, st.tuples(*[st.integers(3, 6)] * 3), elements=st.sampled_from([0, 60, 127, 128, 255])
)


def normal_of(busy: Busy, site: int) -> tuple[float, float, float]:
    sites = busy.cavities.sites
    return float(sites.nz[site]), float(sites.ny[site]), float(sites.nx[site])


def owners(busy: Busy) -> dict[int, int]:
    """Voxel -> the site that owns it, found by going through all lists."""
    found = {}
    for site in alive(busy.cavities.sites):
        for record in records_of(busy.cavities, site):
            voxel = int(busy.cavities.records.voxel[record])
            if busy.lattice.owner[voxel] == record:
                found[voxel] = site
    return found


def test_records_and_owners_agree(busy: Busy) -> None:
    """`has_record` and `free_for_bmu` agree with the lists."""
    sites = busy.cavities.sites
    some = alive(sites)[::7]
    sites.phase[some[0]] = ARRESTED
    owner_of = owners(busy)
    for site in some:
        mine = {int(busy.cavities.records.voxel[r]) for r in records_of(busy.cavities, site)}
        assert mine
        for voxel in [*mine, int(busy.lattice.surface[0]), int(busy.lattice.surface[9])]:
            assert has_record(busy.cavities, site, voxel) == (voxel in mine)
            owner = owner_of.get(voxel)
            free = owner is None or sites.phase[owner] == ARRESTED
            assert free_for_bmu(busy.lattice, busy.cavities, voxel) == free


def test_the_nearest_that_is_free(busy: Busy) -> None:
    """Among all surface voxels within reach that look against n: the nearest; if asked, unowned."""
    rng = np.random.default_rng(1)
    surface = busy.lattice.surface[: busy.lattice.counts[0]]
    places = np.stack(np.unravel_index(surface, busy.shape), axis=1)
    for _ in range(40):
        point = rng.uniform(2, np.array(busy.shape) - 3)
        n = rng.normal(size=3)
        n /= np.linalg.norm(n)
        reach = rng.uniform(1, 6)
        for only_free in (False, True):
            best, best2 = -1, reach**2
            for voxel, place in sorted(zip(surface.tolist(), places.tolist(), strict=True)):
                distance2 = float(((np.array(place) - point) ** 2).sum())
                if (
                    distance2 < best2
                    and faces_against(busy.lattice, voxel, tuple(n))
                    and (not only_free or free_for_bmu(busy.lattice, busy.cavities, voxel))
                ):
                    best, best2 = voxel, distance2
            assert nearest_within(busy.lattice, busy.cavities, *point, tuple(n), reach, busy.shape,
                                  only_free) == best  # fmt: skip


def patched(busy: Busy, site: int, centre: int) -> float:
    """A site takes all free voxels within the radius that look its way; returns the area."""
    n, lattice = normal_of(busy, site), busy.lattice
    middle = np.array(np.unravel_index(centre, busy.shape))
    radius = P.territory_radius_um / lattice.voxel_um
    area = 0.0
    reach = math.ceil(radius)
    for offset in np.ndindex(*(2 * reach + 1,) * 3):
        place = tuple(int(c) for c in middle + np.array(offset) - reach)
        inside = all(1 <= c <= size - 2 for c, size in zip(place, busy.shape, strict=True))
        if not inside or ((np.array(place) - middle) ** 2).sum() > radius**2:
            continue
        voxel = int(np.ravel_multi_index(place, busy.shape))
        own = outward_area(lattice, voxel, *n) if lattice.quanta[voxel] else 0.0
        if own <= 0 or not free_for_bmu(lattice, busy.cavities, voxel):
            continue
        tilt = np.array(inward_normal(lattice, voxel, P.normal_radius_voxel, busy.shape)) @ n
        if tilt < math.cos(math.radians(P.widest_tilt_degree)):
            continue
        if lattice.owner[voxel] >= 0:
            arrested = int(busy.cavities.records.site[lattice.owner[voxel]])
            close_site(lattice, busy.cavities, arrested)
        add_record(lattice, busy.cavities, site, voxel)
        area += own
    return area * lattice.voxel_um**2


def test_claims(busy: Busy) -> None:
    """Each front claims around surface voxels near and far: taken, refused, and who loses."""
    claimed = refused = 0
    row = alive(busy.bmus)[0]
    bmus = busy.bmus
    sites = busy.cavities.sites
    for site in alive(sites)[::5]:
        sites.phase[site] = ARRESTED
    for voxel in busy.lattice.surface[: busy.lattice.counts[0] : 211].tolist():
        n = inward_normal(busy.lattice, voxel, P.normal_radius_voxel, busy.shape)
        bmus.nz[row], bmus.ny[row], bmus.nx[row] = n if voxel % 3 else (1.0, 0.0, 0.0)
        plain = busy.copy()
        got = claim(busy.lattice, busy.cavities, bmus, row, voxel, 5, NUMBERS, DAY, busy.shape)
        mine = np.array([bmus.nz[row], bmus.ny[row], bmus.nx[row]], float)
        tilted = np.array(n) @ mine < math.cos(math.radians(P.widest_tilt_degree))
        if tilted or dug_from_behind(plain.lattice, plain.cavities, voxel, bmus.id[row], *mine):
            assert got == -1
            assert_same(busy, plain)
            refused += 1
            continue
        s = plain.cavities.sites
        site = int(new_row(s))
        for name in s._fields:
            if name not in ("alive", "free", "used"):
                getattr(s, name)[site] = 0
        s.id[site], s.bmu[site], s.bmu_id[site] = identity(voxel, DAY, 5), row, bmus.id[row]
        s.voxel[site], s.phase[site], s.phase_day[site] = voxel, OSTEOCLAST, DAY
        s.nz[site], s.ny[site], s.nx[site] = bmus.nz[row], bmus.ny[row], bmus.nx[row]
        s.depth_excess[site], s.front_voxel[site], s.first[site] = 1, -1, -1
        s.mononuclear_target_um[site] = sites.mononuclear_target_um[site]  # is set by the recruiter
        s.area_um2[site] = patched(plain, site, voxel)
        if s.area_um2[site] <= 0:
            free_row(s, site)
            assert got == -1
            refused += 1
        else:
            assert got == site
            claimed += 1
        assert_same(busy, plain)
    assert claimed > 5
    assert refused > 5


def test_a_patch_s_area(busy: Busy) -> None:
    site = alive(busy.cavities.sites)[3]
    centre = int(busy.lattice.surface[100])
    plain = busy.copy()
    area = take_patch(busy.lattice, busy.cavities, site, centre, NUMBERS, busy.shape)
    assert area == pytest.approx(patched(plain, site, centre), rel=1e-6)
    assert_same(busy, plain)


def test_closing_and_dropping(busy: Busy) -> None:
    for site in alive(busy.cavities.sites)[::11]:
        plain = busy.copy()
        close_site(busy.lattice, busy.cavities, site)
        sites, tally = plain.cavities.sites, plain.cavities.tally
        for record in records_of(plain.cavities, site):
            drop_record(plain.lattice, plain.cavities, record)
        sites.first[site] = -1
        if sites.bmu[site] < 0:
            tally[QUANTA_MODELLED] += int(sites.formed_quanta[site])
        else:
            tally[AREA_CLOSED] += float(sites.area_um2[site])
            tally[CLOSED_ERODED] += int(sites.removed_quanta[site])
            tally[CLOSED_FORMED] += int(sites.formed_quanta[site])
            tally[SITES_CLOSED] += 1
        free_row(sites, site)
        assert_same(busy, plain)
    record = alive(busy.cavities.records)[0]
    voxel = int(busy.cavities.records.voxel[record])
    owned = busy.lattice.owner[voxel] == record
    drop_record(busy.lattice, busy.cavities, record)
    assert not busy.cavities.records.alive[record]
    assert (busy.lattice.owner[voxel] == -1) or not owned


def floored(busy: Busy, owner_of: dict[int, int], voxel: int, bmu: int, n: np.ndarray) -> bool:
    """Bone along n before the marrow of the far side; half steps, mirror at the cut face."""
    lattice, sites = busy.lattice, busy.cavities.sites
    if lattice.quanta[voxel] >= BONE:
        return True
    start = np.array(np.unravel_index(voxel, busy.shape))
    for half in range(1, int(2 * LONGEST_UM / lattice.voxel_um) + 1):
        there = tuple(np.floor(start + n * half / 2 + 0.5).astype(int))
        place = int(np.ravel_multi_index(there, busy.shape))
        if lattice.region[place] == 0 or lattice.quanta[place] >= BONE:
            return True
        if place == voxel:
            continue
        owner = owner_of.get(place)
        if owner is None:
            return False
        if sites.bmu_id[owner] != bmu and np.array(normal_of(busy, owner)) @ n <= 0:
            return False
    return False


def holed(busy: Busy, sites: list[int], begin: int) -> None:
    """Take away the bone under some sites, from `begin` half voxels below their own on."""
    for site in sites:
        n = np.array(normal_of(busy, site))
        for record in records_of(busy.cavities, site):
            voxel = int(busy.cavities.records.voxel[record])
            for half in range(begin, 9):
                there = int(along(busy.lattice, voxel, *n, half / 2))
                if busy.lattice.region[there] and busy.lattice.owner[there] in (-1, record):
                    busy.lattice.quanta[there] = 0


def test_floors_and_pinholes(busy: Busy) -> None:
    holed(busy, alive(busy.cavities.sites)[::6], 0)
    owner_of = owners(busy)
    kinds = set()
    for site in alive(busy.cavities.sites)[::2]:
        n = np.array(normal_of(busy, site))
        bmu = busy.cavities.sites.bmu_id[site]
        for record in records_of(busy.cavities, site)[:3]:
            voxel = int(busy.cavities.records.voxel[record])
            expected = floored(busy, owner_of, voxel, bmu, n)
            assert floor_below(busy.lattice, busy.cavities, voxel, bmu, *n) == expected
            kinds.add(expected)
            if expected:
                continue
            # Narrower than `reach` in one of four directions across n.
            start = np.array(np.unravel_index(voxel, busy.shape))
            for reach in (2, 4):
                narrow = False
                a = (
                    np.cross(n[::-1], [0, 0, 1.0])[::-1]
                    if abs(n[0]) < 0.9
                    else np.array([n[2], 0, -n[0]])
                )
                a = a / np.linalg.norm(a)
                b = np.array([n[1] * a[2] - n[2] * a[1], n[2] * a[0] - n[0] * a[2],
                              n[0] * a[1] - n[1] * a[0]])  # fmt: skip
                for eighth in range(4):
                    t = math.cos(eighth * math.pi / 4) * a + math.sin(eighth * math.pi / 4) * b
                    width = 1
                    for side in (-1.0, 1.0):
                        for step in range(1, reach):
                            there = tuple(np.floor(start + side * step * t + 0.5).astype(int))
                            place = int(np.ravel_multi_index(there, busy.shape))
                            if not busy.lattice.region[place] or floored(
                                busy, owner_of, place, bmu, n
                            ):
                                break
                            width += 1
                    narrow |= width < reach
                assert is_pinhole(busy.lattice, busy.cavities, voxel, bmu, *n, reach) == narrow
                kinds.add((reach, narrow))
    assert kinds >= {True, False}


def test_dug_from_behind(busy: Busy) -> None:
    seen = set()
    owner_of = owners(busy)
    for voxel in busy.lattice.surface[: busy.lattice.counts[0] : 13].tolist():
        n = np.array(inward_normal(busy.lattice, voxel, P.normal_radius_voxel, busy.shape))
        start = np.array(np.unravel_index(voxel, busy.shape))
        end = None
        for half in range(1, int(2 * LONGEST_UM / 20.0) + 1):
            there = tuple(np.floor(start + n * half / 2 + 0.5).astype(int))
            place = int(np.ravel_multi_index(there, busy.shape))
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


def exposed(busy: Busy, site: int, voxel: int, radius: float) -> None:
    """The voxels behind an emptied one join the site: free ones, and those shared with other BMUs' sites."""
    n, s = np.array(normal_of(busy, site)), busy.cavities.sites
    for axis in range(3):
        if abs(n[axis]) < 0.01:
            continue
        stride = (busy.lattice.stride_z, busy.lattice.stride_y, 1)[axis]
        there = voxel + int(np.sign(n[axis])) * stride
        if not busy.lattice.region[there] or not busy.lattice.quanta[there]:
            continue
        if axis_distance2(busy.lattice, there, s.voxel[site], *n) > (radius + 0.5) ** 2:
            continue
        owner = busy.lattice.owner[there]
        other = busy.cavities.records.site[owner] if owner >= 0 else -1
        if owner < 0 or (
            s.bmu_id[other] != s.bmu_id[site] and not has_record(busy.cavities, site, there)
        ):
            add_record(busy.lattice, busy.cavities, site, there)


def test_eroding_voxel_by_voxel(busy: Busy) -> None:
    """Held at the threshold where the shape would change over bone; else taken, and on."""
    held = broken = 0
    carved = alive(busy.cavities.sites)[1::3]
    holed(busy, carved, 2)
    for site in sorted({*carved[::3], *alive(busy.cavities.sites)[::7]}):
        for amount, record in zip((20, 140, 255), records_of(busy.cavities, site), strict=False):
            plain = busy.copy()
            moved = erode(busy.lattice, busy.cavities, site, record, amount, 1.5, 1.0, 4, DAY)
            lattice, s, r = plain.lattice, plain.cavities.sites, plain.cavities.records
            voxel, n = int(r.voxel[record]), normal_of(plain, site)
            before = int(lattice.quanta[voxel])
            wanted, event = min(amount, before), False
            thickness = depth = math.nan
            bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
            if before >= BONE > before - wanted and crossing_kind(bits) != SIMPLE:
                if bone_behind(lattice, voxel, *n) or dug_from_behind(
                    lattice, plain.cavities, voxel, s.bmu_id[site], *n
                ):
                    wanted = before - BONE
                    held += 1
                else:
                    event = True
                    broken += 1
                    thickness = thickness_along(lattice, voxel, *n)
                    depth = eroded_depth_um(lattice, s, site)
            expected = take(lattice, voxel, wanted, DAY, thickness, depth, s.bmu_id[site])
            assert moved == expected
            if expected:
                lattice.counts[RESORBED] += expected
                if lattice.region[voxel] == INTERIOR:
                    lattice.counts[INTERIOR_RESORBED] += expected
                s.removed_quanta[site] += expected
                plain.cavities.tally[QUANTA_ERODED] += expected
                if lattice.owner[voxel] < 0:
                    lattice.owner[voxel] = record
                owner = lattice.owner[voxel]
                r.stock[owner] += np.uint8(expected)
                other = r.site[owner]
                if other != site and s.phase[other] in (REVERSAL, FORMING):
                    s.quota_quanta[other] += expected
                r.event[owner] |= np.uint8(event)
                if lattice.quanta[voxel] == 0:
                    exposed(plain, site, voxel, 1.5)
            assert_same(busy, plain)
    assert held > 0
    assert broken > 0


def test_exposing(busy: Busy) -> None:
    for site in alive(busy.cavities.sites)[::3]:
        voxel = int(busy.cavities.sites.voxel[site])
        plain = busy.copy()
        expose(busy.lattice, busy.cavities, site, voxel, 2.0)
        exposed(plain, site, voxel, 2.0)
        assert_same(busy, plain)


@settings(max_examples=60)
@given(blocks, st.tuples(*[st.integers(-9, 9)] * 3), st.data())
def test_floor_area_is_of_firm_faces(
    make_tissue: Make, quanta: np.ndarray, v: tuple[int, ...], data: st.DataObject
) -> None:
    n = (np.array(v) + 0.01) / np.linalg.norm(np.array(v) + 0.01)
    tissue = make_tissue(quanta)
    place = tuple(data.draw(st.integers(0, size - 1)) for size in quanta.shape)
    voxel = int(np.ravel_multi_index(tuple(c + 1 for c in place), tissue.padded_shape))
    padded = np.pad(quanta, 1)
    expected = 0.0
    for axis in range(3):
        for side in (-1, 1):
            there = [c + 1 for c in place]
            there[axis] += side
            if padded[tuple(there)] >= BONE:
                expected += max(0.0, side * n[axis])
    lattice = tissue.lattice
    bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
    assert floor_area(bits, *n) == pytest.approx(expected)
