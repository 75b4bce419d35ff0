"""The commands render and view: pictures of a run."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonesim.cli.options import Camera, Overwrite, Picture, Quiet, RunFile, Slab
from bonesim.errors import InputError


def render(
    file: RunFile,
    output: Picture,
    colour: Annotated[
        str | None,
        typer.Option(
            "--colour",
            "--color",
            show_default=False,
            help="events (default), bone, mineral, surface_state, sed (strain energy density under "
            "the habitual load) or none.",
        ),
    ] = None,
    twin: Annotated[
        Path | None,
        typer.Option(
            show_default=False, help="The untreated twin's run file: its bone and curves beside."
        ),
    ] = None,
    day: Annotated[
        list[int] | None,
        typer.Option(
            show_default=False, help="A snapshot's day to show; up to four: --day 0 --day 365."
        ),
    ] = None,
    camera: Camera = None,
    slab: Slab = None,
    width_mm: Annotated[
        float | None, typer.Option(show_default=False, help="Width in print, mm; default 180.")
    ] = None,
    slices: Annotated[
        str | None,
        typer.Option(
            show_default=False,
            metavar="PLACE",
            help='Three slices instead of 3-D, through middle or "x,y,z" in mm.',
        ),
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(
            show_default=False,
            help="One hole in close-up: the id of a break, or largest.",
        ),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="With --event: show the hole's very first day; simulates the run again to that day.",
        ),
    ] = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Before and after in 3-D with every perforation and cut marked; slices; or one hole in close-up."""
    given = {"twin": twin, "day": day or None, "camera": camera, "slab": slab, "width_mm": width_mm,
             "slices": slices}  # fmt: skip
    for name, value in given.items():
        if event is not None and value is not None:
            raise InputError("is not for `event`; leave one out", parameter=name)
    if event is not None:
        _close_up(file, output, event, colour, exact=exact, overwrite=overwrite, quiet=quiet)
        return
    if exact:
        raise InputError("belongs to `event`; add it", parameter="exact")
    from bonesim.api.pictures import render as draw

    draw(
        file, output, colour=colour or "events", twin=twin, days=day or None, camera=camera, slab=slab,
        width_mm=width_mm, slices=slices, overwrite=overwrite,
    )  # fmt: skip
    print(output, file=sys.stderr)


def _close_up(
    file: Path, output: Path, event: str, colour: str | None, *, exact: bool, overwrite: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """One hole: the picture, what is measured at it on stdout, what to know on stderr."""
    if colour is not None:
        raise InputError(
            "is not for `event`, whose colours are thickness; leave it out", parameter="colour"
        )
    from bonesim.api.close_up import render_event
    from bonesim.cli.interrupts import ended_at_once
    from bonesim.engine.progress import Terminal, complain

    with ended_at_once():
        made = render_event(
            file, event, output, exact=exact, overwrite=overwrite,
            observers=[] if quiet else [Terminal()],
        )  # fmt: skip
    print(made.description)
    for note in () if quiet else made.table.attrs["notes"]:
        complain(note.replace("`exact`", "--exact"))
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
    report(file, output=page, alone=True, overwrite=overwrite)
    print(f"there is no screen here; open this page in a browser anywhere: {page}", file=sys.stderr)
