"""Aggregates: small connected groups of nodes, each of which moves as a rigid body on a coarser level.

An aggregate is a node and all its neighbours in the graph, where none of these is taken yet; what is
left over joins a neighbouring aggregate. Nodes are neighbours if an element holds both. So an
aggregate is connected through bone, and struts that pass close by stay separate on every level.
The same rule makes aggregates of aggregates. Order is that of the numbers: nothing is random.

Source: Vanek 1996 (standard aggregation).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel

Integers = NDArray[np.int32]


class Graph(NamedTuple):
    """Neighbours of each member, itself among them: `columns[first[n] : first[n + 1]]`.

    `place` of each entry is that of its block among the blocks of the upper half (row <= column),
    which are numbered row by row; empty for nodes.
    """

    first: NDArray[np.int64]
    columns: Integers
    place: Integers

    @property
    def blocks(self) -> int:
        """Blocks of the upper half."""
        return (self.columns.size + self.first.size - 1) // 2


class Aggregates(NamedTuple):
    """Of n members: the aggregate of each, the members of each aggregate, and where its centre is.

    Members of aggregate a are `members[start[a] : start[a + 1]]`. `centres` (aggregates, 3) x, y, z
    in elements.
    """

    number: Integers
    start: NDArray[np.int64]
    members: Integers
    centres: NDArray[np.float64]


@kernel
def elements_at_nodes(
    corners: NDArray[np.int32], start: NDArray[np.int32], incident: NDArray[np.int32]
) -> None:
    """For each node the elements it belongs to: `incident[start[n] : start[n + 1]]`."""
    start[:] = 0
    for e in range(corners.shape[0]):
        for a in range(8):
            start[corners[e, a] + 2] += 1
    for n in range(2, start.size):
        start[n] += start[n - 1]
    for e in range(corners.shape[0]):
        for a in range(8):
            n = corners[e, a] + 1
            incident[start[n]] = e
            start[n] += 1


@kernel
def node_graph(
    corners: NDArray[np.int32],
    start: NDArray[np.int32],
    incident: NDArray[np.int32],
    first: NDArray[np.int64],
    columns: NDArray[np.int32],
) -> int:
    """Neighbours of each node through the elements at it; returns the number of entries."""
    seen = np.full(first.size - 1, -1, np.int32)
    count = 0
    for n in range(first.size - 1):
        first[n] = count
        for i in range(start[n], start[n + 1]):
            e = incident[i]
            for a in range(8):
                m = corners[e, a]
                if seen[m] != n:
                    seen[m] = n
                    columns[count] = m
                    count += 1
    first[first.size - 1] = count
    return count


@kernel
def aggregate(
    first: NDArray[np.int64], columns: NDArray[np.int32], number: NDArray[np.int32]
) -> int:
    """The aggregate of each member of a graph, into `number`; returns how many there are."""
    count = 0
    number[:] = -1
    for n in range(number.size):
        free = True
        for i in range(first[n], first[n + 1]):
            if number[columns[i]] >= 0:
                free = False
                break
        if free:
            for i in range(first[n], first[n + 1]):
                number[columns[i]] = count
            count += 1
    # What is left over has a neighbour in an aggregate. It joins the first, but is no neighbour yet.
    for n in range(number.size):
        if number[n] == -1:
            for i in range(first[n], first[n + 1]):
                if number[columns[i]] >= 0:
                    number[n] = -2 - number[columns[i]]
                    break
    for n in range(number.size):
        if number[n] < -1:
            number[n] = -2 - number[n]
    return count


@kernel
def group(
    number: NDArray[np.int32],
    places: NDArray[np.float64],
    start: NDArray[np.int64],
    members: NDArray[np.int32],
    centres: NDArray[np.float64],
) -> None:
    """Members of each aggregate in order, and the mean of their places."""
    start[:] = 0
    centres[:] = 0.0
    for n in range(number.size):
        start[number[n] + 2] += 1
    for a in range(2, start.size):
        start[a] += start[a - 1]
    for n in range(number.size):
        a = number[n]
        members[start[a + 1]] = n
        start[a + 1] += 1
        for c in range(3):
            centres[a, c] += places[n, c]
    for a in range(centres.shape[0]):
        for c in range(3):
            centres[a, c] /= start[a + 1] - start[a]


@kernel
def quotient(
    graph: Graph,
    aggregates: Aggregates,
    first: NDArray[np.int64],
    columns: NDArray[np.int32],
    place: NDArray[np.int32],
) -> int:
    """The graph of aggregates: neighbours if members are. Returns the number of entries."""
    seen = np.full(first.size - 1, -1, np.int32)
    count, blocks = 0, 0
    for a in range(first.size - 1):
        first[a] = count
        for m in range(aggregates.start[a], aggregates.start[a + 1]):
            n = aggregates.members[m]
            for i in range(graph.first[n], graph.first[n + 1]):
                b = aggregates.number[graph.columns[i]]
                if seen[b] == a:
                    continue
                seen[b] = a
                columns[count] = b
                if b >= a:
                    place[count] = blocks
                    blocks += 1
                else:
                    for k in range(first[b], first[b + 1]):
                        if columns[k] == a:
                            place[count] = place[k]
                count += 1
    first[first.size - 1] = count
    return count


def graph_of_nodes(corners: Integers, start: Integers, incident: Integers) -> Graph:
    """The graph of the nodes of elements (e, 8); `start` and `incident`: `elements_at_nodes`."""
    nodes = start.size - 2
    first, columns = np.empty(nodes + 1, np.int64), np.empty(27 * nodes, np.int32)
    count = node_graph(corners, start, incident, first, columns)
    return Graph(first, columns[:count], np.zeros(0, np.int32))


def aggregated(graph: Graph, places: NDArray[np.float64]) -> Aggregates:
    """Aggregates of the members of a graph, which are at `places` (n, 3)."""
    number = np.empty(len(places), np.int32)
    count = aggregate(graph.first, graph.columns, number)
    start, members = np.empty(count + 2, np.int64), np.empty(number.size, np.int32)
    centres = np.empty((count, 3))
    group(number, places, start, members, centres)
    return Aggregates(number, start[:-1], members, centres)


def coarser_graph(graph: Graph, aggregates: Aggregates) -> Graph:
    """The graph of the aggregates."""
    first = np.empty(len(aggregates.centres) + 1, np.int64)
    columns, place = np.empty((2, graph.columns.size), np.int32)
    count = quotient(graph, aggregates, first, columns, place)
    return Graph(first, columns[:count].copy(), place[:count].copy())
