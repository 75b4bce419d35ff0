"""A drug's way through the body: two stages with a closed form, which need no solver.

    dose -> [absorption, k1] -> [elimination or slow release, k2] -> gone
    concentration = F k2 a2 / CL          a2: amount in the second stage, CL: clearance

For an oral tablet the stages are gut and plasma. An injected ester, or a gel, is two depots; the
second releases into the plasma. The hormone itself has so short a half-life that its level follows
the release (CL is then its metabolic clearance). A patch and an implant release at a constant rate.
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel


@kernel
def after(
    first_mg: float,
    second_mg: float,
    release_mg_per_day: float,
    k1: float,
    k2: float,
    time_day: float,
) -> tuple[float, float]:
    """Amounts in both stages `time_day` later, exactly; `release` goes into the second stage.

    The closed form (Bateman), written so that equal rates k1 = k2 need no other case: returns
    (first_mg, second_mg).
    """
    gone1, gone2 = np.exp(-k1 * time_day), np.exp(-k2 * time_day)
    # From the slower of the two, so that nothing overflows.
    difference = abs(k1 - k2) * time_day
    passed = k1 * time_day * max(gone1, gone2)
    if difference > 1e-8:
        passed *= -np.expm1(-difference) / difference
    released = release_mg_per_day * (-np.expm1(-k2 * time_day)) / k2
    return first_mg * gone1, second_mg * gone2 + first_mg * passed + released


@kernel
def simulate_level(
    moment: NDArray[np.float64],
    dose_day: NDArray[np.float64],
    bolus_mg: NDArray[np.float64],
    release_mg_per_day: NDArray[np.float64],
    k1: float,
    k2: float,
    ng_per_ml_per_mg: float,
    level: NDArray[np.float64],
) -> None:
    """Fill `level` (ng/mL, 2 n - 1) at n moments (days, in order) and half way between them.

    Every dose must be at one of the moments, in order of time; it counts after its moment.
    """
    first, second, release = 0.0, 0.0, 0.0
    following = 0
    for step in range(moment.size - 1):
        while following < dose_day.size and dose_day[following] <= moment[step]:
            first += bolus_mg[following]
            release += release_mg_per_day[following]
            following += 1
        step_day = moment[step + 1] - moment[step]
        _, half = after(first, second, release, k1, k2, 0.5 * step_day)
        first, second = after(first, second, release, k1, k2, step_day)
        level[2 * step + 1] = half * ng_per_ml_per_mg
        level[2 * step + 2] = second * ng_per_ml_per_mg


@kernel
def inhibition(
    level: NDArray[np.float64], ic50: float, max_inhibition: float, hill: float
) -> NDArray[np.float64]:
    """Share of an enzyme that is inhibited at each of many levels (Hill), 0..max_inhibition.

    `level` (n) and `ic50` have one unit. Compiled, so that the bits are those of every machine.
    """
    share = np.zeros(level.size)
    for k in range(level.size):
        if level[k] > 0.0:
            ratio = (level[k] / ic50) ** hill
            share[k] = max_inhibition * ratio / (1.0 + ratio)
    return share


@kernel
def inactivated(
    day: NDArray[np.float64],
    level: NDArray[np.float64],
    turnover_per_day: float,
    rate_per_day_per_level: float,
) -> NDArray[np.float64]:
    """Share of an enzyme that a drug has inactivated for good, at each of `day` (n, in order).

    The enzyme is renewed: dE/dt = turnover (1 - E) - rate c E, exact for the mean level of a step.
    """
    share = np.zeros(day.size)
    left = 1.0
    for k in range(1, day.size):
        lost = turnover_per_day + rate_per_day_per_level * 0.5 * (level[k] + level[k - 1])
        steady = turnover_per_day / lost
        left = steady + (left - steady) * np.exp(-lost * (day[k] - day[k - 1]))
        share[k] = 1.0 - left
    return share
