"""The commands that look at a run as a clinic would: clinic, scan-like."""

import sys
from pathlib import Path
from typing import Annotated

import typer

RunFile = Annotated[Path, typer.Argument(help="Run file (.vtkhdf).", show_default=False)]
Seed = Annotated[
    int | None,
    typer.Option(min=0, max=2**63 - 1, help="Of the readings' noise; the run's own if not given."),
]


def clinic(
    file: RunFile,
    every_day: Annotated[
        bool, typer.Option("--every-day", help="Every day instead of the snapshots' days.")
    ] = False,
    seed: Seed = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any parameter: path=value, e.g. density.k_dxa=0.4."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
    csv: Annotated[
        str | None, typer.Option(help="Write the table as CSV: a file, or - for stdout.")
    ] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write the table as Parquet.")] = None,
) -> None:
    """What DXA, QCT and turnover markers would read, with their noise: not for clinical use."""
    from bonesim.cli import table_files as table_output
    from bonesim.config.changes import parsed_changes
    from bonesim.reports.clinic import clinic_parameters, record, summary
    from bonesim.storage.reader import open_run

    table_output.check(csv, json, parquet)
    parameters = clinic_parameters(parsed_changes(change or []))
    with open_run(file) as opened:
        table = record(opened, parameters, seed, every_day=every_day)
    if not table_output.write(table, csv, json, parquet):
        print(summary(table, parameters))


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
    seed: Seed = None,
) -> None:
    """Write what a scanner would give of the snapshots (NRRD), and the truth between them."""
    from bonesim.reports.clinic import scan_like as write_scans
    from bonesim.storage.reader import open_run

    with open_run(file) as opened:
        done = write_scans(opened, output, day, scanner, voxel_um, seed)
    for scan in done["scans"]:
        print(
            f"day {scan['day']}: BV/TV {scan['seen_bvtv_percent']:.2f} % seen, "
            f"{scan['true_bvtv_percent']:.2f} % true; mean {scan['seen_mean_mg_per_cm3']:.1f} "
            f"mgHA/cm3 ({output / scan['grey']})",
            file=sys.stderr,
        )
