"""Reads the members of `simulate.py`: what comes back by duration, as bands, and what widens them most.

    python experiments/recovery_by_duration/members.py recovery -o recovery.png

Each member of the posterior is one run on a bone of its own. What is missing on a day is relative to its
twin of that day, which was never suppressed; the share regained is 1 - missing later / missing at the
stop. A share has a meaning only in members that lost MIN_LOSS or more. Bands hold 90 % of the members.
Nothing is simulated here.
"""

import argparse
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
import pandas as pd
from answer import MEASURES, YEARS, missing
from scipy.stats import spearmanr
from simulate import FOLLOW_UP

from bonesim import posterior_members
from bonesim.sweeps import Folder
from bonesim.viewer import TWO_COLUMNS_MM, at_print_size, lettered, palette, print_figure

#: Less than this was not lost, % of the twin.
MIN_LOSS = 1.0
LAST = FOLLOW_UP[-1]
#: No band is given over so few members or less.
FEW = 2
#: Panels in a row; the range that they show, %; the colour of a member.
ACROSS, SHOWN_PERCENT, GREY = 4, (-60.0, 160.0), "#AAAAAA"
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


@at_print_size
def draw(per_member: pd.DataFrame, table: pd.DataFrame, output: Path) -> None:
    """A panel for each measure: share regained against duration, members in grey, median and band."""
    names = [name for name in MEASURES if name in set(table["measure"])]
    down = -(-len(names) // ACROSS)
    figure = print_figure(TWO_COLUMNS_MM, 62.0 * down + 12.0)
    axes = figure.subplots(down, ACROSS, sharey=True, squeeze=False).ravel()
    for unused in axes[len(names) :]:
        unused.remove()
    for letter, axis, name in zip(ascii_lowercase, axes, names, strict=False):
        mine = table[(table["measure"] == name) & (table["with_loss"] > FEW)]
        counts = mine["with_loss"]
        number = f"n = {counts.min():g} to {counts.max():g}" if len(mine) else f"n < {FEW + 1}"
        lettered(axis, letter, f"{MEASURES[name]}, {number}")
        each = per_member[per_member["measure"] == name]
        for _, one in each.groupby("seed"):
            years = one["stop_day"] / YEARS
            axis.plot(
                years, one["regained"], color=GREY, lw=0.6, marker=".", ms=3, label="a member"
            )
        if mine.empty:
            axis.text(0.5, 0.5, f"at most {FEW} members\nlost {MIN_LOSS:g} %", ha="center",
                      transform=axis.transAxes)  # fmt: skip
        years = mine["stop_day"] / YEARS
        axis.fill_between(
            years, mine["low"], mine["high"], color=palette.THICKNESS, alpha=0.25, lw=0,
            label="90 % of the members",
        )  # fmt: skip
        axis.plot(
            years,
            mine["regained"],
            color=palette.THICKNESS,
            marker="o",
            label="median of the members",
        )
        beyond(axis, each["stop_day"] / YEARS, each["regained"], GREY)
        for end in ("low", "high"):
            beyond(axis, years, mine[end], palette.THICKNESS)
        axis.set_xscale("log")
        axis.set_xticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
        axis.minorticks_off()
        for level in (0.0, 100.0):
            axis.axhline(level, color=palette.INK, lw=0.6, ls=":")
        axis.set_ylim(*SHOWN_PERCENT)
        axis.set_xlabel("years of suppression\n(25 -> 7 pg/mL)")
        axis.spines[["top", "right"]].set_visible(False)
    for row in range(down):
        axes[row * ACROSS].set_ylabel("share of the loss back\nafter 5 years (%)")
    handles, labels = axes[0].get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    once[f"goes on beyond {SHOWN_PERCENT[0]:g} or {SHOWN_PERCENT[1]:g} %"] = axes[0].plot(
        [], [], ls="none", marker="^", ms=4, color=palette.THICKNESS
    )[0]
    figure.legend(
        once.values(), once.keys(), frameon=False, loc="outside lower center", ncols=4,
        title=f"n: members that lost {MIN_LOSS:g} % or more, by duration",
    )  # fmt: skip
    figure.savefig(output)


def beyond(axis: Any, years: pd.Series, values: pd.Series, colour: str) -> None:
    """A triangle at the panel's edge for each value that lies outside it."""
    low, high = SHOWN_PERCENT
    for edge, shape, outside in ((low, "v", values < low), (high, "^", values > high)):
        at = years[outside]
        # What is not clipped must be somewhere: of no points the layout knows no place.
        if len(at):
            axis.plot(
                at, np.full(len(at), edge), ls="none", marker=shape, ms=4, color=colour,
                clip_on=False, zorder=4,
            )  # fmt: skip


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
