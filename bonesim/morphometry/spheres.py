"""The largest sphere over every voxel, exactly, however large the spheres are.

Spheres are centred on voxels. A sphere all of whose voxels lie within a neighbour's is left out,
which changes nothing. The rest are painted plane by plane: each sphere cuts a plane in a disc, of
all discs about one place only those are kept that no other exceeds in both extent and label, and
discs are painted in descending order of label, so that every voxel is written once.

Work is at most edge^4 (planes x spheres, and planes x discs x rows); sphere by sphere it is edge^6
in solid bone, where most spheres differ from their neighbours' by a few voxels only. Planes do not
depend on each other. Memory beside the image: 8 bytes for each sphere kept, and some planes.
"""

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel

#: Neighbours that may cover a sphere, nearest first; farther ones would find few more.
_STEPS = np.array(
    sorted(
        (step for step in itertools.product(range(-2, 3), repeat=3) if any(step)),
        key=lambda step: sum(d * d for d in step),
    )
)
#: Steps that differ in order and sign only are of one shape.
_SHAPES = np.unique(np.sort(np.abs(_STEPS), axis=1), axis=0)
_SHAPE_OF_STEP = (np.sort(np.abs(_STEPS), axis=1)[:, None] == _SHAPES).all(axis=2).argmax(axis=1)
#: Discs kept about one place of a plane, at first; more room is made if a plane needs it.
DISCS = 8
#: Parts of the work after which progress is reported.
PARTS = 50

#: Receives the share of the work that is done, 0..1.
Progress = Callable[[float], None]


@kernel
def covering_squares(max_squared):  # type: ignore[no-untyped-def]
    """How large a neighbour's sphere has to be to hold every voxel of a sphere.

    Row: the shape of the step to the neighbour; column: radius squared of the sphere, 0..max_squared;
    value: smallest radius squared of the neighbour's (Remy and Thiel 2002).
    """
    needed = np.zeros((_SHAPES.shape[0], max_squared + 1), np.int64)
    reach = int(np.sqrt(max_squared)) + 1
    # The farthest voxel from the neighbour lies away from it along each axis.
    for a in range(reach):
        for b in range(reach):
            for c in range(reach):
                squared = a * a + b * b + c * c
                if squared >= max_squared:
                    continue
                for shape in range(_SHAPES.shape[0]):
                    da, db, dc = _SHAPES[shape]
                    apart = (a + da) ** 2 + (b + db) ** 2 + (c + dc) ** 2
                    needed[shape, squared + 1] = max(needed[shape, squared + 1], apart + 1)
    for shape in range(_SHAPES.shape[0]):
        for squared in range(1, max_squared + 1):
            needed[shape, squared] = max(needed[shape, squared], needed[shape, squared - 1])
    return needed


@kernel
def is_covered(radius, z, y, x, needed):  # type: ignore[no-untyped-def]
    """Whether all voxels of a sphere lie within the larger sphere of a voxel up to two away.

    `needed`: from `covering_squares`, up to the square of the largest radius.
    """
    nz, ny, nx = radius.shape
    r = radius[z, y, x]
    squared = int(np.rint(np.float64(r) * r))
    for step in range(_STEPS.shape[0]):
        k, j, i = z + _STEPS[step, 0], y + _STEPS[step, 1], x + _STEPS[step, 2]
        if not (0 <= k < nz and 0 <= j < ny and 0 <= i < nx):
            continue
        other = radius[k, j, i]
        minimum = needed[_SHAPE_OF_STEP[step], squared]
        if other > r and np.rint(np.float64(other) * other) >= minimum:
            return True
    return False


@kernel
def sphere_centres(radius):  # type: ignore[no-untyped-def]
    """Flat indices of the voxels whose spheres no neighbour's sphere holds, ascending."""
    nz, ny, nx = radius.shape
    top = np.float64(radius.max())
    needed = covering_squares(int(np.rint(top * top)))
    centres = np.empty(radius.size, np.int64)
    count = 0
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if radius[z, y, x] > 0.0 and not is_covered(radius, z, y, x, needed):
                    centres[count] = (z * ny + y) * nx + x
                    count += 1
    return centres[:count].copy()


@kernel
def add_disc(square, label, squares, labels, counts, place):  # type: ignore[no-untyped-def]
    """Add a disc to those about a place, unless another is as large and has as high a label.

    Row `place` of `squares` (radius squared, ascending) and `labels` (descending) holds `counts[place]`
    discs, none of which exceeds another in both. Returns False if the row is full.
    """
    count = counts[place]
    first = count
    while first > 0 and labels[place, first - 1] < label:
        first -= 1
    if first > 0 and squares[place, first - 1] >= square:
        return True
    if first > 0 and labels[place, first - 1] == label:
        first -= 1
    last = first
    while last < count and squares[place, last] <= square:
        last += 1
    # Discs first..last-1 are exceeded by the new one.
    if last == first:
        if count == squares.shape[1]:
            return False
        for k in range(count, first, -1):
            squares[place, k] = squares[place, k - 1]
            labels[place, k] = labels[place, k - 1]
        counts[place] = count + 1
    else:
        gone = last - first - 1
        for k in range(last, count):
            squares[place, k - gone] = squares[place, k]
            labels[place, k - gone] = labels[place, k]
        counts[place] = count - gone
    squares[place, first] = square
    labels[place, first] = label
    return True


@kernel
def cut_spheres(radius, centres, first, reach, z, squares, labels, counts):  # type: ignore[no-untyped-def] # fmt: skip
    """The discs in which spheres cut plane `z`; False if more discs are about one place than fit.

    Args:
        radius: (nz, ny, nx); the label of a sphere is its radius.
        centres: flat indices, ascending; plane k has `centres[first[k] : first[k + 1]]`.
        reach: planes on each side that the largest sphere cuts.
        squares, labels, counts: receive the discs, see `add_disc`; one row for each voxel of a plane.
    """
    nz, ny, nx = radius.shape
    flat = radius.ravel()
    counts[:] = 0
    for k in range(max(0, z - reach), min(nz, z + reach + 1)):
        far = np.float32(abs(k - z))
        for n in range(first[k], first[k + 1]):
            r = flat[centres[n]]
            if r > far:
                # A whole number; in float32 a voxel at exactly r would fall in or out by rounding.
                square = np.int64(np.rint(np.float64(r) * r)) - (k - z) * (k - z)
                place = centres[n] - k * ny * nx
                if square > 0 and not add_disc(square, r, squares, labels, counts, place):
                    return False
    return True


@kernel
def next_bare(following, y, x):  # type: ignore[no-untyped-def]
    """The first place of row `y`, from `x` on, that is not painted yet; the row's length if none.

    `following[y, x]` is x where nothing is painted, else a later place, where the search goes on.
    """
    while following[y, x] != x:
        following[y, x] = following[y, following[y, x]]
        x = following[y, x]
    return x


@kernel
def paint_discs(squares, labels, counts, following, out):  # type: ignore[no-untyped-def]
    """Give every voxel of a plane (`out`) the highest label of the discs over it.

    `following` (ny, nx + 1) is scratch, see `next_bare`.
    """
    ny, nx = out.shape
    total = counts.sum()
    places, square = np.empty(total, np.int64), np.empty(total, np.int64)
    label = np.empty(total, np.float32)
    n = 0
    for place in range(counts.size):
        for k in range(counts[place]):
            places[n], square[n], label[n] = place, squares[place, k], labels[place, k]
            n += 1
    for x in range(nx + 1):
        following[:, x] = x
    bare = ny * nx
    for n in np.argsort(-label, kind="mergesort"):
        middle, column = places[n] // nx, places[n] % nx
        reach = np.int64(np.ceil(np.sqrt(np.float64(square[n])))) - 1
        for y in range(max(0, middle - reach), min(ny, middle + reach + 1)):
            left = np.float64(square[n] - (y - middle) * (y - middle))
            half = np.int64(np.ceil(np.sqrt(left))) - 1
            end = min(nx - 1, column + half)
            x = next_bare(following, y, max(0, column - half))
            while x <= end:
                out[y, x] = label[n]
                following[y, x] = x + 1
                bare -= 1
                x = next_bare(following, y, x + 1)
        if bare == 0:
            break


@kernel
def paint_planes(radius, centres, begin, end, largest):  # type: ignore[no-untyped-def]
    """Planes `begin` to `end` of `paint_spheres`; the spheres are those about `centres`."""
    nz, ny, nx = radius.shape
    first = np.searchsorted(centres, np.arange(nz + 1) * (ny * nx))
    reach = np.int64(np.ceil(radius.max())) - 1
    room = DISCS
    squares, labels = np.empty((ny * nx, room), np.int64), np.empty((ny * nx, room), np.float32)
    counts = np.empty(ny * nx, np.int64)
    following = np.empty((ny, nx + 1), np.int64)
    for z in range(begin, end):
        while not cut_spheres(radius, centres, first, reach, z, squares, labels, counts):
            room *= 2
            squares = np.empty((ny * nx, room), np.int64)
            labels = np.empty((ny * nx, room), np.float32)
        paint_discs(squares, labels, counts, following, largest[z])


def paint_spheres(
    radius: NDArray[np.float32], largest: NDArray[np.float32], progress: Progress | None = None
) -> None:
    """Give every voxel the radius of the largest sphere over it.

    Args:
        radius: (nz, ny, nx) of the sphere about each voxel, voxels; 0 where there is none. A voxel is
            within a sphere if its distance squared is below the radius squared, which is rounded.
        largest: same shape, zeros; receives the result; 0 where there is no sphere.
        progress: receives the share that is done.
    """
    centres = sphere_centres(radius)
    planes = len(radius)
    for part in range(PARTS):
        begin, end = planes * part // PARTS, planes * (part + 1) // PARTS
        if begin < end:
            paint_planes(radius, centres, begin, end, largest)
            if progress is not None:
                progress(end / planes)


def part_of(progress: Progress | None, begin: float, end: float) -> Progress | None:
    """Progress of a part of some work, which goes from `begin` to `end` of the whole (shares)."""
    if progress is None:
        return None
    return lambda done: progress(begin + (end - begin) * done)
