"""The command report: a run as one HTML file."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonesim.cli.options import Overwrite

File = Annotated[
    Path,
    typer.Argument(help="Run file (.vtkhdf), or folder of a sweep or trial.", show_default=False),
]
Page = Annotated[Path, typer.Option("--output", "-o", help="Page to make (.html).")]
Twin = Annotated[
    Path | None,
    typer.Argument(help="Run file to compare with, e.g. its twin.", show_default=False),
]


def report(file: File, twin: Twin = None, output: Page = Path("report.html"),
           overwrite: Overwrite = False) -> None:  # fmt: skip
    """A run as one HTML file that works offline: 3-D, slices, curves, events, tables."""
    from bonesim.api.report import report as make

    make(file, twin, output, overwrite=overwrite)
    print(output, file=sys.stderr)
