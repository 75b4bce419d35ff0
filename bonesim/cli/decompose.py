"""The command decompose: what a loss of bone is made of, to the last quantum, and what each process does."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bonesim.cli.options import (
    Change,
    Csv,
    Json,
    Overwrite,
    Parquet,
    PictureIfAny,
    Seed,
    Workers,
)
from bonesim.errors import InputError


def decompose(
    config: Annotated[
        Path, typer.Argument(help="Configuration, TOML, or a run file.", show_default=False)
    ],
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
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            help="Instead: what a process does, by twins without it from day 0 on: perforation, cuts, "
            "mechanics, arrest, mineral_lag or all; may be repeated. Example: --without cuts --work twins.",
        ),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(help="Folder of these twins, run files; run again to resume."),
    ] = None,
    workers: Workers = None,
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
    wanted = None if days is None else _parsed(days)
    if without:
        _refuse_beside_without(twin=twin, twin_set=twin_set, output=output)
        _without(config, without, work, wanted, changes, seed, workers, (csv, json, parquet))
        return
    if work is not None or workers is not None:
        raise InputError("is of the twins of `without`", parameter="work" if work else "workers")
    table = simulate.decompose(
        config, wanted, changes=changes,
        seed=seed, twin="untreated" if twin else parsed_changes(twin_set or []),
        observers=[Terminal()],
    )  # fmt: skip
    if output is not None:
        plot_loss(table, output, overwrite=overwrite)
        print(output, file=sys.stderr)
    if not table_files.write(table, csv, json, parquet):
        print(report.text(table))


def _refuse_beside_without(**others: Any) -> None:
    """Refuse what has no meaning with `without`.

    Raises:
        InputError: one of them is given.
    """
    for name, value in others.items():
        if value:
            raise InputError("cannot be combined with `without`; leave one out", parameter=name)


def _without(
    config: Path, without: list[str], work: Path | None, days: list[int] | None,
    changes: dict[str, Any], seed: int | None, workers: int | None,
    places: tuple[str | None, bool, Path | None],
) -> None:  # fmt: skip
    """Simulate the twins without processes; write or print the table."""
    from bonesim.api import studies
    from bonesim.cli import table_files
    from bonesim.reports import without as report
    from bonesim.sweeps.progress import SweepTerminal, exit_if_results_missing, stopped_politely

    if work is None:
        raise InputError("is needed with `without`: the folder of the twins", parameter="work")
    with stopped_politely(work):
        table = studies.decompose_without(
            config, without, work, days=days, changes=changes, seed=seed, workers=workers,
            progress=SweepTerminal(),
        )  # fmt: skip
    exit_if_results_missing(table.attrs["missing"], work)
    if not table_files.write(table, *places):
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
