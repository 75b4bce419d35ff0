"""Which faces are held, and that a solid block answers each strain with Hooke's stress."""

import numpy as np
import pytest

from bonesim.mechanics.cases import PAIRS, affine, confined, sheared, uniaxial, unit_strain
from bonesim.mechanics.element import elasticity
from bonesim.mechanics.solver import Structure
from bonesim.mechanics.state import mean_stress, read_elements
from tests.mechanics.structures import POISSON, random_weight


def named(held: np.ndarray) -> set[str]:
    """Held faces and components, as "z0:x"."""
    return {f"{'zyx'[a]}{end}:{'xyz'[c]}" for a, end, c in np.argwhere(held)}


def test_what_is_held() -> None:
    for axis, name in enumerate("zyx"):
        ends = {f"{name}0:{name}", f"{name}1:{name}"}
        stuck = {f"{name}{end}:{c}" for end in (0, 1) for c in "xyz"}
        sides = {f"{other}{end}:{other}" for end in (0, 1) for other in "xyz"} - ends
        assert named(uniaxial(axis, "frictionless", "free")) == ends
        assert named(uniaxial(axis, "clamped", "free")) == stuck
        assert named(uniaxial(axis, "clamped", "confined")) == stuck | sides
        assert named(uniaxial(axis, "frictionless", "confined")) == ends | sides
        assert named(confined()) == ends | sides
    for i, j, faces in ((0, 1, "xy"), (1, 2, "yz"), (2, 0, "zx")):
        one, two = faces
        third = (set("xyz") - set(faces)).pop()
        expected = {f"{one}{e}:{two}" for e in (0, 1)} | {f"{two}{e}:{one}" for e in (0, 1)}
        assert named(sheared((i, j))) == expected | {f"{third}{e}:{third}" for e in (0, 1)}


def test_displacement_of_a_uniform_strain() -> None:
    places = np.array([(1, 2, 3), (0, 0, 1)], np.int16)
    strain = np.random.default_rng(1).normal(size=(3, 3))
    u = affine(places, 0.5, 7, strain).reshape(3, 7)
    for n, (z, y, x) in enumerate(places):
        np.testing.assert_allclose(u[:, n], strain @ np.array([x, y, z]) * 0.5)
    assert not u[:, 2:].any()
    for pair in PAIRS:
        strain = unit_strain(pair)
        np.testing.assert_array_equal(strain, strain.T)
        assert strain.sum() == 1.0
        assert strain[pair] == (1.0 if pair[0] == pair[1] else 0.5)


@pytest.mark.parametrize("case", range(6))
def test_each_strain_of_a_solid_and_of_a_porous_block(case: int) -> None:
    """All six cases give Hooke's law of a solid; of a porous one a stress that does the work."""
    pair = PAIRS[case]
    held = confined() if pair[0] == pair[1] else sheared(pair)
    for weight, solid in ((np.ones((4, 5, 6), np.float32), True),
                          (random_weight((6, 6, 6), 5, 0.9), False)):  # fmt: skip
        structure = Structure(weight, held, POISSON)
        # A shear may be given as any motion of that engineering strain.
        u = affine(structure.places, 1.0, structure.mesh.stride, unit_strain(pair))
        assert structure.solve(u, 1e-10, 1e-8).converged
        sums, energy = np.zeros(6), np.empty(structure.mesh.weight.size)
        read_elements(u, structure.mesh, structure.hierarchy.modes, energy, sums)
        stress = mean_stress(sums, 1.0, weight.size, POISSON)
        if solid:
            np.testing.assert_allclose(stress, elasticity(POISSON)[case], atol=1e-7)
        assert 2 * energy.sum() / weight.size == pytest.approx(stress[case], rel=1e-6)
