"""Search for loose pieces against labelling the whole lattice with SciPy."""

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label

from bonesim.lattice.fragments import (
    FragmentParameters,
    Fragments,
    flood_piece,
    remove_loose_around,
)
from bonesim.lattice.ledger import FRAGMENTS
from bonesim.lattice.tissue import Tissue
from bonesim.units import BONE

Make = Callable[..., Tissue]
ALL = np.ones((3, 3, 3))
sparse = arrays(
    np.uint8,
    st.tuples(*[st.integers(3, 8)] * 3),
    elements=st.sampled_from([0, 0, 0, 0, 100, 128, 255]),
    fill=st.just(0),
)


def pieces_of(tissue: Tissue) -> list[tuple[set[int], bool]]:
    """Each 26-connected piece as flat padded indices, and whether it touches a cut face."""
    bone = tissue.lattice.quanta.reshape(tissue.padded_shape) >= BONE
    labels, count = label(bone, ALL)
    at_face = np.zeros(tissue.padded_shape, bool)
    at_face[1:-1, 1:-1, 1:-1] = True
    at_face[2:-2, 2:-2, 2:-2] = False
    touching = set(labels[at_face & bone].tolist())
    return [
        (set(np.flatnonzero(labels == piece).tolist()), piece in touching)
        for piece in range(1, count + 1)
    ]


@settings(max_examples=60)
@given(sparse, st.integers(1, 30))
def test_a_flood_finds_the_whole_piece_or_knows_it_does_not(
    make_tissue: Make, quanta: np.ndarray, limit: int
) -> None:
    tissue = make_tissue(quanta)
    for piece, touches in pieces_of(tissue):
        found = np.zeros(limit, np.int64)
        mark = np.zeros(tissue.lattice.quanta.size, np.uint8)
        count, free = flood_piece(tissue.lattice, min(piece), found, mark)
        assert free == (not touches and len(piece) <= limit)
        reached = set(found[:count].tolist())
        assert len(reached) == count
        assert reached <= piece
        assert set(np.flatnonzero(mark).tolist()) == reached
        if free:
            assert reached == piece


@settings(max_examples=40)
@given(sparse, st.data())
def test_only_free_pieces_that_touch_the_cut_are_removed(
    make_tissue: Make, quanta: np.ndarray, data: st.DataObject
) -> None:
    tissue = make_tissue(quanta)
    place = tuple(data.draw(st.integers(0, size - 1)) for size in quanta.shape)
    voxel = int(np.ravel_multi_index(tuple(c + 1 for c in place), tissue.padded_shape))
    y, z = tissue.lattice.stride_y, tissue.lattice.stride_z
    near = {voxel + a * z + b * y + c for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)}
    pieces = pieces_of(tissue)
    before = tissue.lattice.quanta.copy()
    left = int(before.sum(dtype=np.int64))
    loose = []
    near_free = [piece for piece, touches in pieces if not touches and piece & near]
    for piece in sorted(near_free, key=lambda piece: min(piece & near)):
        held = int(before[sorted(piece)].sum(dtype=np.int64))
        if 2 * held <= left:  # a piece of most of the bone that is left is the network itself
            loose.append(piece)
            left -= held
    gone = sorted(set().union(*loose))
    mark = np.zeros(before.size, np.uint8)
    removed = remove_loose_around(tissue.lattice, voxel, np.zeros(600, np.int64), mark, 0)
    expected = before.copy()
    expected[gone] = 0
    assert (tissue.lattice.quanta == expected).all()
    assert removed == before[gone].sum(dtype=np.int64) == tissue.lattice.counts[FRAGMENTS]
    assert not mark.any()
    columns, _ = tissue.drain_events()
    assert columns["kind"].size == len(loose)
    assert sorted(columns["quanta"]) == sorted(before[sorted(p)].sum(dtype=int) for p in loose)


@settings(max_examples=40)
@given(sparse)
def test_the_full_search_leaves_the_faces_pieces_and_the_largest(
    make_tissue: Make, quanta: np.ndarray
) -> None:
    tissue = make_tissue(quanta)
    pieces = pieces_of(tissue)
    before = tissue.lattice.quanta.copy()
    Fragments(FragmentParameters(), tissue).remove_all(tissue, 0)
    largest = max((len(piece) for piece, _ in pieces), default=0)
    left = tissue.lattice.quanta
    kept_largest = False
    for piece, touches in pieces:
        rows = sorted(piece)
        kept = bool((left[rows] == before[rows]).all())
        assert kept or not left[rows].any()
        assert kept >= touches
        if kept and not touches:
            assert len(piece) == largest
            kept_largest = True
        if len(piece) == largest and kept:
            kept_largest = True
    assert kept_largest or not pieces
    crumbs = before < BONE
    assert (left[crumbs] == before[crumbs]).all()
    assert before.sum(dtype=np.int64) - left.sum(dtype=np.int64) == tissue.lattice.counts[FRAGMENTS]


def test_a_cut_is_looked_at_once_on_its_day(make_tissue: Make) -> None:
    quanta = np.zeros((9, 9, 9), np.uint8)
    quanta[0] = 255
    quanta[3:6, 4, 4] = 255
    tissue = make_tissue(quanta)
    fragments = Fragments(FragmentParameters(wait_day=60), tissue)
    cut = np.ravel_multi_index(np.array([[3], [5], [5]]), tissue.padded_shape).astype(np.int64)
    fragments.add_cuts(cut, 10)
    fragments.remove_due(tissue, 69)
    assert tissue.lattice.counts[FRAGMENTS] == 0
    fragments.remove_due(tissue, 70)
    assert tissue.lattice.counts[FRAGMENTS] == 3 * 255
    assert fragments.voxels.size == fragments.due_day.size == 0
