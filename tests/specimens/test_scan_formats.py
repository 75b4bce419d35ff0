"""Every image format gives the same ball, and the ball has its geometric volume."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.specimens.scan import ScanParameters, read_scan

VOXEL_UM = 20.0
SHAPE = (20, 24, 28)  # z, y, x: all different, so that a mixed-up axis cannot hide
CENTRE_UM = (180.0, 260.0, 300.0)
RADIUS_UM = 130.0

Write = Callable[[Path, NDArray[np.float32]], Path]


@pytest.fixture(scope="module")
def ball() -> NDArray[np.float32]:
    """Grey values that fall by 1 per um from 1000 on the surface of a ball."""
    place = np.meshgrid(*((np.arange(n) + 0.5) * VOXEL_UM for n in SHAPE), indexing="ij")
    away = np.sqrt(sum((p - c) ** 2 for p, c in zip(place, CENTRE_UM, strict=True)))
    return (1000.0 + RADIUS_UM - away).astype(np.float32)


def _tiff(folder: Path, grey: NDArray[np.float32]) -> Path:
    import tifffile

    tifffile.imwrite(folder / "ball.tif", grey, compression="zlib")
    return folder / "ball.tif"


def _tiff_folder(folder: Path, grey: NDArray[np.float32]) -> Path:
    import tifffile

    for k, page in enumerate(grey):
        tifffile.imwrite(folder / f"slice_{k:03d}.tiff", page)
    return folder


def _imagej(folder: Path, grey: NDArray[np.float32]) -> Path:
    import tifffile

    per_um = 1.0 / VOXEL_UM
    tifffile.imwrite(
        folder / "ball.tif",
        grey,
        imagej=True,
        resolution=(per_um, per_um),
        metadata={"spacing": VOXEL_UM, "unit": "um", "axes": "ZYX"},
    )
    return folder / "ball.tif"


def _nrrd(folder: Path, grey: NDArray[np.float32]) -> Path:
    import nrrd

    header = {
        "space directions": np.eye(3) * VOXEL_UM / 1000.0,
        "space dimension": 3,
        "space units": ["mm"] * 3,
    }
    nrrd.write(str(folder / "ball.nrrd"), grey, header, index_order="C")
    return folder / "ball.nrrd"


def _vtk_image(grey: NDArray[np.float32]) -> object:
    import pyvista

    image = pyvista.ImageData(
        dimensions=grey.shape[::-1], spacing=(VOXEL_UM / 1000.0,) * 3, origin=(0.0, 0.0, 0.0)
    )
    image.point_data["grey"] = grey.ravel()
    return image


def _vti(folder: Path, grey: NDArray[np.float32]) -> Path:
    _vtk_image(grey).save(folder / "ball.vti")  # type: ignore[attr-defined]
    return folder / "ball.vti"


def _vti_cells(folder: Path, grey: NDArray[np.float32]) -> Path:
    import pyvista

    image = pyvista.ImageData(
        dimensions=np.array(grey.shape[::-1]) + 1, spacing=(VOXEL_UM / 1000.0,) * 3
    )
    image.cell_data["grey"] = grey.ravel()
    image.save(folder / "ball.vti")
    return folder / "ball.vti"


def _mha(folder: Path, grey: NDArray[np.float32]) -> Path:
    z, y, x = grey.shape
    size = VOXEL_UM / 1000.0
    header = (
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"CompressedData = False\nElementSpacing = {size} {size} {size}\nDimSize = {x} {y} {z}\n"
        "ElementType = MET_FLOAT\nElementDataFile = LOCAL\n"
    )
    (folder / "ball.mha").write_bytes(header.encode() + grey.astype("<f4").tobytes())
    return folder / "ball.mha"


def _nifti(folder: Path, grey: NDArray[np.float32]) -> Path:
    """A NIfTI-1 file written field by field, after the standard."""
    header = np.zeros(352, dtype=np.uint8)

    def put(offset: int, kind: str, *values: float) -> None:
        data = np.array(values, dtype=kind).tobytes()
        header[offset : offset + len(data)] = np.frombuffer(data, dtype=np.uint8)

    z, y, x = grey.shape
    size = VOXEL_UM / 1000.0
    put(0, "<i4", 348)
    put(40, "<i2", 3, x, y, z, 1, 1, 1, 1)
    put(70, "<i2", 16, 32)  # float32
    put(76, "<f4", 1.0, size, size, size)
    put(108, "<f4", 352.0, 1.0, 0.0)
    put(123, "u1", 2)  # mm
    put(344, "u1", *b"n+1\0")
    (folder / "ball.nii").write_bytes(header.tobytes() + grey.astype("<f4").tobytes())
    return folder / "ball.nii"


def _npy(folder: Path, grey: NDArray[np.float32]) -> Path:
    np.save(folder / "ball.npy", grey)
    return folder / "ball.npy"


WITH_SIZE = [_imagej, _nrrd, _mha, _nifti]
WITHOUT_SIZE = [_tiff, _tiff_folder, _npy, _vti, _vti_cells]


@pytest.fixture(scope="module")
def reference(ball: NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory) -> object:
    path = _npy(tmp_path_factory.mktemp("reference"), ball)
    return read_scan(ScanParameters(path=str(path), voxel_um=VOXEL_UM, threshold=1000.0)).quanta


@pytest.mark.parametrize("write", WITH_SIZE + WITHOUT_SIZE, ids=lambda w: w.__name__.strip("_"))
def test_every_format_gives_the_same_quanta(
    write: Write, ball: NDArray[np.float32], reference: NDArray[np.uint8], tmp_path: Path
) -> None:
    size = None if write in WITH_SIZE else VOXEL_UM
    path = write(tmp_path, ball)
    scan = read_scan(ScanParameters(path=str(path), voxel_um=size, threshold=1000.0))
    assert scan.voxel_um == pytest.approx(VOXEL_UM)
    assert scan.quanta.shape == SHAPE
    assert scan.quanta.dtype == np.uint8
    np.testing.assert_array_equal(scan.quanta, reference)


def test_quanta_of_a_ball_have_its_volume_and_centre(reference: NDArray[np.uint8]) -> None:
    fraction = reference / 255.0
    volume = fraction.sum() * VOXEL_UM**3
    assert volume == pytest.approx(4.0 / 3.0 * np.pi * RADIUS_UM**3, rel=0.01)
    for axis in range(3):
        others = tuple(n for n in range(3) if n != axis)
        place = (np.arange(SHAPE[axis]) + 0.5) * VOXEL_UM
        mean = (fraction.sum(axis=others) * place).sum() / fraction.sum()
        assert mean == pytest.approx(CENTRE_UM[axis], abs=0.5)


@pytest.mark.parametrize("write", WITHOUT_SIZE, ids=lambda w: w.__name__.strip("_"))
def test_a_missing_voxel_size_is_asked_for(
    write: Write, ball: NDArray[np.float32], tmp_path: Path
) -> None:
    path = write(tmp_path, ball)
    with pytest.raises(InputError, match="give voxel_um"):
        read_scan(ScanParameters(path=str(path), threshold=1000.0))


@pytest.mark.parametrize("write", WITH_SIZE, ids=lambda w: w.__name__.strip("_"))
def test_a_voxel_size_replaces_that_of_the_header_and_is_noted(
    write: Write, ball: NDArray[np.float32], tmp_path: Path
) -> None:
    path = write(tmp_path, ball)
    scan = read_scan(ScanParameters(path=str(path), voxel_um=25.0, threshold=1000.0))
    assert scan.voxel_um == 25.0
    assert any("25 um as given, not the 20 x 20 x 20 um" in note for note in scan.notes)


@pytest.mark.parametrize("target_um", [12.5, 25.0, 33.0])
def test_resampling_keeps_the_ball(
    target_um: float, ball: NDArray[np.float32], tmp_path: Path
) -> None:
    path = _npy(tmp_path, ball)
    scan = read_scan(
        ScanParameters(path=str(path), voxel_um=VOXEL_UM, threshold=1000.0, resample_um=target_um)
    )
    assert scan.voxel_um == target_um
    volume = scan.quanta.sum() / 255.0 * target_um**3
    assert volume == pytest.approx(4.0 / 3.0 * np.pi * RADIUS_UM**3, rel=0.03)
    middle = np.argwhere(scan.quanta >= 128).mean(axis=0)
    assert (middle + 0.5) * target_um == pytest.approx(CENTRE_UM, abs=0.1 * target_um)
    assert any("resampled from 20" in note for note in scan.notes)
