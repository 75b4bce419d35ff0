"""A table to where the user wants it: CSV, JSON or Parquet, a file or stdout."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bonesim.errors import InputError
from bonesim.storage.durable import failures_explained, write_durably

if TYPE_CHECKING:
    import pandas as pd


def check(csv: str | None, json: bool, parquet: Path | None) -> None:
    """Refuse outputs that cannot be, before anything is computed for them.

    Raises:
        InputError: two tables for stdout, no such folder, no library for Parquet.
    """
    if json and csv == "-":
        raise InputError("--json and --csv - both write to stdout; give one of them")
    places = [parquet] if parquet is not None else []
    if csv not in (None, "-"):
        places.append(Path(str(csv)))
    for place in places:
        if not place.parent.is_dir():
            raise InputError(f"{place}: there is no folder {place.parent}; create it first")
        if place.is_dir():
            raise InputError(f"{place}: is a folder; give a file name")
    if parquet is not None and find_spec("pyarrow") is None:
        raise InputError("--parquet needs pyarrow; install it: pip install 'bonesim[sweep]'")


def write(table: "pd.DataFrame", csv: str | None, json: bool, parquet: Path | None) -> bool:
    """Write a table as asked for; True if stdout was used.

    Args:
        table: the table; its index is left out.
        csv: a file, or "-" for stdout.
        json: a list of records on stdout, null for NaN.
        parquet: a file.

    Raises:
        InputError, ResourceError: an output is not possible.
    """
    check(csv, json, parquet)
    if csv == "-":
        table.to_csv(sys.stdout, index=False)
    elif csv is not None:
        _put(Path(csv), table.to_csv(index=False).encode())
    if parquet is not None:
        data = table.to_parquet(None, index=False)
        assert data is not None
        _put(parquet, data)
    if json:
        sys.stdout.write(table.to_json(orient="records", double_precision=15) + "\n")
    return json or csv == "-"


def _put(path: Path, data: bytes) -> None:
    with failures_explained(path):
        write_durably(path, data)
