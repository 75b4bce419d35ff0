"""The panel of a scan, or of every snapshot of a run, as one table, for `bonesim measure`."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.morphometry.panel import measure
from bonesim.specimens.image import read_image
from bonesim.specimens.scan import ScanParameters, quanta_of_grey, read_grey
from bonesim.storage.provenance import version_of
from bonesim.storage.reader import Run

if TYPE_CHECKING:
    import pandas as pd

#: Day of a scan in the table: it has none.
NO_DAY = -1


def of_run(run: Run, roi: Path | None = None) -> "pd.DataFrame":
    """Morphometry of each snapshot, one row per day and measure, with unit and method.

    Args:
        run: the run file.
        roi: image of the lattice's size; measured where it is not 0. Default: all but the rim.

    Raises:
        InputError: there is no snapshot yet; a region that does not fit.
    """
    import pandas as pd

    if not run.snapshot_days:
        raise InputError(f"{run.path}: holds no snapshot yet, nothing to measure; let it run on")
    region = None if roi is None else region_of(roi, run.shape)
    return pd.concat(
        [_rows(run.quanta(day), run.voxel_um, region, roi, day) for day in run.snapshot_days],
        ignore_index=True,
    )


def of_scan(scan: ScanParameters, roi: Path | None = None) -> tuple["pd.DataFrame", list[str]]:
    """Morphometry of a scan at its own voxel size, and what was done to it, one line each.

    Nothing is resampled or cleaned: loose pieces are counted, and Conn.D is purified anyway.

    Raises:
        InputError: the scan, its voxel size or threshold, or the region do not do.
        CorruptFileError: a damaged file.
    """
    grey = read_grey(scan)
    quanta = quanta_of_grey(grey.values, grey.threshold, grey.voxel_um, grey.voxel_um)
    region = None if roi is None else region_of(roi, quanta.shape)
    table = _rows(quanta, grey.voxel_um, region, roi, NO_DAY).drop(columns="day")
    return table, [*grey.notes, f"bone at {grey.threshold:g} or more"]


def region_of(path: Path, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The region of interest: where an image is not 0.

    Raises:
        InputError: no image, of another size, or nothing in it.
    """
    values = read_image(path).values
    if values.shape != shape:
        mask, image = (" x ".join(map(str, s[::-1])) for s in (values.shape, shape))
        raise InputError(
            f"{path}: the region has {mask} voxels (x, y, z) but the bone {image}; they must match"
        )
    region: NDArray[np.bool_] = np.asarray(values != 0)
    if not region.any():
        raise InputError(f"{path}: the region is 0 everywhere; mark what to measure")
    return region


def _rows(
    quanta: NDArray[np.uint8], voxel_um: float, region: NDArray[np.bool_] | None,
    roi: Path | None, day: int,
) -> "pd.DataFrame":  # fmt: skip
    import pandas as pd

    try:
        measures = measure(quanta, voxel_um, region)
    except InputError as error:
        raise InputError(f"{roi}: {error}" if roi else str(error)) from None
    place = "without a rim of 2 voxels" if roi is None else roi.name
    return pd.DataFrame(
        {"day": day, "measure": name, "symbol": one.symbol, "value": one.value, "unit": one.unit,
         "voxel_um": voxel_um, "region": place, "method": one.method,
         "version": f"bonesim {version_of('bonesim')}"}
        for name, one in measures.items()
    )  # fmt: skip


def in_words(table: "pd.DataFrame") -> str:
    """The table for reading: a column for each day, methods in a legend below."""
    symbols = table["symbol"].where(table["symbol"] != "", table["measure"])
    units = table["unit"].map(lambda unit: f" ({unit})" if unit else "")
    names = symbols + units
    days = table["day"].map("day {}".format) if "day" in table else "value"
    wide = (
        table.assign(name=names, column=days)
        .pivot_table("value", "name", "column", sort=False, dropna=False)
        .rename_axis(index=None, columns=None)
    )
    first = table.drop_duplicates("measure")
    width = max(len(name) for name in names)
    legend = [
        f"{name:{width}}  {method}"
        for name, method in zip(names[first.index], first["method"], strict=True)
    ]
    head = f"voxel {first['voxel_um'].iloc[0]:g} um, region {first['region'].iloc[0]}"
    told = wide.to_string(float_format=lambda value: f"{value:.4g}", na_rep="NaN")
    return "\n".join([head, "", told, "", *legend, "", first["version"].iloc[0]])
