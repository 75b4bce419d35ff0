"""Steps of Jacobi against plain arithmetic, and that they converge whatever the structure."""

import numpy as np
import pytest

from bonesim.mechanics.element import stiffness
from bonesim.mechanics.mesh import finest
from bonesim.mechanics.smoothing import jacobi, jacobi_again, jacobi_factor
from tests.mechanics.structures import DIAGONAL, FREE, assembled, random_nodal, random_weight

PARTS = 3


def test_steps_are_plain_vector_arithmetic() -> None:
    level = finest(random_weight((4, 5, 6)), FREE, DIAGONAL)
    mesh = level.mesh
    scale = np.zeros((3, mesh.stride))
    scale[:, : len(level.places)] = mesh.inverse
    residual, change, z = (random_nodal(level, seed, np.float32) for seed in range(3))
    factor = np.float32(0.7)
    expected = factor * scale.ravel() * residual
    for part in range(PARTS):
        jacobi(residual, mesh, factor, z, part, PARTS)
    np.testing.assert_allclose(z, expected, rtol=1e-5, atol=1e-6)
    expected = z + factor * scale.ravel() * (residual - change)
    for part in range(PARTS):
        jacobi_again(residual, change, mesh, factor, z, part, PARTS)
    np.testing.assert_allclose(z, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("poisson", [0.0, 0.3, 0.45])
def test_steps_converge_on_any_structure(poisson: float) -> None:
    factor = float(jacobi_factor(poisson))
    matrix = stiffness(poisson)
    worst = 1.0 - factor * np.linalg.eigvalsh(matrix)[-1] / matrix[0, 0]
    assert -1.0 < worst < -0.5, (
        "a lone element is the worst; the step is hardly shorter than may be"
    )
    if poisson != 0.3:
        return
    for share in (0.05, 0.2, 0.6, 1.1):
        level = finest(random_weight((4, 5, 4), 2, share), FREE, DIAGONAL)
        kept = np.flatnonzero(np.diag(assembled(level)))
        scale = np.sqrt(np.repeat(level.mesh.inverse[None], 3, 0).ravel())
        stiff = scale[:, None] * assembled(level)[np.ix_(kept, kept)] * scale
        assert np.abs(1.0 - factor * np.linalg.eigvalsh(stiff)).max() < 1.0 + 1e-6
