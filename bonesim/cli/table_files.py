"""A table to where the user wants it: CSV, JSON or Parquet, a file or stdout."""

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bonesim.errors import InputError
from bonesim.storage.durable import failures_explained, write_durably
from bonesim.storage.outputs import check_outputs

if TYPE_CHECKING:
    import pandas as pd


def check(
    csv: str | None, json: bool, parquet: Path | None, *, overwrite: bool = False,
    inputs: Iterable[Path | None] = (), others: Iterable[Path | None] = (),
) -> None:  # fmt: skip
    """Refuse outputs that cannot be, before anything is computed for them.

    Args:
        csv, json, parquet: as for `write`.
        overwrite: whether existing files are replaced.
        inputs: what the command reads; None is left out.
        others: what else it writes.

    Raises:
        InputError: two tables for stdout, no library for Parquet; as `check_outputs`.
    """
    if json and csv == "-":
        raise InputError("--json and --csv - both write to stdout; give one of them")
    places = [None if csv in (None, "-") else Path(str(csv)), parquet, *others]
    read = [one for one in inputs if one is not None]
    check_outputs([one for one in places if one is not None], overwrite, read)
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
    # Whether it may replace a file was asked by `check` before.
    check(csv, json, parquet, overwrite=True)
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
