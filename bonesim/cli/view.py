"""The commands render and view: pictures of a run."""

import sys
from pathlib import Path
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


def view(
    file: RunFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", show_default=False,
            help="Page to make where there is no screen; default NAME.html for NAME.vtkhdf, here.",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:  # fmt: skip
    """Open a window with a slider over the days; without a screen, make the page of the run."""
    from bonesim.viewer.camera import has_screen

    if has_screen():
        from bonesim.api.pictures import view as show

        show(file)
        return
    from bonesim.api.report import report

    page = output or Path(f"{file.stem}.html")
    report(file, output=page, overwrite=overwrite)
    print(f"there is no screen here; open this page in a browser anywhere: {page}", file=sys.stderr)
