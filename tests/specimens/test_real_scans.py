"""The two real scans: bone fractions measured by others, and all notes."""

from pathlib import Path

import pytest

from bonesim.errors import InputError
from bonesim.specimens.scan import ScanParameters, read_scan


def test_the_micro_ct_of_a_human_bone_has_its_known_bone_fraction(shared_data: Path) -> None:
    path = shared_data / "lhdl_3155_grey_19p5um.tif"
    specimen = read_scan(
        ScanParameters(path=str(path), voxel_um=19.5, threshold=63.0, smooth_voxel=1.0)
    )
    assert specimen.quanta.shape == (200, 200, 200)
    assert (specimen.quanta >= 128).mean() == pytest.approx(0.234, abs=0.001)
    assert specimen.quanta.mean() / 255.0 == pytest.approx(0.234, abs=0.002)
    assert any("dropped" in note for note in specimen.notes)


def test_a_segmented_scan_of_50_um_is_resampled(shared_data: Path) -> None:
    path = shared_data / "bonebox_04216_roi1_50um.nrrd"
    with pytest.raises(InputError, match="no unit"):
        read_scan(ScanParameters(path=str(path)))
    crop = (50, 150, 50, 150, 50, 150)
    specimen = read_scan(ScanParameters(path=str(path), voxel_um=50.0, crop_voxel=crop))
    assert specimen.voxel_um == 25.0
    assert specimen.quanta.shape == (200, 200, 200)
    assert any("a mask, not grey values" in note for note in specimen.notes)
    assert any("resampled from 50 to 25 um" in note for note in specimen.notes)
    whole = read_scan(ScanParameters(path=str(path), voxel_um=50.0, resample_um=40.0))
    assert whole.quanta.mean() / 255.0 == pytest.approx(0.125, abs=0.004)
