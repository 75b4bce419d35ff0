"""Laws of the estradiol response: no deficit, no effect; monotone; a history that is integrated."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.endocrine.course import (
    ConstantCourse,
    Step,
    SteppedCourse,
    Untreated,
    make_course,
)
from bonesim.endocrine.response import (
    SAMPLES_PER_DAY,
    Drive,
    Response,
    ResponseParameters,
)
from bonesim.signals.fields import occupancy

MULTIPLIERS = [name for name in Drive._fields if not name.endswith("_exponent") and name not in
               ("e2_pg_per_ml", "t_ng_per_dl", "deficit", "lack", "pth_activation")]  # fmt: skip
#: Which way each multiplier goes when the deficit of estradiol grows.
DIRECTION = {
    "activation": 1, "depth": 1, "depth_excess": 1, "wall": -1, "recruitment": -1,
    "precursor_growth": 1,
    "osteocyte_death": 1, "sclerostin": 1, "rankl": 1, "opg": -1,
}  # fmt: skip

responses = st.builds(
    ResponseParameters,
    half_maximum_pg_per_ml=st.floats(1, 100),
    hill=st.floats(0.5, 4),
    beta_share=st.floats(0, 1),
    rankl_exponent=st.floats(0, 2),
    opg_exponent=st.floats(0, 1),
    activation_exponent=st.floats(0, 4),
    depth_exponent=st.floats(0, 1),
    osteoblast_life_exponent=st.floats(0, 0.5),
    births_adaptation=st.floats(0, 1),
    depth_adaptation=st.floats(0, 1),
    sclerostin_wall_exponent=st.floats(0, 1),
    extra_depth_refilled=st.floats(0, 1),
)


#: A set-point that stays that of youth, and no low-pass.
STATIC = ResponseParameters(births_adaptation=0, depth_adaptation=0, signal_tau_day=1)


class DailyPulse(Untreated):
    """Estradiol high in one half of the day and low in the other."""

    def __init__(self, high: float, low: float) -> None:
        self.high, self.low = high, low

    def e2_pg_per_ml(self, day: float) -> float:
        if day < 0:
            return (self.high + self.low) / 2
        return self.high if day % 1.0 < 0.5 else self.low

    def t_ng_per_dl(self, day: float) -> float:
        return 500.0


def constant(e2: float, t: float = 500.0) -> Response:
    course = make_course(ConstantCourse(e2_pg_per_ml=e2, t_ng_per_dl=t))
    return Response(ResponseParameters(), course)


def at_deficit(parameters: ResponseParameters, deficit: float, t: float = 500.0) -> Drive:
    response = Response(parameters, make_course(ConstantCourse()))
    # Both grow as estradiol falls.
    response.births_deficit, response.depth_deficit = deficit, 2.0 * deficit
    return response.drive(25.0, t)


@given(parameters=responses, e2=st.floats(0.5, 500))
def test_a_constant_level_of_whatever_height_has_no_effect(
    parameters: ResponseParameters, e2: float
) -> None:
    """Who never had another level has no deficit."""
    response = Response(parameters, make_course(ConstantCourse(e2_pg_per_ml=e2)))
    for day in range(1, 30):
        drive = response.next_day(day)
    assert drive.deficit == pytest.approx(0.0, abs=1e-12)
    for name in MULTIPLIERS:
        assert getattr(drive, name) == pytest.approx(1.0, abs=1e-9), name


@given(
    parameters=responses,
    low=st.floats(-3.0, 6.0),
    high=st.floats(-3.0, 6.0),
)
def test_every_multiplier_is_monotone_in_the_deficit(
    parameters: ResponseParameters, low: float, high: float
) -> None:
    low, high = min(low, high), max(low, high)
    assert sorted(DIRECTION) == sorted(MULTIPLIERS)
    less, more = at_deficit(parameters, low), at_deficit(parameters, high)
    for name, direction in DIRECTION.items():
        change = getattr(more, name) - getattr(less, name)
        assert direction * change >= -1e-12, name
        assert math.isfinite(getattr(more, name))
        assert getattr(more, name) >= 0


def test_each_gain_of_zero_silences_its_effect() -> None:
    silent = ResponseParameters(
        rankl_exponent=0, opg_exponent=0, depth_exponent=0, osteoblast_life_exponent=0,
        precursor_growth_exponent=0, osteocyte_death_exponent=0, sclerostin_exponent=0,
    )  # fmt: skip
    drive = at_deficit(silent, 0.8)
    assert {getattr(drive, name) for name in MULTIPLIERS} == {1.0}


@given(parameters=responses, low=st.floats(0, 1000), high=st.floats(0, 1000))
def test_the_signal_rises_with_estradiol_between_0_and_1(
    parameters: ResponseParameters, low: float, high: float
) -> None:
    response = Response(parameters, make_course(ConstantCourse()))
    low, high = min(low, high), max(low, high)
    assert 0.0 <= response.signal(low) <= response.signal(high) <= 1.0
    assert response.signal(0.0) == 0.0


def test_the_signal_is_half_at_its_half_maximum() -> None:
    alone = ResponseParameters(beta_share=0, half_maximum_pg_per_ml=16)
    assert Response(alone, make_course(ConstantCourse())).signal(16) == pytest.approx(0.5)
    beta = ResponseParameters(beta_share=1, half_maximum_pg_per_ml=16)
    assert Response(beta, make_course(ConstantCourse())).signal(24) == pytest.approx(0.5)


@given(st.floats(1, 100), st.floats(1, 100))
def test_the_logarithm_is_averaged_over_the_day(high: float, low: float) -> None:
    """The mean of the logarithm over the day, not that of the mean: they differ, ln is curved."""
    response = Response(STATIC, DailyPulse(high, low))
    drive = response.next_day(1)
    assert drive.e2_pg_per_ml == pytest.approx((high + low) / 2)
    mean = (math.log(high) + math.log(low)) / 2
    assert drive.deficit == pytest.approx(math.log((high + low) / 2) - mean, abs=1e-9)


def test_four_samples_a_day_are_the_midpoints_of_the_day_before() -> None:
    class Ramp(DailyPulse):
        def e2_pg_per_ml(self, day: float) -> float:
            return 10.0 + day

    drive = Response(ResponseParameters(), Ramp(0, 0)).next_day(7)
    middle = sum(6 + (k + 0.5) / SAMPLES_PER_DAY for k in range(SAMPLES_PER_DAY)) / SAMPLES_PER_DAY
    assert drive.e2_pg_per_ml == pytest.approx(10 + middle)


@given(st.floats(0.3, 200.0))
def test_the_deficit_follows_a_step_exponentially(after: float) -> None:
    """With a static set-point l -> l_end (1 - (1 - 1/tau)^n), whose limit is ln(youth / E)."""
    parameters = STATIC.model_copy(update={"signal_tau_day": 30})
    step = Step(start_day=0, e2_pg_per_ml=after, tau_day=0.01)
    response = Response(parameters, make_course(SteppedCourse(steps=(step,))))
    for day in range(1, 61):
        drive = response.next_day(day)
    end = math.log(25.0 / after)
    assert drive.deficit == pytest.approx(end * (1 - (1 - 1 / 30) ** 60), abs=2e-3)


@pytest.mark.parametrize("w", [0.0, 0.4, 1.0])
def test_cells_adapt_to_a_share_of_the_deficit(w: float) -> None:
    parameters = ResponseParameters(
        setpoint_tau_year=1, births_adaptation=w, depth_adaptation=1.0 - w, signal_tau_day=1
    )
    step = Step(start_day=0, e2_pg_per_ml=5, tau_day=0.01)
    response = Response(parameters, make_course(SteppedCourse(steps=(step,))))
    for day in range(1, 3654):
        response.next_day(day)
    left = math.log(5.0) * (1.0 - (1.0 - math.exp(-10.0)))
    assert response.births_deficit == pytest.approx((1 - w) * math.log(5) + w * left, abs=1e-3)
    assert response.depth_deficit == pytest.approx(w * math.log(5) + (1 - w) * left, abs=1e-3)
    assert response.setpoint_pg_per_ml == pytest.approx(25.0 * 5**-w, rel=1e-3)


@given(
    youth=st.floats(10, 150), level=st.floats(0.5, 150), years=st.floats(0, 40),
    w=st.floats(0, 1), tau=st.floats(0.5, 20),
)  # fmt: skip
def test_a_course_before_day_zero_has_been_adapted_to(
    youth: float, level: float, years: float, w: float, tau: float
) -> None:
    """A = ln(E / E_youth) (1 - exp(-t / tau)): what the past makes of day 0, in closed form."""
    parameters = ResponseParameters(
        setpoint_tau_year=tau, births_adaptation=w, depth_adaptation=1.0 - w
    )
    step = Step(start_day=-round(365.25 * years), e2_pg_per_ml=level, tau_day=0.01)
    course = make_course(SteppedCourse(e2_pg_per_ml=youth, steps=(step,)))
    response = Response(parameters, course)
    now = math.log(level / youth) if step.start_day < 0 else 0.0
    adapted = now * -math.expm1(step.start_day / (365.25 * tau))
    assert response.adapted == pytest.approx(adapted, abs=1e-3)
    assert response.births_deficit == pytest.approx(w * adapted - now, abs=1e-3)
    assert response.depth_deficit == pytest.approx((1 - w) * adapted - now, abs=1e-3)


def test_what_is_simulated_day_by_day_is_what_a_history_gives() -> None:
    """A fall at day 0, ten years later; the same fall ten years before day 0."""
    later, before = (
        SteppedCourse(e2_pg_per_ml=100, steps=(Step(start_day=day, e2_pg_per_ml=5, tau_day=1),))
        for day in (0, -3650)
    )
    simulated = Response(ResponseParameters(), make_course(later))
    for day in range(1, 3651):
        simulated.next_day(day)
    given_as_past = Response(ResponseParameters(), make_course(before))
    assert given_as_past.adapted == pytest.approx(simulated.adapted, rel=1e-3)
    # Simulated, the deficit trails its 30 days.
    assert given_as_past.births_deficit == pytest.approx(simulated.births_deficit, rel=5e-3)
    one, other = simulated.next_day(3651), given_as_past.next_day(1)
    assert one.activation == pytest.approx(other.activation, rel=2e-3)


def test_nobody_starts_where_the_law_does_not_lead() -> None:
    """The burn-in's multipliers are those of the first day, whatever the history."""
    step = Step(start_day=-2000, e2_pg_per_ml=6, tau_day=100)
    response = Response(
        ResponseParameters(), make_course(SteppedCourse(e2_pg_per_ml=100, steps=(step,)))
    )
    before = response.drive(6.0, 500.0)
    after = response.next_day(1)
    assert after.activation == pytest.approx(before.activation, rel=1e-3)
    assert after.depth == pytest.approx(before.depth, rel=1e-3)


def test_more_estradiol_than_usual_leaves_more_than_was_taken() -> None:
    """Shallower cavities, the same walls: what a wall is planned by is the usual depth."""
    drive = at_deficit(ResponseParameters(), -1.0)
    assert drive.activation < 1.0
    assert drive.depth < 1.0
    assert drive.depth_excess == drive.depth
    assert drive.wall == 1.0
    assert drive.lack == 0.0


def test_estradiol_of_zero_for_decades_is_finite() -> None:
    step = Step(start_day=0, e2_pg_per_ml=0, t_ng_per_dl=0)
    response = Response(ResponseParameters(), make_course(SteppedCourse(steps=(step,))))
    for day in range(1, 365 * 40):
        drive = response.next_day(day)
        assert all(math.isfinite(value) and value >= 0 for value in drive)
    p = response.parameters
    floor = math.log(25.0 / 0.3) * (1.0 - p.births_adaptation)
    assert drive.deficit == pytest.approx(floor, abs=1e-3)


def test_androgens_act_in_their_direction() -> None:
    with_walls = ResponseParameters(androgen_formation_exponent=0.05)
    full, none = at_deficit(with_walls, 0, 500), at_deficit(with_walls, 0, 0)
    assert none.wall < full.wall
    assert none.activation > full.activation
    enough = at_deficit(with_walls, 0, 200)
    assert enough.activation == full.activation


@given(st.floats(-3, 5), st.floats(0, 1000))
def test_walls_follow_no_hormone_unless_asked_to(deficit: float, t: float) -> None:
    """Eriksen 1999: deeper cavities after the loss of estradiol, walls not demonstrably different."""
    drive = at_deficit(ResponseParameters(), deficit, t)
    assert (drive.wall, drive.wall_exponent) == (1.0, 0.0)
    # What is dug for want of estradiol is not what a wall refills.
    assert drive.depth_excess == drive.depth
    half = at_deficit(ResponseParameters(extra_depth_refilled=0.5), 0.5)
    assert half.depth_excess == pytest.approx(math.sqrt(half.depth))
    assert at_deficit(ResponseParameters(extra_depth_refilled=1.0), 0.5).depth_excess == 1.0


@pytest.mark.parametrize("own", [6.0, 25.0, 100.0])
def test_depth_goes_by_the_ratio_of_estradiol_to_the_own_level(own: float) -> None:
    """Eriksen 1999: osteoclastic depth 17.8 before and 25.0 um after menopause, 100 to 5 pg/mL."""
    parameters = ResponseParameters(births_adaptation=0, depth_adaptation=0, signal_tau_day=30)
    step = Step(start_day=0, e2_pg_per_ml=own / 20, tau_day=0.01)
    course = make_course(SteppedCourse(e2_pg_per_ml=own, steps=(step,)))
    response = Response(parameters, course)
    assert response.depth_deficit == 0.0
    for day in range(1, 601):
        drive = response.next_day(day)
    assert response.depth_deficit == pytest.approx(math.log(20), rel=1e-6)
    assert drive.depth == pytest.approx(25.0 / 17.8, rel=0.01)
    # RANKL on marrow cells is two to three times that of women with estradiol, births are x1.85.
    assert 2.0 < drive.rankl < 3.0
    assert 1.6 < drive.activation < 2.2


@pytest.mark.parametrize("held", [0.3, 1.0])
def test_a_partial_agonist_counts_as_the_estradiol_that_would_signal_alike(held: float) -> None:
    class Blocked(DailyPulse):
        def receptors_held(self, day: float) -> tuple[tuple[float, float], ...]:
            return () if day < 0 else ((held, 0.52),)

    response = Response(STATIC, Blocked(60.0, 60.0))
    response.next_day(1)
    alike = 60.0 * math.exp(-response.births_deficit)
    wanted = (1 - held) * response.signal(60.0) + held * 0.52
    assert response.signal(alike) == pytest.approx(wanted)


@pytest.mark.parametrize(("level", "counts"), [(0.0, 0.3), (0.2, 0.3), (5000.0, 2000.0)])
def test_what_no_assay_sees_and_what_no_person_has_count_no_more(
    level: float, counts: float
) -> None:
    class Changed(DailyPulse):
        def e2_pg_per_ml(self, day: float) -> float:
            return 25.0 if day < 0 else level

    response = Response(STATIC, Changed(0, 0))
    response.next_day(1)
    assert response.depth_deficit == pytest.approx(math.log(25.0 / counts))


@given(st.floats(0.01, 10), st.floats(0.01, 10))
def test_occupancy_is_the_equilibrium_of_competing_binding(rankl: float, opg: float) -> None:
    """rho = [RANKL:RANK] share when free RANKL is rankl and OPG raises K to 1 + opg."""
    rho = occupancy(rankl, opg) / 3.0
    assert rho / (1 - rho) == pytest.approx(rankl / (1 + opg))
    assert occupancy(1.0, 1.0) == pytest.approx(1.0)


def test_androgens_count_over_the_own_level() -> None:
    """A woman at 20 ng/dL lacks none; a man who falls to 20 does; one reference for all is a choice."""
    woman, man = constant(4.5, 20.0), constant(25.0, 500.0)
    for own in (woman.drive(4.5, 20.0), man.drive(25.0, 500.0)):
        assert own.wall == own.rankl == 1.0
    woman, man = (
        Response(ResponseParameters(androgen_formation_exponent=0.05), one.course)
        for one in (woman, man)
    )
    fallen = man.drive(25.0, 20.0)
    assert woman.drive(4.5, 20.0).wall == 1.0
    assert fallen.wall == pytest.approx((20 / 500) ** 0.05)
    assert fallen.rankl == pytest.approx(1.0 + 0.1 * (1 - 20 / 200))
    course = make_course(ConstantCourse(e2_pg_per_ml=4.5, t_ng_per_dl=20.0))
    one_for_all = Response(ResponseParameters(
        reference_t_ng_per_dl=500.0, androgen_formation_exponent=0.05), course)  # fmt: skip
    assert one_for_all.drive(4.5, 20.0).wall < 0.9
