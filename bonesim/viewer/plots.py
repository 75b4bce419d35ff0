"""Time courses of a run, with the days of suppressed estradiol shaded; pure matplotlib."""

from typing import TYPE_CHECKING

import numpy as np

from bonesim.storage.reader import Run
from bonesim.units import DAYS_PER_YEAR
from bonesim.viewer import palette
from bonesim.viewer.moments import Moment, suppressed_spans, weekly_e2

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def curves(run: Run) -> "pd.DataFrame":
    """The numbers behind the time courses, one row a day.

    Columns: day, e2_pg_per_ml, bvtv_percent, bmd_mg_per_cm3, and conn_d_per_mm3, which is
    measured on the purified network at snapshots only (else empty).
    """
    table = run.table[["day", "e2_pg_per_ml", "bvtv_percent", "bmd_mg_per_cm3"]]
    measured = run.snapshot_table[["day", "conn_d_per_mm3"]]
    return table.merge(measured, on="day", how="left")


def draw_courses(axes: list["Axes"], run: Run, moments: list[Moment]) -> None:
    """Draw estradiol, BV/TV, BMD and Conn.D against years into four axes."""
    data = curves(run)
    years = data["day"].to_numpy(dtype=np.float64) / DAYS_PER_YEAR
    spans = suppressed_spans(data["day"].to_numpy(), weekly_e2(run))
    panels = (
        ("e2_pg_per_ml", "E2 (pg/mL)", palette.E2),
        ("bvtv_percent", "BV/TV (%)", palette.BVTV),
        ("bmd_mg_per_cm3", "BMD (mg HA/cm\u00b3)", palette.BMD),
        ("conn_d_per_mm3", "Conn.D, 15 um (1/mm\u00b3)", palette.CONN_D),
    )
    for axis, (name, label, colour) in zip(axes, panels, strict=True):
        # Estradiol swings between doses: the plot has the week's mean, the CSV each day.
        shown = weekly_e2(run) if name == "e2_pg_per_ml" else data[name]
        values = np.asarray(shown, np.float64)
        measured = np.isfinite(values)
        sparse = name == "conn_d_per_mm3"
        axis.plot(
            years[measured], values[measured], color=colour, linewidth=1.8,
            marker="o" if sparse else None, linestyle="--" if sparse else "-", clip_on=False,
        )  # fmt: skip
        for first, last in spans:
            axis.axvspan(
                first / DAYS_PER_YEAR, last / DAYS_PER_YEAR, color=palette.SUPPRESSION, zorder=0
            )
        for moment in moments:
            axis.axvline(moment.day / DAYS_PER_YEAR, color=palette.INK, linewidth=0.6, alpha=0.4)
        _finish(axis, label, float(np.nanmin(values)), float(np.nanmax(values)))
        axis.set_xlim(years[0], max(years[-1], years[0] + 1e-3))


def _finish(axis: "Axes", label: str, low: float, high: float) -> None:
    """Labels, light frame, and a range that starts at zero only where zero is near."""
    axis.set_ylabel(label)
    axis.set_xlabel("years")
    axis.spines[["top", "right"]].set_visible(False)
    room = 0.12 * max(high - low, 0.02 * abs(high), 1e-9)
    axis.set_ylim(0.0 if 0.0 <= low < 0.35 * high else low - room, high + room)
