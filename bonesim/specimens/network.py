"""Kernels of the synthetic bone: distance to plates and rods on the borders of cells."""

import math

import numpy as np
from numpy.typing import NDArray

from bonesim.chance import SPECIMEN, uniform
from bonesim.kernel import kernel
from bonesim.specimens.field import (
    BEND_UM,
    MARGIN,
    SPACING_UM,
    bend_nodes,
    bent,
    edge_id,
    face_id,
    nearest_points,
    scatter,
    smooth_min,
)

#: Radius of the fillet where bone meets bone.
FILLET_UM = 60.0
#: Spread of rod thickness about its mean, as a share of it (uniform; assumed).
ROD_SPREAD = 0.25
#: Width of the band that a holed plate leaves along its edges: from, to (um; assumed).
BAND_UM = (120.0, 260.0)

# What a number is drawn for; takes the place of the day in `chance`.
_FACE, _BAND, _ROD = 11, 12, 13
_FAR_UM = 1.0e4


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
    return (near[b, 0] - near[a, 0]) / math.sqrt(z * z + y * y + x * x)


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
def facing_sideways(b: int, near: NDArray[np.float64]) -> float:
    """Weight 0 to 2 of a face: how upright it stands (mean 1 over random directions)."""
    z = near[b, 1] - near[0, 1]
    y = near[b, 2] - near[0, 2]
    x = near[b, 3] - near[0, 3]
    return 1.5 * (1.0 - z * z / (z * z + y * y + x * x))


@kernel
def plate_distance(
    b: int,
    edge_um: float,
    near: NDArray[np.float64],
    name: int,
    seed: int,
    shares: tuple[float, float],
    plate_um: float,
) -> float:
    """Distance in um to the surface of the plate between the nearest point and the b-th one.

    Args:
        b: row of the other point in `near`.
        edge_um: distance to the nearest edge of this face.
        name: identity of the face.
        shares: of faces with a whole plate, with a holed plate.
    """
    chance = uniform(seed, _FACE, name, SPECIMEN) / max(facing_sideways(b, near), 1e-9)
    if chance >= shares[0] + shares[1]:
        return _FAR_UM
    plate = face_distance(0, b, near) - 0.5 * plate_um
    if chance < shares[0]:
        return plate
    band = BAND_UM[0] + (BAND_UM[1] - BAND_UM[0]) * uniform(seed, _BAND, name, SPECIMEN)
    return -smooth_min(-plate, band - edge_um, 0.5 * plate_um)


@kernel
def rod_distance(edge_um: float, name: int, seed: int, rod_um: float) -> float:
    """Distance in um to the surface of the rod along an edge."""
    spread = 1.0 + ROD_SPREAD * (2.0 * uniform(seed, _ROD, name, SPECIMEN) - 1.0)
    return edge_um - 0.5 * rod_um * spread


@kernel
def bone_distance(
    near: NDArray[np.float64],
    names: NDArray[np.uint64],
    seed: int,
    shares: tuple[float, float],
    plate_um: float,
    rod_um: float,
) -> float:
    """Distance in um from a place to the bone surface, negative in bone.

    Only the four nearest points count: exact near faces and edges, too large far from them.
    """
    e12 = edge_distance(0, 1, 2, near)
    e13 = edge_distance(0, 1, 3, near)
    e23 = edge_distance(0, 2, 3, near)
    d = rod_distance(e12, edge_id(names[0], names[1], names[2]), seed, rod_um)
    d13 = rod_distance(e13, edge_id(names[0], names[1], names[3]), seed, rod_um)
    d23 = rod_distance(e23, edge_id(names[0], names[2], names[3]), seed, rod_um)
    d = smooth_min(smooth_min(d, d13, FILLET_UM), d23, FILLET_UM)
    for b in range(1, 4):
        if b == 1:
            edge = min(e12, e13)
        elif b == 2:
            edge = min(e12, e23)
        else:
            edge = min(e13, e23)
        name = face_id(names[0], names[b])
        plate = plate_distance(b, edge, near, name, seed, shares, plate_um)
        d = smooth_min(d, plate, FILLET_UM)
    return d


@kernel
def network(
    shape: tuple[int, int, int],
    seed: int,
    cell_um: tuple[float, float, float],
    shares: tuple[float, float],
    plate_um: float,
    rod_um: float,
) -> NDArray[np.float64]:
    """Distance to the bone surface in um, negative in bone, on the grid of `SPACING_UM`.

    Args:
        shape: nodes along z, y, x; the first is `MARGIN` nodes before the block.
        seed: of the specimen.
        cell_um: spacing of the points along z, y, x.
        shares: of faces with a whole plate, with a holed plate.
        plate_um: thickness of plates.
        rod_um: mean diameter of rods.
    """
    cell = np.array(cell_um)
    first = -MARGIN * SPACING_UM
    low = np.empty(3, dtype=np.int64)
    count = np.empty(3, dtype=np.int64)
    bends = np.empty(3, dtype=np.int64)
    bend_low = math.floor(first / BEND_UM) - 1
    for axis in range(3):
        length = shape[axis] * SPACING_UM
        bends[axis] = math.ceil((first + length) / BEND_UM) - bend_low + 3
        reach = 800.0  # the bending never moves a place further than this
        low[axis] = math.floor((first - reach) / cell[axis]) - 2
        count[axis] = math.ceil((first + length + reach) / cell[axis]) + 3 - low[axis]
    nodes = bend_nodes(bend_low, bends, seed)
    points, names = scatter(low, count, seed)
    flat_points = points.reshape(-1, 3)
    flat_names = names.reshape(-1)
    result = np.empty(shape)
    place = np.empty(3)
    shift = np.empty(3)
    scratch = np.empty((3, 4))
    index = np.zeros(4, dtype=np.int64)
    square = np.empty(4)
    near = np.empty((4, 4))
    near_names = np.empty(4, dtype=np.uint64)
    for k in range(shape[0]):
        for j in range(shape[1]):
            for i in range(shape[2]):
                place[0] = first + k * SPACING_UM
                place[1] = first + j * SPACING_UM
                place[2] = first + i * SPACING_UM
                bent(nodes, bend_low, place, scratch, shift)
                for axis in range(3):
                    place[axis] = (place[axis] + min(max(shift[axis], -reach), reach)) / cell[axis]
                nearest_points(place, points, low, index, square)
                for n in range(4):
                    near[n, 0] = 0.5 * square[n]
                    near_names[n] = flat_names[index[n]]
                    for axis in range(3):
                        near[n, axis + 1] = (
                            place[axis] - flat_points[index[n], axis]
                        ) / cell[axis]
                result[k, j, i] = bone_distance(
                    near, near_names, seed, shares, plate_um, rod_um
                )
    return result
