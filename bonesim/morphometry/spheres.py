"""The largest sphere over every voxel, exactly, however large the spheres are.

Spheres are centred on voxels. A sphere all of whose voxels lie within a neighbour's is left out,
which changes nothing. The rest are painted plane by plane: each sphere cuts a plane in a disc, of
all discs about one place only those are kept that no other exceeds in both extent and label, and
discs are painted in descending order of label, so that every voxel is written once.

Work is at most edge^4 in solid bone (planes x discs x rows); sphere by sphere it is edge^6 there,
since most spheres differ from their neighbours' by a few voxels only. Parts of the planes do not
depend on each other. Memory beside the two images: 16 bytes for each sphere left, and some planes.
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
    value: smallest radius squared of the neighbour's (Remy 2002).
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

    Column `place` of `squares` (radius squared, ascending) and `labels` (descending) holds
    `counts[place]` discs, none of which exceeds another in both. Returns False if it is full.
    """
    count = counts[place]
    first = count
    while first > 0 and labels[first - 1, place] < label:
        first -= 1
    if first > 0 and squares[first - 1, place] >= square:
        return True
    if first > 0 and labels[first - 1, place] == label:
        first -= 1
    last = first
    while last < count and squares[last, place] <= square:
        last += 1
    # Discs first..last-1 are exceeded by the new one.
    if last == first:
        if count == squares.shape[0]:
            return False
        for k in range(count, first, -1):
            squares[k, place] = squares[k - 1, place]
            labels[k, place] = labels[k - 1, place]
        counts[place] = count + 1
    else:
        gone = last - first - 1
        for k in range(last, count):
            squares[k - gone, place] = squares[k, place]
            labels[k - gone, place] = labels[k, place]
        counts[place] = count - gone
    squares[first, place] = square
    labels[first, place] = label
    return True


@kernel
def needed_planes(radius, centres, low, high):  # type: ignore[no-untyped-def]
    """Planes outside which a sphere's disc is exceeded by one about the same place.

    Of two spheres about (k, y, x) and (m, y, x) with radii r <= s, the second's disc is the larger
    where s^2 - (m - z)^2 >= r^2 - (k - z)^2: on all planes to one side. Of two equal discs one is kept.

    Args:
        radius: (nz, ny, nx); centres: flat indices.
        low, high: receive the first and the last plane; none if low > high.
    """
    nz, ny, nx = radius.shape
    flat = radius.ravel()
    for n in range(centres.size):
        place, k = centres[n] % (ny * nx), centres[n] // (ny * nx)
        r = flat[centres[n]]
        square = np.int64(np.rint(np.float64(r) * r))
        reach = np.int64(np.ceil(r)) - 1
        first, last = max(0, k - reach), min(nz - 1, k + reach)
        for step in range(2, 2 * nz):
            m = k + (step >> 1) if step & 1 else k - (step >> 1)
            if first > last:
                break
            if not 0 <= m < nz or flat[m * ny * nx + place] < r:
                continue
            s = flat[m * ny * nx + place]
            # Exceeded where 2 (m - k) z >= left; at the midplane of equal spheres the lower stays.
            left = (
                square - np.int64(np.rint(np.float64(s) * s)) + m * m - k * k + (m > k and s == r)
            )
            if m > k and 2 * (m - k) * last >= left:
                last = -(-left // (2 * (m - k))) - 1
            elif m < k and 2 * (m - k) * first >= left:
                first = -left // (2 * (k - m)) + 1
        low[n], high[n] = first, last


@kernel
def cut_spheres(radius, centres, z, squares, labels, counts):  # type: ignore[no-untyped-def]
    """The discs in which spheres cut plane `z`; False if more discs are about one place than fit.

    Args:
        radius: (nz, ny, nx); the label of a sphere is its radius.
        centres: flat indices of the spheres that matter there.
        squares, labels, counts: receive the discs, see `add_disc`; a column for each voxel of a plane.
    """
    _, ny, nx = radius.shape
    flat = radius.ravel()
    counts[:] = 0
    for centre in centres:
        far = centre // (ny * nx) - z
        # A whole number; in float32 a voxel at exactly r would fall in or out by rounding.
        square = np.int64(np.rint(np.float64(flat[centre]) * flat[centre])) - far * far
        place = centre % (ny * nx)
        if square > 0 and not add_disc(square, flat[centre], squares, labels, counts, place):
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
    rows, bare = np.arange(ny + 1).reshape(1, ny + 1), np.full(ny, nx)
    total = counts.sum()
    places, square = np.empty(total, np.int64), np.empty(total, np.int64)
    label = np.empty(total, np.float32)
    n = 0
    for place in range(counts.size):
        for k in range(counts[place]):
            places[n], square[n], label[n] = place, squares[k, place], labels[k, place]
            n += 1
    for x in range(nx + 1):
        following[:, x] = x
    for n in np.argsort(-label, kind="mergesort"):
        middle, column = places[n] // nx, places[n] % nx
        reach = np.int64(np.ceil(np.sqrt(np.float64(square[n])))) - 1
        y = next_bare(rows, 0, max(0, middle - reach))
        while y <= min(ny - 1, middle + reach):
            left = np.float64(square[n] - (y - middle) * (y - middle))
            half = np.int64(np.ceil(np.sqrt(left))) - 1
            end = min(nx - 1, column + half)
            x = next_bare(following, y, max(0, column - half))
            while x <= end:
                out[y, x] = label[n]
                following[y, x] = x + 1
                bare[y] -= 1
                x = next_bare(following, y, x + 1)
            if bare[y] == 0:
                rows[0, y] = y + 1
            y = next_bare(rows, 0, y + 1)
        if next_bare(rows, 0, 0) == ny:
            break


@kernel
def paint_planes(radius, centres, low, high, begin, end, largest):  # type: ignore[no-untyped-def]
    """Planes `begin` to `end` of `paint_spheres`; spheres about `centres` on planes `low` to `high`."""
    _, ny, nx = radius.shape
    # Spheres by the plane on which each is first needed.
    first = np.zeros(end - begin + 2, np.int64)
    for n in range(centres.size):
        if low[n] < end and high[n] >= max(low[n], begin):
            first[max(low[n], begin) - begin + 2] += 1
    first = np.cumsum(first)
    coming = np.empty(first[-1], np.int64)
    for n in range(centres.size):
        if low[n] < end and high[n] >= max(low[n], begin):
            plane = max(low[n], begin) - begin
            coming[first[plane + 1]] = n
            first[plane + 1] += 1
    room, count = DISCS, 0
    squares, labels = np.empty((room, ny * nx), np.int64), np.empty((room, ny * nx), np.float32)
    counts = np.empty(ny * nx, np.int64)
    following = np.empty((ny, nx + 1), np.int64)
    present, there = np.empty(coming.size, np.int64), np.empty(coming.size, np.int64)
    for z in range(begin, end):
        kept = 0
        for n in present[:count]:
            if high[n] >= z:
                present[kept] = n
                kept += 1
        for n in coming[first[z - begin] : first[z - begin + 1]]:
            present[kept] = n
            kept += 1
        count = kept
        for n in range(count):
            there[n] = centres[present[n]]
        while not cut_spheres(radius, there[:count], z, squares, labels, counts):
            room *= 2
            squares = np.empty((room, ny * nx), np.int64)
            labels = np.empty((room, ny * nx), np.float32)
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
    low, high = np.empty(centres.size, np.int32), np.empty(centres.size, np.int32)
    needed_planes(radius, centres, low, high)
    planes = len(radius)
    for part in range(PARTS):
        begin, end = planes * part // PARTS, planes * (part + 1) // PARTS
        if begin < end:
            paint_planes(radius, centres, low, high, begin, end, largest)
            if progress is not None:
                progress(end / planes)


def part_of(progress: Progress | None, begin: float, end: float) -> Progress | None:
    """Progress of a part of some work, which goes from `begin` to `end` of the whole (shares)."""
    if progress is None:
        return None
    return lambda done: progress(begin + (end - begin) * done)
