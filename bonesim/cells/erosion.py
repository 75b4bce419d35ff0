"""Erosion of a site along its normal, isotropic per true area, with its topological brake.

Shared by osteoclasts and mononuclear cells, who differ in speed and in when they stop.
"""

import numpy as np

from bonesim.cells.cavity import (
    FORMING,
    QUANTA_ERODED,
    REVERSAL,
    add_record,
    axis_distance2,
    dug_from_behind,
    eroded_depth_um,
    has_record,
)
from bonesim.chance import BREAKTHROUGH, EROSION_ROUNDING, rounded, uniform
from bonesim.kernel import lean_kernel
from bonesim.lattice.ledger import enter_resorbed, take
from bonesim.lattice.rays import bone_behind, thickness_along
from bonesim.lattice.surface import outward_area
from bonesim.lattice.topology import SIMPLE, bone_bits, count_bits, crossing_kind
from bonesim.units import BONE, FULL


@lean_kernel
def expose(lattice, cavities, site, voxel, radius_voxel):  # type: ignore[no-untyped-def]
    """A voxel is empty: the ones behind it, along n and within the territory, come into reach.

    A voxel owned by another BMU joins as a guest (two cavities meet); one owned by a sister site
    stays hers.
    """
    sites = cavities.sites
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    limit = (radius_voxel + 0.5) * (radius_voxel + 0.5)
    for face in range(3):
        component = nz if face == 0 else (ny if face == 1 else nx)
        stride = lattice.stride_z if face == 0 else (lattice.stride_y if face == 1 else 1)
        if abs(component) < 0.01:
            continue
        there = voxel + (stride if component > 0 else -stride)
        if lattice.region[there] == 0 or lattice.quanta[there] == 0:
            continue
        if axis_distance2(lattice, there, sites.voxel[site], nz, ny, nx) > limit:
            continue
        owner = lattice.owner[there]
        if owner < 0 or (
            sites.bmu_id[cavities.records.site[owner]] != sites.bmu_id[site]
            and not has_record(cavities, site, there)
        ):
            add_record(lattice, cavities, site, there)


@lean_kernel
def erode(lattice, cavities, site, record, amount, radius_voxel, breakthrough, seed, day):  # type: ignore[no-untyped-def]
    """Take up to `amount` quanta from the voxel of a record; hold or break through as ruled.

    `breakthrough` is the chance that the last bone between two marrows is passed on a day.
    Returns the quanta removed. The stock goes to the owner of the voxel.
    """
    sites, records = cavities.sites, cavities.records
    voxel = records.voxel[record]
    before = np.int64(lattice.quanta[voxel])
    wanted = min(np.int64(amount), before)
    thickness, depth = np.nan, np.nan
    breaks = False
    if before >= BONE and before - wanted < BONE:
        bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
        if crossing_kind(bits) != SIMPLE:
            nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
            own = sites.bmu_id[site]
            if (
                bone_behind(lattice, voxel, nz, ny, nx)
                or dug_from_behind(lattice, cavities, voxel, own, nz, ny, nx)
                or uniform(seed, day, voxel, BREAKTHROUGH) >= breakthrough
            ):
                wanted = before - BONE
            else:
                breaks = True
                thickness = thickness_along(lattice, voxel, nz, ny, nx)
                depth = eroded_depth_um(lattice, sites, site)
    moved = take(lattice, voxel, wanted, day, thickness, depth, sites.bmu_id[site])
    if moved <= 0:
        return np.int64(0)
    enter_resorbed(lattice, voxel, moved)
    sites.removed_quanta[site] += moved
    cavities.tally[QUANTA_ERODED] += moved
    if lattice.owner[voxel] < 0:
        lattice.owner[voxel] = record
    owner = lattice.owner[voxel]
    records.stock[owner] += moved
    other = records.site[owner]
    if other != site and sites.phase[other] in (REVERSAL, FORMING):
        # Two cavities meet: what is taken anew from the older one its team fills as well.
        sites.quota_quanta[other] += moved
    if breaks:
        records.event[owner] = 1
    if lattice.quanta[voxel] == 0:
        expose(lattice, cavities, site, voxel, radius_voxel)
    return moved


@lean_kernel
def prominence(lattice, voxel):  # type: ignore[no-untyped-def]
    """How much faster a voxel goes than one of a plane: 13 over its bone neighbours of 26.

    Assumed: a resorbing seal rests on what stands out. It keeps the floor of a cavity smooth at
    the scale of a voxel; the mean depth of a site is unchanged, its volume is prescribed.
    """
    bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
    return 13.0 / max(count_bits(bits), 4)


@lean_kernel
def dig(lattice, cavities, site, depth_um, radius_voxel, breakthrough, seed, day):  # type: ignore[no-untyped-def]
    """Erode a site by `depth_um` of its true area, spread over the faces that look against n.

    What could not be done today (an exhausted or held voxel) is carried, within two days' work,
    and no face loses more than one and a half times the nominal depth. Returns the quanta removed.
    """
    sites, records = cavities.sites, cavities.records
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    nominal = depth_um * FULL / lattice.voxel_um
    work = nominal * sites.area_um2[site] / (lattice.voxel_um * lattice.voxel_um)
    need = work + sites.carry_quanta[site]
    total = 0.0
    record = sites.first[site]
    while record >= 0:
        voxel = records.voxel[record]
        weight = 0.0
        if lattice.quanta[voxel] > 0:
            weight = outward_area(lattice, voxel, nz, ny, nx)
            if weight > 0.0:
                weight *= prominence(lattice, voxel)
        records.weight[record] = weight
        total += weight
        record = records.next[record]
    removed = np.int64(0)
    if total > 0.0 and need > 0.0:
        per_weight = min(need / total, 1.5 * nominal)
        record = sites.first[site]
        while record >= 0:
            weight = records.weight[record]
            if weight > 0.0:
                who = records.voxel[record]
                amount = rounded(per_weight * weight, seed, day, who, EROSION_ROUNDING)
                removed += erode(
                    lattice, cavities, site, record, amount, radius_voxel, breakthrough, seed, day
                )
            record = records.next[record]
    sites.carry_quanta[site] = min(max(need - removed, -work), 2.0 * work)
    return removed
