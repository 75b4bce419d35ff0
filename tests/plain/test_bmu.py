"""BMUs: where they are born, how fronts move and recruit cells, one by one."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.cells.accounts import take_up
from bonesim.cells.bmu import (
    activation_in,
    advance,
    area_weight,
    candidate_voxel,
    found,
    man,
    originate,
    recruit,
)
from bonesim.cells.bmu_front import bounced, steering, tangent, travel, turn
from bonesim.cells.bmu_parameters import (
    AHEAD_VOXEL,
    FINISHING,
    RAGGED,
    TRAVELLING,
    BmuColumns,
    BmuNumbers,
    BmuParameters,
)
from bonesim.cells.cavity import AREA_STARTED
from bonesim.cells.column import inward_normal, is_old_surface
from bonesim.cells.depth import CavityDepth, bmu_factors, lognormal
from bonesim.cells.population import Rows, entity_of, free_row, identity, new_row
from bonesim.cells.site import ARRESTED
from bonesim.cells.territory import claim, nearest_surface, rearmost_free
from bonesim.chance import (
    BMU_AREA,
    BMU_DIRECTION,
    BMU_TURN,
    BMU_WAIT,
    CANDIDATE_PLACE,
    ORIGINATION,
    OSTEOCLAST_PLACE,
    normal,
    uniform,
    uniform_pair,
)
from bonesim.lattice.ledger import INTERIOR
from bonesim.lattice.tissue import Tissue
from bonesim.parameters import numbers_of
from bonesim.units import BONE, DAYS_PER_YEAR
from tests.plain.conftest import Busy, alive, assert_same, occupied, signal_at, strained

Make = Callable[..., Tissue]
P = BmuParameters()
NUMBERS = numbers_of(P, BmuNumbers)
DAY, SEED = 201, 3
DEPTH = CavityDepth(22.0, 0.3, 0.2, 25.0, 0.4, 1.3, 1.1)
units = st.tuples(*[st.integers(-9, 9)] * 3).map(
    lambda v: (np.array(v) + 0.01) / np.linalg.norm(np.array(v) + 0.01)
)
angles = st.floats(-7, 7)


def rotated(vector: np.ndarray, axis: np.ndarray, angle: float) -> np.ndarray:
    """Rodrigues: right-handed about `axis`, in (x, y, z) order."""
    v, k = vector[::-1], axis[::-1]
    c, s = math.cos(angle), math.sin(angle)
    turned: np.ndarray = v * c + np.cross(k, v) * s + k * (k @ v) * (1 - c)
    return turned[::-1]


@given(units, angles)
def test_tangents_lie_across_the_normal_and_turn_with_the_angle(n: np.ndarray, a: float) -> None:
    zero, other = np.array(tangent(*n, 0.0)), np.array(tangent(*n, a))
    assert other @ n == pytest.approx(0, abs=1e-9)
    assert np.linalg.norm(other) == pytest.approx(1)
    back, forth = rotated(zero, n, a), rotated(zero, n, -a)
    assert min(abs(other - back).max(), abs(other - forth).max()) < 1e-9


def front(n: np.ndarray, t: np.ndarray) -> BmuColumns:
    columns = Rows(BmuColumns, 8).columns
    columns.nz[0], columns.ny[0], columns.nx[0] = n
    columns.tz[0], columns.ty[0], columns.tx[0] = t
    return columns


@given(units, units, angles)
def test_a_turn_is_a_rotation_in_the_tangent_plane(n: np.ndarray, t: np.ndarray, a: float) -> None:
    columns = front(n, t)
    turn(columns, 0, a)
    flat = t - (t @ n) * n
    got = np.array([columns.tz[0], columns.ty[0], columns.tx[0]])
    assert got @ n == pytest.approx(0, abs=1e-3)
    assert np.linalg.norm(got) == pytest.approx(1, abs=1e-3)
    if np.linalg.norm(flat) > 2e-3:  # else any direction across n will do
        flat /= np.linalg.norm(flat)
        back, forth = rotated(flat, n, a), rotated(flat, n, -a)
        assert min(abs(got - back).max(), abs(got - forth).max()) < 5e-3


@given(st.floats(-3, 20), st.floats(-1, 1))
def test_a_mirror_at_the_cut_faces(place: float, direction: float) -> None:
    low, high = 1.0, 12.0
    found_place, found_direction = bounced(place, direction, 14)
    if low <= place <= high:
        assert (found_place, found_direction) == (place, direction)
    else:
        wall = low if place < low else high
        assert found_place - wall == pytest.approx(wall - place)
        assert found_direction == -direction


def test_candidates_are_uniform_over_the_specimen() -> None:
    shape = (9, 7, 6)
    seen = np.zeros(shape, int)
    for k in range(20_000):
        voxel = candidate_voxel(k, SEED, 5, CANDIDATE_PLACE, shape)
        u, v = uniform_pair(SEED, 5, k, CANDIDATE_PLACE)
        z, rest = 1 + int(u * 7), int(v * 5 * 4)
        assert voxel == np.ravel_multi_index((z, 1 + rest // 4, 1 + rest % 4), shape)
        seen.reshape(-1)[voxel] += 1
    assert seen.sum() == seen[1:-1, 1:-1, 1:-1].sum()
    expected = 20_000 / (7 * 5 * 4)
    assert abs(seen[1:-1, 1:-1, 1:-1] - expected).max() < 5 * math.sqrt(expected)


def weight_of(busy: Busy, voxel: int, n: tuple[float, ...]) -> float:
    """Sum of |n.e| over the faces at marrow inside the specimen."""
    quanta = busy.lattice.quanta.reshape(busy.shape)
    region = busy.lattice.region.reshape(busy.shape)
    place = np.unravel_index(voxel, busy.shape)
    total = 0.0
    for axis in range(3):
        for side in (-1, 1):
            there = tuple(int(c) + (side if k == axis else 0) for k, c in enumerate(place))
            if quanta[there] < BONE and region[there]:
                total += abs(n[axis])
    return total


def born(bmus: BmuColumns, row: int, voxel: int, n: tuple[float, ...], day: int, shape: tuple[int, ...]) -> None:  # fmt: skip # noqa: E501
    """What is known of a BMU at its birth."""
    who = identity(voxel, day, 0)
    bmus.id[row], bmus.voxel[row], bmus.born_day[row], bmus.phase[row] = who, voxel, day, TRAVELLING
    bmus.z[row], bmus.y[row], bmus.x[row] = np.unravel_index(voxel, shape)
    bmus.nz[row], bmus.ny[row], bmus.nx[row] = n
    angle = 2 * math.pi * uniform(SEED, day, who, BMU_DIRECTION)
    bmus.tz[row], bmus.ty[row], bmus.tx[row] = tangent(*n, angle)
    sigma = math.sqrt(math.log(1 + P.area_cv**2))  # lognormal
    bmus.quota_um2[row] = P.area_median_um2 * math.exp(sigma * normal(SEED, day, who, BMU_AREA))
    bmus.area_um2[row] = 0
    bmus.owed_um2[row] = P.founders * math.pi * P.territory_radius_um**2
    bmus.depth_factor[row], bmus.mononuclear_factor[row] = bmu_factors(DEPTH, SEED, day, who)
    bmus.wait_factor[row] = lognormal(P.wait_cv, normal(SEED, day, who, BMU_WAIT))
    bmus.misses[row] = bmus.recruited[row] = bmus.open_sites[row] = 0


def test_births_of_a_day(busy: Busy) -> None:
    """Any quiescent old interior surface may be struck, by its true area."""
    fast = numbers_of(BmuParameters(origination_per_mm2_per_year=50.0), BmuNumbers)
    candidates, total = 4000, 0
    inside = np.prod([n - 2 for n in busy.shape])
    for day in range(DAY, DAY + 40):
        plain = busy.copy()
        births = originate(busy.world(SEED, day), busy.bmus, fast, DEPTH, 1.5, 1.1, candidates)
        expected = 0
        lattice = plain.lattice
        for k in range(candidates):
            voxel = int(candidate_voxel(k, SEED, day, CANDIDATE_PLACE, plain.shape))
            quiescent = lattice.surface_slot[voxel] >= 0 and lattice.owner[voxel] < 0
            old = day - lattice.formed_day[voxel] >= P.young_bone_day
            if not (quiescent and old and lattice.region[voxel] == INTERIOR):
                continue
            n = inward_normal(lattice, plain.cavities, voxel, P.normal_radius_voxel)
            weight = weight_of(plain, voxel, n)
            assert area_weight(lattice, voxel, *n) == pytest.approx(weight)
            place = np.unravel_index(voxel, plain.shape)
            targeted = 1 - P.death_share + P.death_share * signal_at(plain, "death", place)
            unloaded = math.exp(-P.strain_bias * (strained(plain, place) - 1))
            targeted *= P.blind_share + (1 - P.blind_share) * unloaded
            here = occupied(plain, place) ** 1.5 * targeted
            assert activation_in(plain.fields, fast, voxel, 1.5, plain.shape) == pytest.approx(here)
            per_face = (
                50.0 / DAYS_PER_YEAR * (20.0e-3) ** 2 * min(1.1 * here, P.origination_ceiling)
            )
            if is_old_surface(lattice, voxel, *n) and uniform(SEED, day, voxel, ORIGINATION) < (
                per_face * weight * inside / candidates
            ):
                born(plain.bmus, int(new_row(plain.bmus)), voxel, n, day, plain.shape)
                expected += 1
        assert births == expected
        total += births
        for one, other in zip(busy.bmus, plain.bmus, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6)
    assert total > 1


def test_a_place_proposed_twice_has_two_ids(busy: Busy) -> None:
    fast = numbers_of(BmuParameters(origination_per_mm2_per_year=50.0), BmuNumbers)
    old = set(alive(busy.bmus))
    births = [
        originate(
            busy.world(SEED, day),
            busy.bmus,
            fast,
            DEPTH,
            1.5,
            1.1,
            4000,
        )
        for day in range(DAY, DAY + 8)
        for _ in range(2)
    ]
    assert births[::2] == births[1::2]
    assert sum(births) > 0
    rows = [row for row in alive(busy.bmus) if row not in old]
    ids = busy.bmus.id[rows].tolist()
    assert len(set(ids)) == len(ids) == sum(births)
    assert len({int(entity_of(i)) for i in busy.bmus.id[rows]}) == sum(births) // 2


def test_a_founder_s_columns(busy: Busy) -> None:
    row = int(new_row(busy.bmus))
    plain = busy.copy()
    voxel, n = int(busy.lattice.surface[5]), (0.6, 0.0, 0.8)
    found(busy.world(SEED, DAY), busy.bmus, row, voxel, n, NUMBERS, DEPTH)
    born(plain.bmus, row, voxel, n, DAY, plain.shape)
    for one, other in zip(busy.bmus, plain.bmus, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_an_osteoclast_is_born_on_a_site(busy: Busy) -> None:
    site = alive(busy.cavities.sites)[0]
    before = alive(busy.osteoclasts)
    man(busy.osteoclasts, busy.cavities.sites, site, DAY)
    (cell,) = set(alive(busy.osteoclasts)) - set(before)
    cells = busy.osteoclasts
    assert cells.id[cell] == busy.cavities.sites.id[site]
    assert (cells.site[cell], cells.voxel[cell]) == (site, busy.cavities.sites.voxel[site])
    assert (cells.born_day[cell], cells.depth_um[cell]) == (DAY, 0.0)


def column(bmus: BmuColumns, names: str, row: int) -> np.ndarray:
    return np.array([getattr(bmus, name)[row] for name in names.split()], float)


def moved(busy: Busy, row: int, day: int) -> None:
    """A front's day: a step, mirrored at cut faces, then back to the surface along the normal."""
    b, lattice = busy.bmus, busy.lattice
    place, way = column(b, "z y x", row), column(b, "tz ty tx", row)
    aim = place + P.travel_um_per_day / lattice.voxel_um * way
    for axis, size in enumerate(busy.shape):
        for wall, beyond in ((1.0, aim[axis] < 1.0), (size - 2.0, aim[axis] > size - 2.0)):
            if beyond:
                aim[axis], way[axis] = 2 * wall - aim[axis], -way[axis]
    b.tz[row], b.ty[row], b.tx[row] = way
    n = column(b, "nz ny nx", row)
    voxel = nearest_surface(
        lattice,
        busy.cavities,
        aim[0],
        aim[1],
        aim[2],
        (b.nz[row], b.ny[row], b.nx[row]),
        3 * P.territory_radius_um / lattice.voxel_um,
        False,
    )
    if voxel >= 0:
        there = np.array(inward_normal(lattice, busy.cavities, voxel, P.normal_radius_voxel))
        if there @ n > 0:
            n = (n + there) / np.linalg.norm(n + there)
            b.nz[row], b.ny[row], b.nx[row] = n
            gap = (np.array(np.unravel_index(voxel, busy.shape)) - aim) @ n
            b.z[row], b.y[row], b.x[row] = aim + gap * n
            angle = P.wander_per_day * normal(SEED, day, b.id[row], BMU_TURN)
            turn(b, row, angle + drawn(busy, row))
            return
    turn(b, row, math.pi * (0.5 + uniform(SEED, day, b.id[row], BMU_TURN)))


def drawn(busy: Busy, row: int) -> float:
    """The turn towards the side with more RANK occupancy, a cube away, relative to both."""
    n, t = column(busy.bmus, "nz ny nx", row), column(busy.bmus, "tz ty tx", row)
    side = np.array(
        [n[1] * t[2] - n[2] * t[1], n[2] * t[0] - n[0] * t[2], n[0] * t[1] - n[1] * t[0]]
    )
    place, cube = column(busy.bmus, "z y x", row), (busy.shape[2] - 2) / busy.fields.rankl.shape[2]
    left, right = (occupied(busy, place + sign * cube * side) for sign in (1, -1))
    return P.steering_per_day * (left - right) / (left + right)


def test_fronts_are_drawn_to_rankl(busy: Busy) -> None:
    found = []
    for row in alive(busy.bmus):
        angle = steering(busy.fields, busy.bmus, row, P.steering_per_day)
        assert angle == pytest.approx(drawn(busy, row), rel=1e-4, abs=1e-6)
        assert steering(busy.fields, busy.bmus, row, 0.0) == 0.0
        found.append(angle)
    assert max(found) > 0.005
    assert min(found) < -0.005


def manned(busy: Busy, row: int, day: int) -> set[str]:
    """Free surface within the front's width is taken from the rear on until no area is owed."""
    b, half, done = busy.bmus, 0.5 * P.width_um / busy.lattice.voxel_um, set()
    who = entity_of(b.id[row])
    # The edge of a trench is not straight.
    wide = half * (1 + RAGGED * (2 * uniform(SEED, day, who, OSTEOCLAST_PLACE) - 1))
    rear, front = -half, half if day == b.born_day[row] else AHEAD_VOXEL
    while b.owed_um2[row] > 0:
        voxel, place = rearmost_free(
            busy.lattice, busy.cavities, b, row, wide, (rear, front), NUMBERS
        )
        if voxel < 0:
            done.add("none")
            b.misses[row] += 1
            b.owed_um2[row] = 0
            if b.misses[row] >= P.patience_day:
                b.phase[row] = FINISHING
            break
        owner = busy.lattice.owner[voxel]
        if owner >= 0:
            site = int(busy.cavities.records.site[owner])
            take_up(busy.lattice, busy.cavities, b, row, site, day)
            b.misses[row] = 0
            b.owed_um2[row] -= busy.cavities.sites.area_um2[site]
            done.add("arrested")
            continue
        b.recruited[row] += 1
        site = int(
            claim(busy.world(SEED, day), b, row, voxel, int(b.recruited[row]), NUMBERS, DEPTH)
        )
        if site < 0:
            rear = place + 1e-6
            done.add("refused")
            continue
        area = busy.cavities.sites.area_um2[site]
        b.misses[row] = 0
        b.area_um2[row] += area
        b.owed_um2[row] -= area
        b.open_sites[row] += 1
        busy.cavities.tally[AREA_STARTED] += float(area)
        man(busy.osteoclasts, busy.cavities.sites, site, day)
        done.add("claimed")
        if b.area_um2[row] >= b.quota_um2[row]:
            b.phase[row] = FINISHING
            done.add("finished")
            break
    return done


def nearly_same(busy: Busy, plain: Busy) -> None:
    """Whole numbers equal; places and directions within the rounding of their float32."""
    for name, one in busy.bmus._asdict().items():
        other = getattr(plain.bmus, name)
        if one.dtype == np.float32:
            np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-4, err_msg=name)
        else:
            np.testing.assert_array_equal(one, other, err_msg=name)


def test_fronts_travel(busy: Busy) -> None:
    fronts = [row for row in alive(busy.bmus) if busy.bmus.phase[row] == TRAVELLING]
    assert len(fronts) > 3
    plain = busy.copy()
    for row in fronts:
        travel(busy.world(SEED, DAY), busy.bmus, row, NUMBERS)
        moved(plain, row, DAY)
    nearly_same(busy, plain)


@pytest.mark.long
@pytest.mark.parametrize("newborn", [False, True])
def test_fronts_recruit(busy: Busy, newborn: bool) -> None:
    fronts = [row for row in alive(busy.bmus) if busy.bmus.phase[row] == TRAVELLING]
    busy.bmus.owed_um2[fronts] = 6000.0
    for site in alive(busy.cavities.sites)[::6]:
        busy.cavities.sites.phase[site] = ARRESTED
    for row in fronts * 2:  # to where they have not yet been
        travel(busy.world(SEED, DAY), busy.bmus, row, NUMBERS)
    done = set()
    busy.bmus.born_day[fronts] = DAY if newborn else DAY - 9
    plain = busy.copy()
    for row in fronts:
        recruit(busy.world(SEED, DAY), busy.bmus, row, busy.osteoclasts, NUMBERS, DEPTH)
        done |= manned(plain, row, DAY)
    assert done >= {"claimed", "arrested"}
    nearly_same(busy, plain)
    assert_same(busy.osteoclasts, plain.osteoclasts)
    assert_same(busy.cavities.records, plain.cavities.records)
    assert busy.cavities.tally[AREA_STARTED] == pytest.approx(plain.cavities.tally[AREA_STARTED])


def test_a_day_of_all_bmus(busy: Busy) -> None:
    plain = busy.copy()
    for row in alive(busy.bmus)[::4]:  # some have nothing left to do
        for state in (busy, plain):
            state.bmus.phase[row], state.bmus.open_sites[row] = FINISHING, 0
    closed = np.zeros(999, np.uint64)
    ended = advance(busy.world(SEED, DAY), busy.bmus, busy.osteoclasts, NUMBERS, DEPTH, closed)
    gone = []
    for row in alive(plain.bmus):
        b = plain.bmus
        if b.phase[row] == TRAVELLING:
            if b.born_day[row] < DAY:
                moved(plain, row, DAY)
                b.owed_um2[row] += P.travel_um_per_day * P.width_um
            manned(plain, row, DAY)
            if DAY - b.born_day[row] > P.longest_travel_day:
                b.phase[row] = FINISHING
        elif b.open_sites[row] == 0:
            gone.append(int(b.id[row]))
            free_row(b, row)
    assert closed[:ended].tolist() == gone
    assert len(gone) > 0
    nearly_same(busy, plain)
    assert_same(busy.osteoclasts, plain.osteoclasts)
