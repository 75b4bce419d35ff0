"""A worker's part: it simulates one person in one arm and returns the readings of each visit.

Readings here are without noise; `outcomes` and `replicates` add it.
"""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.config.config import Config, planned_config
from bonesim.endocrine.assay import AssayParameters, assays
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

#: Estradiol by each assay, beside the true value of the daily table: column -> what it is.
ASSAYS = {
    "e2_immunoassay_pg_per_ml": "serum estradiol, immunoassay",
    "e2_spectrometry_pg_per_ml": "serum estradiol, mass spectrometry",
}
#: Ends of the columns with the CV of an assay's readings and their lower limit.
CV_OF, LIMIT_OF = "_cv", "_limit"


class Quantity(NamedTuple):
    """A quantity that a trial can report."""

    name: str
    what: str
    unit: str
    cv: float  # of one reading; 0: read exactly, or (of an assay) as the results have it


def quantities(clinic: ClinicParameters) -> dict[str, Quantity]:
    """All readings of a visit, by name: the clinic's instruments, then the daily table."""
    import pandas as pd

    nothing = pd.DataFrame({name: [1.0] for name in NEEDED})
    found = {
        one.name: Quantity(one.name, one.what, one.unit, one.cv) for one in courses(nothing, clinic)
    }
    for name, what in ASSAYS.items():
        found[name] = Quantity(name, what, "pg/mL", 0.0)
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
    e2 = table["e2_pg_per_ml"].to_numpy(np.float64)
    table = table.assign(**columns, **assayed(e2, config.hormones.assay))
    rows = table[table["day"].isin([0, *days])]
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def assayed(e2: NDArray[np.float64], p: AssayParameters) -> dict[str, NDArray[np.float64]]:
    """Columns of estradiol as each assay reads it: without noise, the CV of one reading, the limit.

    Args:
        e2: true levels, pg/mL, shape (days,).
        p: the laboratory.
    """
    found = {}
    for name, assay in assays(e2, p).items():
        found[name] = assay.mean
        found[name + CV_OF] = np.full(e2.shape, assay.cv)
        found[name + LIMIT_OF] = np.full(e2.shape, assay.limit_pg_per_ml)
    return found


def _daily_table(config: Config, keep: str | None) -> "pd.DataFrame":
    """The daily table of a run; a file with its lattices is written only if it is to be kept."""
    bone, observers = bone_of(config.specimen), [spending(), Terminal()]
    if keep is None:
        return recorded(config, bone, observers, measures=False).daily
    run(config, Path(keep), overwrite=True, specimen=bone, observers=observers)
    with open_run(keep) as opened:
        return opened.table
