"""Where voxels are: spacing, origin and directions, and the one order in which axes are given.

**The order.** World axes are named as in DICOM (LPS: x to the left, y to posterior, z to superior).
A file's axes may be stored in any order and direction. They are put in order so that one volume gives
one array, however it was stored:

1.  Axes are permuted so that array axes (z, y, x) are the nearest to the world's. The loading axis
    of a sagittal scan is then z, as of an axial one.
2.  Axes that are oblique to the world by more than `OBLIQUE_DEGREES` are taken for the nearest, and a
    note states it: resampling would blur thin trabeculae.
3.  z is reversed if it runs to inferior.
4.  x and y are reversed, in files in LPS and in those that do not name their world, where they run
    against it. In files in RAS (NIfTI, some NRRD), programs write two things for an array that
    nobody has turned: a positive diagonal (nibabel: +R, +A) and a negative one (ITK's identity in LPS
    is -R, -A). The two are half a turn about the loading axis apart, which no measure and no
    simulation depends on, so both are kept as stored. With one negative sign the array was mirrored
    when it was stored: y is reversed. The result is never a mirror image of the bone.

Files without directions are kept as stored. Distances and places still follow from the header, so
masks and regions are compared in the world and not by index.
"""

from dataclasses import dataclass, replace
from itertools import permutations
from math import acos, degrees, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.images.lengths import rounded
from bonesim.images.stored import Stored, Three

__all__ = ["MAX_VOXEL_UM", "MIN_VOXEL_UM", "Geometry", "Grid", "UnsoundGeometry", "in_order"]

#: Edges of a voxel that a scan of bone can have, um: nano-CT to QCT. Others are a wrong unit.
MIN_VOXEL_UM, MAX_VOXEL_UM = 1.0, 200.0
#: Axes further from the world's than this are noted.
OBLIQUE_DEGREES = 15.0
#: Cosine between two axes, above which they are not at right angles.
MAX_COSINE = 0.01


class UnsoundGeometry(ValueError):
    """A header whose geometry contradicts itself; the text states how."""


@dataclass(frozen=True)
class Geometry:
    """Where the voxels of an array (z, y, x) are.

    Attributes:
        shape: voxels along z, y, x.
        spacing_um: edge of a voxel along z, y, x; None if the file has none.
        origin_um: centre of voxel (0, 0, 0), world (x, y, z) in LPS; None if the file has none.
        directions: rows are unit vectors of array axes z, y, x in the world (x, y, z), LPS; or None.
        world: name of the world in the file: "LPS", "RAS" or "".
        missing: why there is no spacing, as a clause.
    """

    shape: tuple[int, int, int]
    spacing_um: Three | None = None
    origin_um: Three | None = None
    directions: NDArray[np.float64] | None = None
    world: str = ""
    missing: str = ""

    def with_spacing(self, voxel_um: float) -> "Geometry":
        """The same with cubes of this edge; the origin is dropped, its unit is as doubtful."""
        same = self.spacing_um == (voxel_um,) * 3
        return replace(
            self, spacing_um=(voxel_um,) * 3, origin_um=self.origin_um if same else None, missing=""
        )

    def in_own_frame(self) -> "Geometry":
        """With the numbers as the file has them, as if RAS and LPS were one."""
        if self.world != "RAS":
            return self
        turn = np.array([-1.0, -1.0, 1.0])
        origin = None if self.origin_um is None else _three(np.array(self.origin_um) * turn)
        directions = None if self.directions is None else self.directions * turn
        return replace(self, origin_um=origin, directions=directions)

    def reordered(self, order: tuple[int, ...], reverse: tuple[bool, ...]) -> "Geometry":
        """Of the array after `transpose(order)` and reversal of the new axes marked."""
        shape, spacing = self.shape, self.spacing_um
        directions = self.directions if self.directions is not None else np.eye(3)[::-1]
        directions = directions[list(order)].copy()
        new = (shape[order[0]], shape[order[1]], shape[order[2]])
        if spacing is not None:
            spacing = (spacing[order[0]], spacing[order[1]], spacing[order[2]])
        origin = None if self.origin_um is None else np.array(self.origin_um)
        for axis in range(3):
            if reverse[axis]:
                if origin is not None and spacing is not None:
                    origin = origin + (new[axis] - 1) * spacing[axis] * directions[axis]
                elif new[axis] > 1:
                    origin = None
                directions[axis] *= -1.0
        return replace(
            self, shape=new, spacing_um=spacing,
            origin_um=None if origin is None else _three(origin),
            directions=None if self.directions is None else directions,
        )  # fmt: skip


class Grid(NamedTuple):
    """The voxels that a mask or region of an image has to have.

    Attributes:
        name: of the image, for messages.
        places: the image's geometry; more than one if its header was overridden: any of them does.
    """

    name: str
    places: tuple[Geometry, ...]


def in_order(stored: Stored) -> tuple[NDArray[Any], Geometry, list[str]]:
    """The array of a file with its axes in order (see the module), its geometry, and notes.

    Raises:
        UnsoundGeometry: directions that are parallel, not at right angles, or no numbers.
    """
    geometry = _as_stored(stored)
    if geometry.directions is None:
        return stored.values, geometry, []
    order, notes = _nearest(geometry.directions)
    turned = geometry.directions[list(order)]
    reverse = _reversed(turned, stored.world)
    values = stored.values.transpose(order)
    values = values[tuple(slice(None, None, -1 if one else 1) for one in reverse)]
    if order != (0, 1, 2) or any(reverse):
        was = ", ".join(
            f"{name} is its axis {'xyz'[2 - axis]}{' reversed' if back else ''}"
            for name, axis, back in zip("zyx", order, reverse, strict=True)
        )
        notes.append(f"axes put in order by the file's directions: {was}")
    return values, geometry.reordered(order, reverse), notes


def _as_stored(stored: Stored) -> Geometry:
    """The geometry of a file before its axes are put in order, in LPS."""
    z, y, x = stored.values.shape
    directions, origin = stored.directions, stored.origin_um
    if directions is not None:
        directions = _sound(np.asarray(directions, dtype=np.float64))
    if origin is not None and not np.isfinite(origin).all():
        origin = None
    if stored.world == "RAS":
        turn = np.array([-1.0, -1.0, 1.0])
        directions = None if directions is None else directions * turn
        origin = None if origin is None else _three(np.array(origin) * turn)
    step = stored.step_um
    if step is not None:
        step = (rounded(step[0]), rounded(step[1]), rounded(step[2]))
    missing = stored.missing or ("" if step is not None else "the file has no voxel size")
    return Geometry((z, y, x), step, origin, directions, stored.world, missing)


def _sound(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Directions as unit vectors.

    Raises:
        UnsoundGeometry: see `in_order`.
    """
    lengths = np.sqrt((directions**2).sum(axis=1))
    if not np.isfinite(lengths).all() or (lengths < 1e-30).any():
        raise UnsoundGeometry("an axis of the image has no direction (0 or not a number)")
    unit: NDArray[np.float64] = directions / lengths[:, None]
    cosine = float(np.abs(unit @ unit.T - np.eye(3)).max())
    if cosine > 0.999:
        raise UnsoundGeometry("two axes of the image are parallel")
    if cosine > MAX_COSINE:
        raise UnsoundGeometry(
            f"the axes of the image are not at right angles ({degrees(acos(cosine)):.1f} degrees; "
            "shear)"
        )
    return unit


def _nearest(directions: NDArray[np.float64]) -> tuple[tuple[int, ...], list[str]]:
    """Which array axis is nearest to the world's z, y, x; a note if none is near."""
    world = np.eye(3)[::-1]
    best, most = (0, 1, 2), -1.0
    for order in permutations(range(3)):
        near = float(np.abs((directions[list(order)] * world).sum(axis=1)).sum())
        if near > most + 1e-6:
            best, most = (order[0], order[1], order[2]), near
    cosines = np.abs((directions[list(best)] * world).sum(axis=1))
    worst = degrees(acos(min(1.0, float(cosines.min()))))
    if worst <= OBLIQUE_DEGREES:
        return best, []
    return best, [
        f"the image is oblique to the body by {worst:.0f} degrees; its axes are taken for the nearest "
        "of the body, so z is not exactly the loading axis"
    ]


def _reversed(turned: NDArray[np.float64], world: str) -> tuple[bool, bool, bool]:
    """Which of the axes (z, y, x), already near the world's, are to be reversed."""
    z, y, x = (float(turned[axis, 2 - axis]) < 0.0 for axis in range(3))
    if world == "RAS":
        return z, y != x, False
    return z, y, x


def edge(spacing: Three) -> float:
    """Mean edge of voxels that are cubes."""
    return rounded(sqrt(sum(step**2 for step in spacing) / 3.0))


def _three(values: NDArray[np.float64]) -> Three:
    a, b, c = (float(value) for value in values)
    return a, b, c
