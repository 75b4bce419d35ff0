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

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.lattice.neighbours import FACE_BITS
from bonesim.lattice.topology import bone_bits, bone_parts, count_bits, marrow_parts
from bonesim.units import FULL

#: Layers an isthmus must last.
PERSISTENCE = 2
#: Layers it takes to thin bone of half thickness 1 voxel, at most: layers are shed by faces.
LAYERS_PER_VOXEL = 1.5
#: Further voxels that an end loses before it is thin enough to stay.
_LATE = PERSISTENCE + 4

Bool = NDArray[np.bool_]


@kernel
def thin(image, voxels, subfields, stride_y, stride_z, sheets, persistence):  # type: ignore[no-untyped-def]
    """Thin `image` (uint8, flat, padded, bone 255) in place.

    `voxels` are the flat indices of bone sorted by subfield, `subfields` where each of the eight
    begins (and the end). `sheets`: keep 2-isthmuses too.
    """
    count = voxels.size
    born = np.zeros(count, np.int16)
    kept = np.zeros(count, np.uint8)
    border = np.zeros(count, np.uint8)
    layer = 0
    taken = 1
    while taken > 0:
        layer += 1
        taken = 0
        for k in range(count):
            voxel = voxels[k]
            border[k] = 0
            if image[voxel] == 0 or kept[k] == 1:
                continue
            bits = bone_bits(image, voxel, stride_y, stride_z)
            if bits & FACE_BITS == FACE_BITS:
                continue
            border[k] = 1
            if bone_parts(bits) >= 2 or (sheets and marrow_parts(bits) >= 2):
                if born[k] == 0:
                    born[k] = layer
                if layer - born[k] >= persistence:
                    kept[k] = 1
            else:
                born[k] = 0
        for field in range(8):
            for k in range(subfields[field], subfields[field + 1]):
                if border[k] == 1 and kept[k] == 0:
                    bits = bone_bits(image, voxels[k], stride_y, stride_z)
                    if bits != 0 and bone_parts(bits) == 1 and marrow_parts(bits) == 1:
                        image[voxels[k]] = 0
                        taken += 1
    if sheets:
        return
    # Corners of stairs that were kept while thicker: what is simple and no free end goes.
    for k in range(count):
        if image[voxels[k]] != 0:
            bits = bone_bits(image, voxels[k], stride_y, stride_z)
            if count_bits(bits) >= 2 and bone_parts(bits) == 1 and marrow_parts(bits) == 1:
                image[voxels[k]] = 0


@kernel
def local_parts(image, voxels, stride_y, stride_z, bone, marrow, neighbours):  # type: ignore[no-untyped-def]
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


def skeleton_of(bone: Bool, sheets: bool) -> Skeleton:
    """The skeleton of bone.

    Args:
        bone: shape (nz, ny, nx).
        sheets: keep sheets in the middle of plates; else all becomes curves.
    """
    margin = _margin(bone)
    cut = margin + 1
    image = np.pad(np.pad(bone, margin, mode="edge"), 1).astype(np.uint8) * np.uint8(FULL)
    flat = image.ravel()
    strides = image.shape[2], image.shape[1] * image.shape[2]
    voxels = np.flatnonzero(flat)
    z, y, x = np.unravel_index(voxels, image.shape)
    field = 4 * (z & 1) + 2 * (y & 1) + (x & 1)
    order = np.argsort(field, kind="stable")
    subfields = np.searchsorted(field[order], np.arange(9))
    thin(flat, voxels[order], subfields, *strides, sheets, PERSISTENCE)
    inner = image[cut:-cut, cut:-cut, cut:-cut] > 0
    places = np.argwhere(inner)
    left = np.ravel_multi_index(tuple((places + cut).T), image.shape)
    counts = [np.zeros(left.size, np.uint8) for _ in range(3)]
    local_parts(flat, left, *strides, *counts)
    return Skeleton(inner, places, *counts)


def _margin(bone: Bool) -> int:
    """Voxels by which cut faces are continued: what thinning takes from the thickest cut end."""
    import edt

    if bone.all():
        return 0
    radius = edt.edt(np.ascontiguousarray(bone, np.uint8), black_border=False, parallel=1)
    at_faces = max(float(radius.take(side, axis).max()) for axis in range(3) for side in (0, -1))
    return int(np.ceil(LAYERS_PER_VOXEL * at_faces)) + _LATE
