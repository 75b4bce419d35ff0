"""Courses of hormones against their differential equation, their table, and nonsense."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bonesim.endocrine.course import (
    ConstantCourse,
    Step,
    SteppedCourse,
    TableCourse,
    make_course,
)
from bonesim.errors import InputError

level = st.floats(0, 1000)
plans = st.lists(
    st.tuples(st.floats(0.5, 50), level, st.none() | st.floats(0, 3000), st.floats(2, 300)),
    min_size=1,
    max_size=5,
)


def stepped(plan: list[tuple[float, float, float | None, float]]) -> SteppedCourse:
    """Steps from (gap, e2, t, tau); the first begins after its gap."""
    days = np.cumsum([gap for gap, _, _, _ in plan])
    return SteppedCourse(
        steps=tuple(
            Step(start_day=day, e2_pg_per_ml=e2, t_ng_per_dl=t, tau_day=tau)
            for day, (_, e2, t, tau) in zip(days, plan, strict=True)
        )
    )


def runge_kutta(value: float, target: float, tau: float, days: float) -> float:
    """dE/dt = (target - E) / tau over `days`, by 400 steps of the classical fourth order."""
    h = days / 400
    for _ in range(400):
        k1 = (target - value) / tau
        k2 = (target - value - h / 2 * k1) / tau
        k3 = (target - value - h / 2 * k2) / tau
        k4 = (target - value - h * k3) / tau
        value += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return value


def write(folder: Path, text: str) -> TableCourse:
    path = folder / "levels.csv"
    path.write_text(text, encoding="utf-8")
    return TableCourse(path=str(path))


@given(day=st.floats(-1e4, 1e5), e2=st.floats(0.1, 1000), t=st.floats(0, 5000))
def test_constant_course_is_constant(day: float, e2: float, t: float) -> None:
    course = make_course(ConstantCourse(e2_pg_per_ml=e2, t_ng_per_dl=t))
    assert (course.e2_pg_per_ml(day), course.t_ng_per_dl(day)) == (e2, t)


@given(plans, st.floats(-700, 0))
def test_before_the_first_step_levels_are_those_of_the_start(plan: Any, day: float) -> None:
    course = make_course(stepped(plan))
    assert (course.e2_pg_per_ml(day), course.t_ng_per_dl(day)) == (25.0, 500.0)


@settings(max_examples=25, deadline=None)
@given(plans, st.floats(0, 200))
def test_stepped_course_solves_its_differential_equation(plan: Any, day: float) -> None:
    """dE/dt = (target - E) / tau, each hormone with the last step that speaks of it."""
    parameters = stepped(plan)
    course = make_course(parameters)
    for name, start in (("e2_pg_per_ml", 25.0), ("t_ng_per_dl", 500.0)):
        now, value = 0.0, start
        target, tau = start, 1.0
        for step in (*parameters.steps, None):
            end = min(day, step.start_day) if step else day
            if end > now:
                value = runge_kutta(value, target, tau, end - now)
                now = end
            if step and getattr(step, name) is not None:
                target, tau = getattr(step, name), step.tau_day
        assert getattr(course, name)(day) == pytest.approx(value, rel=1e-4, abs=1e-3)


@given(plans)
def test_stepped_course_has_no_jumps_and_stays_between_its_levels(plan: Any) -> None:
    parameters = stepped(plan)
    course = make_course(parameters)
    levels = [25.0, *(step.e2_pg_per_ml for step in parameters.steps)]
    for step in parameters.steps:
        before = course.e2_pg_per_ml(np.nextafter(step.start_day, 0.0))
        assert course.e2_pg_per_ml(step.start_day) == pytest.approx(before, abs=1e-6)
    for day in np.linspace(0, 400, 50):
        assert min(levels) - 1e-9 <= course.e2_pg_per_ml(day) <= max(levels) + 1e-9


def test_one_step_covers_63_percent_in_one_time_constant() -> None:
    course = make_course(SteppedCourse(steps=(Step(start_day=5, e2_pg_per_ml=0, tau_day=20),)))
    assert course.e2_pg_per_ml(25) == pytest.approx(25 / math.e)
    assert course.e2_pg_per_ml(1e6) == 0.0
    assert course.t_ng_per_dl(1e6) == 500.0


@pytest.mark.parametrize("days", [(5, 5), (5, 4), (0, 10, 9)])
def test_unordered_steps_are_refused(days: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="in order of start_day"):
        SteppedCourse(steps=tuple(Step(start_day=day, e2_pg_per_ml=1) for day in days))


@pytest.mark.parametrize(
    "values",
    [
        {"start_day": -36526, "e2_pg_per_ml": 1},
        {"start_day": 0, "e2_pg_per_ml": -1},
        {"start_day": 0, "e2_pg_per_ml": 1001},
        {"start_day": 0, "e2_pg_per_ml": math.nan},
        {"start_day": 0, "e2_pg_per_ml": 1, "t_ng_per_dl": -1},
        {"start_day": 0, "e2_pg_per_ml": 1, "tau_day": 0},
        {"start_day": 0, "e2_pg_per_ml": 1, "dose": 2},
    ],
)
def test_impossible_steps_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Step(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("e2", [0.0, -1.0, math.inf, 2000.0])
def test_impossible_starts_are_refused(e2: float) -> None:
    with pytest.raises(ValidationError):
        ConstantCourse(e2_pg_per_ml=e2)


def test_table_is_linear_between_and_constant_outside(tmp_path: Path) -> None:
    course = make_course(
        write(tmp_path, "# assay: LC-MS\nday, e2_pg_per_ml, t_ng_per_dl\n0,20,400\n\n10,10,600\n")
    )
    moments = (-500, 0, 2.5, 10, 999)
    assert [course.e2_pg_per_ml(day) for day in moments] == [20, 20, 17.5, 10, 10]
    assert [course.t_ng_per_dl(day) for day in moments] == [400, 400, 450, 600, 600]


def test_table_that_begins_before_day_0_holds_the_level_of_day_0_there(tmp_path: Path) -> None:
    course = make_course(write(tmp_path, "day,e2_pg_per_ml\n-10,30\n10,10\n"))
    assert [course.e2_pg_per_ml(day) for day in (-10, -3, 0, 5)] == [20, 20, 20, 15]
    assert course.t_ng_per_dl(3) == 500


def test_table_in_molar_units(tmp_path: Path) -> None:
    """Laboratory conversion factors: E2 pg/mL x 3.671 = pmol/L; T ng/dL x 0.03467 = nmol/L."""
    course = make_course(write(tmp_path, "day,e2_pmol_per_l,t_nmol_per_l\n0,100,20\n"))
    assert course.e2_pg_per_ml(1) == pytest.approx(100 / 3.671, rel=1e-3)
    assert course.t_ng_per_dl(1) == pytest.approx(20 / 0.03467, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("day,e2_pg_per_ml\n", "has no rows"),
        ("", "has no rows"),
        ("e2_pg_per_ml\n5\n", "no column day"),
        ("day,t_ng_per_dl\n0,5\n", "no estradiol"),
        ("day,e2\n0,5\n", "'e2' is unknown"),
        ("day,day,e2_pg_per_ml\n0,0,5\n", "named twice"),
        ("day,e2_pg_per_ml,e2_pmol_per_l\n0,5,5\n", "estradiol twice"),
        ("day,e2_pg_per_ml\n0,nan\n", "line 2: e2_pg_per_ml is 'nan'"),
        ("day,e2_pg_per_ml\n0,\n", "line 2: e2_pg_per_ml is ''"),
        ("day,e2_pg_per_ml\n0,inf\n", "give a finite number"),
        ("day,e2_pg_per_ml\n0,five\n", "give a finite number"),
        ("day,e2_pg_per_ml\n0,5,6\n", "3 values for 2 columns"),
        ("day;e2_pg_per_ml\n0;5\n", "no column day"),
        ("day,e2_pg_per_ml\n5,5\n4,5\n", "line 3: day 4 follows day 5"),
        ("#x\nday,e2_pg_per_ml\n5,5\n\n5,5\n", "line 5: day 5 follows day 5"),
        ("day,e2_pg_per_ml\n0,5\n1,-1\n", "line 3: e2_pg_per_ml is -1"),
        ("day,e2_pg_per_ml\n0,5\n1,5000\n", "check the unit"),
        ("day,e2_pg_per_ml,t_ng_per_dl\n0,5,-2\n", "t_ng_per_dl is -2"),
        ("day,e2_pg_per_ml\n0,0\n", "starts at 0"),
        ('day,e2_pg_per_ml\n0,"5\n1,6"\n', "line 2: is not CSV"),
    ],
)
def test_impossible_tables_are_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        make_course(write(tmp_path, text))
    assert words in str(caught.value)
    assert "levels.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        make_course(TableCourse(path=str(tmp_path / "absent.csv")))
    with pytest.raises(InputError, match="cannot be read"):
        make_course(TableCourse(path=str(tmp_path)))
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="not text"):
        make_course(TableCourse(path=str(binary)))
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(InputError, match="has 1000000000 bytes"):
        make_course(TableCourse(path=str(huge)))
