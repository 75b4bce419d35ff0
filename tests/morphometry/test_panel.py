"""The panel on blocks whose numbers are known, and its refusals."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.morphometry.domain import RIM_VOXEL
from bonesim.morphometry.panel import QUICK, measure
from tests.morphometry.phantoms import ball, places, sampled, turned


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


def test_a_rim_is_seen_and_not_counted_which_the_method_states() -> None:
    quanta = np.zeros((60, 20, 20), np.uint8)
    quanta[25:35] = 255
    found = measure(quanta, 20.0)
    assert found["block_bvtv_percent"].value == pytest.approx(100 / 6)
    assert found["bvtv_percent"].value == pytest.approx(100 * 10 / 56)
    for name in ("bvtv_percent", "tv_mm3"):
        assert f"all but a rim of {RIM_VOXEL} voxels" in found[name].method


def test_turned_bone_measures_the_same() -> None:
    rng = np.random.default_rng(4)
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(rng.normal(size=(40, 40, 40)), 3)
    quanta = np.where(noise > 0.02, 255, 0).astype(np.uint8)
    one = measure(quanta, 20.0)
    for axes in ((1, 2, 0), (2, 1, 0)):
        other = measure(np.ascontiguousarray(quanta.transpose(axes)[::-1]), 20.0)
        for name in (*QUICK, "euler", "tv_mm3", "bv_mm3"):
            assert other[name].value == pytest.approx(one[name].value, rel=2e-3, abs=1e-9), name
        # Marching cubes and thinning have a direction of their own.
        for name in ("smi", "da", "mil_1_um", "mil_2_um", "mil_3_um"):
            assert other[name].value == pytest.approx(one[name].value, rel=0.01), name


def waves(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bone-like: forty plane waves of one length, those along z weaker (Cahn 1965)."""
    rng = np.random.default_rng(8)
    ways = rng.normal(size=(40, 3)) * np.array([0.6, 1.0, 1.0])
    ways *= 2 * np.pi / 18 / np.linalg.norm(ways, axis=1, keepdims=True)
    field = sum(
        np.cos(np.tensordot(way, place, 1) + turn)
        for way, turn in zip(ways, rng.uniform(0, 2 * np.pi, 40), strict=True)
    )
    return np.asarray(field) / np.sqrt(20) - 0.5


@pytest.mark.long
def test_bone_turned_by_30_degrees_measures_the_same() -> None:
    """Within 2 %: the same part (a ball) of the same bone, in other voxels."""
    region = ball(places(100), 46.0) > 0
    one, other = (
        {n: m.value for n, m in measure(sampled(3.0 * waves(turned(places(100), a))), 20.0, region).items()}
        for a in (0.0, 30.0)
    )  # fmt: skip
    for name in ("bvtv_percent", "tb_th_um", "tb_sp_um", "tb_n_per_mm", "bstv_per_mm",
                 "bsbv_per_mm", "conn_d_per_mm3", "da", "smi"):  # fmt: skip
        assert other[name] == pytest.approx(one[name], rel=0.02), name
    # Skeletons keep one of two equal voxels: shares agree within 2 points, counts within 5 %,
    # those of rods, which are cut short where plates begin, less well.
    assert other["plate_share_percent"] == pytest.approx(one["plate_share_percent"], abs=2)
    for name, most in (("nodes_per_mm3", 0.05), ("struts_per_mm3", 0.05), ("rod_n_per_mm", 0.08)):
        assert other[name] == pytest.approx(one[name], rel=most), name


def test_the_voxel_scales_lengths() -> None:
    fine, coarse = (measure(plates(12, 4), um) for um in (10.0, 20.0))
    assert coarse["tb_th_um"].value == pytest.approx(2 * fine["tb_th_um"].value)
    assert coarse["bstv_per_mm"].value == pytest.approx(fine["bstv_per_mm"].value / 2)


@pytest.mark.parametrize("full", [0, 255])
def test_all_marrow_and_all_bone_have_a_fraction_and_documented_nans(full: int) -> None:
    found = measure(np.full((9, 9, 9), full, np.uint8), 20.0)
    assert found["bvtv_percent"].value == (100.0 if full else 0.0)
    assert found["fragments"].value == 0
    for name in ("tb_th_um", "tb_sp_um", "conn_d_per_mm3", "smi", "da", "plate_share_percent"):
        assert math.isnan(found[name].value), name


def test_one_voxel_thick_bone_is_measured() -> None:
    quanta = np.zeros((9, 9, 9), np.uint8)
    quanta[4] = 255
    found = {name: one.value for name, one in measure(quanta, 20.0).items()}
    assert found["tb_th_um"] == pytest.approx(20, abs=10.1)
    assert found["conn_d_per_mm3"] * (4 * 0.02) ** 3 == pytest.approx(1.0)  # one piece, no handle
    assert not math.isinf(found["bstv_per_mm"])


def test_a_tunnel_of_one_voxel_is_no_connection_and_a_wider_one_is() -> None:
    handles = {}
    for wide in (1, 4):
        quanta = np.zeros((16, 16, 16), np.uint8)
        quanta[5:11] = 255
        quanta[5:11, 6 : 6 + wide, 6 : 6 + wide] = 0
        found = measure(quanta, 20.0, quick=True)
        cubes = 0.22**3  # 12 voxels a side without the rim: 11 cubes between their centres
        handles[wide] = [
            round(found[name].value * cubes)
            for name in ("conn_d_unfiltered_per_mm3", "conn_d_per_mm3")
        ]
    assert handles[1][0] - handles[1][1] == 1
    assert handles[4][0] == handles[4][1] == handles[1][0]


def test_a_region_counts_only_itself() -> None:
    """Two halves of one block add up; what lies beyond is seen but not counted."""
    quanta = plates(12, 4)
    halves = [np.zeros(quanta.shape, bool) for _ in range(2)]
    halves[0][:26], halves[1][26:] = True, True
    whole = measure(quanta, 20.0, np.ones(quanta.shape, bool))
    parts = [measure(quanta, 20.0, half) for half in halves]
    for name in ("bv_mm3", "tv_mm3"):
        assert sum(part[name].value for part in parts) == pytest.approx(whole[name].value)
    assert parts[0]["tb_th_um"].value == pytest.approx(whole["tb_th_um"].value)


def test_the_quick_panel_is_part_of_the_whole() -> None:
    quick, whole = (measure(plates(12, 4), 20.0, quick=q) for q in (True, False))
    assert tuple(quick) == QUICK
    for name in QUICK:
        assert quick[name] == whole[name]


@pytest.mark.parametrize(
    ("shape", "region", "message"),
    [
        ((6, 9, 9), None, "too small"),
        ((9, 9, 9), np.zeros((9, 9, 9), bool), "no voxel"),
        ((9, 9, 9), np.ones((8, 9, 9), bool), "must match"),
        ((9, 9, 9), np.arange(729).reshape(9, 9, 9) == 4, "two voxels thick"),
    ],
)
def test_nothing_to_measure_is_an_error(
    shape: tuple[int, int, int], region: NDArray[np.bool_] | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        measure(np.zeros(shape, np.uint8), 20.0, region)
