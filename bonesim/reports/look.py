"""A scan before it is used: its grey values, thresholds, BV/TV against threshold, size."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.specimens.density import UNIT
from bonesim.specimens.scan import Grey, otsu

if TYPE_CHECKING:
    import pandas as pd

#: Bins of the histogram and points of the curve.
BINS = 256
#: Voxels that the iterative methods see, evenly spaced; of smaller images all.
_SAMPLED = 2_000_000


class Threshold(NamedTuple):
    """A threshold by one method.

    Attributes:
        name: "given", "Otsu", "Li" or "IsoData".
        grey: grey value.
        bvtv_percent: share of voxels at or above it.
        method: where it is from.
    """

    name: str
    grey: float
    bvtv_percent: float
    method: str


class Looked(NamedTuple):
    """What there is to see of a scan.

    Attributes:
        name: of the file.
        grey: the grey values, and the threshold that counts.
        thresholds: the one that counts first.
        edges: (n + 1,) grey values between the bins.
        share_percent: (n,) of the voxels in each bin.
        bvtv_percent: (n + 1,) share of voxels at or above each edge.
    """

    name: str
    grey: Grey
    thresholds: tuple[Threshold, ...]
    edges: NDArray[np.float64]
    share_percent: NDArray[np.float64]
    bvtv_percent: NDArray[np.float64]


class RunOnScan(NamedTuple):
    """What a run on the scan would take; NaN if it cannot be simulated, with the reason.

    Attributes:
        voxels: of the lattice, after resampling.
        voxel_um: their edge.
        memory_gb: of the process at its peak.
        minutes_per_year: of computing, for each simulated year, on one core.
        note: on the resampling, or why there can be no run.
    """

    voxels: float
    voxel_um: float
    memory_gb: float
    minutes_per_year: float
    note: str


def looked_at(grey: Grey, path: Path, *, given: bool) -> Looked:
    """Histogram, thresholds and BV/TV curve of a scan.

    Args:
        grey: of `read_grey`.
        path: for messages.
        given: the threshold of `grey` is the user's, not Otsu's; of a mask none counts.

    Raises:
        InputError: every voxel has the same grey value.
    """
    from skimage.filters import threshold_isodata, threshold_li

    values = grey.values
    low, high = float(values.min()), float(values.max())
    whole = bool((values == np.rint(values)).all())
    some = values.ravel()[:: values.size // _SAMPLED | 1]
    given = given and not grey.mask
    automatic = otsu(values, path) if given else grey.threshold
    found = [
        *([("given", grey.threshold, "as given")] if given else []),
        ("Otsu", automatic, "Otsu 1979"),
        ("Li", float(threshold_li(some)), "Li 1998"),  # type: ignore[no-untyped-call]
        ("IsoData", float(threshold_isodata(some)), "Ridler 1978"),  # type: ignore[no-untyped-call]
    ]
    thresholds = tuple(Threshold(n, at, _at_least(values, at), method) for n, at, method in found)
    if whole:
        # As many grey values in every bin: else some bins hold one more, or none.
        step = np.ceil((high - low + 1.0) / BINS)
        edges = np.arange(low - 0.5, high + step, step)
    else:
        edges = np.linspace(low, high, BINS + 1)
    counts = np.histogram(values, edges)[0]
    share = 100.0 * counts / values.size
    above = np.append(np.cumsum(share[::-1])[::-1], 0.0)
    return Looked(path.name, grey, thresholds, edges, share, above)


def is_mask(values: NDArray[np.float32]) -> bool:
    """Whether every voxel has one of two values."""
    return bool(((values == values.min()) | (values == values.max())).all())


def _at_least(values: NDArray[np.float32], threshold: float) -> float:
    """Share of voxels at or above a threshold, %."""
    return 100.0 * int(np.count_nonzero(values >= np.float32(threshold))) / values.size


def table(looked: Looked, cost: RunOnScan) -> "pd.DataFrame":
    """One row per quantity: size, grey values, thresholds with BV/TV and density, cost of a run.

    `attrs["notes"]` lists what was done to the image, `attrs["bone"]` has the voxel size and the
    threshold for a run on it: nothing if it cannot be simulated, no threshold if it is a mask.
    """
    import pandas as pd

    grey = looked.grey
    z, y, x = grey.values.shape
    rows: list[tuple[str, float, str, str]] = [
        *((f"size_{axis}", n * grey.voxel_um / 1e3, "mm", f"{n} voxels")
          for axis, n in (("x", x), ("y", y), ("z", z))),
        ("voxel", grey.voxel_um, "um", ""),
        ("grey_min", float(grey.values.min()), "", ""),
        ("grey_mean", float(grey.values.mean(dtype=np.float64)), "", ""),
        ("grey_max", float(grey.values.max()), "", ""),
    ]  # fmt: skip
    for one in looked.thresholds:
        name = one.name.lower()
        rows.append((f"threshold_{name}", one.grey, "", one.method))
        if grey.calibration is not None:
            density = grey.calibration.density(one.grey)
            rows.append((f"threshold_{name}_density", density, UNIT, grey.calibration.source))
        rows.append((f"bvtv_{name}", one.bvtv_percent, "%", "voxels at the threshold or above"))
    rows += [
        ("run_voxels", cost.voxels, "voxels", cost.note),
        ("run_voxel", cost.voxel_um, "um", ""),
        ("run_memory", cost.memory_gb, "GB", "about, peak"),
        ("run_minutes_per_year", cost.minutes_per_year, "min", "about, one core, a simulated year"),
    ]
    made = pd.DataFrame(rows, columns=["quantity", "value", "unit", "note"])
    made.attrs["notes"] = list(grey.notes)
    made.attrs["bone"] = {"voxel_um": grey.voxel_um} if cost.voxels > 0 else {}
    if made.attrs["bone"] and not (grey.mask or grey.quanta):
        made.attrs["bone"]["threshold"] = grey.threshold
    return made


def curve(looked: Looked) -> "pd.DataFrame":
    """The numbers behind the picture: BV/TV at each edge and the share of the bin above it."""
    import pandas as pd

    made = pd.DataFrame({"threshold": looked.edges, "bvtv_percent": looked.bvtv_percent})
    if looked.grey.calibration is not None:
        made.insert(1, "threshold_mg_per_cm3", looked.grey.calibration.density(looked.edges))
    made["voxels_in_bin_percent"] = np.append(looked.share_percent, np.nan)
    return made


def _rounded(quantity: str, value: float) -> str:
    """A number for reading: a cost is an estimate, of two digits; voxels are counted."""
    if quantity == "run_voxels":
        return f"{value:,.0f}"
    estimate = quantity in ("run_memory", "run_minutes_per_year")
    return f"{float(f'{value:.2g}'):.12g}" if estimate else f"{value:.6g}"


def text(table: "pd.DataFrame") -> str:
    """The table as text."""
    columns: list[list[str]] = [
        table["quantity"].tolist(), list(map(_rounded, table["quantity"], table["value"])),
        table["unit"].tolist(), table["note"].tolist(),
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in columns]
    return "\n".join(
        f"{name:{widths[0]}}  {value:>{widths[1]}}  {unit:{widths[2]}}  {note}".rstrip()
        for name, value, unit, note in zip(*columns, strict=True)
    )
