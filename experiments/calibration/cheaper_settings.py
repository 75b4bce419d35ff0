"""Reads `simulate.py cheaper_settings.toml --cheaper`: do fewer mechanical solves change the loss?

    python experiments/calibration/cheaper_settings.py cheaper -o experiments/calibration/cheaper_settings.csv

Both ways of a bone start from one day 0 with common random numbers, so their difference scatters less
than either loss, until the two runs have drifted apart. Nothing is simulated here.
"""

import argparse
from pathlib import Path

import pandas as pd
from scenarios import OFTEN, YEAR
from targets import Courses

from bonesim.analysis import mean_and_ci
from bonesim.sweeps import Folder

DAYS = (182, YEAR)


def losses(runs_by_course: Courses, day: int) -> pd.DataFrame:
    """Spine DXA lost beyond the control, pp, a row for each bone: load solved rarely, and as by default."""

    def lost(how: str) -> pd.Series:
        return runs_by_course.dxa("woman" + how, day) - runs_by_course.dxa(
            "woman_inhibitor" + how, day
        )

    return pd.DataFrame({"rarely": lost(""), "often": lost(OFTEN)})


def table_of(runs_by_course: Courses) -> pd.DataFrame:
    """A row for each day: mean losses, their difference in percent of the loss, and what pairing saves."""
    rows = {}
    for day in DAYS:
        lost = losses(runs_by_course, day)
        apart = mean_and_ci(lost["rarely"] - lost["often"])
        loss = lost["often"].mean()
        own = lost.var().sum()
        rows[day] = {
            "bones": len(lost), "rarely_pp": lost["rarely"].mean(), "often_pp": loss,
            "difference_percent_of_loss": 100.0 * apart["mean"] / loss,
            "ci_percent_of_loss": 100.0 * apart["ci"] / loss,
            "variance_saved": own / (lost["rarely"] - lost["often"]).var(),
        }  # fmt: skip
    return pd.DataFrame(rows).T.rename_axis("day")


def main() -> None:
    """Print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    table = table_of(Courses(Folder(given.folder).results()))
    print(table.to_string(float_format="{:.2f}".format))
    table.to_csv(given.output, float_format="%.4f")


if __name__ == "__main__":
    main()
