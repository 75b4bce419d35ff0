"""What other projects' users met when they read images, each with its right value."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import bonesim
from bonesim.errors import BonesimError, CorruptFileError, InputError
from bonesim.images.reading import read_image
from tests.images import writers
from tests.images.variants import volume

Array = Any


def phantom() -> Array:
    """Struts of 6 voxels along z, y and x in a block of 40 x 36 x 32, blurred, with noise."""
    z, y, x = np.indices((40, 36, 32)).astype(float)
    dz, dy, dx = ((a - o + 8) % 16 - 8 for a, o in ((z, 5), (y, 6), (x, 7)))
    bone = np.minimum.reduce([dy**2 + dx**2, dz**2 + dx**2, dz**2 + dy**2]) < 3.2**2
    noise = np.random.default_rng(1).normal(0, 3, bone.shape)
    return np.clip(40 + 160 * gaussian_filter(bone * 1.0, 0.7) + noise, 0, 255).astype(np.uint8)


PHANTOM = phantom()


def bvtv(path: Path, voxel_um: float | None = None, **given: Any) -> float:
    given.setdefault("threshold", 120)
    table = bonesim.measure(path, voxel_um, quick=True, **given)
    return float(table.set_index("measure").loc["bvtv_percent", "value"])


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> float:
    value = bvtv(writers.npy(tmp_path_factory.mktemp("right"), PHANTOM), 20.0)
    assert value == pytest.approx(36.88, abs=0.3)
    return value


def test_slices_are_in_the_order_of_their_numbers(right: float, tmp_path: Path) -> None:
    path = writers.slices(tmp_path, PHANTOM)  # s_0, s_1, ..., s_39
    np.testing.assert_array_equal(read_image(path).values, PHANTOM)
    assert bvtv(path, 20.0) == right
    other = writers.slices(tmp_path, PHANTOM, name="two", pattern="scan20um_{:03d}_rec.tiff")
    np.testing.assert_array_equal(read_image(other).values, PHANTOM)


def test_holes_in_the_numbering_are_noted(tmp_path: Path) -> None:
    path = writers.slices(tmp_path, PHANTOM)
    (path / "s_17.tif").unlink()
    (path / "s_18.tif").unlink()
    image = read_image(path)
    assert len(image.values) == 38
    note = next(note for note in image.notes if "holes" in note)
    assert "2 slice(s) are missing (between 16 and 19)" in note


def test_what_is_no_slice_is_passed_over_and_noted(tmp_path: Path) -> None:
    path = writers.slices(tmp_path, PHANTOM)
    (path / "._s_0.tif").write_bytes(b"\0\5\x16\7Mac OS X")
    (path / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (path / "readme.txt").write_text("text")
    (path / "more").mkdir()
    writers.tiff(path, PHANTOM[:1, :9, :9], name="s__spr.tif")
    image = read_image(path)
    np.testing.assert_array_equal(image.values, PHANTOM)
    notes = "\n".join(image.notes)
    for name in ("._s_0.tif", "Thumbs.db", "readme.txt", "more", "s__spr.tif"):
        assert name in notes
    (path / "s_40.tif").write_bytes(b"no slice")
    with pytest.raises(CorruptFileError, match=r"s_40\.tif"):
        read_image(path)


def test_slices_that_are_not_alike_are_refused(tmp_path: Path) -> None:
    path = writers.slices(tmp_path, PHANTOM[:6])
    writers.tiff(path, PHANTOM[:1, :30], name="s_6.tif")
    with pytest.raises(InputError, match=r"s_6\.tif: is 32 x 30 of uint8, but s_0\.tif is 32 x 36"):
        read_image(path)
    writers.tiff(path, PHANTOM[:1].astype("u2"), name="s_6.tif")
    with pytest.raises(InputError, match="uint16"):
        read_image(path)
    writers.tiff(path, PHANTOM[:2], name="s_6.tif")
    with pytest.raises(InputError, match="2 pages"):
        read_image(path)
    (path / "s_6.tif").unlink()
    for k in range(3):
        writers.tiff(path, PHANTOM[:1], name=f"other_{k}.tif")
    with pytest.raises(InputError, match="2 series of names"):
        read_image(path)


@pytest.mark.parametrize(("unit", "step"), [("um", 20.0), ("m", 2e-5), ("mm", 0.02)])
def test_units_of_nifti(right: float, unit: str, step: float, tmp_path: Path) -> None:
    assert bvtv(writers.nifti(tmp_path, PHANTOM, unit=unit, step=(step,) * 3)) == right


@pytest.mark.parametrize(("slope", "inter"), [(10.0, -1000.0), (0.5, 3.25), (-2.0, 100.0)])
def test_scale_and_offset_of_nifti(slope: float, inter: float, tmp_path: Path) -> None:
    stored = PHANTOM.astype(np.int16)
    path = writers.nifti(tmp_path, stored, slope=slope, inter=inter)
    image = read_image(path)
    np.testing.assert_allclose(image.values, slope * stored.astype(float) + inter, rtol=1e-6)
    assert any(f"true value = {slope:g} x stored" in note for note in image.notes)
    plain = writers.nifti(tmp_path, stored, name="b.nii")
    threshold = 120.0
    if slope > 0:
        assert bvtv(path, threshold=slope * threshold + inter) == pytest.approx(
            bvtv(plain), rel=1e-4
        )


@pytest.mark.parametrize("slope", [0.0, 1.0, float("nan")])
def test_no_scale_of_nifti(slope: float, tmp_path: Path) -> None:
    path = writers.nifti(tmp_path, volume("i2"), slope=slope, inter=0.0 if slope == 1 else slope)
    image = read_image(path)
    np.testing.assert_array_equal(image.values, volume("i2"))
    assert image.values.dtype == np.int16


def test_calibration_of_imagej(tmp_path: Path) -> None:
    extra = "cf=0\nc0=-1000\nc1=10\nvunit=HU\n"
    text = writers.imagej(20.0, len(PHANTOM), extra=extra)
    image = read_image(
        writers.tiff(tmp_path, PHANTOM, description=text, resolution=(50000, 1000000, 1))
    )
    np.testing.assert_array_equal(image.values, 10 * PHANTOM.astype(int) - 1000)
    assert image.voxel_um == 20.0
    signed = writers.imagej(20.0, 7, extra="cf=0\nc0=-32768.0\nc1=1.0\n")
    stored = (volume("i2").astype(np.int32) + 32768).astype(np.uint16)
    path = writers.tiff(tmp_path, stored, description=signed, resolution=(50000, 1000000, 1))
    np.testing.assert_array_equal(read_image(path).values, volume("i2"))
    curve = writers.imagej(20.0, 7, extra="cf=3\nc0=1\nc1=2\nc2=3\n")
    with pytest.raises(InputError, match="no straight line"):
        read_image(writers.tiff(tmp_path, stored, description=curve))


def test_white_is_zero(right: float, tmp_path: Path) -> None:
    path = writers.tiff(tmp_path, 255 - PHANTOM, photometric=0)
    image = read_image(path, voxel_um=20)
    np.testing.assert_array_equal(image.values, PHANTOM)
    assert any("inverted" in note for note in image.notes)
    assert bvtv(path, 20.0) == right
    for kind, high in (("u2", 65535), ("u4", 2**32 - 1)):
        grey = volume(kind)
        path = writers.tiff(tmp_path, high - grey, photometric=0)
        np.testing.assert_array_equal(read_image(path).values, grey)
    mask = volume() > 90
    path = writers.tiff(tmp_path, ~mask, photometric=0, bits=1)
    np.testing.assert_array_equal(read_image(path).values.astype(bool), mask)


def test_white_is_zero_of_imagej_is_its_look_up_table(tmp_path: Path) -> None:
    """ImageJ stores masks with 255 for bone and an inverting table: the numbers count."""
    mask = (volume() > 90) * np.uint8(255)
    text = writers.imagej(20.0, len(mask))
    image = read_image(writers.tiff(tmp_path, mask, photometric=0, description=text))
    np.testing.assert_array_equal(image.values, mask)
    assert any("inverting look-up table" in note for note in image.notes)


def test_pages_that_change_are_never_a_part_of_the_stack(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    path = tmp_path / "change.tif"
    with tifffile.TiffWriter(path) as file:
        for k in range(24):
            file.write(PHANTOM[k].astype("u1" if k < 10 else "u2"), contiguous=False)
    with pytest.raises(InputError, match=r"10 of 32 x 36 of uint8; 14 of 32 x 36 of uint16.*index"):
        read_image(path)
    np.testing.assert_array_equal(read_image(path, index=1).values, PHANTOM[10:24])


def test_pages_written_one_by_one_and_a_thumbnail(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    for thumbnail in (None, PHANTOM[0, :9, :9], np.zeros((9, 9, 3), np.uint8)):
        path = tmp_path / "pages.tif"
        with tifffile.TiffWriter(path) as file:
            if thumbnail is not None:
                file.write(thumbnail, contiguous=False)
            for page in PHANTOM:
                file.write(page, contiguous=False)
        image = read_image(path)
        np.testing.assert_array_equal(image.values, PHANTOM)
        assert any("smaller picture" in n for n in image.notes) == (thumbnail is not None)


@pytest.mark.parametrize("codec", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
@pytest.mark.parametrize("with_imagecodecs", [True, False])
def test_codecs(
    codec: str, with_imagecodecs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    from bonesim.images import tiff_pages

    if not with_imagecodecs:
        monkeypatch.setattr(tiff_pages, "find_spec", lambda name: None)
    elif codec == "tiff_lzw":
        pytest.importorskip("imagecodecs")
    pages = [Image.fromarray(page) for page in PHANTOM]
    path = tmp_path / "packed.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:], compression=codec)
    np.testing.assert_array_equal(read_image(path).values, PHANTOM)


def test_white_is_zero_by_pillow_is_inverted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    from bonesim.images import tiff_pages

    monkeypatch.setattr(tiff_pages, "find_spec", lambda name: None)
    mask = volume() > 90
    pages = [Image.fromarray(page) for page in mask]
    path = tmp_path / "fax.tif"
    pages[0].save(
        path, save_all=True, append_images=pages[1:], compression="group4", tiffinfo={262: 0}
    )
    image = read_image(path)
    inverted = any("inverted" in note for note in image.notes)
    assert inverted
    np.testing.assert_array_equal(image.values.astype(bool), mask)


def test_a_codec_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bonesim.images import tiff_pages

    path = writers.tiff(tmp_path, volume())
    raw = bytearray(path.read_bytes())
    place = raw.find(struct.pack("<HHIH", 259, 3, 1, 1))
    while place >= 0:
        raw[place + 8 : place + 10] = struct.pack("<H", 50000)  # Zstandard
        place = raw.find(struct.pack("<HHIH", 259, 3, 1, 1))
    path.write_bytes(raw)
    monkeypatch.setattr(tiff_pages, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="ZSTD; install the package imagecodecs"):
        read_image(path)


def test_half_a_metaimage_and_half_a_nifti_are_damaged(tmp_path: Path) -> None:
    for path in (writers.mha(tmp_path, PHANTOM), writers.nifti(tmp_path, PHANTOM)):
        whole = path.read_bytes()
        for size in (len(whole) // 2, 9000, 352):
            path.write_bytes(whole[:size])
            with pytest.raises(CorruptFileError):
                bvtv(path)


def test_an_override_repairs_a_header(right: float, tmp_path: Path) -> None:
    path = writers.mha(tmp_path, PHANTOM, step=(1.0,) * 3)
    with pytest.raises(InputError, match="1000 x 1000 x 1000 um; allowed are 1 to 200"):
        bvtv(path)
    table = bonesim.measure(path, 20.0, quick=True, threshold=120)
    assert any("20 um as given, not the 1000" in note for note in table.attrs["notes"])
    assert bvtv(path, 20.0) == right


def test_several_volumes_are_chosen_by_index(tmp_path: Path) -> None:
    two = np.stack([volume(), 255 - volume()])
    for path in (
        writers.npy(tmp_path, two),
        writers.mha(tmp_path, two, step=(1.0, 0.02, 0.02, 0.02), offset=None),
        writers.nifti(tmp_path, two, affine=None, pixdim=(0.02, 0.02, 0.02, 1.0)),
        writers.nifti(tmp_path, two, name="b.nii.gz", affine=None, pixdim=(0.02, 0.02, 0.02, 1.0)),
        writers.nrrd(tmp_path, two, step=(1.0, 0.02, 0.02, 0.02), directions=None),
        writers.nrrd(tmp_path, two, name="z.nrrd", step=(1.0, 0.02, 0.02, 0.02), directions=None,
                     encoding="gzip"),
    ):  # fmt: skip
        with pytest.raises(InputError, match="holds 2 volumes; choose one with index"):
            read_image(path)
        for index in (0, 1):
            np.testing.assert_array_equal(read_image(path, index=index).values, two[index])
        with pytest.raises(InputError, match=r"index: .*allowed are 0 to 1"):
            read_image(path, index=2)


def test_channels_and_times_of_a_stack(tmp_path: Path) -> None:
    pages = np.arange(2 * 3 * 4)[:, None, None] * np.ones((9, 8), np.uint8)
    pages = pages.astype(np.uint8)
    text = "ImageJ=1.54f\nimages=24\nchannels=2\nslices=4\nframes=3\nhyperstack=true\n"
    path = writers.tiff(tmp_path, pages, description=text)
    with pytest.raises(InputError, match=r"6 volumes \(channels or times\); choose one with index"):
        read_image(path)
    found = read_image(path, index=3).values[:, 0, 0]  # frame 1, channel 1
    np.testing.assert_array_equal(found, [9, 11, 13, 15])
    text = writers.ome((12, 9, 8), (20.0,) * 3, order="XYZCT").replace('SizeC="1"', 'SizeC="2"')
    path = writers.tiff(tmp_path, pages, description=text)
    np.testing.assert_array_equal(read_image(path, index=1).values[:, 0, 0], np.arange(12, 24))
    with pytest.raises(InputError, match="describes 26 planes but the file has 24"):
        read_image(writers.tiff(tmp_path, pages, description=text.replace('"12"', '"13"')))


def test_arrays_of_a_vti_are_chosen_by_name(tmp_path: Path) -> None:
    path = writers.vti(tmp_path, volume(), others=("owner", "mineral"), um=1000.0)
    with pytest.raises(
        InputError, match=r"3 arrays \(grey, owner, mineral\); choose one with array"
    ):
        read_image(path)
    np.testing.assert_array_equal(read_image(path, array="owner").values, volume())
    with pytest.raises(InputError, match="no array 'x'; there are grey"):
        read_image(path, array="x")


def test_colour_and_complex_are_refused_in_words(tmp_path: Path) -> None:
    np.save(tmp_path / "c.npy", volume().astype(complex))
    np.save(tmp_path / "rgb.npy", np.zeros((8, 8, 8, 3), np.uint8))
    colour = writers.nrrd(
        tmp_path, np.zeros((8, 8, 8, 3), np.uint8), directions=None, step=(1,) * 4
    )
    with pytest.raises(InputError, match="complex values"):
        read_image(tmp_path / "c.npy")
    for path in (tmp_path / "rgb.npy", colour):
        with pytest.raises(InputError, match="colour image"):
            read_image(path)
    path = writers.mha(tmp_path, volume(), extra=("ElementNumberOfChannels = 3",))
    with pytest.raises(InputError, match="colour"):
        read_image(path)
    raw = bytearray(writers.nifti(tmp_path, volume()).read_bytes())
    for kind, words in ((32, "complex"), (128, "colours"), (2304, "colours")):
        raw[70:72] = struct.pack("<h", kind)
        (tmp_path / "k.nii").write_bytes(raw)
        with pytest.raises(InputError, match=words):
            read_image(tmp_path / "k.nii")


def test_analyze_is_refused_in_one_line(tmp_path: Path) -> None:
    path = writers.nifti(tmp_path, volume(), name="a.hdr")
    raw = bytearray(path.read_bytes())
    raw[344:348] = bytes(4)
    path.write_bytes(raw)
    for one in (path, path.with_suffix(".img")):
        with pytest.raises(InputError, match=r"Analyze 7\.5"):
            read_image(one)


def test_either_file_of_a_pair_can_be_given(tmp_path: Path) -> None:
    path = writers.nifti(tmp_path, volume(), name="a.hdr")
    for one in (path, path.with_suffix(".img")):
        np.testing.assert_array_equal(read_image(one).values, volume())


@pytest.mark.parametrize("high", [1, 255, True])
def test_a_mask_file_is_the_mask_as_an_array(high: Any, tmp_path: Path) -> None:
    mask = PHANTOM > 120
    stored = mask if high is True else mask * np.uint8(high)
    wanted = {name: one.value for name, one in bonesim.measure(mask, 20.0, quick=True).items()}
    path = writers.npy(tmp_path, stored)
    table = bonesim.measure(path, 20.0, quick=True)
    assert dict(zip(table["measure"], table["value"], strict=True)) == wanted
    assert any("a mask, not grey values" in note for note in table.attrs["notes"])
    specimen = bonesim.make_specimen(mask, 20.0)
    for parameters in (
        {"path": str(path), "voxel_um": 20.0},
        {"path": str(writers.mha(tmp_path, PHANTOM)), "mask": str(path)},
    ):
        read = bonesim.make_specimen(bonesim.specimens.ScanParameters(**parameters))
        np.testing.assert_array_equal(read.quanta, specimen.quanta)


def test_a_region_of_another_format(tmp_path: Path) -> None:
    region = np.zeros(PHANTOM.shape, np.uint8)
    region[5:35, 5:31, 5:27] = 1
    bone = writers.mha(tmp_path, PHANTOM)
    wanted = bvtv(bone, region=region)
    turn = np.diag([-0.02, -0.02, 0.02, 1.0])[:3]
    for path in (
        writers.nrrd(tmp_path, region),
        writers.nifti(tmp_path, region, affine=turn),
        writers.npy(tmp_path, region),
        writers.tiff(tmp_path, region, description=writers.ome(region.shape, (20.0,) * 3)),
        writers.slices(tmp_path, region),
    ):
        assert bvtv(bone, region=path) == wanted
    for changes in ({"step": (0.082,) * 3}, {"offset": (1, 2, 3)}):
        with pytest.raises(InputError, match=r"the region does not fit a\.mha"):
            bvtv(bone, region=writers.mha(tmp_path, region, name="m.mha", **changes))


def test_a_region_with_values_that_are_no_numbers_is_refused(tmp_path: Path) -> None:
    region = np.zeros(PHANTOM.shape, np.float32)
    region[5:35, 5:31, 5:27] = 1
    bone = writers.mha(tmp_path, PHANTOM)
    assert bvtv(bone, region=writers.npy(tmp_path, region)) > 0
    for voxel, value in (((0, 0, 0), np.nan), ((9, 9, 9), np.inf)):
        spoilt = region.copy()
        spoilt[voxel] = value
        for path in (writers.npy(tmp_path, spoilt), writers.mha(tmp_path, spoilt, name="m.mha")):
            with pytest.raises(
                InputError, match=f"1 of {region.size} voxels of the region are NaN"
            ):
                bvtv(bone, region=path)


def test_nothing_of_other_libraries_reaches_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for path in (writers.tiff(tmp_path, volume()), writers.nifti(tmp_path, volume())):
        whole = path.read_bytes()
        for size in range(0, len(whole), 97):
            path.write_bytes(whole[:size])
            with pytest.raises(BonesimError):
                read_image(path)
    done = capfd.readouterr()
    assert (done.out, done.err) == ("", "")
