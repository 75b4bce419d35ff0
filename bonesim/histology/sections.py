"""The bone surface as triangles with their voxels, and plane sections through them.

A triangle of marching cubes cuts an edge between a bone and a marrow voxel. Both are kept, so values
of voxels (a site, a label) are known on the surface too. A section is a plane; its trace is the line
where it cuts the triangles. Parfitt's factors for isotropic surface convert profiles to 3-D
referents: perimeter per area x 4/pi is surface per volume, width x pi/4 is thickness.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from bonesim.errors import InputError
from bonesim.morphometry.shape import surface_mesh
from bonesim.units import BONE

#: Parfitt 1983: surface per volume from perimeter per area, and thickness from width.
PERIMETER_TO_SURFACE = 4.0 / np.pi
WIDTH_TO_THICKNESS = np.pi / 4.0
#: A plane is kept this share of a voxel off the voxels' centres, where vertices lie.
_OFF_CENTRE = 0.125
#: Step and largest length of a ray to the surface: three wall thicknesses.
_STEP_VOXEL = 0.25
_LONGEST_RAY_UM = 150.0

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Surface:
    """Triangles of the bone surface in a box.

    Attributes:
        corners: (m, 3, 3): triangle, corner, (z, y, x) in voxels of the box.
        bone: flat index in the box of the bone voxel beneath each triangle.
        marrow: of the marrow voxel above it.
        area_um2: of each triangle.
        volume_mm3: of the box between the centres of its outermost voxels.
        shape: of the box, voxels.
        voxel_um: edge of a voxel.
    """

    corners: Floats
    bone: NDArray[np.int64]
    marrow: NDArray[np.int64]
    area_um2: Floats
    volume_mm3: float
    shape: tuple[int, ...]
    voxel_um: float

    def middles(self) -> Floats:
        """Centres of the triangles, voxels."""
        return np.asarray(self.corners.mean(axis=1))


def surface_of(quanta: NDArray[np.uint8], voxel_um: float) -> Surface:
    """The surface within a box of bone quanta, and the voxels at each of its triangles."""
    mesh = surface_mesh(quanta, np.ones(quanta.shape, np.bool_))
    corners = mesh.vertices[mesh.faces]
    bone, marrow = _ends(quanta, mesh.vertices)
    # The first corner that lies between two voxels: a few lie within a cube (Lewiner).
    first = np.argmax(bone[mesh.faces] >= 0, axis=1) if len(mesh.faces) else np.zeros(0, np.int64)
    chosen = mesh.faces[np.arange(len(mesh.faces)), first]
    return Surface(
        corners, bone[chosen], marrow[chosen],
        np.linalg.norm(mesh.crossed(), axis=1) / 2.0 * voxel_um**2,
        mesh.cubes * (voxel_um / 1000.0) ** 3, quanta.shape, voxel_um,
    )  # fmt: skip


def _ends(
    quanta: NDArray[np.uint8], vertices: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The bone and the marrow voxel between which each vertex lies; -1 within a cube."""
    low, high = np.floor(vertices).astype(np.int64), np.ceil(vertices).astype(np.int64)
    on_edge = (low != high).sum(axis=1) == 1
    flat = [
        np.ravel_multi_index(tuple(end.T), quanta.shape) if len(end) else np.zeros(0, np.int64)
        for end in (low, high)
    ]
    low_is_bone = quanta.reshape(-1)[flat[0]] >= BONE
    bone = np.where(low_is_bone, flat[0], flat[1])
    marrow = np.where(low_is_bone, flat[1], flat[0])
    return np.where(on_edge, bone, -1), np.where(on_edge, marrow, -1)


def surface_above(
    quanta: NDArray[Any], surface: Surface, places: NDArray[np.int64], normals: Floats
) -> NDArray[np.int64]:
    """The triangle above each of some bone voxels: nearest to where a ray leaves bone.

    Args:
        quanta: of the surface's box.
        surface: the surface.
        places: (n, 3) voxels.
        normals: (n, 3) unit normals into bone; the ray goes against them.
    """
    at = places.astype(np.float64)
    inside = np.ones(len(at), np.bool_)
    limit = np.array(quanta.shape) - 1
    for _ in range(int(_LONGEST_RAY_UM / surface.voxel_um / _STEP_VOXEL)):
        here = np.clip(np.rint(at[inside]).astype(np.int64), 0, limit)
        still = quanta[tuple(here.T)] >= BONE
        inside[np.flatnonzero(inside)[~still]] = False
        at[inside] -= _STEP_VOXEL * normals[inside]
        if not inside.any():
            break
    return np.asarray(cKDTree(surface.middles()).query(at)[1], np.int64)


@dataclass(frozen=True)
class Sections:
    """Plane sections through a box, across z, y and x.

    Attributes:
        triangle: which triangle each piece of trace comes from.
        length_um: of each piece.
        planes: (axis, place in voxels) of each section.
        weights: for each axis, the share of a voxel at each place that lies in the box.
        voxel_um: edge of a voxel.
    """

    triangle: NDArray[np.int64]
    length_um: Floats
    planes: tuple[tuple[int, float], ...]
    weights: tuple[Floats, ...]
    voxel_um: float

    def trace_um(self, of_triangle: NDArray[Any]) -> float:
        """Length of trace, each piece weighted by the value of its triangle (True, or a share)."""
        return float((self.length_um * of_triangle[self.triangle]).sum())

    def profile_um2(self, share: Floats) -> float:
        """Area in all sections of something that fills this share of each voxel of the box."""
        total = 0.0
        for axis, place in self.planes:
            layer = np.take(share, round(place), axis=axis)
            w = [self.weights[other] for other in range(3) if other != axis]
            total += float(w[0] @ layer @ w[1])
        return total * self.voxel_um**2

    def layers(self) -> list[tuple[int, int]]:
        """(axis, voxel layer) of each section."""
        return [(axis, round(place)) for axis, place in self.planes]

    def section_um2(self) -> float:
        """Area of all sections."""
        shape = tuple(w.size for w in self.weights)
        return self.profile_um2(np.broadcast_to(np.float64(1.0), shape))


def box_weights(shape: tuple[int, ...]) -> tuple[Floats, ...]:
    """Share of each layer between the centres of the outermost: they count half."""
    found = []
    for size in shape:
        w = np.ones(size)
        w[[0, -1]] = 0.5
        found.append(w)
    return tuple(found)


def box_volume_um3(share: Floats, voxel_um: float) -> float:
    """Volume in the box of something that fills this share of each voxel."""
    w = box_weights(share.shape)
    return float(np.einsum("zyx,z,y,x->", share, *w, optimize=True)) * voxel_um**3


def sections_through(surface: Surface, spacing_um: float, start: float) -> Sections:
    """Cut a surface by evenly spaced planes across z, y and x.

    Args:
        surface: what is cut.
        spacing_um: between neighbouring planes of one direction.
        start: place of the first plane, 0..1 of the spacing.

    Raises:
        InputError: not one plane fits along some axis.
    """
    step = spacing_um / surface.voxel_um
    triangles, lengths, planes = [], [], []
    for axis, size in enumerate(surface.shape):
        places = np.arange(start * step, size - 1, step)
        if not places.size:
            edge_um = (size - 1) * surface.voxel_um
            raise InputError(
                f"sections every {spacing_um:g} um do not fit into {edge_um:g} um of bone; "
                "lower spacing_um or enlarge the bone (specimen.size_mm)"
            )
        # Never through a row of vertices: there a cut is not a line.
        places = np.floor(places) + np.clip(places % 1.0, _OFF_CENTRE, 1.0 - _OFF_CENTRE)
        planes += [(axis, float(place)) for place in places]
        which, length = _cut(surface.corners, axis, places)
        triangles.append(which)
        lengths.append(length * surface.voxel_um)
    return Sections(
        np.concatenate(triangles), np.concatenate(lengths), tuple(planes),
        box_weights(surface.shape), surface.voxel_um,
    )  # fmt: skip


def _cut(corners: Floats, axis: int, places: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Triangles cut by the planes across `axis`, and the lengths of the cuts, voxels.

    Planes are further apart than a triangle is high.
    """
    height = corners[:, :, axis]
    nearest = np.searchsorted(places, height.min(axis=1))
    place = places[np.minimum(nearest, places.size - 1)]
    which = np.flatnonzero((place > height.min(axis=1)) & (place < height.max(axis=1)))
    cut, level = corners[which], place[which]
    above = cut[:, :, axis] > level[:, None]
    # The corner alone on its side: both edges from it are cut.
    lone_above = above.sum(axis=1) == 1
    lone = np.argmax(above == lone_above[:, None], axis=1)
    rows = np.arange(len(which))
    tip = cut[rows, lone]
    ends = []
    for turn in (1, 2):
        other = cut[rows, (lone + turn) % 3]
        share = (level - tip[:, axis]) / (other[:, axis] - tip[:, axis])
        ends.append(tip + share[:, None] * (other - tip))
    return which, np.linalg.norm(ends[0] - ends[1], axis=1)
