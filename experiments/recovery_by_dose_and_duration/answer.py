"""Reads a finished sweep: what came back by dose and duration of anastrozole.

    bonesim sweep run configs/sweep_dose_duration.toml -o sweep
    python answer.py sweep -o recovery.png

Only the sweep's results are read; nothing is simulated here.
"""

import pandas as pd
from matplotlib.figure import Figure

from bonesim.analysis import in_markdown, ratio_and_ci, since_start, summary, with_interval
from bonesim.viewer import draw_lines, panels, table_and_figure

BY = ["dose_mg", "duration_day"]
MEASURES = {"bone_percent": "bvtv_percent", "conn_d_percent": "conn_d_per_mm3"}
#: What is drawn: column here -> axis label.
PANELS = {
    "bvtv_regained": "BV/TV: share of the loss regained\nin two years without the drug (%)",
    "conn_d_left": "Conn.D two years after the drug,\nchange from before it (%)",
    "breaks_per_mm3": "final perforations and strut cuts\nper mm$^3$ by then",
}
#: What is printed: column here -> heading, form.
HEADINGS = {
    "bvtv_lost": ("BV/TV lost, %", ".1f"), "bvtv_regained": ("of it regained, %", ".0f"),
    "conn_d_stopped": ("Conn.D at stop, %", "+.0f"), "conn_d_left": ("two years later, %", "+.0f"),
    "breaks_per_mm3": ("final breaks per mm3", ".2f"),
}  # fmt: skip


def outcomes(results: pd.DataFrame) -> pd.DataFrame:
    """One row per run: before the drug (snapshot 0), at its end (1), two years later (2)."""
    breaks = (results["holes"] + results["cuts"]) / results["volume_mm3"]
    changed = since_start(results, [*BY, "snapshot"], MEASURES)
    changed["breaks_per_mm3"] = breaks.to_numpy()
    wide = changed.pivot_table(index=[*BY, "seed"], columns="snapshot")
    return pd.DataFrame({
        "bvtv_lost": -wide["bone_percent"][1],
        "bvtv_back": wide["bone_percent"][2] - wide["bone_percent"][1],
        "conn_d_stopped": wide["conn_d_percent"][1],
        "conn_d_left": wide["conn_d_percent"][2],
        "breaks_per_mm3": wide["breaks_per_mm3"][2],
    }).reset_index()  # fmt: skip


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """Mean and half width of its 95 % CI over seeds, by dose and duration."""
    runs = outcomes(results)
    table = summary(runs, BY, [name for name in HEADINGS if name in runs])
    back = runs.groupby(BY)[["bvtv_back", "bvtv_lost"]].apply(
        lambda seeds: ratio_and_ci(seeds["bvtv_back"], seeds["bvtv_lost"])
    )
    return pd.concat({"bvtv_regained": back}, axis=1).join(table)


def words_of(table: pd.DataFrame) -> str:
    """The README's table."""
    return in_markdown(pd.DataFrame({
        heading: [with_interval(*pair, form) for pair in table[name][["mean", "ci"]].to_numpy()]
        for name, (heading, form) in HEADINGS.items()
    }, index=table.index))  # fmt: skip


def draw(table: pd.DataFrame) -> Figure:
    """Three panels over duration, one line for each dose."""
    figure, axes = panels(3, 3.9, 3.8)
    for axis, (name, label) in zip(axes, PANELS.items(), strict=True):
        draw_lines(axis, table, name, "dose_mg", "duration_day")
        axis.set_xlabel("days on anastrozole")
        axis.set_ylabel(label)
    axes[0].get_legend().set_title("mg a day; mean, 95 % CI")
    return figure


if __name__ == "__main__":
    table_and_figure(__doc__, "recovery.png", table_of, words_of, draw)
