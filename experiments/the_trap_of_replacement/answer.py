"""Estradiol of a cohort of men under seven prescriptions, as one figure and one table.

    python answer.py -o estradiol_by_dose.png [--people 1000]

Every prescription is given to the same people (common random numbers).
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bonesim.analysis import in_markdown
from bonesim.config import Config, load_config
from bonesim.endocrine import cohort
from bonesim.viewer import at_print_size, print_figure

BASE = Path(__file__).parents[2] / "configs" / "trt_anastrozole.toml"
TRT = {"dose_mg": 100.0, "every_day": 7.0}
#: Name -> (on replacement, anastrozole).
PRESCRIPTIONS: dict[str, tuple[bool, dict[str, float] | None]] = {
    "no drug": (False, None),
    "anastrozole 1 mg/day alone": (False, {"dose_mg": 1.0}),
    "TC 100 mg/week alone": (True, None),
    "TC + 0.25 mg 2x/week": (True, {"dose_mg": 0.25, "times_per_week": 2}),
    "TC + 0.5 mg 2x/week": (True, {"dose_mg": 0.5, "times_per_week": 2}),
    "TC + 1 mg 2x/week": (True, {"dose_mg": 1.0, "times_per_week": 2}),
    "TC + 1 mg/day": (True, {"dose_mg": 1.0}),
}
#: Days until everything is steady, and the days averaged.
UNTIL, LAST = 168.0, 28.0
#: Below it spine density fell in men and women (Finkelstein 2016; guide M2.1).
ENOUGH_PG_PER_ML = 10.0


def prescribed(name: str) -> Config:
    """The base config with one of the prescriptions and nothing else."""
    replaced, anastrozole = PRESCRIPTIONS[name]
    drugs: dict[str, Any] = {"testosterone_cypionate": [TRT] if replaced else [],
                             "anastrozole": [anastrozole] if anastrozole else []}  # fmt: skip
    return load_config(BASE, {f"protocol.{drug}": given for drug, given in drugs.items()})


def estradiol(name: str, people: int) -> np.ndarray:
    """Mean true estradiol (pg/mL) of each person over the last weeks."""
    config = prescribed(name)
    assert config.protocol is not None
    hormones = config.hormones
    bloods = cohort(
        config.protocol,
        hormones.drugs,
        hormones.axis,
        hormones.variation,
        UNTIL,
        config.seed,
        people,
    )
    return np.array([b.e2_pg_per_ml[b.day >= UNTIL - LAST].mean() for b in bloods])


def table_of(levels: dict[str, np.ndarray]) -> pd.DataFrame:
    """Median, 90 % range and the share of people with too little, by prescription."""
    own = levels["no drug"]
    return pd.DataFrame([
        {"prescription": name, "median": np.median(e2), "p05": np.percentile(e2, 5),
         "p95": np.percentile(e2, 95), "of_own": np.median(e2 / own),
         "below_10_pg_per_ml": (e2 < ENOUGH_PG_PER_ML).mean()}
        for name, e2 in levels.items()
    ])  # fmt: skip


def words_of(table: pd.DataFrame) -> str:
    """The README's table."""
    return in_markdown(
        pd.DataFrame({
            "estradiol, median (90 % of men), pg/mL": [
                f"{row['median']:.3g} ({row['p05']:.3g}-{row['p95']:.3g})"
                for row in table.to_dict("records")
            ],
            "of his own": table["of_own"].map("{:.2f}".format).to_numpy(),
            "below 10": table["below_10_pg_per_ml"].map("{:.0%}".format).to_numpy(),
        }, index=pd.Index(table["prescription"], name="prescription"))
    )  # fmt: skip


@at_print_size
def draw(levels: dict[str, np.ndarray], output: Path) -> None:
    """One row for each prescription: everybody, the 90 % range and the median."""
    figure = print_figure(183.0, 100.0)
    axis = figure.subplots()
    for row, e2 in enumerate(levels.values()):
        spread = 0.56 * (np.arange(e2.size) * 0.618034 % 1.0 - 0.5)  # the golden ratio fills evenly
        axis.plot(e2, row + spread, ".", ms=2, alpha=0.25, color="#AA4499")
        axis.plot(np.percentile(e2, [5, 95]), [row, row], color="#222222", lw=2.2)
        axis.plot(np.median(e2), row, "o", ms=5, color="#222222")
        axis.annotate(f"{np.median(e2):.3g}", (np.median(e2), row), (0, 5), ha="center",
                      textcoords="offset points")  # fmt: skip
    own = float(np.median(levels["no drug"]))
    axis.axvline(own, color="#009E73", ls="--", lw=1, label="their own level")
    axis.axvspan(
        0.3, ENOUGH_PG_PER_ML, color="#E4E4E4", zorder=0, label="too little for bone (< 10)"
    )
    axis.set_xscale("log")
    axis.set_xlim(0.5, 250)
    axis.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
    axis.set_yticks(range(len(levels)), list(levels))
    axis.invert_yaxis()
    people = len(levels["no drug"])
    axis.set_xlabel(
        f"true estradiol, mean of four weeks (pg/mL, log); {people} people, 90 % of them, median"
    )
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(loc="upper right", frameon=False)
    figure.savefig(output)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("estradiol_by_dose.png"))
    parser.add_argument("--people", type=int, default=1000)
    options = parser.parse_args()
    levels = {name: estradiol(name, options.people) for name in PRESCRIPTIONS}
    print(words_of(table_of(levels)))
    draw(levels, options.output)


if __name__ == "__main__":
    main()
