"""The command demo: from nothing to a picture."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonesim.cli.interrupts import ended_at_once
from bonesim.cli.options import Change, Overwrite, Quiet, Seed

#: What to do next, after the picture and its numbers.
NEXT = """\
one small block is one draw of chance: another seed gives other numbers (bonesim demo --seed 2 -o demo_2)
next: bonesim info {run}            its numbers
      bonesim report {run} {twin} -o report.html   both in 3-D, in a browser
      bonesim info {run} --config   its configuration, to change and run: bonesim run"""


def demo(
    output: Annotated[
        Path, typer.Option("--output", "--out", "-o", help="Folder of picture and run files.")
    ] = Path("bonesim_demo"),
    seed: Seed = None,
    change: Change = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """From nothing to a picture: 2 years of anastrozole, a year without, and the untreated twin."""
    from bonesim.api import first_picture
    from bonesim.config.changes import parsed_changes
    from bonesim.engine.progress import Terminal, printable

    with ended_at_once():
        made = first_picture.demo(
            output, changes=parsed_changes(change or []), seed=seed, overwrite=overwrite,
            observers=[] if quiet else [Terminal()],
        )  # fmt: skip
    print(made.text())
    print(f"\n{printable(str(made.picture))}")
    if not quiet:
        print(printable(NEXT.format(run=made.run, twin=made.twin)), file=sys.stderr)
