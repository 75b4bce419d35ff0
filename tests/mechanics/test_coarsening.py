"""Coarse elements and nodes against plain sets."""

from itertools import combinations

import numpy as np
import pytest

from bonesim.mechanics.coarsening import (
    coarser,
    elements_at_nodes,
    join,
    join_corners,
    join_elements,
    root,
    settle,
)
from bonesim.mechanics.mesh import Level, finest
from tests.mechanics.structures import DIAGONAL, FREE, SHAPES, plates, random_weight


def least_of_sets(count: int, pairs: list[tuple[int, int]]) -> list[int]:
    """For each member the least of its set, where pairs are in one set."""
    sets = [{i} for i in range(count)]
    for i, j in pairs:
        if sets[i] is not sets[j]:
            sets[i] |= sets[j]
            for member in sets[j]:
                sets[member] = sets[i]
    return [min(one) for one in sets]


def incidence(level: Level) -> tuple[np.ndarray, np.ndarray]:
    start = np.empty(len(level.places) + 2, np.int32)
    incident = np.empty(level.corners.size, np.int32)
    elements_at_nodes(level.corners, start, incident)
    return start, incident


def levels(shape: tuple[int, int, int]) -> list[Level]:
    level = finest(random_weight(shape, 4, 0.3), FREE, DIAGONAL)
    return [level, coarser(level, FREE, DIAGONAL)[0]]


def test_sets_are_united_and_named_after_their_least() -> None:
    rng = np.random.default_rng(1)
    for count in (1, 5, 60):
        pairs = [tuple(pair) for pair in rng.integers(0, count, (count // 2, 2)).tolist()]
        parent = np.arange(count, dtype=np.int32)
        for i, j in pairs:
            join(parent, i, j)
        expected = least_of_sets(count, pairs)
        assert [root(parent.copy(), i) for i in range(count)] == expected
        settle(parent)
        assert parent.tolist() == expected


@pytest.mark.parametrize("shape", SHAPES[:4])
def test_elements_of_each_node(shape: tuple[int, int, int]) -> None:
    for level in levels(shape):
        start, incident = incidence(level)
        for n in range(len(level.places)):
            expected = [e for e, nodes in enumerate(level.corners) if n in nodes]
            assert incident[start[n] : start[n + 1]].tolist() == expected


def plain_elements(level: Level) -> list[int]:
    """The least element of what hangs together in each coarse cell."""
    sharing = [
        (e, f)
        for e, f in combinations(range(len(level.corners)), 2)
        if (level.cells[e] // 2 == level.cells[f] // 2).all()
        and set(level.corners[e].tolist()) & set(level.corners[f].tolist())
    ]
    return least_of_sets(len(level.corners), sharing)


@pytest.mark.parametrize("shape", SHAPES[:4])
def test_elements_of_a_coarse_cell_unite_where_they_touch(shape: tuple[int, int, int]) -> None:
    for level in levels(shape):
        start, incident = incidence(level)
        parent = np.arange(len(level.corners), dtype=np.int32)
        join_elements(level.cells, start, incident, parent)
        settle(parent)
        assert parent.tolist() == plain_elements(level)


@pytest.mark.parametrize("shape", SHAPES[:4])
def test_coarse_elements_share_what_carries_a_common_node(shape: tuple[int, int, int]) -> None:
    for level in levels(shape):
        start, incident = incidence(level)
        heads = plain_elements(level)
        kept = sorted(set(heads))
        above = np.array([kept.index(head) for head in heads], np.int32)
        cells = np.ascontiguousarray(level.cells[kept] // 2)
        slots = np.arange(8 * len(kept), dtype=np.int32)
        element = np.empty(len(level.places), np.int32)
        position = np.empty(len(level.places), np.uint8)
        join_corners(level.places, start, incident, above, cells, slots, element, position)
        settle(slots)

        pairs = []
        for n, place in enumerate(level.places):
            mine = [above[e] for e, nodes in enumerate(level.corners) if n in nodes]
            assert element[n] == mine[0]
            z, y, x = place - 2 * cells[mine[0]]
            assert position[n] == 9 * z + 3 * y + x
            carriers: dict[tuple[int, ...], int] = {}
            for one in mine:
                for a in range(8):
                    corner = np.add(cells[one], [a >> 2 & 1, a >> 1 & 1, a & 1])
                    if (np.abs(2 * corner - place) <= 1).all():
                        pairs.append((carriers.setdefault(tuple(corner), 8 * one + a), 8 * one + a))
        assert slots.tolist() == least_of_sets(slots.size, pairs)


@pytest.mark.parametrize("shape", SHAPES)
def test_coarse_levels_keep_all_bone(shape: tuple[int, int, int]) -> None:
    level = finest(random_weight(shape, 4, 0.3), FREE, DIAGONAL)
    bone = level.mesh.weight.sum()
    for k in range(1, 4):
        fine, (level, transfer) = level, coarser(level, FREE, DIAGONAL)
        # Weight is modulus x edge: the edge doubles, the modulus is the mean of eight.
        assert level.mesh.weight.sum() * 4**k == pytest.approx(bone, rel=1e-5)
        assert level.size == tuple(-(-n // 2) for n in fine.size)
        order = [(*place,) for place in level.cells.tolist()]
        assert order == sorted(order)
        for e, cell in zip(transfer.element, level.cells[transfer.element], strict=True):
            assert (cell == level.cells[e]).all()
        for nodes, cell in zip(level.corners, level.cells, strict=True):
            for a, n in enumerate(nodes):
                at = np.add(cell, [a >> 2 & 1, a >> 1 & 1, a & 1])
                assert (level.places[n] == at).all()


def test_a_solid_block_has_one_node_a_place_and_two_plates_two() -> None:
    level = coarser(finest(np.ones((8, 8, 8), np.float32), FREE, DIAGONAL), FREE, DIAGONAL)[0]
    assert len(level.places) == len(np.unique(level.places, axis=0)) == 5**3
    apart = np.zeros((4, 4, 4), np.float32)
    apart[:, 0] = apart[:, 2] = 1.0
    level = coarser(finest(apart, FREE, DIAGONAL), FREE, DIAGONAL)[0]
    # Both plates are at y = 0..1 and 2..3 of the fine level: a common place, but two nodes.
    assert len(level.places) == 2 * 18
    assert len(np.unique(level.places, axis=0)) == 27


def test_plates_part_at_every_gap() -> None:
    for gap in (1, 2, 3):
        level = finest(plates(gap), FREE, DIAGONAL)
        while max(level.size) > 1:
            level = coarser(level, FREE, DIAGONAL)[0]
        assert len(level.corners) == 2
        assert not set(level.corners[0].tolist()) & set(level.corners[1].tolist())
