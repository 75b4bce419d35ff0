"""Snapshots in files of other programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bonesim.api.inputs import AnyRun, opened
from bonesim.storage.durable import failures_explained, write_durably
from bonesim.storage.outputs import check_outputs
from bonesim.storage.reader import Run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["export"]


def export(
    run: AnyRun, output: str | Path, day: int | None = None, *, array: str = "quanta",
    crop: str | Sequence[float] | None = None, events: bool = False, overwrite: bool = False,
) -> "pd.DataFrame":  # fmt: skip
    """Write a snapshot for another program: a surface, an image, or a macro of ParaView.

    Args:
        run: a run file's path, or what `open_run` gives.
        output: file to write; its ending chooses. Surfaces, closed at cut faces: .stl, .ply, .obj (mm)
            and .gltf (metres, y up). Images: .vti (all of the snapshot's), .nrrd and .tif (one).
            .py: a macro that opens the run file itself in ParaView 5.12 or later.
        day: of the snapshot; the last if None.
        array: which image goes into .nrrd or .tif: "quanta" (bone of each voxel in 1/255), "mineral",
            "surface_state", "osteocyte_viability" or "stock".
        crop: part of the lattice, "x0:x1,y0:y1,z0:z1" in voxels or with mm behind it.
        events: also write the holes and cuts that are there, NAME_breaks.csv, with places in mm.
        overwrite: replace files; what is read is never replaced.

    Returns:
        One row: file, format, day, unit of its places, what it holds and how much, its bone as % of the
        part's volume (of a surface: the volume it encloses); `attrs["notes"]` states how it is to be read.

    Raises:
        InputError: no such ending, day, image or part; an output that cannot be written.
        CorruptFileError: a damaged file.
    """
    from bonesim.viewer import exports, paraview, region

    path = Path(output)
    macro = path.suffix.lower() == paraview.ENDING
    file = paraview.FORMAT if macro else exports.format_of(path)
    breaks = path.with_name(f"{path.stem}_breaks.csv")
    source = run.path if isinstance(run, Run) else Path(run)
    check_outputs((path, breaks) if events or macro else (path,), overwrite, (source,))
    with opened(run) as opened_run:
        part = exports.Part(
            opened_run,
            region.snapshot_day(opened_run, day),
            region.part_of(opened_run, crop),
            array,
        )
        exports.check_array(part, file)
        written = file.write(part, path)
        if events or macro:
            with failures_explained(breaks):
                write_durably(breaks, exports.breaks_csv(part).encode())
        return exports.table(part, path, file, written)
