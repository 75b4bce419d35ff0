"""Arrays that are masks already: bone or not, in the encodings that people use."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.units import FULL

__all__ = ["as_mask"]


def as_mask(values: NDArray[Any]) -> NDArray[np.bool_] | None:
    """The array as bool if it holds nothing but 0 and 1, or 0 and 255; else None.

    Args:
        values: bool or real numbers, finite.
    """
    if values.dtype == np.bool_:
        return values
    high = values.max()
    if values.min() < 0 or high not in (0, 1, FULL):
        return None
    marked = values == high if high else np.zeros(values.shape, bool)
    return marked if bool((marked | (values == 0)).all()) else None
