"""The command decompose: what a loss of bone is made of, to the last quantum."""

import sys
from typing import Annotated, Any

import typer

from bonesim.cli.options import (
    Change,
    ConfigFile,
    Csv,
    Json,
    Overwrite,
    Parquet,
    PictureIfAny,
    Seed,
)
from bonesim.errors import InputError


def decompose(
    config: ConfigFile,
    days: Annotated[
        str | None, typer.Option(help="Days, e.g. 365,1825; default those of the snapshots.")
    ] = None,
    change: Change = None,
    twin: Annotated[
        bool,
        typer.Option("--twin", help="Also the untreated twin, and the difference part by part."),
    ] = False,
    twin_set: Annotated[
        list[str] | None,
        typer.Option("--twin-set", help="Another twin instead: what it changes, path=value."),
    ] = None,
    seed: Seed = None,
    output: PictureIfAny = None,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
    overwrite: Overwrite = False,
) -> None:
    """A loss in its parts: open space, mineral lag, thinning, perforation, strut cuts, fragments."""
    from bonesim.api import simulate
    from bonesim.api.inputs import files_of
    from bonesim.api.pictures import plot_loss
    from bonesim.cli import table_files
    from bonesim.config.changes import parsed_changes
    from bonesim.engine.progress import Terminal
    from bonesim.reports import loss as report
    from bonesim.viewer.picture import check_picture

    changes = parsed_changes(change or [])
    given: dict[str, Any] = {"overwrite": overwrite, "inputs": files_of(config, changes)}
    table_files.check(csv, json, parquet, **given, others=(output,))
    if output is not None:
        check_picture(output, **given)
    if twin and twin_set:
        raise InputError("is one twin, `twin_set` another; give one of them", parameter="twin")
    table = simulate.decompose(
        config, None if days is None else _parsed(days), changes=changes,
        seed=seed, twin="untreated" if twin else parsed_changes(twin_set or []),
        observers=[Terminal()],
    )  # fmt: skip
    if output is not None:
        plot_loss(table, output, overwrite=overwrite)
        print(output, file=sys.stderr)
    if not table_files.write(table, csv, json, parquet):
        print(report.text(table))


def _parsed(days: str) -> list[int]:
    """Days as text gives them.

    Raises:
        InputError: a part that is no whole number.
    """
    try:
        return [int(part) for part in days.split(",")]
    except ValueError:
        raise InputError(
            f"got {days}; give whole days in rising order, e.g. 365,1825", parameter="days"
        ) from None
