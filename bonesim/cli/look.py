"""The command look: a scan before it is used, as a picture and a table."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bonesim.cli.options import (
    ArrayName,
    Crop,
    Csv,
    DensityIntercept,
    DensitySlope,
    Json,
    Overwrite,
    Parquet,
    PictureIfAny,
    SmoothVoxel,
    Threshold,
    ThresholdMg,
    VolumeIndex,
    VoxelUm,
)


def look(
    scan: Annotated[Path, typer.Argument(help="Image, or folder of slices.", show_default=False)],
    output: PictureIfAny = None,
    voxel_um: VoxelUm = None,
    threshold: Threshold = None,
    threshold_mg: ThresholdMg = None,
    density_slope: DensitySlope = None,
    density_intercept: DensityIntercept = None,
    crop: Crop = None,
    smooth_voxel: SmoothVoxel = None,
    index: VolumeIndex = None,
    array: ArrayName = None,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
    overwrite: Overwrite = False,
) -> None:
    """A scan before it is used: slices, grey values, thresholds, BV/TV, what a run would cost."""
    from bonesim.api import scans
    from bonesim.cli import table_files
    from bonesim.reports import look as report

    table_files.check(csv, json, parquet, overwrite=overwrite, inputs=(scan,), others=(output,))
    table, _ = scans.look(
        scan, output, voxel_um=voxel_um, threshold=threshold, threshold_mg=threshold_mg,
        density_slope=density_slope, density_intercept=density_intercept, crop=crop,
        smooth_voxel=smooth_voxel, index=index, array=array, overwrite=overwrite,
    )  # fmt: skip
    for note in table.attrs["notes"]:
        print(f"{scan.name}: {note}", file=sys.stderr)
    if output is not None:
        print(output, file=sys.stderr)
    if not table_files.write(table, csv, json, parquet):
        print(report.text(table))
    if output is None:
        print(f"a picture: bonesim look {shlex.quote(str(scan))} -o look.png", file=sys.stderr)
    options = table.attrs["bone"]
    if options:
        if threshold_mg is not None:
            del options["threshold"]
        given = {
            "threshold_mg": threshold_mg, "density_slope": density_slope,
            "density_intercept": density_intercept, "crop": crop, "smooth_voxel": smooth_voxel,
            "index": index, "array": array,
        }  # fmt: skip
        print(f"next: {_run_command(scan, options | given)}", file=sys.stderr)


def _run_command(scan: Path, options: dict[str, Any]) -> str:
    """The command that simulates the scan as it was looked at."""
    words = ["bonesim", "run", "run.toml", "-o", "out.vtkhdf", "--bone", str(scan)]
    for name, value in options.items():
        if value is not None:
            text = f"{value:.7g}" if isinstance(value, float) else str(value)
            words += [f"--{name.replace('_', '-')}", text]
    return f"{shlex.join(words)}   (bonesim new run writes run.toml)"
