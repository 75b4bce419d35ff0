"""The V-cycle against matrices, and what conjugate gradients need of it."""

import numba
import numpy as np
import pytest

from bonesim.mechanics import mesh as meshes
from bonesim.mechanics import multigrid
from bonesim.mechanics.coarsening import coarser
from bonesim.mechanics.element import max_eigenvalue_ratio, mode_stiffness
from bonesim.mechanics.mesh import Level, finest
from bonesim.mechanics.multigrid import Hierarchy, ascend, descend, invert
from bonesim.mechanics.smoothing import steps
from tests.mechanics.structures import (
    DIAGONAL,
    FREE,
    POISSON,
    assembled,
    clamped,
    interpolation,
    plates,
    random_nodal,
    random_weight,
)

K0 = mode_stiffness(POISSON).astype(np.float32)
STEPS = steps(3, max_eigenvalue_ratio(POISSON))


def loose(level: Level, seed: int) -> np.ndarray:
    """Single-precision values, 0 where held."""
    u = random_nodal(level, seed, np.float32)
    u[level.mesh.fixed] = 0.0
    return u


def smoothed(level: Level, residual: np.ndarray) -> np.ndarray:
    """Displacement after all steps for a residual, with matrices."""
    matrix = assembled(level)
    inverse = np.zeros((3, level.mesh.stride))
    inverse[:, : len(level.places)] = level.mesh.inverse
    d, z = np.zeros(residual.size), np.zeros(residual.size)
    for keep, new, weight in STEPS.astype(float):
        residual = residual - matrix @ d
        d = keep * d + new * inverse.ravel() * residual
        z = z + weight * d
    return z


@pytest.mark.parametrize("held", [FREE, clamped()], ids=["free", "clamped"])
@pytest.mark.parametrize("weight", [random_weight((5, 4, 6), 3), plates(1, 6)], ids=["any", "two"])
def test_down_and_up_are_smoothing_and_transfer(weight: np.ndarray, held: np.ndarray) -> None:
    fine = finest(weight, held, DIAGONAL)
    coarse, transfer = coarser(fine, held, DIAGONAL)
    matrix = interpolation(fine, coarse, transfer)
    stiff = assembled(fine)
    given = loose(fine, 1)
    residual, d, z, change, left = given.copy(), *(loose(fine, seed) for seed in (2, 3, 4, 5))
    below = loose(coarse, 6)
    expected_z = smoothed(fine, given.astype(float))
    expected_left = given - stiff @ expected_z
    expected = matrix.T @ expected_left
    expected[coarse.mesh.fixed] = 0.0
    descend(residual, fine.mesh, transfer, coarse.mesh, K0, STEPS, d, change, z, left, below)
    np.testing.assert_allclose(z, expected_z, atol=1e-4)
    np.testing.assert_allclose(left, expected_left, atol=1e-4)
    np.testing.assert_allclose(below, expected, atol=3e-4)

    correction = loose(coarse, 7)
    corrected = matrix @ correction
    corrected[fine.mesh.fixed] = 0.0
    corrected += expected_z
    expected_z = corrected + smoothed(fine, given - stiff @ corrected)
    ascend(left, fine.mesh, transfer, coarse.mesh, K0, STEPS, d, change, z, correction)
    np.testing.assert_allclose(z, expected_z, atol=3e-4)
    assert not z[fine.mesh.fixed].any()


def test_inverse_of_matrices_with_and_without_rigid_motion() -> None:
    rng = np.random.default_rng(1)
    for n, rank in ((1, 1), (6, 6), (9, 5), (30, 24)):
        half = rng.normal(size=(n, rank))
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


@pytest.mark.parametrize("weight", [random_weight((9, 8, 10), 3, 0.7), plates(1, 9)],
                         ids=["any", "two"])  # fmt: skip
def test_the_preconditioner_is_symmetric_and_positive(weight: np.ndarray) -> None:
    hierarchy = Hierarchy(weight, clamped(), POISSON)
    assert len(hierarchy.meshes) > 2
    level = finest(weight, clamped(), DIAGONAL)
    r, s = loose(level, 1), loose(level, 2)
    mr, ms = np.zeros_like(r), np.zeros_like(s)
    hierarchy.precondition(r, mr)
    hierarchy.precondition(s, ms)
    size = np.sqrt(float(r @ mr) * float(s @ ms))
    assert size > 0
    assert float(s @ mr) == pytest.approx(float(r @ ms), abs=1e-5 * size)
    again = np.zeros_like(r)
    hierarchy.precondition(r, again)
    np.testing.assert_array_equal(mr, again)


def test_one_cycle_contracts_the_error() -> None:
    weight = np.ones((8, 8, 8), np.float32)
    hierarchy, level = Hierarchy(weight, clamped(), POISSON), finest(weight, clamped(), DIAGONAL)
    matrix, error = assembled(level), loose(level, 1).astype(float)
    z = np.zeros(error.size, np.float32)
    for _ in range(5):
        before = error @ matrix @ error
        hierarchy.precondition((matrix @ error).astype(np.float32), z)
        error = error - z
        assert error @ matrix @ error < 0.1 * before


def test_threads_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two levels in slabs; on one thread, and on two."""
    monkeypatch.setattr(meshes, "SMALLEST_SHARED", 300)
    weight = random_weight((20, 12, 14), 2, 0.8)
    hierarchy = Hierarchy(weight, clamped(), POISSON)
    assert sum(mesh.slabs.size > 2 for mesh in hierarchy.meshes) >= 2
    r = loose(finest(weight, clamped(), DIAGONAL), 1)
    answers = []
    for threads in (1, 2):
        monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
        assert multigrid.several() == (threads > 1)
        z = np.zeros_like(r)
        hierarchy.precondition(r, z)
        answers.append(z)
    np.testing.assert_array_equal(*answers)
