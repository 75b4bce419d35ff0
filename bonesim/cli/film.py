"""The command film: snapshots in order, a turntable, or one hole in close-up."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonesim.cli.options import Camera, Overwrite, RunFile, Slab


def film(
    file: RunFile,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Film to make: .mp4 (pip install 'bonesim[film]') or .gif."
        ),
    ],
    kind: Annotated[
        str,
        typer.Option(
            help="time (all snapshots), turntable (one, once around) or event (a hole in close-up)."
        ),
    ] = "time",
    colour: Annotated[
        str | None,
        typer.Option(
            "--colour", "--color", show_default=False,
            help="As of render: events (default), bone, mineral, surface_state, sed or none.",
        ),
    ] = None,
    day: Annotated[
        int | None,
        typer.Option(show_default=False, help="Snapshot of a turntable; default the last."),
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(show_default=False, help="Id of a break, or largest (default)."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(show_default=False, help="Of one turn (8), or of each snapshot (1)."),
    ] = None,
    fps: Annotated[int, typer.Option(help="Frames a second, 1 to 60.")] = 20,
    size_px: Annotated[int, typer.Option(help="Width and height, even, 320 to 2160.")] = 720,
    camera: Camera = None,
    slab: Slab = None,
    overwrite: Overwrite = False,
) -> None:  # fmt: skip
    """A film: all snapshots in order, the bone turned around, or one hole in close-up."""
    from bonesim.api.film import film as make

    table = make(
        file, output, kind, colour=colour, day=day, event=event, seconds=seconds, fps=fps,
        size_px=size_px, camera=camera, slab=slab, overwrite=overwrite,
    )  # fmt: skip
    row = table.iloc[0]
    print(
        f"{row['kind']}: {row['frames']} frames, {row['seconds']:g} s, {row['snapshots']} snapshot(s), "
        f"days {row['first_day']} to {row['last_day']}"
    )
    print(output, file=sys.stderr)
