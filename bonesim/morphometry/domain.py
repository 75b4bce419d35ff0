"""What a measurement may see: a block with its rim, or a region of interest and nothing else.

Without a region all of the block is seen; a rim is seen but not counted. With a region only its
voxels are seen: the rest of its box takes the value of the region's nearest voxel, as a cut face of
a block is continued outwards. So bone, marrow, a strut or a plate that the region's edge cuts goes
on beyond it, and a value is the same in air, in bone, or in the block the region was drawn in.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError

#: Voxels left out at each cut face of a block.
RIM_VOXEL = 2

Bool = NDArray[np.bool_]


class Domain(NamedTuple):
    """A box of voxels to measure in; arrays of one shape (nz, ny, nx).

    Attributes:
        quanta: bone, 0..255.
        region: voxels that are counted.
        known: voxels that are seen; None: all.
        box: where the box is in the block.
    """

    quanta: NDArray[np.uint8]
    region: Bool
    known: Bool | None
    box: tuple[slice, ...]


def domain_of(quanta: NDArray[np.uint8], region: Bool | None) -> Domain:
    """The box of a region with its edge continued, or the block, of which all but the rim counts.

    Raises:
        InputError: a block too small, or a region empty or of another shape.
    """
    if region is None:
        return _block(quanta)
    if region.shape != quanta.shape:
        raise InputError(
            f"region: has {region.shape} voxels but the lattice {quanta.shape}; they must match"
        )
    if not region.any():
        raise InputError("region: holds no voxel; nothing to measure")
    box = _box(region)
    held = np.ascontiguousarray(region[box])
    return Domain(_continued(np.ascontiguousarray(quanta[box]), held), held, held, box)


def _block(quanta: NDArray[np.uint8]) -> Domain:
    if min(quanta.shape) <= 2 * RIM_VOXEL + 2:
        raise InputError(
            f"a lattice of {quanta.shape} voxels is too small to measure: a rim of {RIM_VOXEL} "
            "voxels at each face is left out; give a region to measure all of it"
        )
    inner = np.zeros(quanta.shape, bool)
    inner[(slice(RIM_VOXEL, -RIM_VOXEL),) * 3] = True
    return Domain(quanta, inner, None, tuple(map(slice, quanta.shape)))


def _box(region: Bool) -> tuple[slice, ...]:
    """The smallest box around a region."""
    sides = []
    for axis in range(3):
        (held,) = np.nonzero(region.any(axis=tuple({0, 1, 2} - {axis})))
        sides.append(slice(int(held[0]), int(held[-1]) + 1))
    return tuple(sides)


def _continued(quanta: NDArray[np.uint8], known: Bool) -> NDArray[np.uint8]:
    """Quanta of the known voxels; elsewhere those of the nearest known voxel."""
    from scipy.ndimage import distance_transform_edt

    if known.all():
        return quanta
    nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(quanta[tuple(nearest)])
