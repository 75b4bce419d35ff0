"""Reads a finished sweep: what each arm of signalling contributes to loss and perforation.

    bonesim sweep run configs/sweep_arms.toml -o arms
    python answer.py arms -o arms.png

Every row of the sweep switches one arm off, once in health and once under suppression. The loss
that suppression causes is the difference of the two, on the same bone and random numbers. Nothing
is simulated here.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bonesim.analysis import in_markdown, since_start, summary, with_interval
from bonesim.viewer import palette, panels, table_and_figure

E2 = "hormones.course.steps.0.e2_pg_per_ml"
WHOLE = "everything"
#: What is drawn: column here -> axis label.
PANELS = {
    "lost_percent": "bone lost to five years of suppression,\nbeyond health (% of bone volume)",
    "breaks_per_mm3": "final perforations and strut cuts\nbeyond health (per mm$^3$)",
}


def outcomes(results: pd.DataFrame) -> pd.DataFrame:
    """One row per arm and seed: what suppression took beyond what health took, on the last day.

    `spared_percent` is what it took less than from the whole model, seed by seed.
    """
    keys = ["arm", E2, "seed", "day"]
    changed = since_start(results, ["arm", E2]).set_index(keys)
    breaks = (results["holes"] + results["cuts"]) / results["volume_mm3"]
    ends = changed.assign(
        lost_percent=-changed["bone_percent"],
        breaks_per_mm3=breaks.set_axis(results.set_index(keys).index),
    ).xs(results["day"].max(), level="day")
    wide = ends[["lost_percent", "breaks_per_mm3"]].unstack(E2)
    low, high = sorted(results[E2].unique())
    found = wide.xs(low, level=E2, axis=1) - wide.xs(high, level=E2, axis=1)
    whole = found["lost_percent"].xs(WHOLE, level="arm")
    return found.assign(
        spared_percent=whole - found["lost_percent"],  # of the same bone and random numbers
        lost_in_health_percent=wide["lost_percent"][high],
    ).reset_index()


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """Mean and half width of its 95 % CI over seeds, the whole model first."""
    runs = outcomes(results)
    table = summary(runs, ["arm"], [name for name in runs if name not in ("arm", "seed")])
    rest = table.drop(index=WHOLE).sort_values(("lost_percent", "mean")).index
    return table.loc[[WHOLE, *rest]]


def words_of(table: pd.DataFrame) -> str:
    """Every number, a row for each arm."""
    names = table.columns.unique(0)
    columns = {
        n: [with_interval(*pair, ".1f") for pair in table[n][["mean", "ci"]].to_numpy()]
        for n in names
    }
    return in_markdown(pd.DataFrame(columns, index=table.index))


def draw(table: pd.DataFrame) -> Figure:
    """A bar for each arm switched off; the line is the whole model."""
    figure, axes = panels(2, 5.2, 4.2)
    place = np.arange(len(table))
    for axis, (name, label) in zip(axes, PANELS.items(), strict=True):
        axis.barh(place, table[name]["mean"], xerr=table[name]["ci"], color=palette.DRUGS[0],
                  ecolor=palette.INK, capsize=2, height=0.6)  # fmt: skip
        axis.axvline(table[name]["mean"][WHOLE], color=palette.INK, lw=0.8, ls=":")
        axis.set_yticks(place, table.index if axis is axes[0] else [""] * len(table))
        axis.invert_yaxis()
        axis.set_xlabel(label)
        axis.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    table_and_figure(__doc__, "arms.png", table_of, words_of, draw)
