"""Volume and surface of bone."""

import numpy as np
from numpy.typing import NDArray

from bonesim.quantities import FULL


def bone_volume_fraction(quanta: NDArray[np.uint8]) -> float:
    """BV/TV with partial volume: mean quanta over a full voxel, 0..1."""
    return float(quanta.mean(dtype=np.float64)) / FULL


def surface_area_voxel(quanta: NDArray[np.uint8]) -> float:
    """BS in voxel faces: marching cubes (Lewiner 2003) at half a voxel of bone.

    The block's own faces are not surface. 0 where nothing or everything is bone.
    """
    from skimage.measure import marching_cubes, mesh_surface_area

    level = FULL / 2.0
    if quanta.min() >= level or quanta.max() < level:
        return 0.0
    vertices, faces, _, _ = marching_cubes(quanta.astype(np.float32), level)
    return float(mesh_surface_area(vertices, faces))
