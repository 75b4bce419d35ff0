"""The one reader of images: any format in, one checked array with its geometry out.

The kind of a file follows from its content. A name that stands for another kind is noted: the content
is beyond doubt, and refusing it would help nobody.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import BonesimError, CorruptFileError, InputError, ResourceError
from bonesim.images.geometry import (
    MAX_VOXEL_UM,
    MIN_VOXEL_UM,
    Geometry,
    Grid,
    UnsoundGeometry,
    edge,
    in_order,
)
from bonesim.images.kinds import Kind, kind_of, named_kind
from bonesim.images.stored import Stored
from bonesim.images.volumes import check_size, check_type, size

__all__ = ["Image", "read_image"]

#: Edges of a voxel may differ by this share (rounding) and still be a cube's.
SAME_SHARE = 0.01
#: Fewest voxels along an axis.
FEWEST = 3


@dataclass(frozen=True)
class Image:
    """A 3-D grey image.

    Attributes:
        values: (nz, ny, nx), real numbers in the file's true units (scale and offset applied).
        geometry: where the voxels are; its spacing is the given one if one was given.
        in_file: the geometry as the file has it.
        path: for messages.
        mg_per_cm3: slope and intercept from values to mgHA/cm3, if the file has them.
        bone: an own export: uint8, bone of each voxel in 1/255, no grey values.
        notes: what was done and assumed, one line each.
    """

    values: NDArray[Any]
    geometry: Geometry
    in_file: Geometry
    path: Path
    mg_per_cm3: tuple[float, float] | None = None
    bone: bool = False
    notes: tuple[str, ...] = ()

    @property
    def grid(self) -> Grid:
        """What masks and regions of this image have to fit."""
        places = (self.in_file,) if self.in_file == self.geometry else (self.in_file, self.geometry)
        return Grid(self.path.name, places)

    @property
    def voxel_um(self) -> float:
        """Edge of a voxel, um.

        Raises:
            InputError: the file has none, it is no length a voxel of bone can have, or voxels are
                not cubes.
        """
        spacing = self.geometry.spacing_um
        if spacing is None:
            raise InputError(f"{self.path}: {self.geometry.missing}; give `voxel_um`")
        z, y, x = spacing
        if not all(np.isfinite(step) and MIN_VOXEL_UM <= step <= MAX_VOXEL_UM for step in spacing):
            raise InputError(
                f"{self.path}: has voxels of {x:g} x {y:g} x {z:g} um; allowed are "
                f"{MIN_VOXEL_UM:g} to {MAX_VOXEL_UM:g} um; check its unit, or give `voxel_um`"
            )
        if max(spacing) > min(spacing) * (1.0 + SAME_SHARE):
            raise InputError(
                f"{self.path}: voxels are not cubes ({x:g} x {y:g} x {z:g} um in the header); resample "
                "the image to equal edges first"
            )
        return edge(spacing)


def read_image(
    path: str | Path, *, voxel_um: float | None = None, index: int | None = None,
    array: str | None = None,
) -> Image:  # fmt: skip
    """Read a 3-D grey image of any format that is known, or a folder of slices.

    Args:
        path: of the file or folder.
        voxel_um: edge of a voxel, instead of what the header has, which is noted.
        index: which volume of a file with several.
        array: which array of a file with several (VTI).

    Raises:
        InputError: missing, no plain file, not supported, not 3-D, not grey, too large, several
            volumes; a header that contradicts itself.
        CorruptFileError: cut or damaged.
        ResourceError: it does not fit in memory.
    """
    path = Path(path)
    kind = kind_of(path)
    stored = _stored(path, kind, index, array)
    check_type(stored.values.dtype, path)
    try:
        values, geometry, notes = in_order(stored)
    except UnsoundGeometry as error:
        raise InputError(f"{path}: {error}; correct the header") from None
    check_size(values.shape, path)
    if min(values.shape) < FEWEST:
        raise InputError(
            f"{path}: has {size(values.shape)} voxels (z, y, x); at least {FEWEST} along each are needed"
        )
    values, scale_notes = _true(stored, values, path)
    chosen, size_notes = _with_size(path, geometry, voxel_um)
    notes = [*_name_note(path, kind), *stored.notes, *notes, *scale_notes, *size_notes]
    bone = stored.bone and values.dtype == np.uint8
    return Image(values, chosen, geometry, path, stored.mg_per_cm3, bone, tuple(notes))


def _stored(path: Path, kind: Kind, index: int | None, array: str | None) -> Stored:
    """What the format's reader gives; whatever it stumbles over is one line."""
    given = {"index": index, "array": array}
    for name, value in given.items():
        if value is not None and name not in kind.chooses and value != 0:
            raise InputError(
                f"{path}: is {kind.name}, which holds one {'volume' if name == 'index' else 'array'}; "
                "leave it out", parameter=name,
            )  # fmt: skip
    choice = {name: value for name, value in given.items() if name in kind.chooses}
    try:
        return kind.read(path, **choice)
    except BonesimError:
        raise
    except MemoryError:
        raise ResourceError(f"{path}: does not fit in memory; crop the scan first") from None
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise CorruptFileError(
            f"{path}: cannot be read as {kind.name} ({reason}); the file is damaged; take another copy"
        ) from None


def _name_note(path: Path, kind: Kind) -> list[str]:
    """A note on a name that stands for another kind."""
    named = named_kind(path)
    if path.is_dir() or named is None or named is kind:
        return []
    return [f"its name is that of {named.name}, but its content is {kind.name}, and so it was read"]


def _true(stored: Stored, values: NDArray[Any], path: Path) -> tuple[NDArray[Any], list[str]]:
    """Values in true units, and a note if they are not those stored."""
    scale, offset = stored.scale, stored.offset
    if not np.isfinite([scale, offset]).all() or scale == 0.0:
        raise InputError(f"{path}: its scale {scale:g} and offset {offset:g} are no calibration")
    if (scale, offset) == (1.0, 0.0):
        return values, []
    note = (
        f"true value = {scale:g} x stored + {offset:g} (from the file); thresholds are true values"
    )
    exact = values.dtype.kind in "iu" and float(scale).is_integer() and float(offset).is_integer()
    if exact and values.dtype.itemsize <= 4:
        ends = [int(v) * int(scale) + int(offset) for v in (values.min(), values.max())]
        if max(map(abs, ends)) < 2**31:
            small = np.min_scalar_type(min(ends)) if min(ends) < 0 else np.dtype(np.uint8)
            kind = np.result_type(small, np.min_scalar_type(max(ends)))
            wide = values.astype(np.int64)
            wide *= int(scale)
            wide += int(offset)
            return wide.astype(kind if kind.kind in "iu" else np.int64), [note]
    wide_kind = np.float64 if values.dtype.itemsize > 2 else np.float32
    true = np.empty(values.shape, wide_kind)
    for k in range(len(values)):
        true[k] = values[k].astype(np.float64) * scale + offset
    return true, [note]


def _with_size(
    path: Path, geometry: Geometry, voxel_um: float | None
) -> tuple[Geometry, list[str]]:
    """The geometry with the size that was given, and a note if the header has another.

    Voxels that are no cubes but could be bone's are not made cubes by one number.
    """
    if voxel_um is None:
        return geometry, []
    if not MIN_VOXEL_UM <= voxel_um <= MAX_VOXEL_UM:
        raise InputError(
            f"got {voxel_um:g}; allowed are {MIN_VOXEL_UM:g} to {MAX_VOXEL_UM:g} um",
            parameter="voxel_um",
        )
    spacing = geometry.spacing_um
    new = geometry.with_spacing(voxel_um)
    if spacing is None:
        return new, [f"voxels are {voxel_um:g} um as given; {geometry.missing}"]
    if all(abs(step - voxel_um) <= 1e-4 * voxel_um for step in spacing):
        return new, []
    possible = all(MIN_VOXEL_UM <= step <= MAX_VOXEL_UM for step in spacing)
    if possible and max(spacing) > min(spacing) * (1.0 + SAME_SHARE):
        return geometry, []
    z, y, x = spacing
    return new, [
        f"voxels are {voxel_um:g} um as given, not the {x:g} x {y:g} x {z:g} um of the header"
    ]
