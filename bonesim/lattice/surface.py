"""The bone surface: which bone voxels have a face towards marrow, kept current in O(1) a change.

The set is a list with a slot number at each voxel; removal swaps with the last. Its *order*
depends on history, so no state may depend on it: origination proposes voxels and never draws from
this list.
"""

import numpy as np

from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Voxel
from bonesim.units import BONE

SURFACE = 0  # place of the surface count in Lattice.counts


@lean_kernel
def exposed_faces(lattice: Lattice, voxel: Voxel) -> int:
    """How many of a voxel's six faces border marrow (cut faces of the specimen do not)."""
    count = 0
    for step in (-lattice.stride_z, lattice.stride_z, -lattice.stride_y, lattice.stride_y, -1, 1):
        if lattice.quanta[voxel + step] < BONE and lattice.region[voxel + step] != 0:
            count += 1
    return count


@lean_kernel
def put_on_surface(lattice: Lattice, voxel: Voxel) -> None:
    """Add a voxel to the surface set, if it is not there. The caller provides room.

    Writes:
        lattice
    """
    if lattice.surface_slot[voxel] < 0:
        slot = lattice.counts[SURFACE]
        lattice.surface[slot] = voxel
        lattice.surface_slot[voxel] = slot
        lattice.counts[SURFACE] = slot + 1


@lean_kernel
def take_off_surface(lattice: Lattice, voxel: Voxel) -> None:
    """Take a voxel off the surface set, if it is there: the last one moves into its slot.

    Writes:
        lattice
    """
    slot = lattice.surface_slot[voxel]
    if slot >= 0:
        last = lattice.counts[SURFACE] - 1
        moved = lattice.surface[last]
        lattice.surface[slot] = moved
        lattice.surface_slot[moved] = slot
        lattice.surface_slot[voxel] = -1
        lattice.counts[SURFACE] = last


@lean_kernel
def outward_area(lattice: Lattice, voxel: Voxel, nz: float, ny: float, nx: float) -> float:
    """True surface area of a voxel's empty-side faces, in voxel faces, and its erosion weight.

    Sum over the faces e with no bone quanta beyond of max(0, -n.e), n the unit normal into bone.
    On a plane of any orientation these add up to exactly the true area, so erosion and formation
    that go by this weight are isotropic.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    quanta, region = lattice.quanta, lattice.region
    y, z = lattice.stride_y, lattice.stride_z
    weight = np.float64(0.0)
    step = -z if nz > 0 else z
    if quanta[voxel + step] == 0 and region[voxel + step] != 0:
        weight += abs(nz)
    step = -y if ny > 0 else y
    if quanta[voxel + step] == 0 and region[voxel + step] != 0:
        weight += abs(ny)
    step = -1 if nx > 0 else 1
    if quanta[voxel + step] == 0 and region[voxel + step] != 0:
        weight += abs(nx)
    return weight


@lean_kernel
def mirrored(index: int, size: int) -> int:
    """A padded index brought back into 1..size-2 by mirroring at the cut faces.

    Args:
        index: may lie beyond the faces.
        size: padded voxels along the axis.
    """
    inside = size - 2
    k = index - 1
    if k < 0:
        k = -1 - k
    if k >= inside:
        k = 2 * inside - 1 - k
    return min(max(k, 0), inside - 1) + 1
