"""Graphs and aggregates against plain sets."""

from itertools import pairwise

import numpy as np
import pytest

from bonesim.mechanics.aggregates import (
    Graph,
    aggregate,
    aggregated,
    coarser_graph,
    elements_at_nodes,
    graph_of_nodes,
    group,
    node_graph,
    quotient,
)
from bonesim.mechanics.mesh import Level, finest
from tests.mechanics.structures import DIAGONAL, FREE, SHAPES, incidence, plates, random_weight


def level_of(shape: tuple[int, ...]) -> Level:
    return finest(random_weight(shape, 4, 0.3), FREE, DIAGONAL)


def neighbours(graph: Graph) -> list[set[int]]:
    return [set(graph.columns[low:high].tolist()) for low, high in pairwise(graph.first)]


def plain_neighbours(level: Level) -> list[set[int]]:
    """Nodes that share an element."""
    made: list[set[int]] = [set() for _ in level.places]
    for nodes in level.corners.tolist():
        for n in nodes:
            made[n].update(nodes)
    return made


@pytest.mark.parametrize("shape", SHAPES[:4])
def test_elements_of_each_node(shape: tuple[int, int, int]) -> None:
    level = level_of(shape)
    start = np.empty(len(level.places) + 2, np.int32)
    incident = np.empty(level.corners.size, np.int32)
    elements_at_nodes(level.corners, start, incident)
    for n in range(len(level.places)):
        expected = [e for e, nodes in enumerate(level.corners) if n in nodes]
        assert incident[start[n] : start[n + 1]].tolist() == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_nodes_are_neighbours_if_they_share_an_element(shape: tuple[int, int, int]) -> None:
    level = level_of(shape)
    first, columns = (
        np.empty(len(level.places) + 1, np.int64),
        np.empty(27 * len(level.places), np.int32),
    )
    count = node_graph(level.corners, *incidence(level), first, columns)
    assert count == first[-1] == sum(map(len, plain_neighbours(level)))
    assert neighbours(Graph(first, columns, columns[:0])) == plain_neighbours(level)


def plain_aggregates(near: list[list[int]]) -> list[int]:
    """A node and its neighbours if all are free; then each other joins its first neighbour taken."""
    taken: dict[int, int] = {}
    count = 0
    for nodes in near:
        if not set(nodes) & set(taken):
            taken |= dict.fromkeys(nodes, count)
            count += 1
    late = {}
    for n, nodes in enumerate(near):
        if n not in taken:
            late[n] = next(taken[m] for m in nodes if m in taken)
    return [(taken | late)[n] for n in range(len(near))]


@pytest.mark.parametrize("shape", SHAPES)
def test_aggregates_are_those_of_plain_sets_level_after_level(shape: tuple[int, int, int]) -> None:
    level = level_of(shape)
    graph = graph_of_nodes(level.corners, *incidence(level))
    places = level.places[:, ::-1].astype(float)
    for _ in range(3):
        near = [graph.columns[low:high].tolist() for low, high in pairwise(graph.first)]
        expected = plain_aggregates(near)
        number = np.empty(len(places), np.int32)
        assert aggregate(graph.first, graph.columns, number) == max(expected) + 1
        assert number.tolist() == expected
        groups = aggregated(graph, places)
        start, members = np.empty(max(expected) + 3, np.int64), np.empty(number.size, np.int32)
        centres = np.empty((max(expected) + 1, 3))
        group(number, places, start, members, centres)
        for a in range(len(centres)):
            mine = [n for n, one in enumerate(expected) if one == a]
            assert members[start[a] : start[a + 1]].tolist() == mine
            np.testing.assert_allclose(centres[a], places[mine].mean(axis=0))
            reached, rest = {mine[0]}, set(mine) - {mine[0]}
            while step := {n for n in rest if set(near[n]) & reached}:
                reached, rest = reached | step, rest - step
            assert not rest, "an aggregate is connected"
        np.testing.assert_array_equal(groups.members, members)
        graph, places = coarser_graph(graph, groups), groups.centres


@pytest.mark.parametrize("shape", SHAPES)
def test_aggregates_are_neighbours_if_their_members_are(shape: tuple[int, int, int]) -> None:
    level = level_of(shape)
    graph = graph_of_nodes(level.corners, *incidence(level))
    groups = aggregated(graph, level.places[:, ::-1].astype(float))
    count = len(groups.centres)
    first = np.empty(count + 1, np.int64)
    columns, place = np.empty((2, graph.columns.size), np.int32)
    assert quotient(graph, groups, first, columns, place) == first[-1]
    made = Graph(first, columns[: first[-1]], place[: first[-1]])
    expected: list[set[int]] = [set() for _ in range(count)]
    for n, near in enumerate(neighbours(graph)):
        expected[groups.number[n]].update(groups.number[list(near)].tolist())
    assert neighbours(made) == expected
    of = {}
    for a in range(count):
        for k in range(first[a], first[a + 1]):
            of.setdefault(int(place[k]), set()).add(frozenset((a, int(columns[k]))))
    assert sorted(of) == list(range(made.blocks)), "one block a pair, numbered without gaps"
    assert all(len(pairs) == 1 for pairs in of.values())
    rows = [a for a in range(count) for k in range(first[a], first[a + 1]) if columns[k] >= a]
    assert rows == sorted(rows)


def test_plates_stay_apart_at_every_gap() -> None:
    for gap in (1, 2, 3):
        level = finest(plates(gap), FREE, DIAGONAL)
        graph = graph_of_nodes(level.corners, *incidence(level))
        upper = level.places[:, 1] > 2
        while graph.first.size - 1 > 2:
            groups = aggregated(graph, np.zeros((upper.size, 3)))
            for a in range(len(groups.centres)):
                assert np.unique(upper[groups.number == a]).size == 1
            graph, upper = (
                coarser_graph(graph, groups),
                upper[np.unique(groups.number, return_index=True)[1]],
            )
        assert graph.columns.size == 2
