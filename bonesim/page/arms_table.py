"""The arms of a sweep as the page has them: names for reading, and a table of means and differences."""

from typing import TYPE_CHECKING, Any

from bonesim.analysis.paired import with_interval
from bonesim.analysis.statistics import mean_and_ci
from bonesim.engine.daily_table import COLUMNS
from bonesim.errors import InputError
from bonesim.morphometry.panel import PANEL
from bonesim.sweeps.arms import WITH_ROWS, columns_of
from bonesim.sweeps.design import DesignParameters
from bonesim.units import UNITS, unit_of
from bonesim.viewer.sweep_plots import differences_of, outcome_of, points

if TYPE_CHECKING:
    import pandas as pd

#: More rows of a design are in figures alone.
MAX_ARMS = 60
NUMBER = "+.3g"


def symbol_of(column: str) -> str:
    """The field's symbol of a column of a sweep's results; the column if it has none."""
    of_days = {one.name: one.symbol for one in COLUMNS}
    return of_days.get(column) or (PANEL[column][0] if column in PANEL else "") or column


def for_reading(column: str) -> str:
    """A column of a design with its unit in brackets: "dose (mg)" for dose_mg."""
    unit = unit_of(column)
    if not unit:
        return column.replace("_", " ")
    suffix = max((one for one in UNITS if column.endswith(one)), key=len)
    return f"{column.removesuffix(suffix).replace('_', ' ')} ({unit})"


def renamed(
    results: "pd.DataFrame", design: DesignParameters
) -> tuple["pd.DataFrame", DesignParameters, dict[str, str]]:
    """Results and design whose columns have names for reading, and name -> name for reading."""
    names = {name: for_reading(name) for name in columns_of(design, results)}
    columns = [names.get(name, name) for name in map(str, results.columns)]
    if len(set(columns)) < len(columns):  # two of one name
        return results, design, {}
    variables = [
        one.model_copy(update={"name": names.get(one.column, one.column)})
        for one in design.variable
    ]
    return (
        results.rename(columns=names), design.model_copy(update={"variable": tuple(variables)}), names
    )  # fmt: skip


def arms_table(
    results: "pd.DataFrame", design: DesignParameters, outcomes: list[str], moment: str
) -> dict[str, Any] | None:
    """Every outcome of every arm: number of runs, mean, and the paired difference from its reference.

    Args:
        results, design: with names for reading, see `renamed`.
        outcomes: columns of the results.
        moment: as for `sweep_plots.outcome_of`.

    Returns:
        head and rows, texts; None for a sampled design, one of many rows, or without results.
    """
    if design.kind not in WITH_ROWS or results.empty or results["row"].nunique() > MAX_ARMS:
        return None
    rows: list[list[str]] = []
    for outcome in outcomes:
        try:
            runs = outcome_of(results, outcome, moment)
        except InputError:
            continue
        rows += _rows(runs, design, symbol_of(outcome), moment, points(outcome, moment))
    head = ["quantity", "arm", "runs", "change from first to last snapshot", "less that of its reference",
            "reference", "pairs"]  # fmt: skip
    return {"head": head, "rows": rows} if rows else None


def _rows(
    runs: "pd.DataFrame", design: DesignParameters, symbol: str, moment: str, unit: str
) -> list[list[str]]:
    columns = columns_of(design, runs)
    pairs = differences_of(runs, design, moment)
    found = {} if pairs is None else {
        tuple(map(str, (row[name] for name in columns))): row for row in pairs.to_dict("records")
    }  # fmt: skip
    rows = []
    for _, group in runs.groupby("row"):
        first = group.iloc[0]
        mean = mean_and_ci(group["value"])
        arm = ", ".join(f"{name} = {_shown(first[name])}" for name in columns)
        pair: Any = found.get(tuple(map(str, (first[name] for name in columns))))
        change = f"{with_interval(float(mean['mean']), float(mean['ci']), NUMBER)} %"
        less = ["\u2013", "\u2013", "\u2013"] if pair is None else [
            f"{with_interval(float(pair['mean']), float(pair['ci']), NUMBER)} {unit}",
            str(pair["reference"]), f"{pair['n']:.0f}",
        ]  # fmt: skip
        rows.append([symbol, arm, f"{mean['n']:.0f}", change, *less])
    return rows


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
