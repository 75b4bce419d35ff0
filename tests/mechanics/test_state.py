"""Energy, strain and stress of elements against the element's matrix."""

import numpy as np
import pytest

from bonesim.mechanics.element import elasticity, mode_stiffness, stiffness, strain_at
from bonesim.mechanics.mesh import finest
from bonesim.mechanics.state import element_modes, energy_of_modes, mean_stress, read_elements
from tests.mechanics.structures import (
    DIAGONAL,
    FREE,
    POISSON,
    SHAPES,
    element_places,
    linear_field,
    plain_forces,
    random_nodal,
    random_weight,
)

K0 = mode_stiffness(POISSON)
#: Engineering strains xx, yy, zz, xy, yz, zx.
PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))


def test_modes_are_signed_sums_and_give_the_energy() -> None:
    level = finest(random_weight((3, 3, 3)), FREE, DIAGONAL)
    u, m = random_nodal(level), np.empty((3, 8))
    for e, nodes in enumerate(level.corners):
        mine = u[element_places(level, e)]
        element_modes(u, level.mesh, nodes.astype(np.int64), m)
        for c in range(3):
            for s in range(8):
                signs = [(-1) ** bin(~a & s & 7).count("1") for a in range(8)]
                assert m[c, s] == pytest.approx(np.dot(signs, mine[c::3]), abs=1e-12)
        assert energy_of_modes(m, K0) == pytest.approx(mine @ stiffness(POISSON) @ mine, rel=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
def test_elements_are_read_one_by_one(shape: tuple[int, int, int]) -> None:
    level = finest(random_weight(shape, 6), FREE, DIAGONAL)
    u = random_nodal(level)
    energy, strain = np.empty(len(level.corners)), np.zeros(6)
    read_elements(u, level.mesh, K0, energy, strain)
    middle, expected = strain_at(0.5, 0.5, 0.5), np.zeros(6)
    for e, weight in enumerate(level.mesh.weight.astype(float)):
        mine = u[element_places(level, e)]
        assert energy[e] == pytest.approx(0.5 * weight * mine @ stiffness(POISSON) @ mine)
        expected += weight * (middle @ mine)
    np.testing.assert_allclose(strain, expected, rtol=1e-9, atol=1e-9)
    assert energy.sum() == pytest.approx(0.5 * float(u @ plain_forces(level, u)), rel=1e-10)


def test_stress_of_a_solid_block_is_hookes() -> None:
    modulus, edge, shape = 10.0, 0.5, (4, 3, 5)
    level = finest(np.full(shape, modulus * edge, np.float32), FREE, DIAGONAL)
    g = np.random.default_rng(1).normal(size=(3, 3))
    sums, energy = np.zeros(6), np.empty(60)
    read_elements(linear_field(level, g, edge), level.mesh, K0, energy, sums)
    strain = np.array([g[i, j] + (g[j, i] if i != j else 0.0) for i, j in PAIRS])
    stress = modulus * elasticity(POISSON) @ strain
    np.testing.assert_allclose(mean_stress(sums, edge, 60 * edge**3, POISSON), stress, rtol=1e-10)
    np.testing.assert_allclose(energy, 0.5 * stress @ strain * edge**3, rtol=1e-10)
