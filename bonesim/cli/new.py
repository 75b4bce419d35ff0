"""The commands new and schema: files to start from, and what may be in them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonesim.cli.options import Overwrite

#: What to do with the first file of a kind.
NEXT = {
    "run": "bonesim run {file} -o run.vtkhdf --twin",
    "study": "bonesim sweep run {file} -o sweep --dry-run",
    "trial": "bonesim trial {file} -o trial --dry-run",
    "experiment": "bonesim sweep run {file} -o sweep --dry-run",
}


def new(
    kind: Annotated[
        str, typer.Argument(help="run, study (or sweep), trial or experiment.", show_default=False)
    ],
    folder: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the files; made if it is not there.")
    ] = Path(),
    overwrite: Overwrite = False,
) -> None:
    """Commented files to start from, with the schemas that an editor completes them by."""
    from bonesim.api import new as api

    paths = api.new(kind, folder, overwrite=overwrite)
    for path in paths:
        print(path)
    following = NEXT[api.ALSO_CALLED.get(kind, kind)]
    print(f"next: {following.format(file=paths[0])}", file=sys.stderr)


def schema(
    kind: Annotated[str, typer.Argument(help="run, study or trial.")] = "run",
) -> None:
    """Print the JSON schema of a config, study or trial: every parameter, unit, range and source."""
    from bonesim.api.new import schema_text

    sys.stdout.write(schema_text(kind))
