"""The picture of two arms: the bone of one pair at equal days, both courses, and their differences.

All blocks are of one pair, one slab, one camera and one scale. With colour "difference" the surface of A
is coloured where B has no bone beneath it, and that of B where A has none: two bones that look alike
differ there.
"""

from collections.abc import Iterator
from itertools import cycle
from string import ascii_lowercase
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.analysis.statistics import mean_and_ci, welch
from bonesim.errors import InputError
from bonesim.reports.pairs import QUANTITIES, Paired, design_text, differing, listed, long
from bonesim.storage.reader import Run
from bonesim.units import DAYS_PER_YEAR, unit_of
from bonesim.viewer import palette
from bonesim.viewer.moments import day_text, suppressed_spans, weekly_e2
from bonesim.viewer.pair_blocks import (
    HEIGHT_PX,
    IN_BOTH,
    LINE_MM,
    blocks_height_mm,
    grid_of,
    painted,
    put_block,
    shown_days,
    slab_of_pair,
)
from bonesim.viewer.picture import Drawing
from bonesim.viewer.print_size import TWO_COLUMNS_MM, at_print_size, keep_ticks, print_figure
from bonesim.viewer.scale_bar import scale_bar
from bonesim.viewer.scene import legend, photographed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("difference", "events", "surface_state", "none")
#: Height of the curves, mm.
CURVES_MM = 66.0
BAR_MM = 0.5
#: Characters of the title across; of the names above a panel, in one row.
ACROSS, ABOVE = 125, 28
#: Differences drawn beside each other, if they are in the table.
FOREST = ("bvtv_percent", "bmd_mg_per_cm3", "tb_th_um", "tb_sp_um")
#: Colours of A and B in curves, and on the surface.
OF_A, OF_B = palette.INK, palette.TWIN
ONLY_A, ONLY_B = (palette.SIDES[name][1] for name in ("run", "twin"))
#: Marks of days in the panel of differences: shape and colour.
DAYS = (("o", "#0072B2"), ("s", "#D55E00"), ("^", "#009E73"), ("D", "#CC79A7"))
#: Width of a line, points; with fewer days than these a line has marks.
LINE, FEW_DAYS = 1.2, 15


class Courses(NamedTuple):
    """A quantity of A and B against day; rows of A and B are members, columns days."""

    name: str
    a: "pd.DataFrame"
    b: "pd.DataFrame"


@at_print_size
def draw(what: Paired, table: "pd.DataFrame", colour: str = "difference") -> Drawing:
    """The figure, the table as CSV, and as CSV the numbers of the curves.

    Args:
        what: of `reports.pairs.paired`.
        table: of `reports.pairs.table`.
        colour: one of `COLOURS`.

    Raises:
        InputError: an unknown colour; a lattice without bone.
    """
    if colour not in COLOURS:
        raise InputError(
            f"{colour!r} is not known; one of {', '.join(COLOURS)}", parameter="colour"
        )
    courses = _courses(what, table)
    beside = {
        ".csv": table.to_csv(index=False),
        "_curves.csv": _numbers(courses).to_csv(index=False),
    }
    return Drawing(_figure(what, table, courses, colour), beside, _description(what, table))


def _courses(what: Paired, table: "pd.DataFrame") -> Courses:
    """The first quantity of the table against day, of all members."""
    names = list(dict.fromkeys(table["quantity"]))
    name = next((one for one in names if unit_of(one)), names[0])
    a, b = (
        long(side).pivot_table(index="pair", columns="day", values=name).astype(float)
        for side in (what.a, what.b)
    )
    return Courses(name, a, b)


def _numbers(courses: Courses) -> "pd.DataFrame":
    """Columns side, pair, day and the quantity."""
    import pandas as pd

    parts = []
    for side, wide in (("A", courses.a), ("B", courses.b)):
        one = wide.reset_index().melt("pair", value_name=courses.name).dropna()
        one.insert(0, "side", side)
        parts.append(one)
    return pd.concat(parts, ignore_index=True)


def _figure(what: Paired, table: "pd.DataFrame", courses: Courses, colour: str) -> "Figure":
    pair, letters = _pictured(what), iter(cycle(ascii_lowercase))
    blocks_mm = 0.0 if pair is None else blocks_height_mm(pair[0], what.days)
    figure = print_figure(TWO_COLUMNS_MM, CURVES_MM + 4 * LINE_MM + blocks_mm)
    bottom: Any = figure
    title = _title(what, table)
    if pair is not None:
        parts = np.asarray(
            figure.subfigures(2, 1, height_ratios=(blocks_mm + 4 * LINE_MM, CURVES_MM))
        )
        top, bottom = parts
        title += "\n" + _draw_blocks(top, what, pair, colour, letters)
    figure.suptitle("\n".join(fill(line, ACROSS) for line in title.split("\n")))
    with_forest = what.paired and bool(table["difference_percent"].notna().any())
    axes = list(np.atleast_1d(bottom.subplots(1, 3 if with_forest else 2)))
    _draw_changes(axes[0], what, courses)
    _draw_differences(axes[1], what, courses)
    for axis in axes[:2]:
        _finish(axis, what.a[0].run, courses)
    if with_forest:
        _draw_forest(axes[2], what, table)
    for axis in axes:
        _lettered(axis, next(letters))
    return figure


def _pictured(what: Paired) -> tuple[Run, Run] | None:
    """The first pair whose run files are there, of one lattice."""
    for one, other in zip(what.a, what.b, strict=False):
        if one.run is not None and other.run is not None:
            same = (one.run.shape, one.run.voxel_um) == (other.run.shape, other.run.voxel_um)
            return (one.run, other.run) if same else None
    return None


def _draw_blocks(
    top: Any, what: Paired, pair: tuple[Run, Run], colour: str, letters: Iterator[str]
) -> str:
    """A above B, a column a day, or beside it; returns what is shown, as text."""
    days, (run, other) = shown_days(what.days), pair
    voxel_mm = run.voxel_um / 1000.0
    box = slab_of_pair(run, what.days)
    axes = np.reshape(top.subplots(*grid_of(days), squeeze=False), (2, len(days)))
    for row, (one, beside, only) in enumerate(((run, other, ONLY_A), (other, run, ONLY_B))):
        for axis, day in zip(axes[row], days, strict=True):
            if colour == "events":
                photographed(axis, one, day, box, HEIGHT_PX)
            else:
                put_block(axis, one, painted(one, beside, day, box, colour, only), box)
            axis.set_title(_caption(one, day, days[0]))
            _lettered(axis, next(letters))
        axes[row][0].text(
            -0.04, 0.5, f"{'AB'[row]}: {_short(what.names[row])}", transform=axes[row][0].transAxes,
            rotation=90, ha="right", va="center", fontweight="bold",
        )  # fmt: skip
    # Below the first block of the last row.
    scale_bar(axes[grid_of(days)[0] - 1][0], BAR_MM, f"{BAR_MM:g} mm", size=7.0)
    _legend(top, colour)
    size = " x ".join(f"{n * voxel_mm:.1f}" for n in reversed(run.shape))
    ends = f"y = {box[1].start * voxel_mm:.1f} to {box[1].stop * voxel_mm:.1f} mm"
    thick = "whole block" if box[1].stop - box[1].start == run.shape[1] else f"slab {ends}"
    of = (
        f"pair {_short(run.path.stem, 16)} and {_short(other.path.stem, 16)}, "
        if len(what.a) > 1
        else ""
    )
    since = "; BV/TV of the whole block"
    since += f", in brackets its change since day {days[0]}" if len(days) > 1 else ""
    return (
        f"blocks: {of}{size} mm, voxel {run.voxel_um:g} um, {thick}; same camera and scale{since}"
    )


def _caption(run: Run, day: int, first: int) -> str:
    daily = run.table.set_index("day")["bvtv_percent"]
    change = "" if day == first else f" ({100.0 * (daily[day] / daily[first] - 1.0):+.1f} %)"
    return f"{day_text(day)}\nBV/TV {daily[day]:.2f} %{change}"


def _legend(figure: Any, colour: str) -> None:
    """What colours and marks of the blocks mean."""
    from matplotlib.patches import Patch

    if colour == "events":
        legend(figure, "events")
    elif colour == "surface_state":
        legend(figure, "surface_state")
    else:
        handles = [Patch(color=palette.CUT_FACE, label="cut face of the block")]
        if colour == "difference":
            handles = [
                Patch(color=IN_BOTH, label="bone in both"),
                Patch(color=ONLY_A, label="only A has bone here"),
                Patch(color=ONLY_B, label="only B has bone here"), *handles,
            ]  # fmt: skip
        figure.legend(handles=handles, loc="lower right", ncols=len(handles), frameon=False)


def _draw_changes(axis: "Axes", what: Paired, courses: Courses) -> None:
    """Change of both since the first day: means, and intervals over members on the days compared."""
    sides = zip("AB", (courses.a, courses.b), (OF_A, OF_B), ("-", "--"), (-1.0, 1.0), strict=True)
    for side, wide, colour, dashes, aside in sides:
        change = _since_first(wide, courses.name, what.days[0])
        _line(axis, change, colour, f"{side}: {_short(what.names['AB'.index(side)])}", dashes)
        _bars(axis, change[[day for day in what.days[1:] if day in change]], colour, aside)
    symbol, unit = _symbol(courses.name), unit_of(courses.name)
    of = "change" if unit else "difference"
    axis.set_ylabel(f"{symbol}: {of} since day {what.days[0]}{' (%)' if unit else ''}")


def _draw_differences(axis: "Axes", what: Paired, courses: Courses) -> None:
    """A less B: every pair, their mean and its interval."""
    unit = unit_of(courses.name)
    if not what.paired:
        _draw_independent(axis, what, courses)
        return
    off = 100.0 * (courses.a / courses.b - 1.0) if unit else courses.a - courses.b
    off = off.dropna(axis="columns", how="all")
    if len(off) > 1:
        for number, row in off.iterrows():
            label = "each pair" if number == off.index[0] else None
            axis.plot(_years(off), row, color="#999999", linewidth=0.7, label=label, zorder=1)
    _line(axis, off, palette.THICKNESS, "mean" if len(off) > 1 else "A - B", "-")
    _band(axis, off, palette.THICKNESS)
    axis.set_ylabel(f"{_symbol(courses.name)}: A - B{' (% of B)' if unit else ''}")


def _draw_independent(axis: "Axes", what: Paired, courses: Courses) -> None:
    """Difference of the mean changes of two groups on the compared days."""
    a, b = (
        _since_first(one, courses.name, what.days[0])[list(what.days)]
        for one in (courses.a, courses.b)
    )
    middle = (a.mean() - b.mean()).to_numpy()
    found = [welch(a[day].to_numpy(float), b[day].to_numpy(float)) for day in what.days]
    half = np.array([one.get("high", np.nan) for one in found]) - middle
    axis.errorbar(
        _years(a), middle, yerr=np.where(np.isfinite(half), half, 0.0), fmt="o-", capsize=3,
        color=palette.THICKNESS, linewidth=LINE, label="difference of means",
    )  # fmt: skip
    unit = " (points)" if unit_of(courses.name) else ""
    axis.set_ylabel(f"{_symbol(courses.name)} change: A - B{unit}")


def _draw_forest(axis: "Axes", what: Paired, table: "pd.DataFrame") -> None:
    """Differences of several quantities on the days of the blocks, with intervals."""
    asked = list(dict.fromkeys(table.loc[table["difference_percent"].notna(), "quantity"]))
    names = [name for name in FOREST if name in asked] or asked[:6]
    days = shown_days(what.days)
    shown = days[1:] if len(days) > 1 else days
    for k, day in enumerate(shown):
        rows = table[(table["day"] == day) & table["quantity"].isin(names)].set_index("quantity")
        rows = rows.reindex(names)
        place = np.arange(len(names)) + 0.22 * (k - (len(shown) - 1) / 2)
        middle = rows["difference_percent"].to_numpy(float)
        half = rows["difference_percent_high"].to_numpy(float) - middle
        shape, colour = DAYS[k % len(DAYS)]
        axis.errorbar(
            middle, place, xerr=half if np.isfinite(half).any() else None, fmt=shape, color=colour,
            markersize=4, capsize=2, linewidth=1.2, label=f"day {day}",
        )  # fmt: skip
    axis.axvline(0.0, color=palette.INK, linewidth=0.8)
    axis.set_yticks(range(len(names)), [_symbol(name) for name in names])
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_xlabel(
        "A - B (% of B)" + (f", 95 % CI over {len(what.a)} pairs" if len(what.a) > 1 else "")
    )
    axis.spines[["top", "right"]].set_visible(False)
    _legend_above(axis)


def _since_first(wide: "pd.DataFrame", name: str, first: int) -> "pd.DataFrame":
    if not unit_of(name):
        return wide.sub(wide[first], axis="index")
    return 100.0 * (wide.div(wide[first], axis="index") - 1.0)


def _line(axis: "Axes", wide: "pd.DataFrame", colour: str, label: str, dashes: str) -> None:
    """The mean over members against years; marks where few days are known."""
    years = _years(wide)
    axis.plot(
        years, wide.mean(), color=colour, linestyle=dashes, linewidth=LINE, label=label,
        marker="o" if len(years) < FEW_DAYS else None, markersize=4, zorder=3,
    )  # fmt: skip


def _band(axis: "Axes", wide: "pd.DataFrame", colour: str) -> None:
    """The 95 % interval of the mean over members."""
    found = wide.apply(mean_and_ci)
    middle, half = found.loc["mean"].to_numpy(float), found.loc["ci"].to_numpy(float)
    if np.isfinite(half).any():
        axis.fill_between(
            _years(wide), middle - half, middle + half, color=colour, alpha=0.18, lw=0, zorder=2
        )


def _bars(axis: "Axes", wide: "pd.DataFrame", colour: str, aside: float) -> None:
    """Intervals of the mean, a little to one side: those of A and B do not cover each other."""
    found = wide.apply(mean_and_ci)
    if found.empty or not np.isfinite(found.loc["ci"]).any():
        return
    years = _years(wide)
    axis.errorbar(
        years + 0.01 * aside * years.max(), found.loc["mean"], yerr=found.loc["ci"].fillna(0.0),
        fmt="none", ecolor=colour, capsize=2.5, linewidth=1.2, zorder=4,
    )  # fmt: skip


def _years(wide: "pd.DataFrame") -> NDArray[np.float64]:
    return np.asarray(wide.columns, np.float64) / DAYS_PER_YEAR


def _finish(axis: "Axes", run: Run | None, courses: Courses) -> None:
    """Zero line, and shaded days of suppressed estradiol of A."""
    axis.axhline(0.0, color=palette.INK, linewidth=0.8)
    spans = [] if run is None else suppressed_spans(run.table["day"].to_numpy(), weekly_e2(run))
    for first, last in spans:
        axis.axvspan(
            first / DAYS_PER_YEAR, last / DAYS_PER_YEAR, color=palette.SUPPRESSION, zorder=0
        )
    years = _years(courses.a)
    last = max(float(np.ceil(10.0 * years[-1])) / 10.0, 0.1)
    # Intervals of the last day are within the axes.
    axis.set_xlim(min(0.0, years[0]), last * (1.04 if len(courses.a) > 1 else 1.0))
    axis.set_xlabel("years (grey: estradiol suppressed in A)" if spans else "years")
    axis.spines[["top", "right"]].set_visible(False)
    _legend_above(axis)


def _legend_above(axis: "Axes") -> None:
    """Above the axes: a curve may be anywhere within them."""
    names = axis.get_legend_handles_labels()[1]
    axis.legend(
        frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0),
        ncols=3 if sum(map(len, names)) <= ABOVE else 1, borderaxespad=0.1, columnspacing=1.2,
        handletextpad=0.5, labelspacing=0.3,
    )  # fmt: skip


def _lettered(axis: "Axes", letter: str) -> None:
    keep_ticks(axis)
    axis.text(
        -0.02, 1.03, letter, transform=axis.transAxes, fontweight="bold", fontsize=8, ha="right",
        va="bottom",
    )  # fmt: skip


def _symbol(name: str) -> str:
    return QUANTITIES.get(name, name)


def _short(name: str, longest: int = 26) -> str:
    return name if len(name) <= longest else f"{name[: longest - 3]}..."


def _title(what: Paired, table: "pd.DataFrame") -> str:
    names = f"A: {_short(what.names[0], 60)}      B: {_short(what.names[1], 60)}"
    differs = listed(differing(what.a[0].setting, what.b[0].setting)) or "nothing of their configs"
    band = "; bands and bars: 95 % confidence intervals" if min(table.attrs["pairs"]) > 1 else ""
    return f"{names}\n{design_text(table.attrs)}{band}\ndiffer in: {differs}"


def _description(what: Paired, table: "pd.DataFrame") -> str:
    """The picture in words."""
    last = table[table["day"] == what.days[-1]]
    parts = [
        f"{row['symbol']} {row['difference_percent']:+.1f} %"
        for row in last.to_dict("records") if np.isfinite(row["difference_percent"])
    ]  # fmt: skip
    return (
        f"{what.names[0]} compared with {what.names[1]}, {design_text(table.attrs)}; on day {what.days[-1]}: "
        + ", ".join(parts)
    )
