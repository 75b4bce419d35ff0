"""The tissue: bone counted in integer quanta on a voxel lattice, and the two operations on it.

Each voxel holds 0..255 quanta; it is bone at 128 or more. Bone changes only by `take` and `give`.
Both return the quanta actually moved. Both update all that follows from the change: the ledger, the
surface set, the Euler number, the bone-marrow pairs that give surface area, and the mineral
deficit. So

    bone(t) - bone(0) = formed - resorbed - fragments removed

holds exactly, and none of these measures needs a sweep over the volume.

Arrays are flat with one voxel of padding on every side: neighbours are flat offsets. Region 0 is
outside, 1 the two-voxel rim at the cut faces (left out of every measure), 2 the interior.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import lean_kernel
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


class Lattice(NamedTuple):
    """The tissue as kernels use it. All voxel arrays are flat over the padded lattice."""

    quanta: NDArray[np.uint8]  # bone, 0..255
    region: NDArray[np.uint8]  # OUTSIDE, RIM, INTERIOR
    formed_day: NDArray[np.float32]  # day the bone was formed, effective for the slow mineral pool
    owner: NDArray[np.int32]  # row of the cavity record that owns the voxel, or -1
    surface_slot: NDArray[np.int32]  # place in `surface`, or -1
    surface: NDArray[np.int32]  # voxels of the bone surface, the first counts[SURFACE] hold
    counts: NDArray[np.int64]
    sums: NDArray[np.float64]
    event_voxel: NDArray[np.int64]  # today's events, the first counts[EVENTS] hold
    event_kind: NDArray[np.uint8]
    event_euler: NDArray[np.int16]
    event_quanta: NDArray[np.int32]
    event_thickness_um: NDArray[np.float32]
    event_depth_um: NDArray[np.float32]
    event_bmu: NDArray[np.uint64]
    lost_voxel: NDArray[np.int64]  # found floorless today, the first counts[FLOORLESS] hold
    lost_quanta: NDArray[np.int32]
    lost_bmu: NDArray[np.uint64]
    lost_event: NDArray[np.uint8]  # 1 if its loss changed the topology
    shape: tuple[int, int, int]  # padded: voxels along z, y, x
    stride_y: int
    stride_z: int
    voxel_um: float
    slow_mineral_tau_day: float


@lean_kernel
def log_event(lattice, voxel, kind, euler, quanta, thickness_um, depth_um, bmu):  # type: ignore[no-untyped-def]
    """Write one event of today. Beyond the buffer only the count grows; the day then fails."""
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
def log_floorless(lattice, voxel, quanta, bmu, event):  # type: ignore[no-untyped-def]
    """Write one voxel that a cavity emptied and cannot refill. Beyond the buffer the day fails."""
    row = lattice.counts[FLOORLESS]
    lattice.counts[FLOORLESS] = row + 1
    if row < lattice.lost_voxel.size:
        lattice.lost_voxel[row] = voxel
        lattice.lost_quanta[row] = quanta
        lattice.lost_bmu[row] = bmu
        lattice.lost_event[row] = event


@lean_kernel
def enter_resorbed(lattice, voxel, moved):  # type: ignore[no-untyped-def]
    """Enter quanta taken from `voxel` in the ledger as resorbed."""
    lattice.counts[RESORBED] += moved
    if lattice.region[voxel] == INTERIOR:
        lattice.counts[INTERIOR_RESORBED] += moved


@lean_kernel
def count_pairs(lattice, voxel, bits, sign):  # type: ignore[no-untyped-def]
    """Bone-marrow pairs when `voxel` starts (sign 1) or stops (-1) being bone.

    Pairs are counted between interior voxels only, so the rim and the cut faces add no surface.
    Each marrow neighbour is a pair gained, each bone neighbour a pair lost (and the reverse).
    """
    if lattice.region[voxel] != INTERIOR:
        return
    counts = lattice.counts
    faces, edges, corners = pair_counts(bits)
    inside_faces, inside_edges, inside_corners = 6, 12, 8
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
def cross(lattice, voxel, bits, becomes_bone):  # type: ignore[no-untyped-def]
    """Keep surface, Euler number and pairs current as `voxel` crosses the bone threshold.

    Called after `quanta` has changed. Returns the change of the Euler number.
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
def take(lattice, voxel, amount, day, thickness_um, depth_um, bmu):  # type: ignore[no-untyped-def]
    """Remove up to `amount` quanta from `voxel`; an event is logged if the shape changes.

    The caller decides whether a shape change is allowed (`bone_behind`) and makes the ledger entry
    (resorbed or fragment). Returns the quanta actually removed.
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
def give(lattice, voxel, amount, day, depth_um, bmu):  # type: ignore[no-untyped-def]
    """Deposit up to `amount` quanta in `voxel`, never beyond full. Returns the quanta moved.

    The formation day becomes the mean that keeps the slow mineral pool exact: deficits decay as
    exp(-age / tau), so the mixture's day d satisfies q exp(d/tau) = q1 exp(d1/tau) + q2 exp(d2/tau).
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
def remove_fragment(lattice, voxels, day):  # type: ignore[no-untyped-def]
    """Remove all bone of a fragment, in the order of `voxels`, and log it as one event.

    Returns the quanta removed, entered in the ledger as fragments.
    """
    euler_before = lattice.counts[EULER]
    rows_before = lattice.counts[EVENTS]
    inside_before = lattice.counts[INTERIOR_QUANTA]
    removed = np.int64(0)
    for voxel in voxels:
        removed += take(lattice, voxel, FULL, day, np.nan, np.nan, np.uint64(0))
    # The crossings inside the fragment are not logged: one row stands for all of them.
    lattice.counts[EVENTS] = rows_before
    lattice.counts[FRAGMENTS] += removed
    lattice.counts[INTERIOR_FRAGMENTS] += inside_before - lattice.counts[INTERIOR_QUANTA]
    change = lattice.counts[EULER] - euler_before
    thickness = np.float32(np.nan)
    log_event(
        lattice, voxels[0], FRAGMENT_FREED, change, removed, thickness, thickness, np.uint64(0)
    )
    return removed
