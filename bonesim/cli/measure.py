"""The command measure: structure, or stiffness and strength, of a scan or of each snapshot."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bonesim.cli.options import (
    Csv,
    Json,
    Overwrite,
    Parquet,
    Quiet,
    SmoothVoxel,
    Threshold,
    VoxelUm,
)
from bonesim.errors import InputError

#: Options of the mechanical test; its ranges are those of `ApparentParameters`.
PANEL = "Stiffness and strength"


def measure(
    file: Annotated[
        Path, typer.Argument(help="Run file, image, or folder of slices.", show_default=False)
    ],
    voxel_um: VoxelUm = None,
    threshold: Threshold = None,
    smooth_voxel: SmoothVoxel = None,
    roi: Annotated[
        Path | None, typer.Option(help="Image of the same size: measure where it is not 0.")
    ] = None,
    per_label: Annotated[
        bool, typer.Option("--per-label", help="Measure each number in the ROI by itself.")
    ] = False,
    maps: Annotated[
        Path | None,
        typer.Option(
            "--map", help="Folder for maps of Tb.Th and Tb.Sp, um (NRRD).", show_default=False
        ),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
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
    from bonesim.api import look
    from bonesim.cli.progress_line import progress_line
    from bonesim.cli.table_files import check, write
    from bonesim.reports import mechanics as mechanics_report
    from bonesim.reports import structure

    check(csv, json, parquet)
    test = _given(
        axis=axis, ends=ends, sides=sides, tissue_modulus_mpa=tissue_modulus_mpa, poisson=poisson,
        habitual_stress_mpa=habitual_stress_mpa, voxels_per_element=voxels_per_element,
        tolerance=tolerance, max_cycles=max_cycles,
    )  # fmt: skip
    if not mechanics and (test or tensor):
        name = next(iter(test), "tensor")
        raise InputError("belongs to `mechanics`; add it", parameter=name)
    if mechanics and roi is not None:
        raise InputError(
            "is not for `mechanics`, which loads the whole block; crop the image", parameter="roi"
        )
    for name, given in (("maps", maps is not None), ("per_label", per_label)):
        if mechanics and given:
            raise InputError("is not for `mechanics`, which loads the whole block", parameter=name)
    report = mechanics_report if mechanics else structure
    if mechanics:
        table = look.measure_stiffness(
            file, voxel_um, tensor=tensor, threshold=threshold, smooth_voxel=smooth_voxel, **test
        )
    else:
        scan: dict[str, Any] = {"threshold": threshold, "smooth_voxel": smooth_voxel}
        if maps is not None:
            with progress_line("maps", quiet=quiet) as progress:
                look.thickness_maps(
                    file, voxel_um, roi, folder=maps, overwrite=overwrite, progress=progress, **scan
                )
        with progress_line("measures", quiet=quiet) as progress:
            table = look.measure(
                file, voxel_um, roi, per_label=per_label, progress=progress, **scan
            )
    for note in () if quiet else table.attrs["notes"]:
        print(f"{file.name}: {note}", file=sys.stderr)
    if not write(table, csv, json, parquet):
        print(report.text(table))


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
