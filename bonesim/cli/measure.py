"""The command `measure`: structure, or stiffness and strength, of a scan or of each snapshot."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bonesim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from bonesim.specimens.scan import ScanParameters

#: Options of the mechanical test; its ranges are those of `ApparentParameters`.
PANEL = "Stiffness and strength"


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
    mechanics: Annotated[
        bool,
        typer.Option(
            "--mechanics",
            help="Compress the block by 1 % (micro-FE) instead.",
            rich_help_panel=PANEL,
        ),
    ] = False,
    tensor: Annotated[
        bool,
        typer.Option("--tensor", help="Also the whole stiffness tensor.", rich_help_panel=PANEL),
    ] = False,
    axis: Annotated[
        str | None, typer.Option(help="Axis of compression: z, y or x.", rich_help_panel=PANEL)
    ] = None,
    ends: Annotated[
        str | None, typer.Option(help="clamped or frictionless.", rich_help_panel=PANEL)
    ] = None,
    sides: Annotated[
        str | None, typer.Option(help="free or confined.", rich_help_panel=PANEL)
    ] = None,
    tissue_modulus_mpa: Annotated[
        float | None,
        typer.Option(help="Of bone tissue; default 10000 or the run's.", rich_help_panel=PANEL),
    ] = None,
    poisson: Annotated[
        float | None, typer.Option(help="Poisson's ratio; default 0.3.", rich_help_panel=PANEL)
    ] = None,
    habitual_stress_mpa: Annotated[
        float | None,
        typer.Option(help="Load to compare with strength, MPa.", rich_help_panel=PANEL),
    ] = None,
    voxels_per_element: Annotated[
        int | None, typer.Option(help="Edge of an element, 1 to 4.", rich_help_panel=PANEL)
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(help="Error of the strain energy, default 1e-6.", rich_help_panel=PANEL),
    ] = None,
    max_cycles: Annotated[
        int | None, typer.Option(help="Give up after so many cycles.", rich_help_panel=PANEL)
    ] = None,
) -> None:
    """Structure (BV/TV, Tb.Th, Conn.D, SMI ...) or mechanics of a scan or of each snapshot."""
    from bonesim.cli.table_files import check, write
    from bonesim.specimens.image import is_image

    check(csv, json, parquet)
    scan = _given(voxel_um=voxel_um, threshold=threshold, smooth_voxel=smooth_voxel)
    test = _given(
        axis=axis, ends=ends, sides=sides, tissue_modulus_mpa=tissue_modulus_mpa, poisson=poisson,
        habitual_stress_mpa=habitual_stress_mpa, voxels_per_element=voxels_per_element,
        tolerance=tolerance, max_cycles=max_cycles,
    )  # fmt: skip
    if not mechanics and (test or tensor):
        raise InputError(f"{_option(test or {'tensor': True})} belongs to --mechanics; add it")
    if mechanics and roi is not None:
        raise InputError(
            "--roi is not for --mechanics, which loads the whole block; crop the image"
        )
    if scan and not is_image(file):
        raise InputError(
            f"{_option(scan)} is for scans; {file} is taken for a run, which knows its own"
        )
    if mechanics:
        from bonesim.reports.mechanics import parameters_of

        parameters_of(test)
    found = _parameters_of_scan(file, scan) if is_image(file) else None
    table = _mechanics(file, found, test, tensor) if mechanics else _structure(file, found, roi)
    if not write(table, csv, json, parquet):
        _print(table)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _option(given: dict[str, Any]) -> str:
    """The first of some options, as it is typed."""
    return "--" + next(iter(given)).replace("_", "-")


def _parameters_of_scan(file: Path, given: dict[str, Any]) -> "ScanParameters":
    """The options of a scan, checked.

    Raises:
        InputError: one is out of its range.
    """
    from pydantic import ValidationError

    from bonesim.config.explain import explain
    from bonesim.specimens.scan import ScanParameters

    try:
        return ScanParameters.model_validate({"path": str(file), **given})
    except ValidationError as error:
        raise InputError(explain(error, str(file), ScanParameters)) from None


def _structure(file: Path, scan: "ScanParameters | None", roi: Path | None) -> "pd.DataFrame":
    from bonesim.reports.structure import of_run, of_scan
    from bonesim.storage.reader import open_run

    if scan is None:
        with open_run(file) as opened:
            return of_run(opened, roi)
    table, notes = of_scan(scan, roi)
    _say(file, notes)
    return table


def _mechanics(
    file: Path, scan: "ScanParameters | None", test: dict[str, Any], tensor: bool
) -> "pd.DataFrame":
    from bonesim.reports.mechanics import of_run, of_scan
    from bonesim.storage.reader import open_run

    if scan is None:
        with open_run(file) as opened:
            return of_run(opened, test, tensor)
    table, notes = of_scan(scan, test, tensor)
    _say(file, notes)
    return table


def _say(file: Path, notes: list[str]) -> None:
    for note in notes:
        print(f"{file.name}: {note}", file=sys.stderr)


def _print(table: "pd.DataFrame") -> None:
    """The table for reading; the entries of a stiffness tensor as a matrix."""
    from bonesim.reports.mechanics import ENTRY, matrices
    from bonesim.reports.structure import in_words

    print(in_words(table[~table["measure"].str.startswith(ENTRY)]))
    if told := matrices(table):
        print(f"\n{told}")
