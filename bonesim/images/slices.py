"""One slice from a PNG, BMP or JPEG file, and the pixel size a SkyScan log states for a folder."""

import math
import re
import struct
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError

__all__ = ["decode_page", "kind_of_page", "recognises", "skyscan_size"]

_MAGIC = {b"\x89PNG\r\n\x1a\n": "PNG", b"BM": "BMP", b"\xff\xd8\xff": "JPEG"}
#: Bytes from a page's start that are enough to know its kind.
HEAD_BYTES = 32
#: Only so much of a log is read.
_LONGEST_LOG = 2**20
_SECTION = re.compile(r"^\[(.+)\]$")
_PIXEL = re.compile(r"^(?:image )?pixel size \((?:um|µm|μm)\)\s*=\s*(\S+)$", re.IGNORECASE)


def kind_of_page(head: bytes) -> str:
    """PNG, BMP or JPEG by a file's first `HEAD_BYTES` bytes; "" if none of them."""
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")


def recognises(kind: str) -> Callable[[bytes], bool]:
    """Whether a file's first bytes are of this kind, as a function of them."""
    return lambda head: kind_of_page(head) == kind


def decode_page(path: Path) -> tuple[NDArray[Any], tuple[str, ...]]:
    """One slice as an array (rows y, columns x), and what the user must know about it.

    16-bit grey values stay 16-bit, 1-bit ones become bool, a palette's entries their grey levels.

    Raises:
        InputError: none of the kinds, colour, transparency, several pictures, too large.
        CorruptFileError: cut short, or its check sums are wrong.
    """
    from PIL import Image, UnidentifiedImageError

    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kind = kind_of_page(head)
    if not kind:
        raise InputError(f"{path}: is no PNG, BMP or JPEG; give slices of one of these kinds")
    _check_head(path, head, kind)
    try:
        with warnings.catch_warnings():
            # A picture larger than Pillow's limit is refused, not decompressed with a warning.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if kind == "PNG":
                with Image.open(path, formats=[kind]) as checked:
                    checked.verify()
            with Image.open(path, formats=[kind]) as picture:
                return _grey(path, picture, kind)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise InputError(
            f"{path}: is too large a slice for a scan; crop the slices first"
        ) from None
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CorruptFileError(
            f"{path}: cannot be read as {kind} ({reason.replace(str(path), path.name)}); the file is "
            "damaged, take another copy"
        ) from None


def _check_head(path: Path, head: bytes, kind: str) -> None:
    """Refuse what Pillow would read with less than what is there."""
    if kind == "PNG" and len(head) > 25 and head[24] == 16 and head[25] != 0:
        raise InputError(
            f"{path}: has 16-bit colour or transparency; save the slices as 16-bit grey"
        )
    if kind == "BMP" and len(head) >= 6:
        stated, length = struct.unpack_from("<I", head, 2)[0], path.stat().st_size
        if stated > length:
            raise CorruptFileError(
                f"{path}: its header states {stated} bytes, but the file has {length}; it is cut "
                "short, take another copy"
            )


def _grey(path: Path, picture: Any, kind: str) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The grey values of an opened picture."""
    if getattr(picture, "n_frames", 1) > 1:
        raise InputError(f"{path}: holds {picture.n_frames} pictures; give one slice per file")
    notes = ("JPEG is lossy: grey values near edges are not those of the scan",) * (kind == "JPEG")
    if picture.mode == "P" or "transparency" in picture.info:
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    if picture.mode in ("1", "L", "I", "F") or picture.mode.startswith("I;16"):
        values = np.asarray(picture)
        return values.astype(values.dtype.newbyteorder("=")), notes
    if picture.mode not in ("LA", "RGB", "RGBA"):
        raise InputError(f"{path}: has colours of kind {picture.mode}; save the slices as grey")
    values = np.asarray(picture)
    if picture.mode in ("LA", "RGBA"):
        if (values[..., -1] != 255).any():
            raise InputError(f"{path}: is partly transparent; save the slices as grey")
        values = values[..., :-1]
    if (values != values[..., :1]).any():
        raise InputError(f"{path}: is a colour image; give a grey one with one value per voxel")
    if values.shape[-1] == 3 and kind != "JPEG":
        notes += ("red, green and blue are equal: one of them is the grey value",)
    return np.ascontiguousarray(values[..., 0]), notes


def skyscan_size(folder: Path, files: Sequence[Path]) -> tuple[float, str] | None:
    """The voxel edge (um) that the SkyScan logs beside slices agree on, and a note on it.

    NRecon writes `[Reconstruction] Pixel Size (um)=`, the scanner `[Acquisition] Image Pixel Size
    (um)=` into one .log file beside the slices; the reconstruction's counts. Voxels are cubes.

    Args:
        folder: of the slices, for messages.
        files: those in it that are no slices.

    Raises:
        InputError: logs that state different sizes, or a size that is no length.
    """
    sizes = {}
    for path in files:
        if path.suffix.lower() == ".log":
            size = _stated_um(path)
            if size is not None:
                sizes[path.name] = size
    if not sizes:
        return None
    low, high = min(sizes.values()), max(sizes.values())
    if not 0 < low <= high < math.inf or high > 1.001 * low:
        stated = ", ".join(f"{name}: {size:g}" for name, size in sizes.items())
        raise InputError(
            f"{folder}: its logs state pixel sizes of {stated} um; keep the one right log in the "
            "folder, or none, and give `voxel_um`"
        )
    name, size = next(iter(sizes.items()))
    return size, f"voxel size of {size:g} um from {name}, along z as along x and y"


def _stated_um(path: Path) -> float | None:
    """The pixel size of a log: of its reconstruction, or else of its acquisition."""
    with path.open("rb") as file:
        text = file.read(_LONGEST_LOG).decode("latin-1")
    found: dict[bool, float] = {}
    section = ""
    for line in map(str.strip, text.splitlines()):
        if heading := _SECTION.match(line):
            section = heading[1].lower()
        elif pixel := _PIXEL.match(line):
            try:
                size = float(pixel[1])
            except ValueError:
                size = math.nan
            found.setdefault(section == "reconstruction", size)
    return found.get(True, found.get(False))
