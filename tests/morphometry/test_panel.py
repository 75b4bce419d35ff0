"""The panel on blocks whose numbers are known, and its refusals."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.morphometry.panel import PANEL, measure
from bonesim.morphometry.volume import bone_volume_fraction, surface_area_voxel


def plates(pitch: int, thick: int, axis: int = 0) -> NDArray[np.uint8]:
    """A stack of plates; edge is a multiple of the pitch, plus the rim that is left out."""
    n = 4 * pitch + 4
    place = np.arange(n) - 2
    quanta = np.zeros((n, n, n), np.uint8)
    at = [np.newaxis] * 3
    at[axis] = slice(None)  # type: ignore[call-overload]
    quanta[:] = np.where((place - 3) % pitch < thick, 255, 0).astype(np.uint8)[tuple(at)]
    return quanta


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_stack_of_plates(axis: int) -> None:
    found = {name: m.value for name, m in measure(plates(12, 4, axis), 20.0).items()}
    assert found["bvtv_percent"] == pytest.approx(100 / 3)
    assert found["tb_th_um"] == pytest.approx(80, abs=20)
    assert found["tb_sp_um"] == pytest.approx(160, abs=30)
    assert found["bstv_per_mm"] == pytest.approx(2 / 0.24, rel=0.05)
    assert found["tb_n_per_mm"] == pytest.approx(1 / 0.24, rel=0.1)
    assert found["fragments"] == 3


def test_a_ball_s_surface_is_the_ball_s() -> None:
    """With the boundary voxels partly full, within 2 %; faces of voxels would be 50 % too much."""
    n, r = 40, 14.0
    c = np.indices((n, n, n)) + 0.5 - n / 2
    distance = np.sqrt((c**2).sum(axis=0))
    quanta = np.round(255 * np.clip(r - distance + 0.5, 0, 1)).astype(np.uint8)
    assert surface_area_voxel(quanta) == pytest.approx(4 * math.pi * r**2, rel=0.02)
    assert bone_volume_fraction(quanta) * n**3 == pytest.approx(4 / 3 * math.pi * r**3, rel=0.01)


def test_partial_volume_counts() -> None:
    assert bone_volume_fraction(np.full((3, 3, 3), 51, np.uint8)) == pytest.approx(0.2)
    for flat in (0, 255):
        assert surface_area_voxel(np.full((3, 3, 3), flat, np.uint8)) == 0.0


def test_turned_bone_measures_the_same() -> None:
    rng = np.random.default_rng(4)
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(rng.normal(size=(40, 40, 40)), 3)
    quanta = np.where(noise > 0.02, 255, 0).astype(np.uint8)
    one = measure(quanta, 20.0)
    for axes in ((1, 2, 0), (2, 1, 0)):
        other = measure(np.ascontiguousarray(quanta.transpose(axes)[::-1]), 20.0)
        for name in PANEL:
            assert other[name].value == pytest.approx(one[name].value, rel=2e-3, abs=1e-9), name


def test_the_voxel_scales_lengths() -> None:
    fine, coarse = (measure(plates(12, 4), um) for um in (10.0, 20.0))
    assert coarse["tb_th_um"].value == pytest.approx(2 * fine["tb_th_um"].value)
    assert coarse["bstv_per_mm"].value == pytest.approx(fine["bstv_per_mm"].value / 2)


@pytest.mark.parametrize(
    ("quanta", "said"),
    [
        (np.zeros((9, 9, 9), np.uint8), "no bone"),
        (np.full((9, 9, 9), 255, np.uint8), "nothing but bone"),
        (np.zeros((6, 9, 9), np.uint8), "too small"),
    ],
)
def test_nothing_to_measure_is_told(quanta: NDArray[np.uint8], said: str) -> None:
    with pytest.raises(InputError, match=said):
        measure(quanta, 20.0)
