"""The picture of a run and its untreated twin: the bone on three days, the twin's, and their curves.

All four blocks are drawn with one camera and one scale. The twin is beside the run because bone also
changes without treatment: what the eye sees between two days alone is not the treatment's effect.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.reports.against_twin import changes
from bonesim.storage.reader import Run
from bonesim.units import DAYS_PER_YEAR
from bonesim.viewer import palette
from bonesim.viewer.markers import marked_breaks, richest_slab
from bonesim.viewer.moments import (
    Moment,
    day_text,
    last_low_day,
    suppressed_spans,
    three_moments,
    weekly_e2,
)
from bonesim.viewer.picture import Drawing
from bonesim.viewer.scale_bar import scale_bar
from bonesim.viewer.scene import legend, photographed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Inches: the width of two columns of a journal, and a half more.
SIZE_INCH = (10.4, 6.9)
DPI = 200
#: Rows of each photograph.
HEIGHT_PX = 560
#: Thickness of the slab drawn.
SLAB_MM = 1.6
BAR_MM = 0.5


class Curve(NamedTuple):
    """How a quantity's difference to the twin is drawn."""

    label: str
    colour: str
    dashes: str
    shape: str


CURVES = {
    "bvtv_percent": Curve("BV/TV", palette.BVTV, "-", ""),
    "bmd_mg_per_cm3": Curve("BMD", palette.BMD, "-", ""),
    "tb_th_um": Curve("Tb.Th", palette.THICKNESS, ":", "o"),
}


def moments_of(run: Run) -> list[Moment]:
    """Before, end of suppression, after recovery.

    Raises:
        InputError: estradiol does not fall and return between snapshots.
    """
    try:
        return moments_in(run.table["day"].to_numpy(), weekly_e2(run), run.snapshot_days)
    except InputError as error:
        raise InputError(f"{run.path}: {error}") from None


def moments_in(
    day: NDArray[np.int64], e2_pg_per_ml: NDArray[np.float64], snapshot_days: Sequence[int]
) -> list[Moment]:
    """As `moments_of`, from estradiol on each day."""
    moments = three_moments(day, e2_pg_per_ml, list(snapshot_days))
    if last_low_day(day, e2_pg_per_ml) is None or len(moments) != 3:
        raise InputError(
            "estradiol must fall after day 0 and return, with a snapshot on day 0, at the end of the "
            f"fall and after the return; snapshots are on days {', '.join(map(str, snapshot_days))}"
        )
    return moments


def draw(run: Run, twin: Run) -> Drawing:
    """The figure, and as CSV the days of both: estradiol, BV/TV, BMD, Tb.Th.

    Args:
        run: an open run file, complete, with a snapshot on each of `moments_of`.
        twin: its untreated twin's.

    Raises:
        InputError: as `moments_of`; no twin of this run; a lattice without bone.
    """
    _require_twin(run, twin, moments_of(run)[-1].day)
    return Drawing(_figure(run, twin), {".csv": numbers(run, twin).to_csv(index=False)})


def _require_twin(run: Run, twin: Run, day: int) -> None:
    """Refuse a file that is no twin: both have the same bone on day 0, and a snapshot on `day`."""
    days = twin.snapshot_days
    if (twin.shape, twin.voxel_um) != (run.shape, run.voxel_um):
        reason = "has another lattice"
    elif 0 in days and not np.array_equal(run.quanta(0), twin.quanta(0)):
        reason = "has another bone on day 0"
    elif not {0, day} <= set(days):
        reason = f"has no snapshot of day {day if 0 in days else 0}"
    else:
        return
    raise InputError(f"{twin.path}: {reason}: it is no twin of {run.path}", parameter="twin")


def numbers(run: Run, twin: Run) -> "pd.DataFrame":
    """The numbers behind the curves, one row a day: run, twin and difference in %."""
    import pandas as pd

    found = {"day": run.table["day"]}
    for name in ("e2_pg_per_ml", "bvtv_percent", "bmd_mg_per_cm3"):
        found[name] = run.table[name]
        found[f"twin_{name}"] = twin.table[name]
    off = changes(run, twin)
    names = {"bvtv_percent": "bvtv_difference_percent", "bmd_mg_per_cm3": "bmd_difference_percent",
             "tb_th_um": "tb_th_difference_percent"}  # fmt: skip
    return pd.DataFrame(found).merge(off.rename(columns=names), on="day")


def _figure(run: Run, twin: Run) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    moments = moments_of(run)
    before, end, after = moments
    voxel_mm = run.voxel_um / 1000.0
    box = richest_slab(marked_breaks(run, run.snapshot_days[-1]), run.shape, voxel_mm, SLAB_MM)
    figure = Figure(SIZE_INCH, layout="constrained", dpi=DPI, facecolor=palette.BACKGROUND)
    FigureCanvasAgg(figure)
    top, bottom = np.asarray(figure.subfigures(2, 1, height_ratios=(1.5, 1.0)))
    blocks = list(top.subplots(1, 4))
    panels = (
        (run, before, "Before"), (run, end, "End of suppression"),
        (run, after, "After recovery"), (twin, after, "Untreated twin"),
    )  # fmt: skip
    for axis, (one, moment, name) in zip(blocks, panels, strict=True):
        photographed(axis, one, moment.day, box, HEIGHT_PX)
        axis.set_title(f"{name}\n{day_text(moment.day)}\n{_caption(one, moment.day)}", fontsize=9.5)
    scale_bar(blocks[0], BAR_MM, f"{BAR_MM:g} mm")
    legend(top, "events", suppression=True)
    figure.suptitle(_title(run), fontsize=10.5)
    _draw_curves(list(bottom.subplots(1, 3)), run, twin, moments)
    return figure


def _caption(run: Run, day: int) -> str:
    """BV/TV and the breaks there on a day."""
    table = run.table
    bvtv = float(table["bvtv_percent"][table["day"] == day].iloc[0])
    breaks = len(marked_breaks(run, day))
    return f"BV/TV {bvtv:.2f} %, {breaks} break{'' if breaks == 1 else 's'}"


def _title(run: Run) -> str:
    size = " x ".join(f"{n * run.voxel_um / 1000.0:.1f}" for n in reversed(run.shape))
    return (
        f"{run.config['title']}\n"
        f"one block of {size} mm, voxel {run.voxel_um:g} um; its twin has the same bone and random "
        "numbers: one draw of chance"
    )


def _draw_curves(axes: list["Axes"], run: Run, twin: Run, moments: list[Moment]) -> None:
    """Estradiol and BV/TV of both, and the differences in %."""
    years = run.table["day"].to_numpy(np.float64) / DAYS_PER_YEAR
    e2, bvtv, off = axes
    both = ((twin, "untreated twin", palette.TWIN, "--"), (run, "treated", palette.INK, "-"))
    for one, label, colour, dashes in both:
        style: dict[str, Any] = {
            "color": colour,
            "linestyle": dashes,
            "linewidth": 1.6,
            "label": label,
        }
        e2.plot(years, weekly_e2(one), **style)
        bvtv.plot(years, one.table["bvtv_percent"], **style)
    e2.set_ylim(bottom=0.0)
    e2.set_ylabel("estradiol, week's mean (pg/mL)")
    bvtv.set_ylabel("BV/TV (%)")
    off.set_ylabel("difference to the twin (%)")
    off.axhline(0.0, color=palette.INK, linewidth=0.8)
    against = changes(run, twin)
    for name, curve in CURVES.items():
        known = against[name].notna()
        off.plot(
            years[known], against[name][known], color=curve.colour, linestyle=curve.dashes,
            marker=curve.shape, markersize=5, linewidth=1.6, label=curve.label,
        )  # fmt: skip
    spans = suppressed_spans(run.table["day"].to_numpy(), weekly_e2(run))
    for axis in axes:
        for first, last in spans:
            axis.axvspan(
                first / DAYS_PER_YEAR, last / DAYS_PER_YEAR, color=palette.SUPPRESSION, zorder=0
            )
        for moment in moments:
            axis.axvline(moment.day / DAYS_PER_YEAR, color=palette.INK, linewidth=0.6, alpha=0.4)
        axis.set_xlabel("years")
        axis.set_xlim(years[0], max(np.ceil(10.0 * years[-1]) / 10.0, 0.1))
        axis.spines[["top", "right"]].set_visible(False)
        # Above the axes: a curve may be anywhere within them.
        axis.legend(
            frameon=False, fontsize=8.5, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3,
            borderaxespad=0.1,
        )  # fmt: skip
        axis.tick_params(labelsize=8.5)
