"""The command `decompose`: what a loss of bone is made of, to the last quantum."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def decompose(
    config: Annotated[Path, typer.Argument(help="Configuration, TOML.", show_default=False)],
    days: Annotated[
        str | None, typer.Option(help="Days to tell, e.g. 365,1825; those of the snapshots.")
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="Any parameter: path=value.")
    ] = None,
    twin: Annotated[
        list[str] | None,
        typer.Option(
            "--twin-set",
            help="Also a twin that differs by this (path=value), and the difference part by part.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Instead of the config's seed.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Picture to make (.png), CSV beside it.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON records on stdout.")] = False,
    csv: Annotated[
        str | None, typer.Option(help="Write the table as CSV: a file, or - for stdout.")
    ] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write the table as Parquet.")] = None,
) -> None:
    """A loss in its parts: open space, mineral lag, thinning, perforation, strut cuts, fragments."""
    from bonesim.cli import table_files as table_output
    from bonesim.config.changes import parsed_changes
    from bonesim.config.config import load_config
    from bonesim.engine.progress import Terminal
    from bonesim.reports import loss as report
    from bonesim.viewer.picture import check_picture

    table_output.check(csv, json, parquet)
    if output is not None:
        check_picture(output)
    changes = parsed_changes(change or [])
    if seed is not None:
        changes["seed"] = seed
    resolved = load_config(config, changes)
    wanted = report.usual_days(resolved) if days is None else report.days_of(days)
    lives = [resolved]
    if twin:
        lives.append(load_config(config, changes | parsed_changes(twin)))
    told = []
    for one in lives:
        terminal = Terminal()
        terminal.begin(-one.schedule.burn_in_day, wanted[-1])
        try:
            told.append(report.losses(one, wanted, terminal.note, terminal.on_day))
        finally:
            terminal.end()
    table = report.table_of(told, lives)
    if output is not None:
        from bonesim.viewer.loss import draw

        draw(table, output)
        print(output, file=sys.stderr)
    if not table_output.write(table, csv, json, parquet):
        print(report.in_words(table))
