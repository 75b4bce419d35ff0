"""Which day and which part of a run's lattice is shown or exported, from what a user gives."""

from collections.abc import Sequence

from bonesim.errors import InputError
from bonesim.specimens.crop import checked_ends, crop_fields, ends_in_voxels
from bonesim.storage.reader import Run
from bonesim.viewer.surface import Box, whole

#: The slab that is the entire lattice.
WHOLE = "whole"


def part_of(run: Run, part: str | Sequence[float] | None, parameter: str = "crop") -> Box:
    """Voxel ranges of a part of the lattice.

    Args:
        run: an open run file.
        part: "x0:x1,y0:y1,z0:z1" in voxels, or with mm behind it; six numbers in voxels; "whole" or
            None: all of it.
        parameter: its name, for messages.

    Raises:
        InputError: no such text, beyond the lattice, or fewer than three voxels along an axis.
    """
    if part is None or part == WHOLE:
        return whole(run.shape)
    fields = crop_fields(part, parameter)
    try:
        for ends in fields.values():
            checked_ends(ends)
    except ValueError as error:
        raise InputError(str(error), parameter=parameter) from None
    voxels = fields.get("crop_voxel")
    return ends_in_voxels(
        run.shape, None if voxels is None else [int(end) for end in voxels], fields.get("crop_mm"),
        run.voxel_um, run.path,
    )  # fmt: skip


def snapshot_day(run: Run, day: int | None) -> int:
    """A day with a snapshot; the last one if None.

    Raises:
        InputError: there is none yet, or none on that day.
    """
    days = run.snapshot_days
    if not days:
        raise InputError(f"{run.path}: holds no snapshot yet; let the run go on")
    if day is None:
        return days[-1]
    if day not in days:
        raise InputError(
            f"{run.path}: no snapshot of day {day}; there are {', '.join(map(str, days))}",
            parameter="day",
        )
    return day
