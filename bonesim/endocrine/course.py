"""Estradiol and testosterone in the blood against day: constant, in steps, or from a table.

Day 0 is the first day after the burn-in, which holds the level of its last moment. A course may
begin earlier, with steps or rows at negative days: what cells had adapted to by day 0 follows from
all of it (`response`). Where it begins it is taken for the own level in youth, unless that is given.
These courses are given by the user; `prescription` computes one from a protocol.
"""

import copy
import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from bonesim.endocrine.level_table import (
    EARLIEST_DAY,
    HIGHEST_E2_PG_PER_ML,
    HIGHEST_T_NG_PER_DL,
    LOWEST_START_E2_PG_PER_ML,
    read_levels,
    sha256_of,
    text_of,
)
from bonesim.endocrine.response import Course
from bonesim.endocrine.targets import NO_DRUG, BoneTargets
from bonesim.parameters import Parameters

__all__ = ["ConstantCourse", "Course", "Step", "SteppedCourse", "TableCourse", "make_course"]

#: The moment before day 0, whose level the burn-in holds.
LAST_MOMENT = math.nextafter(0.0, -1.0)

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
    until_day: Annotated[
        float | None,
        Field(
            ge=EARLIEST_DAY,
            le=73000,
            description="levels stay from then on; none: as written; input",
        ),
    ] = None
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
        return _from_table(parameters)
    steps = parameters.steps if isinstance(parameters, SteppedCourse) else ()
    e2 = [(step.start_day, step.e2_pg_per_ml, step.tau_day) for step in steps]
    t = [
        (step.start_day, step.t_ng_per_dl, step.tau_day)
        for step in steps
        if step.t_ng_per_dl is not None
    ]
    return _Approached(
        _Level(parameters.e2_pg_per_ml, e2), _Level(parameters.t_ng_per_dl, t), youth
    )


def _from_table(parameters: TableCourse) -> "_Interpolated":
    """The course of a table."""
    youth = parameters.youth_e2_pg_per_ml
    levels = read_levels(
        parameters.path, parameters.sha256, parameters.t_ng_per_dl, youth is not None
    )
    until_day = math.inf if parameters.until_day is None else parameters.until_day
    return _Interpolated(*levels, youth, until_day)


def pinned(parameters: AnyCourse) -> AnyCourse:
    """The same course, with the hash of its table if it has one: it may not change any more.

    Raises:
        InputError: the table cannot be read.
    """
    if not isinstance(parameters, TableCourse):
        return parameters
    return parameters.model_copy(update={"sha256": sha256_of(text_of(parameters.path))})


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
        until_day: float,
    ) -> None:
        super().__init__(float(days[0]), youth_e2_pg_per_ml)
        self._until_day = until_day
        self._days, self._e2, self._t = days, e2_pg_per_ml, t_ng_per_dl

    def e2_pg_per_ml(self, day: float) -> float:
        """Serum estradiol at `day`, pg/mL."""
        return float(np.interp(self._written_at(day), self._days, self._e2))

    def t_ng_per_dl(self, day: float) -> float:
        """Serum testosterone at `day`, ng/dL."""
        return float(np.interp(self._written_at(day), self._days, self._t))

    def _written_at(self, day: float) -> float:
        """The day of the table that counts on `day`."""
        return min(self._moment(day), self._until_day)
