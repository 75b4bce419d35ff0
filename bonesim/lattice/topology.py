"""Topology of bone: what the change of a single voxel means for it.

Bone is 26-connected, marrow 6-connected. A voxel is *simple* when its removal or addition
changes neither (Bertrand 1994: exactly one bone part among its 26 neighbours and
exactly one marrow part among its 18 neighbours that touches it by a face). Every other crossing
is an event, named by which of the two numbers is not one.

Changes of the Euler number (bone as a union of closed cubes, vertices - edges + faces - cubes)
and of the surface area (Crofton's formula in 13 directions) come from the same 26 bits, so both
are kept current at no cost and must equal a recount.
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import lean_kernel
from bonesim.lattice.indices import Bits, Count, Voxel
from bonesim.lattice.neighbours import (
    AROUND_CORNER,
    AROUND_EDGE,
    AROUND_FACE,
    BITS_18,
    BITS_26,
    CORNER_BITS,
    EDGE_BITS,
    FACE_BITS,
    TOUCHES_6_WITHIN_18,
    TOUCHES_26,
)
from bonesim.units import BONE

#: Name of an event in the log; its code is its position here.
EVENT_KINDS = (
    "plate_perforation",
    "strut_cut",
    "mixed",
    "cavity_opened",
    "speck_lost",
    "fragment_freed",
    "healing",
    "cavity_closed",
)
PLATE_PERFORATION, STRUT_CUT, MIXED, CAVITY_OPENED, SPECK_LOST = 0, 1, 2, 3, 4
FRAGMENT_FREED, HEALING, CAVITY_CLOSED = 5, 6, 7
SIMPLE = 255

# Voronoi weights of the 13 axes on the sphere (Ohser 2000, "Statistical analysis
# of microstructures"); tests/lattice/test_topology.py derives them again. Divided by the step
# length in voxels and doubled: surface area in voxel faces per bone-marrow pair.
_AXIS_WEIGHT = 0.04577789120476 * 2.0
_FACE_DIAGONAL_WEIGHT = 0.03698062787608 * 2.0
_BODY_DIAGONAL_WEIGHT = 0.03519563978232 * 2.0
AREA_PER_FACE_PAIR = 2.0 * _AXIS_WEIGHT
AREA_PER_EDGE_PAIR = 2.0 * _FACE_DIAGONAL_WEIGHT / np.sqrt(2.0)
AREA_PER_CORNER_PAIR = 2.0 * _BODY_DIAGONAL_WEIGHT / np.sqrt(3.0)


@lean_kernel
def bone_bits(quanta: NDArray[np.uint8], voxel: Voxel, stride_y: int, stride_z: int) -> Bits:
    """The 26 neighbours of `voxel` (flat index into padded `quanta`) as bits: 1 where bone.

    Args:
        quanta: bone of each voxel, flat, padded.
        stride_y: step of a flat index along y.
        stride_z: step of a flat index along z.
    """
    bits = np.int64(0)
    one = np.int64(1)
    place = 0
    for dz in range(-1, 2):
        for dy in range(-1, 2):
            start = voxel + dz * stride_z + dy * stride_y - 1
            for dx in range(3):
                if quanta[start + dx] >= BONE:
                    bits |= one << place
                place += 1
    return bits & BITS_26


@lean_kernel
def lowest_bit(bits: Bits) -> int:
    """The place of the lowest set bit of `bits` (not 0, below 2**27)."""
    place = 0
    if bits & 0x3FFF == 0:
        bits >>= 14
        place += 14
    if bits & 0x7F == 0:
        bits >>= 7
        place += 7
    while bits & 1 == 0:
        bits >>= 1
        place += 1
    return place


@lean_kernel
def flood(seed_bits: Bits, allowed: Bits, touches: NDArray[np.int64]) -> Bits:
    """All of `allowed` reachable from `seed_bits` through the table `touches`, as bits.

    Args:
        touches: int64 (27,): for each cell the cells it touches, a bit each.
    """
    reached = seed_bits
    frontier = seed_bits
    while frontier != 0:
        place = lowest_bit(frontier)
        frontier &= frontier - 1
        new = touches[place] & allowed & ~reached
        reached |= new
        frontier |= new
    return reached


@lean_kernel
def bone_parts(bits: Bits) -> int:
    """How many 26-connected parts the bone neighbours of a voxel form."""
    parts = 0
    while bits != 0:
        bits &= ~flood(bits & -bits, bits, TOUCHES_26)
        parts += 1
    return parts


@lean_kernel
def marrow_parts(bits: Bits) -> int:
    """How many 6-connected marrow parts, within the 18 neighbours, touch a voxel by a face.

    `bits` are the *bone* neighbours.
    """
    marrow = ~bits & BITS_18
    seeds = marrow & FACE_BITS
    parts = 0
    while seeds != 0:
        seeds &= ~flood(seeds & -seeds, marrow, TOUCHES_6_WITHIN_18)
        parts += 1
    return parts


@lean_kernel
def crossing_kind(bits: Bits) -> int:
    """What it means that the voxel amid `bits` stops being bone: an event code, or SIMPLE.

    Two marrow sides joined: a plate is perforated. Bone neighbours separated: a strut is cut
    (or a fragment freed, which only a search of the whole network can show).
    """
    bone = bone_parts(bits)
    marrow = marrow_parts(bits)
    if bone == 1 and marrow == 1:
        return SIMPLE
    if bone == 0:
        return SPECK_LOST
    if marrow == 0:
        return CAVITY_OPENED
    if bone == 1:
        return PLATE_PERFORATION
    if marrow == 1:
        return STRUT_CUT
    return MIXED


@lean_kernel
def euler_gain(bits: Bits) -> Count:
    """Change of the Euler number when the voxel amid `bits` becomes bone.

    New corners - new edges + new faces - 1 cube, where new means that no other bone voxel
    already has it.
    """
    gain = -1
    for mask in AROUND_CORNER:
        if bits & mask == 0:
            gain += 1
    for mask in AROUND_EDGE:
        if bits & mask == 0:
            gain -= 1
    for mask in AROUND_FACE:
        if bits & mask == 0:
            gain += 1
    return gain


@lean_kernel
def count_bits(bits: Bits) -> Count:
    """How many bits are set, of the lower 32: sums of ever wider fields, side by side."""
    bits = bits - ((bits >> 1) & 0x55555555)
    bits = (bits & 0x33333333) + ((bits >> 2) & 0x33333333)
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F
    return ((bits * 0x01010101) >> 24) & 0xFF


@lean_kernel
def pair_counts(bits: Bits) -> tuple[Count, Count, Count]:
    """Bone among the 6 face, 12 edge and 8 corner neighbours: three counts."""
    return (
        count_bits(bits & FACE_BITS),
        count_bits(bits & EDGE_BITS),
        count_bits(bits & CORNER_BITS),
    )


@lean_kernel
def euler_number(quanta: NDArray[np.uint8], stride_y: int, stride_z: int) -> Count:
    """Euler number of all bone in padded flat `quanta` (a layer of marrow all around).

    Adds voxel after voxel in storage order: each counts what the earlier ones do not have.

    Args:
        quanta: bone of each voxel, flat, padded.
        stride_y: step of a flat index along y.
        stride_z: step of a flat index along z.
    """
    total = np.int64(0)
    earlier = (np.int64(1) << 13) - 1  # the 13 neighbours that come before the centre
    first = stride_z + stride_y + 1
    for k in range(first, quanta.size - first):
        voxel = Voxel(k)
        if quanta[voxel] >= BONE:
            total += euler_gain(bone_bits(quanta, voxel, stride_y, stride_z) & earlier)
    return total
