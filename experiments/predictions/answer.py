"""Reads the four ensembles: what is missing at the stop and five years later, against the untreated twin.

    python experiments/predictions/answer.py predictions -o predictions.csv

Medians and 90 % bands over members of the posterior. Nothing is simulated here.
"""

import argparse
from pathlib import Path

import pandas as pd

from bonesim import bands

#: What is reported: column -> name.
MEASURES = {"bmd_mg_per_cm3": "BMD", "bvtv_percent": "BV/TV", "tb_th_um": "Tb.Th",
            "apparent_modulus_z_mpa": "stiffness"}  # fmt: skip
#: Folder of an ensemble -> who it is.
NAMES = {
    "with_replacement_1y": "on replacement, a year",
    "with_replacement_5y": "on replacement, five years",
    "without_replacement_1y": "without, a year", "without_replacement_5y": "without, five years",
}  # fmt: skip
AFTER = 1825


def of_ensemble(folder: Path, name: str) -> pd.DataFrame:
    """Bands at the stop and at the end of one ensemble."""
    table = bands(folder)
    last = int(table["day"].max())
    some = table[table["day"].isin([last - AFTER, last]) & table["quantity"].isin(MEASURES)]
    when = some["day"].map({last - AFTER: "at the stop", last: "five years later"})
    return some.assign(who=name, when=when)


def markdown(table: pd.DataFrame) -> str:
    """README's table: who and when down, measures across, percent of the twin."""
    lines = ["| anastrozole | | " + " | ".join(MEASURES.values()) + " |",
             "|---" * (len(MEASURES) + 2) + "|"]  # fmt: skip
    for (who, when), some in table.groupby(["who", "when"], sort=False):
        rows = some.set_index("quantity")
        cells = [
            f"{rows.loc[name, 'median']:+.1f} [{rows.loc[name, 'low']:+.1f}, {rows.loc[name, 'high']:+.1f}]"
            if name in rows.index else "-"
            for name in MEASURES
        ]  # fmt: skip
        lines.append(f"| {who} | {when} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the table and keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of simulate.py")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    table = pd.concat(
        [of_ensemble(given.folder / folder, name) for folder, name in NAMES.items()],
        ignore_index=True,
    )
    print(f"from the untreated twin, %, median [90 % band], n = {int(table['n'].max())}\n")
    print(markdown(table))
    table.round(3).to_csv(given.output, index=False)


if __name__ == "__main__":
    main()
