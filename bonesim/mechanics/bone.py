"""Bone as a material: bone fraction and modulus of each element, and which elements carry load.

An element is a cube of one or several voxels. Its modulus follows the bone and the mineral in it.
Elements with little bone are left out: a thin film of bone must not connect separate trabeculae.
Elements that share a face, an edge or a corner are of one piece: load passes through shared nodes. A
piece that does not reach from one face to the opposite one carries no load. It is left out too: it
would be unconstrained, and many such pieces at the cut faces would make the coarsest level large.
"""

from typing import Annotated, Any

import cc3d
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.parameters import Parameters
from bonesim.units import FULL

#: Minimal share of full modulus: unmineralised bone is soft, not absent; assumed.
OSTEOID = np.float32(0.01)


class Material(Parameters):
    """Material properties of bone, and the size of its elements."""

    tissue_modulus_mpa: Annotated[
        float,
        Field(
            ge=1, le=1e6, description="of fully mineralised bone; assumed, 6.8-18 GPa (guide M4)"
        ),
    ] = 10000.0
    mineral_exponent: Annotated[
        float,
        Field(
            ge=0, le=4, description="modulus ~ mineral^n; assumed; Currey 1988: about 3, of calcium"
        ),
    ] = 2.0
    poisson: Annotated[
        float, Field(ge=0, le=0.45, description="Poisson's ratio of bone tissue; assumed, .3")
    ] = 0.3
    voxels_per_element: Annotated[
        int,
        Field(ge=1, le=4, description="edge of an element; choice, measured in guide decisions"),
    ] = 2
    min_bone_share: Annotated[
        float,
        Field(
            gt=0, le=1, description="elements with less bone are left out; choice, guide decisions"
        ),
    ] = 0.375


def elements_of(
    quanta: NDArray[np.uint8], mineral: NDArray[np.uint8] | None, material: Material
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Share of bone and modulus (MPa) of each element that counts, 0 elsewhere.

    `quanta` and `mineral` of each voxel (z, y, x), both 0..255; no mineral: full everywhere.
    """
    n = material.voxels_per_element
    share = carrying(share_of_bone(quanta, n), material.min_bone_share)
    modulus = share * np.float32(material.tissue_modulus_mpa)
    if mineral is not None:
        mineralised = mean_mineral(quanta, mineral, n)
        modulus *= np.maximum(mineralised**material.mineral_exponent, OSTEOID)
    return share, modulus


def share_of_bone(quanta: NDArray[np.uint8], voxels_per_element: int) -> NDArray[np.float32]:
    """Bone in each element, 0..1, from quanta 0..255 (z, y, x).

    An element that extends beyond the block has the share of its part inside.
    """
    n = voxels_per_element
    if n == 1:
        return quanta.astype(np.float32) / np.float32(FULL)
    counts = [-(-size // n) for size in quanta.shape]
    total = np.zeros(counts, np.uint16)
    for z in range(n):
        for y in range(n):
            for x in range(n):
                part = quanta[z::n, y::n, x::n]
                total[tuple(slice(size) for size in part.shape)] += part
    inside = [
        np.minimum(n, size - n * np.arange(count))
        for size, count in zip(quanta.shape, counts, strict=True)
    ]
    voxels = inside[0][:, None, None] * inside[1][:, None] * inside[2]
    return total.astype(np.float32) / (FULL * voxels).astype(np.float32)


def mean_mineral(
    quanta: NDArray[np.uint8], mineral: NDArray[np.uint8], voxels_per_element: int
) -> NDArray[np.float32]:
    """Mineral of the bone in each element, 0..1, from mineral 0..255 of each voxel's bone."""
    bone = share_of_bone(quanta, voxels_per_element)
    mineralised = (quanta.astype(np.uint16) * mineral + FULL // 2) // FULL
    held = share_of_bone(mineralised.astype(np.uint8), voxels_per_element)
    return np.divide(held, bone, out=np.zeros_like(bone), where=bone > 0.0)


def carrying(share: NDArray[np.float32], min_bone_share: float) -> NDArray[np.float32]:
    """`share` where an element counts: enough bone, in a piece between two opposite faces."""
    solid = share >= min_bone_share
    pieces: Any = cc3d.connected_components(solid, connectivity=26)
    kept = np.zeros(int(pieces.max()) + 1, bool)
    for axis in range(3):
        kept[np.intersect1d(pieces.take(0, axis), pieces.take(-1, axis))] = True
    kept[0] = False
    return np.where(kept[pieces], share, np.float32(0.0))


def bridging(share: NDArray[np.float32], axis: int) -> NDArray[np.bool_]:
    """Elements of the pieces that reach from face to face along `axis`.

    Elements that meet at a face, an edge or a corner share nodes, through which load passes: they are
    of one piece (26-connected). An edge or a corner is a hinge. Whether a chain of hinges is stiff or
    a mechanism is the solver's to find (`Convergence.mechanism`).
    """
    pieces: Any = cc3d.connected_components(share > 0.0, connectivity=26)
    low, high = pieces.take(0, axis), pieces.take(-1, axis)
    through = np.intersect1d(low[low > 0], high[high > 0])
    return np.asarray(np.isin(np.arange(int(pieces.max()) + 1), through)[pieces])
