"""Thinning bone to its skeleton: curves for struts, sheets for plates, the topology unchanged.

Layer by layer, simple voxels (Bertrand 1994) are taken off, those of one layer in
eight subfields, no two of which touch, so that the order within a subfield does not matter. A
voxel that links two parts of bone (1-isthmus), or for sheets parts two sides of marrow
(2-isthmus), and still does so PERSISTENCE layers later, stays (isthmus-based thinning with
persistence: Bertrand 2014, Chaussard 2009). Rods shrink from a free end by
about their radius; bumps leave nothing.

Cut faces are continued outwards (the outer layer repeated), by more than thinning takes from an
end, so that a strut or a plate that is cut reaches the face. scikit-image's skeletonize was
tried: it loses rods an even number of voxels wide.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.lattice.indices import Bits, Count
from bonesim.lattice.neighbours import FACE_BITS
from bonesim.lattice.topology import bone_bits, bone_parts, count_bits, marrow_parts
from bonesim.units import FULL

#: Layers an isthmus must last.
PERSISTENCE = 2
#: Layers it takes to thin bone of half thickness 1 voxel, at most: layers are shed by faces.
LAYERS_PER_VOXEL = 1.5
#: Further voxels that an end loses before it is thin enough to stay.
_LATE = PERSISTENCE + 4
#: What `thin` keeps about a voxel of bone, as bits of its value: bone at all; its subfield; whether it
#: was at marrow when the layer began, an isthmus that stays, queued in its subfield's turn, listed to
#: be looked at before the next layer.
IS_BONE, FIELD, BORDER, KEPT, QUEUED, LISTED = 128, 7, 8, 16, 32, 64
#: The kind (`kind_of`) of a voxel that can be taken off: one part of bone, one of marrow.
SIMPLE = 5
#: Neighbourhoods whose kind is kept, a power of two.
MEMO = 1 << 16

Bool = NDArray[np.bool_]


@kernel
def kind_of(bits: Bits, memo: NDArray[np.int32]) -> Count:
    """Parts around a voxel: of bone, and four times those of marrow, each 0, 1, or 2 for more.

    `memo` (int32, MEMO, at first -1) keeps what was found last for each hash of neighbours: most
    neighbourhoods recur.
    """
    place = (bits * 0x9E3779B1 >> 27) & (MEMO - 1)
    known: Count = np.int64(memo[place])
    if known >> 4 != bits:
        known = bits << 4 | min(2, bone_parts(bits)) | min(2, marrow_parts(bits)) << 2
        memo[place] = known
    return known & 15


@kernel
def begin_layer(
    image: NDArray[np.uint8],
    listed: NDArray[np.int64],
    since: NDArray[np.int16],
    count: int,
    queue: NDArray[np.int64],
    filled: NDArray[np.int64],
    memo: NDArray[np.int32],
    layer: int,
    strides: tuple[int, int],
    sheets: bool,
    persistence: int,
) -> int:
    """Look at the `count` listed voxels before a layer is taken off.

    Voxels at marrow get the flag BORDER. Those of them that are simple are queued, isthmuses that have
    lasted get the flag KEPT, and those that have not stay listed, in front; returns how many. `since`
    is the layer since which a listed voxel is an isthmus; 0: none.
    """
    waiting = 0
    for n in range(count):
        voxel = listed[n]
        if image[voxel] == 0:
            continue
        image[voxel] &= 255 - LISTED
        bits = bone_bits(image, voxel, strides[0], strides[1])
        if bits & FACE_BITS == FACE_BITS:
            continue
        image[voxel] |= BORDER
        kind = kind_of(bits, memo)
        if kind == SIMPLE:
            put_in_queue(image, voxel, queue, filled)
        elif kind & 3 == 2 or (sheets and kind >> 2 == 2):
            born = since[n] if since[n] > 0 else layer
            if layer - born >= persistence:
                image[voxel] |= KEPT
            else:
                image[voxel] |= LISTED
                listed[waiting], since[waiting] = voxel, born
                waiting += 1
    return waiting


@kernel
def put_in_queue(
    image: NDArray[np.uint8], voxel: int, queue: NDArray[np.int64], filled: NDArray[np.int64]
) -> None:
    """Queue a voxel of a border to be looked at when its subfield's turn comes."""
    field = image[voxel] & FIELD
    queue[filled[field]] = voxel
    filled[field] += 1
    image[voxel] |= QUEUED


@kernel
def take_voxel(
    image: NDArray[np.uint8],
    voxel: int,
    listed: NDArray[np.int64],
    since: NDArray[np.int16],
    count: int,
    queue: NDArray[np.int64],
    filled: NDArray[np.int64],
    strides: tuple[int, int],
) -> int:
    """Take a voxel off and list its neighbours, which have changed; returns how many are listed then.

    Neighbours whose subfield's turn comes later in this layer are queued.
    """
    field = image[voxel] & FIELD
    image[voxel] = 0
    for dz in range(-1, 2):
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                near = voxel + dz * strides[1] + dy * strides[0] + dx
                state = np.int64(image[near])
                if state == 0 or state & KEPT:
                    continue
                if not state & LISTED:
                    listed[count], since[count] = near, 0
                    count += 1
                    image[near] |= LISTED
                if state & (BORDER | QUEUED) == BORDER and state & FIELD > field:
                    put_in_queue(image, near, queue, filled)
    return count


@kernel
def thin(
    image: NDArray[np.uint8],
    voxels: NDArray[np.int64],
    subfields: NDArray[np.int64],
    stride_y: int,
    stride_z: int,
    sheets: bool,
    persistence: int,
) -> None:
    """Thin `image` (uint8, flat, padded, bone 255) in place.

    `voxels` are the flat indices of bone sorted by subfield, `subfields` where each of the eight
    begins (and the end). `sheets`: keep 2-isthmuses too.

    Of a layer only voxels are looked at whose neighbours have changed, and isthmuses not kept yet.
    """
    strides = stride_y, stride_z
    memo = np.full(MEMO, -1, np.int32)
    listed, queue = np.empty(voxels.size, np.int64), np.empty(voxels.size, np.int64)
    since = np.empty(voxels.size, np.int16)
    count = 0
    for field in range(8):
        for voxel in voxels[subfields[field] : subfields[field + 1]]:
            image[voxel] = IS_BONE | field
            if is_at_marrow(image, voxel, stride_y, stride_z):
                image[voxel] |= LISTED
                listed[count], since[count] = voxel, 0
                count += 1
    layer = 0
    taken = 1
    while taken > 0:
        layer += 1
        taken = 0
        filled = subfields[:8].copy()
        count = begin_layer(
            image, listed, since, count, queue, filled, memo, layer, strides, sheets, persistence
        )
        for field in range(8):
            for voxel in queue[subfields[field] : filled[field]]:
                image[voxel] &= 255 - QUEUED
                bits = bone_bits(image, voxel, stride_y, stride_z)
                if kind_of(bits, memo) == SIMPLE:
                    count = take_voxel(image, voxel, listed, since, count, queue, filled, strides)
                    taken += 1
    for voxel in voxels:
        if image[voxel] == 0:
            continue
        bits = bone_bits(image, voxel, stride_y, stride_z)
        # Corners of stairs that were kept while thicker: what is simple and no free end goes.
        if not sheets and count_bits(bits) >= 2 and kind_of(bits, memo) == SIMPLE:
            image[voxel] = 0
        else:
            image[voxel] = FULL


@kernel
def is_at_marrow(image: NDArray[np.uint8], voxel: int, stride_y: int, stride_z: int) -> bool:
    """Whether one of the six nearest voxels of a flat padded image is marrow."""
    return (
        image[voxel - 1] == 0
        or image[voxel + 1] == 0
        or image[voxel - stride_y] == 0
        or image[voxel + stride_y] == 0
        or image[voxel - stride_z] == 0
        or image[voxel + stride_z] == 0
    )


@kernel
def in_subfields(image: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Flat indices of bone in `image` (nz, ny, nx), sorted by subfield, and where each begins."""
    nz, ny, nx = image.shape
    subfields = np.zeros(9, np.int64)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if image[z, y, x] != 0:
                    subfields[4 * (z & 1) + 2 * (y & 1) + (x & 1) + 1] += 1
    subfields = np.cumsum(subfields)
    voxels, filled = np.empty(subfields[8], np.int64), subfields[:8].copy()
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if image[z, y, x] != 0:
                    field = 4 * (z & 1) + 2 * (y & 1) + (x & 1)
                    voxels[filled[field]] = (z * ny + y) * nx + x
                    filled[field] += 1
    return voxels, subfields


@kernel
def local_parts(
    image: NDArray[np.uint8],
    voxels: NDArray[np.int64],
    stride_y: int,
    stride_z: int,
    bone: NDArray[np.uint8],
    marrow: NDArray[np.uint8],
    neighbours: NDArray[np.uint8],
) -> None:
    """Bone parts, marrow parts and neighbours around each of `voxels` of a padded flat skeleton.

    Written into `bone`, `marrow` and `neighbours` (uint8, one each).
    """
    for k in range(voxels.size):
        bits = bone_bits(image, voxels[k], stride_y, stride_z)
        bone[k] = bone_parts(bits)
        marrow[k] = marrow_parts(bits)
        neighbours[k] = count_bits(bits)


@dataclass(frozen=True)
class Skeleton:
    """A skeleton and the local topology of its voxels.

    Attributes:
        image: which voxels are of the skeleton, shape of the bone.
        voxels: their (z, y, x), shape (n, 3).
        bone_parts: parts of the skeleton each links: 2 or more on a curve, 0 alone.
        marrow_parts: sides of marrow each keeps apart: 2 within a sheet, more where sheets meet.
        neighbours: how many of its 26 neighbours are of the skeleton.
    """

    image: Bool
    voxels: NDArray[np.int64]
    bone_parts: NDArray[np.uint8]
    marrow_parts: NDArray[np.uint8]
    neighbours: NDArray[np.uint8]

    def marked(self, which: Bool) -> Bool:
        """An image of some of the skeleton's voxels."""
        image = np.zeros(self.image.shape, bool)
        image[tuple(self.voxels[which].T)] = True
        return image


def skeleton_of(
    bone: Bool, sheets: bool, half_thickness: NDArray[np.float32] | None = None
) -> Skeleton:
    """The skeleton of bone.

    Args:
        bone: shape (nz, ny, nx).
        sheets: keep sheets in the middle of plates; else all becomes curves.
        half_thickness: see `half_thickness_of`, if it is at hand.
    """
    margin = _margin(bone, half_thickness_of(bone) if half_thickness is None else half_thickness)
    cut = margin + 1
    image = np.pad(np.pad(bone, margin, mode="edge"), 1).astype(np.uint8) * np.uint8(FULL)
    flat = image.ravel()
    strides = image.shape[2], image.shape[1] * image.shape[2]
    voxels, subfields = in_subfields(image)
    thin(flat, voxels, subfields, *strides, sheets, PERSISTENCE)
    inner = image[cut:-cut, cut:-cut, cut:-cut] > 0
    places = np.argwhere(inner)
    left: Any = np.ravel_multi_index(tuple((places + cut).T), image.shape)
    counts = [np.zeros(left.size, np.uint8) for _ in range(3)]
    local_parts(flat, left, *strides, *counts)
    return Skeleton(inner, places, *counts)


def half_thickness_of(bone: Bool) -> NDArray[np.float32]:
    """Distance of bone to the nearest marrow, voxels; cut faces are no surface."""
    import edt

    found = edt.edt(np.ascontiguousarray(bone, np.uint8), black_border=False, parallel=1)
    return np.asarray(found, np.float32)


def _margin(bone: Bool, half_thickness: NDArray[np.float32]) -> int:
    """Voxels by which cut faces are continued: what thinning takes from the thickest cut end."""
    if bone.all():
        return 0
    at_faces = max(
        float(half_thickness.take(side, axis).max()) for axis in range(3) for side in (0, -1)
    )
    return int(np.ceil(LAYERS_PER_VOXEL * at_faces)) + _LATE
