"""Maps of local thickness: for every voxel the diameter of the largest sphere over it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.morphometry.domain import domain_of
from bonesim.morphometry.spheres import Progress, part_of
from bonesim.morphometry.thickness import diameters, distances_of, spheres_over
from bonesim.units import BONE


class ThicknessMaps(NamedTuple):
    """Local thickness of each voxel; arrays of the bone's shape (nz, ny, nx).

    Spheres reach through the edge of the block or region, which is no surface. The means Tb.Th and
    Tb.Sp are corrected for that (`bonesim.morphometry.thickness`); means of the maps are not: where
    `cut`, the map is neither a lower nor an upper bound.

    Attributes:
        tb_th_um: of bone, float32, um; 0 in marrow and outside the region.
        tb_sp_um: of marrow, float32, um; 0 in bone and outside the region.
        cut: where a sphere that touches or crosses the edge is the largest.
        voxel_um: edge of a voxel.
    """

    tb_th_um: NDArray[np.float32]
    tb_sp_um: NDArray[np.float32]
    cut: NDArray[np.bool_]
    voxel_um: float


def thickness_maps(
    quanta: NDArray[np.uint8],
    voxel_um: float,
    region: NDArray[np.bool_] | None = None,
    progress: Progress | None = None,
) -> ThicknessMaps:
    """Maps of thickness and spacing.

    Args:
        quanta: bone, 0..255 quanta a voxel, shape (nz, ny, nx).
        voxel_um: edge of a voxel.
        region: what to map, same shape, as for `measure`; default all, the rim too.
        progress: receives the share that is done.

    A phase without the other is infinitely thick.

    Raises:
        InputError: a block too small, or a region empty or of another shape.
    """
    domain = domain_of(quanta, region)
    bone = domain.quanta >= BONE
    distances = distances_of(bone, domain.known)
    maps = []
    cut = np.zeros(quanta.shape, bool)
    for phase, begin, end in ((bone, 0.0, 0.2), (~bone, 0.2, 1.0)):
        spheres = spheres_over(phase, domain.known, part_of(progress, begin, end), distances)
        whole = np.zeros(quanta.shape, np.float32)
        whole[domain.box] = diameters(spheres.reaching) * np.float32(voxel_um)
        cut[domain.box] |= spheres.cut
        maps.append(whole)
    return ThicknessMaps(maps[0], maps[1], cut, voxel_um)
