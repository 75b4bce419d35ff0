"""The commands render and view: pictures of a run."""

import sys
from typing import Annotated

import typer

from bonesim.cli.options import Overwrite, Picture, RunFile


def render(
    file: RunFile,
    output: Picture,
    colour: Annotated[
        str,
        typer.Option(
            "--colour",
            "--color",
            help="events, bone, mineral, surface_state, sed (strain energy density under the "
            "habitual load) or none.",
        ),
    ] = "events",
    overwrite: Overwrite = False,
) -> None:
    """Before and after in 3-D with every perforation and cut marked, and the time courses."""
    from bonesim.api.pictures import render as draw

    draw(file, output, colour=colour, overwrite=overwrite)
    print(output, file=sys.stderr)


def view(file: RunFile) -> None:
    """Open a window with a slider over the days."""
    from bonesim.api.pictures import view as show

    show(file)
