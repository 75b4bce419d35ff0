"""How many times the strain of intact bone the floor of a cavity has: what the brake senses.

Load that the cavity's section no longer carries goes round it, through bone beside it:

    c      A0 / A x (1 - bending), never below 1
    A0, A  section across the load before this cavity, and left of it: bone below the cavity and bone
           beside it, on each side r (1 - exp(-d / r)) wide if bone ends d beside the cavity
    r      .38 x length of the cavity along the load + .14 x thickness before, and beside a free
           edge, for which load turns back, up to the thickness more: x exp(-d / r)
    bending, where bone ends: the section left is bent towards the cavity's side, which unloads the
           floor: k (z0 - z) (z - zf) A / I / (1 + g I0 / I); z0, z, zf heights of the centroids
           before and after and of the floor's middle, I0, I second moments, k = mean exp(-d / r),
           g = length of the cavity / (free length of 1,200 um - length)

Load on a sheet may run along any direction: c is the mean for two at right angles, weighted by the
fourth power of how far bone reaches along each: a rod's load runs along its axis. There are two such
pairs, 45 degrees apart. That which is unlike in reach counts where there is one (a rod), else the
larger mean (a sheet's trench, which may lie any way). Nothing switches: sheet, strip, rod are one law.

Rays see the section: one along n, and in eight directions parallel to the middle surface of bone
(which need not be across n) at the heights of what is dug, of the whole, and of what is left.

Left out: the floor's shape, cavities of the far side, load by bending.
Sources: guide M4. The two lengths of r were fitted to micro-FE of sheets and strips (33 cases,
tests/mechanics/weakened.py); that r grows at free edges was added for slots in rods, without a fit.
"""

from typing import Any

import numpy as np

from bonesim.kernel import lean_kernel
from bonesim.lattice.rays import LONGEST_UM, along
from bonesim.units import BONE, FULL

#: r over the cavity's length along the load, and over the thickness before it; fitted to micro-FE.
LENGTH_SHARE = 0.38
THICKNESS_SHARE = 0.14
#: Free length of a rod, um; assumed: as far as trabeculae are apart.
FREE_UM = 1200.0
#: The least bone that is left, voxels.
LEAST = 0.25
#: Places on a ray are whole numbers of 1/GRID voxels.
BITS = 20
GRID = 1 << BITS
HALF = GRID >> 1
#: Rays go in half-voxel steps up to here, and in whole ones beyond.
NEAR = 6 * GRID
#: A cavity ends where bone goes on for so long, voxels.
WALL = 2.0
#: Share of bone that a surface voxel of a cavity had before: .5 to 1, the middle; assumed.
SURFACE = 0.75


@lean_kernel
def is_solid(lattice, voxel):  # type: ignore[no-untyped-def]
    """Whether a voxel is bone, or was before a cavity that is open."""
    return lattice.quanta[voxel] >= BONE or lattice.owner[voxel] >= 0


@lean_kernel
def column(lattice, voxel, nz, ny, nx):  # type: ignore[no-untyped-def]
    """Along n: where bone began before this cavity, where it ends, bone before and left; voxels.

    To the end of the first bone met from `voxel`. Bone is infinite if that is at a cut face or out
    of reach; all is 0 where there is neither bone nor cavity.
    """
    limit = LONGEST_UM / lattice.voxel_um
    start = 0.25
    while not is_solid(lattice, along(lattice, voxel, nz, ny, nx, start)):
        outside = lattice.region[along(lattice, voxel, nz, ny, nx, start)] == 0
        start += 0.5
        if outside or start > 3.0:
            return 0.0, 0.0, 0.0, 0.0
    top, before, left = start, 0.0, 0.0
    while top > -limit:
        there = along(lattice, voxel, nz, ny, nx, top - 0.5)
        if not is_solid(lattice, there):
            break
        share = lattice.quanta[there] / FULL
        left += 0.5 * share
        if lattice.owner[there] >= 0:
            share = 1.0
            if not is_solid(lattice, along(lattice, voxel, nz, ny, nx, top - 1.5)):
                share = max(SURFACE, lattice.quanta[there] / FULL)
        before += 0.5 * share
        top -= 0.5
    bottom, bone, beyond = start, False, 0
    while beyond < 2:
        there = along(lattice, voxel, nz, ny, nx, bottom + 0.5 * beyond)
        if lattice.region[there] == 0 or bottom > limit:
            return 0.0, 0.0, np.inf, np.inf
        if lattice.quanta[there] >= BONE:
            bone = True
        if beyond > 0 or (lattice.quanta[there] < BONE and (bone or lattice.owner[there] < 0)):
            # What little bone there is in the voxel beyond the last.
            beyond += 1
            before += 0.5 * lattice.quanta[there] / FULL
        else:
            share = lattice.quanta[there] / FULL
            if lattice.owner[there] >= 0:
                inside = is_solid(lattice, along(lattice, voxel, nz, ny, nx, bottom - 1.0))
                share = 1.0 if inside else max(SURFACE, share)
            before += 0.5 * share
            bottom += 0.5
        left += 0.5 * lattice.quanta[there] / FULL
    return top - 0.25, bottom - 0.25, before, max(left, LEAST)


@lean_kernel
def middle_at(lattice, voxel, z, y, x, nz, ny, nx, limit):  # type: ignore[no-untyped-def]
    """How far along n the middle of bone is from a place (voxels from `voxel`)."""
    ends = 0.0
    for side in (-1.0, 1.0):
        distance = 0.25
        while distance < limit:
            d = side * distance
            there = along(lattice, voxel, z + d * nz, y + d * ny, x + d * nx, 1.0)
            if not is_solid(lattice, there):
                break
            distance += 0.5
        ends += side * (distance - 0.25)
    return 0.5 * ends


@lean_kernel
def slope_along(lattice, voxel, middle, limit, nz, ny, nx, tz, ty, tx):  # type: ignore[no-untyped-def]
    """Slope of bone's middle surface against the plane across n, along t; 0 where t leaves bone."""
    rise = 0.0
    for way in (-1.0, 1.0):
        z, y, x = middle * nz, middle * ny, middle * nx
        for _ in range(2):
            z, y, x = z + way * tz, y + way * ty, x + way * tx
            if not is_solid(lattice, along(lattice, voxel, z, y, x, 1.0)):
                return 0.0
        rise += way * middle_at(lattice, voxel, z, y, x, nz, ny, nx, limit)
    return min(max(0.25 * rise, -1.0), 1.0)


@lean_kernel
def on_grid(lattice, voxel, z, y, x):  # type: ignore[no-untyped-def]
    """The voxel at a place relative to the corner of `voxel`, in 1/GRID voxels."""
    return voxel + (z >> BITS) * lattice.stride_z + (y >> BITS) * lattice.stride_y + (x >> BITS)


@lean_kernel
def solid_until(lattice, voxel, z, y, x, tz, ty, tx, limit):  # type: ignore[no-untyped-def]
    """How far bone reaches from a place along t, voxels, open cavities counted as bone.

    Place, t and `limit` in 1/GRID voxels. Bone goes on behind a cut face.
    """
    length, step, at, beyond = 0.0, 0.5, np.int64(GRID >> 2), 0.0
    start = on_grid(lattice, voxel, z, y, x)
    # Bone's height in a surface voxel is counted along n: here its width counts, next to the start's.
    whole: Any = FULL if lattice.owner[start] >= 0 else max(np.int64(lattice.quanta[start]), BONE)
    while at < limit + (GRID >> 2) and beyond < 1.0:
        pz, py, px = z + (at * tz >> BITS), y + (at * ty >> BITS), x + (at * tx >> BITS)
        there = on_grid(lattice, voxel, pz, py, px)
        quanta = np.int64(lattice.quanta[there])
        if quanta == FULL and beyond == 0.0:
            length += step
        elif lattice.region[there] == 0:
            return limit / GRID
        elif beyond == 0.0 and lattice.owner[there] >= 0:
            share = 1.0
            if not is_solid(lattice, on_grid(lattice, voxel, pz + tz, py + ty, px + tx)):
                share = max(SURFACE, quanta / FULL)
            length += step * share
        else:
            # The last voxel of bone, or what little there is in the one beyond it.
            length += step * min(quanta / whole, 1.0)
            if beyond > 0.0 or quanta < BONE:
                beyond += step
        at += GRID >> 1
        if at > NEAR:
            step = 1.0
            at += GRID >> 1 if at > NEAR + (GRID >> 1) else GRID >> 2
    return min(length, limit / GRID)


@lean_kernel
def open_until(lattice, voxel, z, y, x, tz, ty, tx, limit):  # type: ignore[no-untyped-def]
    """Length of the cavity from a place along t, voxels; bone thinner than `WALL` does not end it.

    Place, t and `limit` in 1/GRID voxels.
    """
    length, step, at, wall = 0.0, 0.5, np.int64(GRID >> 2), 0.0
    while at < limit + (GRID >> 2) and wall < WALL:
        pz, py, px = z + (at * tz >> BITS), y + (at * ty >> BITS), x + (at * tx >> BITS)
        there = on_grid(lattice, voxel, pz, py, px)
        quanta = np.int64(lattice.quanta[there])
        wall += step
        if quanta < FULL:
            if lattice.owner[there] >= 0:
                length += step * (1.0 - quanta / FULL)
            elif quanta < BONE:
                break
            if quanta < BONE:
                wall = 0.0
        at += GRID >> 1
        if at > NEAR:
            step = 1.0
            at += GRID >> 1 if at > NEAR + (GRID >> 1) else GRID >> 2
    return length


@lean_kernel
def width_at(lattice, voxel, h, n, t, reach, sheet):  # type: ignore[no-untyped-def]
    """Width of bone along t at height h along n, voxels: as far as it is a `sheet`, its `reach`."""
    if sheet == 1.0:
        return reach
    g, limit = h * GRID, np.int64(reach * GRID)
    z, y, x = np.int64(g * n[0]) + HALF, np.int64(g * n[1]) + HALF, np.int64(g * n[2]) + HALF
    chord = solid_until(lattice, voxel, z, y, x, t[0], t[1], t[2], limit)
    return chord + sheet * (reach - chord)


@lean_kernel
def dug_at(lattice, voxel, h, n, t, reach):  # type: ignore[no-untyped-def]
    """Length of the cavity along t at height h along n, voxels."""
    g, limit = h * GRID, np.int64(reach * GRID)
    z, y, x = np.int64(g * n[0]) + HALF, np.int64(g * n[1]) + HALF, np.int64(g * n[2]) + HALF
    return open_until(lattice, voxel, z, y, x, t[0], t[1], t[2], limit)


@lean_kernel
def side(lattice, voxel, heights, n, tz, ty, tx):  # type: ignore[no-untyped-def]
    """What a section has to one side, along unit t: um of cavity, bone beside it, below it, reach.

    `heights`: where bone began before the cavity, floor and end of what is left, voxels along n.
    Above and below the floor the chords of a rod are seen, in quarters; a sheet has one width.
    """
    top, floor, bottom = heights
    t = (np.int64(tz * GRID), np.int64(ty * GRID), np.int64(tx * GRID))
    limit = LONGEST_UM / lattice.voxel_um
    reach = width_at(lattice, voxel, 0.5 * (top + bottom), n, t, limit, 0.0)
    sheet = min(max(reach / (bottom - top) - 1.0, 0.0), 1.0)
    parts = (0.5, 0.5) if sheet == 1.0 else (0.25, 0.75)
    cavity = beside = below = 0.0
    for part in parts:
        h = top + part * (floor - top)
        width = width_at(lattice, voxel, h, n, t, reach, sheet)
        # Of a sheet both are the same.
        length = cavity if sheet == 1.0 and cavity > 0.0 else dug_at(lattice, voxel, h, n, t, reach)
        length = min(length, width)
        cavity += length
        beside += width - length
        below += width_at(lattice, voxel, floor + part * (bottom - floor), n, t, reach, sheet)
    half = 0.5 * lattice.voxel_um
    return cavity * half, beside * half, max(below, LEAST) * half, reach * lattice.voxel_um


@lean_kernel
def line(lattice, voxel, heights, n, tz, ty, tx):  # type: ignore[no-untyped-def]
    """Both sides of a section, along t and against it."""
    size = np.sqrt(tz * tz + ty * ty + tx * tx)
    tz, ty, tx = tz / size, ty / size, tx / size
    return (
        side(lattice, voxel, heights, n, tz, ty, tx),
        side(lattice, voxel, heights, n, -tz, -ty, -tx),
    )


@lean_kernel
def rectangles(below, above, left, dug):  # type: ignore[no-untyped-def]
    """Area, height of the centroid and second moment of two layers of these widths."""
    low, high = below * left, above * dug
    area = low + high
    z = (0.5 * low * left + high * (left + 0.5 * dug)) / area
    moment = (low * left * left + high * dug * dug) / 12.0
    moment += low * (z - 0.5 * left) ** 2 + high * (z - left - 0.5 * dug) ** 2
    return area, z, moment


@lean_kernel
def ended(wall, r, reach):  # type: ignore[no-untyped-def]
    """How much it matters that bone ends `wall` beside a cavity: exp(-wall / r), 0 out of reach."""
    seen = 1.0 - min(reach / LONGEST_UM, 1.0) ** 8
    return np.exp(-wall / (seen * r)) if seen > 0.0 else 0.0


@lean_kernel
def across(sides, length, left, before):  # type: ignore[no-untyped-def]
    """c for load across a section of two `sides`; `length` of the cavity along the load, um."""
    r = LENGTH_SHARE * length + THICKNESS_SHARE * before
    width = below = beside = free = 0.0
    for one in sides:
        cavity, wall, under, reach = one
        width += cavity
        near = r + before * ended(wall, r, reach)
        beside += near * (1.0 - ended(wall, near, reach))
        free += 0.5 * ended(wall, near, reach)
        below += min(under, cavity)
        below += near * (1.0 - ended(max(under - cavity, 0.0), near, reach))
    dug = before - left
    whole, z0, moment0 = rectangles(below, beside + width, left, dug)
    area, z, moment = rectangles(below, beside, left, dug)
    g = length / max(FREE_UM - length, 0.5 * FREE_UM)
    bending = (z0 - z) * (z - 0.5 * left) * area / moment / (1.0 + g * moment0 / moment)
    return max(whole / area * (1.0 - free * bending), 1.0)


@lean_kernel
def over_pair(one, other, left, before):  # type: ignore[no-untyped-def]
    """Mean of c over load across two sections at right angles, and how unlike their reach is, 0..1."""
    first = across(one, other[0][0] + other[1][0], left, before)
    second = across(other, one[0][0] + one[1][0], left, before)
    a = (other[0][3] + other[1][3]) ** 2
    b = (one[0][3] + one[1][3]) ** 2
    mean = (a * a * first + b * b * second) / (a * a + b * b)
    return mean, ((a - b) / (a + b)) ** 2


@lean_kernel
def concentration(lattice, voxel, nz, ny, nx):  # type: ignore[no-untyped-def]
    """How many times the strain of intact bone the floor of a cavity has: 1 or more.

    `voxel`: of the cavity's floor, or of the surface where it was begun; n its unit normal into bone.
    """
    nz, ny, nx = np.float64(nz), np.float64(ny), np.float64(nx)
    top, bottom, before, left = column(lattice, voxel, nz, ny, nx)
    if not left < before:
        return 1.0
    middle = 0.5 * (top + bottom)
    heights = (top, bottom - left / before * (bottom - top), bottom)
    if abs(nz) < 0.9:
        az, ay, ax = 0.0, nx, -ny
    else:
        az, ay, ax = nx, 0.0, -nz
    size = np.sqrt(az * az + ay * ay + ax * ax)
    az, ay, ax = az / size, ay / size, ax / size
    bz, by, bx = ny * ax - nx * ay, nx * az - nz * ax, nz * ay - ny * az
    u = slope_along(lattice, voxel, middle, before, nz, ny, nx, az, ay, ax)
    v = slope_along(lattice, voxel, middle, before, nz, ny, nx, bz, by, bx)
    az, ay, ax = az + u * nz, ay + u * ny, ax + u * nx
    bz, by, bx = bz + v * nz, by + v * ny, bx + v * nx
    n = (nz, ny, nx)
    left, thick = left * lattice.voxel_um, before * lattice.voxel_um
    straight, p = over_pair(
        line(lattice, voxel, heights, n, az, ay, ax),
        line(lattice, voxel, heights, n, bz, by, bx), left, thick,
    )  # fmt: skip
    oblique, q = over_pair(
        line(lattice, voxel, heights, n, az + bz, ay + by, ax + bx),
        line(lattice, voxel, heights, n, az - bz, ay - by, ax - bx),
        left, thick,
    )  # fmt: skip
    clear = max(p, q)
    mean = (p * straight + q * oblique) / (p + q) if clear > 0.0 else 0.0
    return clear * mean + (1.0 - clear) * max(straight, oblique)
