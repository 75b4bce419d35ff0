"""The floor of a cavity: which of its voxels have one, and what becomes of those that have none.

When resorption ends at a site, a ray along n decides once whether a voxel has a floor. Without one its
stock is lost for ever, and the hole stays, unless osteoblasts bridge it:

- a hole narrower than `smallest_hole_um`, with a floor on both sides
- a notch in an edge: a floor on one side, old marrow on the other, narrower than `NOTCH_UM`, at a site
  most of which has a floor. The flank of a strut whose cap is dug is rebuilt with it.
"""

import numpy as np

from bonesim.cells.accounts import lose_stock
from bonesim.cells.cavity import Cavities, drop_record
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Count, Day, Identity, Normal, Site, Voxel
from bonesim.lattice.rays import LONGEST_UM, along
from bonesim.units import BONE

#: Wider notches in an edge stay; assumed: three osteoblasts.
NOTCH_UM = 60.0
#: Ends of a run of voxels without a floor.
FLOOR, MARROW, FURTHER = 0, 1, 2


@lean_kernel
def floor_below(
    lattice: Lattice,
    cavities: Cavities,
    voxel: Voxel,
    bmu_id: Identity,
    nz: float,
    ny: float,
    nx: float,
) -> bool:
    """Whether an eroded voxel has a floor: bone along n before the marrow of the far side.

    The ray passes through what this cavity eroded, and through what a neighbour eroded that digs
    to the same side: its floor is theirs. A voxel that is still bone is its own floor; at a cut
    face the cavity and its floor continue in the mirror.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    if lattice.quanta[voxel] >= BONE:
        return True
    distance = 0.5
    while distance * lattice.voxel_um <= LONGEST_UM:
        there = along(lattice, voxel, nz, ny, nx, distance)
        if lattice.region[there] == 0 or lattice.quanta[there] >= BONE:
            return True
        if there != voxel:
            owner = lattice.owner[there]
            if owner < 0:
                return False
            site = cavities.records.site[owner]
            if cavities.sites.bmu_id[site] != bmu_id:
                sites = cavities.sites
                if sites.nz[site] * nz + sites.ny[site] * ny + sites.nx[site] * nx <= 0.0:
                    return False
        distance += 0.5
    return False


@lean_kernel
def dug_from_behind(
    lattice: Lattice,
    cavities: Cavities,
    voxel: Voxel,
    bmu_id: Identity,
    nz: float,
    ny: float,
    nx: float,
) -> bool:
    """Whether the bone behind a surface voxel ends, along n, in a cavity of the same BMU.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    distance = 0.5
    inside = True
    while inside and distance * lattice.voxel_um <= LONGEST_UM:
        there = along(lattice, voxel, nz, ny, nx, distance)
        if lattice.region[there] == 0:
            return False
        inside = lattice.quanta[there] >= BONE
        distance += 0.5
    if inside:
        return False
    owner = lattice.owner[there]
    return owner >= 0 and cavities.sites.bmu_id[cavities.records.site[owner]] == bmu_id


@lean_kernel
def tangents(nz: float, ny: float, nx: float) -> tuple[Normal, Normal]:
    """Two unit vectors across n and across each other.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    if abs(nz) < 0.9:
        az, ay, ax = np.float64(0.0), np.float64(nx), -ny
    else:
        az, ay, ax = np.float64(nx), np.float64(0.0), -nz
    length = np.sqrt(az * az + ay * ay + ax * ax)
    az, ay, ax = az / length, ay / length, ax / length
    return (az, ay, ax), (ny * ax - nx * ay, nx * az - nz * ax, nz * ay - ny * az)


@lean_kernel
def run_from(
    lattice: Lattice,
    cavities: Cavities,
    voxel: Voxel,
    bmu_id: Identity,
    n: Normal,
    t: Normal,
    reach: Count,
) -> tuple[int, int]:
    """How many voxels without a floor follow `voxel` along t, and what ends them within `reach`.

    Args:
        reach: how far, voxels.
    """
    count = 0
    for step in range(1, reach + 1):
        there = along(lattice, voxel, t[0], t[1], t[2], step)
        if lattice.region[there] == 0:
            return count, FLOOR
        if lattice.quanta[there] < BONE and lattice.owner[there] < 0:
            return count, MARROW
        if floor_below(lattice, cavities, there, bmu_id, n[0], n[1], n[2]):
            return count, FLOOR
        count += 1
    return count, FURTHER


@lean_kernel
def is_bridged(
    lattice: Lattice,
    cavities: Cavities,
    voxel: Voxel,
    bmu_id: Identity,
    n: Normal,
    hole: Count,
    notch: Count,
) -> bool:
    """Whether osteoblasts bridge a voxel without a floor, in one of four directions across n.

    `hole` and `notch` (voxels): runs of fewer voxels are bridged between two floors, and between a
    floor and old marrow.

    Args:
        hole: narrower runs between two floors are bridged, voxels.
        notch: narrower runs between a floor and old marrow are bridged, voxels.
    """
    a, b = tangents(n[0], n[1], n[2])
    for direction in range(4):
        c, s = np.cos(0.25 * np.pi * direction), np.sin(0.25 * np.pi * direction)
        t = (c * a[0] + s * b[0], c * a[1] + s * b[1], c * a[2] + s * b[2])
        back = (-t[0], -t[1], -t[2])
        ahead, one = run_from(lattice, cavities, voxel, bmu_id, n, t, max(hole, notch))
        behind, other = run_from(lattice, cavities, voxel, bmu_id, n, back, max(hole, notch))
        width = 1 + ahead + behind
        if one == FLOOR and other == FLOOR and width < hole:
            return True
        if one + other == FLOOR + MARROW and width < notch:
            return True
    return False


@lean_kernel
def weigh_floor(
    lattice: Lattice, cavities: Cavities, site: Site, hole: Count, notch: Count
) -> None:
    """Write to each record's weight whether its voxel keeps its stock: 1, else 0.

    Args:
        hole: narrower runs between two floors are bridged, voxels.
        notch: narrower runs between a floor and old marrow are bridged, voxels.

    Writes:
        cavities
    """
    sites, records = cavities.sites, cavities.records
    n = (sites.nz[site], sites.ny[site], sites.nx[site])
    bmu = sites.bmu_id[site]
    with_floor, without = np.int64(0), np.int64(0)
    record = sites.first[site]
    while record >= 0:
        voxel = records.voxel[record]
        records.weight[record] = 0.0
        if lattice.owner[voxel] == record and records.stock[record] > 0:
            if floor_below(lattice, cavities, voxel, bmu, n[0], n[1], n[2]):
                records.weight[record] = 1.0
                with_floor += records.stock[record]
            else:
                without += records.stock[record]
        record = records.next[record]
    if without == 0:
        return
    if without > with_floor:
        notch = 0
    record = sites.first[site]
    while record >= 0:
        voxel = records.voxel[record]
        mine = lattice.owner[voxel] == record and records.stock[record] > 0
        bare = mine and records.weight[record] == 0.0
        if bare and is_bridged(lattice, cavities, voxel, bmu, n, hole, notch):
            records.weight[record] = 1.0
        record = records.next[record]


@lean_kernel
def settle(
    lattice: Lattice, cavities: Cavities, site: Site, smallest_hole_um: float, day: Day
) -> Count:
    """Resorption has ended at a site: decide, once, which of its voxels have a floor.

    Floorless voxels lose their stock. Voxels of other sites and untouched ones leave the list.
    Returns the stock that can be refilled.

    Args:
        smallest_hole_um: narrower holes are bridged, um.

    Writes:
        lattice, cavities
    """
    sites, records = cavities.sites, cavities.records
    hole = np.int64(np.ceil(smallest_hole_um / lattice.voxel_um))
    notch = np.int64(np.ceil(NOTCH_UM / lattice.voxel_um)) if hole > 0 else np.int64(0)
    weigh_floor(lattice, cavities, site, hole, notch)
    refillable = np.int64(0)
    record = sites.first[site]
    kept = np.int64(-1)
    while record >= 0:
        following = records.next[record]
        voxel = records.voxel[record]
        if records.weight[record] == 1.0:
            refillable += records.stock[record]
            records.next[record] = kept
            kept = record
        else:
            if lattice.owner[voxel] == record and records.stock[record] > 0:
                lose_stock(lattice, cavities, record, day)
            drop_record(lattice, cavities, record)
        record = following
    sites.first[site] = kept
    return refillable
