"""From a smooth field on a grid to quanta in voxels of another size."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.specimens.field import spline_slopes, spline_weights


@kernel
def combined_row(
    distance: NDArray[Any],
    k: int,
    j: int,
    weights: NDArray[np.float64],
    row: NDArray[np.float64],
) -> None:
    """Sum of 4 x 4 rows of the grid with weights (value, z slope, y slope), into `row`.

    Args:
        distance: (nz, ny, nx).
        k, j: lower node of the interval that the voxel's centre is in.
        weights: (4, 4): z weights, z slopes, y weights, y slopes.
        row: (3, nx), overwritten.
    """
    row[:] = 0.0
    for c in range(4):
        for b in range(4):
            value = weights[0, c] * weights[2, b]
            along_z = weights[1, c] * weights[2, b]
            along_y = weights[0, c] * weights[3, b]
            for i in range(distance.shape[2]):
                d = distance[k + c - 1, j + b - 1, i]
                row[0, i] += value * d
                row[1, i] += along_z * d
                row[2, i] += along_y * d


@kernel
def quanta_of(
    distance: NDArray[Any],
    spacing_um: float,
    first_um: float,
    shape: tuple[int, int, int],
    voxel_um: float,
) -> NDArray[np.uint8]:
    """Quanta of voxels from a field that is zero at the bone surface and negative in bone.

    The field is the cubic B-spline with the given coefficients. A voxel's bone fraction is that
    of a flat surface at its distance, which is value over slope, so the field need not be of
    unit slope. A voxel has 128 quanta or more exactly where the field at its centre is <= 0.

    Args:
        distance: spline coefficients at nodes, (nz, ny, nx), any unit.
        spacing_um: between nodes.
        first_um: place of the first node along each axis; nodes must reach 2 spacings past the
            outermost voxel centres.
        shape: voxels along z, y, x.
        voxel_um: edge of a voxel.
    """
    quanta = np.empty(shape, dtype=np.uint8)
    weights = np.empty((4, 4))
    row = np.empty((3, distance.shape[2]))
    start = np.empty(shape[2], dtype=np.int64)  # of the x weights, the same in every row
    x_weights = np.empty((shape[2], 2, 4))
    for i in range(shape[2]):
        x = ((i + 0.5) * voxel_um - first_um) / spacing_um
        start[i] = math.floor(x)
        spline_weights(x - start[i], x_weights[i, 0])
        spline_slopes(x - start[i], x_weights[i, 1])
    for k in range(shape[0]):
        z = ((k + 0.5) * voxel_um - first_um) / spacing_um
        k0 = math.floor(z)
        spline_weights(z - k0, weights[0])
        spline_slopes(z - k0, weights[1])
        for j in range(shape[1]):
            y = ((j + 0.5) * voxel_um - first_um) / spacing_um
            j0 = math.floor(y)
            spline_weights(y - j0, weights[2])
            spline_slopes(y - j0, weights[3])
            combined_row(distance, k0, j0, weights, row)
            for i in range(shape[2]):
                value = slope_z = slope_y = slope_x = 0.0
                for a in range(4):
                    node = start[i] + a - 1
                    value += x_weights[i, 0, a] * row[0, node]
                    slope_x += x_weights[i, 1, a] * row[0, node]
                    slope_z += x_weights[i, 0, a] * row[1, node]
                    slope_y += x_weights[i, 0, a] * row[2, node]
                steepness = math.sqrt(slope_z**2 + slope_y**2 + slope_x**2)
                quanta[k, j, i] = _quanta(value, steepness * voxel_um / spacing_um)
    return quanta


@kernel
def _quanta(value: float, slope_per_voxel: float) -> np.uint8:
    """Quanta of a voxel whose centre has this value, the field rising so much per voxel."""
    if abs(value) >= 0.5 * slope_per_voxel:
        return np.uint8(255 if value <= 0.0 else 0)
    return np.uint8(round(255.0 * (0.5 - value / slope_per_voxel)))
