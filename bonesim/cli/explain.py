"""The commands explain and odd: what a parameter is, and what the model is."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonesim.cli.options import Csv, Json, Overwrite, Parquet

Values = Annotated[
    Path | None, typer.Option("--config", help="Values of this configuration, not the defaults.")
]


def explain(
    path: Annotated[
        str,
        typer.Argument(
            help="Parameter or group, e.g. cells.osteoclast.strain_stop; the last names suffice.",
            show_default=False,
        ),
    ],
    config: Values = None,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
    overwrite: Overwrite = False,
) -> None:
    """A parameter: value, unit, range, meaning, source, and the functions that read it."""
    from bonesim.api import model
    from bonesim.cli import table_files
    from bonesim.reports import explain as report

    table_files.check(csv, json, parquet, overwrite=overwrite, inputs=(config,))
    table = model.explain(path, config)
    if not table_files.write(table, csv, json, parquet):
        print(report.text(table))


def odd(
    config: Annotated[
        Path | None, typer.Argument(help="Values of this configuration.", show_default=False)
    ] = None,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
    overwrite: Overwrite = False,
) -> None:
    """The model by the ODD protocol, its tables made from this program; or the tables alone."""
    from bonesim.api import model
    from bonesim.cli import table_files
    from bonesim.reports import odd as report

    table_files.check(csv, json, parquet, overwrite=overwrite, inputs=(config,))
    table = model.odd(config)
    if not table_files.write(table, csv, json, parquet):
        sys.stdout.write(report.text(table))
