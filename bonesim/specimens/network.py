"""Kernels of the synthetic bone: distance to plates and rods on the borders of cells."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.chance import SPECIMEN, Day, Identity, Seed, normal, uniform
from bonesim.kernel import kernel
from bonesim.specimens.field import (
    MARGIN,
    NEAREST,
    SPACING_UM,
    edge_id,
    face_id,
    nearest_points,
    noise_at,
    noise_extent,
    noise_nodes,
    noise_row,
    scatter,
    smooth_min,
)

#: Spacings of random numbers (um; assumed). Plates keep their main direction over about 1 mm; space
#: bends, and thickness varies, over about the length of an element and over about its thickness.
COARSE_UM, MIDDLE_UM, FINE_UM = 900.0, 400.0, 150.0
#: Standard deviation of the fine bending along each axis: relief of the surface (um; assumed).
RELIEF_UM = 15.0
#: Share of the variance of ln thickness that is fine (assumed).
FINE_SHARE = 0.25
#: Share of the variance of the width of plates that is between faces; the rest is within (assumed).
BETWEEN_FACES = 0.5
#: Standard deviation of ln thickness between rods (assumed).
ROD_SD = 0.12
#: How much thinner than the mean level rods and plates are; upright rods are twice as much
#: thicker, upright plates as much (assumed).
LEVEL_THINNER = 0.1
#: Radius of the fillet where bone meets bone (assumed).
FILLET_UM = 40.0
#: Distance over which the corners of holes in plates are rounded (assumed).
ROUND_UM = 50.0


class Structure(NamedTuple):
    """The numbers that define a kind of bone; all floats.

    Attributes:
        cell_um: spacing of the points, one for each marrow space (geometric mean of the axes).
        elongation: height over width of the cells.
        width_um: mean width of the plate that a face has along each of its edges. Where it is
            wider than half the face the plate is whole; below 0 only rods are left.
        width_sd_um: standard deviation of that width, between and within faces.
        upright_um: how much wider plates are where they stand upright; twice as much narrower
            where they lie.
        aligned_um: how much wider plates are where they are square to a direction in the plane
            that changes from place to place, less half as much where they are not (per 2/3).
        plate_um: mean thickness of plates.
        rod_share: share of edges that carry a rod.
        rod_um: mean diameter of rods.
        thickness_sd: standard deviation of ln thickness along plates and rods.
        bending_um: standard deviation of the displacement that bends space, along each axis.
    """

    cell_um: float
    elongation: float
    width_um: float
    width_sd_um: float
    upright_um: float
    aligned_um: float
    plate_um: float
    rod_share: float
    rod_um: float
    thickness_sd: float
    bending_um: float


# Purpose of a number; used in place of the day in `chance`.
_FACE, _ROD, _ROD_THICKNESS = Day(11), Day(12), Day(13)
#: Numbers of the first field of each kind of noise.
_MIDDLE_FIELD, _FINE_FIELD, _COARSE_FIELD = 0, 4, 8
#: Distances are cut off here: far enough from any surface not to affect smoothing.
_FAR_UM = 90.0
#: Stands for a distance that does not exist.
_NONE_UM = 1.0e5


@kernel
def face_distance(b: int, near: NDArray[np.float64]) -> float:
    """Distance in um from the place to the mid-plane between its nearest and its b-th point.

    `near` has a row for each point: half the squared distance (grid units squared) and the
    gradient of that by place in um (z, y, x). Planes of equal distance stay planes when the
    grid is stretched, so this is exact.
    """
    z = near[b, 1] - near[0, 1]
    y = near[b, 2] - near[0, 2]
    x = near[b, 3] - near[0, 3]
    rise: float = near[b, 0] - near[0, 0]
    return rise / math.sqrt(z * z + y * y + x * x)


@kernel
def face_level(b: int, near: NDArray[np.float64]) -> float:
    """How level that mid-plane lies: 0 upright, 1 level, 1/3 on average over directions."""
    z = near[b, 1] - near[0, 1]
    y = near[b, 2] - near[0, 2]
    x = near[b, 3] - near[0, 3]
    level: float = z * z / (z * z + y * y + x * x)
    return level


@kernel
def face_alignment(b: int, near: NDArray[np.float64], y_along: float, x_along: float) -> float:
    """How square the mid-plane is to a direction in the plane: -2/3 to 4/3, on average 0."""
    z = near[b, 1] - near[0, 1]
    y = near[b, 2] - near[0, 2]
    x = near[b, 3] - near[0, 3]
    along = y * y_along + x * x_along
    squares = (z * z + y * y + x * x) * (y_along * y_along + x_along * x_along)
    alignment: float = 2.0 * along * along / max(squares, 1e-300) - 2.0 / 3.0
    return alignment


@kernel
def edge_at(b: int, c: int, near: NDArray[np.float64]) -> tuple[float, float]:
    """Distance in um to the line where three cells meet, and how upright that is, 0 to 1.

    The cells are those of the nearest point, the b-th and the c-th; `near` as in `face_distance`.
    """
    g = near[b, 0] - near[0, 0]
    h = near[c, 0] - near[0, 0]
    gg = gh = hh = 0.0
    for axis in range(1, 4):
        p = near[b, axis] - near[0, axis]
        q = near[c, axis] - near[0, axis]
        gg += p * p
        gh += p * q
        hh += q * q
    determinant = gg * hh - gh * gh
    if determinant <= 1e-9 * gg * hh:
        return _NONE_UM, 0.0
    along_z = (near[b, 2] - near[0, 2]) * (near[c, 3] - near[0, 3])
    along_z -= (near[b, 3] - near[0, 3]) * (near[c, 2] - near[0, 2])
    distance = math.sqrt(max(g * g * hh - 2.0 * g * h * gh + h * h * gg, 0.0) / determinant)
    return distance, along_z * along_z / determinant


@kernel
def margin_of(b: int, edges: NDArray[np.float64]) -> float:
    """About the distance to the nearest edge of the b-th face; its level lines have no corners."""
    nearest = _NONE_UM
    for c in range(1, NEAREST):
        if c != b:
            nearest = min(nearest, edges[b, c])
    total = 0.0
    for c in range(1, NEAREST):
        if c != b:
            total += math.exp((nearest - edges[b, c]) / ROUND_UM)
    return nearest - ROUND_UM * math.log(total)


@kernel
def plate_distance(
    b: int,
    edges: NDArray[np.float64],
    thickness: float,
    coarse: NDArray[np.float64],
    near: NDArray[np.float64],
    name: Identity,
    seed: Seed,
    structure: Structure,
) -> float:
    """Distance in um to the surface of the plate between the nearest point and the b-th one.

    Args:
        b: row of the other point in `near`.
        edges: distances to edges, and to faces on the diagonal, see `bone_distance`.
        thickness: of bone here, over the mean.
        coarse: smooth noise: of the width of plates, and their main direction along y, x.
        near: as in `face_distance`.
        name: identity of the face.
        seed: of the specimen.
        structure: of the bone.
    """
    level = face_level(b, near)
    half = 0.5 * structure.plate_um * thickness * (1.0 + LEVEL_THINNER * (1.0 - 3.0 * level))
    to_plane = edges[b, b]
    if to_plane - half >= _FAR_UM:
        return _FAR_UM
    between: float = normal(seed, _FACE, name, SPECIMEN)
    varied = math.sqrt(BETWEEN_FACES) * between + math.sqrt(1.0 - BETWEEN_FACES) * coarse[0]
    width = structure.width_um + structure.width_sd_um * varied
    width += structure.upright_um * (1.0 - 3.0 * level)
    width += structure.aligned_um * face_alignment(b, near, coarse[1], coarse[2])
    return -smooth_min(half - to_plane, width - margin_of(b, edges), half)


@kernel
def rod_distance(
    edge_um: float,
    upright: float,
    thickness: float,
    name: Identity,
    seed: Seed,
    structure: Structure,
) -> float:
    """Distance in um to the surface of the rod along an edge, if there is one.

    Args:
        edge_um: distance to the edge.
        upright: of the edge, 0 to 1.
        thickness: of bone here, over the mean.
        name: identity of the edge.
        seed: of the specimen.
        structure: of the bone.
    """
    mean = 0.5 * structure.rod_um * thickness * (1.0 + LEVEL_THINNER * (3.0 * upright - 1.0))
    if edge_um >= 2.0 * mean + _FAR_UM:
        return _FAR_UM
    if uniform(seed, _ROD, name, SPECIMEN) >= structure.rod_share:
        return _FAR_UM
    own = normal(seed, _ROD_THICKNESS, name, SPECIMEN)
    return edge_um - mean * math.exp(ROD_SD * own - 0.5 * ROD_SD * ROD_SD)


@kernel
def bone_distance(
    near: NDArray[np.float64],
    names: NDArray[np.uint64],
    thickness: float,
    coarse: NDArray[np.float64],
    seed: Seed,
    structure: Structure,
    edges: NDArray[np.float64],
) -> float:
    """Distance in um from a place to the bone surface, negative in bone.

    Only the nearest points count: about exact near faces and edges, too large far from them.

    Args:
        near, names: from `describe`.
        thickness: of bone here, over the mean.
        coarse: see `plate_distance`.
        seed: of the specimen.
        structure: of the bone.
        edges: (NEAREST, NEAREST), overwritten: distance to the edge between two faces, and on the
            diagonal to the mid-plane of one.
    """
    reach = max(0.6 * structure.plate_um, structure.rod_um) * thickness + _FAR_UM
    for b in range(1, NEAREST):
        edges[b, b] = face_distance(b, near)
    d = _FAR_UM
    for b in range(1, NEAREST):
        for c in range(b + 1, NEAREST):
            if min(edges[b, b], edges[c, c]) >= reach:
                continue  # neither face is near enough to need it
            edge_um, upright = edge_at(b, c, near)
            edges[b, c] = edges[c, b] = edge_um
            if edge_um < reach:
                name = edge_id(names[0], names[b], names[c])
                rod = rod_distance(edge_um, upright, thickness, name, seed, structure)
                d = smooth_min(d, rod, FILLET_UM)
    for b in range(1, NEAREST):
        if edges[b, b] < reach:
            name = face_id(names[0], names[b])
            plate = plate_distance(b, edges, thickness, coarse, near, name, seed, structure)
            d = smooth_min(d, plate, FILLET_UM)
    return min(d, _FAR_UM)


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
    """Fill `near` (see `face_distance`) and `near_names` for the nearest points."""
    flat_points = points.reshape(-1, 3)
    flat_names = names.reshape(-1)
    for n in range(index.size):
        near[n, 0] = 0.5 * square[n]
        near_names[n] = flat_names[index[n]]
        for axis in range(3):
            near[n, axis + 1] = (place[axis] - flat_points[index[n], axis]) / cell[axis]


@kernel
def points_over(
    shape: tuple[int, int, int], cell: NDArray[np.float64], reach: float, seed: Seed
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint64]]:
    """First cell, and the points and identities (`scatter`) of all cells near the grid.

    Args:
        shape: nodes of the grid along z, y, x.
        cell: edges of a cell, um.
        reach: how far the bending moves a place at most, um.
        seed: of the specimen.
    """
    low = np.empty(3, dtype=np.int64)
    count = np.empty(3, dtype=np.int64)
    for axis in range(3):
        low[axis] = math.floor((-MARGIN * SPACING_UM - reach) / cell[axis]) - 2
        end = (shape[axis] - MARGIN) * SPACING_UM + reach
        count[axis] = math.ceil(end / cell[axis]) + 3 - low[axis]
    points, names = scatter(low, count, seed)
    return low, points, names


@kernel
def noise_over(
    shape: tuple[int, int, int], spacing: float, fields: int, first: int, seed: Seed
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """First node, nodes of smooth noise that covers the grid, and room for a row of them."""
    low, count = noise_extent(shape, spacing)
    return low, noise_nodes(low, count, fields, first, seed), np.empty((count[2], fields))


@kernel
def network(shape: tuple[int, int, int], seed: Seed, structure: Structure) -> NDArray[np.float64]:
    """Distance to the bone surface in um, negative in bone, on the grid of `SPACING_UM`.

    Args:
        shape: nodes along z, y, x; the first is `MARGIN` nodes before the block.
        seed: of the specimen.
        structure: of the bone.
    """
    width = structure.cell_um * structure.elongation ** (-1.0 / 3.0)
    cell = np.array((width * structure.elongation, width, width))
    reach = 6.0 * (structure.bending_um + RELIEF_UM)  # the bending never moves a place further
    low, points, names = points_over(shape, cell, reach, seed)
    middle_low, middles, middle_row = noise_over(shape, MIDDLE_UM, 4, _MIDDLE_FIELD, seed)
    fine_low, fines, fine_row = noise_over(shape, FINE_UM, 4, _FINE_FIELD, seed)
    coarse_low, coarses, coarse_row = noise_over(shape, COARSE_UM, 3, _COARSE_FIELD, seed)
    middle_sd = structure.thickness_sd * math.sqrt(1.0 - FINE_SHARE)
    fine_sd = structure.thickness_sd * math.sqrt(FINE_SHARE)
    result = np.empty(shape)
    place, coarse = np.empty(3), np.empty(3)
    middle, fine = np.empty(4), np.empty(4)
    scratch = np.empty((2, 4))
    index, square = np.zeros(NEAREST, dtype=np.int64), np.empty(NEAREST)
    near, near_names = np.empty((NEAREST, 4)), np.empty(NEAREST, dtype=np.uint64)
    edges = np.empty((NEAREST, NEAREST))
    for k in range(shape[0]):
        z = (k - MARGIN) * SPACING_UM
        for j in range(shape[1]):
            y = (j - MARGIN) * SPACING_UM
            noise_row(middles, middle_low, z / MIDDLE_UM, y / MIDDLE_UM, scratch, middle_row)
            noise_row(fines, fine_low, z / FINE_UM, y / FINE_UM, scratch, fine_row)
            noise_row(coarses, coarse_low, z / COARSE_UM, y / COARSE_UM, scratch, coarse_row)
            for i in range(shape[2]):
                x = (i - MARGIN) * SPACING_UM
                noise_at(middle_row, middle_low[2], x / MIDDLE_UM, scratch[0], middle)
                noise_at(fine_row, fine_low[2], x / FINE_UM, scratch[0], fine)
                noise_at(coarse_row, coarse_low[2], x / COARSE_UM, scratch[0], coarse)
                place[0], place[1], place[2] = z, y, x
                for axis in range(3):
                    moved = structure.bending_um * middle[axis] + RELIEF_UM * fine[axis]
                    place[axis] = (place[axis] + min(max(moved, -reach), reach)) / cell[axis]
                nearest_points(place, points, low, index, square)
                describe(place, points, names, cell, index, square, near, near_names)
                varied = middle_sd * middle[3] + fine_sd * fine[3]
                thickness = math.exp(varied - 0.5 * structure.thickness_sd**2)
                result[k, j, i] = bone_distance(
                    near, near_names, thickness, coarse, seed, structure, edges
                )
    return result
