"""Parts of the brake's law where the answer is plain."""

import numpy as np
import pytest

from bonesim.cells.brake import column, ended, is_solid, rectangles
from tests.mechanics.weakened import Shape, dug


def test_two_layers_are_one_rectangle_if_equally_wide() -> None:
    area, z, moment = rectangles(50.0, 50.0, 30.0, 90.0)
    assert (area, z, moment) == pytest.approx((6000.0, 60.0, 50.0 * 120.0**3 / 12.0))


def test_an_end_out_of_reach_does_not_matter() -> None:
    assert ended(100.0, 200.0, 400.0) == 0.0
    assert ended(50.0, 200.0, 100.0) == pytest.approx(np.exp(-0.25), rel=1e-3)


def test_a_column_has_bone_before_and_left() -> None:
    tissue, voxel, n = dug(Shape("sheet", 120.0, 60.0), np.eye(3))
    lattice = tissue.lattice
    assert is_solid(lattice, voxel)
    assert not is_solid(lattice, voxel + 2 * lattice.stride_z)
    top, bottom, before, left = column(lattice, voxel, *n)
    assert (top, bottom, left) == (-0.5, 5.5, 3.0)
    assert before == pytest.approx(5.75)
