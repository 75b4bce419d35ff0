"""The commands that look at a run as a clinic would: clinic, scan-like."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonesim.cli.options import Change, Csv, Json, NoiseSeed, Overwrite, Parquet, RunFile


def clinic(
    file: RunFile,
    every_day: Annotated[
        bool, typer.Option("--every-day", help="Every day instead of the snapshots' days.")
    ] = False,
    seed: NoiseSeed = None,
    change: Change = None,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
    overwrite: Overwrite = False,
) -> None:
    """What DXA, QCT and turnover markers would read, with their noise: not for clinical use.

    Parameters are those of the instruments, e.g. --set density.k_dxa=0.4.
    """
    from bonesim.api import look
    from bonesim.cli import table_files
    from bonesim.config.changes import parsed_changes
    from bonesim.reports import clinic as report

    table_files.check(csv, json, parquet, overwrite=overwrite, inputs=(file,))
    changes = parsed_changes(change or [])
    table = look.clinic(file, changes=changes, seed=seed, every_day=every_day)
    used = table_files.write(table, csv, json, parquet)
    if not used and not (every_day and csv is not None):
        print(report.text(table))


def scan_like(
    file: RunFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the images.")],
    day: Annotated[
        list[int] | None, typer.Option(help="Snapshot to scan, can be repeated; all if not given.")
    ] = None,
    scanner: Annotated[
        str, typer.Option(help="micro_ct_20, hr_pqct_61, hr_pqct_82 or qct.")
    ] = "hr_pqct_61",
    voxel_um: Annotated[
        float | None, typer.Option(help="Voxel edge instead of the scanner's, um.")
    ] = None,
    seed: NoiseSeed = None,
    overwrite: Overwrite = False,
) -> None:
    """Write what a scanner would see of the snapshots (NRRD), and the truth between them."""
    from bonesim.api import look
    from bonesim.reports import scan_like as report

    table = look.scan_like(
        file, output, day, scanner=scanner, voxel_um=voxel_um, seed=seed, overwrite=overwrite
    )
    print(report.text(table), file=sys.stderr)
    print(f"images and scan.json are in {output}", file=sys.stderr)
