"""Single slices as PNG, BMP and JPEG; the pixel size in a SkyScan log."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bonesim.errors import BonesimError, CorruptFileError, InputError
from bonesim.images.slices import decode_page, kind_of_page, skyscan_size

RNG = np.random.default_rng(8)
GREY = RNG.integers(0, 256, (12, 9)).astype(np.uint8)
DEEP = RNG.integers(0, 65536, (12, 9)).astype(np.uint16)
MASK = RNG.random((12, 9)) < 0.5


def png(values: NDArray[Any], path: Path) -> Path:
    """A PNG of 8- or 16-bit grey values from the format's definition, not by Pillow."""
    rows, columns = values.shape
    bits = 8 * values.itemsize
    lines = b"".join(b"\0" + row.astype(f">u{values.itemsize}").tobytes() for row in values)

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", columns, rows, bits, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    )  # fmt: skip
    return path


@pytest.mark.parametrize("values", [GREY, DEEP], ids=["8", "16"])
def test_grey_png(tmp_path: Path, values: NDArray[Any]) -> None:
    found, notes = decode_page(png(values, tmp_path / "a.png"))
    np.testing.assert_array_equal(found, values)
    assert found.dtype == values.dtype and notes == ()


@pytest.mark.parametrize(
    ("ending", "mode"),
    [*(("png", mode) for mode in ("L", "1", "P", "RGB", "LA", "RGBA")),
     *(("bmp", mode) for mode in ("L", "1", "P", "RGB"))],
)  # fmt: skip
def test_modes_that_are_grey(tmp_path: Path, ending: str, mode: str) -> None:
    picture = Image.fromarray(MASK if mode == "1" else GREY)
    if mode == "P":
        picture = Image.fromarray(GREY)
        picture.putpalette([grey for level in range(256) for grey in (255 - level,) * 3])
    elif mode != "1":
        picture = picture.convert(mode)
    picture.save(tmp_path / f"a.{ending}")
    found, notes = decode_page(tmp_path / f"a.{ending}")
    expected = {"1": MASK, "P": 255 - GREY}.get(mode, GREY)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == (bool if mode == "1" else np.uint8)
    assert bool(notes) == (mode in ("P", "RGB", "RGBA"))


def test_jpeg_is_grey_and_known_to_be_lossy(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(64), np.arange(48)).astype(np.uint8)
    for mode in ("L", "RGB"):
        Image.fromarray(smooth).convert(mode).save(tmp_path / "a.jpg", quality=95)
        found, notes = decode_page(tmp_path / "a.jpg")
        assert np.abs(found.astype(int) - smooth).max() <= 3
        assert "lossy" in notes[0]


def test_the_content_counts_not_the_name(tmp_path: Path) -> None:
    path = png(GREY, tmp_path / "a.bmp")
    np.testing.assert_array_equal(decode_page(path)[0], GREY)
    (tmp_path / "b.png").write_bytes(b"GIF89a" + bytes(40))
    with pytest.raises(InputError, match="no PNG, BMP or JPEG"):
        decode_page(tmp_path / "b.png")
    assert kind_of_page(b"\xff\xd8\xff\xe0") == "JPEG" and kind_of_page(b"") == ""


def colourful(mode: str) -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, (12, 9, len(mode))).astype(np.uint8), mode)


@pytest.mark.filterwarnings("ignore:'mode' parameter:DeprecationWarning")
@pytest.mark.parametrize(
    ("mode", "ending", "words"),
    [
        ("RGB", "png", "colour image"), ("RGB", "bmp", "colour image"), ("RGB", "jpg", "colour image"),
        ("RGBA", "png", "transparent"), ("CMYK", "jpg", "CMYK"),
    ],
)  # fmt: skip
def test_colour_is_refused(tmp_path: Path, mode: str, ending: str, words: str) -> None:
    colourful(mode).save(tmp_path / f"a.{ending}")
    with pytest.raises(InputError, match=words):
        decode_page(tmp_path / f"a.{ending}")


def test_sixteen_bit_colour_is_refused_not_cut_to_eight(tmp_path: Path) -> None:
    path = png(DEEP, tmp_path / "a.png")
    data = bytearray(path.read_bytes())
    data[25] = 4  # grey with transparency
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    with pytest.raises(InputError, match="16-bit"):
        decode_page(path)


@pytest.mark.parametrize("ending", ["png", "bmp", "jpg"])
def test_every_truncation_is_damaged(tmp_path: Path, ending: str) -> None:
    Image.fromarray(GREY).save(tmp_path / f"a.{ending}")
    whole = (tmp_path / f"a.{ending}").read_bytes()
    path = tmp_path / f"b.{ending}"
    last = len(whole) - 2 if ending == "jpg" else len(whole)  # a JPEG without its end mark is whole
    for length in range(8, last, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptFileError):
            decode_page(path)


def test_flips_in_a_png_are_noticed(tmp_path: Path) -> None:
    """All of a PNG stands under check sums: a flip is refused, or changes nothing that is read."""
    whole = png(DEEP, tmp_path / "a.png").read_bytes()
    for _ in range(300):
        data = bytearray(whole)
        data[int(RNG.integers(8, len(whole)))] ^= 1 << int(RNG.integers(8))
        (tmp_path / "b.png").write_bytes(data)
        try:
            found = decode_page(tmp_path / "b.png")[0]
        except BonesimError:
            continue
        np.testing.assert_array_equal(found, DEEP)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = png(GREY, tmp_path / "a.png")
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 60000, 60000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    with pytest.raises(InputError, match="too large"):
        decode_page(path)


def log(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="latin-1")
    return path


def test_skyscan_log(tmp_path: Path) -> None:
    acquired = "[System]\nScanner=SkyScan1172\n[Acquisition]\nImage Pixel Size (um)=   9.94\n"
    one = log(tmp_path, "a.log", acquired)
    size = skyscan_size(tmp_path, [one])
    assert size is not None and size[0] == 9.94 and "a.log" in size[1]
    both = log(tmp_path, "b.log", acquired + "[Reconstruction]\nPixel Size (um)=19.88\n")
    assert skyscan_size(tmp_path, [both])[0] == 19.88  # type: ignore[index]
    assert skyscan_size(tmp_path, []) is None
    assert skyscan_size(tmp_path, [log(tmp_path, "c.log", "hello\xb5\n=\n[\n")]) is None
    with pytest.raises(InputError, match=r"a\.log: 9\.94, b\.log: 19\.88"):
        skyscan_size(tmp_path, [one, both])
    for bad in ("none", "-3", "nan", "inf", "0"):
        wrong = log(tmp_path, "d.log", f"[Reconstruction]\nPixel Size (um)={bad}\n")
        with pytest.raises(InputError, match="voxel_um"):
            skyscan_size(tmp_path, [wrong])
