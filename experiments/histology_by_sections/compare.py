"""Takes biopsies of several healthy blocks and puts what sections show beside what health shows.

    python compare.py                                      five synthetic blocks of 3 mm
    python compare.py --size 1.6 --seeds 1 2               smaller and fewer
    python compare.py --config cube.toml --seeds 1         any bone, e.g. a scan: a config of `bonesim run`
    python compare.py --csv table.csv                      every reading of every block

One row per measure that has a band in health: mean and SD over the blocks, the band, whether the mean
lies in it, and in how many blocks. The last line: whether all of sections hold at once.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bonesim import biopsy, load_config
from bonesim.config import parsed_changes

CONFIG = Path(__file__).parents[2] / "configs" / "healthy_decade.toml"


def readings(
    config: Path, day: int, seeds: Sequence[int], changes: dict[str, object]
) -> pd.DataFrame:
    """The biopsies of all blocks, one below the other; each seed is a synthetic bone of its own."""
    synthetic = load_config(config).specimen.kind == "synthetic"
    found = []
    for seed in seeds:
        own = {"specimen.seed": seed} if synthetic else {}
        found.append(biopsy(config, day, changes={**changes, **own}, seed=seed))
        print(f"seed {seed} is done", file=sys.stderr)
    return pd.concat(found, ignore_index=True)


def pooled(table: pd.DataFrame) -> pd.DataFrame:
    """One row per measure with a band: the value the band is for, over the blocks."""
    banded = table[table["health_of"] != ""].copy()
    banded["value"] = [row[row["health_of"]] for _, row in banded.iterrows()]
    banded["within"] = banded["in_health"] == "yes"
    rows = banded.groupby(["health_of", "symbol"], sort=False).agg(
        mean=("value", "mean"), sd=("value", "std"), low=("health_low", "first"),
        high=("health_high", "first"), blocks_within=("within", "sum"),
        blocks=("within", "size"), unit=("unit", "first"),
    )  # fmt: skip
    rows["holds"] = (rows["mean"] >= rows["low"]) & (rows["mean"] <= rows["high"])
    return rows.reset_index()


def words_of(rows: pd.DataFrame) -> str:
    """The table as text."""
    lines = [f"{'':9s}{'of':9s}{'mean':>10s}{'SD':>9s}   {'health':18s}{'blocks':8s}"]
    for one in rows.to_dict("records"):
        band = f"{one['low']:g} to {one['high']:g}"
        lines.append(
            f"{one['symbol']:9s}{one['health_of']:9s}{one['mean']:10.4g}{one['sd']:9.2g}   {band:18s}"
            f"{one['blocks_within']}/{one['blocks']}   {'in' if one['holds'] else 'OUT'}   {one['unit']}"
        )
    sections = rows[rows["health_of"] == "sections"]
    missed = ", ".join(sections["symbol"][~sections["holds"]])
    lines.append(f"by sections all at once: {'yes' if not missed else 'no (' + missed + ')'}")
    return "\n".join(lines)


def main() -> None:
    """Read the options, take the biopsies, print and write."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    options.add_argument("--config", type=Path, default=CONFIG)
    options.add_argument("--day", type=int, default=400)
    options.add_argument(
        "--size", type=float, help="edge of a synthetic block, mm (3 if it is CONFIG's)"
    )
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    options.add_argument("--set", action="append", default=[], metavar="PATH=VALUE")
    options.add_argument("--csv", type=Path)
    given = options.parse_args()
    changes = parsed_changes(given.set)
    size_mm = given.size or (3.0 if given.config == CONFIG else None)
    if size_mm:
        changes["specimen.size_mm"] = [size_mm] * 3
    table = readings(given.config, given.day, given.seeds, changes)
    if given.csv:
        table.to_csv(given.csv, index=False)
    print(words_of(pooled(table)))


if __name__ == "__main__":
    main()
