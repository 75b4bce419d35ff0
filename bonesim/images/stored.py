"""An image as its file holds it: what every format's reader returns, and nothing assumed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Stored"]

Three = tuple[float, float, float]


#: What exports of bonesim have in their header when their values are bone of each voxel in 1/255.
OWN_BONE = "bonesim quanta"


@dataclass(frozen=True)
class Stored:
    """One 3-D grey image of a file, before its axes are put in order.

    Axes are those of the memory: the last is the fastest. What the file does not state is None.

    Attributes:
        values: three axes, real numbers as stored (scale and offset not yet applied).
        step_um: length of a voxel along each axis of `values`, um; as the file has it, 0 or negative
            too: whoever uses it checks it.
        directions: rows are unit vectors of the axes of `values` in the world (x, y, z).
        origin_um: centre of voxel (0, 0, 0) in the world (x, y, z), um.
        world: "LPS" (x to the left, y to posterior, z to superior), "RAS", or "" (unnamed).
        scale, offset: the file's own calibration; true value = scale * stored + offset.
        mg_per_cm3: slope and intercept from true value to mgHA/cm3.
        missing: why there is no step_um, as a clause: "the file has no voxel size".
        notes: what the user must know about the reading, one line each.
        bone: an own export: uint8, bone of each voxel in 1/255, no grey values.
    """

    values: NDArray[Any]
    step_um: Three | None = None
    directions: NDArray[np.float64] | None = None
    origin_um: Three | None = None
    world: str = ""
    scale: float = 1.0
    offset: float = 0.0
    mg_per_cm3: tuple[float, float] | None = None
    missing: str = ""
    notes: tuple[str, ...] = ()
    bone: bool = False
