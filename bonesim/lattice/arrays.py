"""The arrays of the tissue: what kernels see of one specimen."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Lattice(NamedTuple):
    """The tissue as kernels use it. All voxel arrays are flat over the padded lattice."""

    quanta: NDArray[np.uint8]  # bone, 0..255
    region: NDArray[np.uint8]  # OUTSIDE, RIM, INTERIOR
    formed_day: NDArray[np.float32]  # day the bone was formed, effective for the slow mineral pool
    owner: NDArray[np.int32]  # row of the cavity record that owns the voxel, or -1
    surface_slot: NDArray[np.int32]  # place in `surface`, or -1
    surface: NDArray[np.int32]  # voxels of the bone surface, the first counts[SURFACE] hold
    counts: NDArray[np.int64]
    sums: NDArray[np.float64]
    event_voxel: NDArray[np.int64]  # today's events, the first counts[EVENTS] hold
    event_kind: NDArray[np.uint8]
    event_euler: NDArray[np.int16]
    event_quanta: NDArray[np.int32]
    event_thickness_um: NDArray[np.float32]
    event_depth_um: NDArray[np.float32]
    event_bmu: NDArray[np.uint64]
    lost_voxel: NDArray[np.int64]  # found floorless today, the first counts[FLOORLESS] hold
    lost_quanta: NDArray[np.int32]
    lost_bmu: NDArray[np.uint64]
    lost_event: NDArray[np.uint8]  # 1 if its loss changed the topology
    shape: tuple[int, int, int]  # padded: voxels along z, y, x
    stride_y: int
    stride_z: int
    voxel_um: float
    slow_mineral_tau_day: float
