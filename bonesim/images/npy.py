"""NumPy's own files: the header is checked against the length, nothing is unpickled."""

from math import prod
from pathlib import Path

import numpy as np

from bonesim.errors import CorruptFileError, InputError
from bonesim.images.opening import opened, plain_size
from bonesim.images.stored import Stored
from bonesim.images.volumes import check_length, check_type, layout_of, native

__all__ = ["read", "recognises"]


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file begins as NPY."""
    return head.startswith(b"\x93NUMPY")


def read(path: Path, *, index: int | None = None) -> Stored:
    """Read an array (z, y, x), in either memory order.

    Args:
        path: of the file.
        index: which volume of a 4-D array, whose first axis counts them.

    Raises:
        InputError: no 3-D array of real numbers.
        CorruptFileError: cut, damaged, or longer than described.
    """
    from numpy.lib import format as npy

    with opened(path) as file:
        try:
            version = npy.read_magic(file)
            header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, fortran, dtype = header(file)
        except (ValueError, EOFError, TypeError, SyntaxError, RecursionError) as error:
            reason = " ".join(str(error).split())[:200]
            raise CorruptFileError(f"{path}: has a damaged NPY header ({reason})") from None
        if dtype.hasobject:
            raise CorruptFileError(
                f"{path}: holds Python objects, which are never loaded; save numbers"
            )
        check_type(dtype, path)
        if any(not isinstance(n, int) or n < 0 for n in shape):
            raise CorruptFileError(f"{path}: has a damaged NPY header (shape {shape})")
        layout = layout_of(path, shape, index)
        check_length(path, plain_size(path) - file.tell(), prod(shape) * dtype.itemsize)
        if not fortran:
            file.seek(layout.before * dtype.itemsize, 1)
            values = np.fromfile(file, dtype, prod(layout.shape)).reshape(layout.shape)
        elif layout.before or layout.behind:
            raise InputError(
                f"{path}: holds several volumes in Fortran order; save one of them alone"
            )
        else:
            values = np.fromfile(file, dtype, prod(shape)).reshape(shape, order="F")
            values = values.reshape(layout.shape)
    return Stored(
        native(values), missing="an NPY file has no voxel size", notes=("NPY axes are (z, y, x)",)
    )
