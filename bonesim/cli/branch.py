"""The command branch: a run goes on from one of its days under another course, load or parameter."""

import sys
from typing import Annotated, Any

import typer

from bonesim.cli.interrupts import ended_at_once
from bonesim.cli.options import Change, Overwrite, Quiet, RunFile, RunOutput, UntilDay


def branch(
    file: RunFile,
    output: RunOutput,
    day: Annotated[int, typer.Option(min=0, help="Day of the run; what is set acts after it.")],
    change: Change = None,
    until_day: UntilDay = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Go on from a day of a run under another course, load or parameter; the run stays as it is."""
    from bonesim.api import simulate
    from bonesim.config.changes import parsed_changes
    from bonesim.engine.progress import Terminal

    observers: list[Any] = [] if quiet else [Terminal()]
    with ended_at_once():
        simulate.branch(
            file, output, day=day, changes=parsed_changes(change or []), overwrite=overwrite,
            until_day=until_day, observers=observers,
        )  # fmt: skip
    if not quiet:
        print(f"{output}: done; next: bonesim info {output}", file=sys.stderr)
