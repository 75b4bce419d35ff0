"""Reads a finished sweep and says what each arm of signalling contributes to loss and perforation.

    bonesim sweep run configs/sweep_arms.toml -o arms
    python answer.py arms -o arms.png

Every row of the sweep silences one arm, once in health and once under suppression; the loss that
suppression causes is the difference of the two, on the same bone and luck. Nothing is simulated
here.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from bonesim.sweep.gather import Folder
from bonesim.viewer import palette
from bonesim.viewer.sweep_plots import mean_and_ci

E2 = "hormones.course.steps.0.e2_pg_per_ml"
WHOLE = "everything"
#: Volume of a block of the study, mm3.
VOLUME_MM3 = 2.5**3
#: What is drawn: column here -> axis label.
PANELS = {
    "lost_percent": "bone lost to five years of suppression,\nbeyond health (% of bone volume)",
    "breaks_per_mm3": "final perforations and strut cuts\nbeyond health (per mm$^3$)",
}


def outcomes(results: pd.DataFrame) -> pd.DataFrame:
    """One row per arm and seed: what suppression took beyond what health took.

    Args:
        results: the sweep's table; the last snapshot of a run is the end.
    """
    ends = []
    for _, run in results.sort_values("snapshot").groupby("point"):
        first, last = run.iloc[0], run.iloc[-1]
        ends.append({
            "arm": last["arm"], "seed": last["seed"], "e2": last[E2],
            "lost_percent": 100.0 * (1.0 - last["bvtv_percent"] / first["bvtv_percent"]),
            "breaks_per_mm3": (last["perforations_final"] + last["strut_cuts_final"]) / VOLUME_MM3,
        })  # fmt: skip
    wide = pd.DataFrame(ends).pivot(index=["arm", "seed"], columns="e2")
    low, high = sorted(wide.columns.levels[1])
    return pd.DataFrame({
        name: wide[name][low] - wide[name][high] for name in ("lost_percent", "breaks_per_mm3")
    } | {"lost_in_health_percent": wide["lost_percent"][high]}).reset_index()  # fmt: skip


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean and half width of its 95 % CI over seeds, the whole model first."""
    names = [c for c in runs if c not in ("arm", "seed")]
    grouped = runs.groupby("arm", sort=False)
    table = pd.concat(
        {n: grouped[n].apply(mean_and_ci).unstack()[["mean", "ci"]] for n in names}, axis=1
    )
    rest = [arm for arm in table.index if arm != WHOLE]
    order = [WHOLE, *sorted(rest, key=lambda arm: table["lost_percent"]["mean"][arm])]
    return table.loc[order]


def draw(table: pd.DataFrame, output: Path) -> None:
    """A bar for each arm silenced; the line is the whole model."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 4.2), dpi=120, layout="constrained")
    place = np.arange(len(table))
    for axis, (name, label) in zip(figure.subplots(1, 2, sharey=True), PANELS.items(), strict=True):
        axis.barh(place, table[name]["mean"], xerr=table[name]["ci"], color=palette.DRUGS[0],
                  ecolor=palette.INK, capsize=2, height=0.6)  # fmt: skip
        axis.axvline(table[name]["mean"][WHOLE], color=palette.INK, lw=0.8, ls=":")
        axis.set_yticks(place, table.index)
        axis.set_xlabel(label)
        axis.spines[["top", "right"]].set_visible(False)
    figure.axes[0].invert_yaxis()  # shared by both
    figure.savefig(output)


def main() -> None:
    """Print the answer and draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("arms.png"))
    given = parser.parse_args()
    table = summary(outcomes(Folder(given.folder).results()))
    print(table.to_string(float_format="{:.2f}".format))
    table.to_csv(given.output.with_suffix(".csv"))
    draw(table, given.output)


if __name__ == "__main__":
    main()
