"""Every target against candidates for the parameters, on bones and chance the fit did not see.

    python experiments/calibration/confirm.py candidates [-o experiments/calibration/confirmed.csv]

Mean over bones with its 95 % CI; "in" if the mean lies in the acceptance band. DXA numbers are told
for k = 0.50, fixed beforehand; with another k they scale by k / 0.50.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from targets import TARGETS, readings

from bonesim.sweep.comparison import mean_and_ci
from bonesim.sweep.gather import Folder


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """A row for each candidate and target."""
    rows = []
    for name, lives in results.groupby("candidate", sort=False):
        mine = readings(lives)
        for target in TARGETS:
            if target.name not in mine:
                continue
            told = mean_and_ci(mine[target.name])
            inside = target.low <= told["mean"] <= target.high
            rows.append({
                "candidate": name, "target": target.name, "what": target.what,
                "unit": target.unit, "published": target.value, "low": target.low,
                "high": target.high, "value": told["mean"],
                "ci": told["ci"] if target.name != "slopes" else np.nan,
                "bones": int(told["n"]), "fitted": target.fitted, "in": bool(inside),
            })  # fmt: skip
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """The table as README has it."""
    lines = ["| | target | published | band | here, 95 % CI | |", "|---|---|---|---|---|---|"]
    for row in table.to_dict("records"):
        ci = "" if np.isnan(row["ci"]) else f" +/- {row['ci']:.2g}"
        verdict = "in" if row["in"] else "**out**"
        unit = f" {row['unit']}" if row["unit"] else ""
        lines.append(
            f"| {row['target']} | {row['what']} | {row['published']:g}{unit} | "
            f"{row['low']:g} to {row['high']:g} | {row['value']:.2f}{ci} | {verdict} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print a table for each candidate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+", help="bones of all of them together")
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    lives = [Folder(one).results() for one in given.folder]
    table = table_of(pd.concat(lives, ignore_index=True))
    for name, part in table.groupby("candidate", sort=False):
        print(f"\n{name}: {part['in'].sum()} of {len(part)} in\n\n{markdown(part)}")
    if given.output:
        table.to_csv(given.output, index=False)


if __name__ == "__main__":
    main()
