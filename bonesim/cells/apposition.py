"""Formation in a site: the mirror image of erosion, to the surface there was and beyond it.

`fill` moves the floor of a site up again; every voxel gets its own stock back, to the last quantum, so
the surface is as smooth as it was. What stands on nothing waits, and is returned or lost at the end
(`finish`).

Beyond the old surface goes what was marrow before: modelling, and the surplus of a strained site. It
is granted to a site beside its stock (`grant`): the same floor moves on, before the surface. Bone put
there never joins two surfaces nor closes a hole: a crossing that is not simple is refused.
"""

import numpy as np

from bonesim.cells.accounts import fill_void, form_bone, lose_stock
from bonesim.cells.cavity import Cavities, add_record, eroded_depth_um
from bonesim.cells.column import left_of, span_um
from bonesim.cells.floor import floor_below
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Bits, Count, Day, Record, Site, Voxel
from bonesim.lattice.neighbours import FACE_BITS
from bonesim.lattice.topology import bone_bits, bone_parts, count_bits, marrow_parts
from bonesim.units import BONE

#: Firm faces from which a voxel fills though nothing lies under it.
CORNER = 3
# Bits of the six face neighbours (lattice.neighbours: z slowest, 13 is the voxel itself).
BEFORE_Z, BEHIND_Z = np.int64(1 << 4), np.int64(1 << 22)
BEFORE_Y, BEHIND_Y = np.int64(1 << 10), np.int64(1 << 16)
BEFORE_X, BEHIND_X = np.int64(1 << 12), np.int64(1 << 14)


@lean_kernel
def floor_area(bits: Bits, nz: float, ny: float, nx: float) -> float:
    """How much firm bone lies under a voxel, in voxel faces: sum of max(0, n.e) over firm faces.

    `bits`: its bone neighbours. Beyond a cut face there is no bone to stand on.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
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
def stands(lattice: Lattice, voxel: Voxel, nz: float, ny: float, nx: float) -> bool:
    """Whether bone in a voxel would stand on something: a floor, a corner, or what is left of it.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    if lattice.quanta[voxel] >= BONE:
        return True
    bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
    return floor_area(bits, nz, ny, nx) > 0.0 or bool(count_bits(bits & FACE_BITS) >= CORNER)


@lean_kernel
def fill(lattice: Lattice, cavities: Cavities, site: Site, depth_um: float, day: Day) -> Count:
    """Move the floor of a site up by `depth_um`, at most to the film. Returns the quanta formed.

    Args:
        depth_um: how far up, um.

    Writes:
        lattice, cavities
    """
    sites, records = cavities.sites, cavities.records
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    span = span_um(lattice, nz, ny, nx)
    floor = max(np.float64(sites.open_um[site]) - depth_um, np.float64(sites.film_um[site]))
    sites.open_um[site] = floor
    formed = np.int64(0)
    record = sites.first[site]
    while record >= 0:
        allowed = np.int64(records.stock[record]) + np.int64(records.granted[record])
        if allowed > 0:
            voxel = records.voxel[record]
            here = max(floor, np.float64(records.film_um[record]))
            amount = left_of(here, np.float64(records.below_um[record]), span)
            amount = min(amount - np.int64(lattice.quanta[voxel]), allowed)
            if amount > 0 and stands(lattice, voxel, nz, ny, nx):
                formed += build(lattice, cavities, site, record, amount, day)
        record = records.next[record]
    return formed


@lean_kernel
def stock_of(cavities: Cavities, site: Site) -> Count:
    """Quanta taken at a site and not yet put back."""
    stock = np.int64(0)
    record = cavities.sites.first[site]
    while record >= 0:
        stock += cavities.records.stock[record]
        record = cavities.records.next[record]
    return stock


@lean_kernel
def build(
    lattice: Lattice, cavities: Cavities, site: Site, record: Record, amount: Count, day: Day
) -> Count:
    """Put up to `amount` quanta into the voxel of a record; what it lacks in stock is the site's.

    A voxel that was marrow before the site becomes bone only if nothing is joined by it.

    Args:
        amount: quanta, at most.

    Writes:
        lattice, cavities

    Returns:
        The quanta formed.
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
    moved = form_bone(lattice, cavities, record, amount, day, depth)
    if not was_bone and lattice.quanta[voxel] >= BONE:
        sites.front_voxel[site] = voxel
    return moved


@lean_kernel
def finish(lattice: Lattice, cavities: Cavities, site: Site, day: Day) -> None:
    """Return all stock that is left at the end of a team, layer by layer up from the floor.

    A voxel whose floor has been lost since (to a cavity from the other side) loses its stock.

    Writes:
        lattice, cavities
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
                lose_stock(lattice, cavities, record, day)
        record = records.next[record]


@lean_kernel
def fill_pockets(lattice: Lattice, cavities: Cavities, site: Site, day: Day) -> Count:
    """Fill voids of one voxel that a site has enclosed: no osteoblast leaves a hole of its own size.

    Such a void lost its floor to two cavities that met, and both have been refilled around it.
    Returns the quanta formed.

    Writes:
        lattice, cavities
    """
    sites, records = cavities.sites, cavities.records
    formed = np.int64(0)
    record = sites.first[site]
    while record >= 0:
        for face in range(6):
            there = face_neighbour(lattice, records.voxel[record], face)
            if lattice.quanta[there] >= BONE or lattice.owner[there] >= 0:
                continue
            if lattice.region[there] == 0 or not is_enclosed(lattice, there):
                continue
            formed += fill_void(lattice, cavities, site, there, day)
        record = records.next[record]
    return formed


@lean_kernel
def face_neighbour(lattice: Lattice, voxel: Voxel, face: int) -> Voxel:
    """The neighbour of a voxel across one of its six faces, 0..5: -z, +z, -y, +y, -x, +x.

    Args:
        face: 0..5: -z, +z, -y, +y, -x, +x.
    """
    axis = face // 2
    stride = lattice.stride_z if axis == 0 else (lattice.stride_y if axis == 1 else 1)
    return voxel + (-stride if face % 2 == 0 else stride)


@lean_kernel
def is_enclosed(lattice: Lattice, voxel: Voxel) -> bool:
    """Whether all six face neighbours of a voxel are bone."""
    bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
    return bits & FACE_BITS == FACE_BITS


@lean_kernel
def grant(lattice: Lattice, cavities: Cavities, site: Site) -> None:
    """Let a site form beyond the surface there was before it, where its film is below 0.

    Its voxels may be filled whole, and so may marrow voxels before its surface, against n, that nobody
    owns and that have a floor: at most one voxel far.

    Writes:
        lattice, cavities
    """
    sites, records = cavities.sites, cavities.records
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    span = span_um(lattice, nz, ny, nx)
    record = sites.first[site]
    while record >= 0:
        following = records.next[record]
        voxel = records.voxel[record]
        if lattice.owner[voxel] == record and records.film_um[record] < 0.0:
            records.granted[record] = beyond(lattice, cavities, record, span)
            for axis in range(3):
                component = nz if axis == 0 else (ny if axis == 1 else nx)
                stride = lattice.stride_z if axis == 0 else (lattice.stride_y if axis == 1 else 1)
                if records.foot[record] == 0 or abs(component) < 0.5:
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
                    step_um = lattice.voxel_um * abs(component)
                    records.below_um[new] = records.below_um[record] - step_um
                    records.film_um[new] = records.film_um[record]
                    records.granted[new] = beyond(lattice, cavities, new, span)
        record = following


@lean_kernel
def beyond(lattice: Lattice, cavities: Cavities, record: Record, span: float) -> Count:
    """Quanta that a film below 0 adds to a voxel, beside what is there and its stock.

    Args:
        span: depth over which a floor passes through a voxel, um (`span_um`).
    """
    records = cavities.records
    full = left_of(np.float64(records.film_um[record]), np.float64(records.below_um[record]), span)
    held = np.int64(lattice.quanta[records.voxel[record]]) + np.int64(records.stock[record])
    return max(full - held, np.int64(0))
