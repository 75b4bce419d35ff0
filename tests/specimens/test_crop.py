"""Crops in voxels and mm, as text and as numbers; density calibrations and thresholds in mgHA/cm3."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bonesim.errors import InputError
from bonesim.specimens.crop import crop_fields, cropped
from bonesim.specimens.density import Calibration
from bonesim.specimens.scan import ScanParameters, read_grey
from tests.images import scanco_files

HERE = Path("scan")
BLOCK = np.arange(30 * 20 * 10, dtype=np.int16).reshape(30, 20, 10)
SLOPE, INTERCEPT = 1603.55 / 4096, -391.209


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("1:4,2:9,0:30", {"crop_voxel": (1, 4, 2, 9, 0, 30)}),
        (" 1:4 , 2:9 ,0:30 voxels", {"crop_voxel": (1, 4, 2, 9, 0, 30)}),
        (":,2:,:5 voxel", {"crop_voxel": (0, -1, 2, -1, 0, 5)}),
        ("1:3,1:3,0:2 mm", {"crop_mm": (1, 3, 1, 3, 0, 2)}),
        ("0.5:1.25,.1:3,:mm", {"crop_mm": (0.5, 1.25, 0.1, 3, 0, -1)}),
    ],
)
def test_text(text: str, fields: dict[str, Any]) -> None:
    assert crop_fields(text) == fields


@pytest.mark.parametrize(
    "text", ["", "1:2", "1:2,3:4", "a:b,1:2,1:2", "1-2,1-2,1-2", "1:2,1:2,1:2 cm", "1:2,1:2,-1:2",
             "1:2,1:2,1:2,1:2", "0.5:2,1:9,1:9", "1:2,1:2,1:nan", "1e3:2,1:2,1:2"],
)  # fmt: skip
def test_no_crop(text: str) -> None:
    with pytest.raises(InputError, match="crop: got"):
        crop_fields(text)


def test_parts_are_views_of_the_block() -> None:
    part, note = cropped(BLOCK, (1, 5, 2, 9, 3, 30), None, 20.0, HERE)
    assert part.base is not None and note == "cropped to x 1-5, y 2-9, z 3-30"
    np.testing.assert_array_equal(part, BLOCK[3:30, 2:9, 1:5])
    part, _ = cropped(BLOCK, (0, -1, 4, -1, 0, 3), None, 20.0, HERE)
    np.testing.assert_array_equal(part, BLOCK[:3, 4:, :])
    assert cropped(BLOCK, None, None, 20.0, HERE)[0] is BLOCK


@pytest.mark.parametrize("voxel_um", [20.0, 19.5, 8.2, 61.0])
def test_mm_are_the_nearest_voxels(voxel_um: float) -> None:
    """Whole voxels in mm come out as these voxels, whatever the rounding; others as the nearest."""
    for low, high in ((0, 9), (1, 4), (3, 10), (2, 7)):
        for off in (0.0, 0.4, -0.4):
            mm = [max(0.0, (n + off) * voxel_um / 1e3) for n in (low, high)]
            if high + off > 10.5:
                continue
            part, _ = cropped(BLOCK, None, (*mm, 0, -1, 0, -1), voxel_um, HERE)
            np.testing.assert_array_equal(part, BLOCK[:, :, low:high])


@pytest.mark.parametrize(
    ("crop", "words"),
    [
        ({"crop_voxel": (0, 11, 0, 20, 0, 30)}, "crop 0:11,0:20,0:30 reaches outside the image of "
         r"10 x 20 x 30 voxels \(x, y, z\), 0.2 x 0.4 x 0.6 mm"),
        ({"crop_mm": (0, 0.1, 0, 0.1, 0.5, 0.7)}, "crop 0:0.1,0:0.1,0.5:0.7 mm reaches outside"),
        ({"crop_voxel": (0, 2, 0, 20, 0, 30)}, "leaves 2 x 20 x 30 voxels of 10 x 20 x 30"),
        ({"crop_voxel": (0, 10, 20, -1, 0, 30)}, "leaves 10 x 0 x 30 voxels"),
        ({"crop_mm": (0, 0.01, 0, 0.4, 0, 0.6)}, "leaves 1 x 20 x 30 voxels"),
    ],
)  # fmt: skip
def test_beyond_the_image_or_empty(tmp_path: Path, crop: dict[str, Any], words: str) -> None:
    np.save(tmp_path / "a.npy", BLOCK)
    with pytest.raises(InputError, match=words):
        read_grey(ScanParameters(path=str(tmp_path / "a.npy"), voxel_um=20, **crop))


@pytest.mark.parametrize(
    "fields",
    [
        {"crop_voxel": (5, 5, 0, 9, 0, 9)}, {"crop_voxel": (-1, 5, 0, 9, 0, 9)},
        {"crop_mm": (1, 0.5, 0, 9, 0, 9)}, {"crop_voxel": (0, 9) * 3, "crop_mm": (0, 1) * 3},
        {"threshold": 1, "threshold_mg": 2}, {"density_slope": 1}, {"density_intercept": 1},
        {"density_slope": 0, "density_intercept": 0}, {"density_slope": -2, "density_intercept": 0},
    ],
)  # fmt: skip
def test_parameters_that_contradict(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ScanParameters(path="a", **fields)


def test_only_the_crop_is_converted(tmp_path: Path) -> None:
    """A crop of a 16-bit volume takes memory for the crop, not for the whole as 32-bit numbers."""
    import tracemalloc

    values = np.zeros((160, 200, 200), np.int16)
    values[::2, ::2] = 1000
    path = scanco_files.write(tmp_path / "a.isq", scanco_files.isq(values))
    tracemalloc.start()
    grey = read_grey(ScanParameters(path=str(path), threshold=500, crop_voxel=(0, 20) * 3))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert grey.values.shape == (20, 20, 20)
    assert peak < 0.2 * values.nbytes


def test_threshold_in_density_of_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(-500, 5000, (9, 8, 7)).astype(np.int16)
    for name, data in (("a.isq", scanco_files.isq(values)), ("a.aim", scanco_files.aim(values))):
        path = scanco_files.write(tmp_path / name, data)
        grey = read_grey(ScanParameters(path=str(path), threshold_mg=320))
        assert grey.threshold == pytest.approx((320 - INTERCEPT) / SLOPE, rel=1e-9)
        assert any("threshold 1816.66 is 320 mgHA/cm3" in note for note in grey.notes)
        by_grey = read_grey(ScanParameters(path=str(path), threshold=1816))
        assert any("is 319.74 mgHA/cm3" in note for note in by_grey.notes)
        own = read_grey(
            ScanParameters(
                path=str(path), threshold_mg=320, density_slope=0.5, density_intercept=-80
            )
        )
        assert own.threshold == 800
        assert any("(0.5 * grey value -80, given)" in note for note in own.notes)


def test_threshold_in_density_without_a_calibration(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", BLOCK)
    with pytest.raises(InputError, match="no density calibration"):
        read_grey(ScanParameters(path=str(tmp_path / "a.npy"), voxel_um=20, threshold_mg=300))


def test_there_and_back() -> None:
    calibration = Calibration(0.37, -51.0, "given")
    for mg in (-50.0, 0.0, 412.5):
        assert calibration.density(calibration.grey(mg)) == pytest.approx(mg, abs=1e-9)
