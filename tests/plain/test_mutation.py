"""Hundreds of random takes and gives: everything kept current equals a recount from scratch."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label
from skimage.measure import euler_number as skimage_euler_number

from bonesim.lattice import ledger as m
from bonesim.lattice.tissue import FLOORLESS_ARRAYS, Tissue
from bonesim.lattice.topology import EVENT_KINDS, HEALING
from bonesim.units import BONE, FULL

Make = Callable[..., Tissue]
BMU = np.uint64(99)
CELLS = list(itertools.product((-1, 0, 1), repeat=3))


def random_quanta(seed: int, size: int = 9) -> np.ndarray:
    """Bone of a random density, with partial voxels, made from a few integers only."""
    numbers = np.arange(size**3, dtype=np.uint64)
    mixed = (numbers + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    density = 40 + seed % 160
    quanta = np.where(mixed % 256 < density, 128 + (mixed >> 16) % 128, (mixed >> 16) % 300)
    quanta = np.where(quanta > 255, 0, quanta)
    return np.where((mixed >> 40) % 4 == 0, 0, quanta).reshape(size, size, size).astype(np.uint8)


def plain_pairs(bone: np.ndarray) -> list[int]:
    """Bone-marrow pairs by face, edge and corner between voxels of the interior."""
    inner = bone[m.RIM_WIDTH : -m.RIM_WIDTH, m.RIM_WIDTH : -m.RIM_WIDTH, m.RIM_WIDTH : -m.RIM_WIDTH]
    counts = [0, 0, 0]
    for place in np.ndindex(inner.shape):
        for step in CELLS:
            there = tuple(c + s for c, s in zip(place, step, strict=True))
            if all(0 <= c < n for c, n in zip(there, inner.shape, strict=True)):
                counts[sum(map(abs, step)) - 1] += int(inner[place] and not inner[there])
    return counts


def plain_surface(bone: np.ndarray) -> set[int]:
    """Flat padded indices of bone voxels with a marrow voxel at a face."""
    found = set()
    padded_shape = tuple(n + 2 for n in bone.shape)
    for place in zip(*np.nonzero(bone), strict=True):
        for axis, side in itertools.product(range(3), (-1, 1)):
            there = list(map(int, place))
            there[axis] += side
            if 0 <= there[axis] < bone.shape[axis] and not bone[tuple(there)]:
                found.add(int(np.ravel_multi_index(tuple(c + 1 for c in place), padded_shape)))
    return found


def assert_current(tissue: Tissue, day: float) -> None:
    """Recount everything the tissue keeps current."""
    counts = tissue.lattice.counts
    quanta = tissue.inner(tissue.lattice.quanta)
    bone = quanta >= BONE
    inside = (slice(m.RIM_WIDTH, -m.RIM_WIDTH),) * 3
    assert counts[m.BONE_QUANTA] == quanta.sum(dtype=np.int64)
    assert counts[m.INTERIOR_QUANTA] == quanta[inside].sum(dtype=np.int64)
    assert tissue.euler == skimage_euler_number(np.pad(bone, 1), connectivity=3)
    held = tissue.surface_voxels.tolist()
    assert len(held) == len(set(held))
    assert set(held) == plain_surface(bone)
    pairs = [counts[place] for place in (m.FACE_PAIRS, m.EDGE_PAIRS, m.CORNER_PAIRS)]
    assert pairs == plain_pairs(bone)
    formed = tissue.inner(tissue.lattice.formed_day)[inside].astype(np.float64)
    deficit = (quanta[inside] * np.exp((formed - day) / tissue.mineral.slow_tau_day)).sum()
    assert tissue.lattice.sums[m.SLOW_DEFICIT] == pytest.approx(deficit, rel=1e-9, abs=1e-6)
    assert tissue.inner(tissue.lattice.region).min() > 0
    outside = np.ones(tissue.padded_shape, bool)
    outside[1:-1, 1:-1, 1:-1] = False
    assert not tissue.lattice.quanta.reshape(tissue.padded_shape)[outside].any()


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_hundreds_of_takes_and_gives_keep_everything_current(
    make_tissue: Make, seed: int, choices: int
) -> None:
    tissue = make_tissue(random_quanta(seed))
    lattice = tissue.lattice
    start, start_euler = int(lattice.counts[m.BONE_QUANTA]), tissue.euler
    inner = np.flatnonzero(lattice.region)
    amounts = random_quanta(choices).ravel()
    taken = given_ = events = changes = 0
    for day in range(1, 7):
        tissue.age_one_day()
        for k in range(100):
            n = 100 * day + k
            voxel = inner[(n * 2654435761 + choices) % inner.size]
            before = int(lattice.quanta[voxel])
            amount = int(amounts[n % amounts.size]) + n % 3 * 100
            if (n + choices) % 5 < 2:
                moved = m.give(lattice, voxel, amount, day, 5.0, BMU)
                assert moved == min(amount, FULL - before)
                assert lattice.quanta[voxel] == before + moved
                given_ += moved
            else:
                moved = m.take(lattice, voxel, amount, day, 100.0, 5.0, BMU)
                assert moved == min(amount, before)
                assert lattice.quanta[voxel] == before - moved
                taken += moved
        columns, lost = tissue.drain_events()
        events += columns["voxel"].size
        changes += int(columns["euler"].sum(dtype=np.int64))
        assert lost["voxel"].size == 0
        assert lattice.counts[m.EVENTS] == 0
        assert_current(tissue, float(day))
    assert events > 20
    assert lattice.counts[m.BONE_QUANTA] - start == given_ - taken
    assert lattice.counts[m.FORMED] == given_
    assert lattice.counts[m.RESORBED] == taken
    assert tissue.euler - start_euler == changes


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(0, 728))
def test_an_event_is_logged_exactly_when_parts_or_euler_change(
    make_tissue: Make, seed: int, place: int
) -> None:
    """One crossing at a time; its Euler change is the recount's, simple ones change nothing."""
    tissue = make_tissue(random_quanta(seed, 9))
    lattice = tissue.lattice
    voxel = np.flatnonzero(lattice.region)[place]
    was_bone = lattice.quanta[voxel] >= BONE
    bone = lattice.quanta.reshape(tissue.padded_shape) >= BONE
    before = (label(bone, np.ones((3, 3, 3)))[1], label(~bone)[1], tissue.euler)
    if was_bone:
        moved = m.take(lattice, voxel, FULL, 1, 80.0, 20.0, BMU)
    else:
        moved = m.give(lattice, voxel, FULL, 1, 20.0, BMU)
    bone = lattice.quanta.reshape(tissue.padded_shape) >= BONE
    after = (label(bone, np.ones((3, 3, 3)))[1], label(~bone)[1], tissue.euler)
    columns, _ = tissue.drain_events()
    if columns["voxel"].size == 0:
        assert after == before
        return
    assert columns["voxel"].tolist() == [voxel]
    assert columns["euler"][0] == after[2] - before[2]
    assert columns["quanta"][0] == moved
    assert columns["bmu"][0] == BMU
    assert columns["depth_um"][0] == 20.0
    assert (columns["kind"][0] == HEALING) == (not was_bone)


@pytest.mark.parametrize("crossing", ["take", "give"])
def test_nothing_moves_from_nothing(make_tissue: Make, crossing: str) -> None:
    tissue = make_tissue(np.full((7, 7, 7), 0 if crossing == "take" else FULL))
    lattice, voxel = tissue.lattice, int(np.flatnonzero(tissue.lattice.region)[171])
    before = [lattice.counts.copy(), lattice.sums.copy(), lattice.quanta.copy()]
    for amount in (0, -5, 9):
        if crossing == "take":
            assert m.take(lattice, voxel, amount, 1, 1.0, 1.0, BMU) == 0
        else:
            assert m.give(lattice, voxel, amount, 1, 1.0, BMU) == 0
    for now, then in zip((lattice.counts, lattice.sums, lattice.quanta), before, strict=True):
        assert (now == then).all()


def test_known_events(make_tissue: Make) -> None:
    """A hole in a plate, a cut of a strut, a speck, a hollow, and their healing."""
    plate, strut, speck, solid = (np.zeros((9, 9, 9), np.uint8) for _ in range(4))
    plate[4], strut[:, 4, 4], speck[4, 4, 4], solid[:] = 255, 255, 255, 255
    for quanta, kind, change in (
        (plate, "plate_perforation", -1),
        (strut, "strut_cut", 1),
        (speck, "speck_lost", -1),
        (solid, "cavity_opened", 1),
    ):
        tissue = make_tissue(quanta)
        voxel = int(np.ravel_multi_index((5, 5, 5), tissue.padded_shape))
        m.take(tissue.lattice, voxel, 128, 3, 60.0, 30.0, BMU)
        m.give(tissue.lattice, voxel, 128, 4, 30.0, BMU)
        columns, _ = tissue.drain_events()
        assert [EVENT_KINDS[code] for code in columns["kind"]] == [kind, "healing"]
        assert columns["euler"].tolist() == [change, -change]
        assert columns["thickness_um"][0] == 60.0


def test_a_fragment_is_one_event_in_the_ledger(make_tissue: Make) -> None:
    quanta = random_quanta(5)
    tissue = make_tissue(quanta)
    lattice = tissue.lattice
    piece = np.flatnonzero(lattice.quanta >= BONE)[20:200:9].astype(np.int64)
    now = lattice.quanta.copy()
    held = int(now[piece].sum(dtype=np.int64))
    euler = tissue.euler
    assert m.remove_fragment(lattice, piece, 0) == held
    columns, _ = tissue.drain_events()
    assert columns["kind"].tolist() == [m.FRAGMENT_FREED]
    assert columns["quanta"].tolist() == [held]
    assert columns["euler"].tolist() == [tissue.euler - euler]
    assert lattice.counts[m.FRAGMENTS] == held
    inside = lattice.region[piece] == m.INTERIOR
    assert 0 < inside.sum() < piece.size
    assert lattice.counts[m.INTERIOR_FRAGMENTS] == now[piece][inside].sum(dtype=np.int64)
    assert_current(tissue, 0.0)


def test_resorbed_quanta_are_entered_by_place(make_tissue: Make) -> None:
    tissue = make_tissue(random_quanta(3))
    lattice = tissue.lattice
    expected = [0, 0]
    for n, voxel in enumerate(np.flatnonzero(lattice.region)[::5]):
        n = m.take(lattice, voxel, n % FULL, 1, np.nan, np.nan, BMU)
        expected[0] += n
        expected[1] += n if lattice.region[voxel] == m.INTERIOR else 0
    assert [lattice.counts[m.RESORBED], lattice.counts[m.INTERIOR_RESORBED]] == expected
    assert 0 < expected[1] < expected[0]


def test_the_buffer_of_floorless_voxels(make_tissue: Make) -> None:
    """All that is written is drained once; more than it holds is refused, not forgotten."""
    tissue = make_tissue(random_quanta(3))
    rows = [(40 + n, 7 * n, np.uint64(2**63 + n), n % 2) for n in range(5)]
    for row in rows:
        m.log_floorless(tissue.lattice, *row)
    _, lost = tissue.drain_events()
    assert list(zip(*(lost[name] for name in FLOORLESS_ARRAYS), strict=True)) == rows
    assert tissue.drain_events()[1]["voxel"].size == 0
    for _ in range(m.EVENT_CAPACITY + 1):
        m.log_floorless(tissue.lattice, 1, 1, np.uint64(1), 0)
    with pytest.raises(OverflowError, match="floorless"):
        tissue.drain_events()


def test_mixed_bone_keeps_the_slow_deficit_of_its_parts(make_tissue: Make) -> None:
    """exp deficits add: old and new bone in one voxel decay together as one age."""
    tissue = make_tissue(np.zeros((7, 7, 7)))
    voxel = int(np.ravel_multi_index((4, 4, 4), tissue.padded_shape))
    tau = tissue.mineral.slow_tau_day
    m.give(tissue.lattice, voxel, 60, 0, 1.0, BMU)
    for _ in range(100):
        tissue.age_one_day()
    m.give(tissue.lattice, voxel, 90, 100, 1.0, BMU)
    for _ in range(50):
        tissue.age_one_day()
    expected = 60 * np.exp(-150 / tau) + 90 * np.exp(-50 / tau)
    assert tissue.lattice.sums[m.SLOW_DEFICIT] == pytest.approx(expected, rel=1e-6)
    m.take(tissue.lattice, voxel, 255, 150, 1.0, 1.0, BMU)
    assert tissue.lattice.sums[m.SLOW_DEFICIT] == pytest.approx(0.0, abs=1e-9)
