"""Formation in a site: the mirror image of erosion, and bone beyond the surface there was.

`fill` moves the floor of a site up again; every voxel gets its own stock back, to the last quantum, so
the surface is as smooth as it was. What stands on nothing waits, and is returned or lost at the end
(`finish`).

What was marrow before can be granted to a site beside its stock (`grant`, `coat`): modelling, and the
surplus of a strained site. Bone put there never joins two surfaces nor closes a hole: a crossing that
is not simple is refused. Osteoblasts fill hollows faster than they thicken humps (Alias 2017): growth
there goes with the cube of the bone around a voxel.
"""

import numpy as np

from bonesim.cells.cavity import (
    QUANTA_ADDED,
    QUANTA_FORMED,
    add_record,
    eroded_depth_um,
)
from bonesim.cells.column import left_of, span_um
from bonesim.cells.floor import floor_below, lose
from bonesim.chance import APPOSITION_ROUNDING, rounded
from bonesim.kernel import lean_kernel
from bonesim.lattice.ledger import INTERIOR, give
from bonesim.lattice.neighbours import FACE_BITS
from bonesim.lattice.topology import bone_bits, bone_parts, count_bits, marrow_parts
from bonesim.units import BONE, FULL

#: Firm faces from which a voxel fills though nothing lies under it.
CORNER = 3
# Bits of the six face neighbours (lattice.neighbours: z slowest, 13 is the voxel itself).
BEFORE_Z, BEHIND_Z = np.int64(1 << 4), np.int64(1 << 22)
BEFORE_Y, BEHIND_Y = np.int64(1 << 10), np.int64(1 << 16)
BEFORE_X, BEHIND_X = np.int64(1 << 12), np.int64(1 << 14)


@lean_kernel
def floor_area(bits, nz, ny, nx):  # type: ignore[no-untyped-def]
    """How much firm bone lies under a voxel, in voxel faces: sum of max(0, n.e) over firm faces.

    `bits`: its bone neighbours. Beyond a cut face there is no bone to stand on.
    """
    weight = np.float64(0.0)
    if bits & (BEHIND_Z if nz > 0 else BEFORE_Z):
        weight += abs(nz)
    if bits & (BEHIND_Y if ny > 0 else BEFORE_Y):
        weight += abs(ny)
    if bits & (BEHIND_X if nx > 0 else BEFORE_X):
        weight += abs(nx)
    return weight


@lean_kernel
def appetite(quanta, voxel, stride_y, stride_z, nz, ny, nx):  # type: ignore[no-untyped-def]
    """How much bone a voxel takes up relative to one of a plane; 0 if it is full.

    The weight is its floor area times (bone neighbours of 26 / 9) cubed: 9 lie under a plane.
    """
    if quanta[voxel] == FULL:
        return 0.0
    bits = bone_bits(quanta, voxel, stride_y, stride_z)
    weight = floor_area(bits, nz, ny, nx)
    if weight == 0.0 and (count_bits(bits & FACE_BITS) >= CORNER or quanta[voxel] >= BONE):
        # A corner fills from its sides; a voxel that is bone stands on its own remains.
        weight = 0.5
    share = count_bits(bits) / 9.0
    return weight * share * share * share


@lean_kernel
def stands(lattice, voxel, nz, ny, nx):  # type: ignore[no-untyped-def]
    """Whether bone in a voxel would stand on something: a floor, a corner, or what is left of it."""
    if lattice.quanta[voxel] >= BONE:
        return True
    bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
    return floor_area(bits, nz, ny, nx) > 0.0 or count_bits(bits & FACE_BITS) >= CORNER


@lean_kernel
def fill(lattice, cavities, site, depth_um, day):  # type: ignore[no-untyped-def]
    """Move the floor of a site up by `depth_um`, at most to the film. Returns the quanta formed."""
    sites, records = cavities.sites, cavities.records
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    span = span_um(lattice, nz, ny, nx)
    floor = max(np.float64(sites.open_um[site]) - depth_um, np.float64(sites.film_um[site]))
    sites.open_um[site] = floor
    formed = np.int64(0)
    record = sites.first[site]
    while record >= 0:
        stock = np.int64(records.stock[record])
        if stock > 0:
            voxel = records.voxel[record]
            amount = left_of(floor, np.float64(records.below_um[record]), span)
            amount = min(amount - np.int64(lattice.quanta[voxel]), stock)
            if amount > 0 and stands(lattice, voxel, nz, ny, nx):
                formed += build(lattice, cavities, site, record, amount, day)
        record = records.next[record]
    return formed


@lean_kernel
def stock_of(cavities, site):  # type: ignore[no-untyped-def]
    """Quanta taken at a site and not yet put back."""
    stock = np.int64(0)
    record = cavities.sites.first[site]
    while record >= 0:
        stock += cavities.records.stock[record]
        record = cavities.records.next[record]
    return stock


@lean_kernel
def coat(lattice, cavities, site, depth_um, seed, day):  # type: ignore[no-untyped-def]
    """Form `depth_um` over a site's true area on the surface there was, where it is granted.

    Never more than the site's quota. Returns the quanta formed.
    """
    sites, records = cavities.sites, cavities.records
    quanta, stride_y, stride_z = lattice.quanta, lattice.stride_y, lattice.stride_z
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    nominal = depth_um * FULL / lattice.voxel_um
    work = nominal * sites.area_um2[site] / (lattice.voxel_um * lattice.voxel_um)
    left = np.int64(sites.quota_quanta[site] - sites.formed_quanta[site])
    need = min(work + sites.carry_quanta[site], np.float64(left))
    total = 0.0
    record = sites.first[site]
    while record >= 0:
        weight = 0.0
        if records.granted[record] > 0:
            weight = appetite(quanta, records.voxel[record], stride_y, stride_z, nz, ny, nx)
        records.weight[record] = weight
        total += weight
        record = records.next[record]
    formed = np.int64(0)
    if total > 0.0 and need > 0.0:
        per_weight = min(need / total, 2.0 * nominal)
        record = sites.first[site]
        while record >= 0:
            weight = records.weight[record]
            if weight > 0.0 and formed < left:
                who = records.voxel[record]
                amount = rounded(per_weight * weight, seed, day, who, APPOSITION_ROUNDING)
                amount = min(np.int64(amount), left - formed, np.int64(records.granted[record]))
                if amount > 0:
                    formed += build(lattice, cavities, site, record, amount, day)
            record = records.next[record]
    sites.carry_quanta[site] = min(max(work + sites.carry_quanta[site] - formed, 0.0), 4.0 * work)
    return formed


@lean_kernel
def build(lattice, cavities, site, record, amount, day):  # type: ignore[no-untyped-def]
    """Put up to `amount` quanta into the voxel of a record; what it lacks in stock is the site's.

    A voxel that was marrow before the site becomes bone only if nothing is joined by it.
    """
    sites, records = cavities.sites, cavities.records
    voxel = records.voxel[record]
    held = np.int64(lattice.quanta[voxel])
    was_bone = held >= BONE
    before = held + np.int64(records.stock[record])
    if records.granted[record] > 0 and before < BONE and held + amount >= BONE and not was_bone:
        bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
        if bone_parts(bits) != 1 or marrow_parts(bits) != 1:
            amount = BONE - 1 - held
    depth = eroded_depth_um(lattice, sites, site)
    moved = give(lattice, voxel, amount, day, depth, sites.bmu_id[site])
    of_stock = min(moved, np.int64(records.stock[record]))
    records.stock[record] -= of_stock
    added = min(moved - of_stock, np.int64(records.granted[record]))
    records.granted[record] -= added
    if lattice.region[voxel] == INTERIOR:
        cavities.tally[QUANTA_ADDED] += added
    sites.formed_quanta[site] += moved
    cavities.tally[QUANTA_FORMED] += moved
    if not was_bone and lattice.quanta[voxel] >= BONE:
        sites.front_voxel[site] = voxel
    return moved


@lean_kernel
def finish(lattice, cavities, site, day):  # type: ignore[no-untyped-def]
    """Return all stock that is left at the end of a team, layer by layer up from the floor.

    A voxel whose floor has been lost since (to a cavity from the other side) loses its stock.
    """
    sites, records = cavities.sites, cavities.records
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    placed = fill(lattice, cavities, site, np.float64(sites.open_um[site]), day)
    while placed > 0:
        placed = fill(lattice, cavities, site, 0.0, day)
    record = sites.first[site]
    while record >= 0:
        stock = np.int64(records.stock[record])
        if stock > 0:
            bmu = sites.bmu_id[site]
            if floor_below(lattice, cavities, records.voxel[record], bmu, nz, ny, nx):
                build(lattice, cavities, site, record, stock, day)
            else:
                lose(lattice, cavities, record, day)
        record = records.next[record]


@lean_kernel
def grant(lattice, cavities, site):  # type: ignore[no-untyped-def]
    """Let a site form up to one voxel beyond the surface there was before it.

    Its voxels may be filled whole, and so may marrow voxels before them, against n, that nobody
    owns and that have a floor. How much is formed there is for the quota to say.
    """
    sites, records = cavities.sites, cavities.records
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    record = sites.first[site]
    while record >= 0:
        following = records.next[record]
        voxel = records.voxel[record]
        if lattice.owner[voxel] == record:
            records.granted[record] = (
                FULL - np.int64(lattice.quanta[voxel]) - np.int64(records.stock[record])
            )
            for axis in range(3):
                component = nz if axis == 0 else (ny if axis == 1 else nx)
                stride = lattice.stride_z if axis == 0 else (lattice.stride_y if axis == 1 else 1)
                if abs(component) < 0.5:
                    continue
                there = voxel + (-stride if component > 0 else stride)
                if lattice.region[there] == 0 or lattice.quanta[there] >= BONE:
                    continue
                if lattice.owner[there] >= 0:
                    continue
                if not floor_below(lattice, cavities, there, sites.bmu_id[site], nz, ny, nx):
                    continue
                new = add_record(lattice, cavities, site, there, True)
                if new >= 0:
                    records.granted[new] = FULL - lattice.quanta[there]
        record = following
