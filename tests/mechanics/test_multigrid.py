"""The cycle on bone against matrices, and what conjugate gradients need of it."""

import numba
import numpy as np
import pytest

from bonesim.mechanics import coarse as coarse_levels
from bonesim.mechanics import mesh as meshes
from bonesim.mechanics import multigrid
from bonesim.mechanics.cases import confined
from bonesim.mechanics.element import mode_stiffness
from bonesim.mechanics.mesh import Level, finest
from bonesim.mechanics.multigrid import Hierarchy, ascend, descend
from bonesim.mechanics.smoothing import jacobi_factor
from tests.mechanics.structures import (
    DIAGONAL,
    FREE,
    POISSON,
    assembled,
    bodies,
    clamped,
    grouped,
    plates,
    random_nodal,
    random_weight,
)

K0 = mode_stiffness(POISSON).astype(np.float32)


def loose(level: Level, seed: int) -> np.ndarray:
    """Single-precision values, 0 where held."""
    u = random_nodal(level, seed, np.float32)
    u[level.mesh.fixed] = 0.0
    return u


@pytest.mark.parametrize("held", [FREE, clamped()], ids=["free", "clamped"])
@pytest.mark.parametrize("weight", [random_weight((5, 4, 6), 3), plates(1, 6)], ids=["any", "two"])
def test_down_and_up_are_smoothing_and_transfer(weight: np.ndarray, held: np.ndarray) -> None:
    level = finest(weight, held, DIAGONAL)
    groups, _ = grouped(level)
    matrix, stiff = bodies(level, groups), assembled(level)
    single = groups._replace(centres=groups.centres.astype(np.float32))
    scale = np.tile(np.eye(6, dtype=np.float32), (len(groups.centres), 1, 1))
    step = jacobi_factor(POISSON)
    diagonal = np.zeros((3, level.mesh.stride))
    diagonal[:, : len(level.places)] = step * level.mesh.inverse
    given, change, z = loose(level, 1), loose(level, 2), loose(level, 3)
    expected = diagonal.ravel() * given
    below = np.full(matrix.shape[1], 9.0, np.float32)
    places = level.places
    descend(given, level.mesh, K0, step, places, single, scale, change, z, below)
    np.testing.assert_allclose(z, expected, atol=1e-5)
    np.testing.assert_allclose(below, matrix.T @ (given - stiff @ expected), atol=2e-3)

    motion = np.random.default_rng(4).normal(size=below.size).astype(np.float32)
    corrected = expected + 1.2 * matrix @ motion
    expected = corrected + diagonal.ravel() * (given - stiff @ corrected)
    ascend(given, level.mesh, K0, step, places, single, scale, change, z, motion, np.float32(1.2))
    np.testing.assert_allclose(z, expected, atol=1e-4)
    assert not z[level.mesh.fixed].any()


@pytest.mark.parametrize("held", [FREE, clamped(), confined()], ids=["free", "clamped", "confined"])
@pytest.mark.parametrize("share", [0.35, 0.5, 0.7, 1.1, None])
def test_the_preconditioner_is_symmetric_and_positive(
    share: float | None, held: np.ndarray
) -> None:
    weight = plates(1, 9) if share is None else random_weight((13, 12, 14), 3, share)
    hierarchy = Hierarchy(weight, held, POISSON)
    level = finest(weight, held, DIAGONAL)
    stiff = [np.zeros_like(loose(level, 1)) for _ in range(2)]
    for seed, force in enumerate(stiff):
        multigrid.multiply(loose(level, seed), level.mesh, K0, force)
    r, s = stiff
    mr, ms = np.zeros_like(r), np.zeros_like(s)
    hierarchy.precondition(r, mr)
    hierarchy.precondition(s, ms)
    assert min(float(r @ mr), float(s @ ms)) > 0
    size = np.sqrt(float(r @ mr) * float(s @ ms))
    assert float(s @ mr) == pytest.approx(float(r @ ms), abs=1e-4 * size)
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
        assert error @ matrix @ error < 0.5 * before


def test_threads_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bone in slabs, bodies in parts; on one thread, on two, on four."""
    monkeypatch.setattr(meshes, "SMALLEST_SHARED", 300)
    monkeypatch.setattr(coarse_levels, "SMALLEST_SHARED", 10)
    weight = random_weight((20, 12, 14), 2, 0.8)
    r = loose(finest(weight, clamped(), DIAGONAL), 1)
    answers = []
    for threads in (1, 2, 4):
        monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
        hierarchy = Hierarchy(weight, clamped(), POISSON)
        assert hierarchy.mesh.slabs.size > 2
        assert multigrid.several() == (threads > 1)
        z = np.zeros_like(r)
        hierarchy.precondition(r, z)
        answers.append(z)
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[0], answers[2])
