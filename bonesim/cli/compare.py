"""The command compare: two arms, paired by bone and seed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonesim.cli.options import Csv, Json, Overwrite, Parquet, PictureIfAny
from bonesim.errors import InputError


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="A run with its twin beside it; or pairs A B, A1 B1 A2 B2 ...; or a folder of runs with "
            "their twins; or two folders; or the folder of a sweep.",
            show_default=False,
        ),
    ],
    output: PictureIfAny = None,
    days: Annotated[
        str | None, typer.Option(help="Days, e.g. 0,365; default those of the snapshots.")
    ] = None,
    quantities: Annotated[
        list[str] | None,
        typer.Option("--quantity", help="Column to compare, e.g. bsbv_per_mm; may be repeated."),
    ] = None,
    arms: Annotated[
        list[str] | None,
        typer.Option(
            "--arm",
            help="Of a sweep: a row of its design, e.g. dose_mg=0.5 or dose_mg=0.5,age_year=60; give two: "
            "the first is compared with the second.",
        ),
    ] = None,
    names: Annotated[
        str | None, typer.Option(help="Names of A and B, e.g. treated,untreated.")
    ] = None,
    unpaired: Annotated[
        bool,
        typer.Option("--unpaired", help="Independent groups: other bones and seeds are allowed."),
    ] = False,
    colour: Annotated[
        str,
        typer.Option(
            "--colour", "--color",
            help="difference (where only one has bone), events, surface_state or none.",
        ),
    ] = "difference",
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
    overwrite: Overwrite = False,
) -> None:  # fmt: skip
    """A against B: bone at equal days, curves and differences, paired, with 95 % intervals."""
    from bonesim.api.compare import compare as make
    from bonesim.cli import table_files
    from bonesim.engine.progress import printable
    from bonesim.storage.file_kind import kind_of

    for one in runs:
        if kind_of(one) == "config":
            raise InputError(
                f"{one}: is the config of one run, not a run file; simulate it and its twin first: "
                f"bonesim run {one} -o out.vtkhdf --twin"
            )
    table_files.check(csv, json, parquet, overwrite=overwrite, inputs=runs, others=(output,))
    found = make(
        *runs, output=output, days=None if days is None else _days(days), quantities=quantities or None,
        arms=[_arm(one) for one in arms or []],
        names=None if names is None else [one.strip() for one in names.split(",")],
        unpaired=unpaired, colour=colour, overwrite=overwrite,
    )  # fmt: skip
    if output is not None:
        print(output, file=sys.stderr)
    if table_files.write(found.table, csv, json, parquet):
        for note in found.table.attrs["notes"]:
            print(note, file=sys.stderr)
    else:
        print(printable(found.text()))


def _days(text: str) -> list[int]:
    """Days as text gives them.

    Raises:
        InputError: a part that is no whole number.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"got {text}; give whole days, e.g. 0,365", parameter="days") from None


def _arm(text: str) -> dict[str, str]:
    """A condition: column=value, several with commas between.

    Raises:
        InputError: a part without an equals sign.
    """
    found = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise InputError(f"got {text}; write column=value, e.g. dose_mg=0.5", parameter="arms")
        found[name.strip()] = value.strip()
    return found
