"""Scans: look at one before it is used, and measure many in one table."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bonesim.api.inputs import scan_parameters
from bonesim.errors import BonesimError, InputError
from bonesim.specimens.scan import ScanParameters, read_grey

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

    from bonesim.morphometry.spheres import Progress
    from bonesim.reports.look import RunOnScan
    from bonesim.specimens.scan import Grey

__all__ = ["LookedAt", "look", "measure_files"]


class LookedAt(NamedTuple):
    """What `look` gives.

    Attributes:
        table: one row per quantity; `attrs["notes"]` lists what was done to the image.
        figure: slices, histogram, BV/TV against threshold.
    """

    table: "pd.DataFrame"
    figure: "Figure"


def look(
    scan: str | Path, output: str | Path | None = None, *, voxel_um: float | None = None,
    threshold: float | None = None, threshold_mg: float | None = None,
    density_slope: float | None = None, density_intercept: float | None = None,
    crop: "str | Sequence[float] | None" = None, smooth_voxel: float | None = None,
    index: int | None = None, array: str | None = None, overwrite: bool = False,
) -> LookedAt:  # fmt: skip
    """A scan before it is used: slices, grey values, thresholds, BV/TV, what a run would cost.

    Args:
        scan: path of an image or of a folder of slices.
        output: PNG to write, with the curves as CSV beside it; none if None.
        voxel_um: edge of a voxel, um, for an image whose header has none.
        threshold: grey value of bone; Otsu's if None. Otsu's, Li's and IsoData's are shown as well.
        threshold_mg: instead of it, mgHA/cm3, for a calibrated image.
        density_slope, density_intercept: calibration instead of the file's (mgHA/cm3 for each grey
            value, and at grey value 0).
        crop: "x0:x1,y0:y1,z0:z1" in voxels, or with mm behind it.
        smooth_voxel: SD of a Gaussian on the grey values first, voxels.
        index: which volume of a file with several, from 0.
        array: which array of a VTI file with several.
        overwrite: replace the picture if it exists.

    Returns:
        (table, figure).

    Raises:
        InputError: an image or argument that will not do. CorruptFileError: a damaged file.
    """
    from bonesim.reports import look as report
    from bonesim.viewer import look as picture
    from bonesim.viewer.picture import check_picture, save

    if output is not None:
        check_picture(Path(output), overwrite=overwrite, inputs=(Path(scan),))
    parameters = scan_parameters(
        scan, crop, voxel_um=voxel_um, threshold=threshold, threshold_mg=threshold_mg,
        density_slope=density_slope, density_intercept=density_intercept, smooth_voxel=smooth_voxel,
        index=index, array=array,
    )  # fmt: skip
    grey = read_grey(parameters)
    given = threshold is not None or threshold_mg is not None
    looked = report.looked_at(grey, Path(scan), given=given)
    cost = cost_of_run(grey, parameters)
    drawing = picture.draw(looked, cost)
    if output is not None:
        save(drawing, Path(output), overwrite=overwrite, inputs=(Path(scan),))
    return LookedAt(report.table(looked, cost), drawing.figure)


def cost_of_run(grey: "Grey", parameters: ScanParameters) -> "RunOnScan":
    """What a year of a run on a scan would take with the defaults of a configuration."""
    import math

    from bonesim.config.config import validated
    from bonesim.engine.cost import cost_of, size_of_read_scan, speed
    from bonesim.reports.look import RunOnScan

    try:
        size = size_of_read_scan(parameters, grey)
    except InputError as error:
        reason = str(error).removeprefix(f"{parameters.path}: ")
        return RunOnScan(math.nan, math.nan, math.nan, math.nan, f"cannot be simulated: {reason}")
    config = validated({"schedule": {"duration_day": 365}}, "a year with the defaults")
    cost = cost_of(size, config)
    same = size.voxel_um == grey.voxel_um
    note = "" if same else f"resampled from {grey.voxel_um:g} to {size.voxel_um:g} um"
    minutes = (cost.days_seconds + cost.solves_seconds) / speed() / 60.0
    return RunOnScan(size.voxels, size.voxel_um, cost.memory_bytes / 1e9, minutes, note)


def measure_files(
    files: Iterable[str | Path], *, mechanics: bool = False, progress: "Progress | None" = None,
    **options: Any,
) -> "pd.DataFrame":  # fmt: skip
    """Structure, or stiffness and strength, of many files in one table, one group of rows each.

    Args:
        files: run files, images, folders of slices.
        mechanics: as `measure_stiffness` instead of `measure`.
        progress: receives the share of the measures that are done, 0..1.
        options: of that function, the same for all files.

    Returns:
        Its table with a first column `file`; `attrs["notes"]` are (file, note), `attrs["failures"]`
        (file, error) of the files that could not be measured.

    Raises:
        BonesimError: none of them could be measured: the first one's.
    """
    import pandas as pd

    from bonesim.api.look import measure, measure_stiffness
    from bonesim.morphometry.spheres import part_of

    files = list(files)
    tables, notes = [], []
    failures: list[tuple[str, BonesimError]] = []
    for number, file in enumerate(files):
        name = str(file)
        if progress is not None and not mechanics:
            options["progress"] = part_of(progress, number / len(files), (number + 1) / len(files))
        try:
            one: Any = (measure_stiffness if mechanics else measure)(file, **options)
        except BonesimError as error:
            failures.append((name, error))
            continue
        notes += [(name, note) for note in one.attrs["notes"]]
        one.insert(0, "file", name)
        tables.append(one)
    if not tables:
        raise failures[0][1] if failures else InputError("got none", parameter="files")
    table = pd.concat(tables, ignore_index=True)
    table.attrs.update(notes=notes, failures=failures)
    return table
