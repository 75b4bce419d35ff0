"""Tb.N in each definition: of plates and rods of known spacing, and of a run seen by a scanner."""

from pathlib import Path

import numpy as np
import pytest

import bonesim
from bonesim.errors import InputError
from bonesim.morphometry.number import middles_of, ridge_distance
from bonesim.morphometry.panel import measure
from tests.morphometry.phantoms import Floats, places, sampled, turned

UM, EDGE = 20.0, 64
#: Voxels of a block that are measured along an edge.
MEASURED = EDGE - 4


def plates(period: float, half: float, degree: float) -> dict[str, float]:
    """The panel of parallel plates, voxels; none lies along a face of the block."""
    first = turned(places(EDGE), degree)[0] + (period / 2.0 if period == 15.0 else 0.0)
    away = (first + period / 2.0) % period - period / 2.0
    return {name: one.value for name, one in measure(sampled(half - np.abs(away)), UM).items()}


def rods(pitch: float, radius: float, degree: float) -> dict[str, float]:
    """The panel of parallel rods on a square grid, voxels."""
    place = turned(places(EDGE), degree)
    y, x = ((place[k] + pitch / 2.0) % pitch - pitch / 2.0 for k in (1, 2))
    return {name: one.value for name, one in measure(sampled(radius - np.hypot(y, x)), UM).items()}


def in_planes(direction: Floats) -> float:
    """Mean of the sines to the three axes: length of a trace over area, over the planes across them."""
    return float(np.sqrt(1.0 - direction**2).mean())


def axis_of(degree: float) -> Floats:
    """What the first axis of `turned` is in the block."""
    unit = np.moveaxis(np.eye(3).reshape(3, 3, 1, 1, 1), 1, 0)
    return turned(unit, degree)[0].ravel()


@pytest.mark.parametrize(
    ("period", "half", "degree"), [(20.0, 3.0, 0.0), (15.0, 2.5, 0.0), (20.0, 3.0, 30.0)]
)
def test_parallel_plates(period: float, half: float, degree: float) -> None:
    """60 voxels hold whole periods: all definitions but sections have 1 over the period."""
    found, number = plates(period, half, degree), 1000.0 / (period * UM)
    for name, exactness in (("tb_n_per_mm", 0.06), ("tb_n_ridges_per_mm", 0.04)):
        assert found[name] == pytest.approx(number, rel=exactness), name
    # Its Tb.Th is right to half a voxel of the six or five that plates are thick.
    assert found["tb_n_volume_per_mm"] == pytest.approx(number, rel=0.5 / (2.0 * half) + 0.02)
    assert found["tb_th_ridges_um"] == pytest.approx(2.0 * half * UM, rel=0.06)
    in_sections = number * 4.0 / np.pi * in_planes(axis_of(degree))
    assert found["tb_n_sections_per_mm"] == pytest.approx(in_sections, rel=0.04)
    thick = 2.0 * half * UM * number / in_sections
    assert found["tb_th_sections_um"] == pytest.approx(thick, rel=0.06)


@pytest.mark.parametrize("degree", [0.0, 30.0])
def test_parallel_rods(degree: float) -> None:
    """The largest sphere between four rods has the diagonal of the grid as its diameter."""
    pitch, radius = 20.0, 3.0
    found = rods(pitch, radius, degree)
    assert found["tb_n_ridges_per_mm"] == pytest.approx(
        1000.0 / (np.sqrt(2.0) * pitch * UM), rel=0.04
    )
    # Of the definition, not of the grid: thickness follows the share of bone.
    assert found["tb_th_ridges_um"] * found["tb_n_ridges_per_mm"] == pytest.approx(
        10.0 * found["bvtv_percent"]
    )
    assert found["tb_n_volume_per_mm"] == pytest.approx(
        10.0 * found["bvtv_percent"] / found["tb_th_um"]
    )


def test_pieces_alone_count_and_specks_do_not() -> None:
    bone = np.zeros((40, 40, 40), bool)
    bone[:, :, 4:8] = bone[:, :, 24:28] = True
    middles = middles_of(bone)
    assert middles[20, 20, 4:8].any()
    assert middles[20, 20, 24:28].any()
    speck = bone.copy()
    speck[20, 20, 15] = True
    np.testing.assert_array_equal(middles_of(speck), middles)
    hollow = bone.copy()
    hollow[20, 20, 25] = False
    np.testing.assert_array_equal(middles_of(hollow), middles)
    assert np.isnan(ridge_distance(np.zeros_like(bone), np.ones_like(bone)))


SMALL = {
    "specimen": {"kind": "synthetic", "size_mm": [1.0, 1.0, 1.0]},
    "schedule": {"burn_in_day": 0, "duration_day": 3, "snapshots_day": [0, 3]},
}


def test_a_run_is_measured_as_its_scans_are(tmp_path: Path) -> None:
    """`scanner` is `scan_like` and then `measure` of the mask."""
    path = bonesim.run(SMALL, tmp_path / "a.vtkhdf")
    scans = bonesim.scan_like(path, tmp_path / "scans", scanner="hr_pqct_61")
    seen = bonesim.measure(path, scanner="hr_pqct_61")
    for scan in scans.to_dict("records"):
        mine = seen[seen["day"] == scan["day"]].set_index("measure")["value"]
        mask = bonesim.measure(tmp_path / "scans" / scan["bone"], threshold=0.5)
        same = mask.set_index("measure")["value"]
        assert mine["block_bvtv_percent"] == pytest.approx(scan["seen_bvtv_percent"])
        assert mine["tb_n_ridges_per_mm"] == pytest.approx(same["tb_n_ridges_per_mm"], nan_ok=True)
    assert set(seen["voxel_um"]) == {60.7}
    assert seen.attrs["notes"][0] == "as hr_pqct_61 sees it: voxels of 60.7 um"


def test_a_scanner_of_arrays_and_what_does_not_go_with_it() -> None:
    bone = sampled(4.0 - np.abs((places(70)[2] + 17.5) % 35.0 - 17.5))
    found = bonesim.measure(bone, UM, quanta=True, scanner="hr_pqct_61")
    assert found["tb_n_ridges_per_mm"].value == pytest.approx(1000.0 / 700.0, rel=0.08)
    with pytest.raises(InputError, match="no scanner 'x'; allowed are micro_ct_20"):
        bonesim.measure(bone, UM, quanta=True, scanner="x")
    with pytest.raises(InputError, match="voxels of its own") as error:
        bonesim.measure(bone, UM, bone > 0, quanta=True, scanner="qct")
    assert error.value.parameter == "scanner"
