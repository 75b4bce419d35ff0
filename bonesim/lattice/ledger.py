"""The tissue: bone counted in integer quanta on a voxel lattice, and the two operations on it.

Each voxel holds 0..255 quanta; it is bone at 128 or more. Bone changes only by `take`, `give` and
`remove_fragment`. They return the quanta actually moved, enter them in the ledger themselves, and
update all that follows from the change: the surface set, the Euler number, the bone-marrow pairs that
give surface area, and the mineral deficit. So

    bone(t) - bone(0) = formed - resorbed - fragments removed

holds exactly, and none of these measures needs a sweep over the volume.

Arrays are flat with one voxel of padding on every side: neighbours are flat offsets. Region 0 is
outside, 1 the two-voxel rim at the cut faces (left out of every measure), 2 the interior.
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Bits, Count, Day, Identity, Voxel
from bonesim.lattice.neighbours import BITS_26
from bonesim.lattice.surface import exposed_faces, put_on_surface, take_off_surface
from bonesim.lattice.topology import (
    FRAGMENT_FREED,
    HEALING,
    SIMPLE,
    bone_bits,
    bone_parts,
    crossing_kind,
    euler_gain,
    marrow_parts,
    pair_counts,
)
from bonesim.units import BONE, FULL

OUTSIDE, RIM, INTERIOR = 0, 1, 2
#: Width of the rim at cut faces that no measure includes, in voxels.
RIM_WIDTH = 2

# Places in `counts` (int64).
# SURFACE is 0 (lattice.surface)
EULER, BONE_QUANTA, INTERIOR_QUANTA, FORMED, RESORBED, FRAGMENTS = 1, 2, 3, 4, 5, 6
FACE_PAIRS, EDGE_PAIRS, CORNER_PAIRS, EVENTS, FLOORLESS = 7, 8, 9, 10, 11
# The ledger of the interior alone, where BMD and BV/TV are measured.
INTERIOR_FORMED, INTERIOR_RESORBED, INTERIOR_FRAGMENTS = 12, 13, 14
COUNTS = 15
# Places in `sums` (float64).
SLOW_DEFICIT = 0
SUMS = 1

EVENT_CAPACITY = 1 << 16


@lean_kernel
def log_event(
    lattice: Lattice,
    voxel: Voxel,
    kind: int,
    euler: Count,
    quanta: Count,
    thickness_um: float,
    depth_um: float,
    bmu: Identity,
) -> None:
    """Write one event of today. Beyond the buffer only the count grows; the day then fails.

    Args:
        kind: which crossing (`topology`).
        euler: change of the Euler number.
        quanta: moved.
        thickness_um: local thickness, um; NaN if there is none.
        depth_um: erosion depth of the cavity, um; NaN if there is none.

    Writes:
        lattice
    """
    row = lattice.counts[EVENTS]
    lattice.counts[EVENTS] = row + 1
    if row < lattice.event_voxel.size:
        lattice.event_voxel[row] = voxel
        lattice.event_kind[row] = kind
        lattice.event_euler[row] = euler
        lattice.event_quanta[row] = quanta
        lattice.event_thickness_um[row] = thickness_um
        lattice.event_depth_um[row] = depth_um
        lattice.event_bmu[row] = bmu


@lean_kernel
def log_floorless(lattice: Lattice, voxel: Voxel, quanta: Count, bmu: Identity, event: int) -> None:
    """Write one voxel that a cavity emptied and cannot refill. Beyond the buffer the day fails.

    Args:
        quanta: lost.
        event: 1 if its loss changed the topology.

    Writes:
        lattice
    """
    row = lattice.counts[FLOORLESS]
    lattice.counts[FLOORLESS] = row + 1
    if row < lattice.lost_voxel.size:
        lattice.lost_voxel[row] = voxel
        lattice.lost_quanta[row] = quanta
        lattice.lost_bmu[row] = bmu
        lattice.lost_event[row] = event


@lean_kernel
def count_pairs(lattice: Lattice, voxel: Voxel, bits: Bits, sign: int) -> None:
    """Bone-marrow pairs when `voxel` starts (sign 1) or stops (-1) being bone.

    Pairs are counted between interior voxels only, so the rim and the cut faces add no surface.
    Each marrow neighbour is a pair gained, each bone neighbour a pair lost (and the reverse).

    Args:
        sign: 1: it starts being bone; -1: it stops.

    Writes:
        lattice
    """
    if lattice.region[voxel] != INTERIOR:
        return
    counts = lattice.counts
    faces, edges, corners = pair_counts(bits)
    inside_faces, inside_edges, inside_corners = pair_counts(BITS_26)
    at_rim = (
        lattice.region[voxel - 1 - lattice.stride_y - lattice.stride_z] != INTERIOR
        or lattice.region[voxel + 1 + lattice.stride_y + lattice.stride_z] != INTERIOR
    )
    if at_rim:
        mask = np.int64(0)
        place = 0
        for dz in range(-1, 2):
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    there = voxel + dz * lattice.stride_z + dy * lattice.stride_y + dx
                    if lattice.region[there] == INTERIOR and place != 13:
                        mask |= np.int64(1) << place
                    place += 1
        faces, edges, corners = pair_counts(bits & mask)
        inside_faces, inside_edges, inside_corners = pair_counts(mask)
    counts[FACE_PAIRS] += sign * (inside_faces - 2 * faces)
    counts[EDGE_PAIRS] += sign * (inside_edges - 2 * edges)
    counts[CORNER_PAIRS] += sign * (inside_corners - 2 * corners)


@lean_kernel
def cross(lattice: Lattice, voxel: Voxel, bits: Bits, becomes_bone: bool) -> Count:
    """Keep surface, Euler number and pairs current as `voxel` crosses the bone threshold.

    Called after `quanta` has changed. Returns the change of the Euler number.

    Args:
        becomes_bone: else it becomes marrow.

    Writes:
        lattice
    """
    sign = 1 if becomes_bone else -1
    gain = sign * euler_gain(bits)
    lattice.counts[EULER] += gain
    count_pairs(lattice, voxel, bits, sign)
    if becomes_bone:
        if exposed_faces(lattice, voxel) > 0:
            put_on_surface(lattice, voxel)
    else:
        take_off_surface(lattice, voxel)
    for step in (-lattice.stride_z, lattice.stride_z, -lattice.stride_y, lattice.stride_y, -1, 1):
        neighbour = voxel + step
        if lattice.quanta[neighbour] >= BONE:
            if exposed_faces(lattice, neighbour) > 0:
                put_on_surface(lattice, neighbour)
            else:
                take_off_surface(lattice, neighbour)
    return gain


@lean_kernel
def remove_quanta(
    lattice: Lattice,
    voxel: Voxel,
    amount: Count,
    day: Day,
    thickness_um: float,
    depth_um: float,
    bmu: Identity,
) -> Count:
    """Remove up to `amount` quanta from `voxel`, in no account: callers are those of this file.

    Bone changes only by `take`, `give` and `remove_fragment`, which book it. An event is logged if
    the shape changes.

    Args:
        amount: quanta, at most.
        thickness_um: local thickness, um; NaN if there is none.
        depth_um: erosion depth of the cavity, um; NaN if there is none.

    Writes:
        lattice

    Returns:
        The quanta removed.
    """
    before = np.int64(lattice.quanta[voxel])
    moved = min(np.int64(amount), before)
    if moved <= 0:
        return np.int64(0)
    after = before - moved
    lattice.quanta[voxel] = after
    lattice.counts[BONE_QUANTA] -= moved
    if lattice.region[voxel] == INTERIOR:
        lattice.counts[INTERIOR_QUANTA] -= moved
        age = np.float64(day) - np.float64(lattice.formed_day[voxel])
        lattice.sums[SLOW_DEFICIT] -= moved * np.exp(-age / lattice.slow_mineral_tau_day)
    if before >= BONE and after < BONE:
        bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
        kind = crossing_kind(bits)
        gain = cross(lattice, voxel, bits, False)
        if kind != SIMPLE:
            log_event(lattice, voxel, kind, gain, moved, thickness_um, depth_um, bmu)
    return moved


@lean_kernel
def take(
    lattice: Lattice,
    voxel: Voxel,
    amount: Count,
    day: Day,
    thickness_um: float,
    depth_um: float,
    bmu: Identity,
) -> Count:
    """Resorb up to `amount` quanta of `voxel`, and enter them in the ledger as resorbed.

    An event is logged if the shape changes. Whether it may is the caller's (`rays.bone_behind`).

    Args:
        amount: quanta, at most.
        thickness_um: local thickness, um; NaN if there is none.
        depth_um: erosion depth of the cavity, um; NaN if there is none.

    Writes:
        lattice

    Returns:
        The quanta removed.
    """
    moved = remove_quanta(lattice, voxel, amount, day, thickness_um, depth_um, bmu)
    lattice.counts[RESORBED] += moved
    if lattice.region[voxel] == INTERIOR:
        lattice.counts[INTERIOR_RESORBED] += moved
    return moved


@lean_kernel
def give(
    lattice: Lattice, voxel: Voxel, amount: Count, day: Day, depth_um: float, bmu: Identity
) -> Count:
    """Deposit up to `amount` quanta in `voxel`, never beyond full. Returns the quanta moved.

    The formation day becomes the mean that keeps the slow mineral pool exact: deficits decay as
    exp(-age / tau), so the mixture's day d satisfies q exp(d/tau) = q1 exp(d1/tau) + q2 exp(d2/tau).

    Args:
        amount: quanta, at most.
        depth_um: erosion depth of the cavity, um; NaN if there is none.

    Writes:
        lattice
    """
    before = np.int64(lattice.quanta[voxel])
    moved = min(np.int64(amount), FULL - before)
    if moved <= 0:
        return np.int64(0)
    after = before + moved
    tau = lattice.slow_mineral_tau_day
    if before > 0:
        old = before * np.exp((np.float64(lattice.formed_day[voxel]) - day) / tau)
        mixed = np.float32(day + tau * np.log((old + moved) / after))
        # The sum must use the day as it is stored, in float32.
        gained = after * np.exp((np.float64(mixed) - day) / tau) - old
    else:
        mixed = np.float32(day)
        gained = np.float64(moved)
    lattice.formed_day[voxel] = mixed
    lattice.quanta[voxel] = after
    lattice.counts[BONE_QUANTA] += moved
    lattice.counts[FORMED] += moved
    if lattice.region[voxel] == INTERIOR:
        lattice.counts[INTERIOR_QUANTA] += moved
        lattice.counts[INTERIOR_FORMED] += moved
        lattice.sums[SLOW_DEFICIT] += gained
    if before < BONE and after >= BONE:
        bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
        simple = bone_parts(bits) == 1 and marrow_parts(bits) == 1
        gain = cross(lattice, voxel, bits, True)
        if not simple:
            log_event(lattice, voxel, HEALING, gain, moved, np.nan, depth_um, bmu)
    return moved


@lean_kernel
def remove_fragment(lattice: Lattice, voxels: NDArray[np.int64], day: Day) -> Count:
    """Remove all bone of a fragment, in the order of `voxels`, and log it as one event.

    Returns the quanta removed, entered in the ledger as fragments.

    Args:
        voxels: of the piece, padded flat, int64.

    Writes:
        lattice
    """
    euler_before = lattice.counts[EULER]
    rows_before = lattice.counts[EVENTS]
    inside_before = lattice.counts[INTERIOR_QUANTA]
    removed = np.int64(0)
    for voxel in voxels:
        removed += remove_quanta(lattice, voxel, FULL, day, np.nan, np.nan, np.uint64(0))
    # The crossings inside the fragment are not logged: one row stands for all of them.
    lattice.counts[EVENTS] = rows_before
    lattice.counts[FRAGMENTS] += removed
    lattice.counts[INTERIOR_FRAGMENTS] += inside_before - lattice.counts[INTERIOR_QUANTA]
    change = lattice.counts[EULER] - euler_before
    log_event(lattice, voxels[0], FRAGMENT_FREED, change, removed, np.nan, np.nan, np.uint64(0))
    return removed
