"""Reads finished runs beside their untreated twins: what is back of each loss, and whether holes close.

    python answer.py --treated t1.vtkhdf t2.vtkhdf --twin u1.vtkhdf u2.vtkhdf -o regained.png

A run and its twin share bone and random numbers. What is missing on a day is relative to the twin of that
day; the share back is 1 - missing at the last snapshot / missing at the second. Nothing is simulated here.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from bonesim import Run, open_run
from bonesim.viewer import ONE_COLUMN_MM, at_print_size, keep_ticks, palette, print_figure

#: What is compared: name in the tables -> symbol.
MEASURES = {
    "bvtv_percent": "BV/TV",
    "bmd_mg_per_cm3": "BMD",
    "tb_th_um": "Tb.Th",
    "conn_d_per_mm3": "Conn.D",
}
KINDS = ("hole", "cut")


@dataclass(frozen=True)
class Pair:
    """A treated run beside its twin.

    Attributes:
        missing: percent of the twin's value, one row per snapshot (begin, stop, end), one column per measure.
        there: (treated, twin) -> how many holes and cuts are there at the stop.
        kept: of the treated run's at the stop, how many are there at the end.
        opened: and how many are an opening at the end: a hole that has reached an edge.
    """

    missing: pd.DataFrame
    there: tuple[dict[str, int], dict[str, int]]
    kept: int
    opened: int


def measures(run: Run) -> pd.DataFrame:
    """One row per snapshot, one column per measure."""
    table = run.table[["day", "bvtv_percent", "bmd_mg_per_cm3"]]
    structure = run.snapshot_table.drop(columns=["bvtv_percent"])
    return structure.merge(table, on="day").set_index("day")[list(MEASURES)]


def breaks(run: Run, day: float) -> pd.DataFrame:
    """Holes and cuts that are there on a day."""
    there = run.breaks_there(day)
    return there[there["kind"].isin(KINDS)]


def counts(there: pd.DataFrame) -> dict[str, int]:
    """Kind -> how many."""
    return {kind: int((there["kind"] == kind).sum()) for kind in KINDS}


def pair(treated: Run, twin: Run) -> Pair:
    """A treated run with three snapshots (begin, stop, end) beside its twin."""
    _, stop, end = treated.snapshot_days
    mine, then = breaks(treated, stop), breaks(treated, end)
    gone = mine.loc[~mine["id"].isin(then["id"]), "id"]
    every = treated.breaks
    opened = every["id"].isin(gone) & (every["kind"] == "opening") & (every["state"] == "there")
    return Pair(
        100.0 * (1.0 - measures(treated) / measures(twin)),
        (counts(mine), counts(breaks(twin, stop))),
        len(mine) - len(gone),
        int(opened.sum()),
    )


def back(missing: pd.DataFrame) -> pd.Series:
    """Share of what is missing at the stop that is back at the end, %."""
    return 100.0 * (1.0 - missing.iloc[2] / missing.iloc[1])


def ratio(treated: int, twin: int) -> tuple[float, float, float]:
    """Treated over twin in equal volume and time, with its exact 95 % interval.

    Given the sum, the treated count is binomial (Clopper 1934).
    """
    interval = stats.binomtest(treated, treated + twin).proportion_ci(0.95)
    middle, low, high = (
        p / (1 - p) if p < 1 else np.inf for p in (treated / (treated + twin), *interval)
    )
    return middle, low, high


def main() -> None:
    """Print the answer; draw it if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--treated", nargs="+", type=Path, required=True)
    parser.add_argument("--twin", nargs="+", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    if len(given.treated) != len(given.twin):
        parser.error("as many --twin as --treated, in the same order")
    pairs = []
    for one, other in zip(given.treated, given.twin, strict=True):
        with open_run(one) as treated, open_run(other) as twin:
            pairs.append(pair(treated, twin))
    mean = sum(one.missing for one in pairs) / len(pairs)
    shares = pd.DataFrame([back(one.missing) for one in pairs])
    print(
        f"{len(pairs)} bone(s); missing against the untreated twin of the day, %; "
        "the share back is a mean over bones\n"
    )
    days = [f"day {day:g}" for day in mean.index[1:]]
    print(f"| | {days[0]} | {days[1]} | back, % |\n|---|---|---|---|")
    for name, symbol in MEASURES.items():
        print(
            f"| {symbol} | {mean[name].iloc[1]:.1f} | {mean[name].iloc[2]:.1f} | {shares[name].mean():.0f} |"
        )
    print(f"\nThere on {days[0]}:\n\n| | treated | twin | ratio (95 %) |\n|---|---|---|---|")
    for kind in KINDS:
        a, b = (sum(one.there[k][kind] for one in pairs) for k in (0, 1))
        middle, low, high = ratio(a, b)
        print(f"| {kind}s | {a} | {b} | {middle:.2f} ({low:.2f} to {high:.2f}) |")
    total = sum(sum(one.there[0].values()) for one in pairs)
    kept, opened = (sum(getattr(one, name) for one in pairs) for name in ("kept", "opened"))
    print(
        f"\nOf {total} holes and cuts of the treated, {kept} are there on {days[1]}, "
        f"{opened} have reached an edge, {total - kept - opened} have closed or merged."
    )
    if given.output:
        draw(shares, given.output)


@at_print_size
def draw(shares: pd.DataFrame, output: Path) -> None:
    """Bars: how much of each loss came back, one dot a bone."""
    figure = print_figure(ONE_COLUMN_MM, 60.0)
    axis = figure.subplots()
    keep_ticks(axis)
    axis.bar(
        [MEASURES[name] for name in shares], shares.mean(), color=palette.BMD, width=0.6,
        label=f"mean over n = {len(shares)} bone{'s' if len(shares) > 1 else ''}",
    )  # fmt: skip
    for place, name in enumerate(shares):
        axis.plot(
            np.full(len(shares), place), shares[name], "o", color=palette.INK,
            label=None if place else "each bone",
        )  # fmt: skip
    axis.axhline(0, color=palette.INK, linewidth=0.8)
    axis.set_ylabel("share of what was missing\nthat is back (%)")
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, loc="outside lower center", ncols=2)
    figure.savefig(output)
    shares.to_csv(output.with_suffix(".csv"), index=False)


if __name__ == "__main__":
    main()
