"""One volume as ISQ, AIM, DICOM, slices and NRRD: one array, one voxel size, the same measures."""

from collections.abc import Callable
from pathlib import Path

import nrrd
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

import bonesim
from bonesim.errors import CorruptFileError, InputError
from bonesim.images import read_image
from tests.images import dicom_files, scanco_files


def phantom() -> np.ndarray:
    """Struts of a grid without symmetry, uint8."""
    z, y, x = np.indices((30, 26, 22)).astype(float)
    dz, dy, dx = ((a - o + 6) % 12 - 6 for a, o in ((z, 4), (y, 5), (x, 3)))
    bone = np.minimum.reduce([dy**2 + dx**2, dz**2 + dx**2, dz**2 + dy**2]) < 2.4**2
    noise = np.random.default_rng(1).normal(0, 3, bone.shape)
    return np.clip(40 + 160 * gaussian_filter(bone * 1.0, 0.7) + noise, 0, 255).astype(np.uint8)


GREY = phantom()


def as_nrrd(folder: Path) -> Path:
    header = {
        "space": "left-posterior-superior", "space units": ["mm"] * 3,
        "space directions": np.eye(3) * 0.02, "space origin": [0, 0, 0],
    }  # fmt: skip
    nrrd.write(str(folder / "a.nrrd"), GREY, header, index_order="C")
    return folder / "a.nrrd"


def as_isq(folder: Path) -> Path:
    return scanco_files.write(folder / "C0001234.ISQ;1", scanco_files.isq(GREY))


def as_aim(folder: Path) -> Path:
    return scanco_files.write(folder / "C1.AIM", scanco_files.aim(GREY, version=30))


def as_old_aim(folder: Path) -> Path:
    return scanco_files.write(folder / "C1.AIM", scanco_files.aim(GREY))


def as_dicom(folder: Path) -> Path:
    return dicom_files.series(folder / "d", GREY, names="{:d}")


def as_sagittal_dicom(folder: Path) -> Path:
    """Slices along x, rows from head to foot."""
    turned = np.ascontiguousarray(GREY.transpose(2, 0, 1)[:, ::-1])
    top = (len(GREY) - 1) * 0.02
    return dicom_files.series(
        folder / "d", turned[::-1], orientation=[0, 1, 0, 0, 0, -1],
        origin=((GREY.shape[2] - 1) * 0.02, 0, top),
    )  # fmt: skip


def as_frames(folder: Path) -> Path:
    return dicom_files.save(dicom_files.enhanced(GREY.astype(np.uint16)), folder / "a.dcm")


def as_slices(ending: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        place = folder / ending
        place.mkdir()
        for n, page in enumerate(GREY):
            Image.fromarray(page).save(place / f"sample_rec{n:04d}.{ending}")
        log = (
            "[Acquisition]\nImage Pixel Size (um)=10.00\n[Reconstruction]\nPixel Size (um)=20.00\n"
        )
        (place / "sample_rec.log").write_text(log)
        Image.fromarray(GREY[0]).save(place / f"sample_rec_spr.{ending}")
        return place

    return write


WRITERS = {
    "nrrd": as_nrrd, "isq": as_isq, "aim": as_aim, "old aim": as_old_aim, "dicom": as_dicom,
    "sagittal dicom": as_sagittal_dicom, "frames": as_frames, "png": as_slices("png"),
    "bmp": as_slices("bmp"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_one_array_and_voxel_size(tmp_path: Path, name: str) -> None:
    image = read_image(WRITERS[name](tmp_path))
    expected = GREY.astype(float) - (1000.0 if name == "frames" else 0.0)
    np.testing.assert_array_equal(image.values, expected)
    assert image.voxel_um == 20.0


def test_the_same_measures(tmp_path: Path) -> None:
    tables = []
    for n, (name, write) in enumerate(WRITERS.items()):
        folder = tmp_path / str(n)
        folder.mkdir()
        threshold = 120.0 - (1000.0 if name == "frames" else 0.0)
        tables.append(bonesim.measure(write(folder), quick=True, threshold=threshold)["value"])
    assert len(tables[0]) > 5
    for other in tables[1:]:
        np.testing.assert_array_equal(other, tables[0])


def test_jpeg_slices_are_noted_as_lossy(tmp_path: Path) -> None:
    image = read_image(as_slices("jpg")(tmp_path))
    assert image.voxel_um == 20.0 and np.abs(image.values.astype(int) - GREY).mean() < 8
    assert any("lossy" in note for note in image.notes)


def test_a_slice_alone_is_refused(tmp_path: Path) -> None:
    pages = (as_dicom(tmp_path) / "3", as_slices("png")(tmp_path) / "sample_rec0001.png")
    for one in pages:
        with pytest.raises(InputError, match="give the folder of all slices"):
            read_image(one)


def test_names_do_not_matter(tmp_path: Path) -> None:
    """Content decides: an ISQ named .tif is an ISQ, with a note."""
    path = scanco_files.write(tmp_path / "a.tif", scanco_files.isq(GREY))
    image = read_image(path)
    np.testing.assert_array_equal(image.values, GREY)
    assert any("content is ISQ" in note for note in image.notes)
    for name in ("a.isq", "a.aim", "a.dcm"):
        (tmp_path / name).write_bytes(b"nothing of the kind" * 40)
        with pytest.raises(CorruptFileError):
            read_image(tmp_path / name)


def test_a_missing_dicom_slice_is_refused(tmp_path: Path) -> None:
    folder = as_dicom(tmp_path)
    (folder / "7").unlink()
    with pytest.raises(InputError, match="slices are missing"):
        read_image(folder)
