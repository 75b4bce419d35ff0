"""Displacement and force against exact solutions, a direct solver and a published-size reference."""

from pathlib import Path

import numba
import numpy as np
import pytest

from bonesim.errors import NumericalError
from bonesim.mechanics.bone import bridging, carrying
from bonesim.mechanics.cases import uniaxial
from bonesim.mechanics.mesh import finest
from bonesim.mechanics.solver import BLOCK, Convergence, Structure, advance, dot, turn
from tests.mechanics.structures import (
    DIAGONAL,
    FREE,
    POISSON,
    assembled,
    clamped,
    linear_field,
    random_weight,
)


def squeezed(structure: Structure, layers: int, by: float = 0.01) -> np.ndarray:
    """Even compression along z."""
    u = np.zeros((3, structure.mesh.stride))
    u[2, : len(structure.places)] = -by * structure.places[:, 0]
    return u.ravel()


def standing(shape: tuple[int, int, int], seed: int, share: float) -> np.ndarray:
    """Random bone of which every piece reaches the top or the bottom."""
    weight = random_weight(shape, seed, share)
    rows = np.zeros((shape[0], shape[1] + 2, shape[2] + 2), np.float32)
    rows[:, 1:-1, 1:-1] = weight
    return np.ascontiguousarray(carrying(rows, 0.1)[:, 1:-1, 1:-1])


def test_vector_steps_are_plain_arithmetic() -> None:
    rng = np.random.default_rng(1)
    n = 2 * BLOCK + 17
    a, b, p, z = rng.normal(size=(4, n)).astype(np.float32)
    assert dot(a, b) == pytest.approx(float(a.astype(float) @ b.astype(float)), rel=1e-12)
    x, before = rng.normal(size=n), a.copy()
    expected = x + 0.3 * p.astype(float)
    square = advance(x, a, p, b, 0.3)
    np.testing.assert_allclose(x, expected, rtol=1e-14)
    np.testing.assert_allclose(a, before - 0.3 * b, rtol=1e-5, atol=1e-6)
    assert square == pytest.approx(float((a.astype(float) ** 2).sum()), rel=1e-12)
    expected = z + 0.7 * p
    turn(p, z, 0.7)
    np.testing.assert_allclose(p, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("shape", "share"), [((6, 5, 7), 0.7), ((9, 4, 4), 0.8), ((3, 3, 3), 1.1)])
def test_the_answer_is_that_of_a_direct_solver(shape: tuple[int, int, int], share: float) -> None:
    weight = standing(shape, 7, share)
    structure = Structure(weight, clamped(), POISSON)
    u = squeezed(structure, shape[0])
    level = finest(weight, clamped(), DIAGONAL)
    whole = assembled(level, hold=False)
    given = level.mesh.fixed
    unknown = np.setdiff1d(np.flatnonzero(np.diag(whole) > 0), given)
    load = -whole[np.ix_(unknown, given)] @ u[given]
    # Pieces joined at an edge or a corner may turn freely: least squares.
    solved = np.linalg.lstsq(whole[np.ix_(unknown, unknown)], load, rcond=1e-12)[0]
    expected = u.copy()
    expected[unknown] = solved
    found = structure.solve(u, 1e-10, 1e-8)
    assert found.converged
    assert u @ whole @ u == pytest.approx(expected @ whole @ expected, rel=1e-9)
    np.testing.assert_allclose(structure.forces(u), whole @ expected, atol=1e-8)


def test_patch_test() -> None:
    """All faces follow a linear field: the inside does too."""
    weight = np.full((7, 6, 9), 3.0, np.float32)
    structure = Structure(weight, np.ones((3, 2, 3), bool), POISSON)
    level = finest(weight, np.ones((3, 2, 3), bool), DIAGONAL)
    exact = linear_field(level, np.random.default_rng(1).normal(size=(3, 3)))
    u = np.zeros(exact.size)
    u[level.mesh.fixed] = exact[level.mesh.fixed]
    found = structure.solve(u, 1e-10, 1e-12)
    assert found.converged, found
    np.testing.assert_allclose(u, exact, atol=1e-10 * np.abs(exact).max())


def test_reactions_balance_and_do_the_work() -> None:
    weight = standing((12, 8, 8), 3, 0.7)
    structure = Structure(weight, clamped(), POISSON)
    u = squeezed(structure, 12)
    structure.solve(u, 1e-10, 1e-9)
    forces = structure.forces(u).reshape(3, -1)
    top = np.flatnonzero(structure.places[:, 0] == 12)
    bottom = np.flatnonzero(structure.places[:, 0] == 0)
    reaction = forces[2, top].sum()
    assert reaction < 0
    np.testing.assert_allclose(forces.sum(axis=1), 0.0, atol=1e-7 * abs(reaction))
    assert forces[2, bottom].sum() == pytest.approx(-reaction, rel=1e-6)
    assert float(u @ forces.ravel()) == pytest.approx(-0.12 * reaction, rel=1e-6)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4, 1e-6])
@pytest.mark.parametrize(("seed", "share"), [(1, 0.9), (2, 0.6), (3, 0.5), (4, 0.42)])
def test_the_error_it_states_is_honest(seed: int, share: float, tolerance: float) -> None:
    weight = standing((24, 16, 16), seed, share)
    structure = Structure(weight, clamped(), POISSON)
    energies = []
    for wanted in (1e-11, tolerance):
        u = squeezed(structure, 24)
        found = structure.solve(u, wanted, 1e-8 if wanted < 1e-10 else np.inf)
        assert found.converged, found
        energies.append(float(u @ structure.forces(u)))
    exact, energy = energies
    error = energy / exact - 1
    assert -1e-10 < error <= 3 * tolerance
    assert found.energy_error <= tolerance
    assert found.imbalance <= np.sqrt(tolerance)


def slender(seed: int) -> np.ndarray:
    """Perforated plates, thin rods, or grains that barely hang together."""
    rng, shape = np.random.default_rng(seed), (32, 20, 20)
    waves = sum(
        np.cos(np.tensordot(rng.normal(size=3), np.indices(shape), 1) * 0.5 + rng.uniform(0, 6))
        for _ in range(20)
    )
    bone = (np.abs(waves) < 1.2, waves > 2.5, rng.random(shape) < 0.38)[seed % 3]
    return carrying(bone.astype(np.float32), 0.5)


@pytest.mark.slow
def test_the_error_it_states_is_honest_of_slender_bone() -> None:
    """Rarely more than three times what was asked for, never much more.

    Rods that twist slowly gain little for a while and then more: the worst of these, 4.4 times.
    """
    ratios = []
    for seed in range(30):
        bone = slender(seed)
        if not bridging(bone, 0).any():
            continue
        structure = Structure(bone, clamped(), POISSON)
        exact = None
        for tolerance in (1e-11, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
            u = squeezed(structure, 32)
            found = structure.solve(u, tolerance, 1e-9 if exact is None else np.inf, 2000)
            assert found.converged, (seed, found)
            energy = float(u @ structure.forces(u))
            if exact is None:
                exact = energy
            else:
                ratios.append((energy / exact - 1) / tolerance)
    assert len(ratios) > 100
    assert np.mean(np.array(ratios) > 3) < 0.02
    assert max(ratios) < 6


def test_a_solve_that_is_cut_is_not_converged_and_one_at_rest_is() -> None:
    structure = Structure(standing((12, 8, 8), 2, 0.6), clamped(), POISSON)
    u = squeezed(structure, 12)
    found = structure.solve(u, 1e-8, max_cycles=2)
    assert not found.converged
    assert found.iterations == 2
    assert found.residual > 0
    assert "2 cycles" in str(found)
    assert not structure.solve(u, 1e-8, max_cycles=0).converged
    still = np.zeros(u.size)
    assert structure.solve(still, 1e-8) == Convergence(True, 0, 0.0, 0.0, 0.0)
    assert not still.any()


def test_what_is_not_a_number_is_an_error() -> None:
    structure = Structure(standing((8, 6, 6), 2, 0.8), clamped(), POISSON)
    u = squeezed(structure, 8)
    u[structure.mesh.fixed[-1]] = np.nan
    with pytest.raises(NumericalError, match="broke down"):
        structure.solve(u, 1e-4)


def test_threads_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = random_weight((34, 34, 34), 1, 0.85)
    assert np.count_nonzero(weight) > 30000
    structure = Structure(weight, clamped(), POISSON)
    assert structure.mesh.slabs.size > 2
    answers, endings = [], []
    for threads in (1, 2):
        monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
        u = squeezed(structure, 34)
        endings.append(structure.solve(u, 1e-5))
        answers.append(u)
    assert endings[0] == endings[1]
    np.testing.assert_array_equal(*answers)


# -- exact solutions ---------------------------------------------------------------------------


def relaxed_energy(n: int, size: tuple[int, int, int], held: np.ndarray, given, poisson: float) -> float:  # type: ignore[no-untyped-def] # fmt: skip
    """Strain energy of a solid block of unit modulus and n elements a unit length (size z, y, x).

    `given(x, y, z)` is the displacement (x, y, z) of what is held.
    """
    weight = np.full([n * s for s in size], 1.0 / n, np.float32)
    structure = Structure(weight, held, poisson)
    x, y, z = structure.places[:, ::-1].T.astype(float) / n
    wanted, u = np.zeros((3, structure.mesh.stride)), np.zeros(3 * structure.mesh.stride)
    for c, values in enumerate(given(x, y, z)):
        wanted[c, : x.size] = values
    u[structure.mesh.fixed] = wanted.ravel()[structure.mesh.fixed]
    found = structure.solve(u, 1e-8)
    assert found.converged, found
    return 0.5 * float(u @ structure.forces(u))


def orders(errors: list[float]) -> np.ndarray:
    return np.log2(np.array(errors[:-1]) / errors[1:])


def test_a_bar_is_as_stiff_as_its_section() -> None:
    held = uniaxial(0, "frictionless", "free")
    energy = relaxed_energy(3, (2, 1, 1), held, lambda x, y, z: (0 * x, 0 * x, -0.01 * z), 0.3)
    assert energy == pytest.approx(0.5 * 0.01**2 * 2, rel=1e-7)
    held = uniaxial(0, "frictionless", "confined")
    energy = relaxed_energy(3, (2, 1, 1), held, lambda x, y, z: (0 * x, 0 * x, -0.01 * z), 0.3)
    confined = 0.7 / (1.3 * 0.4)
    assert energy == pytest.approx(0.5 * confined * 0.01**2 * 2, rel=1e-7)


@pytest.mark.parametrize("kind", ["beam", "plate", "twist"])
def test_bending_and_torsion_converge_with_order_two(kind: str) -> None:
    """Ends that turn by 0.1 along x: pure bending of a beam, of a plate, and a square bar's twist."""
    nu, turn_by = 0.3, 0.1
    held = FREE.copy()
    if kind == "twist":
        held[2, :, 1:] = True
        exact = 0.5 * 0.1405770 / (2 * (1 + nu)) * turn_by**2 / 2

        def given(x, y, z):  # type: ignore[no-untyped-def]
            return 0 * x, -turn_by * x / 2 * (z - 0.5), turn_by * x / 2 * (y - 0.5)
    else:
        held[2, :, 0] = True
        exact = 0.5 / 12 * turn_by**2 / 2
        if kind == "plate":
            held[1, :, 1] = True
            exact /= 1 - nu**2

        def given(x, y, z):  # type: ignore[no-untyped-def]
            return turn_by * x / 2 * (z - 0.5), 0 * x, 0 * x

    errors = [relaxed_energy(n, (1, 1, 2), held, given, nu) / exact - 1 for n in (2, 4, 8)]
    assert min(errors) > 0, "displacement elements are too stiff"
    np.testing.assert_allclose(orders(errors), 2.0, atol=0.2)


def test_a_cantilever_converges_to_the_beam() -> None:
    """Clamped at both ends, one moved across: 12 EI/L^3 with shear of 5/6 of the section; no
    Poisson's ratio, whose clamped corners would make the order less than 2."""
    held = FREE.copy()
    held[2] = True
    length = 4

    def given(x, y, z):  # type: ignore[no-untyped-def]
        return 0 * x, 0 * x, x / length

    energies = [relaxed_energy(n, (1, 1, length), held, given, 0.0) for n in (2, 4, 8, 16)]
    steps = -np.diff(energies)
    assert (steps > 0).all()
    np.testing.assert_allclose(orders(list(steps)), 2.0, atol=0.3)
    bending, shear = length**3 / 12 * 12, length / (5 / 6 * 0.5)
    assert energies[-1] == pytest.approx(0.5 / (bending + shear), rel=0.02)


def turned_about_x(weight: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(weight, axes=(0, 1)))


def test_turning_the_lattice_turns_the_stiffness() -> None:
    weight = random_weight((10, 8, 6), 5, 0.75)

    def stiffness_along(weight: np.ndarray, axis: int) -> float:
        structure = Structure(weight, uniaxial(axis, "frictionless", "confined"), POISSON)
        u = np.zeros((3, structure.mesh.stride))
        u[2 - axis, : len(structure.places)] = 0.01 * structure.places[:, axis]
        assert structure.solve(u.ravel(), 1e-9, 1e-7).converged
        return float(u.ravel() @ structure.forces(u.ravel()))

    for axis, other in ((0, 1), (1, 0), (2, 2)):
        one, turned = stiffness_along(weight, axis), stiffness_along(turned_about_x(weight), other)
        assert one == pytest.approx(turned, rel=1e-7)


def test_the_force_of_a_reference_structure(shared_data: Path) -> None:
    """100^3 voxels of 30 um: scattered plates and struts; solved elsewhere to 1e-9."""
    path = shared_data / "vor100_b20_30um.npz"
    if not path.is_file():
        pytest.skip("the reference structure is not there")
    with np.load(path) as stored:
        shape = tuple(stored["shape"])
        bone = np.unpackbits(stored["bone"])[: np.prod(shape)].reshape(shape).astype(bool)
    weight = np.where(bone, np.float32(6800 * 0.03), np.float32(0))
    structure = Structure(weight, clamped(), POISSON)
    u = squeezed(structure, shape[0]) * 0.03
    found = structure.solve(u, 1e-9, 1e-7)
    assert found.converged, found
    assert found.residual <= 1e-7
    top = np.flatnonzero(structure.places[:, 0] == shape[0])
    force = structure.forces(u)[2 * structure.mesh.stride + top].sum()
    assert force == pytest.approx(-23.54433923, rel=1e-4)
