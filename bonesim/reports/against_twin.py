"""A run against its untreated twin: what was lost by a day, and what of it has come back.

Both share bone, random numbers and burn-in, so on day 0 they are equal, and their difference later is
the effect of the treatment on this bone with these random numbers: one draw, not a mean.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.errors import InputError
from bonesim.storage.reader import Run
from bonesim.units import DAYS_PER_YEAR, units_of

if TYPE_CHECKING:
    import pandas as pd

#: Measured at snapshots -> their symbols.
MEASURES = {"bvtv_percent": "BV/TV", "bmd_mg_per_cm3": "BMD", "tb_th_um": "Tb.Th"}


def snapshots(run: Run) -> "pd.DataFrame":
    """`MEASURES` of each snapshot; columns day, bvtv_percent, bmd_mg_per_cm3, tb_th_um."""
    daily = run.table[["day", "bvtv_percent", "bmd_mg_per_cm3"]]
    return daily.merge(run.snapshot_table[["day", "tb_th_um"]], on="day", how="right")


def changes(run: Run, twin: Run) -> "pd.DataFrame":
    """How far a run is from its twin on each day, in % of the twin; columns day and `MEASURES`.

    Tb.Th is measured at snapshots alone: it is empty on other days.
    """
    tables = []
    for one in (run, twin):
        daily = one.table[["day", "bvtv_percent", "bmd_mg_per_cm3"]]
        tables.append(daily.merge(one.snapshot_table[["day", "tb_th_um"]], on="day", how="left"))
    of_run, of_twin = (one.set_index("day")[list(MEASURES)] for one in tables)
    return (100.0 * (of_run / of_twin - 1.0)).reindex(of_run.index).reset_index()


def table(run: Run, twin: Run, days: Sequence[int]) -> "pd.DataFrame":
    """One row per quantity and day: run, twin, and their difference in % of the twin.

    Args:
        run: an open run file.
        twin: its untreated twin's.
        days: of snapshots that both have: before, at the end of suppression, after recovery.

    Returns:
        Columns quantity, symbol, unit, day, run, twin, difference_percent. Breaks (quantity breaks)
        are the holes and cuts there on the day (`storage.breaks`); they have no difference.

    Raises:
        InputError: a day without a snapshot in one of them.
    """
    import pandas as pd

    both = [snapshots(one).set_index("day") for one in (run, twin)]
    if lacking := [day for day in days if not all(day in one.index for one in both)]:
        raise InputError(
            f"day {lacking[0]} has no snapshot in both files; "
            f"there are {', '.join(f'{day:.0f}' for day in both[0].index.intersection(both[1].index))}",
            parameter="days",
        )
    units = units_of(MEASURES)
    rows: list[tuple[Any, ...]] = []
    for name, symbol in MEASURES.items():
        for day in days:
            mine, other = (_number(one, day, name) for one in both)
            rows.append((name, symbol, units[name], day, mine, other, 100.0 * (mine / other - 1.0)))
    for day in days:
        counts = [float(len(one.breaks_there(day))) for one in (run, twin)]
        rows.append(("breaks", "breaks", "", day, *counts, np.nan))
    names = ["quantity", "symbol", "unit", "day", "run", "twin", "difference_percent"]
    return pd.DataFrame(rows, columns=names)


def text(table: "pd.DataFrame") -> str:
    """A `table` of three days for reading: the numbers, what was lost, and what came back."""
    days = sorted(table["day"].unique())
    width = max(len(_name(row)) for row in table.to_dict("records")) + 2
    lines = [" " * width + "".join(f"day {day}".rjust(12) for day in days)]
    for quantity in table["quantity"].unique():
        rows = table[table["quantity"] == quantity].sort_values("day").to_dict("records")
        lines.append(
            f"{_name(rows[0]):<{width}}" + "".join(f"{_value(r, 'run'):>12}" for r in rows)
        )
        twin = "".join(f"{_value(r, 'twin'):>12}" for r in rows)
        lines.append(f"{'  untreated twin':<{width}}" + twin)
        if quantity in MEASURES:
            off = "".join(f"{row['difference_percent']:>+10.1f} %" for row in rows)
            lines.append(f"{'  difference':<{width}}" + off)
    return "\n".join([*lines, "", *_findings(table, days)])


def _number(table: "pd.DataFrame", row: Any, column: Any) -> float:
    value: Any = table.loc[row, column]
    return float(value)


def _name(row: dict[Any, Any]) -> str:
    return f"{row['symbol']} ({row['unit']})" if row["unit"] else str(row["symbol"])


def _value(row: dict[Any, Any], column: str) -> str:
    return f"{row[column]:.0f}" if row["quantity"] == "breaks" else f"{row[column]:.4g}"


def _findings(table: "pd.DataFrame", days: Sequence[int]) -> list[str]:
    """Lost and regained, of each measure, in sentences."""
    _, end, later = days
    wide = table.pivot(index="quantity", columns="day", values="difference_percent")
    lost = {name: -_number(wide, name, end) for name in MEASURES}
    left = {name: -_number(wide, name, later) for name in MEASURES}
    lines = [
        f"lost on day {end} against the twin: "
        + ", ".join(f"{lost[name]:.1f} % of {symbol}" for name, symbol in MEASURES.items())
    ]
    back = [
        f"{100.0 * (1.0 - left[name] / lost[name]):.0f} % of the lost {symbol}"
        for name, symbol in MEASURES.items() if lost[name] > 0.0
    ]  # fmt: skip
    years = (later - end) / DAYS_PER_YEAR
    if back:
        lines.append(f"back {years:.1f} years later: " + ", ".join(back))
    return lines
