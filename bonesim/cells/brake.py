"""How many times the strain of intact bone the floor of a cavity has: what the brake senses.

    sheet   (before / left)^.35, bone along n: load goes round a soft patch
    rod     (A0 / A)^q: load cannot go round; A0, A section before and left, q the share that is gone
            of the section above the floor: walls beside a slot carry on, of a cap q is 1
    c       sheet^w rod^(1 - w), never below 1; w rises smoothly from 0 (rod) to 1 (sheet)

w goes by the mean reach to marrow across n, at mid-depth, of eight rays at most twice the thickness
long. They show a rod's axis too (by second moments); across it the section is read, row by row.

Left out: length and width of a trench in a sheet, bending of rods, the way load runs in a wide strip.
Sources: guide M4; .35 was fitted to micro-FE of sheets (tests/mechanics/weakened.py), nothing to rods.
"""

import numpy as np

from bonesim.cells.bmu_front import tangent
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Normal, Voxel
from bonesim.lattice.rays import LONGEST_UM, along
from bonesim.units import BONE, FULL

#: Of before / left in a sheet; fitted to the mean of load along and across a trench (micro-FE).
SHEET_EXPONENT = 0.35
#: Mean reach over thickness: up to here a rod, from here on a sheet; assumed.
ROD, SHEET = 1.0, 1.5
#: Rays in the tangent plane see so many thicknesses far.
REACH = 2.0
#: A ray across a section has at least so many steps.
STEPS = 24
#: A cavity begins within so many voxels.
BEGIN = 3.0
#: Bone left below the cavity, voxels, and of a section, voxels^2: no less than half a voxel is bone.
LEAST = 0.5
#: Places on a ray are whole numbers of 1/GRID voxels.
BITS = 20
GRID = 1 << BITS


@lean_kernel
def ray(
    lattice: Lattice, voxel: Voxel, place: Normal, way: Normal, step: float, steps: int
) -> tuple[float, float]:
    """Bone before cavities, and left, from a place (voxels from `voxel`) along `way`; voxels.

    An open cavity was bone. To what little bone there is within a voxel beyond the end; bone goes
    on behind a cut face. Steps of at most a voxel.

    Args:
        step: length of a step, voxels.
        steps: how many, at most.
    """
    dz, dy, dx = step * way[0], step * way[1], step * way[2]
    z = np.int64((place[0] + 0.5 * dz + 0.5) * GRID)
    y = np.int64((place[1] + 0.5 * dy + 0.5) * GRID)
    x = np.int64((place[2] + 0.5 * dx + 0.5) * GRID)
    az, ay, ax = np.int64(dz * GRID), np.int64(dy * GRID), np.int64(dx * GRID)
    before, left, beyond = np.int64(0), np.int64(0), 0
    for k in range(steps):
        there = voxel + (z >> BITS) * lattice.stride_z
        there += (y >> BITS) * lattice.stride_y + (x >> BITS)
        z, y, x = z + az, y + ay, x + ax
        quanta = np.int64(lattice.quanta[there])
        if beyond == 0 and quanta < FULL and lattice.region[there] == 0:
            before, left = before + (steps - k) * FULL, left + (steps - k) * FULL
            break
        hollow = quanta < FULL and lattice.owner[there] >= 0
        left += quanta
        if beyond > 0 or (quanta < BONE and not hollow):
            before += quanta
            beyond += 1
            if beyond * step >= 1.0:
                break
        else:
            before += FULL if hollow else quanta
    return before * step / FULL, left * step / FULL


@lean_kernel
def column(lattice: Lattice, voxel: Voxel, n: Normal) -> tuple[float, float, float]:
    """Along n: where bone began before the cavity, and ends (voxels from `voxel`), and bone left."""
    start, there = 0.0, voxel
    while start < BEGIN and lattice.region[there] != 0:
        if lattice.quanta[there] >= BONE or lattice.owner[there] >= 0:
            break
        start += 0.5
        there = along(lattice, voxel, n[0], n[1], n[2], start)
    place, back = (start * n[0], start * n[1], start * n[2]), (-n[0], -n[1], -n[2])
    steps = int(np.ceil(2.0 * LONGEST_UM / lattice.voxel_um))
    up, remains = ray(lattice, voxel, place, back, 0.5, steps)
    down, left = ray(lattice, voxel, place, n, 0.5, steps)
    return start - up, start + down, max(remains + left, LEAST)


@lean_kernel
def around(
    lattice: Lattice, voxel: Voxel, n: Normal, h: float, before: float
) -> tuple[float, Normal]:
    """Mean reach across n over thickness `before`, at height h along n, and the way across bone.

    Args:
        h: height along n, voxels from `voxel`.
        before: thickness before the cavity, voxels.
    """
    a, b = tangent(n[0], n[1], n[2], 0.0), tangent(n[0], n[1], n[2], 0.5 * np.pi)
    place = (h * n[0], h * n[1], h * n[2])
    limit = min(REACH * before, LONGEST_UM / lattice.voxel_um)
    steps = int(np.ceil(limit))
    total = twice = cross = 0.0
    c, s = 1.0, 0.0
    for _ in range(8):
        way = (c * a[0] + s * b[0], c * a[1] + s * b[1], c * a[2] + s * b[2])
        bone, _left = ray(lattice, voxel, place, way, limit / steps, steps)
        total += bone
        twice += bone * (c * c - s * s)
        cross += bone * 2.0 * c * s
        c, s = np.sqrt(0.5) * (c - s), np.sqrt(0.5) * (c + s)
    across = 0.5 * np.arctan2(cross, twice) + 0.5 * np.pi
    return REACH * total / (8.0 * limit), tangent(n[0], n[1], n[2], across)


@lean_kernel
def section(
    lattice: Lattice, voxel: Voxel, heights: tuple[float, float, float], n: Normal, way: Normal
) -> tuple[float, float, float]:
    """Section across `way` and n: before the cavity, of that above the floor, and left; voxels^2.

    `heights` along n: where bone began before the cavity, its floor, the end of bone.

    Args:
        heights: where bone began, the floor, where bone ends; voxels from `voxel`.
    """
    top, floor, bottom = heights
    rows = int(np.ceil(bottom - top))
    row = (bottom - top) / rows
    limit = REACH * (bottom - top)
    steps = max(STEPS, int(np.ceil(limit)))
    back = (-way[0], -way[1], -way[2])
    whole = above = rest = 0.0
    for k in range(rows):
        h = top + (k + 0.5) * row
        place = (h * n[0], h * n[1], h * n[2])
        for side in (way, back):
            before, left = ray(lattice, voxel, place, side, limit / steps, steps)
            whole += row * before
            above += row * before * min(max((floor - h) / row + 0.5, 0.0), 1.0)
            rest += row * left
    return whole, above, max(rest, LEAST)


@lean_kernel
def concentration(lattice: Lattice, voxel: Voxel, nz: float, ny: float, nx: float) -> float:
    """How many times the strain of intact bone the floor of a cavity has: 1 or more.

    `voxel`: of the cavity's floor, or of the surface where it was begun; n its unit normal into bone.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
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
