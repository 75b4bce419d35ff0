"""Fields of messengers over the specimen: how sources are added and how values are read.

All fields share one grid of cubes, coarser than the voxels (a reach is several voxels). Sources
are distributed to the eight nearest cube centres and values are interpolated between them: nothing
jumps at the border of a cube. Sources are integers in units of 1/4096, so their sum does not depend
on the order of cells. Beyond the outermost centres the field is constant (mirror condition).

Values are relative to health: 1 is the mean where the field is sensed, in the bone at its start.
Hormones multiply the release of sources; load multiplies the strain of osteocytes. The day's
multipliers are kept beside the fields, so they act at once and exactly.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel, lean_kernel
from bonesim.lattice.indices import Count, Shape, Voxel

#: Shares of a source along each axis are counted in this many parts.
PARTS = 16
WHOLE = PARTS**3


class Fields(NamedTuple):
    """What kernels read. Fields are float32 of the grid's shape (z, y, x)."""

    rankl: NDArray[np.float32]
    opg: NDArray[np.float32]
    sclerostin: NDArray[np.float32]
    coupling: NDArray[np.float32]
    death: NDArray[np.float32]  # of osteocytes, recently
    lining: NDArray[np.float32]  # lining cells: the canopy's and the precursors' shelter
    strain: NDArray[np.float32]  # u: stimulus of osteocytes around at habitual load
    cubes_per_voxel_z: float
    cubes_per_voxel_y: float
    cubes_per_voxel_x: float
    rankl_level: float  # today's hormones: multiplies rankl
    opg_level: float
    load_level: float  # today's load: multiplies strain


#: Where a place lies on a grid: lower cube and how far past its centre (0..1), along z, y, x.
Place: TypeAlias = tuple[Count, float, Count, float, Count, float]


@lean_kernel
def grid_place(index: float, per_voxel: float, count: int) -> tuple[Count, float]:
    """Lower cube and how far past its centre (0..1), for a padded voxel coordinate (may be between).

    Args:
        index: padded voxel coordinate.
        per_voxel: cubes per voxel.
        count: cubes along the axis.
    """
    place = min(max((index - 0.5) * per_voxel - 0.5, 0.0), count - 1.0)
    low = min(np.int64(place), np.int64(max(count - 2, 0)))
    return low, place - low


@lean_kernel
def place_in(fields: Fields, cubes: Shape, z: float, y: float, x: float) -> Place:
    """Where padded voxel coordinates lie on a grid of `cubes`: lower cube and how far past, thrice.

    Args:
        z, y, x: padded voxel coordinates.
    """
    k, dz = grid_place(z, fields.cubes_per_voxel_z, cubes[0])
    j, dy = grid_place(y, fields.cubes_per_voxel_y, cubes[1])
    i, dx = grid_place(x, fields.cubes_per_voxel_x, cubes[2])
    return k, dz, j, dy, i, dx


@lean_kernel
def place_of(fields: Fields, cubes: Shape, voxel: Voxel, shape: Shape) -> Place:
    """As `place_in`, of a padded flat voxel of a lattice of padded `shape`."""
    z = voxel // (shape[1] * shape[2])
    rest = voxel - z * shape[1] * shape[2]
    y = rest // shape[2]
    x = rest - y * shape[2]
    return place_in(fields, cubes, np.float64(z), np.float64(y), np.float64(x))


@lean_kernel
def between(field: NDArray[np.float32], place: Place) -> float:
    """A field at a place, linear between the eight cubes around it.

    Where there is one cube along an axis it counts for both: nothing is past its centre.

    Args:
        field: float32 (z, y, x).
    """
    k, dz, j, dy, i, dx = place
    up = min(1, field.shape[0] - 1)
    behind = min(1, field.shape[1] - 1)
    right = min(1, field.shape[2] - 1)
    total = 0.0
    for c in range(2):
        for b in range(2):
            for a in range(2):
                weight = (dz if c else 1.0 - dz) * (dy if b else 1.0 - dy) * (dx if a else 1.0 - dx)
                cube = field[
                    k + (up if c else 0), j + (behind if b else 0), i + (right if a else 0)
                ]
                total += weight * np.float64(cube)
    return total


@lean_kernel
def read(field: NDArray[np.float32], fields: Fields, z: float, y: float, x: float) -> float:
    """A field at padded voxel coordinates (a voxel's centre is at its index), linear between cubes.

    Args:
        field: float32 (z, y, x).
        z, y, x: padded voxel coordinates.
    """
    return between(field, place_in(fields, field.shape, z, y, x))


@lean_kernel
def read_voxel(field: NDArray[np.float32], fields: Fields, voxel: Voxel, shape: Shape) -> float:
    """A field at a padded flat voxel of a lattice of padded `shape`.

    Args:
        field: float32 (z, y, x).
    """
    return between(field, place_of(fields, field.shape, voxel, shape))


@lean_kernel
def read_each(
    values: NDArray[np.float64],
    field: NDArray[np.float32],
    fields: Fields,
    voxels: NDArray[np.int64],
    shape: Shape,
) -> None:
    """A field at each of `voxels` (padded flat), written to `values`.

    Args:
        values: float64 (n,), receives them.
        field: float32 (z, y, x).
        voxels: padded flat, int64 (n,).

    Writes:
        values
    """
    for n in range(voxels.size):
        values[n] = read_voxel(field, fields, voxels[n], shape)


@kernel
def read_voxels(
    field: NDArray[np.float32], fields: Fields, voxels: NDArray[np.int64], shape: Shape
) -> NDArray[np.float64]:
    """A field at each of `voxels` (padded flat).

    Args:
        field: float32 (z, y, x).
        voxels: padded flat, int64 (n,).
    """
    values = np.empty(voxels.size, np.float64)
    read_each(values, field, fields, voxels, shape)
    return values


@lean_kernel
def occupancy(rankl: float, opg: float) -> float:
    """RANK bound by RANKL against its decoy OPG, relative to health; both in units of health.

    rho = R / (R + K (1 + O / K_O)) with both constants 1 (assumed; guide M3): 1/3 in health.

    Args:
        rankl: over that of health.
        opg: over that of health.
    """
    return 3.0 * rankl / (rankl + 1.0 + opg)


@lean_kernel
def occupancy_between(fields: Fields, place: Place) -> float:
    """RANK occupancy at a place of the grid, relative to health, with today's hormones."""
    rankl = fields.rankl_level * between(fields.rankl, place)
    return occupancy(rankl, fields.opg_level * between(fields.opg, place))


@lean_kernel
def occupancy_at(fields: Fields, z: float, y: float, x: float) -> float:
    """RANK occupancy at padded voxel coordinates.

    Args:
        z, y, x: padded voxel coordinates.
    """
    return occupancy_between(fields, place_in(fields, fields.rankl.shape, z, y, x))


@lean_kernel
def occupancy_in(fields: Fields, voxel: Voxel, shape: Shape) -> float:
    """RANK occupancy at a padded flat voxel."""
    return occupancy_between(fields, place_of(fields, fields.rankl.shape, voxel, shape))


@lean_kernel
def strain_in(fields: Fields, voxel: Voxel, shape: Shape) -> float:
    """u: today's strain stimulus around a padded flat voxel; 1 at the set-point."""
    return fields.load_level * read_voxel(fields.strain, fields, voxel, shape)


@lean_kernel
def release(
    grid: NDArray[np.int64],
    voxels: NDArray[np.int64],
    amounts: NDArray[np.int64],
    shape: Shape,
    per_voxel: tuple[float, ...],
) -> None:
    """Add sources at padded flat voxels to `grid` (int64, counted in 1/WHOLE; z, y, x, kind).

    `amounts` (int64; voxel, kind) is what is released at each; `per_voxel` the cubes per voxel
    along z, y, x. Each source is shared among the eight nearest cubes in whole parts.

    Args:
        grid: int64 (z, y, x, kind), counted in 1/WHOLE.
        voxels: padded flat, int64 (n,).
        amounts: int64 (n, kind), what is released at each.
        per_voxel: cubes per voxel along z, y, x.

    Writes:
        grid
    """
    up, behind, right = (
        min(1, grid.shape[0] - 1),
        min(1, grid.shape[1] - 1),
        min(1, grid.shape[2] - 1),
    )
    for n in range(voxels.size):
        voxel = voxels[n]
        z = voxel // (shape[1] * shape[2])
        rest = voxel - z * shape[1] * shape[2]
        y = rest // shape[2]
        x = rest - y * shape[2]
        k, dz = grid_place(np.float64(z), per_voxel[0], grid.shape[0])
        j, dy = grid_place(np.float64(y), per_voxel[1], grid.shape[1])
        i, dx = grid_place(np.float64(x), per_voxel[2], grid.shape[2])
        pz, py, px = (
            np.int64(PARTS * dz + 0.5),
            np.int64(PARTS * dy + 0.5),
            np.int64(PARTS * dx + 0.5),
        )
        for c in range(2):
            for b in range(2):
                row = grid[k + (up if c else 0), j + (behind if b else 0)]
                for a in range(2):
                    # Where there is one cube along an axis no part goes to a second.
                    parts = pz if c else PARTS - pz
                    parts *= py if b else PARTS - py
                    parts *= px if a else PARTS - px
                    for kind in range(amounts.shape[1]):
                        row[i + (right if a else 0), kind] += amounts[n, kind] * parts
