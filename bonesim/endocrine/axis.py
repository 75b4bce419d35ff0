"""The hypothalamic-pituitary-gonadal axis of one person under drugs.

All in ratios to the person's own baseline (guide M7.3); capitals follow that section:

    tt     = g + Tx/T0                                       testosterone: testis and drug
    e      = (1-ft)(1-I) tt + ft (1-It)(1-o) g + Ex/E0       estradiol: periphery, gonad, drug
    ln L*  = min(-kE (e-1) - kT (g-1) - kX Tx, ln max) + ln(r (1 + flare A))
    dL/dt  = (L* - L)/tauL          dg/dt = (a m L^n - g)/tauG
    dm/dt  = (m*(L) - m)/tauM       Leydig cells atrophy without LH and recover slowly
    dr/dt  = ((1-A) - r)/tauR ...   an agonist A first stimulates, then desensitises the pituitary
    dS/dt  = (S* - S)/tauS          ln SHBG

I and It are the inhibition of aromatase in periphery and testis. In the testis the very high local
testosterone competes with an inhibitor. So a man's E2 falls by half where a woman's disappears. On
testosterone replacement g is gone, and so is this remaining source. Part of the peripheral estradiol
is insensitive to an inhibitor (`drugs/`).

In a woman g is the ovary's: ft is its share of estradiol, a smaller share of testosterone is from it,
and what the periphery converts is adrenal. Its feedback is so strong that an ovary that ceases is
driven ever harder; a is such that without drugs estradiol follows the person's history (`history`).
After menopause ft = 0.

The axis knows targets and no drug (`targets`). Between two doses all courses are smooth: drugs
follow their closed forms, the five states are integrated by classical Runge-Kutta steps that end at
every dose.
"""

from collections import namedtuple
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.kernel import kernel
from bonesim.parameters import Parameters

#: Samples a day on file, and longest step of the integration: 3 h.
SAMPLES_PER_DAY = 8
#: Columns of the states.
LH, TESTIS, LEYDIG, PITUITARY, SHBG = range(5)


class AxisParameters(Parameters):
    """Feedback, delays and conversion in a man; a woman's values are derived."""

    testis_share: Annotated[
        float, Field(ge=0, le=0.5, description="ft, of estradiol from the testis; fit (guide M7.3)")
    ] = 0.21
    e2_feedback: Annotated[
        float, Field(ge=0, le=5, description="kE: ln LH per baseline estradiol; fit (guide M7.3)")
    ] = 1.11
    t_feedback: Annotated[
        float,
        Field(ge=0, le=5, description="kT: ln LH per baseline testosterone; fit (guide M7.3)"),
    ] = 0.30
    given_t_feedback_dl_per_ng: Annotated[
        float,
        Field(
            ge=0,
            le=0.1,
            description="kX = 2.3/550, 100 mg/week: LH to 10-20 %; assumed (guide M7.3)",
        ),
    ] = 2.3 / 550.0
    max_lh_ratio: Annotated[
        float,
        Field(gt=1, le=30, description="upper limit of LH over baseline; assumed (guide M7.3)"),
    ] = 7.0
    lh_tau_day: Annotated[
        float, Field(ge=0.1, le=30, description="LH follows its drive; assumed (guide M7.3)")
    ] = 3.0
    leydig_exponent: Annotated[
        float, Field(ge=0, le=2, description="n: testosterone ~ LH^n; fit (guide M7.3)")
    ] = 0.74
    leydig_tau_day: Annotated[
        float, Field(ge=0.1, le=60, description="testosterone follows LH; fit (guide M7.3)")
    ] = 7.0
    atrophy_tau_day: Annotated[
        float,
        Field(
            ge=1,
            le=720,
            description="Leydig cells atrophy and recover; assumed, 30-90 (guide M7.3)",
        ),
    ] = 60.0
    atrophy_below_lh: Annotated[
        float, Field(ge=0, le=1, description="they atrophy below this LH ratio; assumed")
    ] = 0.5
    max_atrophy: Annotated[
        float, Field(ge=0, le=1, description="share of their output they can lose; assumed")
    ] = 0.7
    desensitised_tau_day: Annotated[
        float,
        Field(
            ge=0.1,
            le=60,
            description="agonist desensitises the pituitary; LH x3 on day 3; assumed (guide M7.3)",
        ),
    ] = 4.0
    flare: Annotated[
        float,
        Field(
            ge=0,
            le=50,
            description="an agonist's first effect, LH x3 on day 3; assumed (guide M7.3)",
        ),
    ] = 7.0
    desensitised_rest: Annotated[
        float,
        Field(gt=0, le=1, description="drive left under an agonist: T below 50; assumed, label"),
    ] = 0.002
    resensitised_tau_day: Annotated[
        float,
        Field(ge=1, le=1e9, description="recovery after an agonist; assumed, weeks; 1e9: never"),
    ] = 30.0
    t_decline_per_decade: Annotated[
        float, Field(ge=0, le=0.5, description="share of testosterone; Gonzalez-Sales 2016")
    ] = 0.024
    ovary_exponent: Annotated[
        float,
        Field(
            ge=0,
            le=2,
            description="a woman's estradiol ~ gonadotropin^n; fit: 90 to 12 on goserelin (A14)",
        ),
    ] = 1.9
    shbg_t_exponent: Annotated[
        float, Field(ge=0, le=2, description="SHBG ~ T^-k; fit to -16 % in Taxel 2001, with next")
    ] = 0.30
    shbg_e2_exponent: Annotated[
        float, Field(ge=0, le=2, description="SHBG ~ E2^k; fit to -16 % in Taxel 2001")
    ] = 0.05
    shbg_tau_day: Annotated[
        float, Field(ge=1, le=120, description="SHBG follows; assumed, weeks")
    ] = 14.0


AxisNumbers = namedtuple(  # type: ignore[misc]
    "AxisNumbers",
    [
        *AxisParameters.model_fields,
        "gonad_t_share",
        "gonad_precursor_share",
        "e2_pg_per_ml",
        "t_ng_per_dl",
    ],
)


@kernel
def sex_steroids(testis: float, signal: NDArray[np.float64], n: Any) -> tuple[float, float]:
    """Testosterone and estradiol as ratios to the baseline.

    `testis` is the gonad's output. `signal` (7): 0 and 1: inhibition of aromatase in periphery and
    gonad; 2: testosterone given, ng/dL; 3: estradiol given, pg/mL; 4: hold of a GnRH agonist, 0..1;
    5: share of the ovary's estradiol suppressed; 6: what the gonad can make, over that at the start.
    """
    t = 1.0 - n.gonad_t_share + n.gonad_t_share * testis + signal[2] / n.t_ng_per_dl
    precursor = 1.0 - n.gonad_precursor_share * (1.0 - testis) + signal[2] / n.t_ng_per_dl
    e = (1.0 - n.testis_share) * (1.0 - signal[0]) * precursor
    e += n.testis_share * (1.0 - signal[1]) * (1.0 - signal[5]) * testis
    return t, e + signal[3] / n.e2_pg_per_ml


@kernel
def rates(
    state: NDArray[np.float64],
    signal: NDArray[np.float64],
    n: Any,
    slope: NDArray[np.float64],
) -> None:
    """Time derivatives of the five states, into `slope`."""
    testis = state[TESTIS]
    t, e = sex_steroids(testis, signal, n)
    # What suppresses the ovary takes over its feedback.
    sensed = e + n.testis_share * (1.0 - signal[1]) * signal[5] * testis
    brake = -n.e2_feedback * (sensed - 1.0) - n.t_feedback * (testis - 1.0)
    brake -= n.given_t_feedback_dl_per_ng * signal[2]
    agonist = signal[4]
    drive = np.exp(min(brake, np.log(n.max_lh_ratio)))
    drive *= state[PITUITARY] * (1.0 + n.flare * agonist)
    slope[LH] = (drive - state[LH]) / n.lh_tau_day
    made = signal[6] * state[LEYDIG] * max(state[LH], 0.0) ** n.leydig_exponent
    slope[TESTIS] = (made - testis) / n.leydig_tau_day
    kept = 1.0
    if n.atrophy_below_lh > 0.0:
        kept = min(1.0, state[LH] / n.atrophy_below_lh)
    slope[LEYDIG] = (1.0 - n.max_atrophy * (1.0 - kept) - state[LEYDIG]) / n.atrophy_tau_day
    emptied = (n.desensitised_rest - state[PITUITARY]) / n.desensitised_tau_day
    refilled = (1.0 - state[PITUITARY]) / n.resensitised_tau_day
    slope[PITUITARY] = agonist * emptied + (1.0 - agonist) * refilled
    # Without any estradiol the logarithm diverges; 1 % of the baseline counts as none.
    target = -n.shbg_t_exponent * np.log(max(t, 0.01)) + n.shbg_e2_exponent * np.log(max(e, 0.01))
    slope[SHBG] = (target - state[SHBG]) / n.shbg_tau_day


@kernel
def advance_axis(
    state: NDArray[np.float64],
    signals: NDArray[np.float64],
    first: int,
    n: Any,
    step_day: float,
    slope: NDArray[np.float64],
) -> None:
    """One Runge-Kutta step without a dose in it: `state` (5) is `step_day` later.

    `signals` (moments, 7) has the drugs' effects at rows `first` (now), `first` + 1 (half way) and
    `first` + 2 (the end of the step); see `sex_steroids`. `slope` (5, 5) is scratch.
    """
    trial = slope[4]
    for stage in range(4):
        offset = 0.0 if stage == 0 else (step_day if stage == 3 else 0.5 * step_day)
        for k in range(5):
            trial[k] = state[k] + (offset * slope[stage - 1, k] if stage > 0 else 0.0)
        rates(trial, signals[first + (stage + 1) // 2], n, slope[stage])
    for k in range(5):
        state[k] += step_day / 6.0 * (
            slope[0, k] + 2.0 * slope[1, k] + 2.0 * slope[2, k] + slope[3, k]
        )  # fmt: skip


@kernel
def simulate_axis(
    moment: NDArray[np.float64],
    at_sample: NDArray[np.int64],
    signals: NDArray[np.float64],
    n: Any,
    steroids: NDArray[np.float64],
    lh: NDArray[np.float64],
    shbg: NDArray[np.float64],
) -> None:
    """A course from the first of n moments on, where everything is at baseline.

    Args:
        moment: days at which a step ends, in order: all samples and all doses, (n,).
        at_sample: which moment each sample is, in order, (samples,).
        signals: effects of the drugs at the moments and half way between, (2 n - 1, 7).
        n: numbers of the person.

    Writes, a row per sample: `steroids` (testosterone, estradiol; ratios), `lh` and `shbg` (ratios).
    """
    state = np.ones(5)
    state[SHBG] = 0.0
    slope = np.zeros((5, 5))
    sample = 0
    for step in range(moment.size):
        if step > 0:
            step_day = moment[step] - moment[step - 1]
            advance_axis(state, signals, 2 * step - 2, n, step_day, slope)
        if sample < at_sample.size and at_sample[sample] == step:
            steroids[sample, 0], steroids[sample, 1] = sex_steroids(
                state[TESTIS], signals[2 * step], n
            )
            lh[sample] = state[LH]
            shbg[sample] = np.exp(state[SHBG])
            sample += 1
