"""The command export: a snapshot in a file of another program."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonesim.cli.options import Crop, Csv, Json, Overwrite, Parquet, RunFile


def export(
    file: RunFile,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o",
            help="File to make: .stl, .ply, .obj, .gltf (surface); .vti, .nrrd, .tif (image); .py "
            "(macro for ParaView 5.12 or later).",
        ),
    ],
    day: Annotated[
        int | None, typer.Option(help="Day of the snapshot; default the last.", show_default=False)
    ] = None,
    array: Annotated[
        str,
        typer.Option(
            help="Image in .nrrd and .tif: quanta (bone), mineral, surface_state, "
            "osteocyte_viability or stock."
        ),
    ] = "quanta",
    crop: Crop = None,
    events: Annotated[
        bool, typer.Option("--events", help="Also NAME_breaks.csv: holes and cuts, places in mm.")
    ] = False,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
    overwrite: Overwrite = False,
) -> None:  # fmt: skip
    """A snapshot for another program: surface, image, or a macro of ParaView; measure reads images again."""
    from bonesim.api.export import export as write
    from bonesim.cli import table_files

    table_files.check(csv, json, parquet, overwrite=overwrite, inputs=(file,), others=(output,))
    table = write(file, output, day, array=array, crop=crop, events=events, overwrite=overwrite)
    row = table.iloc[0]
    for note in table.attrs["notes"]:
        print(f"{output}: {note}", file=sys.stderr)
    if not table_files.write(table, csv, json, parquet):
        print(
            f"{row['file']}: {row['format']}, day {row['day']}, {row['number']} {row['holds']}, "
            f"BV/TV {row['bvtv_percent']:.2f} %"
        )
