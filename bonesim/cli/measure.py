"""The command measure: structure, or stiffness and strength, of a scan or of each snapshot."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bonesim.cli.failures import as_typed
from bonesim.cli.options import (
    ArrayName,
    Crop,
    Csv,
    DensityIntercept,
    DensitySlope,
    Json,
    Overwrite,
    Parquet,
    Quiet,
    SmoothVoxel,
    Threshold,
    ThresholdMg,
    VolumeIndex,
    VoxelUm,
)
from bonesim.engine.progress import complain
from bonesim.errors import BonesimError, InputError

#: Options of the mechanical test; its ranges are those of `ApparentParameters`.
PANEL = "Stiffness and strength"


def measure(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Run files, images, or folders of slices.", show_default=False
        ),
    ],
    voxel_um: VoxelUm = None,
    threshold: Threshold = None,
    smooth_voxel: SmoothVoxel = None,
    threshold_mg: ThresholdMg = None,
    density_slope: DensitySlope = None,
    density_intercept: DensityIntercept = None,
    crop: Crop = None,
    index: VolumeIndex = None,
    array: ArrayName = None,
    roi: Annotated[
        Path | None, typer.Option(help="Image of the same place: measure where it is not 0.")
    ] = None,
    per_label: Annotated[
        bool, typer.Option("--per-label", help="Measure each number in the ROI by itself.")
    ] = False,
    closed: Annotated[
        bool, typer.Option("--closed", help="Of runs: with all open cavities filled again.")
    ] = False,
    scanner: Annotated[
        str | None,
        typer.Option(
            help="Measure what it would see, at its voxels: micro_ct_20, hr_pqct_61, hr_pqct_82, qct.",
            show_default=False,
        ),
    ] = None,
    maps: Annotated[
        Path | None,
        typer.Option(
            "--map", help="Folder for maps of Tb.Th and Tb.Sp, um (NRRD).", show_default=False
        ),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
    overwrite: Overwrite = False,
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
    from bonesim.api import maps as map_files
    from bonesim.api import scans
    from bonesim.cli.progress_line import progress_line
    from bonesim.cli.table_files import check, write
    from bonesim.reports import mechanics as mechanics_report
    from bonesim.reports import structure

    check(csv, json, parquet, overwrite=overwrite, inputs=(*files, roi))
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
    unfit = {"maps": maps is not None, "per_label": per_label, "scanner": scanner is not None}
    for name, given in unfit.items():
        if mechanics and given:
            raise InputError("is not for `mechanics`, which loads the whole block", parameter=name)
    report = mechanics_report if mechanics else structure
    options: dict[str, Any] = dict(
        voxel_um=voxel_um, threshold=threshold, smooth_voxel=smooth_voxel, threshold_mg=threshold_mg,
        density_slope=density_slope, density_intercept=density_intercept, crop=crop,
        index=index, array=array, closed=closed,
        **(
            {"tensor": tensor, **test}
            if mechanics
            else {"region": roi, "per_label": per_label, "scanner": scanner}
        ),
    )  # fmt: skip
    for name, given in (("closed", closed), ("scanner", scanner is not None)):
        if maps is not None and given:
            raise InputError(f"draws bone as it is; leave `{name}` out", parameter="maps")
    if maps is not None:
        own = {
            name: value
            for name, value in options.items()
            if name not in ("per_label", "closed", "scanner")
        }
        for file in files:
            folder = maps if len(files) == 1 else maps / file.name.split(".")[0]
            with progress_line(f"maps of {file.name}", quiet=quiet) as progress:
                map_files.thickness_maps(
                    file, folder=folder, overwrite=overwrite, progress=progress, **own
                )
    with progress_line("measures", quiet=quiet or mechanics) as progress:
        table = scans.measure_files(files, mechanics=mechanics, progress=progress, **options)
    for file, note in () if quiet else table.attrs["notes"]:
        print(f"{Path(file).name}: {note}", file=sys.stderr)
    one = len(files) == 1
    if not write(table.drop(columns="file") if one else table, csv, json, parquet):
        for name in dict.fromkeys(table["file"].tolist()):
            words = report.text(table[table["file"] == name])
            print(words if one else f"{name}\n{words}\n")
    failures: list[tuple[str, BonesimError]] = table.attrs["failures"]
    for _, error in failures:
        complain(as_typed(error, context.find_root().command, sys.argv[1:]))
    if failures:
        raise typer.Exit(failures[0][1].exit_code)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
