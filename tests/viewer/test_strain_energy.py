"""Strain energy on the bone surface: the right colour in the right place, one scale for all."""

import numpy as np
import pytest
from matplotlib import colormaps

from bonesim.errors import InputError
from bonesim.viewer import palette
from bonesim.viewer.strain_energy import Strained, paint_energy, scale_of
from bonesim.viewer.surface import RGB, bone_block


def slab() -> tuple[np.ndarray, np.ndarray]:
    """Bone in the middle of 20 voxels, and its elements of 2 voxels: more strained at large z."""
    quanta = np.zeros((20, 20, 20), np.uint8)
    quanta[:, 6:14, :] = 255
    energy = np.zeros((10, 10, 10), np.float32)
    energy[:5, 3:7, :], energy[5:, 3:7, :] = 1e-3, 1e-1
    return quanta, energy


def test_colours_follow_energy_and_marrow_does_not_dilute_them() -> None:
    quanta, energy = slab()
    block = bone_block(quanta, 0.02)
    bone = Strained(energy, 0.04, 1.0)
    scale = scale_of([bone])
    paint_energy(block, bone, scale)
    z = np.asarray(block.surface.points)[:, 2]
    for chosen, level in ((z < 0.15, 0.0), (z > 0.25, 1.0)):
        wanted = 255 * np.array(colormaps[palette.NUMBER_MAP](level)[:3])
        assert abs(block.surface.point_data[RGB][chosen] - wanted).max() <= 2


def test_one_scale_for_all_snapshots() -> None:
    _, energy = slab()
    scale = scale_of([Strained(energy, 0.04, 1.0), Strained(10 * energy, 0.04, 1.0)])
    assert scale.vmin == pytest.approx(1e-3)
    assert scale.vmax == pytest.approx(1.0)
    with pytest.raises(InputError, match="no bone joins two opposite faces") as error:
        scale_of([Strained(0 * energy, 0.04, np.nan)])
    assert error.value.parameter == "colour"


def test_stiffness_as_text() -> None:
    _, energy = slab()
    assert Strained(energy, 0.04, 74.7).text() == "stiffness along z 74.7 MPa"
    assert Strained(energy, 0.04, np.nan).text() == "carries nothing along z"
