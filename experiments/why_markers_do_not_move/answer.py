"""Reads a finished sweep: how far markers truly rise, and whether a trial can see it.

    bonesim sweep run sweep.toml -o markers
    python answer.py markers -o markers.png

CTX is bone resorbed and P1NP matrix formed between two snapshots, drug over placebo on the same
bones and random numbers, diluted as in serum (`bonesim.instruments.markers`). A trial compares the
change of 35 men with that of 35 others by Student's t; each man's marker is read with noise before and after.
Nothing is simulated here.
"""

from bisect import bisect_left

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from bonesim.analysis import (
    K_DXA,
    difference_from_twin,
    in_markdown,
    ratio_and_ci,
    summary,
    with_interval,
)
from bonesim.instruments import MarkerParameters, diluted
from bonesim.viewer import draw_lines, palette, panels, table_and_figure

MARKERS = {"CTX": "resorbed_quanta", "P1NP": "formed_quanta"}
SERUM = MarkerParameters()
#: Men in each arm (Burnett-Bowie 2009: 69 completed).
MEN = 35
#: SD of one man's change, %: of a marker two readings' noise, of spine DXA in a year that of
#: Burnett-Bowie 2009 (guide A1), which holds precision and all that differs between men.
SD_MARKER = 100.0 * SERUM.marker_cv * np.sqrt(2.0)
SD_DXA = 3.1
#: CTX against its start: day, % (Taxel 2001, 2 mg/day).
TAXEL = ((21, 11.0), (42, 24.0), (63, 33.0))


def power(difference: float, sd: float, men: int = MEN) -> float:
    """Chance of P < .05 (two-sided t) if two arms of so many men differ by this in the mean.

    Args:
        difference: between the arms' true means.
        sd: of one man, in the same unit.
        men: in each arm.
    """
    freedom = 2 * men - 2
    edge = stats.t.ppf(0.975, freedom)
    shift = abs(difference) / (sd * np.sqrt(2.0 / men))
    far = np.nan_to_num(stats.nct.cdf(-edge, freedom, shift))  # scipy's is NaN where it is nothing
    return float(stats.nct.sf(edge, freedom, shift) + far)


def men_needed(difference: float, sd: float, wanted: float = 0.8) -> float:
    """Men in each arm for this power; infinite if ten thousand are too few."""
    arms = range(2, 10_001)
    place = bisect_left(arms, wanted, key=lambda men: power(difference, sd, men))
    return float(arms[place]) if place < len(arms) else np.inf


def rises(results: pd.DataFrame) -> pd.DataFrame:
    """True change of each marker, drug over placebo, %, by marker and the day its window ends."""
    moved = results.sort_values(["point", "day"]).copy()
    for column in MARKERS.values():
        moved[column] = moved.groupby("point")[column].diff()
    found = {}
    for marker, column in MARKERS.items():
        wide = moved.pivot_table(index=["day", "seed"], columns="missed_share", values=column)
        for day, seeds in wide.dropna().groupby(level="day"):
            ratio = ratio_and_ci(seeds[0], seeds[1])
            mean = float(diluted(np.array(ratio["mean"] / 100.0), SERUM)) - 100.0
            found[marker, day] = {"mean": mean, "ci": SERUM.trabecular_share * ratio["ci"],
                                  "n": ratio["n"], "sd": SD_MARKER}  # fmt: skip
    return pd.DataFrame.from_dict(found, orient="index").rename_axis(["quantity", "day"])


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """True change, SD of one man and power, by quantity and day."""
    runs = difference_from_twin(results, "missed_share", 1)
    runs = runs[(runs["missed_share"] == 0) & (runs["day"] > 0)]
    dxa = summary(runs, ["day"])["dxa_percent"].assign(sd=SD_DXA)
    true = pd.concat([rises(results), pd.concat({"spine DXA": dxa}, names=["quantity"])])
    seen = true.assign(
        **{
            f"power_{name}": [
                power(change, sd) for change, sd in zip(changes, true["sd"], strict=True)
            ]
            for name, changes in {
                "mean": true["mean"],
                "low": _towards_nothing(true["mean"], true["ci"]),
                "high": true["mean"] + np.sign(true["mean"]) * true["ci"],
            }.items()
        },
        men=[men_needed(change, sd) for change, sd in true[["mean", "sd"]].to_numpy()],
    )
    seen.columns = pd.MultiIndex.from_tuples(
        ("change_percent", name) if name in ("mean", "ci", "n") else (name, "mean") for name in seen
    )
    return seen


def _towards_nothing(mean: pd.Series, half: pd.Series) -> pd.Series:
    """The end of an interval nearer to 0; 0 if that is within."""
    return np.sign(mean) * np.maximum(mean.abs() - half, 0.0)


def words_of(table: pd.DataFrame) -> str:
    """The README's table."""
    one = table.xs("mean", level=1, axis=1)
    rows = pd.DataFrame({
        "day": table.index.get_level_values("day"),
        "true change by the drug, %": [
            with_interval(*pair) for pair in table["change_percent"][["mean", "ci"]].to_numpy()
        ],
        "SD of one man's change, %": one["sd"].map("{:.1f}".format).to_numpy(),
        f"chance of P < .05, {MEN} men an arm": [
            f"{mean:.2f} ({low:.2f} to {high:.2f})"
            for mean, low, high in one[["power_mean", "power_low", "power_high"]].to_numpy()
        ],
        "men an arm for .8": [f"{men:.0f}" if np.isfinite(men) else "-" for men in one["men"]],
    }, index=table.index.get_level_values("quantity"))  # fmt: skip
    return in_markdown(rows)


def draw(table: pd.DataFrame) -> Figure:
    """True changes by day, and the chance that the trial sees them."""
    figure, axes = panels(2)
    draw_lines(axes[0], table, "change_percent", "quantity", "day")
    axes[0].plot(*zip(*TAXEL, strict=True), "x", color="#888888", ms=8)
    axes[0].axhspan(-SD_MARKER, SD_MARKER, color=palette.SUPPRESSION, zorder=0)
    axes[0].set_ylabel(f"drug over placebo, true (%; k = {K_DXA:.2f})")
    axes[0].set_title("shade: SD of one man's marker; crosses: CTX, Taxel 2001", fontsize=6.5)
    seen = table["power_mean"]["mean"]
    chance = pd.concat({"power": pd.DataFrame({"mean": seen, "ci": 0.0 * seen})}, axis=1)
    draw_lines(axes[1], chance, "power", "quantity", "day")
    axes[1].set_ylim(0, 1)
    axes[1].set_ylabel(f"chance of P < .05, {MEN} men an arm")
    for axis in axes:
        axis.set_xlabel("day (markers: mean since the point before)")
    return figure


if __name__ == "__main__":
    table_and_figure(__doc__, "markers.png", table_of, words_of, draw)
