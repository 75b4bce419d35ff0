"""Analysis of a study: arms compared with their twins, means over seeds with their 95 % CI.

Runs of one seed share bone and random numbers. So the effect of an arm is its difference from the
twin: the run of another arm with the same seed, on the same day. Seeds are the sample.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bonesim.analysis.statistics import mean_and_ci, ratio_and_ci
from bonesim.errors import InputError
from bonesim.instruments.density import DensityParameters

if TYPE_CHECKING:
    import pandas as pd

#: Compared by default: new column -> column of a study's results.
BONE = {"bone_percent": "bvtv_percent", "mineral_percent": "bmd_mg_per_cm3"}
#: Change of spine DXA per change of trabecular mineral, fixed before any calibration
#: (`instruments.density`).
K_DXA = DensityParameters().k_dxa


def difference_from_twin(
    results: "pd.DataFrame", arm: str, twin: object, by: Sequence[str] = (),
    measures: dict[str, str] = BONE,
) -> "pd.DataFrame":  # fmt: skip
    """Difference of each run from its twin, percent of the twin.

    Args:
        results: a study's table, one row per run and snapshot.
        arm: the column in which twins differ.
        twin: its value in the arm with which all others are compared.
        by: other columns of the design, equal in both twins.
        measures: new column -> column compared.

    Returns:
        Columns arm, *by, seed, day, those of `measures`, and dxa_percent if mineral is one of
        them. The twin's own rows are included and 0. Runs whose twin has no result are left out.

    Raises:
        InputError: no such column or arm.
    """
    _check(results, [arm, *by, *measures.values()])
    keys = [*by, "seed", "day"]
    twins = results.loc[results[arm] == twin, [*keys, *measures.values()]]
    if twins.empty:
        raise InputError(f"{arm}: no result has {twin!r}, with which the others are compared")
    both = results.merge(twins, on=keys, suffixes=("", "_twin"), validate="many_to_one")
    return _in_percent(both, [arm, *keys], measures, "_twin")


def since_start(
    results: "pd.DataFrame", by: Sequence[str], measures: dict[str, str] = BONE
) -> "pd.DataFrame":
    """Change of each run since its first snapshot, percent; see `difference_from_twin`.

    Args:
        results: a study's table.
        by: columns of the design to keep.
        measures: new column -> column compared.

    Raises:
        InputError: no such column.
    """
    _check(results, [*by, *measures.values()])
    first = results.sort_values("snapshot").drop_duplicates("point")
    both = results.merge(
        first[["point", *measures.values()]], on="point", suffixes=("", "_first"),
        validate="many_to_one",
    )  # fmt: skip
    return _in_percent(both, [*by, "seed", "day"], measures, "_first")


def _in_percent(
    both: "pd.DataFrame", keys: list[str], measures: dict[str, str], other: str
) -> "pd.DataFrame":
    """Keys, and the difference of each measure from the same with suffix `other`, percent."""
    table = both[keys].copy()
    for name, column in measures.items():
        table[name] = 100.0 * (both[column] / both[column + other] - 1.0)
    if "mineral_percent" in table:
        table["dxa_percent"] = K_DXA * table["mineral_percent"]
    return table


def _check(results: "pd.DataFrame", columns: list[str]) -> None:
    if results.empty:
        raise InputError("the sweep has no results yet; let it run on")
    missing = [name for name in columns if name not in results]
    if missing:
        raise InputError(f"results: have no column {missing[0]}; is it another study's folder?")


def summary(
    runs: "pd.DataFrame", by: Sequence[str], names: Sequence[str] | None = None
) -> "pd.DataFrame":
    """Mean, half width of its 95 % CI and number of seeds, for each combination of `by`.

    Args:
        runs: one row per seed and combination.
        by: columns whose combinations are the rows of the table, in order of appearance.
        names: columns to average; if None, every other column that ends in _percent.

    Returns:
        Columns (name, "mean"), (name, "ci"), (name, "n").
    """
    import pandas as pd

    grouped = runs.groupby(list(by), sort=False)
    numbers = [n for n in map(str, runs) if n.endswith("_percent") and n not in by]
    chosen = numbers if names is None else names
    return pd.concat(
        {n: pd.DataFrame(grouped[n].apply(mean_and_ci).unstack()) for n in chosen}, axis=1
    )


def regained(
    runs: "pd.DataFrame", by: Sequence[str], stop_day: int, end_day: int,
    name: str = "bone_percent",
) -> "pd.DataFrame":  # fmt: skip
    """Share of the loss on `stop_day` that is regained on `end_day`, %: mean, ci, n.

    Args:
        runs: of `difference_from_twin` or `since_start`: a loss is a negative change.
        by: columns whose combinations are the rows of the table.
        stop_day, end_day: two days with a snapshot.
        name: the column of the loss.
    """
    import pandas as pd

    wide = runs.pivot_table(index=[*by, "seed"], columns="day", values=name, sort=False)
    ends = wide.assign(back=wide[end_day] - wide[stop_day], lost=-wide[stop_day])
    shares = ends.groupby(list(by), sort=False)[["back", "lost"]].apply(
        lambda seeds: ratio_and_ci(seeds["back"], seeds["lost"])
    )
    return pd.DataFrame(shares)


def with_interval(mean: float, ci: float, form: str = "+.1f") -> str:
    """A number with the half width of its interval, as text: +1.2 +/- 0.4."""
    if not np.isfinite(mean):
        return ""
    return f"{mean:{form}}" + (f" +/- {ci:{form.lstrip('+')}}" if np.isfinite(ci) else "")


def in_markdown(rows: "pd.DataFrame") -> str:
    """A table of texts and numbers as Markdown; the index comes first."""
    flat = rows.reset_index()
    lines = ["| " + " | ".join(map(str, flat)) + " |", "|" + "---|" * len(flat.columns)]
    for row in flat.itertuples(index=False):
        cells = (f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
