"""The command bones: the real bones of the library, and fetching them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonesim.cli.options import Csv, Json, Overwrite, Parquet, Quiet


def bones(
    fetch: Annotated[
        list[str] | None,
        typer.Option(help="Fetch this bone into the cache and check it; all for every one."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Take it from here; nothing is fetched.")
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(help="Fetch from this address, not the publisher's.")
    ] = None,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Real bones to simulate (specimen.kind = "library"): measures, licence, what is fetched."""
    from bonesim.api import published
    from bonesim.cli import table_files
    from bonesim.cli.progress_line import progress_line
    from bonesim.errors import InputError
    from bonesim.reports import bones as report

    if not fetch and (folder is not None or mirror is not None):
        raise InputError(
            "is where to fetch from; name a bone as well: `fetch`",
            parameter="folder" if folder is not None else "mirror",
        )
    table_files.check(csv, json, parquet, overwrite=overwrite)
    with progress_line("fetching", quiet=quiet) as progress:
        table = published.bones(fetch or (), folder=folder, mirror=mirror, progress=progress)
    if not table_files.write(table, csv, json, parquet):
        print(report.text(table))
    if fetch and not quiet:
        wanted = table if report.ALL in fetch else table[table["name"].isin(fetch)]
        for row in wanted.itertuples(index=False):
            print(f"{row.name}: {row.path} (sha256 as published)", file=sys.stderr)
