"""Formation in a site: the mirror image of erosion, up from the floor, never beyond the stock.

Osteoblasts fill hollows faster than they thicken humps (Alias and Buenzli 2017): growth goes with
the cube of the bone around a voxel. Without that a refilled surface stays as rough as the voxels
and tunnels one voxel wide remain in it, which no measure of connectivity forgives. A pit of one
voxel, hemmed in by four firm faces, may be filled beyond its own stock, from the site's.
"""

import numpy as np

from bonesim.cells.cavity import QUANTA_FORMED, eroded_depth_um
from bonesim.chance import APPOSITION_ROUNDING, rounded
from bonesim.kernel import kernel
from bonesim.lattice.mutation import give
from bonesim.lattice.neighbours import FACE_BITS
from bonesim.lattice.topology import bone_bits, count_bits
from bonesim.quantities import BONE, FULL

#: Firm faces that make a pit of a voxel.
HEMMED_IN = 4


@kernel
def stands_firm(lattice, voxel):  # type: ignore[no-untyped-def]
    """Whether new bone can be laid on a voxel: it is bone, and inside the specimen."""
    return lattice.region[voxel] != 0 and lattice.quanta[voxel] >= BONE


@kernel
def floor_area(lattice, voxel, nz, ny, nx):  # type: ignore[no-untyped-def]
    """How much firm bone lies under a voxel, in voxel faces: sum of max(0, n.e) over firm faces.

    A voxel that is bone itself stands on its own remains where nothing firm lies behind it.
    """
    y, z = lattice.stride_y, lattice.stride_z
    weight = 0.0
    if stands_firm(lattice, voxel + (z if nz > 0 else -z)):
        weight += abs(nz)
    if stands_firm(lattice, voxel + (y if ny > 0 else -y)):
        weight += abs(ny)
    if stands_firm(lattice, voxel + (1 if nx > 0 else -1)):
        weight += abs(nx)
    if weight == 0.0 and lattice.quanta[voxel] >= BONE:
        weight = 0.5
    return weight


@kernel
def appetite(lattice, voxel, stock, nz, ny, nx):  # type: ignore[no-untyped-def]
    """How much bone a voxel takes up relative to a plane's, and how much it has room for.

    The weight is its floor area times (bone neighbours of 26 / 9) cubed: 9 lie under a plane.
    """
    bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
    room = np.int64(stock)
    weight = 0.0
    hemmed_in = count_bits(bits & FACE_BITS) >= HEMMED_IN
    if hemmed_in:
        room = FULL - np.int64(lattice.quanta[voxel])
    if room > 0:
        weight = floor_area(lattice, voxel, nz, ny, nx)
        if weight == 0.0 and hemmed_in:
            weight = 0.5
        share = count_bits(bits) / 9.0
        weight *= share * share * share
    return weight, room


@kernel
def fill(lattice, cavities, site, depth_um, seed, day):  # type: ignore[no-untyped-def]
    """Form `depth_um` over a site's true area: the mirror image of `dig`, up from the floor.

    Never more than the site's quota. Returns the quanta formed.
    """
    sites, records = cavities.sites, cavities.records
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    nominal = depth_um * FULL / lattice.voxel_um
    work = nominal * sites.area_um2[site] / (lattice.voxel_um * lattice.voxel_um)
    left = np.int64(sites.quota_quanta[site] - sites.formed_quanta[site])
    need = min(work + sites.carry_quanta[site], np.float64(left))
    total = 0.0
    record = sites.first[site]
    while record >= 0:
        weight, _ = appetite(lattice, records.voxel[record], records.stock[record], nz, ny, nx)
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
                formed += build(
                    lattice, cavities, site, record, min(amount, left - formed), day
                )
            record = records.next[record]
    sites.carry_quanta[site] = min(max(work + sites.carry_quanta[site] - formed, 0.0), 4.0 * work)
    return formed


@kernel
def build(lattice, cavities, site, record, amount, day):  # type: ignore[no-untyped-def]
    """Put up to `amount` quanta, within its room, into the voxel of a record."""
    sites, records = cavities.sites, cavities.records
    voxel = records.voxel[record]
    was_bone = lattice.quanta[voxel] >= BONE
    depth = eroded_depth_um(lattice, sites, site)
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    _, room = appetite(lattice, voxel, records.stock[record], nz, ny, nx)
    moved = give(lattice, voxel, min(np.int64(amount), room), day, depth, sites.bmu_id[site])
    records.stock[record] -= min(moved, np.int64(records.stock[record]))
    sites.formed_quanta[site] += moved
    cavities.tally[QUANTA_FORMED] += moved
    if not was_bone and lattice.quanta[voxel] >= BONE:
        sites.front_voxel[site] = voxel
    return moved
