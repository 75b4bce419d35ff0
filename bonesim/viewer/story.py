"""The story of one remodelling unit as a figure: the bone around it before and after, and its days."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bonesim.reports.story import STATUSES
from bonesim.storage.reader import Run
from bonesim.storage.story import BORN, ENDED, SEEN
from bonesim.units import BONE
from bonesim.viewer import palette
from bonesim.viewer.picture import Drawing
from bonesim.viewer.print_size import TWO_COLUMNS_MM, at_print_size, lettered, print_figure
from bonesim.viewer.scale_bar import scale_bar

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Half the edge of the part of bone that is shown, and the bar in it, mm.
REACH_MM, BAR_MM = 0.6, 0.2
HEIGHT_MM = 82.0
#: Kinds of rows that are no events -> marker.
STATES = {BORN: "^", SEEN: "|", ENDED: "v"}
OTHER_MARK = ("#767676", "x")


@at_print_size
def draw(run: Run, bmu: int) -> Drawing:
    """Slices through the unit in the snapshots before and after its events, and its rows by day.

    Raises:
        InputError: no such unit on file.
    """
    table = run.story(bmu)
    figure = print_figure(TWO_COLUMNS_MM, HEIGHT_MM)
    placed = table.dropna(subset=["x_um"])
    places = placed[["x_um", "y_um", "z_um"]].to_numpy() / 1000.0
    final = np.flatnonzero(placed["status"] == "final")
    middle = places[final[0] if final.size else len(places) // 2]
    days = days_around(run.snapshot_days, table["day"].to_numpy())
    axes = figure.subplots(1, len(days) + 1, width_ratios=[1.0] * len(days) + [1.5])
    for letter, axis, day in zip("ab", axes, days, strict=False):
        _slice(axis, run, day, middle, places)
        lettered(axis, letter, f"day {day}, y = {middle[1]:.2f} mm")
    scale_bar(axes[0], BAR_MM, f"{1000 * BAR_MM:g} um", size=7.0)
    _timeline(axes[-1], table)
    lettered(axes[-1], "abc"[len(days)], "what is on file, by day")
    beside = "a" if len(days) == 1 else "a, b"
    figure.suptitle(
        f"BMU {bmu}: {run.title}\n{beside}: x across, z up; dots: its events and fronts, of all days; "
        "filled: within 2 voxels of the slice"
    )
    return Drawing(figure, {".csv": table.to_csv(index=False)})


def days_around(snapshots: list[int], days: NDArray[np.float64]) -> list[int]:
    """The last snapshot not after the first day, and the first not before the last; one if equal."""
    before = [day for day in snapshots if day <= days.min()] or snapshots[:1]
    after = [day for day in snapshots if day >= days.max()] or snapshots[-1:]
    return sorted({before[-1], after[0]})


def _slice(
    axis: "Axes", run: Run, day: int, middle: NDArray[Any], places: NDArray[np.float64]
) -> None:
    """The x-z slice through a place, and where the unit was (within the slice's thickness or not)."""
    voxel_mm = run.voxel_um / 1000.0
    quanta = run.quanta(day)
    row = int(np.clip(middle[1] / voxel_mm, 0, quanta.shape[1] - 1))
    nz, _, nx = quanta.shape
    extent = (0.0, nx * voxel_mm, 0.0, nz * voxel_mm)
    axis.imshow(np.where(quanta[:, row, :, None] >= BONE, *_tones()), origin="lower", extent=extent)
    near = np.abs(places[:, 1] - middle[1]) <= 2 * voxel_mm
    for inside, filled in ((near, palette.INK), (~near, "none")):
        axis.scatter(places[inside, 0], places[inside, 2], s=26, facecolors=filled,
                     edgecolors=palette.INK, linewidths=1.0)  # fmt: skip
    axis.set_xlim(max(middle[0] - REACH_MM, 0.0), min(middle[0] + REACH_MM, extent[1]))
    axis.set_ylim(max(middle[2] - REACH_MM, 0.0), min(middle[2] + REACH_MM, extent[3]))
    axis.set_xticks([])
    axis.set_yticks([])


def _tones() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from matplotlib.colors import to_rgb

    return np.array(to_rgb(palette.CUT_FACE)), np.array(to_rgb(palette.BACKGROUND))


def _timeline(axis: "Axes", table: "pd.DataFrame") -> None:
    """A row of marks for each kind of what is on file."""
    kinds = list(dict.fromkeys(table["what"]))
    for level, kind in enumerate(kinds):
        rows = table[table["what"] == kind]
        mark = palette.EVENTS.get(kind)
        colour, shape = (mark.colour, mark.shape) if mark else OTHER_MARK
        if kind in STATES:
            colour, shape = palette.INK, STATES[kind]
        final = (rows["status"] == "final").to_numpy()
        for days, face in ((rows["day"][~final], "none"), (rows["day"][final], colour)):
            axis.plot(
                days, np.full(len(days), level), linestyle="none", marker=shape, markersize=5,
                color=colour, markerfacecolor=face,
            )  # fmt: skip
    axis.set_yticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds])
    axis.set_ylim(-0.7, len(kinds) - 0.3)
    axis.set_xlabel(f"day\nfilled is {STATUSES['final']}")
    axis.grid(axis="x", color="#e0e0e0")
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
