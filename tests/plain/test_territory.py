"""Territories and cavities: who owns what, against searches through everything."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bonesim.cells.accounts import close_site, take_up
from bonesim.cells.apposition import floor_area
from bonesim.cells.bmu_parameters import BmuNumbers, BmuParameters
from bonesim.cells.cavity import (
    AREA_CLOSED,
    CLOSED_ERODED,
    CLOSED_FORMED,
    QUANTA_ARRESTED,
    QUANTA_MODELLED,
    SITES_CLOSED,
    add_record,
    drop_record,
    has_record,
)
from bonesim.cells.column import (
    add_columns,
    area_there_was,
    inward_normal,
    is_old_surface,
)
from bonesim.cells.depth import CavityDepth, bmu_factors, lognormal, set_targets
from bonesim.cells.floor import dug_from_behind
from bonesim.cells.population import entity_of, free_row, identity, new_row
from bonesim.cells.site import ARRESTED, OSTEOCLAST, REVERSAL
from bonesim.cells.territory import (
    claim,
    faces_against,
    free_for_bmu,
    is_arrested,
    looks_against,
    nearest_within,
    rearmost_free,
    take_patch,
)
from bonesim.chance import (
    BMU_DEPTH,
    MONONUCLEAR_DEPTH,
    TERRITORY_DEPTH,
    normal,
)
from bonesim.lattice.ledger import INTERIOR
from bonesim.lattice.tissue import Tissue
from bonesim.lattice.topology import (
    bone_bits,
)
from bonesim.parameters import numbers_of
from bonesim.units import BONE
from tests.plain.conftest import Busy, alive, assert_same, normal_of, owners, records_of

Make = Callable[..., Tissue]
P = BmuParameters()
NUMBERS = numbers_of(P, BmuNumbers)
DAY, SEED = 201, 3
DEPTH = CavityDepth(22.0, 0.3, 0.2, 25.0, 0.4, 1.3, 1.1)
blocks = arrays(
    np.uint8, st.tuples(*[st.integers(3, 6)] * 3), elements=st.sampled_from([0, 60, 127, 128, 255])
)


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
            if owner is not None:
                record = busy.lattice.owner[voxel]
                assert is_arrested(busy.cavities, record) == free


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
            assert (
                nearest_within(
                    busy.lattice,
                    busy.cavities,
                    point[0],
                    point[1],
                    point[2],
                    tuple(n),
                    reach,
                    only_free,
                )
                == best
            )


def patched(busy: Busy, site: int, centre: int) -> tuple[float, float]:
    """A site takes all voxels of nobody within the radius that look its way; area, and projected."""
    n, lattice = normal_of(busy.cavities, site), busy.lattice
    middle = np.array(np.unravel_index(centre, busy.shape))
    radius = P.territory_radius_um / lattice.voxel_um
    area = projected = 0.0
    reach = math.ceil(radius)
    for offset in np.ndindex(*(2 * reach + 1,) * 3):
        place = tuple(int(c) for c in middle + np.array(offset) - reach)
        inside = all(1 <= c <= size - 2 for c, size in zip(place, busy.shape, strict=True))
        if not inside or ((np.array(place) - middle) ** 2).sum() > radius**2:
            continue
        voxel = int(np.ravel_multi_index(place, busy.shape))
        if not lattice.quanta[voxel] or lattice.owner[voxel] >= 0:
            continue
        own = area_there_was(lattice, busy.cavities, voxel, *n)
        there = inward_normal(lattice, busy.cavities, voxel, P.normal_radius_voxel)
        if own > 0 and np.array(there) @ n >= math.cos(math.radians(P.widest_tilt_degree)):
            record = add_record(lattice, busy.cavities, site, voxel, True)
            busy.cavities.records.foot[record] = 1
            area += area_there_was(lattice, busy.cavities, voxel, *there)
            projected += own
    return (area or projected) * lattice.voxel_um**2, projected * lattice.voxel_um**2


def test_claims(busy: Busy) -> None:
    """A BMU claims around surface voxels near and far: what its site is like, or that it has none."""
    claimed = refused = 0
    leaning = []
    row = alive(busy.bmus)[0]
    bmus, sites = busy.bmus, busy.cavities.sites
    for voxel in busy.lattice.surface[: busy.lattice.counts[0] : 211].tolist():
        n = inward_normal(busy.lattice, busy.cavities, voxel, P.normal_radius_voxel)
        bmus.nz[row], bmus.ny[row], bmus.nx[row] = n if voxel % 3 else (1.0, 0.0, 0.0)
        plain = busy.copy()
        got = claim(busy.world(SEED, DAY), bmus, row, voxel, 5, NUMBERS, DEPTH)  # fmt: skip
        s = plain.cavities.sites
        site = int(new_row(s))
        for name in s._fields:
            if name not in ("alive", "free", "used"):
                getattr(s, name)[site] = 0
        who = entity_of(bmus.id[row])
        s.id[site], s.bmu[site], s.bmu_id[site] = identity(voxel, DAY, 5), row, who
        s.voxel[site], s.phase[site], s.phase_day[site] = voxel, OSTEOCLAST, DAY
        s.nz[site], s.ny[site], s.nx[site] = bmus.nz[row], bmus.ny[row], bmus.nx[row]
        s.depth_excess[site], s.front_voxel[site], s.first[site] = 1, -1, -1
        patch, projected = patched(plain, site, voxel)
        if patch > 0:
            leaning.append(patch / projected)
            aimed(plain, site, row, patch / projected)
            deepest = s.osteoclast_target_um[site] + s.mononuclear_target_um[site]
            add_columns(plain.lattice, plain.cavities, site, float(deepest))
            s.area_um2[site] = patch
            assert got == site
            claimed += 1
        else:
            # What a row in no use has in it is nobody's business.
            s.mononuclear_target_um[site] = sites.mononuclear_target_um[site]
            s.area_um2[site] = sites.area_um2[site]
            free_row(s, site)
            assert got == -1
            refused += 1
        np.testing.assert_allclose(sites.osteoclast_target_um, s.osteoclast_target_um, rtol=1e-6)
        np.testing.assert_allclose(sites.mononuclear_target_um, s.mononuclear_target_um, rtol=1e-6)
        np.testing.assert_allclose(sites.area_um2, s.area_um2, rtol=1e-6)
        for name in ("osteoclast_target_um", "mononuclear_target_um", "area_um2"):
            getattr(s, name)[:] = getattr(sites, name)
        assert_same(busy, plain)
    assert claimed > 5
    assert refused > 5
    # Normals of voxels scatter about the surface's; a patch may have a few faces only.
    assert 0.9 < min(leaning) < 1.02 < max(leaning)


def scaled(cv: float, standard: float) -> float:
    """A lognormal number of mean 1."""
    sigma2 = math.log(1 + cv**2)
    return math.exp(math.sqrt(sigma2) * standard) / math.exp(sigma2 / 2)


def aimed(busy: Busy, site: int, row: int, lean: float) -> None:
    """Depths a site is to have: means, the factors of its BMU and its own, lean, and hormones."""
    s, b = busy.cavities.sites, busy.bmus
    own = scaled(0.2, normal(SEED, DAY, s.id[site], TERRITORY_DEPTH))
    s.osteoclast_target_um[site] = lean * 22 * 1.3 * b.depth_factor[row] * own
    s.depth_excess[site] = 1.1
    s.mononuclear_target_um[site] = lean * 25 * b.mononuclear_factor[row]


def test_depths_a_site_is_to_have(busy: Busy) -> None:
    row = alive(busy.bmus)[0]
    busy.bmus.depth_factor[row], busy.bmus.mononuclear_factor[row] = 1.4, 0.7
    plain, sites = busy.copy(), busy.cavities.sites
    for site in alive(sites):
        set_targets(sites, site, busy.bmus, row, DEPTH, 1.2, SEED, DAY)
        aimed(plain, site, row, 1.2)
    for name in ("osteoclast_target_um", "depth_excess", "mononuclear_target_um"):
        one, other = getattr(sites, name), getattr(plain.cavities.sites, name)
        np.testing.assert_allclose(one, other, rtol=1e-6)
    targets = sites.osteoclast_target_um[alive(sites)] / (1.2 * 22 * 1.3 * 1.4)
    assert targets.std() == pytest.approx(0.2, rel=0.2)


def test_factors_of_a_bmu() -> None:
    """Mean 1 and the CVs asked for; a mononuclear phase is never less than a fifth of the mean."""
    pairs = []
    for who in range(4000):
        factor, mononuclear = bmu_factors(DEPTH, SEED, DAY, np.uint64(who))
        z = normal(SEED, DAY, np.uint64(who), BMU_DEPTH)
        assert factor == pytest.approx(scaled(0.3, z))
        assert lognormal(0.3, z) == pytest.approx(factor)
        drawn = 1 + 0.4 * normal(SEED, DAY, np.uint64(who), MONONUCLEAR_DEPTH)
        assert mononuclear == pytest.approx(max(drawn, 0.2))
        pairs.append((factor, mononuclear))
    factors, others = np.array(pairs).T
    assert factors.mean() == pytest.approx(1, abs=4 * 0.3 / math.sqrt(4000))
    assert factors.std() == pytest.approx(0.3, rel=0.1)
    assert others.mean() == pytest.approx(1, abs=0.03)
    assert others.min() == 0.2
    assert lognormal(0.0, 1.7) == 1.0


def test_a_bmu_takes_up_arrested_sites(busy: Busy) -> None:
    """They are in its reversal then, with all their stock, which is arrested no more."""
    row, sites, records = alive(busy.bmus)[1], busy.cavities.sites, busy.cavities.records
    taken = 0
    for site in alive(sites)[::9]:
        sites.phase[site] = ARRESTED
        plain = busy.copy()
        take_up(busy.lattice, busy.cavities, busy.bmus, row, site, DAY)
        mine = [
            (int(records.voxel[r]), int(records.stock[r])) for r in records_of(busy.cavities, site)
        ]
        stock = sum(q for v, q in mine if busy.lattice.region[v] == INTERIOR)
        plain.cavities.tally[QUANTA_ARRESTED] -= stock
        s = plain.cavities.sites
        s.phase[site], s.phase_day[site], s.waited[site] = REVERSAL, DAY, 0
        s.bmu[site], s.bmu_id[site] = row, entity_of(busy.bmus.id[row])
        plain.bmus.open_sites[row] += 1
        assert_same(busy, plain)
        taken += stock
    assert taken > 0


def looks(busy: Busy, row: int, voxel: int) -> bool:
    """Surface, or an arrested cavity's floor, that is not tilted too far nor the BMU's own back."""
    b, who = busy.bmus, entity_of(busy.bmus.id[row])
    n = float(b.nz[row]), float(b.ny[row]), float(b.nx[row])
    if busy.lattice.owner[voxel] < 0 and not is_old_surface(busy.lattice, voxel, *n):
        return False
    there = inward_normal(busy.lattice, busy.cavities, voxel, P.normal_radius_voxel)
    tilted = np.array(there) @ n < math.cos(math.radians(P.widest_tilt_degree))
    return not tilted and not dug_from_behind(busy.lattice, busy.cavities, voxel, who, *n)


def test_the_free_surface_furthest_to_the_rear(busy: Busy) -> None:
    """Of all free surface in a box along the track: the first in the direction of travel."""
    for site in alive(busy.cavities.sites)[::5]:
        busy.cavities.sites.phase[site] = ARRESTED
    surface = np.sort(busy.lattice.surface[: busy.lattice.counts[0]])
    places = np.stack(np.unravel_index(surface, busy.shape), axis=1)
    kinds = set()
    for row in alive(busy.bmus)[:40]:
        b = busy.bmus
        n = np.array([b.nz[row], b.ny[row], b.nx[row]], float)
        t = np.array([b.tz[row], b.ty[row], b.tx[row]], float)
        way = places - np.array([b.z[row], b.y[row], b.x[row]], float)
        ahead, off = way @ t, way @ n
        aside = np.sqrt(np.maximum((way**2).sum(axis=1) - ahead**2 - off**2, 0))
        for half, (rear, front) in ((5.0, (-5.0, 1.0)), (3.0, (-3.0, 3.0)), (5.0, (0.5, 3.0))):
            near = (np.abs(off) <= half) & (aside <= half) & (ahead >= rear) & (ahead <= front)
            near &= (way**2).sum(axis=1) <= 2 * half**2 + front**2
            found = [
                (ahead[k], int(surface[k]))
                for k in np.flatnonzero(near)
                if free_for_bmu(busy.lattice, busy.cavities, surface[k])
                and looks(busy, row, int(surface[k]))
            ]
            for _, voxel in found[:3]:
                assert looks_against(busy.lattice, busy.cavities, b, row, voxel, NUMBERS)
            expected = min(found, default=(0.0, -1))
            voxel, place = rearmost_free(
                busy.lattice, busy.cavities, b, row, half, (rear, front), NUMBERS
            )
            assert voxel == expected[1]
            if voxel >= 0:
                assert place == pytest.approx(expected[0], abs=1e-6)
                kinds.add("arrested" if busy.lattice.owner[voxel] >= 0 else "free")
            else:
                kinds.add("none")
    assert kinds == {"arrested", "free", "none"}


def test_what_looks_against_a_bmu(busy: Busy) -> None:
    row, b, seen = alive(busy.bmus)[0], busy.bmus, set()
    for number, voxel in enumerate(busy.lattice.surface[: busy.lattice.counts[0] : 97].tolist()):
        n = inward_normal(busy.lattice, busy.cavities, voxel, P.normal_radius_voxel)
        b.nz[row], b.ny[row], b.nx[row] = n if number % 2 else (0.0, 0.6, 0.8)
        expected = looks(busy, row, voxel)
        found = looks_against(busy.lattice, busy.cavities, b, row, voxel, NUMBERS)
        assert found == expected
        seen.add(expected)
    assert seen == {True, False}


def looks_the_way(busy: Busy, voxel: int, n: tuple[float, float, float]) -> bool:
    """Whether the surface at a voxel leans from a normal by less than the limit."""
    there = inward_normal(busy.lattice, busy.cavities, voxel, P.normal_radius_voxel)
    leans = np.array(there) @ n < math.cos(math.radians(P.widest_tilt_degree))
    return not leans and area_there_was(busy.lattice, busy.cavities, voxel, *n) > 0


def test_a_patch_s_area(busy: Busy) -> None:
    site = alive(busy.cavities.sites)[3]
    n = normal_of(busy.cavities, site)
    centre = next(
        int(voxel)
        for voxel in busy.lattice.surface[: busy.lattice.counts[0]]
        if busy.lattice.owner[voxel] < 0 and looks_the_way(busy, int(voxel), n)
    )
    plain = busy.copy()
    area = take_patch(busy.lattice, busy.cavities, site, centre, NUMBERS)
    assert area == pytest.approx(patched(plain, site, centre), rel=1e-6)
    assert 0.9 < area[0] / area[1] < 1 / math.cos(math.radians(P.widest_tilt_degree))
    assert_same(busy, plain)


def test_a_patch_with_records_has_an_area(busy: Busy) -> None:
    """Also where a voxel's own normal points away from the only face that looks against the site's."""
    lattice, sites, turned = busy.lattice, busy.cavities.sites, 0
    narrow = NUMBERS._replace(territory_radius_um=10.0)  # its centre alone
    for voxel in lattice.surface[: lattice.counts[0]].tolist():
        own = np.array(inward_normal(lattice, busy.cavities, voxel, 3))
        if area_there_was(lattice, busy.cavities, voxel, *own) > 0 or lattice.owner[voxel] >= 0:
            continue
        for axis in np.flatnonzero(np.abs(own) < 0.3):
            n = own.copy()
            n[axis] = -0.2 * np.sign(own[axis] or 1.0)
            n /= np.linalg.norm(n) or 1.0
            if area_there_was(lattice, busy.cavities, voxel, *n) == 0:
                continue
            site = int(new_row(sites))
            sites.nz[site], sites.ny[site], sites.nx[site], sites.first[site] = *n, -1
            area, projected = take_patch(lattice, busy.cavities, site, voxel, narrow)
            has = sites.first[site] >= 0
            assert (area > 0.0) == (projected > 0.0) == has
            turned += has
            close_site(lattice, busy.cavities, site)
    assert turned > 0


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
