"""Passing between nodes and rigid bodies against the matrix."""

import numpy as np

from bonesim.mechanics.mesh import finest
from bonesim.mechanics.transfer import prolong, restrict
from tests.mechanics.structures import (
    DIAGONAL,
    FREE,
    SHAPES,
    bodies,
    clamped,
    grouped,
    plates,
    random_nodal,
    random_weight,
)

PARTS = 3


def test_down_and_up_are_rigid_motion_and_its_transpose() -> None:
    rng = np.random.default_rng(1)
    for held in (FREE, clamped()):
        for weight in [random_weight(shape, 5, 0.35) for shape in SHAPES] + [plates()]:
            level = finest(weight, held, DIAGONAL)
            groups, _ = grouped(level)
            single = groups._replace(centres=groups.centres.astype(np.float32))
            count, stride = len(groups.centres), level.mesh.stride
            scale = np.tril(rng.normal(size=(count, 6, 6))).astype(np.float32)
            matrix = bodies(level, groups)
            for a in range(count):
                matrix[:, 6 * a : 6 * a + 6] @= scale[a].T
            residual, change, z = (random_nodal(level, seed, np.float32) for seed in (1, 2, 3))
            for vector in (residual, change, z):
                vector[level.mesh.fixed] = 0.0
            out = np.full(6 * count, 9.0, np.float32)
            for part in range(PARTS):
                restrict(residual, change, stride, level.places, single, scale, out, part, PARTS)
            expected = matrix.T @ (residual - change)
            np.testing.assert_allclose(out, expected, atol=1e-5 * np.abs(expected).max())

            motion = rng.normal(size=6 * count).astype(np.float32)
            expected = z + 1.5 * matrix @ motion
            factor = np.float32(1.5)
            for part in range(PARTS):
                prolong(motion, factor, stride, level.places, single, scale, z, part, PARTS)
            z[level.mesh.fixed] = 0.0
            np.testing.assert_allclose(z, expected, atol=1e-5 * np.abs(expected).max())
