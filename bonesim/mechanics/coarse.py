"""The levels of aggregates, and the cycle on them.

Aggregates are stiffer than bone: a coarse correction is too small, the more so the more levels are
below. So each correction is lengthened, and a level is visited several times for each visit of the
level above (Braess 1995; Vassilevski 2008, "AMLI cycle" with a fixed polynomial). That costs little:
the finest has some fifty unknowns for each of a level's rows of six, and further levels are small. The
cycle is linear, symmetric and positive, as conjugate gradients need it.

All levels lie in the same arrays, one after the other; a row is six motions of an aggregate.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.mechanics.aggregates import Aggregates, Graph, aggregated, coarser_graph
from bonesim.mechanics.galerkin import coarsen
from bonesim.mechanics.scaling import dense, halves, invert, ladders, off_diagonal
from bonesim.mechanics.threads import in_parts, several

Floats = NDArray[np.float32]
#: Rows of the coarsest level, solved exactly.
COARSEST_ROWS = 12
#: Visits, and the factor of each one's correction, on the first level of aggregates and on those below.
#: By experiment on living bone (benchmarks). Below, a visit's correction is at most 1 times the exact
#: one; three times 1.45 of it 1.09 times; and 1.09 x 1.75 < 2: all that is needed to stay positive.
VISITS = np.array([2, 3])
LENGTHENED = np.array([1.75, 1.45], np.float32)
#: Steps of Lanczos's method for the largest eigenvalue; a step of Jacobi over 2 / what it finds. A
#: step would diverge at 1: the estimate may be too small by almost a third.
LANCZOS_STEPS = 10
JACOBI = 0.68
#: Rows from which a product is shared among threads.
SMALLEST_SHARED = 6000

#: Fields of `Coarse` that a solve writes.
VALUES = ("given", "b", "z", "total", "q")


class Coarse(NamedTuple):
    """Levels 0 (of the nodes' aggregates) to the coarsest, as kernels use them.

    `rows` (levels + 1,) first row of each level; scaled blocks off the diagonal in `first`,
    `columns`, `blocks`, each transposed; `parent` the aggregate's row above, `ladder` the motions
    of a row from its parent's; `factor` (levels,) of a step of Jacobi; `inverse` of the coarsest.
    The rest are values, six a row: residual given, that of the visit, correction of the visit, the
    sum of visits, product.
    """

    rows: NDArray[np.int64]
    first: NDArray[np.int64]
    columns: NDArray[np.int32]
    blocks: Floats
    parent: NDArray[np.int32]
    ladder: Floats
    factor: Floats
    inverse: Floats
    given: Floats
    b: Floats
    z: Floats
    total: Floats
    q: Floats


@kernel
def product(
    coarse: Coarse,
    level: int,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    part: int,
    parts: int,
) -> None:
    """Stiffness times `x` on a part of a level's rows, into `y`."""
    low, high = coarse.rows[level], coarse.rows[level + 1]
    for row in range(low + part * (high - low) // parts, low + (part + 1) * (high - low) // parts):
        o = 6 * row
        y0, y1, y2, y3, y4, y5 = x[o], x[o + 1], x[o + 2], x[o + 3], x[o + 4], x[o + 5]
        for t in range(coarse.first[row], coarse.first[row + 1]):
            block, i = coarse.blocks[t], 6 * coarse.columns[t]
            for k in range(6):
                v = x[i + k]
                y0 += block[k, 0] * v
                y1 += block[k, 1] * v
                y2 += block[k, 2] * v
                y3 += block[k, 3] * v
                y4 += block[k, 4] * v
                y5 += block[k, 5] * v
        y[o], y[o + 1], y[o + 2], y[o + 3], y[o + 4], y[o + 5] = y0, y1, y2, y3, y4, y5


@kernel
def jacobi(coarse: Coarse, level: int, first: bool) -> None:
    """A step of Jacobi: from zero at `first`, else for the visit's residual less the product."""
    factor = coarse.factor[level]
    for i in range(6 * coarse.rows[level], 6 * coarse.rows[level + 1]):
        if first:
            coarse.z[i] = factor * coarse.b[i]
        else:
            coarse.z[i] += factor * (coarse.b[i] - coarse.q[i])


@kernel
def descend(coarse: Coarse, level: int) -> None:
    """Restrict what is left of a visit's residual to the next level."""
    coarse.given[6 * coarse.rows[level + 1] : 6 * coarse.rows[level + 2]] = 0.0
    for row in range(coarse.rows[level], coarse.rows[level + 1]):
        ladder, o = coarse.ladder[row], 6 * coarse.parent[row]
        for i in range(6):
            left = coarse.b[6 * row + i] - coarse.q[6 * row + i]
            for k in range(6):
                coarse.given[o + k] += ladder[i, k] * left


@kernel
def ascend(coarse: Coarse, level: int) -> None:
    """Add the next level's correction."""
    for row in range(coarse.rows[level], coarse.rows[level + 1]):
        ladder, o = coarse.ladder[row], 6 * coarse.parent[row]
        for i in range(6):
            value = np.float32(0.0)
            for k in range(6):
                value += ladder[i, k] * coarse.total[o + k]
            coarse.z[6 * row + i] += value


@kernel
def begin_visit(coarse: Coarse, level: int, first: bool) -> None:
    """The residual of a visit: as given at the `first`, else less the product."""
    for i in range(6 * coarse.rows[level], 6 * coarse.rows[level + 1]):
        if first:
            coarse.total[i] = 0.0
            coarse.b[i] = coarse.given[i]
        else:
            coarse.b[i] = coarse.given[i] - coarse.q[i]


@kernel
def end_visit(coarse: Coarse, level: int, lengthened: np.float32) -> None:
    """Add the visit's correction, lengthened."""
    for i in range(6 * coarse.rows[level], 6 * coarse.rows[level + 1]):
        coarse.total[i] += lengthened * coarse.z[i]


@kernel
def solve_coarsest(coarse: Coarse, level: int) -> None:
    """The exact correction."""
    low = 6 * coarse.rows[level]
    if coarse.inverse.shape[0] == 0:
        coarse.total[low : 6 * coarse.rows[level + 1]] = coarse.given[
            low : 6 * coarse.rows[level + 1]
        ]
    for i in range(coarse.inverse.shape[0]):
        value = np.float32(0.0)
        for k in range(coarse.inverse.shape[0]):
            value += coarse.inverse[i, k] * coarse.given[low + k]
        coarse.total[low + i] = value


@kernel
def approach(
    coarse: Coarse, level: int, visits: NDArray[np.int64], lengthened: NDArray[np.float32]
) -> None:
    """The correction (`total`) for a level's residual (`given`), on this thread."""
    if level == coarse.rows.size - 2:
        solve_coarsest(coarse, level)
        return
    kind = min(level, 1)
    for visit in range(visits[kind]):
        if visit > 0:
            product(coarse, level, coarse.total, coarse.q, 0, 1)
        begin_visit(coarse, level, visit == 0)
        jacobi(coarse, level, True)
        product(coarse, level, coarse.z, coarse.q, 0, 1)
        descend(coarse, level)
        approach(coarse, level + 1, visits, lengthened)
        ascend(coarse, level)
        product(coarse, level, coarse.z, coarse.q, 0, 1)
        jacobi(coarse, level, False)
        end_visit(coarse, level, lengthened[kind])


def approach_shared(coarse: Coarse) -> None:
    """As `approach` on level 0, its products on threads, bit for bit."""
    for visit in range(VISITS[0]):
        if visit > 0:
            in_parts(product, coarse, 0, coarse.total, coarse.q)
        begin_visit(coarse, 0, visit == 0)
        jacobi(coarse, 0, True)
        in_parts(product, coarse, 0, coarse.z, coarse.q)
        descend(coarse, 0)
        approach(coarse, 1, VISITS, LENGTHENED)
        ascend(coarse, 0)
        in_parts(product, coarse, 0, coarse.z, coarse.q)
        jacobi(coarse, 0, False)
        end_visit(coarse, 0, LENGTHENED[0])


def correct(coarse: Coarse) -> None:
    """One cycle: the correction of level 0 (`total`) for its residual (`given`)."""
    if coarse.rows[1] >= SMALLEST_SHARED and coarse.rows.size > 2 and several():
        approach_shared(coarse)
    else:
        approach(coarse, 0, VISITS, LENGTHENED)


@kernel
def lanczos(
    coarse: Coarse, level: int, alphas: NDArray[np.float64], betas: NDArray[np.float64]
) -> int:
    """Lanczos's tridiagonal matrix of a level, from a fixed start; returns its size."""
    low, high = 6 * coarse.rows[level], 6 * coarse.rows[level + 1]
    x, y, old = coarse.z, coarse.q, coarse.b
    square = 0.0
    for i in range(low, high):
        x[i] = np.float32(((i - low) * 2654435761 % 4294967296) / 4294967296.0 - 0.5)
        old[i] = 0.0
        square += np.float64(x[i]) ** 2
    beta = 0.0
    for k in range(alphas.size):
        length = np.sqrt(square)
        if length <= 1e-6:
            return k
        for i in range(low, high):
            x[i] = np.float32(x[i] / length)
        product(coarse, level, x, y, 0, 1)
        alpha = 0.0
        for i in range(low, high):
            alpha += np.float64(x[i]) * np.float64(y[i])
        square = 0.0
        for i in range(low, high):
            new = np.float32(y[i] - alpha * x[i] - beta * old[i])
            old[i] = x[i]
            x[i] = new
            square += np.float64(new) ** 2
        alphas[k], beta = alpha, np.sqrt(square)
        betas[k] = beta
    return alphas.size


def largest_eigenvalue(coarse: Coarse, level: int) -> float:
    """Of a level's scaled stiffness; an estimate from below."""
    alphas, betas = np.zeros(LANCZOS_STEPS), np.zeros(LANCZOS_STEPS)
    size = lanczos(coarse, level, alphas, betas)
    between = betas[: size - 1]
    matrix = np.diag(alphas[:size]) + np.diag(between, 1) + np.diag(between, -1)
    return float(np.linalg.eigvalsh(matrix)[-1])


def _levels(
    graph: Graph, centres: NDArray[np.float64]
) -> tuple[list[Graph], list[NDArray[np.float64]], list[Aggregates]]:
    """Graph and centres of each level, and the aggregates between one and the next."""
    graphs, places = [graph], [centres]
    between: list[Aggregates] = []
    while len(places[-1]) > COARSEST_ROWS and graphs[-1].columns.size > len(places[-1]):
        between.append(aggregated(graphs[-1], places[-1]))
        graphs.append(coarser_graph(graphs[-1], between[-1]))
        places.append(between[-1].centres)
    return graphs, places, between


def _empty(graphs: list[Graph], coarsest: Floats) -> Coarse:
    """Space for levels of these graphs."""
    counts = [graph.first.size - 1 for graph in graphs]
    entries = sum(graph.columns.size for graph in graphs[:-1]) - sum(counts[:-1])
    rows = np.concatenate([[0], np.cumsum(counts)])
    values = [np.zeros(6 * rows[-1], np.float32) for _ in range(5)]
    return Coarse(
        rows, np.full(rows[-1] + 1, entries), np.empty(entries, np.int32),
        np.empty((entries, 6, 6), np.float32), np.empty(rows[-2], np.int32),
        np.empty((rows[-2], 6, 6), np.float32), np.zeros(len(counts), np.float32), coarsest, *values,
    )  # fmt: skip


def make_coarse(
    graph: Graph, blocks: NDArray[np.float64], centres: NDArray[np.float64]
) -> tuple[Coarse, Floats]:
    """All levels from the blocks of the first; and the scale of its motions (n, 6, 6): L^-1."""
    graphs, places, between = _levels(graph, centres)
    coarse = _empty(graphs, np.zeros((0, 0), np.float32))
    size, entries = np.zeros(len(centres)), 0
    down, up = np.empty((2, len(centres), 6, 6))
    halves(graph, blocks, size, down, up)
    scale = down.astype(np.float32)
    for level, groups in enumerate(between):
        low, high = coarse.rows[level], coarse.rows[level + 1]
        end = entries + graphs[level].columns.size - len(places[level])
        starts = coarse.first[low : high + 1]
        off_diagonal(
            graphs[level], blocks, down, low, starts, coarse.columns[entries:end],
            coarse.blocks[entries:end],
        )  # fmt: skip
        starts += entries
        entries = end
        below = np.zeros((graphs[level + 1].blocks, 6, 6))
        coarsen(graphs[level], blocks, places[level], groups, graphs[level + 1], below)
        blocks, upper = below, up
        sizes = np.zeros(len(groups.centres))
        np.maximum.at(sizes, groups.number, size)
        size = sizes
        down, up = np.empty((2, len(size), 6, 6))
        halves(graphs[level + 1], blocks, size, down, up)
        ladders(upper, places[level], groups, down, coarse.ladder[low:high])
        coarse.parent[low:high] = high + groups.number
        coarse.factor[level] = 2.0 * JACOBI / largest_eigenvalue(coarse, level)
    return coarse._replace(inverse=_inverse(graphs[-1], blocks, down)), scale


def _inverse(graph: Graph, blocks: NDArray[np.float64], down: NDArray[np.float64]) -> Floats:
    """Of the coarsest level; empty if nothing in it is coupled: then its residual is its answer."""
    count = len(down)
    if graph.columns.size == count:
        return np.zeros((0, 0), np.float32)
    matrix, inverse = np.zeros((2, 6 * count, 6 * count))
    dense(graph, blocks, down, matrix)
    invert(matrix, inverse)
    return inverse.astype(np.float32)
