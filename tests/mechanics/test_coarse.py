"""The cycle on rigid bodies against matrices."""

import numba
import numpy as np
import pytest

from bonesim.mechanics import coarse as coarse_levels
from bonesim.mechanics.coarse import (
    LENGTHENED,
    VISITS,
    Coarse,
    approach,
    ascend,
    begin_visit,
    correct,
    descend,
    end_visit,
    jacobi,
    lanczos,
    largest_eigenvalue,
    make_coarse,
    product,
    solve_coarsest,
)
from bonesim.mechanics.galerkin import of_nodes
from bonesim.mechanics.mesh import finest
from tests.mechanics.structures import (
    DIAGONAL,
    FREE,
    POISSON,
    clamped,
    grouped,
    incidence,
    plates,
    random_weight,
    whole,
)


@pytest.fixture(autouse=True)
def _many_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small structures have several levels."""
    monkeypatch.setattr(coarse_levels, "COARSEST_ROWS", 3)


def made(weight: np.ndarray, held: np.ndarray) -> tuple[Coarse, np.ndarray, np.ndarray]:
    """Levels, the first one's stiffness, and the scale of its motions."""
    level = finest(weight, held, DIAGONAL)
    groups, graph = grouped(level)
    places = level.places[:, ::-1].astype(float)
    blocks = of_nodes(level, places, incidence(level), groups, graph, POISSON)
    coarse, scale = make_coarse(graph, blocks, groups.centres)
    return coarse, whole(graph, blocks), scale


def sample(held: np.ndarray | None = None) -> Coarse:
    return made(random_weight((14, 14, 14), 3, 0.7), clamped() if held is None else held)[0]


def span(coarse: Coarse, level: int) -> slice:
    return slice(6 * coarse.rows[level], 6 * coarse.rows[level + 1])


def matrix_of(coarse: Coarse, level: int) -> np.ndarray:
    """A level's scaled stiffness from its blocks."""
    low, count = coarse.rows[level], coarse.rows[level + 1] - coarse.rows[level]
    matrix = np.eye(6 * count)
    for a in range(count):
        for k in range(coarse.first[low + a], coarse.first[low + a + 1]):
            b = coarse.columns[k] - low
            matrix[6 * a : 6 * a + 6, 6 * b : 6 * b + 6] = coarse.blocks[k].T
    return matrix


def ladder_of(coarse: Coarse, level: int) -> np.ndarray:
    low, middle, high = coarse.rows[level : level + 3]
    matrix = np.zeros((6 * (middle - low), 6 * (high - middle)))
    for n in range(low, middle):
        a = coarse.parent[n] - middle
        matrix[6 * (n - low) : 6 * (n - low) + 6, 6 * a : 6 * a + 6] = coarse.ladder[n]
    return matrix


def fill(coarse: Coarse, seed: int = 1) -> None:
    rng = np.random.default_rng(seed)
    for vector in (coarse.given, coarse.b, coarse.z, coarse.total, coarse.q):
        vector[:] = rng.normal(size=vector.size)


def cycle_of(coarse: Coarse, level: int) -> np.ndarray:
    """The whole cycle as a matrix."""
    if level == coarse.rows.size - 2:
        return coarse.inverse.astype(float) if coarse.inverse.size else np.eye(6)
    stiff, ladder = matrix_of(coarse, level), ladder_of(coarse, level)
    one, step = np.eye(len(stiff)), float(coarse.factor[level])
    smoothed = one - step * stiff
    left = smoothed @ (one - ladder @ cycle_of(coarse, level + 1) @ ladder.T @ stiff) @ smoothed
    visit = LENGTHENED[min(level, 1)] * (one - left)
    left = np.linalg.matrix_power(one - visit, VISITS[min(level, 1)])
    return (one - left) @ np.linalg.inv(stiff)


def test_kernels_are_matrices_and_vectors() -> None:
    coarse = sample()
    assert coarse.rows.size > 3
    for level in range(coarse.rows.size - 2):
        here, below = span(coarse, level), span(coarse, level + 1)
        stiff, ladder = matrix_of(coarse, level), ladder_of(coarse, level)
        fill(coarse)
        for part in range(3):
            product(coarse, level, coarse.z, coarse.q, part, 3)
        np.testing.assert_allclose(coarse.q[here], stiff @ coarse.z[here], atol=1e-4)
        before = coarse.z[here].copy()
        left = coarse.b[here] - coarse.q[here]
        descend(coarse, level)
        np.testing.assert_allclose(coarse.given[below], ladder.T @ left, atol=1e-3)
        ascend(coarse, level)
        np.testing.assert_allclose(coarse.z[here], before + ladder @ coarse.total[below], atol=1e-4)
        before = coarse.z[here].copy()
        jacobi(coarse, level, False)
        np.testing.assert_allclose(coarse.z[here], before + coarse.factor[level] * left, atol=1e-5)
        jacobi(coarse, level, True)
        np.testing.assert_allclose(coarse.z[here], coarse.factor[level] * coarse.b[here], atol=1e-5)
        before = coarse.total[here].copy()
        end_visit(coarse, level, np.float32(1.5))
        np.testing.assert_allclose(coarse.total[here], before + 1.5 * coarse.z[here], atol=1e-5)
        begin_visit(coarse, level, False)
        np.testing.assert_array_equal(coarse.b[here], coarse.given[here] - coarse.q[here])
        begin_visit(coarse, level, True)
        np.testing.assert_array_equal(coarse.b[here], coarse.given[here])
        assert not coarse.total[here].any()


def test_the_coarsest_level_is_solved_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coarse_levels, "COARSEST_ROWS", 12)
    coarse = sample()
    last = coarse.rows.size - 2
    here = span(coarse, last)
    assert 12 < coarse.inverse.shape[0] == here.stop - here.start
    fill(coarse)
    solve_coarsest(coarse, last)
    np.testing.assert_allclose(coarse.total[here], coarse.inverse @ coarse.given[here], atol=1e-4)


def test_the_cycle_is_that_of_matrices_symmetric_and_positive() -> None:
    coarse = sample()
    expected = cycle_of(coarse, 0)
    fill(coarse)
    here = span(coarse, 0)
    given = coarse.given[here].astype(float)
    approach(coarse, 0, VISITS, LENGTHENED)
    answer = expected @ given
    np.testing.assert_allclose(coarse.total[here], answer, atol=2e-3 * np.abs(answer).max())
    np.testing.assert_allclose(expected, expected.T, atol=1e-4 * np.abs(expected).max())
    half = np.linalg.cholesky(matrix_of(coarse, 0))
    spread = np.linalg.eigvalsh(half.T @ expected @ half)
    assert spread.min() > 0.3
    assert spread.max() < 1.01


@pytest.mark.parametrize("share", [0.35, 0.5, 0.7, 1.1])
@pytest.mark.parametrize("held", [FREE, clamped()], ids=["free", "clamped"])
def test_it_is_positive_on_any_bone(share: float, held: np.ndarray) -> None:
    """Also without any constraint, with hinges, and in pieces."""
    for seed in range(3):
        coarse, stiff, scale = made(random_weight((13, 11, 12), seed, share), held)
        here = span(coarse, 0)
        turn = np.zeros_like(stiff)
        for a, block in enumerate(scale):
            turn[6 * a : 6 * a + 6, 6 * a : 6 * a + 6] = block
        scaled = turn @ stiff @ turn.T
        rng = np.random.default_rng(seed)
        answers, loads = [], []
        for _ in range(2):
            load = scaled @ rng.normal(size=len(scaled))
            fill(coarse)
            coarse.given[here] = load
            correct(coarse)
            answers.append(coarse.total[here].astype(float))
            loads.append(load)
        one, other = loads[0] @ answers[1], loads[1] @ answers[0]
        sizes = [load @ answer for load, answer in zip(loads, answers, strict=True)]
        assert min(sizes) > 0
        assert one == pytest.approx(other, abs=1e-3 * np.sqrt(sizes[0] * sizes[1]))
        for load, answer in zip(loads, answers, strict=True):
            assert answer @ scaled @ answer < 2.0 * load @ answer


def test_the_largest_eigenvalue_is_found() -> None:
    coarse = sample()
    for level in range(coarse.rows.size - 2):
        exact = np.linalg.eigvalsh(matrix_of(coarse, level))[-1]
        assert 0.9 * exact < largest_eigenvalue(coarse, level) < 1.0001 * exact
        again = np.zeros((2, 5))
        assert lanczos(coarse, level, *again) == 5
        assert 0.0 < again[0].max() < 1.0001 * exact


def test_bodies_that_nothing_couples_are_their_own_answer() -> None:
    weight = np.zeros((5, 12, 12), np.float32)
    weight[:, ::2, ::2] = 1.0
    coarse, _, _ = made(weight, clamped())
    assert coarse.inverse.size == 0
    assert coarse.rows[-1] - coarse.rows[-2] == 36
    last = coarse.rows.size - 2
    fill(coarse)
    solve_coarsest(coarse, last)
    np.testing.assert_array_equal(
        coarse.total[span(coarse, last)], coarse.given[span(coarse, last)]
    )


def test_threads_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coarse_levels, "SMALLEST_SHARED", 10)
    for weight in (random_weight((14, 14, 14), 3, 0.7), plates(1, 9)):
        coarse, _, _ = made(weight, clamped())
        answers = []
        for threads in (1, 2, 4):
            monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
            fill(coarse)
            correct(coarse)
            answers.append(coarse.total[span(coarse, 0)].copy())
        np.testing.assert_array_equal(answers[0], answers[1])
        np.testing.assert_array_equal(answers[0], answers[2])
