"""Passing between levels against the trilinear matrix."""

import numpy as np
import pytest

from bonesim.mechanics.coarsening import coarser
from bonesim.mechanics.mesh import Level, Transfer, finest
from bonesim.mechanics.transfer import corner_table, hold, prolong, restrict
from tests.mechanics.structures import (
    DIAGONAL,
    FREE,
    SHAPES,
    clamped,
    interpolation,
    linear_field,
    plates,
    random_nodal,
    random_weight,
)

Pair = tuple[Level, Level, Transfer]


def pairs(held: np.ndarray = FREE) -> list[Pair]:
    made = []
    for weight in [random_weight(shape, 5, 0.35) for shape in SHAPES] + [plates()]:
        fine = finest(weight, held, DIAGONAL)
        for _ in range(3):
            coarse, transfer = coarser(fine, held, DIAGONAL)
            made.append((fine, coarse, transfer))
            fine = coarse
    return made


def lifted(pair: Pair, coarse_u: np.ndarray, parts: int = 3) -> np.ndarray:
    fine, coarse, transfer = pair
    d, z = np.zeros((2, 3 * fine.mesh.stride), np.float32)
    single = coarse_u.astype(np.float32)
    for part in range(parts):
        prolong(single, coarse.mesh, transfer, fine.mesh, d, z, part, parts)
    np.testing.assert_array_equal(d, z)
    return d


def test_corners_that_carry_a_position() -> None:
    count, which = corner_table()
    for p in range(27):
        at = np.array([p // 9, p // 3 % 3, p % 3]) / 2
        shares = {}
        for a in range(8):
            bits = np.array([a >> 2 & 1, a >> 1 & 1, a & 1])
            share = np.prod(np.where(bits, at, 1 - at))
            if share > 0:
                shares[a] = share
        assert which[p, : count[p]].tolist() == list(shares)
        assert set(shares.values()) == {1 / count[p]}


def test_down_and_up_are_the_trilinear_matrix_and_its_transpose() -> None:
    for held in (FREE, clamped()):
        for pair in pairs(held):
            fine, coarse, transfer = pair
            matrix = interpolation(fine, coarse, transfer)
            u = random_nodal(coarse, 1, np.float32)
            np.testing.assert_allclose(lifted(pair, u), matrix @ u, atol=1e-5)
            r = random_nodal(fine, 2, np.float32)
            out = np.full(u.size, 9.0, np.float32)
            restrict(r, fine.mesh, transfer, coarse.mesh, out)
            expected = matrix.T @ r
            expected[coarse.mesh.fixed] = 0.0
            np.testing.assert_allclose(out, expected, atol=2e-5)
            if not coarse.mesh.fixed.size:
                assert float(r @ lifted(pair, u)) == pytest.approx(float(out @ u), abs=1e-3)


def test_a_correction_is_added() -> None:
    pair = pairs()[0]
    fine, coarse, transfer = pair
    u, before = random_nodal(coarse, 1, np.float32), random_nodal(fine, 3, np.float32)
    d, z = np.zeros_like(before), before.copy()
    prolong(u, coarse.mesh, transfer, fine.mesh, d, z, 0, 1)
    np.testing.assert_allclose(z - before, interpolation(*pair) @ u, atol=1e-5)


def test_linear_fields_pass_as_they_are() -> None:
    gradient = np.random.default_rng(3).normal(size=(3, 3))
    for pair in pairs():
        fine, coarse, _ = pair
        expected = linear_field(fine, gradient, 1.0)
        np.testing.assert_allclose(
            lifted(pair, linear_field(coarse, gradient, 2.0)), expected,
            atol=2e-6 * max(1.0, np.abs(expected).max()),
        )  # fmt: skip
        still = np.repeat([[1.0], [2.0], [3.0]], coarse.mesh.stride, axis=1)
        moved = lifted(pair, still.ravel()).reshape(3, -1)[:, : len(fine.places)]
        np.testing.assert_allclose(
            moved.T, np.tile([1.0, 2.0, 3.0], (moved.shape[1], 1)), rtol=1e-6
        )


def test_what_is_held_takes_no_correction() -> None:
    fine = finest(random_weight((3, 4, 5)), clamped(), DIAGONAL)
    d, z = (random_nodal(fine, seed, np.float32) for seed in (1, 2))
    expected_d, expected_z = d.copy(), z.copy()
    for place in fine.mesh.fixed:
        expected_z[place] = z[place] - d[place]
        expected_d[place] = 0.0
    hold(fine.mesh, d, z)
    np.testing.assert_array_equal(d, expected_d)
    np.testing.assert_array_equal(z, expected_z)
