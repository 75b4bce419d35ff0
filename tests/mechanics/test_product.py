"""Stiffness times displacement, whole and in its steps, against the assembled matrix."""

import numpy as np
import pytest

from bonesim.mechanics import mesh as meshes
from bonesim.mechanics.element import mode_stiffness, stiffness
from bonesim.mechanics.mesh import Level, finest
from bonesim.mechanics.stiffness_product import (
    COLUMNS,
    ROWS,
    across,
    add_four,
    back,
    clear_part,
    copy_eight,
    gather,
    modes,
    multiply,
    multiply_alone,
    multiply_part,
    multiply_slab,
    release,
    scatter,
    width_of,
)
from tests.mechanics.structures import (
    DIAGONAL,
    FREE,
    POISSON,
    SHAPES,
    assembled,
    clamped,
    plain_forces,
    plates,
    random_nodal,
    random_weight,
    rigid_motions,
)

W = COLUMNS
K0 = mode_stiffness(POISSON)
SIGNS = np.array([[(-1) ** bin(~a & s & 7).count("1") for a in range(8)] for s in range(8)])
#: Row of the pad that holds a component's mode 1 to 7.
ANSWER = ((12, 13, 16, 14, 20, 24, 27), (13, 17, 18, 15, 21, 25, 28), (14, 15, 19, 22, 23, 26, 29))


def levels(shape: tuple[int, int, int], held: np.ndarray = FREE) -> list[Level]:
    """Bone of much, some and little surface."""
    return [finest(random_weight(shape, 3, share), held, DIAGONAL) for share in (1.1, 0.6, 0.35)]


def some_pad(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(ROWS, W))


def test_eight_are_copied_and_four_added() -> None:
    rng = np.random.default_rng(1)
    source, target = rng.normal(size=30), rng.normal(size=30)
    expected = target.copy()
    expected[9:17] = source[3:11]
    expected[20:24] += source[5:9]
    copy_eight(source, np.uintp(3), target, np.uintp(9))
    add_four(source, np.uintp(5), target, np.uintp(20))
    np.testing.assert_array_equal(target, expected)


def test_a_run_takes_its_nodes_in_groups_of_four() -> None:
    for length in range(1, 250):
        assert width_of(length) == 4 * -(-(length + 1) // 4)


def columns_of(level: Level, run: int, until: int) -> list[tuple[int, int]]:
    """Each element of these runs and the column of its lower nodes."""
    found, column = [], 4
    for r in range(run, until):
        elements = range(level.mesh.first[r], level.mesh.first[r + 1])
        found += [(e, column + k) for k, e in enumerate(elements)]
        column += 4 * -(-(len(elements) + 1) // 4)
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_runs_are_laid_into_the_pad_and_forces_out_of_it(shape: tuple[int, int, int]) -> None:
    for level in levels(shape):
        mesh, u = level.mesh, random_nodal(level)
        run, last, seen = 0, len(mesh.base), []
        while run < last:
            pad, weights = np.full(ROWS * W, np.inf), np.ones(W)
            until = gather(u, mesh, run, last, pad, weights)
            assert until > run
            rows, expected = pad[: 12 * W].reshape(3, 4, W), np.zeros(W)
            filled = columns_of(level, run, until)
            for e, column in filled:
                expected[column] = mesh.weight[e]
                for a, n in enumerate(level.corners[e]):
                    for c in range(3):
                        value = u[c * mesh.stride + n]
                        assert rows[c, a >> 1, column + (a & 1)] == value
            np.testing.assert_array_equal(weights, expected)
            assert np.isfinite(rows[:, :, np.flatnonzero(weights)]).all()
            assert filled[-1][1] < W - 1

            force, out = np.zeros((12, W)), random_nodal(level, 5)
            plain = out.copy()
            at: dict[tuple[int, int], int] = {}
            for e, column in filled:
                for a, n in enumerate(level.corners[e]):
                    at[(a >> 1, column + (a & 1))] = n
            for (q, column), n in at.items():
                for c in range(3):
                    force[4 * c + q, column] = np.sin(column + 50 * q + 300 * c)
                    plain[c * mesh.stride + n] += force[4 * c + q, column]
            scatter(np.vstack([force, force, force]).ravel(), mesh, run, until, out)
            np.testing.assert_allclose(out, plain, rtol=1e-13, atol=1e-13)
            seen += [e for e, _ in filled]
            run = until
        assert seen == list(range(len(level.corners)))


def test_sums_and_differences_across() -> None:
    pad = some_pad()
    flat = pad.ravel().copy()
    across(flat)
    # Node q lies at y = q & 1, z = q >> 1; row r changes along y if r & 1, along z if r >> 1.
    table = np.array([[(-1) ** bin(~q & r & 3).count("1") for q in range(4)] for r in range(4)])
    for c in range(3):
        expected = table @ pad[4 * c : 4 * c + 4]
        np.testing.assert_allclose(flat.reshape(ROWS, W)[4 * c : 4 * c + 4], expected, atol=1e-13)


def test_modes_answer_as_the_full_matrix_does() -> None:
    corners, weights = some_pad()[:12].reshape(3, 4, W), np.random.default_rng(2).random(W)
    pad = np.zeros((ROWS, W))
    pad[:12] = corners.reshape(12, W)
    flat = pad.ravel()
    across(flat)
    modes(flat, weights, K0)
    basis = np.kron(SIGNS, np.eye(3))
    matrix = basis @ stiffness(POISSON) @ basis.T / 64.0
    for k in range(W - 1):
        u = np.array([corners[:, a >> 1, k + (a & 1)] for a in range(8)])
        answer = weights[k] * (matrix @ (SIGNS @ u).ravel()).reshape(8, 3)
        np.testing.assert_allclose(answer[0], 0.0, atol=1e-12)
        for c in range(3):
            mine = flat.reshape(ROWS, W)[list(ANSWER[c]), k]
            np.testing.assert_allclose(mine, answer[1:, c], atol=1e-12)


def test_forces_come_back_from_both_elements_of_a_column() -> None:
    pad = some_pad()
    for c in range(3):
        rows = ANSWER[c]
        flat = pad.ravel().copy()
        back(flat, 4 * c, *rows)
        for k in range(1, W - 1):
            for q in range(4):
                force = sum(
                    SIGNS[m, 2 * q + x] * pad[rows[m - 1], k - x]
                    for m in range(1, 8)
                    for x in (0, 1)
                )
                assert flat[(4 * c + q) * W + k] == pytest.approx(force, abs=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_product_is_that_of_the_assembled_matrix(shape: tuple[int, int, int]) -> None:
    for level in levels(shape, clamped()):
        for kind, precision in ((np.float64, 1e-12), (np.float32, 3e-5)):
            u = random_nodal(level, kind=kind)
            out, alone = np.full(u.size, 7.0, kind), np.full(u.size, 8.0, kind)
            multiply(u, level.mesh, K0.astype(kind), out)
            multiply_alone(u, level.mesh, K0.astype(kind), alone)
            np.testing.assert_array_equal(out, alone)
            np.testing.assert_allclose(out, plain_forces(level, u), atol=precision * 10)


def test_slabs_and_parts_together_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meshes, "SMALLEST_SHARED", 10)
    level = finest(random_weight((11, 4, 5)), clamped(), DIAGONAL)
    mesh, u = level.mesh, random_nodal(level)
    count = mesh.slabs.size - 1
    assert count > 3

    def forces_of(slabs: list[int]) -> np.ndarray:
        parts = [range(mesh.first[mesh.slabs[s]], mesh.first[mesh.slabs[s + 1]]) for s in slabs]
        return assembled(level, [e for part in parts for e in part], hold=False) @ u

    for slab in range(count):
        out = np.zeros(u.size)
        multiply_slab(u, mesh, K0, slab, out)
        np.testing.assert_allclose(out, forces_of([slab]), atol=1e-12)
    for parity in (0, 1):
        out = np.zeros(u.size)
        for part in range(3):
            multiply_part(u, mesh, K0, out, parity, part, 3)
        np.testing.assert_allclose(out, forces_of(list(range(parity, count, 2))), atol=1e-12)
    out = np.ones(u.size)
    multiply_alone(u, mesh, K0, out)
    np.testing.assert_allclose(out, assembled(level) @ u, atol=1e-12)


def test_parts_clear_everything_and_forces_at_constraints_are_zero() -> None:
    out = np.arange(1.0, 24.0)
    for part in range(4):
        before = out.copy()
        clear_part(out, part, 4)
        changed = np.flatnonzero(before != out)
        assert changed.size
        np.testing.assert_array_equal(changed, np.arange(changed[0], changed[-1] + 1))
    assert not out.any()
    level = finest(random_weight((3, 3, 3)), clamped(), DIAGONAL)
    force = np.arange(1.0, 3 * level.mesh.stride + 1)
    expected = [
        0.0 if place in set(level.mesh.fixed.tolist()) else value
        for place, value in enumerate(force)
    ]
    release(level.mesh, force)
    np.testing.assert_array_equal(force, expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_energy_is_symmetric_and_none_is_in_rigid_motion(shape: tuple[int, int, int]) -> None:
    for level in levels(shape):
        u, v = random_nodal(level, 1), random_nodal(level, 2)
        ku, kv = np.zeros(u.size), np.zeros(u.size)
        multiply(u, level.mesh, K0, ku)
        multiply(v, level.mesh, K0, kv)
        assert v @ ku == pytest.approx(u @ kv, rel=1e-10, abs=1e-10)
        assert u @ ku >= 0
        for motion in rigid_motions(level):
            multiply(motion, level.mesh, K0, ku)
            assert np.abs(ku).max() < 1e-10 * max(level.size)


def piece_of(corners: np.ndarray) -> set[int]:
    """Nodes that hang together with the first element."""
    one = set(corners[0].tolist())
    while True:
        grown = one.union(*(c for c in corners.tolist() if one & set(c)))
        if grown == one:
            return one
        one = grown


def test_two_plates_a_voxel_apart_push_nothing_onto_each_other() -> None:
    level = finest(plates(1), FREE, DIAGONAL)
    one = piece_of(level.corners)
    rest = sorted(set(range(len(level.places))) - one)
    others = [c for c in level.corners if not one & set(c.tolist())]
    assert len(piece_of(np.array(others))) == len(rest)
    u, force = np.zeros((3, level.mesh.stride)), np.zeros(3 * level.mesh.stride)
    u[:, list(one)] = np.random.default_rng(1).normal(size=(3, len(one)))
    multiply(u.ravel(), level.mesh, K0, force)
    assert not force.reshape(3, -1)[:, rest].any()
