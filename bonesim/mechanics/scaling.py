"""Six motions of each aggregate made orthonormal in its own energy.

With the diagonal block D = L L', motions L'^-1 e have unit stiffness. In them the coarse matrix has
a unit diagonal, so that a step of (block) Jacobi is the residual itself, single precision is safe, and
translations and rotations have one unit. A motion that costs no energy (all its nodes held, too few
nodes to turn, or a whole that nothing holds) has no pivot. It is left out: its row is 0.
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.lattice.indices import Floats
from bonesim.mechanics.aggregates import Aggregates, Graph

#: A pivot below this share of its diagonal counts as zero.
MIN_PIVOT_RATIO = 1e-9
#: So does one below this share of what the members of an aggregate resist: rounding leaves less.
MIN_ENERGY_RATIO = 1e-11


@kernel
def halves(
    graph: Graph,
    blocks: NDArray[np.float64],
    size: NDArray[np.float64],
    down: NDArray[np.float64],
    up: NDArray[np.float64],
) -> None:
    """L' of each diagonal block, into `up`, and L^-1, into `down` (n, 6, 6).

    `size` (n,): the largest stiffness among members of the aggregate; raised to its own.
    """
    m = np.empty((6, 6))
    for a in range(down.shape[0]):
        for k in range(graph.first[a], graph.first[a + 1]):
            if graph.columns[k] == a:
                m[:] = blocks[graph.place[k]]
        for j in range(6):
            size[a] = max(size[a], m[j, j])
        down[a] = 0.0
        up[a] = 0.0
        for j in range(6):
            start = m[j, j]
            for k in range(j):
                m[j, j] -= m[j, k] * m[j, k]
            if m[j, j] <= max(MIN_PIVOT_RATIO * start, MIN_ENERGY_RATIO * size[a]):
                m[j:, j] = 0.0
                continue
            m[j, j] = np.sqrt(m[j, j])
            for i in range(j + 1, 6):
                for k in range(j):
                    m[i, j] -= m[i, k] * m[j, k]
                m[i, j] /= m[j, j]
        for j in range(6):
            if m[j, j] == 0.0:
                continue
            for i in range(j, 6):
                up[a, j, i] = m[i, j]
                if m[i, i] > 0.0:
                    total = 1.0 if i == j else 0.0
                    for k in range(j, i):
                        total -= m[i, k] * down[a, k, j]
                    down[a, i, j] = total / m[i, i]


@kernel
def scale(
    block: NDArray[np.float64],
    turned: bool,
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    h: NDArray[np.float64],
    out: Floats,
) -> None:
    """left block right', transposed, into `out`; `left` and `right` lower triangles, `h` scratch."""
    for i in range(6):
        for j in range(6):
            total = 0.0
            for k in range(j + 1):
                total += (block[k, i] if turned else block[i, k]) * right[j, k]
            h[i, j] = total
    for i in range(6):
        for j in range(6):
            total = 0.0
            for k in range(i + 1):
                total += left[i, k] * h[k, j]
            out[j, i] = total


@kernel
def off_diagonal(
    graph: Graph,
    blocks: NDArray[np.float64],
    down: NDArray[np.float64],
    offset: int,
    first: NDArray[np.int64],
    columns: NDArray[np.int32],
    scaled: NDArray[np.float32],
) -> None:
    """Scaled blocks off the diagonal, row by row, each transposed; `columns` begin at `offset`."""
    h = np.empty((6, 6))
    count = 0
    for a in range(down.shape[0]):
        first[a] = count
        for k in range(graph.first[a], graph.first[a + 1]):
            b = graph.columns[k]
            if b != a:
                scale(blocks[graph.place[k]], b < a, down[a], down[b], h, scaled[count])
                columns[count] = offset + b
                count += 1
    first[down.shape[0]] = count


@kernel
def dense(
    graph: Graph, blocks: NDArray[np.float64], down: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """The whole scaled matrix (6 n, 6 n), into `out`, which is 0."""
    h, one = np.empty((6, 6)), np.empty((6, 6))
    for a in range(down.shape[0]):
        for k in range(graph.first[a], graph.first[a + 1]):
            b = graph.columns[k]
            scale(blocks[graph.place[k]], b < a, down[a], down[b], h, one)
            out[6 * a : 6 * a + 6, 6 * b : 6 * b + 6] = one.T


@kernel
def ladders(
    up: NDArray[np.float64],
    centres: NDArray[np.float64],
    aggregates: Aggregates,
    down_above: NDArray[np.float64],
    out: NDArray[np.float32],
) -> None:
    """From the scaled motions of an aggregate to those of its members: (n, 6, 6), into `out`."""
    h = np.empty((6, 6))
    for n in range(up.shape[0]):
        a = aggregates.number[n]
        x = centres[n, 0] - aggregates.centres[a, 0]
        y = centres[n, 1] - aggregates.centres[a, 1]
        z = centres[n, 2] - aggregates.centres[a, 2]
        h[:] = up[n]
        for i in range(6):
            h[i, 3] += h[i, 2] * y - h[i, 1] * z
            h[i, 4] += h[i, 0] * z - h[i, 2] * x
            h[i, 5] += h[i, 1] * x - h[i, 0] * y
        for i in range(6):
            for j in range(6):
                total = 0.0
                for k in range(j + 1):
                    total += h[i, k] * down_above[a, j, k]
                out[n, i, j] = total


@kernel
def invert(matrix: NDArray[np.float64], inverse: NDArray[np.float64]) -> None:
    """A generalised inverse of a positive semi-definite matrix, which is overwritten.

    Factors L D L'. What nothing holds has no pivot; it is left at 0, which solves any load in
    balance. Written out because a threaded library's bits depend on the number of threads.
    """
    n = matrix.shape[0]
    start = np.diag(matrix).copy()
    for j in range(n):
        if matrix[j, j] <= MIN_PIVOT_RATIO * start[j]:
            matrix[j, j] = 0.0
            matrix[j + 1 :, j] = 0.0
            continue
        for i in range(j + 1, n):
            factor = matrix[i, j] / matrix[j, j]
            if factor != 0.0:
                for k in range(j + 1, i + 1):
                    matrix[i, k] -= factor * matrix[k, j]
        for i in range(j + 1, n):
            matrix[i, j] /= matrix[j, j]
    for column in range(n):
        x = inverse[column]
        x[column] = 1.0 if matrix[column, column] > 0.0 else 0.0
        for i in range(column + 1, n):
            if matrix[i, i] > 0.0:
                for k in range(column, i):
                    x[i] -= matrix[i, k] * x[k]
        for i in range(column, n):
            if matrix[i, i] > 0.0:
                x[i] /= matrix[i, i]
        for i in range(n - 1, -1, -1):
            for k in range(i + 1, n):
                x[i] -= matrix[k, i] * x[k]
            if matrix[i, i] == 0.0:
                x[i] = 0.0
