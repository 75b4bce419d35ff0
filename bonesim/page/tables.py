"""Tables within a page: every column with its unit and meaning, numbers without loss."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.page.blobs import Blobs, narrowed

if TYPE_CHECKING:
    import pandas as pd


def packed_table(
    blobs: Blobs, table: "pd.DataFrame", symbols: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A table for the page.

    Args:
        blobs: takes the numbers.
        table: with `units` and `meaning` in its `attrs`, if they are known.
        symbols: column -> its standard symbol.

    Returns:
        rows, and for each column: name, unit, meaning, symbol; `values`
        (texts) or the place of a blob; `names` of codes; `bool` of truth values.
    """
    import pandas as pd

    units, meaning = table.attrs.get("units", {}), table.attrs.get("meaning", {})
    columns = []
    for name in map(str, table.columns):
        series = table[name]
        column: dict[str, Any] = {
            "name": name, "unit": units.get(name, ""), "meaning": meaning.get(name, ""),
            "symbol": (symbols or {}).get(name, ""),
        }  # fmt: skip
        if isinstance(series.dtype, pd.CategoricalDtype):
            column["names"] = [str(one) for one in series.cat.categories]
            values = series.cat.codes.to_numpy().astype(np.int32)
        else:
            values = series.to_numpy()
            column["bool"] = values.dtype == np.bool_
        if values.dtype.kind not in "biuf":
            column["values"] = [str(one) for one in values]
        else:
            column |= blobs.add(narrowed(values))
        columns.append(column)
    return {"rows": len(table), "columns": columns}
