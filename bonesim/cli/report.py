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
    typer.Argument(
        help="Run file to compare with; default the untreated twin beside it, if there.",
        show_default=False,
    ),
]
Alone = Annotated[bool, typer.Option("--alone", help="Without the twin beside it.")]


def report(file: File, twin: Twin = None, output: Page = Path("report.html"),
           alone: Alone = False, overwrite: Overwrite = False) -> None:  # fmt: skip
    """A run as one HTML file that works offline: 3-D, slices, curves, events, tables."""
    from bonesim.api.report import report as make

    page = make(file, twin, output, alone=alone, overwrite=overwrite)
    print(output, file=sys.stderr)
    if twin is None and len(page.files) > 1:
        print(f"beside its untreated twin {page.files[1]}; --alone leaves it out", file=sys.stderr)
