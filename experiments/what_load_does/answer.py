"""Reads a finished sweep and says what load does to bone, against the twin of usual load.

    bonesim sweep run configs/sweep_load.toml -o load
    python answer.py load -o load.png

Every difference is between two runs of the same bone, seed and day. Spine DXA is k = 0.50 times
the change of trabecular mineral (science targets). Nothing is simulated here.
"""

import argparse
from pathlib import Path

import pandas as pd

from bonesim.clinic.density import DensityParameters
from bonesim.sweep.gather import Folder
from bonesim.viewer import palette
from bonesim.viewer.sweep_plots import mean_and_ci

USUAL = "usual"
K_DXA = DensityParameters().k_dxa
#: Published ranges of the change of spine DXA, percent: arm, day, from, to.
PUBLISHED = (("disuse 50 % for 17 weeks", 119, -6.0, -1.5), ("training 120 %", 244, 0.5, 4.0))


def outcomes(results: pd.DataFrame) -> pd.DataFrame:
    """One row per run of changed load and day: percent apart from the twin of usual load.

    Args:
        results: the sweep's table, one row per run and snapshot.
    """
    wide = results.pivot_table(
        index=["seed", "day"], columns="arm", values=["bmd_mg_per_cm3", "bvtv_percent"]
    )
    found = []
    for arm in results["arm"].unique():
        if arm == USUAL:
            continue
        apart = {
            name: 100.0 * (wide[name][arm] / wide[name][USUAL] - 1.0)
            for name in ("bmd_mg_per_cm3", "bvtv_percent")
        }
        found.append(pd.DataFrame({
            "arm": arm, "bone_percent": apart["bvtv_percent"],
            "mineral_percent": apart["bmd_mg_per_cm3"],
            "dxa_percent": K_DXA * apart["bmd_mg_per_cm3"],
        }).reset_index())  # fmt: skip
    return pd.concat(found, ignore_index=True)


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean and half width of its 95 % CI over seeds, by arm and day."""
    grouped = runs.groupby(["arm", "day"], sort=False)
    names = [c for c in runs if c.endswith("_percent")]
    return pd.concat(
        {n: grouped[n].apply(mean_and_ci).unstack()[["mean", "ci"]] for n in names}, axis=1
    )


def draw(table: pd.DataFrame, output: Path) -> None:
    """Change of spine DXA against day, an arm a line; bars are what was published."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), dpi=120, layout="constrained")
    axis = figure.subplots()
    arms = list(table.index.get_level_values("arm").unique())
    for arm, colour in zip(arms, palette.DRUGS, strict=False):
        one = table.loc[arm]["dxa_percent"]
        days = one.index.to_numpy() + 2.0 * arms.index(arm)
        axis.errorbar(days, one["mean"], yerr=one["ci"].fillna(0.0), color=colour, marker="o",
                      ms=4, capsize=2, label=arm)  # fmt: skip
    for arm, day, low, high in PUBLISHED:
        if arm in arms:
            colour = palette.DRUGS[arms.index(arm)]
            axis.plot([day - 8] * 2, [low, high], color=colour, lw=6, alpha=0.3)
    axis.axhline(0.0, color=palette.INK, lw=0.8, ls=":")
    axis.set_xlabel("day")
    axis.set_ylabel(f"spine DXA against usual load (%; k = {K_DXA:.2f})")
    axis.legend(frameon=False, fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(output)


def main() -> None:
    """Print the answer and draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("load.png"))
    given = parser.parse_args()
    table = summary(outcomes(Folder(given.folder).results()))
    print(table.to_string(float_format="{:+.2f}".format))
    table.to_csv(given.output.with_suffix(".csv"))
    draw(table, given.output)


if __name__ == "__main__":
    main()
