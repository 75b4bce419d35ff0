"""The part of an image to read: six ends along x, y and z, in voxels or mm.

As text: "x0:x1,y0:y1,z0:z1" in voxels, or with "mm" behind it in mm; the second end of each pair is not
part of it. A pair without numbers keeps the whole axis: ":,:,10:60".
"""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bonesim.errors import InputError

__all__ = ["checked_ends", "crop_fields", "cropped", "ends_in_voxels"]

_TEXT = re.compile(r"^\s*([^a-zA-Zµμ]+?)\s*(voxels?|mm)?\s*$")
_NUMBER = r"\s*(\d+(?:\.\d*)?|\.\d+)?\s*"
_PAIR = re.compile(f"^{_NUMBER}:{_NUMBER}$")
#: Fewest voxels that a crop may leave along an axis.
_FEWEST = 3
#: An end that stands for the image's own.
TO_THE_END = -1
#: An end in mm becomes the nearest face of voxels, the upper one from halfway on.
_HALF = 0.5 + 1e-6


def crop_fields(
    crop: str | Sequence[float] | None, parameter: str = "crop"
) -> dict[str, tuple[float, ...]]:
    """The fields of `ScanParameters` for a crop as text or as six ends in voxels.

    Args:
        crop: "x0:x1,y0:y1,z0:z1" (voxels) or "... mm", or (x0, x1, y0, y1, z0, z1) in voxels.
        parameter: its name, for messages.

    Raises:
        InputError: no such text.
    """
    if crop is None:
        return {}
    if not isinstance(crop, str):
        return {"crop_voxel": tuple(crop)}
    found = _TEXT.match(crop)
    pairs = [_PAIR.match(part) for part in found[1].split(",")] if found else []
    if found is None or len(pairs) != 3 or not all(pairs):
        raise InputError(
            f'got "{crop}"; give x0:x1,y0:y1,z0:z1 in voxels, or with mm behind it, e.g. '
            '"10:60,10:60,0:50" or "1:3,1:3,0:2 mm"', parameter=parameter,
        )  # fmt: skip
    ends = []
    for pair in pairs:
        assert pair is not None
        low, high = pair.groups()
        ends += [float(low or 0), TO_THE_END if high is None else float(high)]
    if found[2] == "mm":
        return {"crop_mm": tuple(ends)}
    if any(end != int(end) for end in ends):
        raise InputError(
            f'got "{crop}"; voxels are whole numbers; for lengths put mm behind it',
            parameter=parameter,
        )
    return {"crop_voxel": tuple(map(int, ends))}


def checked_ends(ends: Sequence[float] | None) -> None:
    """Refuse ends that no image has; a to of -1 stands for the image's own.

    Raises:
        ValueError: a from below 0 or not below its to.
    """
    for low, high in zip(ends[::2], ends[1::2], strict=True) if ends else ():
        if not (low >= 0 and (low < high or high == TO_THE_END)):
            raise ValueError(
                f"got {list(ends or ())}; each from must be 0 or more and below its to"
            )


def cropped(
    values: NDArray[Any], crop_voxel: Sequence[int] | None, crop_mm: Sequence[float] | None,
    voxel_um: float, path: Path,
) -> tuple[NDArray[Any], str]:  # fmt: skip
    """The part (a view) of an image (z, y, x) that is wanted, and a note; "" if it is all of it.

    Args:
        values: nothing of it is read or converted here.
        crop_voxel: six ends along x, y, z; an end of -1 is that of the image.
        crop_mm: the same in mm from the image's corner, rounded to whole voxels.
        voxel_um: edge of a voxel.
        path: of the image, for messages.

    Raises:
        InputError: beyond the image, or fewer than three voxels along an axis.
    """
    if crop_voxel is None and crop_mm is None:
        return values, ""
    z, y, x = ends_in_voxels(values.shape, crop_voxel, crop_mm, voxel_um, path)
    note = ", ".join(f"{name} {a.start}-{a.stop}" for name, a in (("x", x), ("y", y), ("z", z)))
    return values[z, y, x], f"cropped to {note}"


def ends_in_voxels(
    shape: Sequence[int], crop_voxel: Sequence[int] | None, crop_mm: Sequence[float] | None,
    voxel_um: float, path: Path,
) -> tuple[slice, slice, slice]:  # fmt: skip
    """The voxels [start, stop) along z, y, x of the part that is wanted.

    `shape` is of the whole (z, y, x); the rest and what is raised: as for `cropped`.
    """
    lengths = shape[::-1]
    per_mm = 1e3 / voxel_um
    given = crop_mm if crop_voxel is None else crop_voxel
    assert given is not None
    scale = per_mm if crop_voxel is None else 1.0
    ends = [
        lengths[n // 2] if n % 2 and end == TO_THE_END else math.floor(scale * end + _HALF)
        for n, end in enumerate(given)
    ]
    words = ",".join(f"{a:g}:{b:g}" for a, b in zip(given[::2], given[1::2], strict=True))
    words = words.replace(f":{TO_THE_END}", ":") + (" mm" if crop_voxel is None else "")
    there = " x ".join(map(str, lengths))
    edges = " x ".join(f"{n / per_mm:.4g}" for n in lengths)
    if any(end > lengths[n // 2] for n, end in enumerate(ends)):
        raise InputError(
            f"{path}: crop {words} reaches outside the image of {there} voxels (x, y, z), {edges} mm; "
            "lower its ends"
        )
    x0, x1, y0, y1, z0, z1 = ends
    if min(x1 - x0, y1 - y0, z1 - z0) < _FEWEST:
        left = " x ".join(str(max(n, 0)) for n in (x1 - x0, y1 - y0, z1 - z0))
        raise InputError(
            f"{path}: crop {words} leaves {left} voxels of {there} (x, y, z), {edges} mm; keep "
            f"{_FEWEST} along each axis"
        )
    return slice(z0, z1), slice(y0, y1), slice(x0, x1)
