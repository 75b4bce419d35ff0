"""Erosion of a site along its normal: its floor moves down, with its topological brake.

Shared by osteoclasts and mononuclear cells, who differ in speed and in when they stop. The cavity is
the old surface moved by the depth dug (`column`); so every direction is eroded alike, and the floor is
as smooth as the surface was.
"""

from typing import NamedTuple

import numpy as np

from bonesim.cells.accounts import resorb_bone
from bonesim.cells.cavity import Cavities, eroded_depth_um
from bonesim.cells.column import left_of, span_um
from bonesim.cells.floor import dug_from_behind
from bonesim.chance import BREAKTHROUGH, uniform
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Count, Day, Record, Seed, Site
from bonesim.lattice.rays import bone_behind, thickness_along
from bonesim.lattice.topology import (
    MIXED,
    PLATE_PERFORATION,
    SIMPLE,
    STRUT_CUT,
    bone_bits,
    crossing_kind,
)
from bonesim.units import BONE

#: Voxels that could not go before their neighbours had are tried again so often in a step.
PASSES = 3


class Breakthrough(NamedTuple):
    """Chances a day that the last bone between two marrows, or between two parts of bone, is passed."""

    hole: float
    cut: float


@lean_kernel
def chance_of(kind: int, breakthrough: Breakthrough) -> float:
    """The chance a day of a crossing of this kind. One that opens and parts bone needs both.

    Args:
        kind: which crossing (`topology`).
    """
    if kind == PLATE_PERFORATION:
        return breakthrough.hole
    if kind == STRUT_CUT:
        return breakthrough.cut
    if kind == MIXED:
        return min(breakthrough.hole, breakthrough.cut)
    return max(breakthrough.hole, breakthrough.cut)


@lean_kernel
def erode(
    lattice: Lattice,
    cavities: Cavities,
    site: Site,
    record: Record,
    amount: Count,
    breakthrough: Breakthrough,
    seed: Seed,
    day: Day,
) -> Count:
    """Take up to `amount` quanta from the voxel of a record; hold or break through as ruled.

    `breakthrough` has the chances a day that the last bone is passed.
    Returns the quanta removed. The stock goes to the owner of the voxel.

    Args:
        amount: quanta, at most.

    Writes:
        lattice, cavities
    """
    sites, records = cavities.sites, cavities.records
    voxel = records.voxel[record]
    before = np.int64(lattice.quanta[voxel])
    wanted = min(np.int64(amount), before)
    thickness, depth = np.nan, np.nan
    breaks = False
    if before >= BONE and before - wanted < BONE:
        bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
        kind = crossing_kind(bits)
        if kind != SIMPLE:
            nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
            own = sites.bmu_id[site]
            if (
                bone_behind(lattice, voxel, nz, ny, nx)
                or dug_from_behind(lattice, cavities, voxel, own, nz, ny, nx)
                or uniform(seed, day, voxel, BREAKTHROUGH) >= chance_of(kind, breakthrough)
            ):
                wanted = before - BONE
            else:
                breaks = True
                thickness = thickness_along(lattice, voxel, nz, ny, nx)
                depth = eroded_depth_um(lattice, sites, site)
    moved = resorb_bone(lattice, cavities, record, wanted, day, thickness, depth)
    if breaks:
        records.event[lattice.owner[voxel]] = 1
    return moved


@lean_kernel
def dig(
    lattice: Lattice,
    cavities: Cavities,
    site: Site,
    step_um: float,
    breakthrough: Breakthrough,
    seed: Seed,
    day: Day,
) -> Count:
    """Move the floor of a site down by `step_um`. Returns the quanta removed.

    A voxel that is held today is tried again on every later step.

    Args:
        step_um: how far down, um.

    Writes:
        lattice, cavities
    """
    sites, records = cavities.sites, cavities.records
    span = span_um(lattice, sites.nz[site], sites.ny[site], sites.nx[site])
    sites.open_um[site] += step_um
    floor = np.float64(sites.open_um[site])
    removed = np.int64(0)
    for _ in range(PASSES):
        held = 0
        record = sites.first[site]
        while record >= 0:
            there = np.int64(lattice.quanta[records.voxel[record]])
            if there > 0:
                amount = there - left_of(floor, np.float64(records.below_um[record]), span)
                if amount > 0:
                    moved = erode(lattice, cavities, site, record, amount, breakthrough, seed, day)
                    removed += moved
                    held += 1 if moved < amount else 0
            record = records.next[record]
        if held == 0:
            break
    return removed
