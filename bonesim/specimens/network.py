"""Kernels of the synthetic bone: distance to plates and rods on the borders of cells."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.chance import SPECIMEN, uniform, uniform_pair
from bonesim.kernel import kernel
from bonesim.specimens.field import (
    BEND_UM,
    HOLE_UM,
    MARGIN,
    SPACING_UM,
    edge_id,
    face_id,
    nearest_points,
    noise_at,
    noise_nodes,
    noise_row,
    scatter,
    smooth_min,
)

#: Radius of the fillet where bone meets bone.
FILLET_UM = 40.0
#: Spread of rod thickness about its mean, as a share of it (uniform; assumed).
ROD_SPREAD = 0.2
#: Width of the flange along the edges of an open face: from, to (um; assumed).
FLANGE_UM = (100.0, 250.0)


class Structure(NamedTuple):
    """The numbers that define a kind of bone; all floats.

    Attributes:
        cell_um: spacing of the points, one for each marrow space (geometric mean of the axes).
        elongation: height over width of the cells.
        plate_share: share of faces that carry a plate.
        flange_share: share of faces that are open in the middle with a flange along the edges.
        hole_level: plates have holes where smooth noise exceeds this many standard deviations.
        plate_um: thickness of plates.
        rod_share: share of edges that carry a rod.
        rod_um: mean diameter of rods.
        bending_um: standard deviation of the displacement that bends space, along each axis.
    """

    cell_um: float
    elongation: float
    plate_share: float
    flange_share: float
    hole_level: float
    plate_um: float
    rod_share: float
    rod_um: float
    bending_um: float


#: Distance over which the noise that places holes changes by one standard deviation.
HOLE_SLOPE_UM = 100.0

# Purpose of a number; used in place of the day in `chance`.
_FACE, _FLANGE, _ROD = 11, 12, 13
#: Distances are cut off here: far enough from any surface not to affect smoothing.
_FAR_UM = 120.0


@kernel
def face_distance(a: int, b: int, near: NDArray[np.float64]) -> float:
    """Distance in um from the place to the mid-plane between its a-th and b-th nearest points.

    `near` has a row for each point: half the squared distance (grid units squared) and the
    gradient of that by place in um (z, y, x). Planes of equal distance stay planes when the
    grid is stretched, so this is exact.
    """
    z = near[b, 1] - near[a, 1]
    y = near[b, 2] - near[a, 2]
    x = near[b, 3] - near[a, 3]
    rise: float = near[b, 0] - near[a, 0]
    return rise / math.sqrt(z * z + y * y + x * x)


@kernel
def edge_distance(a: int, b: int, c: int, near: NDArray[np.float64]) -> float:
    """Distance in um from the place to the line where three cells meet; `near` as above."""
    g = near[b, 0] - near[a, 0]
    h = near[c, 0] - near[a, 0]
    gg = gh = hh = 0.0
    for axis in range(1, 4):
        p = near[b, axis] - near[a, axis]
        q = near[c, axis] - near[a, axis]
        gg += p * p
        gh += p * q
        hh += q * q
    determinant = gg * hh - gh * gh
    if determinant <= 1e-9 * gg * hh:
        return _FAR_UM
    return math.sqrt(max(g * g * hh - 2.0 * g * h * gh + h * h * gg, 0.0) / determinant)


@kernel
def uprightness(b: int, near: NDArray[np.float64]) -> float:
    """Weight 0 to 2 of a face: how upright it stands (mean 1 over random directions)."""
    z = near[b, 1] - near[0, 1]
    y = near[b, 2] - near[0, 2]
    x = near[b, 3] - near[0, 3]
    level: float = z * z / (z * z + y * y + x * x)
    return 1.5 * (1.0 - level)


@kernel
def plate_distance(
    b: int,
    edge_um: float,
    hole_um: float,
    near: NDArray[np.float64],
    name: int,
    seed: int,
    structure: Structure,
) -> float:
    """Distance in um to the surface of the plate between the nearest point and the b-th one.

    Args:
        b: row of the other point in `near`.
        edge_um: distance to the nearest edge of this face.
        hole_um: about the distance to the nearest hole, negative in it.
        near: as in `face_distance`.
        name: identity of the face.
        seed: of the specimen.
        structure: of the bone.
    """
    plate = face_distance(0, b, near) - 0.5 * structure.plate_um
    if plate >= _FAR_UM:
        return _FAR_UM
    chance = uniform(seed, _FACE, name, SPECIMEN) / max(uprightness(b, near), 1e-9)
    if chance >= structure.plate_share + structure.flange_share:
        return _FAR_UM
    border = hole_um
    if chance >= structure.plate_share:
        width = uniform(seed, _FLANGE, name, SPECIMEN)
        border = FLANGE_UM[0] + (FLANGE_UM[1] - FLANGE_UM[0]) * width - edge_um
    return -smooth_min(-plate, border, 0.5 * structure.plate_um)


@kernel
def rod_distance(edge_um: float, name: int, seed: int, structure: Structure) -> float:
    """Distance in um to the surface of the rod along an edge, if there is one."""
    if edge_um >= 0.5 * structure.rod_um * (1.0 + ROD_SPREAD) + _FAR_UM:
        return _FAR_UM
    presence, thickness = uniform_pair(seed, _ROD, name, SPECIMEN)
    if presence >= structure.rod_share:
        return _FAR_UM
    return edge_um - 0.5 * structure.rod_um * (1.0 + ROD_SPREAD * (2.0 * thickness - 1.0))


@kernel
def bone_distance(
    near: NDArray[np.float64],
    names: NDArray[np.uint64],
    hole_um: float,
    seed: int,
    structure: Structure,
) -> float:
    """Distance in um from a place to the bone surface, negative in bone.

    Only the four nearest points count: exact near faces and edges, too large far from them.
    """
    e12 = edge_distance(0, 1, 2, near)
    e13 = edge_distance(0, 1, 3, near)
    e23 = edge_distance(0, 2, 3, near)
    d = rod_distance(e12, edge_id(names[0], names[1], names[2]), seed, structure)
    d13 = rod_distance(e13, edge_id(names[0], names[1], names[3]), seed, structure)
    d23 = rod_distance(e23, edge_id(names[0], names[2], names[3]), seed, structure)
    d = smooth_min(smooth_min(d, d13, FILLET_UM), d23, FILLET_UM)
    edges = (min(e12, e13), min(e12, e23), min(e13, e23))
    for b in range(1, 4):
        name = face_id(names[0], names[b])
        plate = plate_distance(b, edges[b - 1], hole_um, near, name, seed, structure)
        d = smooth_min(d, plate, FILLET_UM)
    return d


@kernel
def describe(
    place: NDArray[np.float64],
    points: NDArray[np.float64],
    names: NDArray[np.uint64],
    cell: NDArray[np.float64],
    index: NDArray[np.int64],
    square: NDArray[np.float64],
    near: NDArray[np.float64],
    near_names: NDArray[np.uint64],
) -> None:
    """Fill `near` (see `face_distance`) and `near_names` for the four nearest points."""
    flat_points = points.reshape(-1, 3)
    flat_names = names.reshape(-1)
    for n in range(4):
        near[n, 0] = 0.5 * square[n]
        near_names[n] = flat_names[index[n]]
        for axis in range(3):
            near[n, axis + 1] = (place[axis] - flat_points[index[n], axis]) / cell[axis]


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
def network(shape: tuple[int, int, int], seed: int, structure: Structure) -> NDArray[np.float64]:
    """Distance to the bone surface in um, negative in bone, on the grid of `SPACING_UM`.

    Args:
        shape: nodes along z, y, x; the first is `MARGIN` nodes before the block.
        seed: of the specimen.
        structure: of the bone.
    """
    width = structure.cell_um * structure.elongation ** (-1.0 / 3.0)
    cell = np.array((width * structure.elongation, width, width))
    reach = 6.0 * structure.bending_um  # the bending never moves a place further
    low = np.empty(3, dtype=np.int64)
    count = np.empty(3, dtype=np.int64)
    for axis in range(3):
        low[axis] = math.floor((-MARGIN * SPACING_UM - reach) / cell[axis]) - 2
        end = (shape[axis] - MARGIN) * SPACING_UM + reach
        count[axis] = math.ceil(end / cell[axis]) + 3 - low[axis]
    points, names = scatter(low, count, seed)
    bend_low, bend_count = noise_extent(shape, BEND_UM)
    bends = noise_nodes(bend_low, bend_count, 3, 0, seed)
    hole_low, hole_count = noise_extent(shape, HOLE_UM)
    holes = noise_nodes(hole_low, hole_count, 1, 3, seed)
    result = np.empty(shape)
    place = np.empty(3)
    shift = np.empty(3)
    hole = np.empty(1)
    bend_row = np.empty((bend_count[2], 3))
    hole_row = np.empty((hole_count[2], 1))
    scratch = np.empty((2, 4))
    index = np.zeros(4, dtype=np.int64)
    square = np.empty(4)
    near = np.empty((4, 4))
    near_names = np.empty(4, dtype=np.uint64)
    for k in range(shape[0]):
        z = (k - MARGIN) * SPACING_UM
        for j in range(shape[1]):
            y = (j - MARGIN) * SPACING_UM
            noise_row(bends, bend_low, z / BEND_UM, y / BEND_UM, scratch, bend_row)
            noise_row(holes, hole_low, z / HOLE_UM, y / HOLE_UM, scratch, hole_row)
            for i in range(shape[2]):
                x = (i - MARGIN) * SPACING_UM
                place[0], place[1], place[2] = z, y, x
                noise_at(bend_row, bend_low[2], x / BEND_UM, scratch[0], shift)
                noise_at(hole_row, hole_low[2], x / HOLE_UM, scratch[0], hole)
                for axis in range(3):
                    moved = min(max(structure.bending_um * shift[axis], -reach), reach)
                    place[axis] = (place[axis] + moved) / cell[axis]
                nearest_points(place, points, low, index, square)
                describe(place, points, names, cell, index, square, near, near_names)
                hole_um = (structure.hole_level - hole[0]) * HOLE_SLOPE_UM
                distance = bone_distance(near, near_names, hole_um, seed, structure)
                result[k, j, i] = min(distance, _FAR_UM)
    return result
