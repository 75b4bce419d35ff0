"""How many times the strain of intact bone the floor of a cavity has: what the brake senses.

    sheet   (before / left)^.35: load goes round a soft patch; bone before and left along n
    rod     (A0 / A)^q: load cannot go round; A0, A section of the rod before and left, q the share
            gone of the section above the floor (a slot's walls carry on; of a cap q is 1)
    c       sheet^w x rod^(1 - w), never below 1; w rises smoothly from 0 to 1

w is how wide bone is: its mean reach to marrow in the tangent plane, at mid-depth, along eight rays
of at most twice the thickness: a rod up to 1 x the thickness, a sheet from 1.5 x. The same rays find
a rod's axis (the axis of their second moment), across which the section is read, row by row.

Left out: length and width of a trench in a sheet, bending of rods, strips loaded along their
length (a strip five times as wide as thick counts as a sheet).
Sources: guide M4. No number was fitted to rods; .35 fits micro-FE of sheets (tests/mechanics/weakened.py).
"""

import numpy as np

from bonesim.cells.bmu_front import tangent
from bonesim.kernel import lean_kernel
from bonesim.lattice.rays import LONGEST_UM, along
from bonesim.units import BONE, FULL

#: Of a sheet's before / left; fitted to micro-FE, the mean of load along and across a trench.
SHEET_EXPONENT = 0.35
#: Mean reach over thickness: up to here a rod, from here on a sheet (assumed; between the shapes solved).
ROD, SHEET = 1.0, 1.5
#: Rays in the tangent plane see so many thicknesses far.
REACH = 2.0
#: A cavity begins within so many voxels.
BEGIN = 3.0
#: Bone left below the cavity, voxels, and of a section, voxels^2: no less than half a voxel is bone.
LEAST = 0.5
#: Places on a ray are whole numbers of 1/GRID voxels.
BITS = 20
GRID = 1 << BITS


@lean_kernel
def ray(lattice, voxel, place, way, step, steps, through):  # type: ignore[no-untyped-def]
    """Bone before cavities, and left, from a place (voxels from `voxel`) along `way`; voxels.

    An open cavity was bone; behind bone it is passed only if `through`. To what little bone there
    is within a voxel beyond the end; bone goes on behind a cut face. Steps of at most a voxel.
    """
    z = np.int64((place[0] + 0.5 * step * way[0] + 0.5) * GRID)
    y = np.int64((place[1] + 0.5 * step * way[1] + 0.5) * GRID)
    x = np.int64((place[2] + 0.5 * step * way[2] + 0.5) * GRID)
    dz, dy, dx = (np.int64(step * way[0] * GRID), np.int64(step * way[1] * GRID),
                  np.int64(step * way[2] * GRID))  # fmt: skip
    before, left, beyond, bone = 0, 0, 0, False
    for k in range(steps):
        there = (
            voxel + (z >> BITS) * lattice.stride_z + (y >> BITS) * lattice.stride_y + (x >> BITS)
        )
        z, y, x = z + dz, y + dy, x + dx
        quanta = np.int64(lattice.quanta[there])
        if beyond == 0 and quanta < FULL and lattice.region[there] == 0:
            before, left = before + (steps - k) * FULL, left + (steps - k) * FULL
            break
        bone = bone or quanta >= BONE
        hollow = quanta < FULL and lattice.owner[there] >= 0
        left += quanta
        if beyond > 0 or (quanta < BONE and (not hollow or (bone and not through))):
            before += quanta
            beyond += 1
            if beyond * step >= 1.0:
                break
        else:
            before += FULL if hollow else quanta
    return before * step / FULL, left * step / FULL


@lean_kernel
def column(lattice, voxel, n):  # type: ignore[no-untyped-def]
    """Along n: where bone began before the cavity, and ends (voxels from `voxel`), and bone left."""
    start = 0.0
    while start < BEGIN:
        there = along(lattice, voxel, n[0], n[1], n[2], start)
        outside = lattice.region[there] == 0
        if outside or lattice.quanta[there] >= BONE or lattice.owner[there] >= 0:
            break
        start += 0.5
    place, back = (start * n[0], start * n[1], start * n[2]), (-n[0], -n[1], -n[2])
    steps = int(2.0 * LONGEST_UM / lattice.voxel_um)
    up, remains = ray(lattice, voxel, place, back, 0.5, steps, True)
    down, left = ray(lattice, voxel, place, n, 0.5, steps, False)
    return start - up, start + down, max(remains + left, LEAST)


@lean_kernel
def around(lattice, voxel, n, h, before):  # type: ignore[no-untyped-def]
    """Mean reach across n over thickness `before`, at height h along n, and the way across bone."""
    a, b = tangent(n[0], n[1], n[2], 0.0), tangent(n[0], n[1], n[2], 0.5 * np.pi)
    place = (h * n[0], h * n[1], h * n[2])
    limit = min(REACH * before, LONGEST_UM / lattice.voxel_um)
    steps = int(np.ceil(limit))
    total = twice = cross = 0.0
    c, s = 1.0, 0.0
    for _ in range(8):
        way = (c * a[0] + s * b[0], c * a[1] + s * b[1], c * a[2] + s * b[2])
        bone, _left = ray(lattice, voxel, place, way, limit / steps, steps, True)
        total += bone
        twice += bone * (c * c - s * s)
        cross += bone * 2.0 * c * s
        c, s = np.sqrt(0.5) * (c - s), np.sqrt(0.5) * (c + s)
    across = 0.5 * np.arctan2(cross, twice) + 0.5 * np.pi
    return REACH * total / (8.0 * limit), tangent(n[0], n[1], n[2], across)


@lean_kernel
def section(lattice, voxel, heights, n, way):  # type: ignore[no-untyped-def]
    """Section across `way` and n: before the cavity, of that above the floor, and left; voxels^2.

    `heights` along n: where bone began before the cavity, its floor, the end of bone.
    """
    top, floor, bottom = heights
    rows = int(np.ceil(bottom - top))
    row = (bottom - top) / rows
    step = min((bottom - top) / 12.0, 1.0)
    steps = int(REACH * (bottom - top) / step)
    back = (-way[0], -way[1], -way[2])
    whole = above = rest = 0.0
    for k in range(rows):
        h = top + (k + 0.5) * row
        place = (h * n[0], h * n[1], h * n[2])
        one, one_left = ray(lattice, voxel, place, way, step, steps, True)
        other, other_left = ray(lattice, voxel, place, back, step, steps, True)
        whole += row * (one + other)
        above += row * (one + other) * min(max((floor - h) / row + 0.5, 0.0), 1.0)
        rest += row * (one_left + other_left)
    return whole, above, max(rest, LEAST)


@lean_kernel
def concentration(lattice, voxel, nz, ny, nx):  # type: ignore[no-untyped-def]
    """How many times the strain of intact bone the floor of a cavity has: 1 or more.

    `voxel`: of the cavity's floor, or of the surface where it was begun; n its unit normal into bone.
    """
    n = (np.float64(nz), np.float64(ny), np.float64(nx))
    top, bottom, left = column(lattice, voxel, n)
    before = bottom - top
    if left >= before or before * lattice.voxel_um >= LONGEST_UM:
        return 1.0
    reach, way = around(lattice, voxel, n, 0.5 * (top + bottom), before)
    w = min(max((reach - ROD) / (SHEET - ROD), 0.0), 1.0)
    w *= w * (3.0 - 2.0 * w)
    c = (before / left) ** (SHEET_EXPONENT * w)
    if w < 1.0:
        whole, above, rest = section(lattice, voxel, (top, bottom - left, bottom), n, way)
        q = min((whole - rest) / max(above, LEAST), 1.0)
        c *= max(whole / rest, 1.0) ** (max(q, 0.0) * (1.0 - w))
    return c
