"""Stiffness of aggregates that move as rigid bodies: T' K T, in blocks of 6 x 6.

T moves each node with its aggregate: u = t + r x (place - centre). Held components of displacement
are 0 in it. So the coarse stiffness is that of the fine energy (Galerkin), exactly: rigid motion
costs nothing, and only elements between aggregates, or at held nodes, resist.

An element whose nodes are free contributes to a pair of aggregates a block that depends only on
which corners are whose. All these patterns are computed once (`patterns`), about the element's
centre; moving the block to the centres of the aggregates is a shift of the rotations' origin.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.mechanics.aggregates import Aggregates, Graph
from bonesim.mechanics.element import CORNERS, stiffness
from bonesim.mechanics.mesh import Level

#: Digits of a pattern: a corner is of neither aggregate, of the first, or of the second.
DIGITS = 3
#: The pattern of an element that lies within one aggregate.
WITHIN = (DIGITS**8 - 1) // 2


def rigid_motion(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Displacement (n, 3, 6) of places (n, 3; x, y, z) for three translations and three rotations."""
    made = np.zeros((len(places), 3, 6))
    made[:, range(3), range(3)] = 1.0
    for c in range(3):
        i, j = (c + 1) % 3, (c + 2) % 3
        made[:, i, 3 + c] = -places[:, j]
        made[:, j, 3 + c] = places[:, i]
    return made


@cache
def patterns(poisson: float) -> NDArray[np.float64]:
    """Blocks (3^8, 6, 6) of an element of unit weight about its centre, for each pattern.

    Digit k of a pattern: corner k is of neither aggregate (0), the first (1), the second (2).
    Without a 2 both aggregates are the same.
    """
    motion = rigid_motion(CORNERS - 0.5)
    matrix = stiffness(poisson).reshape(8, 3, 8, 3)
    pairs = np.einsum("pci,pcqd,qdj->pqij", motion, matrix, motion)
    codes = np.arange(DIGITS**8)
    digits = np.stack([codes // DIGITS**k % DIGITS for k in range(8)], axis=1)
    one, other = (digits == 1).astype(float), (digits == 2).astype(float)
    same = ~other.any(axis=1)
    other[same] = one[same]
    chosen = np.einsum("cp,cq->cpq", one, other).reshape(-1, 64)
    return np.ascontiguousarray((chosen @ pairs.reshape(64, 36)).reshape(-1, 6, 6))


@kernel
def add_shifted(
    block: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    weight: float,
    h: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Add a block to `out`, its rows' origin shifted by `a`, its columns' by `b`; `h` is scratch."""
    a0, a1, a2 = weight * a[0], weight * a[1], weight * a[2]
    b0, b1, b2 = b[0], b[1], b[2]
    for j in range(6):
        g0, g1, g2 = block[0, j], block[1, j], block[2, j]
        h[0, j] = weight * g0
        h[1, j] = weight * g1
        h[2, j] = weight * g2
        h[3, j] = weight * block[3, j] + g2 * a1 - g1 * a2
        h[4, j] = weight * block[4, j] + g0 * a2 - g2 * a0
        h[5, j] = weight * block[5, j] + g1 * a0 - g0 * a1
    for i in range(6):
        h0, h1, h2 = h[i, 0], h[i, 1], h[i, 2]
        out[i, 0] += h0
        out[i, 1] += h1
        out[i, 2] += h2
        out[i, 3] += h[i, 3] + h2 * b1 - h1 * b2
        out[i, 4] += h[i, 4] + h0 * b2 - h2 * b0
        out[i, 5] += h[i, 5] + h1 * b0 - h0 * b1


@kernel
def add_held(
    corners: NDArray[np.int32],
    places: NDArray[np.float64],
    number: NDArray[np.int32],
    held: NDArray[np.uint8],
    centres: NDArray[np.float64],
    a: int,
    weight: float,
    k0: NDArray[np.float64],
    slot: NDArray[np.int64],
    motion: NDArray[np.float64],
    force: NDArray[np.float64],
    blocks: NDArray[np.float64],
) -> None:
    """Add an element at held nodes to the blocks of aggregate `a` and those from it on.

    `corners` (8,) of the element; `k0` (24, 24) its stiffness. `motion` (24, 6) and `force` (24, 6)
    are scratch.
    """
    motion[:] = 0.0
    force[:] = 0.0
    for p in range(8):
        n = corners[p]
        b = number[n]
        x, y, z = (
            places[n, 0] - centres[b, 0],
            places[n, 1] - centres[b, 1],
            places[n, 2] - centres[b, 2],
        )
        if not held[n] & 1:
            motion[3 * p, 0], motion[3 * p, 4], motion[3 * p, 5] = 1.0, z, -y
        if not held[n] & 2:
            motion[3 * p + 1, 1], motion[3 * p + 1, 3], motion[3 * p + 1, 5] = 1.0, -z, x
        if not held[n] & 4:
            motion[3 * p + 2, 2], motion[3 * p + 2, 3], motion[3 * p + 2, 4] = 1.0, y, -x
    for p in range(8):
        if number[corners[p]] != a:
            continue
        for i in range(3 * p, 3 * p + 3):
            for j in range(24):
                for r in range(6):
                    force[j, r] += k0[i, j] * motion[i, r]
    for p in range(8):
        b = number[corners[p]]
        if b < a:
            continue
        out = blocks[slot[b]]
        for j in range(3 * p, 3 * p + 3):
            for r in range(6):
                for s in range(6):
                    out[r, s] += weight * force[j, r] * motion[j, s]


@kernel
def assemble(
    level: tuple[NDArray[np.int32], NDArray[np.int16]],
    weight: NDArray[np.float32],
    places: NDArray[np.float64],
    start: NDArray[np.int32],
    incident: NDArray[np.int32],
    held: NDArray[np.uint8],
    aggregates: Aggregates,
    graph: Graph,
    table: NDArray[np.float64],
    k0: NDArray[np.float64],
    blocks: NDArray[np.float64],
) -> None:
    """Blocks of the upper half for the aggregates of nodes, at `places` (n, 3; x, y, z).

    `level` (corners, cells); `held` (n,): bits of the held components; `graph` of the aggregates.
    """
    corners, cells = level
    number, centres = aggregates.number, aggregates.centres
    slot = np.zeros(centres.shape[0], np.int64)
    done = np.full(corners.shape[0], -1, np.int32)
    power, owner = DIGITS ** np.arange(8), np.empty(8, np.int64)
    one, other, h = np.empty(3), np.empty(3), np.empty((6, 6))
    motion, force = np.empty((24, 6)), np.empty((24, 6))
    for a in range(centres.shape[0]):
        for i in range(graph.first[a], graph.first[a + 1]):
            slot[graph.columns[i]] = graph.place[i]
        for m in range(aggregates.start[a], aggregates.start[a + 1]):
            for i in range(start[aggregates.members[m]], start[aggregates.members[m] + 1]):
                e = incident[i]
                if done[e] == a:
                    continue
                done[e] = a
                code, touched = 0, False
                for p in range(8):
                    owner[p] = number[corners[e, p]]
                    touched = touched or held[corners[e, p]] != 0
                    if owner[p] == a:
                        code += power[p]
                w = np.float64(weight[e])
                if touched:
                    add_held(
                        corners[e],
                        places,
                        number,
                        held,
                        centres,
                        a,
                        w,
                        k0,
                        slot,
                        motion,
                        force,
                        blocks,
                    )
                    continue
                if code == WITHIN:
                    continue
                for c in range(3):
                    one[c] = cells[e, 2 - c] + 0.5 - centres[a, c]
                add_shifted(table[code], one, one, w, h, blocks[slot[a]])
                for p in range(8):
                    b = owner[p]
                    if b <= a:
                        continue
                    both = code
                    for q in range(p, 8):
                        if owner[q] == b:
                            both += 2 * power[q]
                            owner[q] = -1
                    for c in range(3):
                        other[c] = cells[e, 2 - c] + 0.5 - centres[b, c]
                    add_shifted(table[both], one, other, w, h, blocks[slot[b]])


@kernel
def coarsen(
    graph: Graph,
    blocks: NDArray[np.float64],
    centres: NDArray[np.float64],
    aggregates: Aggregates,
    coarse: Graph,
    coarse_blocks: NDArray[np.float64],
) -> None:
    """Blocks of the upper half for aggregates of rigid bodies at `centres`, whose blocks are known."""
    slot = np.zeros(aggregates.centres.shape[0], np.int64)
    one, other, h = np.empty(3), np.empty(3), np.empty((6, 6))
    for a in range(slot.size):
        for k in range(coarse.first[a], coarse.first[a + 1]):
            slot[coarse.columns[k]] = coarse.place[k]
        for m in range(aggregates.start[a], aggregates.start[a + 1]):
            i = aggregates.members[m]
            for c in range(3):
                one[c] = centres[i, c] - aggregates.centres[a, c]
            for k in range(graph.first[i], graph.first[i + 1]):
                j = graph.columns[k]
                b = aggregates.number[j]
                if b < a:
                    continue
                for c in range(3):
                    other[c] = centres[j, c] - aggregates.centres[b, c]
                block, out = blocks[graph.place[k]], coarse_blocks[slot[b]]
                if j < i:
                    add_shifted(block.T, one, other, 1.0, h, out)
                else:
                    add_shifted(block, one, other, 1.0, h, out)


def held_components(level: Level) -> NDArray[np.uint8]:
    """For each node the bits of the components that are held (x 1, y 2, z 4)."""
    stride = level.mesh.stride
    bits = np.zeros(3 * stride, np.uint8)
    bits[level.mesh.fixed] = 1
    x, y, z = bits.reshape(3, stride)[:, : len(level.places)]
    return x | y << 1 | z << 2


def of_nodes(
    level: Level, places: NDArray[np.float64], incidence: tuple[NDArray[np.int32], NDArray[np.int32]],
    aggregates: Aggregates, graph: Graph, poisson: float,
) -> NDArray[np.float64]:  # fmt: skip
    """Blocks (upper half, 6, 6) of aggregates of the finest level's nodes, at `places` (x, y, z)."""
    blocks = np.zeros((graph.blocks, 6, 6))
    assemble(
        (level.corners, level.cells), level.mesh.weight, places, *incidence, held_components(level),
        aggregates, graph, patterns(poisson), stiffness(poisson), blocks,
    )  # fmt: skip
    return blocks
