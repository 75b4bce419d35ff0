"""Two groups of runs compared day by day: within pairs of one bone and seed, or as independent groups.

Pairs share bone and random numbers, so the difference within a pair is the effect on that bone, and
pairs are the sample. Independent groups share neither: the difference of their means has Welch's
interval, which is wider.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.analysis.statistics import finite, interval, welch
from bonesim.units import unit_of

if TYPE_CHECKING:
    import pandas as pd

#: Columns of `differences`.
COLUMNS = (
    "quantity", "day", "n", "a", "b", "a_change_percent", "b_change_percent",
    "difference", "difference_low", "difference_high",
    "difference_percent", "difference_percent_low", "difference_percent_high",
)  # fmt: skip


def differences(
    a: "pd.DataFrame", b: "pd.DataFrame", quantities: Sequence[str], days: Sequence[int], *,
    paired: bool = True,
) -> "pd.DataFrame":  # fmt: skip
    """A less B of each quantity on each day, with 95 % intervals over pairs or groups.

    Args:
        a, b: columns pair, day and the quantities; a row for each member and day.
        quantities: columns compared.
        days: of which; the first is where changes begin.
        paired: equal numbers in `pair` belong together; else the groups are independent.

    Returns:
        `COLUMNS`, a row per quantity and day. a, b: means. a_change_percent, b_change_percent: mean
        change of each member since the first day. difference: A less B in the quantity's unit.
        difference_percent: of B; only of quantities with a unit, and only without interval if the
        groups are independent. n: pairs, or members of both groups together. Intervals of a single
        pair are NaN.
    """
    import pandas as pd

    rows = []
    for name in quantities:
        wide = [_wide(one, name) for one in (a, b)]
        for day in days:
            mine, other = (one[day] if day in one else pd.Series(np.nan, one.index) for one in wide)
            row = _paired(mine, other, name) if paired else _independent(mine, other, name)
            row |= {"quantity": name, "day": day, "a": _mean(mine), "b": _mean(other)}
            for side, one in zip("ab", wide, strict=True):
                row[f"{side}_change_percent"] = _change(one, day, days[0], name)
            rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _wide(table: "pd.DataFrame", name: str) -> "pd.DataFrame":
    return table.pivot_table(index="pair", columns="day", values=name, dropna=False)


def _paired(mine: "pd.Series", other: "pd.Series", name: str) -> dict[str, Any]:
    found = _with_ends("difference", interval(mine - other))
    row = {"n": int(found.pop("n")), **found}
    if unit_of(name):
        share = _with_ends("difference_percent", interval(100.0 * (mine / other - 1.0)))
        share.pop("n")
        row |= share
    return row


def _independent(mine: "pd.Series", other: "pd.Series", name: str) -> dict[str, Any]:
    row = _with_ends("difference", welch(mine.to_numpy(float), other.to_numpy(float)))
    row["n"] = int(row["n"])
    row["difference"] = _mean(mine) - _mean(other)
    if unit_of(name) and _mean(other) != 0.0:
        row["difference_percent"] = 100.0 * row["difference"] / _mean(other)
    return row


def _with_ends(name: str, found: dict[str, float]) -> dict[str, Any]:
    nothing = float("nan")
    return {
        "n": found["n"],
        name: found.get("mean", nothing),
        f"{name}_low": found.get("low", nothing),
        f"{name}_high": found.get("high", nothing),
    }


def _mean(values: "pd.Series") -> float:
    numbers = finite(values)
    return float(numbers.mean()) if numbers.size else float("nan")


def _change(wide: "pd.DataFrame", day: int, first: int, name: str) -> float:
    if not unit_of(name) or day not in wide or first not in wide:
        return float("nan")
    return _mean(100.0 * (wide[day] / wide[first] - 1.0))
