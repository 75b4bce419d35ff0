"""From a distance on a coarse grid to quanta in voxels, more finely than either."""

import math

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.specimens.field import MARGIN, SPACING_UM, spline_slopes, spline_weights


@kernel
def combined_row(
    distance: NDArray[np.float64],
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
    distance: NDArray[np.float64], shape: tuple[int, int, int], voxel_um: float
) -> NDArray[np.uint8]:
    """Quanta of voxels from the signed distance on the grid of `SPACING_UM`.

    The surface is the zero of the cubic B-spline through the grid (which rounds it a little
    more); a voxel's bone fraction is that of a flat surface at its distance, the distance being
    value over slope, so that it is right where the field is not of unit slope.

    Args:
        distance: um, negative in bone; its first node is `MARGIN` nodes before the block.
        shape: voxels along z, y, x.
        voxel_um: edge of a voxel.
    """
    quanta = np.empty(shape, dtype=np.uint8)
    weights = np.empty((4, 4))
    row = np.empty((3, distance.shape[2]))
    # The x weights of all voxels, once.
    start = np.empty(shape[2], dtype=np.int64)
    x_weights = np.empty((shape[2], 2, 4))
    for i in range(shape[2]):
        x = (i + 0.5) * voxel_um / SPACING_UM + MARGIN
        start[i] = math.floor(x)
        spline_weights(x - start[i], x_weights[i, 0])
        spline_slopes(x - start[i], x_weights[i, 1])
    for k in range(shape[0]):
        z = (k + 0.5) * voxel_um / SPACING_UM + MARGIN
        k0 = math.floor(z)
        spline_weights(z - k0, weights[0])
        spline_slopes(z - k0, weights[1])
        for j in range(shape[1]):
            y = (j + 0.5) * voxel_um / SPACING_UM + MARGIN
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
                steepness = math.sqrt(slope_z**2 + slope_y**2 + slope_x**2) / SPACING_UM
                fraction = 0.5 - value / (voxel_um * max(steepness, 0.3))
                quanta[k, j, i] = np.uint8(min(max(round(255.0 * fraction), 0), 255))
    return quanta
