"""Estradiol and testosterone in the blood against day: constant, in steps, or from a table.

Day 0 is the first day after the burn-in, which holds the level of its last moment. A course may
begin earlier, with steps or rows at negative days: what cells had adapted to by day 0 follows from
all of it (`response`). Where it begins it is taken for the own level in youth, unless that is given.
These courses are given by the user; `prescription` computes one from a protocol.
"""

import copy
import csv
import hashlib
import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from bonesim.endocrine.response import Course
from bonesim.endocrine.targets import NO_DRUG, BoneTargets
from bonesim.errors import InputError
from bonesim.parameters import Parameters
from bonesim.storage.durable import read_text

__all__ = ["ConstantCourse", "Course", "Step", "SteppedCourse", "TableCourse", "make_course"]

#: The first level may not be lower: deficits are relative to it. Below any assay's limit.
LOWEST_START_E2_PG_PER_ML = 0.1
HIGHEST_E2_PG_PER_ML = 1000.0
HIGHEST_T_NG_PER_DL = 5000.0
#: Columns a table may have -> factor to the unit used inside. Molar masses 272.38 and 288.42 g/mol.
E2_COLUMNS = {"e2_pg_per_ml": 1.0, "e2_pmol_per_l": 0.27238}
T_COLUMNS = {"t_ng_per_dl": 1.0, "t_nmol_per_l": 28.842}
#: The moment before day 0, whose level the burn-in holds.
LAST_MOMENT = math.nextafter(0.0, -1.0)
#: No course begins earlier, d: 100 years.
EARLIEST_DAY = -36525.0
#: A larger table is refused before it is read.
MAX_TABLE_BYTES = 20_000_000

StartE2 = Annotated[
    float,
    Field(
        ge=LOWEST_START_E2_PG_PER_ML,
        le=HIGHEST_E2_PG_PER_ML,
        description="serum estradiol until the first change; input; men 10-40 (LC-MS), guide M7.2",
    ),
]
StartT = Annotated[
    float,
    Field(
        ge=0,
        le=HIGHEST_T_NG_PER_DL,
        description="serum testosterone until the first change; assumed, eugonadal man",
    ),
]

YouthE2 = Annotated[
    float | None,
    Field(
        ge=LOWEST_START_E2_PG_PER_ML,
        le=HIGHEST_E2_PG_PER_ML,
        description="own level in youth; none: where the course begins; input; women about 100, men 25",
    ),
]
Age = Annotated[
    float | None,
    Field(ge=20, le=100, description="on day 0, of the precursors; none: 60; input"),
]


class WrittenCourse(Parameters):
    """What every course that is written down has beside its levels."""

    youth_e2_pg_per_ml: YouthE2 = None
    age_year: Age = None


class ConstantCourse(WrittenCourse):
    """Constant levels."""

    kind: Literal["constant"] = "constant"
    e2_pg_per_ml: StartE2 = 25.0
    t_ng_per_dl: StartT = 500.0


class Step(Parameters):
    """From `start_day` on, levels approach new ones exponentially."""

    start_day: Annotated[
        float,
        Field(
            ge=EARLIEST_DAY, le=73000, description="day the change begins, also before day 0; input"
        ),
    ]
    e2_pg_per_ml: Annotated[
        float,
        Field(ge=0, le=HIGHEST_E2_PG_PER_ML, description="estradiol approached; assumed"),
    ]
    t_ng_per_dl: Annotated[
        float | None,
        Field(
            ge=0,
            le=HIGHEST_T_NG_PER_DL,
            description="testosterone approached; left out: this step does not change it; assumed",
        ),
    ] = None
    tau_day: Annotated[
        float,
        Field(ge=0.01, le=3650, description="time constant of the approach; assumed, .01 = a jump"),
    ] = 10.0


class SteppedCourse(WrittenCourse):
    """A starting level, then steps in order of time: surgery, a drug started, changed, stopped."""

    kind: Literal["stepped"] = "stepped"
    e2_pg_per_ml: StartE2 = 25.0
    t_ng_per_dl: StartT = 500.0
    steps: Annotated[
        tuple[Step, ...],
        Field(max_length=10000, description="changes in order of time; none: constant; assumed"),
    ] = ()

    @field_validator("steps")
    @classmethod
    def _in_order(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        days = [step.start_day for step in steps]
        for before, after in pairwise(days):
            if after <= before:
                raise ValueError(
                    f"a step at day {after:g} follows one at day {before:g}; "
                    "put steps in order of start_day, each day once"
                )
        return steps


class TableCourse(WrittenCourse):
    """Levels from a CSV file: linear between rows, constant before the first and after the last.

    Rows may have negative days: what came before day 0.

    The header names units: `day`, one of `e2_pg_per_ml`, `e2_pmol_per_l`, and if wanted one of
    `t_ng_per_dl`, `t_nmol_per_l`. Lines that begin with # are comments.
    """

    kind: Literal["table"] = "table"
    path: Annotated[
        str, Field(min_length=1, description="CSV file, relative to the config file; assumed")
    ]
    t_ng_per_dl: Annotated[
        float,
        Field(
            ge=0,
            le=HIGHEST_T_NG_PER_DL,
            description="testosterone if the table has no column for it; assumed, eugonadal man",
        ),
    ] = 500.0
    sha256: Annotated[
        str | None,
        Field(
            pattern="^[0-9a-f]{64}$",
            description="the file must have this SHA-256; noted by a run for its resumption; assumed",
        ),
    ] = None


AnyCourse = ConstantCourse | SteppedCourse | TableCourse


def make_course(parameters: AnyCourse) -> Course:
    """The course these parameters describe.

    Raises:
        InputError: a table that cannot be read or is not a possible course.
    """
    youth = parameters.youth_e2_pg_per_ml
    if isinstance(parameters, TableCourse):
        return _Interpolated(*_read_table(parameters), youth)
    steps = parameters.steps if isinstance(parameters, SteppedCourse) else ()
    e2 = [(step.start_day, step.e2_pg_per_ml, step.tau_day) for step in steps]
    t = [
        (step.start_day, step.t_ng_per_dl, step.tau_day)
        for step in steps
        if step.t_ng_per_dl is not None
    ]
    levels = _Level(parameters.e2_pg_per_ml, e2), _Level(parameters.t_ng_per_dl, t)
    return _Approached(*levels, youth)


def pinned(parameters: AnyCourse) -> AnyCourse:
    """The same course, with the hash of its table if it has one: it may not change any more.

    Raises:
        InputError: the table cannot be read.
    """
    if not isinstance(parameters, TableCourse):
        return parameters
    return parameters.model_copy(update={"sha256": _sha256(_text(parameters.path))})


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class _Level:
    """One hormone's exact exponential approach to each step's level.

    Args:
        start: level before the first step.
        steps: (start day, level approached, time constant in days), in order of time.
    """

    def __init__(self, start: float, steps: Sequence[tuple[float, float, float]]) -> None:
        self.start = start
        self.steps = steps
        self.days = [day for day, _, _ in steps]
        self.at_step: list[float] = []
        for day, _, _ in steps:
            self.at_step.append(self.at(day))

    def at(self, day: float) -> float:
        """The level at `day`, from the step that was under way just before it."""
        row = min(bisect_right(self.days, day), len(self.at_step)) - 1
        if row < 0:
            return self.start
        begun, target, tau = self.steps[row]
        return target + (self.at_step[row] - target) * math.exp(-(day - begun) / tau)


class Untreated(ABC):
    """Defaults of a course of hormones alone: nothing known before day 0, no drug, a neutral diet."""

    @abstractmethod
    def e2_pg_per_ml(self, day: float) -> float:
        """Serum estradiol at `day`, pg/mL."""

    @property
    def youth_e2_pg_per_ml(self) -> float:
        """The own level in youth: that before day 0."""
        return self.e2_pg_per_ml(-1.0)

    @property
    def begins_day(self) -> float:
        """Nothing is known of earlier days."""
        return 0.0

    @property
    def past(self) -> Self:
        """The same, whose levels before day 0 are as they were."""
        return self

    def receptors_held(self, day: float) -> tuple[tuple[float, float], ...]:
        """No drug holds any."""
        return ()

    def bone_targets(self, day: float) -> BoneTargets:
        """No drug acts."""
        return NO_DRUG

    def shbg_nmol_per_l(self, day: float) -> float | None:
        """Not known."""
        return None

    def diet(self, day: float) -> tuple[float, float] | None:
        """Not known: neutral."""
        return None


class _Written(Untreated):
    """A course that is written down, from `begins_day` on; the burn-in holds the level before day 0.

    Args:
        youth_e2_pg_per_ml: the own level in youth; None: that where the course begins.
    """

    def __init__(self, begins_day: float, youth_e2_pg_per_ml: float | None) -> None:
        self._begins_day, self._youth, self._held = min(begins_day, 0.0), youth_e2_pg_per_ml, True

    @property
    def begins_day(self) -> float:
        """The first day of which something is written, 0 or less."""
        return self._begins_day

    @property
    def youth_e2_pg_per_ml(self) -> float:
        """The own level in youth: as given, or that where the course begins."""
        if self._youth is None:
            return self.past.e2_pg_per_ml(math.nextafter(self._begins_day, -math.inf))
        return self._youth

    @property
    def past(self) -> Self:
        """The same, whose levels before day 0 are as they were."""
        other = copy.copy(self)
        other._held = False
        return other

    def _moment(self, day: float) -> float:
        """When the level is read that counts on `day`."""
        return LAST_MOMENT if self._held and day < 0.0 else day


class _Approached(_Written):
    """A constant or stepped course."""

    def __init__(self, e2: _Level, t: _Level, youth_e2_pg_per_ml: float | None) -> None:
        super().__init__(min([0.0, *e2.days]), youth_e2_pg_per_ml)
        self._e2, self._t = e2, t

    def e2_pg_per_ml(self, day: float) -> float:
        """Serum estradiol at `day`, pg/mL."""
        return self._e2.at(self._moment(day))

    def t_ng_per_dl(self, day: float) -> float:
        """Serum testosterone at `day`, ng/dL."""
        return self._t.at(self._moment(day))


class _Interpolated(_Written):
    """A course from a table."""

    def __init__(
        self,
        days: NDArray[np.float64],
        e2_pg_per_ml: NDArray[np.float64],
        t_ng_per_dl: NDArray[np.float64],
        youth_e2_pg_per_ml: float | None,
    ) -> None:
        super().__init__(float(days[0]), youth_e2_pg_per_ml)
        self._days, self._e2, self._t = days, e2_pg_per_ml, t_ng_per_dl

    def e2_pg_per_ml(self, day: float) -> float:
        """Serum estradiol at `day`, pg/mL."""
        return float(np.interp(self._moment(day), self._days, self._e2))

    def t_ng_per_dl(self, day: float) -> float:
        """Serum testosterone at `day`, ng/dL."""
        return float(np.interp(self._moment(day), self._days, self._t))


def _read_table(
    parameters: TableCourse,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Days, estradiol (pg/mL) and testosterone (ng/dL) of a table, all of one length.

    Raises:
        InputError: see `make_course`.
    """
    where = parameters.path
    text = _text(where)
    if parameters.sha256 not in (None, _sha256(text)):
        raise InputError(
            f"{where}: has changed since the run began (its SHA-256 is no longer "
            f"{parameters.sha256}); put the old table back or start a new run"
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
    if e2[0] < LOWEST_START_E2_PG_PER_ML and parameters.youth_e2_pg_per_ml is None:
        raise InputError(
            f"{where}: {e2_column} starts at {e2[0]:g} pg/mL; deficits are relative to the first "
            f"level, so start at {LOWEST_START_E2_PG_PER_ML:g} pg/mL or more, or set "
            "youth_e2_pg_per_ml"
        )
    if t_column is None:
        return days, e2, np.full(days.size, parameters.t_ng_per_dl)
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


def _text(where: str) -> str:
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
