"""Reads a finished sweep and draws what came back by dose and duration of anastrozole.

    bonesim sweep run configs/sweep_dose_duration.toml -o sweep
    python answer.py sweep -o recovery.png

Only the sweep's results are read; nothing is simulated here.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from bonesim.sweep.gather import Folder
from bonesim.sweep.study import StudyParameters, read_as
from bonesim.viewer import palette
from bonesim.viewer.sweep_plots import mean_and_ci, ratio_and_ci

#: What is drawn: column here -> axis label.
PANELS = {
    "bvtv_regained": "BV/TV: share of the loss regained\nin two years without the drug (%)",
    "conn_d_left": "Conn.D two years after the drug,\nchange from before it (%)",
    "breaks_per_mm3": "final perforations and strut cuts\nper mm$^3$ by then",
}


def volume_mm3(folder: Path) -> float:
    """Volume of the study's bone."""
    from bonesim.config import load_config
    from bonesim.specimens.synthetic import SyntheticParameters

    study, _ = read_as(folder / "study.toml", StudyParameters)
    base = Path(__file__).parents[2] / "configs" / study.base
    specimen = load_config(base).specimen
    assert isinstance(specimen, SyntheticParameters)
    return float(np.prod(specimen.size_mm))


def outcomes(results: pd.DataFrame, volume: float) -> pd.DataFrame:
    """One row per run: before the drug (snapshot 0), at its end (1), two years later (2).

    Args:
        results: a sweep's table, three snapshots of every run.
        volume: of the bone, mm3.
    """
    found = []
    for point, run in results.sort_values("snapshot").groupby("point"):
        before, stopped, after = run["bvtv_percent"]
        conn_d = run["conn_d_per_mm3"].to_numpy()
        last = run.iloc[-1]
        found.append({
            "point": point, "dose_mg": last["dose_mg"], "duration_day": last["duration_day"],
            "seed": last["seed"],
            "bvtv_lost": 100.0 * (1.0 - stopped / before),
            "bvtv_back": 100.0 * (after - stopped) / before,
            "conn_d_stopped": 100.0 * (conn_d[1] / conn_d[0] - 1.0),
            "conn_d_left": 100.0 * (conn_d[2] / conn_d[0] - 1.0),
            "breaks_per_mm3": (last["perforations_final"] + last["strut_cuts_final"]) / volume,
        })  # fmt: skip
    return pd.DataFrame(found)


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean and half width of its 95 % CI over seeds, by dose and duration."""
    columns = [c for c in runs if c not in ("point", "dose_mg", "duration_day", "seed")]
    grouped = runs.groupby(["dose_mg", "duration_day"])
    parts = {c: grouped[c].apply(mean_and_ci).unstack()[["mean", "ci"]] for c in columns}
    parts["bvtv_regained"] = grouped[["bvtv_back", "bvtv_lost"]].apply(
        lambda seeds: ratio_and_ci(seeds["bvtv_back"], seeds["bvtv_lost"])
    )[["mean", "ci"]]
    return pd.concat(parts, axis=1)


def draw(table: pd.DataFrame, output: Path) -> None:
    """Three panels over duration, one line for each dose."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.5, 3.8), dpi=120, layout="constrained")
    for axis, (name, label) in zip(figure.subplots(1, 3), PANELS.items(), strict=True):
        for k, (dose, rows) in enumerate(table.groupby(level="dose_mg")):
            years = rows.index.get_level_values("duration_day") / 365.0
            axis.errorbar(years + 0.03 * (k - 1), rows[name]["mean"], rows[name]["ci"], capsize=2,
                          marker="o", ms=4, color=palette.DRUGS[k], label=f"{dose:g} mg/day")  # fmt: skip
        axis.axhline(0, color=palette.INK, lw=0.8)
        axis.set_xlabel("years on anastrozole")
        axis.set_ylabel(label)
        axis.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(output)


def main() -> None:
    """Print the answer and draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("recovery.png"))
    given = parser.parse_args()
    table = summary(outcomes(Folder(given.folder).results(), volume_mm3(given.folder)))
    print(table.to_string(float_format="{:.2f}".format))
    table.to_csv(given.output.with_suffix(".csv"))
    draw(table, given.output)


if __name__ == "__main__":
    main()
