"""The morphometric panel of a scan, an array, or every snapshot of a run."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.morphometry.closed import closed_measures
from bonesim.morphometry.panel import measure
from bonesim.morphometry.spheres import Progress, part_of
from bonesim.specimens.bones import Bone
from bonesim.storage.program import version_of

if TYPE_CHECKING:
    import pandas as pd

#: More numbers in a region than this are grey values, not labels.
MAX_LABELS = 100


def table(
    bones: Iterable[Bone], region: NDArray[Any] | None = None, name: str = "region",
    *, quick: bool = False, per_label: bool = False, progress: Progress | None = None,
    count: int = 1,
) -> "pd.DataFrame":  # fmt: skip
    """Morphometry, one row per measure (and day, and label), with symbol, unit and method.

    Bone whose open cavities are known (of a run) is measured closed too: `CLOSED`.

    Args:
        bones: what to measure, e.g. `bones_of_run(run)`.
        region: voxels to measure (not 0), of the same shape; all but the rim if None.
        name: what the region is called.
        quick: only the measures that a run takes at each snapshot.
        per_label: measure the voxels of each number in `region` by themselves.
        progress: receives the share of the work that is done.
        count: how many bones there are, for the progress.

    Raises:
        InputError: a block too small, or a region that does not do.
    """
    import pandas as pd

    place = "without a rim of 2 voxels" if region is None else name
    parts: list[pd.DataFrame] = []
    notes: list[str] = []
    labels = _labels(region, per_label)
    total, done = count * len(labels), 0
    for bone in bones:
        for label in labels:
            within = part_of(progress, done / total, (done + 1) / total)
            rows = _rows(
                bone, _marked(region, label), place if label is None else f"{name}, label {label}",
                quick=quick, named=region is not None, progress=within,
            )  # fmt: skip
            if label is not None:
                rows.insert(0, "label", label)
            if bone.day is not None:
                rows.insert(0, "day", bone.day)
            parts.append(rows)
            done += 1
        notes += bone.notes
    found = pd.concat(parts, ignore_index=True)
    found.attrs["notes"] = notes
    return found


def _labels(region: NDArray[Any] | None, per_label: bool) -> list[float | int | None]:
    """The labels to measure, ascending; None alone: all that is not 0.

    Raises:
        InputError: labels are asked for and there is no region, or too many of them.
    """
    if not per_label:
        return [None]
    if region is None:
        raise InputError("needs a region whose numbers are the labels", parameter="per_label")
    labels = np.unique(region[region != 0])
    if labels.size > MAX_LABELS:
        raise InputError(
            f"the region holds {labels.size} different numbers, at most {MAX_LABELS} are measured; "
            "is it a grey image?", parameter="per_label",
        )  # fmt: skip
    return [int(label) if float(label).is_integer() else float(label) for label in labels]


def _marked(region: NDArray[Any] | None, label: float | int | None) -> NDArray[np.bool_] | None:
    """Where a region has a label, or is not 0."""
    if region is None:
        return None
    return np.asarray(region != 0 if label is None else region == label)


def _rows(
    bone: Bone, region: NDArray[np.bool_] | None, place: str, *, quick: bool, named: bool,
    progress: Progress | None,
) -> "pd.DataFrame":  # fmt: skip
    """The measures of one bone in one region."""
    import pandas as pd

    try:
        measures = measure(bone.quanta, bone.voxel_um, region, quick, progress)
        if bone.stock is not None:
            measures |= closed_measures(bone.quanta, bone.stock, bone.voxel_um, region)
    except InputError as error:
        raise InputError(f"{place}: {error}" if named else str(error)) from None
    return pd.DataFrame(
        {"measure": key, "symbol": one.symbol, "value": one.value, "unit": one.unit,
         "voxel_um": bone.voxel_um, "region": place, "method": one.method,
         "version": f"bonesim {version_of('bonesim')}"}
        for key, one in measures.items()
    )  # fmt: skip


def text(table: "pd.DataFrame") -> str:
    """The table as text: a column for each day and label, methods in a legend below."""
    symbols = table["symbol"].where(table["symbol"] != "", table["measure"])
    units = table["unit"].map(lambda unit: f" ({unit})" if unit else "")
    names = symbols + units
    heads = [table[name].map(f"{name} {{}}".format) for name in ("day", "label") if name in table]
    columns = [", ".join(parts) for parts in zip(*heads, strict=True)] if heads else "value"
    wide = (
        table.assign(name=names, column=columns)
        .pivot_table("value", "name", "column", sort=False, dropna=False)
        .rename_axis(index=None, columns=None)
    )
    first = table.drop_duplicates("measure")
    width = max(len(name) for name in names)
    legend = [
        f"{name:{width}}  {method}"
        for name, method in zip(names[first.index], first["method"], strict=True)
    ]
    head = f"voxel {first['voxel_um'].iloc[0]:g} um, region {first['region'].iloc[0].split(', label ')[0]}"
    body = wide.to_string(float_format=lambda value: f"{value:.4g}", na_rep="NaN")
    return "\n".join([head, "", body, "", *legend, "", first["version"].iloc[0]])
