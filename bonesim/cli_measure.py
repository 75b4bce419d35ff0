"""The command `measure`: structure of a scan or of every snapshot of a run."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bonesim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def measure(
    file: Annotated[
        Path, typer.Argument(help="Run file, image, or folder of slices.", show_default=False)
    ],
    voxel_um: Annotated[float | None, typer.Option(help="Voxel size of a scan, um.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Bone is at this grey value or more; default Otsu's.")
    ] = None,
    smooth_voxel: Annotated[
        float | None, typer.Option(help="Gaussian on the grey values first, SD in voxels.")
    ] = None,
    roi: Annotated[
        Path | None, typer.Option(help="Image of the same size: measure where it is not 0.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON records on stdout.")] = False,
    csv: Annotated[
        str | None, typer.Option(help="Write all measures as CSV: a file, or - for stdout.")
    ] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write all measures as Parquet.")] = None,
) -> None:
    """Structure (BV/TV, Tb.Th, Conn.D, SMI, DA, plates and rods ...) of a scan or of each snapshot."""
    from bonesim.measures_table import in_words
    from bonesim.specimens.image import is_image
    from bonesim.table_output import check, write

    check(csv, json, parquet)
    scan = {"voxel_um": voxel_um, "threshold": threshold, "smooth_voxel": smooth_voxel}
    given = {name: value for name, value in scan.items() if value is not None}
    table = _of_scan(file, given, roi) if is_image(file) else _of_run(file, given, roi)
    if not write(table, csv, json, parquet):
        print(in_words(table))


def _of_scan(file: Path, given: dict[str, float], roi: Path | None) -> "pd.DataFrame":
    from pydantic import ValidationError

    from bonesim.config_errors import explain
    from bonesim.measures_table import of_scan
    from bonesim.specimens.scan import ScanParameters

    try:
        scan = ScanParameters.model_validate({"path": str(file), **given})
    except ValidationError as error:
        raise InputError(explain(error, str(file), ScanParameters)) from None
    table, notes = of_scan(scan, roi)
    for note in notes:
        print(f"{file.name}: {note}", file=sys.stderr)
    return table


def _of_run(file: Path, given: dict[str, float], roi: Path | None) -> "pd.DataFrame":
    from bonesim.measures_table import of_run
    from bonesim.storage.reader import open_run

    if given:
        option = "--" + next(iter(given)).replace("_", "-")
        raise InputError(f"{option} is for scans; {file} is taken for a run, which knows its own")
    with open_run(file) as opened:
        return of_run(opened, roi)
