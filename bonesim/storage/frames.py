"""Columns as a DataFrame that carries what they mean: `attrs` title, units and meaning."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bonesim.storage.layout import Column

if TYPE_CHECKING:
    import pandas as pd


def frame(columns: Iterable[tuple[Column, NDArray[Any]]], title: str) -> "pd.DataFrame":
    """A table of `columns`; codes become categories by their names.

    `attrs` holds plain texts, which pandas also keeps in Parquet: "title", and the mappings
    "units" and "meaning" from the name of each column.

    Raises:
        ValueError: a code without a name, or columns of several lengths.
    """
    import pandas as pd

    data: dict[str, Any] = {}
    units: dict[str, str] = {}
    meaning: dict[str, str] = {}
    for column, values in columns:
        data[column.name] = values
        if column.codes:
            kind = pd.CategoricalDtype(list(column.codes))
            data[column.name] = pd.Categorical.from_codes(values.astype(np.int64), dtype=kind)
        units[column.name], meaning[column.name] = column.unit, column.meaning
    table = pd.DataFrame(data)
    table.attrs = {"title": title, "units": units, "meaning": meaning}
    return table
