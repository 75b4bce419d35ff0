"""Reads the members of `simulate.py`: what comes back by duration, as bands, and what widens them most.

    python experiments/recovery_by_duration/members.py recovery -o recovery.png

Each member of the posterior is one run on a bone of its own. What is missing on a day is relative to its
twin of that day, which was never suppressed; the share regained is 1 - missing later / missing at the
stop. A share has a meaning only in members that lost MIN_LOSS or more. Bands hold 90 % of the members.
Nothing is simulated here.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from answer import MEASURES, YEARS, missing
from scipy.stats import spearmanr
from simulate import FOLLOW_UP

from bonesim import posterior_members
from bonesim.sweeps import Folder
from bonesim.viewer import palette

#: Less than this was not lost, % of the twin.
MIN_LOSS = 1.0
LAST = FOLLOW_UP[-1]
#: No band is given over so few members or less.
FEW = 2
#: Ends of the band, as shares.
LOW, HIGH = 0.05, 0.95


def shares(results: pd.DataFrame) -> pd.DataFrame:
    """One row per member, measure and duration: loss at the stop and share regained at the end, %."""
    gone = missing(results)
    keys = ["seed", "measure", "stop_day"]
    wide = gone.pivot_table(index=keys, columns="after_day", values="missing_percent").reset_index()
    wide["lost"] = wide[0]
    wide["regained"] = np.where(
        wide[0] >= MIN_LOSS, 100.0 * (1.0 - wide[LAST] / wide[0].where(wide[0] != 0)), np.nan
    )
    return wide[[*keys, "lost", "regained"]]


def table_of(per_member: pd.DataFrame) -> pd.DataFrame:
    """Medians and 90 % bands over members, by measure and duration."""
    rows = []
    for (measure, stop), some in per_member.groupby(["measure", "stop_day"], sort=False):
        share = some["regained"].dropna()
        low, median, high = np.quantile(share, [LOW, 0.5, HIGH]) if len(share) else [np.nan] * 3
        lost = np.quantile(some["lost"], [LOW, 0.5, HIGH])
        rows.append({
            "measure": measure, "stop_day": stop, "members": len(some), "with_loss": len(share),
            "lost_low": lost[0], "lost": lost[1], "lost_high": lost[2],
            "low": low, "regained": median, "high": high,
        })  # fmt: skip
    return pd.DataFrame(rows)


def falling(per_member: pd.DataFrame) -> pd.DataFrame:
    """In how many members less comes back after the longest suppression than after the shortest."""
    rows = []
    for measure, some in per_member.groupby("measure", sort=False):
        wide = some.pivot(index="seed", columns="stop_day", values="regained")
        ends = [(row.dropna().iloc[0], row.dropna().iloc[-1]) for _, row in wide.iterrows()
                if row.notna().sum() > 1]  # fmt: skip
        rows.append({"measure": measure, "members": len(ends),
                     "falling": sum(last < first for first, last in ends)})  # fmt: skip
    return pd.DataFrame(rows)


def widening(
    per_member: pd.DataFrame, members: pd.DataFrame, measure: str, stop_day: int
) -> pd.Series:
    """Rank correlation of each parameter with the share regained, strongest first."""
    some = per_member[(per_member["measure"] == measure) & (per_member["stop_day"] == stop_day)]
    share = some.sort_values("seed").reset_index(drop=True)["regained"]
    known = share.notna()
    if known.sum() < 4:
        return pd.Series(dtype=float)
    rank = {
        path: float(spearmanr(members[path].iloc[: len(share)][known], share[known]).statistic)
        for path in members
    }
    found = pd.Series(rank)
    return found.reindex(found.abs().sort_values(ascending=False).index)


def markdown(table: pd.DataFrame) -> str:
    """README's table: durations down, measures across; loss, then share [90 % band]."""
    names = [name for name in MEASURES if name in set(table["measure"])]
    lines = ["| suppressed | " + " | ".join(MEASURES[name] for name in names) + " |",
             "|---" * (len(names) + 1) + "|"]  # fmt: skip
    for stop, some in table.groupby("stop_day"):
        cells = []
        for name in names:
            row = some[some["measure"] == name].iloc[0]
            share = (
                f"**{row['regained']:.0f}** [{row['low']:.0f}, {row['high']:.0f}] "
                f"({row['with_loss']:.0f})"
                if row["with_loss"] > FEW
                else "-"
            )
            cells.append(
                f"{row['lost']:.1f} [{row['lost_low']:.1f}, {row['lost_high']:.1f}]: {share}"
            )
        lines.append(f"| {stop / YEARS:.2g} y | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(per_member: pd.DataFrame, table: pd.DataFrame, output: Path) -> None:
    """A panel for each measure: share regained against duration, members in grey, median and band."""
    from matplotlib.figure import Figure

    names = [name for name in MEASURES if name in set(table["measure"])]
    across = 4
    down = -(-len(names) // across)
    figure = Figure(figsize=(13, 3.1 * down), dpi=120, layout="constrained")
    axes = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
    for unused in axes[len(names) :]:
        unused.remove()
    for letter, (axis, name) in enumerate(zip(axes, names, strict=False)):
        for _, one in per_member[per_member["measure"] == name].groupby("seed"):
            axis.plot(
                one["stop_day"] / YEARS, one["regained"], color="#CCCCCC", lw=0.7, marker=".", ms=3
            )
        if not (table.loc[table["measure"] == name, "with_loss"] > FEW).any():
            axis.text(0.5, 0.5, f"at most {FEW} members\nlost {MIN_LOSS:g} %", ha="center",
                      transform=axis.transAxes, fontsize=9)  # fmt: skip
        mine = table[(table["measure"] == name) & (table["with_loss"] > FEW)]
        years = mine["stop_day"] / YEARS
        axis.fill_between(
            years, mine["low"], mine["high"], color=palette.THICKNESS, alpha=0.25, lw=0
        )
        axis.plot(years, mine["regained"], color=palette.THICKNESS, marker="o", ms=4)
        axis.set_xscale("log")
        axis.set_xticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
        axis.minorticks_off()
        for level in (0.0, 100.0):
            axis.axhline(level, color=palette.INK, lw=0.6, ls=":")
        axis.set_ylim(-60, 160)
        axis.set_title(f"{chr(65 + letter)}  {MEASURES[name]}", loc="left", fontsize=10)
        axis.set_xlabel("years of suppression (25 -> 7 pg/mL)", fontsize=9)
    for row in range(down):
        axes[row * across].set_ylabel("share of the loss back after 5 years, %", fontsize=9)
    figure.savefig(output)


def main() -> None:
    """Print the tables and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of simulate.py over members")
    parser.add_argument("-o", "--output", type=Path, default=Path("recovery.png"))
    given = parser.parse_args()
    per_member = shares(Folder(given.folder).results())
    table = table_of(per_member)
    print(markdown(table))
    print(
        f"\nless comes back after longer suppression\n{falling(per_member).to_string(index=False)}"
    )
    members = posterior_members()
    for measure in ("bvtv_percent", "bmd_mg_per_cm3"):
        found = widening(per_member, members, measure, 1825)
        print(f"\nafter five years, {MEASURES[measure]}: rank correlation with the share regained")
        print(found.round(2).to_string())
    table.round(3).to_csv(given.output.with_suffix(".csv"), index=False)
    draw(per_member, table, given.output)


if __name__ == "__main__":
    main()
