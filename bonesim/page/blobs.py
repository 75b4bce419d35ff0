"""Arrays as text within a page: bytes by significance, zlib, base64.

The page's `decode.js` is the other side. The same arrays give the same text.
"""

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Kinds of numbers that a page can hold: NumPy's name -> the page's.
KINDS = {
    "uint8": "u1", "uint16": "u2", "int32": "i4", "float32": "f4", "float64": "f8", "uint64": "u8",
}  # fmt: skip
#: zlib's best; a page is written once and sent often.
LEVEL = 9


class Blobs:
    """The arrays of a page, numbered in the order they are added."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, values: NDArray[Any]) -> dict[str, Any]:
        """Keep an array; returns where it is and how it is read.

        Args:
            values: of a dtype in `KINDS`; flattened.
        """
        flat = np.ascontiguousarray(values).ravel()
        little = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
        planes = little.view(np.uint8).reshape(flat.size, flat.dtype.itemsize).T
        packed = zlib.compress(np.ascontiguousarray(planes).tobytes(), LEVEL)
        self.texts.append(base64.b64encode(packed).decode())
        return {"blob": len(self.texts) - 1, "kind": KINDS[flat.dtype.name], "count": flat.size}


def narrowed(values: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in the smallest kind of number that a page has for them."""
    if values.dtype == np.bool_:
        return values.astype(np.uint8)
    if (
        values.dtype == np.float64
        and np.isfinite(values).all()
        and (values == np.rint(values)).all()
    ):
        return narrowed_integers(values)
    if values.dtype.kind in "iu":
        return narrowed_integers(values)
    return values if values.dtype.name in KINDS else values.astype(np.float64)


def narrowed_integers(values: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers as int32, or as they are if they do not fit."""
    bounds = np.iinfo(np.int32)
    if values.size == 0 or (values.min() >= bounds.min and values.max() <= bounds.max):
        return values.astype(np.int32)
    return values if values.dtype.name in KINDS else values.astype(np.float64)
