"""The largest sphere over every voxel, exactly, however large the spheres are.

Spheres are centred on voxels and ranked: the higher label first, of equal ones the earlier voxel's.
A voxel takes its label from the first sphere over it, so of each sphere only what no earlier one
covers has to be painted. The earlier spheres about the 18 nearest voxels leave little of it: most
spheres nothing, the rest a thin crust on one side. Which, a table gives: the ball is parted into
sectors, the directions that meet one cell of a cube's faces, and for each step to a neighbour, each
radius of the neighbour's sphere and each sector there is a distance up to which all voxels are
covered. A sphere is painted beyond the largest such distance of each sector.

That is exact: of all spheres over a voxel the first has no earlier one there, so it is painted there.
Memory beside the images: 5 bytes a voxel, 6 for each voxel of the largest sphere that can be in the
block, the table (41 MB at most for radii up to 90 voxels).
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel

#: Steps to the neighbours whose spheres may hold a sphere, nearest first.
STEPS = np.array(
    sorted(
        (step for step in itertools.product((-1, 0, 1), repeat=3) if any(step)),
        key=lambda step: sum(map(abs, step)),
    )
)
#: Whether the neighbour is earlier in the order of voxels.
EARLIER = np.array([tuple(step) < (0, 0, 0) for step in STEPS])
#: Neighbours whose spheres may cover part of a sphere: those at the corners add little.
NEAR = 18
#: Cells along the edge of a cube's face: more find more that is covered, and take longer to look at.
CELLS = 4
#: Beyond this radius squared (90 voxels: the block is all but empty) tables would become large, and
#: there are fewer cells and neighbours.
FINE = 8192
COARSE_CELLS, COARSE_NEIGHBOURS = 2, 6
#: Parts of the work after which progress is reported.
PARTS = 50

#: Receives the share of the work that is done, 0..1.
Progress = Callable[[float], None]


@kernel
def sector_of(dz: int, dy: int, dx: int, cells: int) -> int:
    """The sector of a step: the cell of a cube's faces that it points to; 0 of no step."""
    z, y, x = abs(dz), abs(dy), abs(dx)
    if z >= y and z >= x:
        longest, face, a, b = z, int(dz < 0), dy, dx
    elif y >= x:
        longest, face, a, b = y, 2 + int(dy < 0), dz, dx
    else:
        longest, face, a, b = x, 4 + int(dx < 0), dz, dy
    if longest == 0:
        return 0
    row = min(cells - 1, (a + longest) * cells // (2 * longest))
    column = min(cells - 1, (b + longest) * cells // (2 * longest))
    return (face * cells + row) * cells + column


@kernel
def ball_of(
    top: int, shape: tuple[int, int, int], cells: int
) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """The voxels of a ball, by sector and distance.

    Args:
        top: its radius squared; voxels nearer than that are of the ball.
        shape: of the block; steps that leave it from anywhere are left out.
        cells: along the edge of a cube's face; 6 cells^2 are the sectors.

    Returns:
        begin: (top + 1, sectors) int32; the voxels of sector s at distances squared from p up to
            below q are rows begin[p, s] to begin[q, s].
        steps: (n, 3) int16, from the middle to the voxels.
    """
    far = np.int64(np.sqrt(np.float64(top))) + 1
    reach = np.array([min(far, n - 1) for n in shape])
    begin = np.zeros((top + 1, 6 * cells**2), np.int32)
    for dz in range(-reach[0], reach[0] + 1):
        for dy in range(-reach[1], reach[1] + 1):
            for dx in range(-reach[2], reach[2] + 1):
                square = dz * dz + dy * dy + dx * dx
                if square < top:
                    begin[square + 1, sector_of(dz, dy, dx, cells)] += 1
    total = np.int64(0)
    for sector in range(begin.shape[1]):
        for square in range(top + 1):
            total += begin[square, sector]
            begin[square, sector] = total
    steps = np.empty((total, 3), np.int16)
    place = begin.copy()
    for dz in range(-reach[0], reach[0] + 1):
        for dy in range(-reach[1], reach[1] + 1):
            for dx in range(-reach[2], reach[2] + 1):
                square = dz * dz + dy * dy + dx * dx
                if square < top:
                    sector = sector_of(dz, dy, dx, cells)
                    n = place[square, sector]
                    steps[n, 0], steps[n, 1], steps[n, 2] = dz, dy, dx
                    place[square, sector] += 1
    return begin, steps


@kernel
def cover(begin: NDArray[np.int32], steps: NDArray[np.int16], covered: NDArray[np.uint16]) -> None:
    """Distances squared below which a neighbour's sphere covers a ball's voxels.

    `covered` (ways, top + 1, sectors), filled with `top`, receives them: by step to the neighbour
    (one of the first of STEPS), radius squared of its sphere, and sector. Others: see `ball_of`.
    """
    ways, top, sectors = covered.shape[0], covered.shape[1] - 1, covered.shape[2]
    for way in range(ways):
        z, y, x = STEPS[way]
        for sector in range(sectors):
            for n in range(begin[0, sector], begin[top, sector]):
                dz, dy, dx = np.int64(steps[n, 0]), np.int64(steps[n, 1]), np.int64(steps[n, 2])
                # A sphere that large or smaller does not reach the voxel.
                apart = min(top, (dz - z) ** 2 + (dy - y) ** 2 + (dx - x) ** 2)
                far = dz * dz + dy * dy + dx * dx
                if far < covered[way, apart, sector]:
                    covered[way, apart, sector] = far
        for square in range(top - 1, -1, -1):
            for sector in range(sectors):
                covered[way, square, sector] = min(
                    covered[way, square, sector], covered[way, square + 1, sector]
                )


@kernel
def drop_covered(
    squares: NDArray[np.int32], whole: NDArray[np.int32], painted: NDArray[np.bool_]
) -> None:
    """Unset `painted` (nz, ny, nx) where a neighbour's larger sphere holds all of the voxel's.

    Args:
        squares: (nz, ny, nx) radius squared of the sphere about each voxel.
        whole: (top + 1, ways) radius squared up to which a sphere is held, by the square of
            the neighbour's radius and the step to it.
    """
    nz, ny, nx = squares.shape
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if not painted[z, y, x]:
                    continue
                inner = 0 < z < nz - 1 and 0 < y < ny - 1 and 0 < x < nx - 1
                for way in range(whole.shape[1]):
                    k, j, i = z + STEPS[way, 0], y + STEPS[way, 1], x + STEPS[way, 2]
                    if not inner and not (0 <= k < nz and 0 <= j < ny and 0 <= i < nx):
                        continue
                    # In a flat block a smaller sphere may hold all of a larger one that is in it.
                    other, square = squares[k, j, i], squares[z, y, x]
                    if other > square and whole[other, way] >= square:
                        painted[z, y, x] = False
                        break


@kernel
def covered_around(
    radius: NDArray[np.float32],
    squares: NDArray[np.int32],
    shape: tuple[int, int, int],
    centre: int,
    covered: NDArray[np.uint16],
    bare: NDArray[np.uint16],
) -> None:
    """Where a sphere is not covered by earlier ones of the neighbours, into `bare` (sectors).

    In each sector: the distance squared below which its voxels are covered. `radius`, `squares` and
    `centre` are flat; for others see `cover`.
    """
    nz, ny, nx = shape
    z, y, x = centre // (ny * nx), centre // nx % ny, centre % nx
    for sector in range(bare.size):
        bare[sector] = 0
    for way in range(min(NEAR, covered.shape[0])):
        k, j, i = z + STEPS[way, 0], y + STEPS[way, 1], x + STEPS[way, 2]
        if not (0 <= k < nz and 0 <= j < ny and 0 <= i < nx):
            continue
        near = (k * ny + j) * nx + i
        later = radius[near] == radius[centre] and not EARLIER[way]
        if radius[near] < radius[centre] or later:
            continue
        row = covered[way, squares[near]]
        for sector in range(bare.size):
            bare[sector] = max(bare[sector], row[sector])


@kernel
def paint(
    radius: NDArray[np.float32],
    squares: NDArray[np.int32],
    centres: NDArray[np.int64],
    covered: NDArray[np.uint16],
    begin: NDArray[np.int32],
    steps: NDArray[np.int16],
    largest: NDArray[np.float32],
) -> None:
    """Paint the spheres about `centres` (flat indices) where the neighbours' do not cover them."""
    nz, ny, nx = radius.shape
    radii, flat, out = radius.ravel(), squares.ravel(), largest.ravel()
    bare = np.empty(begin.shape[1], covered.dtype)
    for centre in centres:
        covered_around(radii, flat, radius.shape, centre, covered, bare)
        z, y, x = centre // (ny * nx), centre // nx % ny, centre % nx
        r, square = radii[centre], np.int64(flat[centre])
        reach = np.int64(np.ceil(np.sqrt(np.float64(square)))) - 1
        inner = reach <= min(z, y, x) and z + reach < nz and y + reach < ny and x + reach < nx
        for sector in range(bare.size):
            if bare[sector] >= square:
                continue
            for n in range(begin[bare[sector], sector], begin[square, sector]):
                k, j, i = z + steps[n, 0], y + steps[n, 1], x + steps[n, 2]
                if inner or (0 <= k < nz and 0 <= j < ny and 0 <= i < nx):
                    place = (k * ny + j) * nx + i
                    out[place] = max(out[place], r)


@kernel
def whole_squares(radius: NDArray[np.float32], squares: NDArray[np.int32]) -> None:
    """Radius squared, rounded, into `squares`: in float32 a voxel at exactly r would fall in or out."""
    flat, out = radius.ravel(), squares.ravel()
    for n in range(flat.size):
        out[n] = np.int64(np.rint(np.float64(flat[n]) * flat[n]))


def paint_spheres(
    radius: NDArray[np.float32], largest: NDArray[np.float32], progress: Progress | None = None,
    only: NDArray[np.bool_] | None = None,
) -> None:  # fmt: skip
    """Give every voxel the radius of the largest sphere over it.

    Args:
        radius: (nz, ny, nx) of the sphere about each voxel, voxels; 0 where there is none. A voxel is
            within a sphere if its distance squared is below the radius squared, which is rounded.
        largest: same shape, zeros, or what is painted already; receives the result; 0 where there
            is no sphere.
        progress: receives the share that is done.
        only: about which voxels spheres are to be painted, same shape; what spheres of the others
            cover is painted already, with no lower label. Default all.
    """
    squares, begin, steps, covered = _prepared(radius)
    centres = _not_held(squares, covered, radius > 0.0 if only is None else only & (radius > 0.0))
    for part in range(PARTS):
        first, last = (centres.size * n // PARTS for n in (part, part + 1))
        if first < last:
            paint(radius, squares, centres[first:last], covered, begin, steps, largest)
            if progress is not None:
                progress(last / centres.size)


def sphere_centres(radius: NDArray[np.float32]) -> NDArray[np.int64]:
    """Flat indices of the voxels whose spheres no neighbour's sphere holds, ascending."""
    squares, _, _, covered = _prepared(radius)
    return _not_held(squares, covered, radius > 0.0)


def _prepared(
    radius: NDArray[np.float32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int16], NDArray[Any]]:
    """Squares of the radii, `begin` and `steps` of the largest ball, and what spheres `cover` of it."""
    squares = np.empty(radius.shape, np.int32)
    whole_squares(radius, squares)
    top = int(squares.max(initial=0))
    fine = top <= FINE
    begin, steps = ball_of(top, radius.shape, CELLS if fine else COARSE_CELLS)
    ways = len(STEPS) if fine else COARSE_NEIGHBOURS
    narrow = np.uint16 if top <= np.iinfo(np.uint16).max else np.int32
    covered = np.full((ways, top + 1, begin.shape[1]), top, narrow)
    cover(begin, steps, covered)
    return squares, begin, steps, covered


def _not_held(
    squares: NDArray[np.int32], covered: NDArray[Any], painted: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Flat indices of the spheres to paint: those of `painted` that no neighbour's sphere holds."""
    drop_covered(squares, np.ascontiguousarray(covered.min(axis=2).T, np.int32), painted)
    return np.flatnonzero(painted)


def part_of(progress: Progress | None, begin: float, end: float) -> Progress | None:
    """Progress of a part of some work, which goes from `begin` to `end` of the whole (shares)."""
    if progress is None:
        return None
    return lambda done: progress(begin + (end - begin) * done)
