"""Bone to measure: the snapshots of a run, a scan at its own voxel size, or an array."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.specimens.image import read_image
from bonesim.specimens.scan import ScanParameters, quanta_of_grey, read_grey
from bonesim.storage.reader import Run
from bonesim.units import FULL


class Bone(NamedTuple):
    """One block of bone, not cleaned.

    Attributes:
        quanta: uint8, shape (nz, ny, nx), 255: all of the voxel is bone.
        voxel_um: edge of a voxel.
        mineral: uint8, same shape, 255: fully mineralised; None if not known.
        day: of a run; None for other bone.
        source: where it is from, for messages; "" for an array.
        notes: what was done to it, one line each.
    """

    quanta: NDArray[np.uint8]
    voxel_um: float
    mineral: NDArray[np.uint8] | None = None
    day: int | None = None
    source: str = ""
    notes: tuple[str, ...] = ()


def bones_of_run(run: Run) -> Iterator[Bone]:
    """The snapshots of a run, read one after the other.

    Raises:
        InputError: there is none yet.
    """
    if not run.snapshot_days:
        raise InputError(f"{run.path}: holds no snapshot yet, nothing to measure; let it run on")
    for day in run.snapshot_days:
        mineral = run.field("mineral", day)
        yield Bone(run.quanta(day), run.voxel_um, mineral, day, f"{run.path}: day {day}")


def bone_of_scan(scan: ScanParameters, *, partial_volume: bool) -> Bone:
    """A scan at its own voxel size; nothing is resampled or cleaned.

    Args:
        scan: file, voxel size, threshold.
        partial_volume: the surface lies between voxels where the grey values reach the threshold
            (`quanta_of_grey`); else a voxel is all bone or none.

    Raises:
        InputError: the scan, its voxel size or threshold do not do.
        CorruptFileError: a damaged file.
    """
    grey = read_grey(scan)
    if partial_volume:
        quanta = quanta_of_grey(grey.values, grey.threshold, grey.voxel_um, grey.voxel_um)
        note = f"bone at {grey.threshold:g} or more"
    else:
        quanta = (grey.values >= grey.threshold).astype(np.uint8) * np.uint8(FULL)
        note = f"voxels at {grey.threshold:g} or more are bone, fully mineralised"
    return Bone(quanta, grey.voxel_um, None, None, scan.path, (*grey.notes, note))


def region_of_image(path: Path, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The region of interest: where an image is not 0.

    Raises:
        InputError: no image, of another size, or nothing in it.
    """
    return np.asarray(labels_of_image(path, shape) != 0)


def labels_of_image(path: Path, shape: tuple[int, ...]) -> NDArray[Any]:
    """An image that marks regions by their labels, 0 outside.

    Raises:
        InputError: no image, of another size, or nothing in it.
    """
    values = read_image(path).values
    if values.shape != shape:
        mask, image = (" x ".join(map(str, s[::-1])) for s in (values.shape, shape))
        raise InputError(
            f"{path}: the region has {mask} voxels (x, y, z) but the bone {image}; they must match"
        )
    if not np.any(values != 0):
        raise InputError(f"{path}: the region is 0 everywhere; mark what to measure")
    return values
