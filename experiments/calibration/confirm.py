"""Every target against candidates for the parameters, on bones and seeds the fit did not use.

    python experiments/calibration/confirm.py candidates real_size scan [-o confirmed.csv]

Mean over bones with its 95 % CI; "in" if the mean lies in the acceptance band. DXA numbers are
for k = 0.50, fixed beforehand; with another k they scale by k / 0.50.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from targets import HIP, TARGETS, readings

from bonesim.analysis import mean_and_ci
from bonesim.sweeps import Folder


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """A row for each candidate and target."""
    rows = []
    for name, runs in results.groupby("candidate", sort=False):
        mine = readings(runs)
        for target in TARGETS:
            if target.name not in mine or (target.name == HIP) != name.startswith("hip"):
                continue
            mean = mean_and_ci(mine[target.name])
            inside = target.low <= mean["mean"] <= target.high
            rows.append({
                "candidate": name, "target": target.name, "what": target.what,
                "unit": target.unit, "published": target.value, "low": target.low,
                "high": target.high, "value": mean["mean"],
                "ci": mean["ci"] if target.name != "slopes" else np.nan,
                "bones": int(mean["n"]), "fitted": target.fitted, "in": bool(inside),
            })  # fmt: skip
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """The table as README has it: a column for each candidate, bold where it is outside the band."""
    bones = table.groupby("candidate", sort=False)["bones"].max()
    heads = [f"{name}, {count} runs" for name, count in bones.items()]
    lines = ["| | target | published | band | " + " | ".join(heads) + " |",
             "|---" * (4 + len(heads)) + "|"]  # fmt: skip
    for (target, what), part in table.groupby(["target", "what"], sort=False):
        first = part.iloc[0]
        unit = f" {first['unit']}" if first["unit"] else ""
        cell_of = part.set_index("candidate")
        cells = [_cell(cell_of.loc[name]) if name in cell_of.index else "" for name in bones.index]
        lines.append(
            f"| {target} | {what} | {first['published']:g}{unit} | "
            f"{first['low']:g} to {first['high']:g} | " + " | ".join(cells) + " |"
        )
    return "\n".join(lines)


def _cell(row: pd.Series) -> str:
    ci = "" if np.isnan(row["ci"]) else f" +/- {row['ci']:.2g}"
    text = f"{row['value']:.2f}{ci}"
    return text if row["in"] else f"**{text}**"


def main() -> None:
    """Print a table for each candidate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", type=Path, nargs="+", help="one table; runs of one candidate are pooled"
    )
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    results = [Folder(one).results() for one in given.folder]
    table = table_of(pd.concat(results, ignore_index=True))
    for name, part in table.groupby("candidate", sort=False):
        print(f"{name}: {part['in'].sum()} of {len(part)} in")
    print(f"\n{markdown(table)}")
    if given.output:
        table.to_csv(given.output, index=False)


if __name__ == "__main__":
    main()
