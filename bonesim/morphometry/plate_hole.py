"""A hole in a plate: the plate's normal at a place, the view along it, how wide the hole is.

The bone around the place is resampled on a grid whose axes are right and up in the plate and its normal.
The plate is, in each column along the normal, the run of bone nearest to the plate's middle. A hole is
where such a run was and no bone is left: marrow goes through the plate. Its width is the diameter of
the largest disc that goes through.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bonesim.errors import InputError
from bonesim.morphometry.thickness import DIAMETER_OFFSET
from bonesim.units import BONE

#: The normal is that of the bone in a ball of this radius about the place, um: wider than a plate is
#: thick, narrower than a marrow space. Assumed.
NORMAL_REACH_UM = 200.0
#: Of a plate's two sides that is seen which faces here, (z, y, x): the front, as in pictures of blocks.
FRONT = np.array([0.28, -0.88, 0.39])
#: A plate's surface may be this far off the middle plane, um. Assumed.
BAND_UM = 100.0
#: A hole is looked for this far around the place, um, and is at the place if this near to it.
HOLE_REACH_UM, HOLE_NEAR_UM = 500.0, 100.0
#: Bone above or below a plate, up to this far, closes a hole in it, um: one voxel of a simulation.
CLOSING_UM = 20.0

Bool = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Sight(NamedTuple):
    """A place in a plate and directions there: unit vectors (z, y, x), right x up = towards the viewer.

    Attributes:
        place_um: (z, y, x) in the lattice, in the plate's middle.
        right, up: in the plate.
        towards: along its normal.
    """

    place_um: Floats
    right: Floats
    up: Floats
    towards: Floats

    def turned(self) -> "Sight":
        """The same place from the other side."""
        return Sight(self.place_um, -self.right, self.up, -self.towards)


class Box(NamedTuple):
    """The part of space that is resampled, um about the place of a sight.

    Attributes:
        half_width_um: to the left, right, up and down.
        back_um, front_um: along the normal, away from the viewer and towards.
        spacing_um: between points.
    """

    half_width_um: float
    back_um: float
    front_um: float
    spacing_um: float

    def across(self) -> Floats:
        """Places of points to the right or up."""
        n = round(self.half_width_um / self.spacing_um)
        return np.asarray(self.spacing_um * np.arange(-n, n + 1), np.float64)

    def along(self) -> Floats:
        """Places of points along the normal."""
        first, last = round(self.back_um / self.spacing_um), round(self.front_um / self.spacing_um)
        return np.asarray(self.spacing_um * np.arange(-first, last + 1), np.float64)


class Plate(NamedTuple):
    """A plate by columns along a sight: first and last point of bone (um along), NaN where none."""

    low_um: Floats
    high_um: Floats
    box: Box


class Hole(NamedTuple):
    """A hole in a plate; all 0 if there is none.

    Attributes:
        width_um: diameter of the largest disc that goes through.
        area_um2: of the plate that is missing.
        volume_um3: of that part of the plate.
        open: which columns, shape (up, right).
    """

    width_um: float
    area_um2: float
    volume_um3: float
    open: Bool


def sight_on(quanta: NDArray[np.uint8], voxel_um: float, place_um: Floats) -> Sight:
    """The sight along the normal of the plate at a place; up is as near to z as it can be.

    Args:
        quanta: (nz, ny, nx), the bone before there is a hole.
        voxel_um: edge of a voxel.
        place_um: (z, y, x).

    Raises:
        InputError: there is no bone at the place.
    """
    index = np.asarray(place_um) / voxel_um - 0.5
    reach = NORMAL_REACH_UM / voxel_um
    low = np.maximum(np.floor(index - reach).astype(np.int64), 0)
    high = np.minimum(np.ceil(index + reach).astype(np.int64) + 1, quanta.shape)
    near = quanta[tuple(map(slice, low, high))] >= BONE
    offset = np.stack(np.meshgrid(*map(np.arange, low, high), indexing="ij"), axis=-1) - index
    ball = near & (np.linalg.norm(offset, axis=-1) <= reach)
    if not ball.any():
        raise InputError(
            f"no bone within {NORMAL_REACH_UM:g} um of z, y, x = "
            f"{', '.join(f'{one:.0f}' for one in place_um)} um before the event"
        )
    parts, _ = ndimage.label(ball, np.ones((3, 3, 3)))
    away = np.where(ball, np.linalg.norm(offset, axis=-1), np.inf)
    points = offset[parts == parts.flat[np.argmin(away)]]
    middle = points.mean(axis=0)
    normal = np.linalg.eigh((points - middle).T @ (points - middle))[1][:, 0]
    if normal @ FRONT < 0.0:
        normal = -normal
    # The place is moved along the normal into the middle of the bone around it.
    core = points[np.linalg.norm(points - (points @ normal)[:, None] * normal, axis=1) <= reach / 2]
    depth = float((core @ normal).mean()) if len(core) else float(middle @ normal)
    return _facing(np.asarray(place_um) + depth * voxel_um * normal, normal)


def _facing(place_um: Floats, towards: Floats) -> Sight:
    """The sight with z (of a level plate y) upwards."""
    upwards = np.array([0.0, 1.0, 0.0]) if abs(towards[0]) > 0.9 else np.array([1.0, 0.0, 0.0])
    up = upwards - (upwards @ towards) * towards
    up /= np.linalg.norm(up)
    # right = up x towards, in the order x, y, z.
    right = np.cross(up[::-1], towards[::-1])[::-1]
    return Sight(place_um, right, up, towards)


def points_of(sight: Sight, box: Box) -> Floats:
    """Places of all points of a grid in the lattice, um; shape (along, up, right, 3), last axis z, y, x."""
    along, across = box.along(), box.across()
    return np.asarray(
        along[:, None, None, None] * sight.towards
        + across[None, :, None, None] * sight.up
        + across[None, None, :, None] * sight.right
        + sight.place_um
    )


def depth_in(edge_um: Floats, places_um: Floats) -> Floats:
    """How deep places lie within a block (edges along z, y, x) under its nearest face; outside negative."""
    return np.asarray(np.minimum(places_um, edge_um - places_um).min(axis=-1))


def resampled(
    field: NDArray[np.generic], voxel_um: float, places_um: Floats, order: int = 1
) -> NDArray[np.float32]:
    """A field of the lattice at places; outside the lattice that of its nearest voxel.

    Args:
        field: (nz, ny, nx).
        voxel_um: edge of a voxel.
        places_um: last axis z, y, x.
        order: 1 linear, 0 the nearest voxel's.

    Returns:
        Shape of `places_um` without its last axis.
    """
    at = places_um / voxel_um - 0.5
    flat = at.reshape(-1, 3)
    last = np.array(field.shape) - 1
    low = np.clip(np.floor(flat.min(axis=0)).astype(np.int64), 0, last)
    high = np.clip(np.ceil(flat.max(axis=0)).astype(np.int64), low, last)
    part = np.asarray(field[tuple(map(slice, low, high + 1))], np.float32)
    found = ndimage.map_coordinates(part, np.moveaxis(at - low, -1, 0), order=order, mode="nearest")
    return np.asarray(found, np.float32)


def bone_along(quanta: NDArray[np.uint8], voxel_um: float, sight: Sight, box: Box) -> Bool:
    """Where bone is on the grid of a sight, shape (along, up, right); none outside the lattice."""
    places = points_of(sight, box)
    inside = depth_in(np.array(quanta.shape) * voxel_um, places) > 0.0
    return np.asarray((resampled(quanta, voxel_um, places) >= BONE - 0.5) & inside)


def plate_in(bone: Bool, box: Box) -> Plate:
    """The plate of a sight: in each column the run of bone nearest to its middle.

    Args:
        bone: of `bone_along`, before there is a hole.
        box: its grid.
    """
    along = box.along()
    away = np.where(bone, np.abs(along)[:, None, None], np.inf)
    nearest = np.argmin(away, axis=0)
    none = away.min(axis=0) > BAND_UM
    ends = []
    for step in (-1, 1):
        end, going = nearest.copy(), ~none
        while going.any():
            further = np.clip(end + step, 0, len(along) - 1)
            going &= np.take_along_axis(bone, further[None], axis=0)[0] & (further != end)
            end = np.where(going, further, end)
        ends.append(np.where(none, np.nan, along[end]))
    return Plate(ends[0], ends[1], box)


def hole_in(plate: Plate, bone: Bool) -> Hole:
    """The hole at the place of a sight.

    Args:
        plate: as it was.
        bone: of a later day, on the same grid.
    """
    box = plate.box
    along = box.along()[:, None, None]
    known = ~np.isnan(plate.low_um)
    within = (along >= plate.low_um - CLOSING_UM) & (along <= plate.high_um + CLOSING_UM)
    missing = known & ~(bone & within).any(axis=0)
    parts, _ = ndimage.label(missing)
    across = box.across()
    away = np.where(missing, np.hypot(across[:, None], across[None, :]), np.inf)
    if away.min() > HOLE_NEAR_UM:
        return Hole(0.0, 0.0, 0.0, np.zeros(missing.shape, bool))
    # The largest part that is near: the same one on all days, whatever opens beside it.
    near = np.unique(parts[away <= HOLE_NEAR_UM])
    hole = parts == near[np.argmax(np.bincount(parts.ravel())[near])]
    radius = float(ndimage.distance_transform_edt(np.pad(hole, 1)).max())
    cell = box.spacing_um**2
    depth = np.where(hole, plate.high_um - plate.low_um + box.spacing_um, 0.0)
    return Hole(
        (2.0 * radius + DIAMETER_OFFSET) * box.spacing_um, float(hole.sum()) * cell,
        float(np.nansum(depth)) * cell, hole,
    )  # fmt: skip


def hole_box(voxel_um: float) -> Box:
    """The grid that a hole is measured on: half a voxel between points."""
    return Box(HOLE_REACH_UM, 2.0 * BAND_UM, 2.0 * BAND_UM, voxel_um / 2.0)
