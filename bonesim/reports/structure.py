"""The morphometric panel of a scan, an array, or every snapshot of a run."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.morphometry.panel import measure
from bonesim.specimens.bones import Bone
from bonesim.storage.program import version_of

if TYPE_CHECKING:
    import pandas as pd


def table(
    bones: Iterable[Bone], region: NDArray[np.bool_] | None = None, name: str = "region",
    *, quick: bool = False,
) -> "pd.DataFrame":  # fmt: skip
    """Morphometry, one row per measure (and day, of a run), with symbol, unit and method.

    Args:
        bones: what to measure, e.g. `bones_of_run(run)`.
        region: voxels to measure, of the same shape; all but the rim if None.
        name: what the region is called.
        quick: only the measures that a run takes at each snapshot.

    Raises:
        InputError: a block too small, or a region that does not do.
    """
    import pandas as pd

    place = "without a rim of 2 voxels" if region is None else name
    parts: list[pd.DataFrame] = []
    notes: list[str] = []
    for bone in bones:
        try:
            measures = measure(bone.quanta, bone.voxel_um, region, quick)
        except InputError as error:
            raise InputError(f"{name}: {error}" if region is not None else str(error)) from None
        rows = pd.DataFrame(
            {"measure": key, "symbol": one.symbol, "value": one.value, "unit": one.unit,
             "voxel_um": bone.voxel_um, "region": place, "method": one.method,
             "version": f"bonesim {version_of('bonesim')}"}
            for key, one in measures.items()
        )  # fmt: skip
        if bone.day is not None:
            rows.insert(0, "day", bone.day)
        parts.append(rows)
        notes += bone.notes
    found = pd.concat(parts, ignore_index=True)
    found.attrs["notes"] = notes
    return found


def text(table: "pd.DataFrame") -> str:
    """The table as text: a column for each day, methods in a legend below."""
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
    body = wide.to_string(float_format=lambda value: f"{value:.4g}", na_rep="NaN")
    return "\n".join([head, "", body, "", *legend, "", first["version"].iloc[0]])
