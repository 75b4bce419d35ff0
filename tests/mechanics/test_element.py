"""The element's matrix against scikit-fem, and what its eight numbers and bound promise."""

import numpy as np
import pytest
from skfem import Basis, BilinearForm, ElementHex0, ElementHex1, ElementVector, MeshHex
from skfem.helpers import ddot, eye, sym_grad, trace

from bonesim.mechanics.element import (
    CORNERS,
    elasticity,
    max_eigenvalue_ratio,
    mode_stiffness,
    stiffness,
    strain_at,
)
from bonesim.mechanics.mesh import finest
from tests.mechanics.structures import FREE, assembled, random_weight


@BilinearForm
def elastic(u, v, w):  # type: ignore[no-untyped-def]
    """Isotropic elasticity, of modulus w.modulus."""
    shear = w.modulus / (2 * (1 + w.poisson))
    lame = w.modulus * w.poisson / ((1 + w.poisson) * (1 - 2 * w.poisson))
    strain = sym_grad(u)
    return ddot(2 * shear * strain + lame * eye(trace(strain), 3), sym_grad(v))


def independent(weight: np.ndarray, poisson: float) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """scikit-fem's matrix of unit cubes, and of each row the place (z, y, x) and component."""
    nz, ny, nx = weight.shape
    mesh = MeshHex.init_tensor(*(np.arange(n + 1.0) for n in (nx, ny, nz)))
    middle = mesh.p[:, mesh.t].mean(axis=1)
    modulus = weight[tuple(middle[::-1].astype(int))].astype(float)
    used = np.flatnonzero(modulus)
    basis = Basis(mesh.restrict(used), ElementVector(ElementHex1()), intorder=4)
    cells = basis.with_element(ElementHex0())
    given = np.zeros(cells.N)
    given[cells.element_dofs[0]] = modulus[used]
    matrix = elastic.assemble(basis, modulus=cells.interpolate(given), poisson=poisson).toarray()
    rows = [()] * basis.N
    for component, dofs in enumerate(basis.nodal_dofs):
        for dof in dofs:
            x, y, z = np.rint(basis.doflocs[:, dof]).astype(int)
            rows[dof] = (z, y, x, component)
    return matrix, rows


@pytest.mark.parametrize("poisson", [0.0, 0.3, 0.45])
def test_the_matrix_is_that_of_an_independent_code(poisson: float) -> None:
    matrix, rows = independent(np.ones((1, 1, 1), np.float32), poisson)
    mine = {(z, y, x, c): 3 * a + c for a, (x, y, z) in enumerate(CORNERS) for c in range(3)}
    order = [mine[row] for row in rows]
    np.testing.assert_allclose(stiffness(poisson)[np.ix_(order, order)], matrix, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_small_assemblies_are_those_of_an_independent_code(seed: int) -> None:
    weight = random_weight((3, 4, 3), seed)
    matrix, rows = independent(weight, 0.3)
    level = finest(weight, FREE, 1.0)
    number = {tuple(place): n for n, place in enumerate(level.places)}
    order = [row[3] * level.mesh.stride + number[row[:3]] for row in rows]
    mine = assembled(level)
    np.testing.assert_allclose(mine[np.ix_(order, order)], matrix, atol=1e-10)
    assert np.abs(mine).sum() == pytest.approx(np.abs(matrix).sum())


def test_strain_of_a_linear_field_is_its_gradient() -> None:
    gradient = np.random.default_rng(1).normal(size=(3, 3))
    u = (CORNERS @ gradient.T).ravel()
    g = gradient
    expected = [g[0, 0], g[1, 1], g[2, 2], g[0, 1] + g[1, 0], g[1, 2] + g[2, 1], g[2, 0] + g[0, 2]]
    for place in ((0.5, 0.5, 0.5), (0.1, 0.7, 0.3)):
        np.testing.assert_allclose(strain_at(*place) @ u, expected, atol=1e-13)


def test_hookes_law_is_the_inverse_of_its_compliance() -> None:
    """Uniaxial stress: strain 1/E along, -nu/E across; shear 2 (1 + nu) / E."""
    nu = 0.3
    compliance = np.kron(np.diag([1, 0]), np.full((3, 3), -nu)) + np.diag(
        [1 + nu] * 3 + [2 * (1 + nu)] * 3
    )
    np.testing.assert_allclose(elasticity(nu) @ compliance, np.eye(6), atol=1e-13)


@pytest.mark.parametrize("poisson", [0.0, 0.3, 0.45])
def test_eight_numbers_are_the_whole_matrix(poisson: float) -> None:
    signs = np.array([[(-1) ** bin(~a & s & 7).count("1") for a in range(8)] for s in range(8)])
    basis = np.kron(signs, np.eye(3))
    modes = basis @ stiffness(poisson) @ basis.T / 64.0
    entries = np.abs(modes[np.abs(modes) > 1e-12])
    assert entries.size <= 45
    numbers = mode_stiffness(poisson)
    for entry in entries:
        assert np.abs(np.abs(numbers) - entry).min() < 1e-12
    for number in numbers[np.abs(numbers) > 1e-12]:
        assert np.abs(entries - abs(number)).min() < 1e-12


def test_one_diagonal_and_a_bound_of_any_structure() -> None:
    matrix = stiffness(0.3)
    np.testing.assert_allclose(np.diag(matrix), matrix[0, 0], rtol=1e-14)
    assert np.linalg.matrix_rank(matrix, tol=1e-10) == 18
    for seed in range(4):
        whole = assembled(finest(random_weight((3, 3, 4), seed), FREE, 1.0))
        used = np.diag(whole) > 0
        scale = 1 / np.sqrt(np.diag(whole)[used])
        largest = np.linalg.eigvalsh(whole[np.ix_(used, used)] * np.outer(scale, scale))[-1]
        assert largest <= max_eigenvalue_ratio(0.3) * (1 + 1e-12)
