"""Bad scans are refused in one line; what is done to good ones is in the notes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.errors import BonesimError, CorruptFileError, InputError
from bonesim.specimens.scan import ScanParameters, quanta_of_grey, read_scan


def block() -> NDArray[np.float32]:
    """A bar of bone (200) in marrow (50)."""
    grey = np.full((16, 18, 20), 50.0, dtype=np.float32)
    grey[:, 6:12, 6:13] = 200.0
    return grey


def rough(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Values in [0, 1) without any order to them."""
    values = np.sin(np.arange(np.prod(shape)) * 12.9898) * 43758.5453
    return np.asarray(values % 1.0, dtype=np.float32).reshape(shape)


def read(path: Path, grey: NDArray[Any] | None = None, **settings: Any) -> Any:
    if grey is not None:
        np.save(path, grey)
    settings.setdefault("voxel_um", 20.0)
    return read_scan(ScanParameters(path=str(path), **settings))


def with_nan() -> NDArray[np.float32]:
    grey = block()
    grey[3, 4, 5] = np.nan
    return grey


@pytest.mark.parametrize(
    ("grey", "settings", "message"),
    [
        (with_nan(), {}, "1 of 5760 voxels are NaN or infinite"),
        (np.zeros((8, 8, 8)), {}, "every voxel has the grey value 0"),
        (block(), {"threshold": 300}, "makes no voxel bone; grey values go from 50 to 200"),
        (block(), {"threshold": 10}, "makes every voxel bone"),
        (block(), {"voxel_um": 82.0}, "too coarse to show trabeculae; at most 65 um"),
        (block(), {"voxel_um": 2.0}, "finer than the 10 um"),
        (np.zeros((8, 8)), {}, "has 2 dimension"),
        (np.zeros((8, 8, 8, 3), dtype=np.uint8), {}, "colour image"),
        (np.zeros((8, 8, 2)), {}, "at least 3 along each"),
        (block().astype(complex), {}, "allowed are real numbers"),
        (block(), {"crop_voxel": (0, 30, 0, 8, 0, 8)}, "reaches outside the image"),
        (block(), {"threshold": 100, "mask": "other.npy"}, "both a threshold and a mask"),
    ],
)
def test_bad_images_are_refused_in_one_line(
    grey: NDArray[Any], settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "scan.npy"
    with pytest.raises(InputError) as caught:
        read(path, grey, **settings)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "nothing.tif")
    (tmp_path / "scan.xyz").write_bytes(b"something else")
    with pytest.raises(InputError, match=r"unsupported format .xyz; use one of .tif"):
        read(tmp_path / "scan.xyz")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no slices"):
        read(tmp_path / "empty")


@pytest.mark.parametrize("suffix", [".tif", ".nrrd", ".npy", ".nii", ".mha", ".vti"])
def test_damaged_files_are_reported_in_one_line(
    suffix: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"scan{suffix}"
    path.write_bytes(b"this is no image at all\n" * 40)
    with pytest.raises(BonesimError) as caught:
        read(path)
    assert isinstance(caught.value, CorruptFileError | InputError)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "scan.npy"
    np.save(path, np.array([[[{"a": 1}]]], dtype=object), allow_pickle=True)
    with pytest.raises(CorruptFileError):
        read(path)


def test_absurd_dimensions_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "scan.nrrd"
    path.write_bytes(
        b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 100000 100000 100000\nencoding: raw\n\n"
    )
    with pytest.raises(InputError, match="100000 x 100000 x 100000 voxels"):
        read(path)


def test_colour_and_stretched_voxels_are_refused(tmp_path: Path) -> None:
    import nrrd
    import tifffile

    tifffile.imwrite(
        tmp_path / "rgb.tif", np.zeros((4, 8, 8, 3), dtype=np.uint8), photometric="rgb"
    )
    with pytest.raises(InputError, match="colour"):
        read(tmp_path / "rgb.tif")
    nrrd.write(
        str(tmp_path / "flat.nrrd"), block(), {"spacings": [0.02, 0.02, 0.05], "units": ["mm"] * 3}
    )
    with pytest.raises(InputError, match="not cubes"):
        read(tmp_path / "flat.nrrd", voxel_um=None)


def test_everything_done_is_noted(tmp_path: Path) -> None:
    grey = block()
    grey[1:3, 1:3, 1:3] = 200.0  # a loose piece
    grey[8, 8:10, 8:10] = 50.0  # a sealed cavity
    specimen = read(tmp_path / "scan.npy", grey, threshold=125.0)
    notes = "\n".join(specimen.notes)
    assert "dropped 1 loose piece(s) of bone, 8 voxels" in notes
    assert f"{100 * 8 / (16 * 6 * 7 - 4 + 8):.2g} % of the bone" in notes
    assert "filled 1 sealed marrow cavities, 4 voxels" in notes
    assert "(z, y, x)" in notes
    bone = specimen.quanta >= 128
    assert np.count_nonzero(bone) == 16 * 6 * 7
    assert specimen.quanta[:4, :4, :4].max() == 0


def test_otsu_is_used_and_noted_without_a_threshold(tmp_path: Path) -> None:
    specimen = read(tmp_path / "scan.npy", block())
    assert any("Otsu's method chose 125 of" in note for note in specimen.notes)
    given = read(tmp_path / "scan.npy", block(), threshold=125.0)
    np.testing.assert_array_equal(specimen.quanta, given.quanta)


def test_a_mask_replaces_the_threshold(tmp_path: Path) -> None:
    mask = tmp_path / "mask.npy"
    np.save(mask, (block() > 100).astype(np.uint8) * 7)
    noise = rough(block().shape)
    specimen = read(tmp_path / "scan.npy", noise, mask=str(mask))
    np.testing.assert_array_equal(specimen.quanta >= 128, block() > 100)
    np.save(mask, np.ones((5, 5, 5)))
    with pytest.raises(InputError, match=r"mask does not fit scan\.npy: it has 5 x 5 x 5 voxels"):
        read(tmp_path / "scan.npy", mask=str(mask))


def test_a_crop_is_in_x_y_z_order(tmp_path: Path) -> None:
    specimen = read(
        tmp_path / "scan.npy", block(), threshold=125.0, crop_voxel=(5, 15, 4, 14, 2, 10)
    )
    assert specimen.quanta.shape == (8, 10, 10)
    expected = block()[2:10, 4:14, 5:15] > 100
    np.testing.assert_array_equal(specimen.quanta >= 128, expected)


@pytest.mark.parametrize(("voxel_um", "target_um"), [(50.0, 25.0), (65.0, 65.0 / 3), (42.0, 21.0)])
def test_coarse_scans_are_resampled_to_20_to_25_um(
    voxel_um: float, target_um: float, tmp_path: Path
) -> None:
    specimen = read(tmp_path / "scan.npy", block(), threshold=125.0, voxel_um=voxel_um)
    assert 20.0 <= specimen.voxel_um <= 25.0
    assert specimen.voxel_um == pytest.approx(target_um)
    edge = np.array(specimen.quanta.shape) * specimen.voxel_um
    assert edge == pytest.approx(np.array(block().shape) * voxel_um, abs=specimen.voxel_um)
    assert any(f"resampled from {voxel_um:g}" in note for note in specimen.notes)


@pytest.mark.parametrize("offset", [0.0, 0.2, 0.5, 0.8])
def test_a_flat_surface_is_placed_within_a_hundredth_of_a_voxel(offset: float) -> None:
    z = np.arange(24)[:, None, None] + 0.5
    blurred = 1.0 / (1.0 + np.exp((z - 12.0 - offset) / 0.7))
    grey = np.broadcast_to(blurred, (24, 6, 6)).astype(np.float32)
    column = quanta_of_grey(grey, 0.5, 20.0, 20.0)[:, 3, 3]
    assert column.sum() / 255.0 == pytest.approx(12.0 + offset, abs=0.02)
    fine = quanta_of_grey(grey, 0.5, 20.0, 10.0)[:, 6, 6]
    assert fine.sum() / 255.0 / 2 == pytest.approx(12.0 + offset, abs=0.02)


def test_bone_is_where_grey_reaches_the_threshold() -> None:
    grey = np.float32(100) * rough((12, 12, 12))
    quanta = quanta_of_grey(grey, 50.0, 20.0, 20.0)
    clear = np.abs(grey - 50.0) > 1e-3
    np.testing.assert_array_equal((quanta >= 128)[clear], (grey >= 50.0)[clear])
