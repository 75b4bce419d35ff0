"""Straight lines through the lattice: bone and marrow behind a voxel along a normal.

Rays go in half-voxel steps from a voxel's centre, so they never jump over a voxel's face, and
stop at the cut faces.
"""

import numpy as np

from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Voxel
from bonesim.units import BONE

#: A crossing that would change the topology is a breakthrough only if there is no bone within
#: this many voxels along the normal (design: rule 3).
BREAKTHROUGH_REACH = 3.0
#: No cavity is deeper than this; ends rays that run along one.
LONGEST_UM = 400.0


@lean_kernel
def along(
    lattice: Lattice, voxel: Voxel, nz: float, ny: float, nx: float, distance: float
) -> Voxel:
    """The voxel at `distance` (voxels) from the centre of `voxel` along the unit vector n.

    Args:
        nz, ny, nx: unit vector, along z, y, x.
        distance: voxels.
    """
    dz = np.int64(np.floor(nz * distance + 0.5))
    dy = np.int64(np.floor(ny * distance + 0.5))
    dx = np.int64(np.floor(nx * distance + 0.5))
    return Voxel(voxel + dz * lattice.stride_z + dy * lattice.stride_y + dx)


@lean_kernel
def bone_behind(lattice: Lattice, voxel: Voxel, nz: float, ny: float, nx: float) -> bool:
    """Whether any other bone voxel lies within BREAKTHROUGH_REACH along n.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    distance = 0.5
    while distance <= BREAKTHROUGH_REACH:
        there = along(lattice, voxel, nz, ny, nx, distance)
        if lattice.region[there] == 0:
            return False
        if there != voxel and lattice.quanta[there] >= BONE:
            return True
        distance += 0.5
    return False


@lean_kernel
def bone_left(lattice: Lattice, voxel: Voxel, nz: float, ny: float, nx: float) -> float:
    """Thickness (um) of the first bone met along n from `voxel`, through a cavity to its floor.

    LONGEST_UM where the ray meets a cut face (the mirror holds as much again); 0 where there is
    no bone within reach.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    distance = 0.0
    while lattice.quanta[along(lattice, voxel, nz, ny, nx, distance)] < BONE:
        distance += 0.5
        there = along(lattice, voxel, nz, ny, nx, distance)
        if lattice.region[there] == 0:
            return LONGEST_UM
        if distance * lattice.voxel_um > LONGEST_UM:
            return 0.0
    begin = distance
    while lattice.quanta[along(lattice, voxel, nz, ny, nx, distance)] >= BONE:
        distance += 0.5
        there = along(lattice, voxel, nz, ny, nx, distance)
        if lattice.region[there] == 0 or distance * lattice.voxel_um > LONGEST_UM:
            return LONGEST_UM
    return (distance - begin) * lattice.voxel_um


@lean_kernel
def solid_length(lattice: Lattice, voxel: Voxel, nz: float, ny: float, nx: float) -> float:
    """Distance (voxels) along n over which there is bone or an open cavity.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    distance = 0.5
    while distance * lattice.voxel_um <= LONGEST_UM:
        there = along(lattice, voxel, nz, ny, nx, distance)
        if lattice.region[there] == 0:
            break
        if lattice.quanta[there] < BONE and lattice.owner[there] < 0:
            break
        distance += 0.5
    return distance - 0.5


@lean_kernel
def thickness_along(lattice: Lattice, voxel: Voxel, nz: float, ny: float, nx: float) -> float:
    """Local thickness (um) through a voxel along n, open cavities counted as bone.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    both = solid_length(lattice, voxel, nz, ny, nx) + solid_length(lattice, voxel, -nz, -ny, -nx)
    return max(both, 1.0) * lattice.voxel_um
