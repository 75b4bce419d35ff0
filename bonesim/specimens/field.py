"""Kernels of the synthetic bone: scattered points, bent space, identities of places."""

import math

import numpy as np
from numpy.typing import NDArray

from bonesim.chance import SPECIMEN, normal, uniform
from bonesim.kernel import kernel

#: Spacing of the grid on which distance is computed, whatever the voxel size.
SPACING_UM = 40.0
#: Nodes of that grid before and after the block, so that filters see no edge.
MARGIN = 6
#: Standard deviation of the Gaussian that rounds edges and junctions.
ROUNDING_UM = 20.0
#: Freedom of a point in its cell of the grid: 1 anywhere, 0 in the middle (assumed).
SCATTER = 0.8
#: Wavelength and amplitude (one standard deviation) of the bending of space.
BEND_UM = 700.0
BENDING_UM = 110.0

# What a number is drawn for; takes the place of the day in `chance`.
_POINT_X, _POINT_Y, _POINT_Z, _BEND_X, _BEND_Y, _BEND_Z = 1, 2, 3, 4, 5, 6
_FAR = 1.0e6


@kernel
def place_id(k: int, j: int, i: int) -> int:
    """One number for a node of an unbounded grid (each index within +/- 2^20)."""
    half = 1048576
    return np.uint64(((k + half) << 42) | ((j + half) << 21) | (i + half))


@kernel
def mixed(a: int, b: int) -> int:
    """One 64-bit number from two, in this order (the finaliser of splitmix64, Steele 2014)."""
    x = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(b)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@kernel
def face_id(a: int, b: int) -> int:
    """One number for the face between two cells, whatever their order."""
    return mixed(min(a, b), max(a, b))


@kernel
def edge_id(a: int, b: int, c: int) -> int:
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
def bend_nodes(low: int, count: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Normal numbers at the nodes of the bending field, shape (3, nz, ny, nx)."""
    nodes = np.empty((3, count[0], count[1], count[2]))
    for k in range(count[0]):
        for j in range(count[1]):
            for i in range(count[2]):
                who = place_id(k + low, j + low, i + low)
                nodes[0, k, j, i] = normal(seed, _BEND_Z, who, SPECIMEN)
                nodes[1, k, j, i] = normal(seed, _BEND_Y, who, SPECIMEN)
                nodes[2, k, j, i] = normal(seed, _BEND_X, who, SPECIMEN)
    return nodes


@kernel
def bent(
    nodes: NDArray[np.float64],
    low: int,
    place: NDArray[np.float64],
    scratch: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> None:
    """Displacement of space at `place` (um), into `shift`; cubic B-spline of the nodes."""
    k = math.floor(place[0] / BEND_UM)
    j = math.floor(place[1] / BEND_UM)
    i = math.floor(place[2] / BEND_UM)
    spline_weights(place[0] / BEND_UM - k, scratch[0])
    spline_weights(place[1] / BEND_UM - j, scratch[1])
    spline_weights(place[2] / BEND_UM - i, scratch[2])
    shift[:] = 0.0
    for c in range(4):
        for b in range(4):
            w = scratch[0, c] * scratch[1, b]
            for a in range(4):
                v = w * scratch[2, a]
                for axis in range(3):
                    shift[axis] += v * nodes[axis, k - low + c - 1, j - low + b - 1, i - low + a - 1]
    # A cubic B-spline of unit normal numbers has a standard deviation of about 0.33.
    for axis in range(3):
        shift[axis] *= BENDING_UM / 0.33


@kernel
def scattered(seed: int, axis: int, who: int) -> float:
    """Where in its cell of the unit grid a point lies along one axis, 0 to 1."""
    return 0.5 + SCATTER * (uniform(seed, axis, who, SPECIMEN) - 0.5)


@kernel
def scatter(
    low: NDArray[np.int64], count: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.uint64]]:
    """One point at random in each cell of a unit grid: places (nz, ny, nx, 3) and identities."""
    points = np.empty((count[0], count[1], count[2], 3))
    names = np.empty((count[0], count[1], count[2]), dtype=np.uint64)
    for k in range(count[0]):
        for j in range(count[1]):
            for i in range(count[2]):
                who = place_id(k + low[0], j + low[1], i + low[2])
                names[k, j, i] = who
                points[k, j, i, 0] = k + low[0] + scattered(seed, _POINT_Z, who)
                points[k, j, i, 1] = j + low[1] + scattered(seed, _POINT_Y, who)
                points[k, j, i, 2] = i + low[2] + scattered(seed, _POINT_X, who)
    return points, names


@kernel
def smooth_min(a: float, b: float, radius: float) -> float:
    """The smaller of two distances, with a rounded corner (polynomial smooth minimum)."""
    overlap = max(radius - abs(a - b), 0.0) / radius
    return min(a, b) - 0.25 * overlap * overlap * radius


@kernel
def nearest_points(
    place: NDArray[np.float64],
    points: NDArray[np.float64],
    low: NDArray[np.int64],
    near: NDArray[np.int64],
    square: NDArray[np.float64],
) -> None:
    """The four points nearest to `place` (grid units), nearest first: flat indices into `near`."""
    square[:] = _FAR
    k0 = math.floor(place[0]) - low[0]
    j0 = math.floor(place[1]) - low[1]
    i0 = math.floor(place[2]) - low[2]
    for k in range(k0 - 2, k0 + 3):
        for j in range(j0 - 2, j0 + 3):
            for i in range(i0 - 2, i0 + 3):
                z = points[k, j, i, 0] - place[0]
                y = points[k, j, i, 1] - place[1]
                x = points[k, j, i, 2] - place[2]
                d = z * z + y * y + x * x
                if d >= square[3]:
                    continue
                slot = 3
                while slot > 0 and d < square[slot - 1]:
                    square[slot] = square[slot - 1]
                    near[slot] = near[slot - 1]
                    slot -= 1
                square[slot] = d
                near[slot] = (k * points.shape[1] + j) * points.shape[2] + i
