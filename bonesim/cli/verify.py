"""The command verify: whether files are what was written."""

from pathlib import Path
from typing import Annotated

import typer


def verify(
    path: Annotated[
        Path, typer.Argument(help="Run file, or folder of runs or a sweep.", show_default=False)
    ],
) -> None:
    """Read everything and report what is damaged: data, sums, ledger, links. Exit 5 if anything is."""
    from bonesim.api import files
    from bonesim.engine.progress import printable
    from bonesim.errors import CorruptFileError
    from bonesim.reports import verify as report

    found = files.verify(path)
    print(printable(report.text(found)))
    if wrong := found.attrs["wrong"]:
        first = found[~found["state"].str.startswith(report.OK)].iloc[0]
        raise CorruptFileError(
            f"{path}: {wrong} of {len(found)} checks failed, the first: {first['file']}, {first['what']}"
        )
