"""The command bundle: a run as a research object."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonesim.cli.options import Overwrite, RunFile


def bundle(
    file: RunFile,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="ZIP to make; default NAME.crate.zip here."),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(help="Of the results: an SPDX name, e.g. CC-BY-4.0, or an address."),
    ] = None,
    author: Annotated[str | None, typer.Option(help="Name of who made the run.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """A run as one ZIP (RO-Crate): config, inputs, results, versions, ODD, citation."""
    from bonesim.api.bundle import bundle as make

    print(make(file, output, licence=licence, author=author, overwrite=overwrite), file=sys.stderr)
