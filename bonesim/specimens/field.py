"""Kernels of the synthetic bone: scattered points, bent space, identities of places."""

import math

import numpy as np
from numpy.typing import NDArray

from bonesim.chance import SPECIMEN, Day, Identity, Seed, normal, uniform
from bonesim.kernel import kernel

#: Spacing of the grid on which distance is computed, whatever the voxel size.
SPACING_UM = 30.0
#: Nodes of that grid before and after the block, so that filters see no edge.
MARGIN = 4
#: Standard deviation of the Gaussian that rounds edges and junctions.
ROUNDING_UM = 18.0
#: How many points count at a place: more than meet at a corner, so that holes are round.
NEAREST = 5
#: Freedom of a point in its cell of the grid along z: 1 anywhere, 0 in the middle (assumed).
SCATTER_Z = 0.7
#: Share of a point's place across z that it has in common with all points above and below it, so
#: that walls go on from cell to cell along z (assumed).
COLUMN = 0.7
#: Standard deviation of a cubic B-spline of unit normal numbers, averaged over places.
SPLINE_SD = 0.33

# Purpose of a number; used in place of the day in `chance`.
_POINT_X, _POINT_Y, _POINT_Z, _NOISE = Day(1), Day(2), Day(3), Day(4)
#: Number that stands for a whole column of points, in place of their place along z.
_ANY_Z = 1048575
_FAR = 1.0e6


@kernel
def place_id(k: int, j: int, i: int) -> Identity:
    """One number for a node of an unbounded grid (each index within +/- 2^20)."""
    half = 1048576
    return np.uint64(((k + half) << 42) | ((j + half) << 21) | (i + half))


@kernel
def mixed(a: Identity, b: Identity) -> Identity:
    """One 64-bit number from two, in this order (the finaliser of splitmix64, Steele 2014)."""
    x = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(b)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@kernel
def face_id(a: Identity, b: Identity) -> Identity:
    """One number for the face between two cells, whatever their order."""
    return mixed(min(a, b), max(a, b))


@kernel
def edge_id(a: Identity, b: Identity, c: Identity) -> Identity:
    """One number for the edge where three cells meet, whatever their order."""
    low = min(a, b, c)
    high = max(a, b, c)
    return mixed(mixed(low, a ^ b ^ c ^ low ^ high), high)


@kernel
def spline_weights(t: float, weights: NDArray[np.float64]) -> None:
    """Cubic B-spline weights of the four nodes around a place at fraction `t` of its interval."""
    u = 1.0 - t
    weights[0] = u * u * u / 6.0
    weights[1] = (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0
    weights[2] = (3.0 * u * u * u - 6.0 * u * u + 4.0) / 6.0
    weights[3] = t * t * t / 6.0


@kernel
def spline_slopes(t: float, slopes: NDArray[np.float64]) -> None:
    """Derivatives of `spline_weights` with respect to `t`."""
    u = 1.0 - t
    slopes[0] = -0.5 * u * u
    slopes[1] = 1.5 * t * t - 2.0 * t
    slopes[2] = -1.5 * u * u + 2.0 * u
    slopes[3] = 0.5 * t * t


@kernel
def noise_extent(
    shape: tuple[int, int, int], spacing: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First node and number of nodes of smooth noise that covers the grid, along z, y, x."""
    low = np.empty(3, dtype=np.int64)
    count = np.empty(3, dtype=np.int64)
    for axis in range(3):
        low[axis] = math.floor(-MARGIN * SPACING_UM / spacing) - 1
        end = (shape[axis] - MARGIN) * SPACING_UM
        count[axis] = math.ceil(end / spacing) + 3 - low[axis]
    return low, count


@kernel
def noise_nodes(
    low: NDArray[np.int64], count: NDArray[np.int64], fields: int, first: int, seed: Seed
) -> NDArray[np.float64]:
    """Normal numbers at the nodes of smooth noise, shape (nz, ny, nx, fields).

    Args:
        low: index of the first node along z, y, x.
        count: nodes along z, y, x.
        fields: how many independent fields.
        first: number of the first field; different numbers are independent.
        seed: of the specimen.
    """
    nodes = np.empty((count[0], count[1], count[2], fields))
    for k in range(count[0]):
        for j in range(count[1]):
            for i in range(count[2]):
                entity = place_id(k + low[0], j + low[1], i + low[2])
                for n in range(fields):
                    nodes[k, j, i, n] = normal(seed, Day(_NOISE + first + n), entity, SPECIMEN)
    return nodes


@kernel
def noise_row(
    nodes: NDArray[np.float64],
    low: NDArray[np.int64],
    z: float,
    y: float,
    scratch: NDArray[np.float64],
    row: NDArray[np.float64],
) -> None:
    """Nodes combined along z and y for all places with this z and y, into `row`.

    Smooth noise is the cubic B-spline of its nodes, scaled to unit variance.

    Args:
        nodes: from `noise_nodes`.
        low: index of the first node along z, y, x.
        z, y: place in units of the spacing of nodes.
        scratch: (2, 4).
        row: (nx, fields), overwritten.
    """
    k = math.floor(z)
    j = math.floor(y)
    spline_weights(z - k, scratch[0])
    spline_weights(y - j, scratch[1])
    row[:] = 0.0
    for c in range(4):
        for b in range(4):
            weight = scratch[0, c] * scratch[1, b] / SPLINE_SD
            row += weight * nodes[k - low[0] + c - 1, j - low[1] + b - 1]


@kernel
def noise_at(
    row: NDArray[np.float64],
    low: int,
    x: float,
    weights: NDArray[np.float64],
    result: NDArray[np.float64],
) -> None:
    """Smooth noise at x (in units of the spacing) on a row from `noise_row`, into `result`."""
    i = math.floor(x)
    spline_weights(x - i, weights)
    i -= low + 1
    for n in range(result.size):
        result[n] = (
            weights[0] * row[i, n]
            + weights[1] * row[i + 1, n]
            + weights[2] * row[i + 2, n]
            + weights[3] * row[i + 3, n]
        )


@kernel
def scattered(seed: Seed, axis: Day, entity: Identity, column: Identity) -> float:
    """Where in its cell of the unit grid a point lies across z, 0 to 1.

    Args:
        seed: of the specimen.
        axis: purpose of the number, in place of the day.
        entity: identity of the point.
        column: identity of all points with its x and y.
    """
    own: float = uniform(seed, axis, entity, SPECIMEN)
    shared: float = uniform(seed, axis, column, SPECIMEN)
    return COLUMN * shared + (1.0 - COLUMN) * own


@kernel
def scatter(
    low: NDArray[np.int64], count: NDArray[np.int64], seed: Seed
) -> tuple[NDArray[np.float64], NDArray[np.uint64]]:
    """One point at random in each cell of a unit grid: places (nz, ny, nx, 3) and identities."""
    points = np.empty((count[0], count[1], count[2], 3))
    names = np.empty((count[0], count[1], count[2]), dtype=np.uint64)
    for j in range(count[1]):
        for i in range(count[2]):
            column = place_id(_ANY_Z, j + low[1], i + low[2])
            for k in range(count[0]):
                entity = place_id(k + low[0], j + low[1], i + low[2])
                height = uniform(seed, _POINT_Z, entity, SPECIMEN) - 0.5
                names[k, j, i] = entity
                points[k, j, i, 0] = k + low[0] + 0.5 + SCATTER_Z * height
                points[k, j, i, 1] = j + low[1] + scattered(seed, _POINT_Y, entity, column)
                points[k, j, i, 2] = i + low[2] + scattered(seed, _POINT_X, entity, column)
    return points, names


@kernel
def smooth_min(a: float, b: float, radius: float) -> float:
    """The smaller of two distances, with a rounded corner (polynomial smooth minimum)."""
    overlap = max(radius - abs(a - b), 0.0) / radius
    return min(a, b) - 0.25 * overlap * overlap * radius


@kernel
def inside_out(n: int) -> int:
    """0, -1, 1, -2, 2 for n = 0 to 4."""
    return (n + 1) // 2 * (1 - 2 * (n % 2))


@kernel
def nearest_points(
    place: NDArray[np.float64],
    points: NDArray[np.float64],
    low: NDArray[np.int64],
    near: NDArray[np.int64],
    square: NDArray[np.float64],
) -> None:
    """The points nearest to `place` (grid units), nearest first: flat indices into `near`.

    As many as `near` and `square` (their squared distances) are long.
    """
    last = square.size - 1
    square[:] = _FAR
    k0 = math.floor(place[0]) - low[0]
    j0 = math.floor(place[1]) - low[1]
    i0 = math.floor(place[2]) - low[2]
    for near_k in range(5):
        k = k0 + inside_out(near_k)
        gap_z = max(k + low[0] - place[0], place[0] - (k + low[0] + 1), 0.0)
        for near_j in range(5):
            j = j0 + inside_out(near_j)
            gap_y = max(j + low[1] - place[1], place[1] - (j + low[1] + 1), 0.0)
            if gap_z * gap_z + gap_y * gap_y >= square[last]:
                continue
            for near_i in range(5):
                i = i0 + inside_out(near_i)
                z = points[k, j, i, 0] - place[0]
                y = points[k, j, i, 1] - place[1]
                x = points[k, j, i, 2] - place[2]
                d = z * z + y * y + x * x
                if d >= square[last]:
                    continue
                slot = last
                while slot > 0 and d < square[slot - 1]:
                    square[slot] = square[slot - 1]
                    near[slot] = near[slot - 1]
                    slot -= 1
                square[slot] = d
                near[slot] = (k * points.shape[1] + j) * points.shape[2] + i
