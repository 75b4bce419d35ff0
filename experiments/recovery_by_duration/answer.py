"""Reads the runs of `simulate.py`: what comes back, by duration, and what each arm does to it.

    python experiments/recovery_by_duration/answer.py recovery arms scan -o recovery.png

What is missing on a day is relative to the twin of that day that was never suppressed. The share
regained is 1 - (missing later / missing at the stop), both means over bones (a ratio of means; its 95 %
interval by bootstrap over bones). Nothing is simulated here.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import bootstrap
from simulate import FOLLOW_UP

from bonesim.analysis import mean_and_ci
from bonesim.sweeps import Folder
from bonesim.viewer import TWO_COLUMNS_MM, at_print_size, lettered, palette, print_figure

#: What is reported: column -> name, and whether less or more of it is the loss.
MEASURES = {
    "bmd_mg_per_cm3": "BMD",
    "bvtv_percent": "BV/TV",
    "tb_th_um": "Tb.Th",
    "tb_n_per_mm": "Tb.N",
    "plate_share_percent": "pBV/BV",
    "apparent_modulus_z_mpa": "stiffness",
    "failure_load_n": "strength",
}
#: The arm of the members, and of the point defaults with every process at work.
WHOLE = "everything"
#: Arms of the scanned bone begin so.
SCANNED = "scan"
#: Of a smaller mean loss, or one whose 95 % interval holds 0, no share is reported, %.
MIN_LOSS = 2.0
YEARS = 365.25
#: What the panels show, %.
SHOWN_PERCENT = (-40.0, 140.0)


def missing(results: pd.DataFrame) -> pd.DataFrame:
    """One row per run, duration, day after the stop and measure: percent missing against the twin."""
    healthy = results[results["course"] == "healthy"].set_index(["point", "day"])
    found = []
    mine = results[results["course"] == "recovering"]
    for row in mine.to_dict("records"):
        twin = healthy.loc[(row["point"], row["day"])]
        for name in (*MEASURES, "conn_d_per_mm3"):
            found.append({
                "arm": row["arm"], "seed": row["seed"], "stop_day": row["stop_day"],
                "after_day": row["day"] - row["stop_day"], "measure": name,
                "missing_percent": 100.0 * (1.0 - row[name] / twin[name]),
            })  # fmt: skip
    return pd.DataFrame(found)


def regained(at_stop: NDArray[np.float64], later: NDArray[np.float64]) -> dict[str, float]:
    """Share of the mean loss that is back, %, with its 95 % interval over bones."""

    def share(one: NDArray[np.float64], other: NDArray[np.float64], axis: int = -1) -> Any:
        return 100.0 * (1.0 - np.mean(other, axis=axis) / np.mean(one, axis=axis))

    lost = float(np.mean(at_stop))
    mean = mean_and_ci(pd.Series(at_stop))
    if not (at_stop.size > 1 and lost >= MIN_LOSS and lost > mean["ci"]):
        return {"lost": lost, "regained": np.nan, "low": np.nan, "high": np.nan}
    ci = bootstrap((at_stop, later), share, paired=True, vectorized=True, rng=1,
                   method="percentile", n_resamples=5000).confidence_interval  # fmt: skip
    return {"lost": lost, "regained": float(share(at_stop, later)), "low": ci.low, "high": ci.high}


def table_of(gone: pd.DataFrame) -> pd.DataFrame:
    """A row for each arm, measure, duration and follow-up day."""
    rows = []
    for (arm, measure, stop), part in gone.groupby(["arm", "measure", "stop_day"], sort=False):
        wide = part.pivot(index="seed", columns="after_day", values="missing_percent")
        for after in FOLLOW_UP[1:]:
            rows.append(
                {"arm": arm, "measure": measure, "stop_day": stop, "after_day": after,
                 "bones": len(wide), **regained(wide[0].to_numpy(), wide[after].to_numpy())}
            )  # fmt: skip
    return pd.DataFrame(rows)


def holes(results: pd.DataFrame) -> pd.DataFrame:
    """By arm: breaks that were final at the stops, how many are marrow at the end, or may have closed."""
    last = results[results["course"] == "recovering"].sort_values("day")
    ends = last.groupby(["arm", "point", "stop_day"]).last()
    columns = ["final_at_stop", "of_them_marrow", "of_them_maybe_closed"]
    counts: pd.DataFrame = ends[columns].groupby("arm").sum().astype(int)
    return counts


def markdown(table: pd.DataFrame, arm: str, after: int) -> str:
    """README's table: durations down, measures across, lost / regained [interval]."""
    mine = table[(table["arm"] == arm) & (table["after_day"] == after)]
    names = [name for name in MEASURES if name in set(mine["measure"])]
    lines = ["| suppressed | " + " | ".join(MEASURES[name] for name in names) + " |",
             "|---" * (len(names) + 1) + "|"]  # fmt: skip
    for stop, part in mine.groupby("stop_day"):
        cells = []
        for name in names:
            row = part[part["measure"] == name].iloc[0]
            if np.isfinite(row["regained"]):
                share = f"**{row['regained']:.0f}** [{row['low']:.0f}, {row['high']:.0f}]"
            else:
                share = "-"
            cells.append(f"{row['lost']:.1f}: {share}" if np.isfinite(row["lost"]) else "-")
        lines.append(f"| {stop / YEARS:.2g} y | " + " | ".join(cells) + " |")
    return "\n".join(lines)


@at_print_size
def draw(table: pd.DataFrame, output: Path) -> None:
    """Share regained against duration: measures, arms, and a scanned bone."""
    figure = print_figure(TWO_COLUMNS_MM, 100.0)
    left, middle, right = figure.subplots(1, 3, sharey=True)
    last = FOLLOW_UP[-1]
    whole = table[(table["arm"] == WHOLE) & (table["after_day"] == last)]
    for name, colour in zip(MEASURES, palette.DRUGS, strict=False):
        one = whole[(whole["measure"] == name) & whole["regained"].notna()]
        if len(one):
            _band(left, one, MEASURES[name], colour)
    lettered(left, "a", f"every arm at work, {last / YEARS:.0f} years after")
    volume = table[(table["measure"] == "bvtv_percent") & (table["after_day"] == last)]
    scanned = volume["arm"].str.startswith(SCANNED)
    for axis, some in ((middle, volume[~scanned]), (right, volume[scanned])):
        arms = some["arm"].unique()
        for number, arm in enumerate(arms):
            colour = (palette.INK, *palette.DRUGS)[number]
            one = some[(some["arm"] == arm) & some["regained"].notna()]
            if len(one):
                _bars(axis, one, str(arm), colour, 1.035 ** (number - len(arms) / 2))
    lettered(middle, "b", "BV/TV, one arm switched off")
    lettered(right, "c", "BV/TV, a scanned vertebra")
    for axis in (left, middle, right):
        axis.set_xscale("log")
        axis.set_xticks([0.25, 0.5, 1, 2, 5, 10], ["0.25", "0.5", "1", "2", "5", "10"])
        axis.minorticks_off()
        axis.set_xlabel("years of suppression (25 -> 7 pg/mL)")
        axis.axhline(100.0, color=palette.INK, lw=0.6, ls=":")
        axis.axhline(0.0, color=palette.INK, lw=0.6, ls=":")
        # Intervals that go on beyond are marked at the edge.
        axis.set_ylim(*SHOWN_PERCENT)
        axis.spines[["top", "right"]].set_visible(False)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(
                frameon=False, loc="upper left", bbox_to_anchor=(0.0, -0.17), borderaxespad=0.0
            )
    n = table["bones"]
    number = f"{n.min():g}" + f" to {n.max():g}" * bool(n.min() < n.max())
    left.set_ylabel(
        f"share of the loss regained (%)\nratio of means over n = {number} bones, 95 % intervals"
    )
    figure.savefig(output)


def _band(axis: Any, one: pd.DataFrame, label: str, colour: str) -> None:
    years = one["stop_day"] / YEARS
    axis.plot(years, one["regained"], marker="o", ms=4, color=colour, label=label)
    axis.fill_between(years, one["low"], one["high"], color=colour, alpha=0.12, lw=0)
    _beyond(axis, years, one, colour)


def _bars(axis: Any, one: pd.DataFrame, label: str, colour: str, aside: float) -> None:
    lengths = np.abs(one[["low", "high"]].to_numpy().T - one["regained"].to_numpy())
    axis.errorbar(one["stop_day"] / YEARS * aside, one["regained"], yerr=lengths, color=colour,
                  marker="o", ms=4, lw=1.2, elinewidth=0.8, capsize=2, label=label)  # fmt: skip
    _beyond(axis, one["stop_day"] / YEARS * aside, one, colour)


def _beyond(axis: Any, years: pd.Series, one: pd.DataFrame, colour: str) -> None:
    """A triangle at the panel's edge where an interval goes on beyond it."""
    low, high = SHOWN_PERCENT
    for edge, shape, outside in ((low, "v", one["low"] < low), (high, "^", one["high"] > high)):
        # What is not clipped must be somewhere: of no points the layout knows no place.
        if outside.any():
            axis.plot(
                years[outside], np.full(int(outside.sum()), edge), ls="none", marker=shape, ms=4,
                color=colour, clip_on=False,
            )  # fmt: skip


def main() -> None:
    """Print the tables and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+", help="of study.toml, arms.toml, scan.toml")
    parser.add_argument("-o", "--output", type=Path, default=Path("recovery.png"))
    given = parser.parse_args()
    results = pd.concat([Folder(one).results() for one in given.folder], ignore_index=True)
    table = table_of(missing(results))
    for after in FOLLOW_UP[1:]:
        print(
            f"\nafter {after / YEARS:.0f} y: lost % : regained %\n{markdown(table, WHOLE, after)}"
        )
    for arm in table["arm"].unique():
        print(
            f"\n{arm}, after {FOLLOW_UP[-1] / YEARS:.0f} y\n{markdown(table, arm, FOLLOW_UP[-1])}"
        )
    print(f"\nfinal perforations and cuts at the stops, and what became of them\n{holes(results)}")
    table.to_csv(given.output.with_suffix(".csv"), index=False)
    draw(table, given.output)


if __name__ == "__main__":
    main()
