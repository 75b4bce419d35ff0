"""What Scanco's two formats share: numbers as OpenVMS wrote them, voxels on disk, density units.

The layout is that of the public readers ITKIOScanco (Apache-2.0, after D. Gobbi's vtkScancoCTReader)
and AimIO (Numerics88, MIT). No file of a scanner was tried: tests write files from that layout.

Why not aimio-py, which wraps AimIO: of 2,000 files, cut or with one bit of the header flipped, 21 ended
the interpreter (SIGSEGV), 34 asked for more than 3 GB, 11 came back with other voxels; and it reads all
of a file where a crop is wanted. Tests let it check our files where it is installed.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError
from bonesim.images.volumes import check_size, size

__all__ = [
    "checked_size",
    "density_equation",
    "ends_there",
    "mapped",
    "text_of",
    "vax_double",
    "vax_float",
]

#: Units of a density calibration in mg hydroxyapatite per cm3, without blanks and in lower case.
_DENSITY_UNITS = ("mgha/ccm", "mgha/cm3", "mgha/cm^3", "mgha/cc", "mgha/ml")


def vax_float(data: bytes) -> float:
    """A VAX F float: IEEE single with swapped 16-bit words and an exponent bias larger by two."""
    return float(vax_floats(np.frombuffer(data, "<u4", 1))[0])


def vax_floats(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """VAX F floats read as little-endian 32-bit words."""
    swapped = (words << np.uint32(16)) | (words >> np.uint32(16))
    with np.errstate(invalid="ignore", under="ignore"):
        values: NDArray[np.float32] = swapped.view(np.float32) * np.float32(0.25)
    return values


def vax_double(data: bytes) -> float:
    """A VAX G double: IEEE double with its four 16-bit words in reverse, bias larger by two."""
    words = np.frombuffer(data, "<u2", 4)[::-1].astype("<u2")
    return float(words.view("<f8")[0]) * 0.25


def text_of(data: bytes) -> str:
    """Text up to the first zero byte, without blanks at its ends."""
    return data.split(b"\0", 1)[0].decode("latin-1").strip()


def checked_size(dimensions: Sequence[int], path: Path) -> int:
    """The number of voxels of a header's dimensions (x, y, z).

    Raises:
        CorruptFileError: a length below 1. InputError: more voxels than can be read.
    """
    if min(dimensions) < 1:
        raise CorruptFileError(
            f"{path}: the header has {size(dimensions)} voxels (x, y, z); allowed are lengths of 1 or "
            "more; the file is damaged, take another copy"
        )
    check_size(dimensions, path)
    return math.prod(dimensions)


def ends_there(file: BinaryIO, end: int, length: int) -> bool:
    """Whether a file ends at `end`, or with zeros up to a whole block of 512 bytes (OpenVMS)."""
    if not 0 < length - end < 512 or length % 512:
        return end == length
    file.seek(end)
    return not any(file.read())


def mapped(path: Path, kind: str, offset: int, dimensions: Sequence[int]) -> NDArray[Any]:
    """Voxels on disk as an array (z, y, x) that is read where it is used; the length is checked.

    Args:
        path: the file.
        kind: NumPy's type of a voxel, e.g. "<i2".
        offset: of the first voxel, bytes.
        dimensions: voxels along x, y, z.
    """
    return np.memmap(path, np.dtype(kind), "r", offset, tuple(dimensions[::-1]))


def density_equation(
    slope: float, intercept: float, unit: str, mu_scaling: float
) -> tuple[tuple[float, float] | None, str]:
    """Slope and intercept from stored value to mgHA/cm3, and a note on it.

    The scanner stores attenuation (1/cm) times `mu_scaling`; the calibration with a phantom of
    hydroxyapatite gives density = slope * attenuation + intercept.

    Args:
        slope, intercept, unit, mu_scaling: as in the file's header.
    """
    known = unit.lower().replace(" ", "") in _DENSITY_UNITS
    numbers = (slope, intercept, mu_scaling)
    if not known or not all(map(math.isfinite, numbers)) or slope <= 0 or mu_scaling <= 0:
        return None, (
            f"no density calibration taken from the file (slope {slope:g}, intercept {intercept:g}, "
            f"unit {unit or 'none'}, mu_scaling {mu_scaling:g})"
        )
    per_grey = slope / mu_scaling
    return (per_grey, intercept), (
        f"density calibration of the file: {per_grey:.6g} * grey value {intercept:+.6g} {unit}"
    )
