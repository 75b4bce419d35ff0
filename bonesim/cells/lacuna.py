"""Lacunae, each with its osteocyte, living or dead: their table."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Day of death of lacunae that are empty at the start.
LONG_AGO = -100000


class OsteocyteColumns(NamedTuple):
    """One row per lacuna."""

    alive: NDArray[np.uint8]
    free: NDArray[np.int32]
    used: NDArray[np.int64]
    id: NDArray[np.uint64]
    voxel: NDArray[np.int64]
    born_day: NDArray[np.int32]
    viable: NDArray[np.uint8]
    died_day: NDArray[np.int32]  # of those not viable
    setpoint_mpa: NDArray[np.float32]  # strain energy density it is used to; 0: not yet asked
