"""Bone to measure: the snapshots of a run, a scan at its own voxel size, or an array."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.images.alignment import onto_grid
from bonesim.images.geometry import Geometry, Grid
from bonesim.images.reading import read_image
from bonesim.specimens.scan import ScanParameters, quanta_at, read_grey, where_bone_is
from bonesim.storage.reader import Run
from bonesim.units import FULL


class Bone(NamedTuple):
    """One block of bone, not cleaned.

    Attributes:
        quanta: uint8, shape (nz, ny, nx), 255: all of the voxel is bone.
        voxel_um: edge of a voxel.
        mineral: uint8, same shape, 255: fully mineralised; None if not known.
        stock: uint8, same shape: what cells took and are to put back; None if not known.
        day: of a run; None for other bone.
        source: where it is from, for messages; "" for an array.
        notes: what was done to it, one line each.
        grid: what regions of it have to fit, if it is from a file.
        crop: takes its part out of an array of the whole image; None: it is all of it.
    """

    quanta: NDArray[np.uint8]
    voxel_um: float
    mineral: NDArray[np.uint8] | None = None
    stock: NDArray[np.uint8] | None = None
    day: int | None = None
    source: str = ""
    notes: tuple[str, ...] = ()
    grid: Grid | None = None
    crop: Callable[..., tuple[NDArray[Any], str]] | None = None


def bones_of_run(run: Run) -> Iterator[Bone]:
    """The snapshots of a run, read one after the other.

    Raises:
        InputError: there is none yet.
    """
    if not run.snapshot_days:
        raise InputError(f"{run.path}: holds no snapshot yet, nothing to measure; let it run on")
    for day in run.snapshot_days:
        mineral = run.field("mineral", day)
        stock = run.field("stock", day) if any(f.name == "stock" for f in run.fields) else None
        source = f"{run.path}: day {day}"
        yield Bone(run.quanta(day), run.voxel_um, mineral, stock, day, source)


def bone_of_scan(scan: ScanParameters, *, partial_volume: bool) -> Bone:
    """A scan at its own voxel size; nothing is resampled or cleaned.

    Args:
        scan: file, voxel size, threshold.
        partial_volume: the surface lies between voxels where the grey values reach the threshold
            (`quanta_at`); else a voxel is all bone or none.

    Raises:
        InputError: the scan, its voxel size or threshold do not do.
        CorruptFileError: a damaged file.
    """
    grey = read_grey(scan)
    where = where_bone_is(grey)
    if partial_volume:
        quanta = quanta_at(grey, grey.voxel_um)
        note = f"bone {where}"
    else:
        quanta = (grey.values >= grey.threshold).astype(np.uint8) * np.uint8(FULL)
        note = f"voxels {where} are bone, fully mineralised"
    return Bone(
        quanta,
        grey.voxel_um,
        source=scan.path,
        notes=(*grey.notes, note),
        grid=grey.grid,
        crop=grey.crop,
    )


def grid_of_run(run: Run) -> Grid:
    """What regions of a run have to fit: its lattice."""
    z, y, x = run.shape
    return Grid(Path(run.path).name, (Geometry((z, y, x), (run.voxel_um,) * 3),))


def grid_of_array(bone: Bone) -> Grid:
    """What regions of an array have to fit: its size and voxels."""
    z, y, x = bone.quanta.shape
    return Grid("the array", (Geometry((z, y, x), (bone.voxel_um,) * 3),))


def region_of_image(
    path: Path, grid: Grid, crop: Callable[..., tuple[NDArray[Any], str]] | None = None
) -> tuple[NDArray[np.bool_], list[str]]:
    """The region of interest: where an image is not 0, on the grid of the bone; and notes.

    Args:
        path: of the image.
        grid: of the bone's file.
        crop: of the bone, see `Bone`.

    Raises:
        InputError: no image, another place, or nothing in it.
        CorruptFileError: a damaged file.
    """
    labels, notes = labels_of_image(path, grid, crop)
    return np.asarray(labels != 0), notes


def labels_of_image(
    path: Path, grid: Grid, crop: Callable[..., tuple[NDArray[Any], str]] | None = None
) -> tuple[NDArray[Any], list[str]]:
    """An image that marks regions by their labels, 0 outside, on the grid of the bone; and notes.

    `path`, `grid`, `crop`: as for `region_of_image`.

    Raises:
        InputError: no image, another place, or nothing in it.
        CorruptFileError: a damaged file.
    """
    values, notes = onto_grid(read_image(path), grid, "region")
    if crop is not None:
        values = crop(values, path=path)[0]
    if not np.any(values != 0):
        raise InputError(f"{path}: the region is 0 everywhere; mark what to measure")
    return np.asarray(values), notes
