"""The command hormones: the blood alone, as text, picture and table."""

import sys
from typing import Annotated, Any

import typer

from bonesim.cli.options import Change, ConfigFile, Csv, Json, Overwrite, Parquet, PictureIfAny


def hormones(
    config: ConfigFile,
    output: PictureIfAny = None,
    people: Annotated[
        int, typer.Option(min=0, max=100000, help="Also the 90 % range of so many people.")
    ] = 0,
    change: Change = None,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
    overwrite: Overwrite = False,
) -> None:
    """What a prescription does to testosterone, estradiol and LH: no bone is simulated.

    The tables have one row a day.
    """
    from bonesim.api.inputs import as_config, files_of
    from bonesim.api.pictures import draw_hormones
    from bonesim.cli import table_files
    from bonesim.config.changes import parsed_changes
    from bonesim.reports import blood
    from bonesim.viewer.picture import check_picture

    changes = parsed_changes(change or [])
    given: dict[str, Any] = {"overwrite": overwrite, "inputs": files_of(config, changes)}
    table_files.check(csv, json, parquet, **given, others=(output,))
    if output is not None:
        check_picture(output, **given)
    prescribed = blood.Prescribed(as_config(config, changes), people)
    if output is not None:
        draw_hormones(prescribed, output, overwrite=overwrite)
        print(output, file=sys.stderr)
    if not table_files.write(blood.table(prescribed, "day"), csv, json, parquet):
        print(blood.text(blood.table(prescribed, "phase")))
