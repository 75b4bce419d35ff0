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
    rates,
    sex_steroids,
    simulate_axis,
)
from bonesim.endocrine.blood import TYPICAL, _numbers, _signals, _taken, _with_half_ways
from bonesim.endocrine.formulary import Doses, DrugParameters
from bonesim.endocrine.kinetics import after, inactivated, inhibition, simulate_level
from bonesim.endocrine.protocol import ProtocolParameters

DRUG = DrugParameters()
MAN = ProtocolParameters(t_ng_per_dl=300, e2_pg_per_ml=20)
rate = st.floats(0.01, 50)
amount = st.floats(0, 100)


def numbers(protocol: ProtocolParameters = MAN) -> Any:
    own = protocol.baseline()
    levels = own.e2_pg_per_ml, own.t_ng_per_dl
    return _numbers(protocol, AxisParameters(), TYPICAL, 0.0, *levels)


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
    (share,) = inhibition(np.array([level]), ic50, most, hill)
    assert share == pytest.approx(most * powered / (powered + ic50**hill), rel=1e-9, abs=1e-12)


@given(st.floats(0.01, 5), st.floats(0.01, 50), st.lists(st.floats(0, 10), min_size=4, max_size=4))
def test_an_enzyme_used_up_is_renewed(renewal: float, rate: float, pieces: list[float]) -> None:
    """Against an adaptive solver, with a level that is constant between two moments."""
    day, left = np.arange(5.0), [1.0]
    for level in pieces:
        solved = solve_ivp(
            lambda t, e, c=level: renewal * (1 - e) - rate * c * e, (0, 1), [left[-1]],
            rtol=1e-10, atol=1e-13, method="LSODA",
        )  # fmt: skip
        left.append(float(solved.y[0, -1]))
    # The mean of neighbouring levels is each piece's.
    levels = [0.0]
    for level in pieces:
        levels.append(2 * level - levels[-1])
    share = inactivated(day, np.array(levels), renewal, rate)
    np.testing.assert_allclose(1 - share, left, rtol=1e-7)


@given(
    st.lists(st.tuples(st.integers(0, 9), amount, st.floats(-1, 1)), min_size=1, max_size=6),
    st.floats(0.05, 5), st.floats(6, 30),
)  # fmt: skip
def test_a_level_is_a_sum_of_single_doses(
    doses: list[tuple[int, float, float]], k2: float, k1: float
) -> None:
    """At the moments and half way between, against Bateman's solution of each dose by itself."""
    doses = sorted(doses)
    moment = np.arange(0.0, 12.0)
    columns = [np.array(column, np.float64) for column in zip(*doses, strict=True)]
    level = np.zeros(2 * moment.size - 1)
    simulate_level(moment, *columns, k1, k2, 3.0, level)
    for row, found in enumerate(level):
        total = 0.0
        for given_day, bolus, release in doses:
            t = max(row / 2 - given_day, 0.0)
            total += bolus * k1 / (k1 - k2) * (np.exp(-k2 * t) - np.exp(-k1 * t))
            total += release / k2 * (1 - np.exp(-k2 * t))
        assert found == pytest.approx(3.0 * total, rel=1e-9, abs=1e-9)


def effects(levels: dict[str, float], day: float, n: Any) -> tuple[float, ...]:
    """Inhibition (periphery, testis), T (ng/dL), E2 (pg/mL) given, agonist, ovary, age: in words."""

    def blocked(times: float, insensitive: bool) -> float:
        free = 1.0
        for drug, mass in ((DRUG.anastrozole, 293.4), (DRUG.letrozole, 285.3)):
            nanomolar = levels.get(drug.name, 0.0) * 1000 / mass
            x = (nanomolar / (drug.ic50_nmol_per_l * times)) ** DRUG.inhibition_hill
            reached = 1 - drug.insensitive_share if insensitive else 1.0
            free *= 1 - reached * drug.max_inhibition * x / (1 + x)
        return 1 - free

    agonist = levels.get("gnrh_agonist", 0.0)
    progestin = levels.get("medroxyprogesterone", 0.0)
    return (
        blocked(1.0, True),
        blocked(DRUG.testis_ic50_ratio, False),
        100 * sum(levels.get(f"testosterone_{k}", 0.0) for k in ("cypionate", "gel")),
        1000 * sum(levels.get(f"estradiol_{k}", 0.0) for k in ("gel", "patch")),
        agonist / (agonist + DRUG.gnrh_agonist.ec50_ng_per_ml),
        DRUG.medroxyprogesterone.max_suppression
        * progestin / (progestin + DRUG.medroxyprogesterone.ec50_ng_per_ml),
        (1 - n.t_decline_per_decade) ** (max(day, 0) / 3652.5),
    )  # fmt: skip


def signals_of(
    person: ProtocolParameters, levels: dict[str, float], day: float, n: Any
) -> NDArray[np.float64]:
    """What the axis reads at constant levels on a day, by the package's own drugs: (7,)."""
    from bonesim.endocrine.blood import _Taken
    from bonesim.endocrine.drug import Taker

    taker = Taker(np.arange(2.0), 1.0, DRUG.inhibition_hill, DRUG.testis_ic50_ratio)
    taken = [
        _Taken(drug, level, drug.checked_effects(level, taker))
        for name, drug in DRUG.all().items()
        if name in levels
        for level in [np.array([0.0, levels[name]])]
    ]
    return _signals(taken, np.array([0.0, day]), person, n)[1]


def slopes(state: NDArray[np.float64], effect: tuple[float, ...], n: Any) -> list[float]:
    """The equations as the module's docstring writes them."""
    lh, g, m, r, s = state
    i_p, i_t, t_x, e_x, a, o, age = effect
    tx = t_x / n.t_ng_per_dl
    tt = 1 - n.gonad_t_share + n.gonad_t_share * g + tx
    converted = 1 - n.gonad_precursor_share + n.gonad_precursor_share * g + tx
    gonad = n.testis_share * (1 - i_t) * g
    rest = (1 - n.testis_share) * (1 - i_p) * converted + e_x / n.e2_pg_per_ml
    e = rest + gonad * (1 - o)
    brake = -n.e2_feedback * (rest + gonad - 1) - n.t_feedback * (g - 1)
    brake = min(brake - n.given_t_feedback_dl_per_ng * t_x, np.log(n.max_lh_ratio))
    target = np.exp(brake + np.log(r * (1 + n.flare * a)))
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


AXIS_DRUGS = (
    "anastrozole", "estradiol_gel", "estradiol_patch", "gnrh_agonist", "letrozole", "medroxyprogesterone",
    "tamoxifen", "testosterone_cypionate", "testosterone_gel",
)  # fmt: skip


@pytest.mark.parametrize("person", [MAN, ProtocolParameters(sex="female", age_year=22)])
@given(state_values, st.lists(st.floats(0, 50), min_size=9, max_size=9), st.floats(0, 3000))
def test_slopes_are_the_equations(
    person: ProtocolParameters, state: tuple[float, ...], amounts: list[float], day: float
) -> None:
    n, slope = numbers(person), np.zeros(5)
    levels = dict(zip(AXIS_DRUGS, amounts, strict=True))
    if person.sex == "male":
        levels["medroxyprogesterone"] = 0.0  # he has no ovary
    effect, signal = effects(levels, day, n), signals_of(person, levels, day, n)
    np.testing.assert_allclose(signal, effect, rtol=1e-9, atol=1e-12)
    rates(np.array(state), signal, n, slope)
    np.testing.assert_allclose(slope, slopes(np.array(state), effect, n), rtol=1e-9, atol=1e-12)
    t, e = sex_steroids(state[1], signal, n)
    assert t == pytest.approx(1 - n.gonad_t_share * (1 - state[1]) + effect[2] / n.t_ng_per_dl)
    assert e >= 0


def test_a_step_is_of_fourth_order() -> None:
    """Halving the step divides the error of four days without doses by about 16."""
    n = numbers()
    per_day = DRUG.testosterone_cypionate.elimination_per_day

    def simulated(steps: int) -> NDArray[np.float64]:
        state, slope = np.array([1.0, 1.0, 1.0, 1.0, 0.0]), np.zeros((5, 5))
        moments = np.linspace(0.0, 4.0, 2 * steps + 1)
        signals = np.zeros((moments.size, 7))
        signals[:, 6] = 1.0
        signals[:, 2] = 180.0 * np.exp(-per_day * moments)
        for k in range(steps):
            advance_axis(state, signals, 2 * k, n, 4.0 / steps, slope)
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
        [(7.0 * k, "testosterone_cypionate", 100.0, 0.0) for k in range(4)]
        + [(2.0 + 3.5 * k, "anastrozole", 0.5, 0.0) for k in range(7)]
        + [(5.3, "estradiol_patch", 0.0, 0.05), (8.8, "estradiol_patch", 0.0, -0.05)]
        + [(10.0, "gnrh_agonist", 0.0, 3.6 / 28)]
    )

    names = sorted({dose[1] for dose in doses})

    def level(drug: str, day: float) -> float:
        """Superposition of single doses, each Bateman's."""
        k1, k2, per_mg = DRUG.all()[drug].kinetics()
        total = 0.0
        for given_day, which, bolus, release in doses:
            t = day - given_day
            if which == drug and t > 0:
                if bolus:
                    total += bolus * k1 / (k1 - k2) * (np.exp(-k2 * t) - np.exp(-k1 * t))
                total += release / k2 * (1 - np.exp(-k2 * t))
        return float(total * per_mg)

    def slope(day: float, state: NDArray[np.float64]) -> list[float]:
        return slopes(state, effects({k: level(k, day) for k in names}, day, n), n)

    samples = 28 * 8 + 1
    steroids, lh, shbg = np.zeros((samples, 2)), np.zeros(samples), np.zeros(samples)
    sample = np.arange(samples) / 8
    columns = list(zip(*doses, strict=True))
    given_ = Doses(*(np.array(column) for column in columns))
    moment = np.unique(np.concatenate([sample, given_.day]))
    taken = _taken(moment, given_, DRUG, TYPICAL)
    at_sample = np.searchsorted(moment, sample)
    signals = _signals(taken, _with_half_ways(moment), MAN, n)
    simulate_axis(moment, at_sample, signals, n, steroids, lh, shbg)
    levels = {one.drug.name: one.level[2 * at_sample] for one in taken}
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
            for drug in names:
                assert levels[drug][row] == pytest.approx(level(drug, end), rel=1e-8, abs=1e-12)
            tt = state[1] + 100 * level("testosterone_cypionate", end) / 300
            assert steroids[row, 0] == pytest.approx(tt, rel=2e-3)
