"""DICOM series and multi-frame files: order, geometry, kinds of values, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bonesim.errors import CorruptFileError, InputError
from bonesim.images.dicom import read, read_series, recognises
from bonesim.images.stored import Stored
from tests.images import dicom_files as files

RNG = np.random.default_rng(5)
VALUES = RNG.integers(0, 4000, (7, 6, 5)).astype(np.int16)


def read_folder(folder: Path, index: int | None = None) -> Stored:
    return read_series(folder, sorted(folder.iterdir()), index)


@pytest.mark.parametrize("syntax", ["little", "implicit", "big"])
@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4"])
def test_values_and_geometry(tmp_path: Path, syntax: str, bare: bool, kind: str) -> None:
    values = RNG.integers(np.iinfo(kind).min, np.iinfo(kind).max, (4, 6, 5), endpoint=True).astype(
        kind
    )
    folder = files.series(tmp_path / "d", values, syntax=syntax, bare=bare, origin=(1, 2, 3))
    found = read_folder(folder)
    np.testing.assert_array_equal(found.values, values)
    assert found.values.dtype == values.dtype
    assert found.step_um == (20.0, 20.0, 20.0)
    assert found.world == "LPS" and found.origin_um == (1000.0, 2000.0, 3000.0)
    np.testing.assert_array_equal(found.directions, [[0, 0, 1], [0, 1, 0], [1, 0, 0]])
    assert all(recognises(path.read_bytes()[:132]) for path in folder.iterdir())


def test_order_is_that_of_the_positions_not_of_names(tmp_path: Path) -> None:
    folder = files.series(tmp_path / "d", VALUES)
    turned = RNG.permutation(len(VALUES))
    for n, path in enumerate(sorted(folder.iterdir())):
        path.rename(folder / f"x{turned[n]}")
    np.testing.assert_array_equal(read_folder(folder).values, VALUES)


def test_slices_of_another_plane(tmp_path: Path) -> None:
    """Sagittal slices: rows run to posterior, columns to inferior, slices to the left."""
    folder = files.series(tmp_path / "d", VALUES, orientation=[0, 1, 0, 0, 0, -1])
    found = read_folder(folder)
    np.testing.assert_array_equal(found.values, VALUES)
    np.testing.assert_array_equal(found.directions, [[-1, 0, 0], [0, 0, -1], [0, 1, 0]])


def test_stored_bits_are_those_of_the_header(tmp_path: Path) -> None:
    """12 bits of 16, signed or not; what stands in the other bits (an overlay) is no part of them."""
    for signed in (0, 1):
        low = -2048 if signed else 0
        values = RNG.integers(low, low + 4096, (3, 6, 5))
        raw = (values & 0x0FFF | RNG.integers(0, 16, values.shape) << 12).astype(np.uint16)
        folder = files.series(
            tmp_path / f"d{signed}", raw, BitsStored=12, HighBit=11, PixelRepresentation=signed
        )
        np.testing.assert_array_equal(read_folder(folder).values, values)


def test_scale_of_all_slices_or_of_each(tmp_path: Path) -> None:
    same = files.series(tmp_path / "a", VALUES, RescaleSlope=2, RescaleIntercept=-1000)
    found = read_folder(same)
    assert (found.scale, found.offset) == (2.0, -1000.0)
    np.testing.assert_array_equal(found.values, VALUES)
    each = files.series(tmp_path / "b", VALUES, RescaleSlope=lambda n: n + 1, RescaleIntercept=-7)
    found = read_folder(each)
    assert (found.scale, found.offset) == (1.0, 0.0)
    np.testing.assert_array_equal(found.values, VALUES * (1.0 + np.arange(7))[:, None, None] - 7)


@pytest.mark.parametrize(("signed", "ends"), [(0, 4095), (1, -1)])
def test_monochrome1_is_inverted_within_its_bits(tmp_path: Path, signed: int, ends: int) -> None:
    values = RNG.integers(-2048 if signed else 0, 2048, (3, 6, 5)).astype(np.int16)
    given: Any = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": signed}
    folder = files.series(tmp_path / "d", values, PhotometricInterpretation="MONOCHROME1", **given)
    found = read_folder(folder)
    np.testing.assert_array_equal(found.values, ends - values)
    assert any("inverted" in note for note in found.notes)
    kept = files.series(
        tmp_path / "hu", values, PhotometricInterpretation="MONOCHROME1", RescaleType="HU", **given
    )
    found = read_folder(kept)
    np.testing.assert_array_equal(found.values, values)
    assert any("not inverted" in note for note in found.notes)


def test_many_frames_in_one_file(tmp_path: Path) -> None:
    path = files.save(files.enhanced(VALUES, slope=0.5), tmp_path / "a.dcm")
    found = read(path)
    np.testing.assert_array_equal(found.values, VALUES)
    assert found.step_um == (20.0, 20.0, 20.0)
    assert (found.scale, found.offset) == (0.5, -1000.0)
    plain = files.image(VALUES, SpacingBetweenSlices=0.02)
    found = read(files.save(plain, tmp_path / "b.dcm"))
    np.testing.assert_array_equal(found.values, VALUES)
    assert found.step_um == (20.0, 20.0, 20.0)


def test_unknown_steps_stay_unknown(tmp_path: Path) -> None:
    flat = read(files.save(files.image(VALUES), tmp_path / "a.dcm"))
    assert flat.step_um is None
    folder = files.series(tmp_path / "d", VALUES, PixelSpacing=None)
    assert read_folder(folder).step_um is None


def test_density_in_mg_per_ml(tmp_path: Path) -> None:
    folder = files.series(
        tmp_path / "d", VALUES, RescaleSlope=0.4, RescaleIntercept=-3, RescaleType="MGML"
    )
    assert read_folder(folder).mg_per_cm3 == (1.0, 0.0)


def test_run_length_compression_is_read(tmp_path: Path) -> None:
    folder = files.series(tmp_path / "d", VALUES)
    from pydicom import dcmread
    from pydicom.uid import RLELossless

    for path in folder.iterdir():
        data = dcmread(path)
        data.compress(RLELossless)
        data.save_as(path)
    np.testing.assert_array_equal(read_folder(folder).values, VALUES)


def test_several_series_are_listed_and_chosen(tmp_path: Path) -> None:
    files.series(tmp_path / "d", VALUES, names="a{}")
    files.series(tmp_path / "d", VALUES[::-1], names="b{}", uid="1.2.9", SeriesNumber=2)
    with pytest.raises(
        InputError, match=r"2 series \(0: bone, series 1, 7 slices; 1: bone, series 2"
    ):
        read_folder(tmp_path / "d")
    np.testing.assert_array_equal(read_folder(tmp_path / "d", 1).values, VALUES[::-1])
    with pytest.raises(InputError, match="choose one"):
        read_folder(tmp_path / "d", 2)


def test_files_without_an_image_are_passed_over(tmp_path: Path) -> None:
    folder = files.series(tmp_path / "d", VALUES)
    report = files.image(VALUES[0], SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")
    report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID
    del report.Rows, report.PixelData
    files.save(report, folder / "report")
    found = read_folder(folder)
    np.testing.assert_array_equal(found.values, VALUES)
    assert found.notes == ("without an image, passed over: report",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ImagePositionPatient": lambda n: [0, 0, 0.02 * n + 0.02 * (n > 3)]}, "slices are missing"),
        ({"ImagePositionPatient": lambda n: [0, 0, 0.02 * (n // 2)]}, "more than one volume"),
        ({"ImagePositionPatient": lambda n: [0, 0.01 * n, 0.02 * n]}, "sideways"),
        ({"ImageOrientationPatient": lambda n: [1, 0, 0, 0, 0, 1] if n == 2 else files.IDENTITY}, "turned"),
        ({"PhotometricInterpretation": "RGB"}, "colour"),
        ({"SamplesPerPixel": 3}, "colour"),
        ({"BitsAllocated": 64}, "64 bits"),
        ({"ImagePositionPatient": None, "InstanceNumber": lambda n: 3 * n}, "order is unknown"),
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    folder = files.series(tmp_path / "d", VALUES, **change)
    with pytest.raises(InputError, match=words):
        read_folder(folder)


def test_a_slice_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = files.series(tmp_path / "d", VALUES)
    files.save(files.image(VALUES[0][:4], ImagePositionPatient=[0, 0, 1]), folder / "IM9")
    with pytest.raises(InputError, match="alike"):
        read_folder(folder)


def test_missing_codec_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pydicom.uid import HTJ2KLossless

    data = files.image(VALUES[0], ImagePositionPatient=[0, 0, 0])
    path = files.save(data, tmp_path / "a")
    raw = path.read_bytes()
    old = files.SYNTAX["little"].encode() + b"\0"
    new = HTJ2KLossless.encode()
    assert len(new) > len(old)
    from pydicom import dcmread
    from pydicom.encaps import encapsulate

    data = dcmread(path)
    data.file_meta.TransferSyntaxUID = HTJ2KLossless
    data.PixelData = encapsulate([b"\xff\x4f\xff\x51" + bytes(60)])
    data["PixelData"].VR = "OB"
    data.save_as(path)
    with pytest.raises(InputError, match="pip install pylibjpeg") as caught:
        read(path)
    assert "\n" not in str(caught.value) and raw


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    folder = files.series(tmp_path / "d", VALUES[:3])
    path = folder / "IM0002"
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 23), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises((CorruptFileError, InputError)):
            read_folder(folder)


def test_flipped_bits_never_give_another_volume(tmp_path: Path) -> None:
    """A flip in one slice's header is refused, or the voxels are the same."""
    folder = files.series(tmp_path / "d", VALUES[:4])
    path = folder / "IM0001"
    whole = path.read_bytes()
    header = len(whole) - VALUES[0].nbytes
    wrong = 0
    for n in RNG.choice(range(128, header), 250):
        flipped = bytearray(whole)
        flipped[n] ^= 1 << int(RNG.integers(8))
        path.write_bytes(flipped)
        try:
            found = read_folder(folder)
        except (InputError, CorruptFileError):
            continue
        wrong += not np.array_equal(found.values, VALUES[:4])
    assert wrong == 0
