"""The command biopsy: dynamic histomorphometry, the truth beside what sections show."""

import sys
from typing import Annotated

import typer

from bonesim.cli.options import Change, ConfigFile, Csv, Json, Overwrite, Parquet, Seed


def biopsy(
    config: ConfigFile,
    day: Annotated[int, typer.Option(min=1, max=50000, help="Day of the biopsy.")],
    change: Change = None,
    seed: Seed = None,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
    overwrite: Overwrite = False,
) -> None:
    """A doubly labelled biopsy: Ac.f, MAR, W.Th, E.De ... in 3-D and as 2-D sections show them.

    Parameters of the biopsy itself begin with biopsy., e.g. --set biopsy.interval_day=14.
    """
    from bonesim.api import simulate
    from bonesim.api.inputs import files_of
    from bonesim.cli import table_files
    from bonesim.config.changes import parsed_changes
    from bonesim.engine.days import Observer
    from bonesim.reports import biopsy as report

    class Notes(Observer):
        def note(self, text: str) -> None:
            print(text, file=sys.stderr)

    changes = parsed_changes(change or [])
    read = files_of(config, changes)
    table_files.check(csv, json, parquet, overwrite=overwrite, inputs=read)
    table = simulate.biopsy(config, day, changes=changes, seed=seed, observers=[Notes()])
    if not table_files.write(table, csv, json, parquet):
        print(report.text(table))
