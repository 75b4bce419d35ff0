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
from bonesim.viewer import palette, scene
from bonesim.viewer.colouring import Scale
from bonesim.viewer.moments import (
    Moment,
    day_text,
    last_low_day,
    suppressed_spans,
    three_moments,
    weekly_e2,
)
from bonesim.viewer.picture import Drawing
from bonesim.viewer.plots import around_zero, change_percent, last_year
from bonesim.viewer.scale_bar import scale_bar
from bonesim.viewer.scene import AS_IT_IS, LETTERS, Shown
from bonesim.viewer.surface import bone_block

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Rows of each photograph.
HEIGHT_PX = 700
#: The run's days beside the twin's last: one less than fit.
MAX_DAYS = scene.MAX_DAYS - 1
#: Axes of curves: estradiol, BV/TV, difference; a row of them (all from `scene.ROW_MM` on), mm.
CURVES, CURVES_MM = 3, 50.0
#: Text above and below the photographs besides titles and legend, mm.
TEXT_MM = 23.5


class Curve(NamedTuple):
    """How a quantity's difference to the twin is drawn."""

    label: str
    colour: str
    dashes: str
    shape: str


TWIN_NOTE = "the untreated twin has the same bone and random numbers: one draw of chance"
CURVES_AGAINST = {
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


def draw(run: Run, twin: Run, shown: Shown = AS_IT_IS) -> Drawing:
    """The figure, and as CSV the days of both: estradiol, BV/TV, BMD, Tb.Th.

    Args:
        run: an open run file, complete, with a snapshot on each of `moments_of`, or of the chosen days.
        twin: its untreated twin's, with a snapshot of the last of these days.
        shown: up to `MAX_DAYS` days, camera, slab, size.

    Raises:
        InputError: as `moments_of`; no twin of this run; a lattice without bone; what cannot be shown.
    """
    moments = moments_of(run) if shown.days is None else scene.moments_of(run, shown.days)
    if len(moments) > MAX_DAYS:
        raise InputError(
            f"got {len(moments)} days; beside a twin give 1 to {MAX_DAYS}", parameter="days"
        )
    _require_twin(run, twin, moments[-1].day)
    return Drawing(
        _figure(run, twin, moments, shown), {".csv": numbers(run, twin).to_csv(index=False)}
    )


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


def _figure(run: Run, twin: Run, moments: list[Moment], shown: Shown) -> "Figure":
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = [(run, moment.day, moment.name) for moment in moments]
    panels.append((twin, moments[-1].day, "Untreated twin"))
    width = scene.checked_width(shown.width_mm, len(panels))
    box = scene.slab_of(run, shown.slab)
    view = scene.view_of_part(run, box, shown.camera)
    photograph_mm = scene.photograph_height_mm(view, width, len(panels))
    columns = CURVES if width >= scene.ROW_MM else 1
    title = scene.title(run, box, shown, width, TWIN_NOTE)
    handles = Scale("events").handles()
    across = scene.names_across(len(handles), width)
    rows = -(-len(handles) // across) + title.count("\n")
    heights = (
        photograph_mm + TEXT_MM + scene.LINE_MM * rows, CURVES_MM * CURVES / columns
    )  # fmt: skip
    with rc_context(scene.FONT):
        figure = Figure(
            figsize=(width / scene.MM_PER_INCH, sum(heights) / scene.MM_PER_INCH),
            layout="constrained", dpi=scene.DPI, facecolor=palette.BACKGROUND,
        )  # fmt: skip
        FigureCanvasAgg(figure)
        scene.keep_apart(figure)
        top, bottom = np.asarray(figure.subfigures(2, 1, height_ratios=heights))
        blocks = list(top.subplots(1, len(panels), squeeze=False)[0])
        for letter, axis, (one, day, name) in zip(LETTERS, blocks, panels, strict=False):
            block = bone_block(one.quanta(day), one.voxel_um / 1000.0, box)
            scene.put_photograph(axis, block, view, Scale("events"), HEIGHT_PX)
            scene.mark(axis, one, day, box, view)
            words = f"{name}\n{day_text(day)}\n{_bvtv(one, day)}\n{scene.breaks_on(one, day)}"
            axis.set_title(f"$\\bf{{{letter}}}$  {words}", loc="left")
        length = scene.bar_length(view)
        scale_bar(blocks[0], length, scene.bar_text(length), size=7.0)
        top.legend(handles=handles, loc="outside lower center", ncols=across, frameon=False)
        figure.suptitle(f"{title}\n", fontsize=7.5)
        axes = list(np.asarray(bottom.subplots(CURVES // columns, columns)).ravel())
        _draw_curves(axes, run, twin, moments, LETTERS[len(panels) :])
    return figure


def _bvtv(run: Run, day: int) -> str:
    """BV/TV on a day and its change since day 0."""
    found = run.table.set_index("day")["bvtv_percent"]
    now, first = float(found[day]), float(found.iloc[0])
    change = f", change {100.0 * (now / first - 1.0):+.1f} %" if day != found.index[0] else ""
    return f"BV/TV {now:.1f} %{change}"


def _draw_curves(
    axes: list["Axes"], run: Run, twin: Run, moments: list[Moment], letters: str
) -> None:
    """Estradiol and the change of BV/TV of both, and the differences in %; zero is in each."""
    years = run.table["day"].to_numpy(np.float64) / DAYS_PER_YEAR
    e2, bvtv, off = axes
    both = ((twin, "untreated twin", palette.TWIN, "--"), (run, "treated", palette.INK, "-"))
    for one, label, colour, dashes in both:
        style: dict[str, Any] = {"color": colour, "linestyle": dashes, "linewidth": 1.4}
        e2.plot(years, weekly_e2(one), label=label, **style)
        change = change_percent(one.table["bvtv_percent"].to_numpy(np.float64))
        bvtv.plot(years, change, label=label, **style)
    against = changes(run, twin)
    for name, curve in CURVES_AGAINST.items():
        known = against[name].notna()
        off.plot(
            years[known], against[name][known], color=curve.colour, linestyle=curve.dashes,
            marker=curve.shape, markersize=4, linewidth=1.4, label=curve.label, clip_on=False,
        )  # fmt: skip
    e2.set_ylim(0.0, 1.08 * max(float(e2.dataLim.intervaly[1]), 1e-3))
    e2.set_ylabel("pg/mL")
    start = float(run.table["bvtv_percent"].iloc[0])
    titles = (
        "estradiol, weekly mean", f"BV/TV, from {start:.3g} %", "treated against untreated",
    )  # fmt: skip
    for axis, text in ((bvtv, "change since day 0 (%)"), (off, "difference (% of the twin's)")):
        axis.set_ylabel(text)
        around_zero(axis)
    spans = suppressed_spans(run.table["day"].to_numpy(), weekly_e2(run))
    for letter, axis, title in zip(letters, axes, titles, strict=False):
        for first, last in spans:
            axis.axvspan(
                first / DAYS_PER_YEAR, last / DAYS_PER_YEAR, color=palette.SUPPRESSION, zorder=0
            )
        for moment in moments:
            axis.axvline(moment.day / DAYS_PER_YEAR, color=palette.INK, linewidth=0.6, alpha=0.4)
        axis.set_xlabel("years")
        axis.set_xlim(years[0], last_year(years))
        axis.spines[["top", "right"]].set_visible(False)
        # Above the axes: a curve may be anywhere within them.
        axis.legend(
            frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, borderaxespad=0.1,
            handlelength=1.6, columnspacing=1.2,
        )  # fmt: skip
        axis.set_title(f"$\\bf{{{letter}}}$  {title}", loc="left", pad=14.0)
