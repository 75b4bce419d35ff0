"""Members of the calibration's posterior: sets of parameters that the targets do not rule out.

`posterior.csv` beside this file has one row per member and one column per parameter (its dotted path);
`experiments/calibration` makes it. The rows are in random order, so that the first N are N of them.
An answer over members is a median with a band: what one does not know of the mechanism is in it.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from bonesim.errors import InputError

POSTERIOR = "posterior.csv"


@cache
def all_members() -> tuple[Mapping[str, float], ...]:
    """Every member: dotted path of a parameter -> value."""
    import pandas as pd

    with (files("bonesim.sweeps") / POSTERIOR).open(encoding="utf-8") as text:
        table = pd.read_csv(text, comment="#", index_col="member")
    return tuple(
        {str(path): float(value) for path, value in row.items()} for _, row in table.iterrows()
    )


def members(count: int) -> tuple[Mapping[str, float], ...]:
    """The first `count` members.

    Raises:
        InputError: fewer than one, or more than there are.
    """
    known = all_members()
    if not 1 <= count <= len(known):
        raise InputError(f"got {count}; allowed 1 to {len(known)} members", parameter="posterior")
    return known[:count]


def member_of(number: int, count: int) -> Mapping[str, float]:
    """The member that the run with this number has, of `count` in turn."""
    return members(count)[number % count]
