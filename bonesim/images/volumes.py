"""One 3-D grey volume out of what a file holds: sizes that can be, axes of one, one of several."""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError

__all__ = ["MAX_VOXELS", "Layout", "check_size", "check_type", "chosen", "layout_of"]

#: More voxels than this are refused before they are read (8 GiB as float32).
MAX_VOXELS = 2**31


def check_size(shape: Sequence[int], path: Path) -> None:
    """Refuse absurd dimensions before anything is allocated.

    Raises:
        InputError: no voxel, or more than `MAX_VOXELS`.
    """
    if min(shape, default=0) <= 0 or prod(shape) > MAX_VOXELS:
        raise InputError(
            f"{path}: has {size(shape)} voxels; allowed are 1 to {MAX_VOXELS} in all; crop the scan"
        )


def size(shape: Sequence[int]) -> str:
    """ "36 x 32 x 20" in the order given."""
    return " x ".join(str(length) for length in shape)


def check_type(dtype: "np.dtype[Any]", path: Path) -> None:
    """Refuse voxels that are no real numbers.

    Raises:
        InputError: complex, colour, text, objects.
    """
    if dtype.kind == "c":
        raise InputError(f"{path}: holds complex values ({dtype}); allowed are real numbers")
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        raise InputError(f"{path}: holds values of type {dtype}; allowed are real numbers")


def chosen(path: Path, count: int, index: int | None, what: str = "volumes") -> int:
    """Which of several volumes.

    Raises:
        InputError: none was chosen of several, or there is no such one.
    """
    if index is None and count == 1:
        return 0
    if index is None:
        raise InputError(
            f"{path}: holds {count} {what}; choose one with `index` (0 to {count - 1}), or give a "
            "file with one"
        )
    if not 0 <= index < count:
        raise InputError(
            f"{path}: holds {count} {what}; got {index}, allowed are 0 to {count - 1}",
            parameter="index",
        )
    return index


class Layout(NamedTuple):
    """Where in a file one volume is.

    Attributes:
        shape: of the volume, memory order (last fastest).
        axes: which axes of the file these are.
        before, behind: voxels of the file before and behind the volume.
    """

    shape: tuple[int, int, int]
    axes: tuple[int, int, int]
    before: int
    behind: int


def layout_of(path: Path, shape: Sequence[int], index: int | None) -> Layout:
    """The volume of a file whose axes are given in memory order (last fastest).

    Axes of length 1 are dropped where more than three are there. What is left before the last
    three counts volumes.

    Raises:
        InputError: fewer than three axes, absurd sizes, several volumes and none chosen.
    """
    check_size(shape, path)
    kept = list(range(len(shape)))
    while len(kept) > 3:
        single = [axis for axis in kept if shape[axis] == 1]
        if not single:
            break
        kept.remove(single[0])
    if len(kept) < 3:
        raise InputError(
            f"{path}: has {len(shape)} dimension(s) ({size(shape)}); give a 3-D image, (z, y, x)"
        )
    if len(kept) > 3 and shape[kept[-1]] <= 4:
        raise InputError(
            f"{path}: is a colour image ({size(shape)}); give a grey one with one value per voxel"
        )
    z, y, x = kept[-3:]
    several = kept[:-3]
    count = prod(shape[axis] for axis in several)
    which = chosen(path, count, index)
    each = shape[z] * shape[y] * shape[x]
    return Layout(
        (shape[z], shape[y], shape[x]), (z, y, x), which * each, (count - 1 - which) * each
    )


def check_length(path: Path, got: int, wanted: int) -> None:
    """Refuse raw data that are not as long as the header describes.

    Raises:
        CorruptFileError: shorter or longer.
    """
    if got != wanted:
        what = "is cut" if got < wanted else "or its header is damaged (more data than described)"
        raise CorruptFileError(
            f"{path}: holds {got} bytes of voxels, its header describes {wanted}; the file {what}; "
            "take another copy"
        )


def native(values: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in this machine's byte order."""
    return values.astype(values.dtype.newbyteorder("="), copy=False)
