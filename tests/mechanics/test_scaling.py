"""Scaled blocks and generalised inverses against dense matrices."""

import numpy as np
import pytest

from bonesim.mechanics.aggregates import Graph, aggregated, coarser_graph
from bonesim.mechanics.galerkin import coarsen, of_nodes, rigid_motion
from bonesim.mechanics.mesh import finest
from bonesim.mechanics.scaling import dense, halves, invert, ladders, off_diagonal, scale
from tests.mechanics.structures import (
    DIAGONAL,
    POISSON,
    bodies_of_bodies,
    clamped,
    grouped,
    incidence,
    random_weight,
    whole,
)


def block_diagonal(blocks: np.ndarray) -> np.ndarray:
    matrix = np.zeros((6 * len(blocks),) * 2)
    for a, block in enumerate(blocks):
        matrix[6 * a : 6 * a + 6, 6 * a : 6 * a + 6] = block
    return matrix


def halved(graph, blocks):  # type: ignore[no-untyped-def]
    down, up = np.full((2, graph.first.size - 1, 6, 6), 9.0)
    halves(graph, blocks, np.zeros(len(down)), down, up)
    return down, up


def sample(shape: tuple[int, int, int] = (6, 6, 6)):  # type: ignore[no-untyped-def]
    """With single nodes, rows of nodes, and bodies that are held."""
    level = finest(random_weight(shape, 3, 0.4), clamped(), DIAGONAL)
    groups, graph = grouped(level)
    places = level.places[:, ::-1].astype(float)
    return groups, graph, of_nodes(level, places, incidence(level), groups, graph, POISSON)


def test_motions_are_orthonormal_in_energy_where_they_cost_any() -> None:
    _, graph, blocks = sample()
    down, up = halved(graph, blocks)
    matrix = whole(graph, blocks)
    for a in range(len(down)):
        block = matrix[6 * a : 6 * a + 6, 6 * a : 6 * a + 6]
        kept = np.diag(up[a]) > 0
        assert kept.sum() == np.linalg.matrix_rank(
            block, tol=1e-8 * max(1e-300, np.abs(block).max())
        )
        np.testing.assert_allclose(
            down[a] @ block @ down[a].T, np.diag(kept.astype(float)), atol=1e-7
        )
        np.testing.assert_allclose(up[a].T @ up[a], block, atol=1e-7)
        assert not np.triu(down[a], 1).any()


def test_motions_that_cost_nothing_are_left_out() -> None:
    """Of bodies of few nodes, or held; whichever way they lie."""
    rng = np.random.default_rng(4)
    graph = Graph(np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.int32))
    for arms, rank in ((0, 0), (1, 3), (2, 5), (3, 6)):
        motion = rigid_motion(rng.normal(size=(arms, 3))).reshape(-1, 6)
        block = 3.7e4 * motion.T @ motion
        down, up = halved(graph, block[None])
        kept = np.diag(up[0]) > 0
        assert kept.sum() == rank
        np.testing.assert_array_equal(kept, np.diag(down[0]) > 0)
        np.testing.assert_allclose(
            down[0] @ block @ down[0].T, np.diag(kept.astype(float)), atol=1e-7
        )
        np.testing.assert_allclose(up[0].T @ up[0], block, atol=1e-4)


def test_the_scaled_matrix() -> None:
    _, graph, blocks = sample()
    down, _ = halved(graph, blocks)
    scaled = block_diagonal(down)
    expected = scaled @ whole(graph, blocks) @ scaled.T
    made = np.zeros_like(expected)
    dense(graph, blocks, down, made)
    np.testing.assert_allclose(made, expected, atol=1e-9)

    count, off = len(down), graph.columns.size - len(down)
    first, columns = np.empty(count + 1, np.int64), np.empty(off, np.int32)
    parts = np.empty((off, 6, 6), np.float32)
    off_diagonal(graph, blocks, down, 7, first, columns, parts)
    assert first[-1] == off
    rest = expected - block_diagonal(
        [expected[6 * a : 6 * a + 6, 6 * a : 6 * a + 6] for a in range(count)]
    )
    for a in range(count):
        for k in range(first[a], first[a + 1]):
            b = columns[k] - 7
            here = slice(6 * a, 6 * a + 6), slice(6 * b, 6 * b + 6)
            np.testing.assert_allclose(parts[k].T, rest[here], atol=1e-6)
            rest[here] = 0.0
    assert np.abs(rest).max() < 1e-9, "nothing is left out"


def test_a_scaled_block_is_transposed() -> None:
    rng = np.random.default_rng(1)
    block, left, right = rng.normal(size=(3, 6, 6))
    left, right = np.tril(left), np.tril(right)
    out = np.empty((6, 6))
    for turned in (False, True):
        scale(block, turned, left, right, np.empty((6, 6)), out)
        np.testing.assert_allclose(out.T, left @ (block.T if turned else block) @ right.T)


def test_ladders_join_scaled_motions() -> None:
    groups, graph, blocks = sample()
    again = aggregated(graph, groups.centres)
    below = coarser_graph(graph, again)
    coarse = np.zeros((below.blocks, 6, 6))
    coarsen(graph, blocks, groups.centres, again, below, coarse)
    (_, up), (down, _) = halved(graph, blocks), halved(below, coarse)
    made = np.empty((len(up), 6, 6), np.float32)
    ladders(up, groups.centres, again, down, made)
    expected = block_diagonal(up) @ bodies_of_bodies(groups.centres, again) @ block_diagonal(down).T
    for n, ladder in enumerate(made):
        a = again.number[n]
        here = slice(6 * n, 6 * n + 6), slice(6 * a, 6 * a + 6)
        np.testing.assert_allclose(ladder, expected[here], rtol=1e-5, atol=1e-5)
        expected[here] = 0.0
    assert not expected.any()


@pytest.mark.parametrize(("n", "rank"), [(1, 1), (6, 6), (9, 5), (30, 24)])
def test_inverse_of_matrices_with_and_without_rigid_motion(n: int, rank: int) -> None:
    half = np.random.default_rng(1).normal(size=(n, rank))
    matrix = half @ half.T
    inverse = np.zeros((n, n))
    invert(matrix.copy(), inverse)
    np.testing.assert_allclose(matrix @ inverse @ matrix, matrix, atol=1e-7)
    np.testing.assert_allclose(inverse, inverse.T, atol=1e-6 * np.abs(inverse).max())
    if n == rank:
        np.testing.assert_allclose(inverse, np.linalg.inv(matrix), rtol=1e-6, atol=1e-9)
    else:
        kept = np.flatnonzero(np.diag(inverse))
        assert kept.size == rank
        part = np.ix_(kept, kept)
        np.testing.assert_allclose(inverse[part], np.linalg.inv(matrix[part]), rtol=1e-5)


def test_rounding_is_not_energy() -> None:
    """Of a whole that nothing holds only rounding is left in its own block."""
    graph = Graph(np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.int32))
    half = np.random.default_rng(1).normal(size=(6, 6))
    block = 1e-13 * half @ half.T
    down, up = np.empty((2, 1, 6, 6))
    size = np.array([100.0])
    halves(graph, block[None], size, down, up)
    assert not down.any()
    assert not up.any()
    assert size[0] == 100.0
    halves(graph, 1e17 * block[None], size, down, up)
    assert down.any(axis=2).all()
    assert size[0] == 1e17 * np.diag(block).max()
