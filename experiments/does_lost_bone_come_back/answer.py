"""Reads finished runs: how much of each loss came back, and how many more struts and plates broke.

    python answer.py --healthy h1.vtkhdf h2.vtkhdf --treated t1.vtkhdf t2.vtkhdf -o figure.png

Runs of one bone and several seeds are pooled; a healthy and a treated run of the same bone and
seed have common random numbers. Only run files are read; nothing is simulated here.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from bonesim.lattice import JUDGEMENT_DAYS
from bonesim.loss import final_breaks, may_have_closed
from bonesim.storage import Run, open_run
from bonesim.units import BONE

#: What is compared: name in the tables -> symbol.
MEASURES = {
    "bvtv_percent": "BV/TV",
    "bmd_mg_per_cm3": "BMD",
    "tb_th_um": "Tb.Th",
    "conn_d_per_mm3": "Conn.D",
}


@dataclass(frozen=True)
class Outcome:
    """One run in numbers: each measure at each snapshot, and its final events in a period."""

    measures: pd.DataFrame
    finals: int
    mm3_years: float
    grown_over: int = 0  # of them: bone again where they were logged
    maybe_closed: int = 0  # of those


def outcome(run: Run, until_day: float) -> Outcome:
    """Measures by snapshot day, and events up to `until_day` judged final by the end of the run.

    Events judged open at the end are not counted; `until_day` a year and a half before the last
    day leaves time for judgement.
    """
    table = run.table[["day", "bvtv_percent", "bmd_mg_per_cm3"]]
    structure = run.snapshot_table.drop(columns=["bvtv_percent"])
    measures = structure.merge(table, on="day").set_index("day")[list(MEASURES)]
    events = run.events
    rows = final_breaks(events)
    rows = rows[events["day"].to_numpy()[rows] <= until_day]
    place = events[["z_um", "y_um", "x_um"]].to_numpy()[rows] // run.voxel_um
    bone = run.quanta(run.snapshot_days[-1])[tuple(place.astype(np.int64).T)] >= BONE
    # None is final earlier than a year after it broke.
    since = events["day"].to_numpy()[rows[bone]] + JUDGEMENT_DAYS
    closed = may_have_closed(events, rows[bone], since)
    volume = float(np.prod(run.shape)) * (run.voxel_um / 1000.0) ** 3
    return Outcome(
        measures, rows.size, volume * until_day / 365.25, int(bone.sum()), int(closed.sum())
    )


def regained(measures: pd.DataFrame) -> pd.Series:
    """Share of the loss from the first to the second snapshot that the third has back, %."""
    before, suppressed, after = (measures.iloc[k] for k in range(3))
    return 100.0 * (after - suppressed) / (before - suppressed)


def rate_ratio(treated: list[Outcome], healthy: list[Outcome]) -> tuple[float, float, float]:
    """Final events per mm3 and year, treated over healthy, with its exact 95 % interval.

    Given the sum, the treated count is binomial (Clopper 1934).
    """
    a, b = (sum(o.finals for o in group) for group in (treated, healthy))
    exposure = [sum(o.mm3_years for o in group) for group in (treated, healthy)]
    scale = exposure[1] / exposure[0]
    interval = stats.binomtest(a, a + b).proportion_ci(0.95)
    low, high = (p / (1 - p) * scale if p < 1 else np.inf for p in interval)
    return (a / b * scale if b else np.inf), low, high


def main() -> None:
    """Print the answer; draw it if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--healthy", nargs="+", type=Path, required=True)
    parser.add_argument("--treated", nargs="+", type=Path, required=True)
    parser.add_argument("--until-day", type=float, default=1825.0)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    groups: dict[str, list[Outcome]] = {}
    for name in ("healthy", "treated"):
        groups[name] = []
        for path in getattr(given, name):
            with open_run(path) as run:
                groups[name].append(outcome(run, given.until_day))
    for name, outcomes in groups.items():
        mean = sum(o.measures for o in outcomes) / len(outcomes)
        print(f"{name}, mean of {len(outcomes)} run(s)\n{mean.to_string(float_format='%.3f')}")
        change = 100.0 * (mean / mean.iloc[0] - 1.0)
        print(f"change from day 0, %\n{change.to_string(float_format='%.1f')}\n")
    back = pd.DataFrame([regained(o.measures) for o in groups["treated"]])
    print("share of the loss regained, % (mean, SD over runs)")
    print(pd.DataFrame({"mean": back.mean(), "SD": back.std()}).to_string(float_format="%.0f"))
    ratio, low, high = rate_ratio(groups["treated"], groups["healthy"])
    counts = {name: sum(o.finals for o in outcomes) for name, outcomes in groups.items()}
    print(f"\nfinal perforations and cuts to day {given.until_day:g}: {counts}")
    print(f"rate, treated over healthy: {ratio:.2f} (95 % {low:.2f} to {high:.2f})")
    for name, outcomes in groups.items():
        grown, closed = (
            sum(getattr(o, n) for o in outcomes) for n in ("grown_over", "maybe_closed")
        )
        print(
            f"{name}: of these {grown} are bone again where they were logged, "
            f"{closed} of those may have closed"
        )
    if given.output:
        draw(groups["treated"], given.output)


def draw(treated: list[Outcome], output: Path) -> None:
    """Bars: how much of each loss came back, one dot a run."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
    back = pd.DataFrame([regained(o.measures) for o in treated])
    axis.bar([MEASURES[name] for name in back], back.mean(), color="#E69F00", width=0.6)
    for place, name in enumerate(back):
        axis.plot(np.full(len(back), place), back[name], "o", color="#222222", markersize=4)
    axis.axhline(0, color="#222222", linewidth=0.8)
    axis.set_ylabel("share of the loss regained (%)")
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(output, dpi=150)
    back.to_csv(output.with_suffix(".csv"), index=False)


if __name__ == "__main__":
    main()
