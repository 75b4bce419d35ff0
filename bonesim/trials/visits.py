"""A worker's part: it simulates one person in one arm and returns the readings of each visit.

Readings here are without noise; `outcomes` and `replicates` add it.
"""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bonesim.config.config import Config, planned_config
from bonesim.endocrine.assay import immunoassay
from bonesim.engine.daily_table import COLUMNS
from bonesim.engine.progress import Terminal
from bonesim.engine.run import run
from bonesim.engine.without_file import recorded
from bonesim.errors import InputError
from bonesim.instruments.visits import NEEDED, ClinicParameters, courses
from bonesim.storage.reader import open_run
from bonesim.sweeps.spent import spending
from bonesim.sweeps.worker import Outcomes, bone_of
from bonesim.trials.parameters import TrialParameters

if TYPE_CHECKING:
    import pandas as pd

#: Estradiol by direct immunoassay, beside the true value of the daily table.
IMMUNOASSAY = "e2_immunoassay_pg_per_ml"


class Quantity(NamedTuple):
    """A quantity that a trial can report."""

    name: str
    what: str
    unit: str
    cv: float  # of one reading; 0: read exactly


def quantities(clinic: ClinicParameters) -> dict[str, Quantity]:
    """All readings of a visit, by name: the clinic's instruments, then the daily table."""
    import pandas as pd

    nothing = pd.DataFrame({name: [1.0] for name in NEEDED})
    found = {
        one.name: Quantity(one.name, one.what, one.unit, one.cv) for one in courses(nothing, clinic)
    }
    found[IMMUNOASSAY] = Quantity(IMMUNOASSAY, "serum estradiol, immunoassay", "pg/mL", 0.0)
    for column in COLUMNS:
        if column.name != "day":
            found[column.name] = Quantity(column.name, column.meaning, column.unit, 0.0)
    return found


def check_quantities(p: TrialParameters) -> None:
    """Refuse a trial that reports an unknown quantity.

    Raises:
        InputError: an unknown quantity.
    """
    known = quantities(p.clinic)
    for name in (*p.changes, *p.levels):
        if name not in known:
            raise InputError(
                f"changes, levels: {name!r} is not known; there are {', '.join(known)}"
            )


def visited(
    config_text: str, keep: str | None, *, days: tuple[int, ...], clinic: ClinicParameters
) -> Outcomes:
    """Simulate a config; one row on day 0 and at each visit: the daily table and all readings.

    Args:
        config_text: resolved config, TOML.
        keep: path of the run file; None if only readings are wanted.
        days: days of the visits.
        clinic: parameters of the readings.
    """
    config = planned_config(tomllib.loads(config_text))
    table = _daily_table(config, keep)
    columns = {one.name: one.value for one in courses(table, clinic)}
    columns[IMMUNOASSAY] = immunoassay(
        table["e2_pg_per_ml"].to_numpy(np.float64), config.hormones.assay
    )
    table = table.assign(**columns)
    rows = table[table["day"].isin([0, *days])]
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _daily_table(config: Config, keep: str | None) -> "pd.DataFrame":
    """The daily table of a run; a file with its lattices is written only if it is to be kept."""
    bone, observers = bone_of(config.specimen), [spending(), Terminal()]
    if keep is None:
        return recorded(config, bone, observers, measures=False).daily
    run(config, Path(keep), overwrite=True, specimen=bone, observers=observers)
    with open_run(keep) as opened:
        return opened.table
