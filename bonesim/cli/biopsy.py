"""The command `biopsy`: dynamic histomorphometry, the truth beside what sections tell."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def biopsy(
    config: Annotated[Path, typer.Argument(help="Configuration, TOML.", show_default=False)],
    day: Annotated[int, typer.Option(min=1, max=50000, help="Day of the biopsy.")],
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any parameter: path=value, e.g. biopsy.interval_day=14."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Instead of the config's seed.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON records on stdout.")] = False,
    csv: Annotated[
        str | None, typer.Option(help="Write the table as CSV: a file, or - for stdout.")
    ] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write the table as Parquet.")] = None,
) -> None:
    """A doubly labelled biopsy: Ac.f, MAR, W.Th, E.De ... in 3-D and as 2-D sections tell them."""
    from bonesim.cli import table_files as table_output
    from bonesim.config.changes import parsed_changes
    from bonesim.config.config import load_config
    from bonesim.reports.biopsy import biopsy_at, in_words, split

    table_output.check(csv, json, parquet)
    changes, parameters = split(parsed_changes(change or []))
    if seed is not None:
        changes["seed"] = seed
    resolved = load_config(config, changes)
    table = biopsy_at(resolved, day, parameters, say=lambda note: print(note, file=sys.stderr))
    if not table_output.write(table, csv, json, parquet):
        print(in_words(table, parameters))
