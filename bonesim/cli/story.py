"""The command story: one remodelling unit."""

import sys
from typing import Annotated

import typer

from bonesim.cli.options import Csv, Json, Overwrite, Parquet, PictureIfAny, RunFile


def story(
    file: RunFile,
    bmu: Annotated[
        int, typer.Argument(help="Its id, from the events' column bmu.", show_default=False)
    ],
    output: PictureIfAny = None,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
    overwrite: Overwrite = False,
) -> None:
    """What is on file of one remodelling unit: birth, snapshots, perforations and cuts, end."""
    from bonesim.api import look, pictures
    from bonesim.cli import table_files
    from bonesim.reports import story as report

    table_files.check(csv, json, parquet, overwrite=overwrite, inputs=(file,), others=(output,))
    table = look.story(file, bmu)
    if output is not None:
        pictures.plot_story(file, bmu, output, overwrite=overwrite)
        print(output, file=sys.stderr)
    if not table_files.write(table, csv, json, parquet):
        print(report.text(table))
