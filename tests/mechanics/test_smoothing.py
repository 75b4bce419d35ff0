"""Steps of smoothing against plain arithmetic, and what the polynomial damps."""

import numpy as np
import pytest

from bonesim.mechanics.mesh import finest
from bonesim.mechanics.smoothing import WEIGHTS, begin, less, step, steps
from tests.mechanics.structures import DIAGONAL, FREE, random_nodal, random_weight

PARTS = 3


def test_steps_are_plain_vector_arithmetic() -> None:
    level = finest(random_weight((4, 5, 6)), FREE, DIAGONAL)
    mesh = level.mesh
    scale = np.zeros((3, mesh.stride))
    scale[:, : len(level.places)] = mesh.inverse
    scale = scale.ravel()
    residual, change, d, z = (random_nodal(level, seed, np.float32) for seed in range(4))
    new, weight, keep = np.float32(0.7), np.float32(1.3), np.float32(0.4)

    expected_d = new * scale * residual
    for part in range(PARTS):
        begin(residual, mesh, new, weight, d, z, part, PARTS)
    np.testing.assert_allclose(d, expected_d, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(z, weight * expected_d, rtol=1e-5, atol=1e-6)

    left = residual - change
    expected_d = keep * d + new * scale * left
    expected_z = z + weight * expected_d
    for part in range(PARTS):
        step(change, mesh, keep, new, weight, residual, d, z, part, PARTS)
    np.testing.assert_allclose(residual, left, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(d, expected_d, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(z, expected_z, rtol=1e-5, atol=1e-6)

    expected = residual - change
    for part in range(PARTS):
        less(residual, change, part, PARTS)
    np.testing.assert_array_equal(residual, expected)


def left_over(table: np.ndarray, values: np.ndarray) -> np.ndarray:
    """What is left of an error along eigenvectors of these eigenvalues."""
    residual, d, z = np.ones_like(values), np.zeros_like(values), np.zeros_like(values)
    for k, (keep, new, weight) in enumerate(table.astype(float)):
        residual = residual - (values * d if k else 0.0)
        d = keep * d + new * residual
        z = z + weight * d
    return 1.0 - values * z


@pytest.mark.parametrize("degree", sorted(WEIGHTS))
def test_smoothing_damps_and_its_weights_make_the_cycle_better(degree: int) -> None:
    values = np.linspace(1e-4, 1.0, 4000)
    table = steps(degree, 2.5)
    np.testing.assert_allclose(left_over(table, 2.5 * values), left_over(steps(degree, 1.0), values),
                               atol=1e-5)  # fmt: skip
    left = left_over(steps(degree, 1.0), values)
    assert np.abs(left).max() < 1.0
    assert left[0] == pytest.approx(1.0, abs=0.01)
    plain = steps(degree, 1.0)
    plain[:, 2] = 1.0
    usual = left_over(plain, values)

    def cycle_bound(p: np.ndarray) -> float:
        """The V-cycle's error is bounded by C / (C + 1 / this) (Lottes 2023)."""
        return float((values * p**2 / (1 - p**2)).max())

    assert cycle_bound(left) < cycle_bound(usual)
    # Fourth kind, unweighted: at most 1 / (2 k + 1) over the root of the eigenvalue.
    assert np.abs(np.sqrt(values) * usual).max() <= 1 / (2 * degree + 1) + 1e-6
