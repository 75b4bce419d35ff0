"""The bone surface: which bone voxels have a face towards marrow, kept current in O(1) a change.

The set is a list with a slot number at each voxel; removal swaps with the last. Its *order*
depends on history, so no state may depend on it: origination proposes voxels and never draws from
this list.
"""

import numpy as np

from bonesim.kernel import lean_kernel
from bonesim.units import BONE

SURFACE = 0  # place of the surface count in Lattice.counts


@lean_kernel
def exposed_faces(lattice, voxel):  # type: ignore[no-untyped-def]
    """How many of a voxel's six faces border marrow (cut faces of the specimen do not)."""
    count = 0
    for step in (-lattice.stride_z, lattice.stride_z, -lattice.stride_y, lattice.stride_y, -1, 1):
        if lattice.quanta[voxel + step] < BONE and lattice.region[voxel + step] != 0:
            count += 1
    return count


@lean_kernel
def put_on_surface(lattice, voxel):  # type: ignore[no-untyped-def]
    """Add a voxel to the surface set, if it is not there. The caller provides room."""
    if lattice.surface_slot[voxel] < 0:
        slot = lattice.counts[SURFACE]
        lattice.surface[slot] = voxel
        lattice.surface_slot[voxel] = slot
        lattice.counts[SURFACE] = slot + 1


@lean_kernel
def take_off_surface(lattice, voxel):  # type: ignore[no-untyped-def]
    """Take a voxel off the surface set, if it is there: the last one moves into its slot."""
    slot = lattice.surface_slot[voxel]
    if slot >= 0:
        last = lattice.counts[SURFACE] - 1
        moved = lattice.surface[last]
        lattice.surface[slot] = moved
        lattice.surface_slot[moved] = slot
        lattice.surface_slot[voxel] = -1
        lattice.counts[SURFACE] = last


@lean_kernel
def outward_area(lattice, voxel, nz, ny, nx):  # type: ignore[no-untyped-def]
    """True surface area of a voxel's empty-side faces, in voxel faces, and its erosion weight.

    Sum over the faces e with no bone quanta beyond of max(0, -n.e), n the unit normal into bone.
    On a plane of any orientation these add up to exactly the true area, so erosion and formation
    that go by this weight are isotropic.
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
def inward_normal(lattice, voxel, radius, shape):  # type: ignore[no-untyped-def]
    """Unit normal into bone at a voxel: gradient of bone fraction within `radius` voxels.

    `shape` is the padded (nz, ny, nx). Beyond a cut face the bone is mirrored (symmetry plane).
    Where bone is symmetric about the voxel (a thin sheet, an isolated voxel) there is no
    gradient and (0, 0, 0) returns.
    """
    z0 = voxel // lattice.stride_z
    y0 = (voxel - z0 * lattice.stride_z) // lattice.stride_y
    x0 = voxel - z0 * lattice.stride_z - y0 * lattice.stride_y
    # Sums of whole numbers: exact, in any order.
    gz, gy, gx = np.int64(0), np.int64(0), np.int64(0)
    limit = (radius + 0.5) * (radius + 0.5)
    free = x0 > radius and x0 + radius < shape[2] - 1
    for dz in range(-radius, radius + 1):
        z = mirrored(z0 + dz, shape[0])
        for dy in range(-radius, radius + 1):
            rest = limit - (dz * dz + dy * dy)
            if rest < 0.0:
                continue
            reach = np.int64(np.sqrt(rest))
            row = z * lattice.stride_z + mirrored(y0 + dy, shape[1]) * lattice.stride_y
            bone, moment = np.int64(0), np.int64(0)
            if free:
                for dx in range(-reach, reach + 1):
                    q = np.int64(lattice.quanta[row + x0 + dx])
                    bone += q
                    moment += q * dx
            else:
                for dx in range(-reach, reach + 1):
                    q = np.int64(lattice.quanta[row + mirrored(x0 + dx, shape[2])])
                    bone += q
                    moment += q * dx
            gz += bone * dz
            gy += bone * dy
            gx += moment
    length = np.sqrt(np.float64(gz * gz + gy * gy + gx * gx))
    if length < 1.0:
        return 0.0, 0.0, 0.0
    return gz / length, gy / length, gx / length


@lean_kernel
def mirrored(index, size):  # type: ignore[no-untyped-def]
    """A padded index brought back into 1..size-2 by mirroring at the cut faces."""
    inside = size - 2
    k = index - 1
    if k < 0:
        k = -1 - k
    if k >= inside:
        k = 2 * inside - 1 - k
    return min(max(k, 0), inside - 1) + 1
