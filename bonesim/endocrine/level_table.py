"""A table of hormones against day: what a user writes down in a CSV file, and what of it is refused."""

import csv
import hashlib
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.storage.durable import read_text

#: The first level may not be lower: deficits are relative to it. Below any assay's limit.
LOWEST_START_E2_PG_PER_ML = 0.1
HIGHEST_E2_PG_PER_ML = 1000.0
HIGHEST_T_NG_PER_DL = 5000.0
#: Columns a table may have -> factor to the unit used inside. Molar masses 272.38 and 288.42 g/mol.
E2_COLUMNS = {"e2_pg_per_ml": 1.0, "e2_pmol_per_l": 0.27238}
T_COLUMNS = {"t_ng_per_dl": 1.0, "t_nmol_per_l": 28.842}
#: No course begins earlier, d: 100 years.
EARLIEST_DAY = -36525.0
#: A larger table is refused before it is read.
MAX_TABLE_BYTES = 20_000_000


def sha256_of(text: str) -> str:
    """SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_levels(
    where: str, sha256: str | None, usual_t_ng_per_dl: float, youth_is_given: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Days, estradiol (pg/mL) and testosterone (ng/dL) of a table, all of one length.

    Args:
        where: path of the file.
        sha256: the file must have it; None: any.
        usual_t_ng_per_dl: testosterone if there is no column for it.
        youth_is_given: whether the first level need not be the reference of deficits.

    Raises:
        InputError: a table that cannot be read or is not a possible course.
    """
    text = text_of(where)
    if sha256 not in (None, sha256_of(text)):
        raise InputError(
            f"{where}: has changed since the run began (its SHA-256 is no longer "
            f"{sha256}); put the old table back or start a new run"
        )
    header, rows, lines = _numbers(text, where)
    e2_column = _one_of(header, E2_COLUMNS, where, "estradiol")
    t_column = _one_of(header, T_COLUMNS, where, "testosterone")
    if e2_column is None:
        raise InputError(
            f"{where}: the header has no estradiol; name a column e2_pg_per_ml or e2_pmol_per_l"
        )
    days = rows[:, header.index("day")]
    if (late := np.flatnonzero(np.diff(days) <= 0)).size:
        row = int(late[0]) + 1
        raise InputError(
            f"{where}: line {lines[row]}: day {days[row]:g} follows day {days[row - 1]:g}; "
            "put rows in order of day, each day once"
        )
    e2 = rows[:, header.index(e2_column)] * E2_COLUMNS[e2_column]
    _within(e2, HIGHEST_E2_PG_PER_ML, "pg/mL", e2_column, where, lines)
    if days[0] < EARLIEST_DAY:
        raise InputError(
            f"{where}: line {lines[0]}: day {days[0]:g} is before day {EARLIEST_DAY:g}; "
            "begin at most 100 years before day 0"
        )
    if e2[0] < LOWEST_START_E2_PG_PER_ML and not youth_is_given:
        raise InputError(
            f"{where}: {e2_column} starts at {e2[0]:g} pg/mL; deficits are relative to the first "
            f"level, so start at {LOWEST_START_E2_PG_PER_ML:g} pg/mL or more, or set "
            "youth_e2_pg_per_ml"
        )
    if t_column is None:
        return days, e2, np.full(days.size, usual_t_ng_per_dl)
    t = rows[:, header.index(t_column)] * T_COLUMNS[t_column]
    _within(t, HIGHEST_T_NG_PER_DL, "ng/dL", t_column, where, lines)
    return days, e2, t


def _numbers(text: str, where: str) -> tuple[list[str], NDArray[np.float64], list[int]]:
    """Column names, numbers (rows, columns) and the line number of each row of a CSV file."""
    cells = [
        (number, _split(line, f"{where}: line {number}"))
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if len(cells) < 2:
        raise InputError(f"{where}: has no rows; give a header line and at least one row")
    header = [name.strip() for name in cells[0][1]]
    known = ["day", *E2_COLUMNS, *T_COLUMNS]
    if "day" not in header:
        raise InputError(f"{where}: the header has no column day; got {', '.join(header)}")
    for name in header:
        if name not in known or header.count(name) > 1:
            raise InputError(
                f"{where}: column {name!r} is unknown or named twice; allowed, each once: "
                f"{', '.join(known)}"
            )
    rows = [_row(values, header, f"{where}: line {number}") for number, values in cells[1:]]
    return header, np.array(rows, np.float64), [number for number, _ in cells[1:]]


def _split(line: str, where: str) -> list[str]:
    """The values of one line."""
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise InputError(f"{where}: is not CSV ({error}); separate numbers by commas") from None


def text_of(where: str) -> str:
    """The text of a file of a reasonable size."""
    path = Path(where)
    if path.is_file() and (size := path.stat().st_size) > MAX_TABLE_BYTES:
        raise InputError(
            f"{where}: has {size} bytes; a course has at most {MAX_TABLE_BYTES}, e.g. one row a day"
        )
    return read_text(path, MAX_TABLE_BYTES, "utf-8-sig")


def _row(values: list[str], header: list[str], where: str) -> list[float]:
    """One line's numbers."""
    if len(values) != len(header):
        raise InputError(
            f"{where}: has {len(values)} values for {len(header)} columns; separate by commas"
        )
    numbers = []
    for name, value in zip(header, values, strict=True):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise InputError(f"{where}: {name} is {value.strip()!r}; give a finite number")
        numbers.append(number)
    return numbers


def _one_of(header: list[str], columns: dict[str, float], where: str, what: str) -> str | None:
    """Which of the alternative columns the header has."""
    found = [name for name in columns if name in header]
    if len(found) > 1:
        raise InputError(f"{where}: gives {what} twice, as {' and '.join(found)}; leave one out")
    return found[0] if found else None


def _within(
    levels: NDArray[np.float64], highest: float, unit: str, name: str, where: str, lines: list[int]
) -> None:
    """Refuse impossible levels."""
    if (wrong := np.flatnonzero((levels < 0) | (levels > highest))).size:
        row = int(wrong[0])
        raise InputError(
            f"{where}: line {lines[row]}: {name} is {levels[row]:g} {unit}; "
            f"allowed 0 to {highest:g} {unit}; check the unit in the header"
        )
