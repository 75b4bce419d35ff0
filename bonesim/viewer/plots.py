"""Time courses of a run, with the days of suppressed estradiol shaded; pure matplotlib.

Estradiol has an axis from zero. All else is drawn as change since the first day, so that zero is in
every axis and none is cut.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bonesim.storage.reader import Run
from bonesim.units import DAYS_PER_YEAR
from bonesim.viewer import palette
from bonesim.viewer.moments import Moment, suppressed_spans, weekly_e2

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: What the fourth axis shows of the snapshots: column -> name, colour, marker.
STRUCTURE = {
    "tb_th_um": ("Tb.Th", palette.THICKNESS, "o"),
    "conn_d_per_mm3": ("Conn.D (holes raise\nit, cuts lower it)", palette.CONN_D, "s"),
}


def curves(run: Run) -> "pd.DataFrame":
    """The numbers behind the time courses, one row a day.

    Columns: day, e2_pg_per_ml, bvtv_percent, bmd_mg_per_cm3; tb_th_um and conn_d_per_mm3, which are
    measured at snapshots only (else empty).
    """
    table = run.table[["day", "e2_pg_per_ml", "bvtv_percent", "bmd_mg_per_cm3"]]
    measured = run.snapshot_table[["day", *STRUCTURE]]
    return table.merge(measured, on="day", how="left")


def change_percent(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Change since the first value, % of it; nan if that is 0 or not known."""
    first = values[0] if len(values) else np.nan
    if not first:
        return np.full(len(values), np.nan)
    return np.asarray(100.0 * (values / first - 1.0), np.float64)


def draw_courses(axes: list["Axes"], run: Run, moments: list[Moment], letters: str = "") -> None:
    """Estradiol, and the changes of BV/TV, BMD and structure, against years into four axes.

    Args:
        axes: four.
        run: an open run file.
        moments: marked by thin lines.
        letters: of the axes, in order.
    """
    data = curves(run)
    years = data["day"].to_numpy(dtype=np.float64) / DAYS_PER_YEAR
    e2, bvtv, bmd, structure = axes
    # Estradiol swings between doses: the plot has the week's mean, the CSV each day.
    e2.plot(years, weekly_e2(run), color=palette.E2, linewidth=1.4)
    e2.set_ylim(0.0, 1.08 * max(float(weekly_e2(run).max()), 1e-3))
    e2.set_ylabel("pg/mL")
    titles = ["estradiol, weekly mean"]
    for axis, name, text, colour, unit in (
        (bvtv, "bvtv_percent", "BV/TV", palette.BVTV, "%"),
        (bmd, "bmd_mg_per_cm3", "BMD", palette.BMD, "mg/cm\u00b3"),
    ):
        values = data[name].to_numpy(np.float64)
        axis.plot(years, change_percent(values), color=colour, linewidth=1.4)
        titles.append(f"{text}, from {values[0]:.3g} {unit}")
    titles.append("at snapshots")
    _draw_structure(structure, data, years)
    spans = suppressed_spans(data["day"].to_numpy(), weekly_e2(run))
    for axis, letter, title in zip(axes, letters or "    ", titles, strict=False):
        for first, last in spans:
            axis.axvspan(
                first / DAYS_PER_YEAR, last / DAYS_PER_YEAR, color=palette.SUPPRESSION, zorder=0
            )
        for moment in moments:
            axis.axvline(moment.day / DAYS_PER_YEAR, color=palette.INK, linewidth=0.6, alpha=0.4)
        axis.set_title(f"$\\bf{{{letter}}}$  {title}" if letter.strip() else title, loc="left")
        axis.locator_params(axis="x", nbins=4)
        axis.set_xlabel("years")
        axis.set_xlim(years[0], last_year(years))
        axis.spines[["top", "right"]].set_visible(False)
        if axis is not e2:
            axis.set_ylabel("change (%)")
            around_zero(axis, above=0.7 if axis is structure else 0.0)


def _draw_structure(axis: "Axes", data: "pd.DataFrame", years: NDArray[np.float64]) -> None:
    """Thickness and connectivity at the snapshots."""
    for name, (label, colour, shape) in STRUCTURE.items():
        known = data[name].notna().to_numpy()
        if known.any():
            axis.plot(
                years[known], change_percent(data[name].to_numpy(np.float64)[known]), color=colour,
                marker=shape, markersize=4, linestyle="--", linewidth=1.2, label=label, clip_on=False,
            )  # fmt: skip
    if axis.get_legend_handles_labels()[0]:
        axis.legend(
            frameon=False, loc="upper left", borderaxespad=0.1, handlelength=1.4, labelspacing=0.3,
            fontsize=6.0,
        )  # fmt: skip


def last_year(years: NDArray[np.float64]) -> float:
    """Where an axis of years ends: at a tenth of a year if a year of 365 days ends there."""
    last = max(float(years[-1]), float(years[0]) + 1e-3)
    near = float(np.ceil(10.0 * last)) / 10.0
    return near if near - last < (0.25 * near + 1.0) / DAYS_PER_YEAR else last


def around_zero(axis: "Axes", above: float = 0.0) -> None:
    """A line at zero, and room on both sides of the curve and of zero; `above` for a legend, a share."""
    axis.axhline(0.0, color=palette.INK, linewidth=0.7, zorder=1)
    low, high = axis.dataLim.intervaly
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if not np.isfinite([low, high]).all():
        low, high = -1.0, 1.0
    room = max(0.08 * (high - low), 0.1)
    axis.set_ylim(low - room, high + room + above * (high - low))
