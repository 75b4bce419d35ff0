"""The bone surface as triangles with their voxels, and plane sections through them.

Each triangle keeps the voxel beneath its middle and the one above, so values of voxels (a site, a label)
are known on the surface too. Both lie nearly a voxel away along its normal. (The two voxels between which
marching cubes puts a corner lie beside the middle, and partly filled ones above their neighbours' bone: by
them discs of 30, 60 and 120 um radius on tilted planes have 19, 10 and 5 % too much surface; by these 0, 2
and 1 %.)

A section is a plane; its trace is the line where it cuts the triangles. Parfitt's factors for isotropic
surface convert profiles to 3-D referents: perimeter per area x 4/pi is surface per volume. Width is
thickness x pi/4 where all of it is measured; here what is cut almost along it is left out: x .86.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from bonesim.errors import InputError
from bonesim.morphometry.shape import surface_mesh

#: Parfitt 1983: surface per volume from perimeter per area.
PERIMETER_TO_SURFACE = 4.0 / np.pi
#: Surface cut at a flatter angle is not measured, as readers leave it out; assumed: sine of 30 degrees.
_FLATTEST = 0.5
#: Thickness from width for isotropic surface cut at 30 to 90 degrees: mean of sin^2 over that of sin.
_OBLIQUE = (np.pi / 6.0 + np.sqrt(3.0) / 8.0) / (np.sqrt(3.0) / 2.0)
#: How far beneath and above a triangle its voxels are, voxels: nearly one, never at a face of two.
_ASIDE = 0.9
#: A plane is kept this share of a voxel off the voxels' centres, where vertices lie.
_OFF_CENTRE = 0.125
#: Step of a ray, and how far it sees: three wall thicknesses.
_STEP_VOXEL = 0.25
_LONGEST_RAY_UM = 150.0

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Surface:
    """Triangles of the bone surface in a box.

    Attributes:
        corners: (m, 3, 3): triangle, corner, (z, y, x) in voxels of the box.
        into: (m, 3) unit normals into bone.
        beneath: flat index in the box of the voxel beneath each triangle, in bone.
        above: of the one above it.
        area_um2: of each triangle.
        volume_mm3: of the box between the centres of its outermost voxels.
        shape: of the box, voxels.
        voxel_um: edge of a voxel.
    """

    corners: Floats
    into: Floats
    beneath: NDArray[np.int64]
    above: NDArray[np.int64]
    area_um2: Floats
    volume_mm3: float
    shape: tuple[int, ...]
    voxel_um: float

    def middles(self) -> Floats:
        """Centres of the triangles, voxels."""
        return np.asarray(self.corners.mean(axis=1))


def surface_of(quanta: NDArray[np.uint8], voxel_um: float) -> Surface:
    """The surface within a box of bone quanta, and the voxels beneath and above its triangles."""
    mesh = surface_mesh(quanta, np.ones(quanta.shape, np.bool_))
    corners = mesh.vertices[mesh.faces]
    crossed = mesh.crossed()
    twice = np.linalg.norm(crossed, axis=1, keepdims=True)
    outwards = crossed / np.maximum(twice, np.finfo(np.float64).tiny)
    # Out of bone, whichever way round a triangle's corners are.
    outwards *= np.sign((outwards * mesh.normals[mesh.faces].sum(axis=1)).sum(axis=1))[:, None]
    middles = corners.mean(axis=1)
    return Surface(
        corners, -outwards, _voxels_at(middles - _ASIDE * outwards, quanta.shape),
        _voxels_at(middles + _ASIDE * outwards, quanta.shape), twice[:, 0] / 2.0 * voxel_um**2,
        mesh.cubes * (voxel_um / 1000.0) ** 3, quanta.shape, voxel_um,
    )  # fmt: skip


def _voxels_at(places: Floats, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Flat indices of the voxels that contain these places; at the box's edge the nearest."""
    nearest = np.clip(np.rint(places).astype(np.int64), 0, np.array(shape) - 1)
    return np.asarray(np.ravel_multi_index(tuple(nearest.T), shape), np.int64)


def widths_um(
    share: NDArray[np.float32], surface: Surface, triangles: NDArray[np.int64], into: Floats,
    whose: NDArray[np.int32] | None = None,
) -> Floats:  # fmt: skip
    """How thick something is beneath the surface: along a ray from each of some triangles.

    Widths are measured as a reader does, as distances from one boundary to the next, not as area over
    length: on convex bone these differ. A ray goes through the first run of what it measures.

    Args:
        share: of each voxel of the box that it fills.
        surface: of the box.
        triangles: (n,) from whose middles the rays go.
        into: (n, 3) unit directions into bone.
        whose: if given, numbers of voxels: a ray stops at the first number that is neither 0 nor that
            of the voxel beneath its triangle, or above it.
    """
    at = surface.middles()[triangles] - into
    total = np.zeros(len(at))
    going = np.ones(len(at), np.bool_)
    begun = np.zeros(len(at), np.bool_)
    if whose is not None:
        flat = whose.reshape(-1)
        mine = np.maximum(flat[surface.beneath[triangles]], flat[surface.above[triangles]])
    step = _STEP_VOXEL
    for _ in range(int((_LONGEST_RAY_UM / surface.voxel_um + 1.0) / step)):
        here = map_coordinates(share, at[going].T, order=1, mode="constant")
        if whose is not None:
            number = flat[_voxels_at(at[going], surface.shape)]
            here[(number != 0) & (number != mine[going])] = 0.0
        total[going] += here * step
        begun[going] |= here > 0.0
        going[going] = (here > 0.0) | ~begun[going]
        if not going.any():
            break
        at += step * into
    return total * surface.voxel_um


@dataclass(frozen=True)
class Sections:
    """Plane sections through a box, across z, y and x.

    Attributes:
        triangle: which triangle each piece of trace comes from.
        length_um: of each piece.
        axis: across which the section of each piece is.
        planes: (axis, place in voxels) of each section.
        shape: of the box, voxels; it ends at the centres of the outermost.
        voxel_um: edge of a voxel.
    """

    triangle: NDArray[np.int64]
    length_um: Floats
    axis: NDArray[np.int64]
    planes: tuple[tuple[int, float], ...]
    shape: tuple[int, ...]
    voxel_um: float

    def trace_um(self, of_triangle: NDArray[Any]) -> float:
        """Length of trace, each piece weighted by the value of its triangle (True, or a share)."""
        return float((self.length_um * of_triangle[self.triangle]).sum())

    def mean_width_um(
        self, share: NDArray[np.float32], surface: Surface, of: NDArray[np.bool_],
        whose: NDArray[np.int32] | None = None,
    ) -> float:  # fmt: skip
        """Mean thickness beneath the trace of some triangles; NaN without any.

        Distances lie in the plane of the section, at right angles to the trace. Surface that the section
        cuts at less than 30 degrees is left out, as readers leave it out.
        """
        into = surface.into[self.triangle].copy()
        into[np.arange(len(into)), self.axis] = 0.0
        sine = np.linalg.norm(into, axis=1)
        pieces = np.flatnonzero(of[self.triangle] & (sine >= _FLATTEST))
        length = self.length_um[pieces]
        if not length.sum() > 0.0:
            return float("nan")
        into = into[pieces] / sine[pieces, None]
        widths = widths_um(share, surface, self.triangle[pieces], into, whose)
        return _OBLIQUE * float((length * widths).sum() / length.sum())

    def layers(self) -> list[tuple[int, int]]:
        """(axis, voxel layer) of each section."""
        return [(axis, round(place)) for axis, place in self.planes]

    def section_um2(self) -> float:
        """Area of all sections."""
        edge = np.array(self.shape) - 1.0
        voxels = sum(edge.prod() / edge[axis] for axis, _ in self.planes)
        return float(voxels * self.voxel_um**2)


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
    triangles, lengths, axes, planes = [], [], [], []
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
        axes.append(np.full(len(which), axis, np.int64))
    return Sections(
        np.concatenate(triangles), np.concatenate(lengths), np.concatenate(axes), tuple(planes),
        surface.shape, surface.voxel_um,
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
