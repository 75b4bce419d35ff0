"""Drugs and axis against SciPy: matrix exponentials, and an adaptive solver between doses."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from bonesim.endocrine.axis import (
    AxisParameters,
    advance_axis,
    drive_of,
    rates,
    sex_steroids,
    simulate_axis,
)
from bonesim.endocrine.blood import TYPICAL, _numbers
from bonesim.endocrine.drugs import (
    ANASTROZOLE,
    CYPIONATE,
    DRUGS,
    E2_PATCH,
    GNRH_AGONIST,
    LETROZOLE,
    DrugParameters,
    after,
    inhibition,
    kinetics_table,
)
from bonesim.endocrine.protocol import ProtocolParameters

DRUG = DrugParameters()
TABLE = kinetics_table(DRUG, np.ones(len(DRUGS)))
MAN = ProtocolParameters(t_ng_per_dl=300, e2_pg_per_ml=20)
rate = st.floats(0.01, 50)
amount = st.floats(0, 100)


def numbers(protocol: ProtocolParameters = MAN) -> Any:
    own = protocol.baseline()
    return _numbers(protocol, DRUG, AxisParameters(), TYPICAL, own.e2_pg_per_ml, own.t_ng_per_dl)


@settings(max_examples=200)
@given(amount, amount, amount, rate, rate, st.floats(0, 30))
def test_two_stages_are_a_matrix_exponential(
    first: float, second: float, release: float, k1: float, k2: float, time: float
) -> None:
    flow = np.array([[-k1, 0, 0], [k1, -k2, 1], [0, 0, 0]])
    expected = expm(flow * time) @ np.array([first, second, release])
    got = after(first, second, release, k1, k2, time)
    np.testing.assert_allclose(got, expected[:2], rtol=1e-8, atol=1e-9)


def test_equal_rates_need_no_other_case() -> None:
    exact = after(7.0, 1.0, 2.0, 0.5, 0.5, 3.0)
    near = after(7.0, 1.0, 2.0, 0.5, 0.5 + 1e-7, 3.0)
    assert exact[1] == pytest.approx(7 * 0.5 * 3 * np.exp(-1.5) + np.exp(-1.5)
                                     + 4 * (1 - np.exp(-1.5)), rel=1e-12)  # fmt: skip
    np.testing.assert_allclose(exact, near, rtol=1e-6)


@given(st.floats(0, 1e4), st.floats(1, 100), st.floats(0.1, 1), st.floats(0.5, 4))
def test_inhibition_is_hill(level: float, ic50: float, most: float, hill: float) -> None:
    powered = level**hill
    assert inhibition(level, ic50, most, hill) == pytest.approx(
        most * powered / (powered + ic50**hill), rel=1e-9, abs=1e-12
    )


def effects(levels: dict[int, float], n: Any) -> tuple[float, float, float, float, float]:
    """Inhibition (periphery, testis), T given (ng/dL), E2 given (pg/mL), agonist: in words."""

    def blocked(times: float, within_reach: tuple[float, float]) -> float:
        free = 1.0
        for drug, ic50, most, reached in (
            (ANASTROZOLE, n.anastrozole_ic50, n.anastrozole_max_inhibition, within_reach[0]),
            (LETROZOLE, n.letrozole_ic50, n.letrozole_max_inhibition, within_reach[1]),
        ):
            x = (levels.get(drug, 0.0) / (ic50 * times)) ** n.inhibition_hill
            free *= 1 - reached * most * x / (1 + x)
        return 1 - free

    agonist = levels.get(GNRH_AGONIST, 0.0)
    return (
        blocked(1.0, (1 - n.anastrozole_insensitive, 1 - n.letrozole_insensitive)),
        blocked(n.testis_ic50_ratio, (1.0, 1.0)),
        100 * sum(levels.get(DRUGS.index(f"testosterone_{k}"), 0.0) for k in ("cypionate", "gel")),
        1000 * sum(levels.get(DRUGS.index(f"estradiol_{k}"), 0.0) for k in ("gel", "patch")),
        agonist / (agonist + n.gnrh_ec50),
    )  # fmt: skip


def slopes(
    day: float, state: NDArray[np.float64], effect: tuple[float, ...], n: Any
) -> list[float]:
    """The equations as the module's docstring writes them."""
    lh, g, m, r, s = state
    i_p, i_t, t_x, e_x, a = effect
    tt = g + t_x / n.t_ng_per_dl
    e = (1 - n.testis_share) * (1 - i_p) * tt + n.testis_share * (1 - i_t) * g
    e += e_x / n.e2_pg_per_ml
    brake = -n.e2_feedback * (e - 1) - n.t_feedback * (g - 1)
    brake = min(brake - n.given_t_feedback_dl_per_ng * t_x, np.log(n.max_lh_ratio))
    target = np.exp(brake + np.log(r * (1 + n.flare * a)))
    age = (1 - n.t_decline_per_decade) ** (max(day, 0) / 3652.5)
    wasted = 1 - n.max_atrophy * (1 - min(1, lh / n.atrophy_below_lh))
    return [
        (target - lh) / n.lh_tau_day,
        (age * m * lh**n.leydig_exponent - g) / n.leydig_tau_day,
        (wasted - m) / n.atrophy_tau_day,
        a * (n.desensitised_rest - r) / n.desensitised_tau_day
        + (1 - a) * (1 - r) / n.resensitised_tau_day,
        (-n.shbg_t_exponent * np.log(max(tt, 0.01)) + n.shbg_e2_exponent * np.log(max(e, 0.01))
         - s) / n.shbg_tau_day,
    ]  # fmt: skip


state_values = st.tuples(*[st.floats(0.05, 3.0)] * 4, st.floats(-1.0, 1.0))


@given(state_values, st.lists(st.floats(0, 50), min_size=8, max_size=8), st.floats(0, 3000))
def test_slopes_are_the_equations(
    state: tuple[float, ...], second: list[float], day: float
) -> None:
    n = numbers()
    signal, slope = np.zeros(5), np.zeros(5)
    levels = {k: second[k] * TABLE[k, 2] for k in range(8)}
    effect = effects(levels, n)
    drive_of(np.array(second), TABLE[:, 2], n, signal)
    np.testing.assert_allclose(signal, effect, rtol=1e-9, atol=1e-12)
    ageing = (1 - n.t_decline_per_decade) ** (day / 3652.5)
    rates(np.array(state), signal, ageing, n, slope)
    np.testing.assert_allclose(
        slope, slopes(day, np.array(state), effect, n), rtol=1e-9, atol=1e-12
    )
    t, e = sex_steroids(state[1], signal, n)
    assert t == pytest.approx(state[1] + effect[2] / 300)
    assert e >= 0


def test_a_step_is_of_fourth_order() -> None:
    """Halving the step divides the error of a day without doses by about 16."""
    n = numbers()

    def simulated(steps: int) -> NDArray[np.float64]:
        state = np.array([1.0, 1.0, 1.0, 1.0, 0.0])
        first, second, release = np.zeros(8), np.zeros(8), np.zeros(8)
        second[CYPIONATE] = 30.0
        work = np.zeros((9, 8))
        for k in range(steps):
            advance_axis(
                state, first, second, release, TABLE, n, 4.0 * k / steps, 4.0 / steps, work
            )
        return state

    best = simulated(512)
    coarse, fine = (abs(simulated(steps) - best).max() for steps in (8, 16))
    assert 12 < coarse / fine < 20


def test_a_life_is_what_an_adaptive_solver_finds() -> None:
    """Injections, tablets, a patch and an implant; solved piece by piece between their doses.

    Drugs are exact; the axis has the error of its three-hour step, which is largest while a
    tablet is absorbed within one: up to 0.1 % of LH.
    """
    n = numbers()
    doses = sorted(
        [(7.0 * k, CYPIONATE, 100.0, 0.0) for k in range(4)]
        + [(2.0 + 3.5 * k, ANASTROZOLE, 0.5, 0.0) for k in range(7)]
        + [(5.3, E2_PATCH, 0.0, 0.05), (8.8, E2_PATCH, 0.0, -0.05)]
        + [(10.0, GNRH_AGONIST, 0.0, 3.6 / 28)]
    )

    def level(drug: int, day: float) -> float:
        """Superposition of single doses, each Bateman's."""
        k1, k2, per_mg = TABLE[drug]
        total = 0.0
        for given_day, which, bolus, release in doses:
            t = day - given_day
            if which == drug and t > 0:
                total += bolus * k1 / (k1 - k2) * (np.exp(-k2 * t) - np.exp(-k1 * t))
                total += release / k2 * (1 - np.exp(-k2 * t))
        return float(total * per_mg)

    def slope(day: float, state: NDArray[np.float64]) -> list[float]:
        return slopes(day, state, effects({k: level(k, day) for k in range(8)}, n), n)

    samples = 28 * 8 + 1
    steroids, lh, shbg = np.zeros((samples, 2)), np.zeros(samples), np.zeros(samples)
    levels = np.zeros((samples, 8))
    columns = np.array(doses).T
    simulate_axis(0.0, columns[0].copy(), columns[1].astype(np.int64), columns[2].copy(),
              columns[3].copy(), TABLE, n, steroids, lh, shbg, levels)  # fmt: skip
    state = np.array([1.0, 1.0, 1.0, 1.0, 0.0])
    moments = sorted({d[0] for d in doses} | {7.0 * k for k in range(5)})
    for begin, end in zip(moments, [*moments[1:], 28.0], strict=True):
        if end > begin:
            piece = solve_ivp(slope, (begin, end), state, rtol=1e-9, atol=1e-11, max_step=0.25)
            state = piece.y[:, -1]
        row = round(end * 8)
        if abs(row / 8 - end) < 1e-9:
            assert lh[row] == pytest.approx(state[0], rel=2e-3)
            assert shbg[row] == pytest.approx(np.exp(state[4]), rel=2e-3)
            for drug in range(8):
                assert levels[row, drug] == pytest.approx(level(drug, end), rel=1e-8, abs=1e-12)
            tt = state[1] + 100 * level(CYPIONATE, end) / 300
            assert steroids[row, 0] == pytest.approx(tt, rel=2e-3)
