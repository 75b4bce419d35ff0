"""A cohort's blood: gated against the same equations through SciPy's adaptive solver."""

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.integrate import solve_ivp

from benchmarks.conftest import ratio_of_minima
from bonesim.endocrine.axis import AxisParameters
from bonesim.endocrine.blood import VariationParameters, cohort, simulate_blood
from bonesim.endocrine.formulary import DrugParameters
from bonesim.endocrine.protocol import ProtocolParameters

RX = ProtocolParameters.model_validate({
    "testosterone_cypionate": {"dose_mg": 100},
    "anastrozole": {"dose_mg": 0.5, "times_per_week": 2, "missed_share": 0.1},
})  # fmt: skip
DRUG, AXIS = DrugParameters(), AxisParameters()
#: The compiled axis must beat a general solver of one relaxation between doses by this much.
LEAST_RATIO = 2.0


def twenty_men() -> float:
    bloods = cohort(RX, DRUG, AXIS, VariationParameters(), 365, 1, 20)
    return sum(float(blood.e2_pg_per_ml[-1]) for blood in bloods)


def between_doses() -> None:
    """104 pieces of a year, each two linear equations: less than the axis has to do."""
    state = np.array([1.0, 1.0])
    for piece in range(104):
        solved = solve_ivp(
            lambda t, y: [(0.5 - y[0]) / 3, (y[0] ** 0.74 - y[1]) / 7],
            (3.5 * piece, 3.5 * piece + 3.5), state, rtol=1e-6, max_step=0.5,
        )  # fmt: skip
        state = solved.y[:, -1]


def test_cohort(benchmark: BenchmarkFixture) -> None:
    benchmark(twenty_men)


def test_one_man_is_faster_than_a_general_solver() -> None:
    assert (
        ratio_of_minima(lambda: simulate_blood(RX, DRUG, AXIS, 365, 1), between_doses) > LEAST_RATIO
    )
