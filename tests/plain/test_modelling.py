"""Formation without resorption: where it starts, and that it joins nothing."""

from collections.abc import Callable

import numpy as np
import pytest
from skimage.measure import euler_number

from bonesim.cells.apposition import beyond, build, fill, grant
from bonesim.cells.bmu import area_weight, candidate_voxel
from bonesim.cells.bmu_parameters import BmuNumbers, BmuParameters
from bonesim.cells.cavity import AREA_MODELLED, CavityTables, add_record
from bonesim.cells.column import inward_normal, is_old_surface, left_of, set_feet, span_um
from bonesim.cells.floor import floor_below
from bonesim.cells.modelling import start, thin_out
from bonesim.cells.osteoblast import settle_team
from bonesim.cells.osteoblast_parameters import OsteoblastNumbers, OsteoblastParameters
from bonesim.cells.population import free_row, identity, new_row
from bonesim.cells.site import FORMING
from bonesim.cells.territory import take_patch
from bonesim.chance import MODELLING_PLACE, MODELLING_START, uniform
from bonesim.lattice.ledger import INTERIOR
from bonesim.lattice.tissue import Tissue
from bonesim.parameters import numbers_of
from bonesim.units import BONE, DAYS_PER_YEAR, FULL
from tests.plain.conftest import Busy, alive, assert_same, normal_of, records_of, strained

PATCH = numbers_of(BmuParameters(territory_radius_um=60.0), BmuNumbers)
TEAM = numbers_of(OsteoblastParameters(), OsteoblastNumbers)
RULE = (3000.0, 2000.0, 8.0)
DAY, SEED = 201, 3


def room(busy: Busy, record: int, site: int) -> int:
    """What a voxel may take up beyond its stock: up to where its film, below 0, is to end."""
    records, n = busy.cavities.records, normal_of(busy.cavities, site)
    span = span_um(busy.lattice, *n)
    full = left_of(float(records.film_um[record]), float(records.below_um[record]), span)
    voxel = int(records.voxel[record])
    return max(int(full) - int(busy.lattice.quanta[voxel]) - int(records.stock[record]), 0)


def granted(busy: Busy, site: int) -> None:
    """Own voxels with a film below 0; and before the feet among them, free marrow with a floor."""
    lattice, sites, records = busy.lattice, busy.cavities.sites, busy.cavities.records
    n = normal_of(busy.cavities, site)
    strides = (lattice.stride_z, lattice.stride_y, 1)
    for record in records_of(busy.cavities, site):
        voxel = int(records.voxel[record])
        if lattice.owner[voxel] != record or records.film_um[record] >= 0:
            continue
        records.granted[record] = room(busy, record, site)
        for component, stride in zip(n, strides, strict=True):
            there = voxel - int(np.sign(component)) * stride
            marrow = lattice.region[there] and lattice.quanta[there] < BONE
            if not records.foot[record] or abs(component) < 0.5 or not marrow:
                continue
            if lattice.owner[there] >= 0:
                continue
            if floor_below(lattice, busy.cavities, there, sites.bmu_id[site], *n):
                new = add_record(lattice, busy.cavities, site, there, True)
                records.below_um[new] = records.below_um[record] - 20.0 * abs(component)
                records.film_um[new] = records.film_um[record]
                records.granted[new] = room(busy, int(new), site)


def test_what_a_site_may_take_up_beyond_its_stock(busy: Busy) -> None:
    records = busy.cavities.records
    rng = np.random.default_rng(8)
    records.film_um[:] = rng.uniform(-25, 8, records.film_um.size)
    plain = busy.copy()
    before = len(alive(records))
    for site in alive(busy.cavities.sites)[:200]:
        grant(busy.lattice, busy.cavities, site)
        granted(plain, site)
        span = span_um(busy.lattice, *normal_of(busy.cavities, site))
        for record in records_of(busy.cavities, site)[::10]:
            found = beyond(busy.lattice, busy.cavities, record, span)
            assert found == room(busy, record, site)
    np.testing.assert_allclose(records.below_um, plain.cavities.records.below_um, rtol=1e-5)
    plain.cavities.records.below_um[:] = records.below_um
    assert_same(busy, plain)
    rows = alive(records)
    assert len(rows) > before + 100
    assert records.granted[rows].sum() > 1000
    owned = [row for row in rows if busy.lattice.owner[records.voxel[row]] == row]
    whole = records.stock[owned].astype(int) + records.granted[owned]
    assert (whole + busy.lattice.quanta[records.voxel[owned]] <= FULL).all()


def thinned(busy: Busy, site: int, thickness: float, radius: float) -> None:
    """A cap: twice the mean in the middle, falling with the square of the distance to none."""
    records, sites = busy.cavities.records, busy.cavities.sites
    n = np.array(normal_of(busy.cavities, site))
    middle = np.array(np.unravel_index(sites.voxel[site], busy.shape))
    for record in records_of(busy.cavities, site):
        way = np.array(np.unravel_index(records.voxel[record], busy.shape)) - middle
        aside = float(np.linalg.norm(np.cross(way, n))) * 20.0
        records.film_um[record] = -2 * thickness * max(1 - (aside / radius) ** 2, 0)
    sites.film_um[site] = -2 * thickness


def same_but_rounding(busy: Busy, plain: Busy) -> None:
    """Depths and films within the rounding of a float32; the rest bit for bit."""
    for name in ("below_um", "film_um"):
        one = getattr(busy.cavities.records, name)
        other = getattr(plain.cavities.records, name)
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
        other[:] = one
    assert_same(busy, plain)


def test_patches_thin_out_towards_their_edge(busy: Busy) -> None:
    plain = busy.copy()
    for site in alive(busy.cavities.sites)[::9]:
        thin_out(busy.lattice, busy.cavities, site, 8.0, 50.0)
        thinned(plain, site, 8.0, 50.0)
    same_but_rounding(busy, plain)
    assert busy.cavities.records.film_um.min() == -16.0


def test_where_modelling_starts(busy: Busy) -> None:
    """Quiescent interior surface, the rate going with the square of the strain beyond the usual."""
    candidates, total = 3000, 0
    inside = np.prod([n - 2 for n in busy.shape])
    for day in range(DAY, DAY + 12):
        plain = busy.copy()
        found = start(busy.world(SEED, day), busy.osteoblasts, PATCH, TEAM, RULE, candidates)
        lattice, sites, expected = plain.lattice, plain.cavities.sites, 0
        for k in range(candidates):
            voxel = int(candidate_voxel(k, SEED, day, MODELLING_PLACE, plain.shape))
            quiescent = lattice.surface_slot[voxel] >= 0 and lattice.owner[voxel] < 0
            u = strained(plain, np.unravel_index(voxel, plain.shape))
            if not quiescent or lattice.region[voxel] != INTERIOR or u <= 1:
                continue
            n = inward_normal(lattice, plain.cavities, voxel, 3)
            per_face = min(RULE[0] * (u - 1) ** 2, RULE[1]) / DAYS_PER_YEAR * 0.02**2
            chance = per_face * area_weight(lattice, voxel, *n) * inside / candidates
            # No modelling at the mouth of a cavity.
            if not is_old_surface(lattice, voxel, *n):
                continue
            if uniform(SEED, day, voxel, MODELLING_START) >= chance:
                continue
            site = int(new_row(sites))
            sites.id[site] = sites.bmu_id[site] = identity(voxel, day, 0)
            sites.bmu[site], sites.voxel[site], sites.first[site] = -1, voxel, -1
            sites.nz[site], sites.ny[site], sites.nx[site] = n
            sites.phase[site], sites.phase_day[site], sites.front_voxel[site] = FORMING, day, -1
            for name in ("osteoclast_depth_um", "osteoclast_target_um", "mononuclear_depth_um",
                         "mononuclear_target_um", "removed_quanta", "formed_quanta"):  # fmt: skip
                getattr(sites, name)[site] = 0
            sites.depth_excess[site] = 1
            area, _ = take_patch(lattice, plain.cavities, site, voxel, PATCH)
            sites.area_um2[site] = area
            if area <= 0:
                free_row(sites, site)
                continue
            set_feet(lattice, plain.cavities, site)
            thinned(plain, site, RULE[2], 60.0)
            granted(plain, site)
            sites.wall_um[site] = RULE[2]
            sites.open_um[site] = sites.film_um[site] = 0
            plain.cavities.tally[AREA_MODELLED] += float(sites.area_um2[site])
            settle_team(plain.cavities, plain.osteoblasts, site, TEAM, SEED, day)
            expected += 1
        assert found == expected
        total += found
        same_but_rounding(busy, plain)
    assert total > 5


@pytest.mark.parametrize("gap", [1, 2, 3])
def test_a_deposit_joins_no_surfaces(make_tissue: Callable[..., Tissue], gap: int) -> None:
    """Two plates close to each other: each may thicken until they nearly touch, and no more."""
    quanta = np.zeros((17, 15, 15), np.uint8)
    quanta[3:6] = quanta[6 + gap : 14] = 255
    tissue = make_tissue(quanta)
    lattice, tables = tissue.lattice, CavityTables()
    cavities = tables.columns
    before = tissue.euler
    for centre, n in (((5, 7, 7), (-1.0, 0.0, 0.0)), ((6 + gap, 7, 7), (1.0, 0.0, 0.0))):
        site = int(new_row(cavities.sites))
        sites = cavities.sites
        voxel = int(np.ravel_multi_index(tuple(c + 1 for c in centre), tissue.padded_shape))
        sites.voxel[site], sites.bmu[site], sites.first[site] = voxel, -1, -1
        sites.nz[site], sites.ny[site], sites.nx[site] = n
        sites.phase[site], sites.bmu_id[site] = FORMING, site + 5
        sharp = PATCH._replace(normal_radius_voxel=1)
        sites.area_um2[site], _ = take_patch(lattice, cavities, site, voxel, sharp)
        set_feet(lattice, cavities, site)
        # More is asked for than the one voxel that a patch may add.
        cavities.records.film_um[records_of(cavities, site)] = sites.film_um[site] = -45.0
        sites.open_um[site] = 0.0
        grant(lattice, cavities, site)
        for day in range(60):
            fill(lattice, cavities, site, 2.0, day)
        # In a gap of one voxel the first has taken all there is.
        assert (sites.formed_quanta[site] > 0) == (gap > 1 or centre[0] == 5)
        for record in records_of(cavities, site):
            build(lattice, cavities, site, record, FULL, 60)
    after = tissue.inner(lattice.quanta)
    assert tissue.euler == before == euler_number(after >= BONE, connectivity=3)
    columns, _ = tissue.drain_events()
    assert columns["voxel"].size == 0
    assert (after[5 + gap // 2 + gap % 2] < BONE).any()
