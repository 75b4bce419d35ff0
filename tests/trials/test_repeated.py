"""The distribution of P over repeated trials against its theory."""

import numpy as np
import pytest
from scipy import stats

from bonesim.trials.outcomes import outcomes_of
from bonesim.trials.parameters import TrialParameters
from bonesim.trials.replicates import Repeats, repeated
from tests.trials.conftest import made_up, normal_quantiles, parameters

PEOPLE = 2000


def repeats(p: TrialParameters, difference: float, sd: float) -> Repeats:
    placebo = normal_quantiles(p.cohort.people, 0.8, sd).tolist()
    drug = normal_quantiles(p.cohort.people, 0.8 + difference, sd).tolist()
    return repeated(p, outcomes_of(made_up(placebo, drug), p), "ls_abmd")


@pytest.fixture(scope="module")
def burnett_bowie() -> dict[str, float]:
    """The true effect of the trial, its SD and its people, 4000 times."""
    p = parameters(cohort={"people": PEOPLE}, repeats=4000)
    return repeats(p, -2.46, 3.1).spread(1, 1)


def test_a_repeat_of_burnett_bowie_could_find_any_p(burnett_bowie: dict[str, float]) -> None:
    """guide A1 derives 2.5e-6 to 0.096; exactly, by the noncentral t distribution."""
    error = 3.1 * np.sqrt(1 / 36 + 1 / 33)
    t = stats.nct.ppf([0.95, 0.5, 0.05], 67, 2.46 / error)
    exact = 2 * stats.t.sf(t, 67)
    found = [burnett_bowie[name] for name in ("p_low", "p", "p_high")]
    np.testing.assert_allclose(np.log10(found), np.log10(exact), atol=0.2)
    assert found[0] == pytest.approx(2.5e-6, rel=1.0)
    assert found[2] == pytest.approx(0.096, rel=0.25)
    assert found[0] < 0.0014 < found[2]


def test_its_difference_has_the_standard_error(burnett_bowie: dict[str, float]) -> None:
    error = 3.1 * np.sqrt(1 / 36 + 1 / 33)
    assert burnett_bowie["n"] == 4000
    assert burnett_bowie["mean"] == pytest.approx(-2.46, abs=4.5 * error / np.sqrt(4000))
    assert burnett_bowie["sd"] == pytest.approx(error, rel=4.5 / np.sqrt(2 * 4000))
    low, high = stats.norm(-2.46, error).ppf([0.05, 0.95])
    assert [burnett_bowie["low"], burnett_bowie["high"]] == pytest.approx([low, high], abs=0.1)


def test_without_an_effect_p_is_uniform() -> None:
    p = parameters(cohort={"people": PEOPLE}, repeats=3000)
    found = repeats(p, 0.0, 3.1).p[1][:, 1]
    assert stats.kstest(found, "uniform").pvalue > 1e-3


def test_noise_of_two_readings_is_new_each_time() -> None:
    p = parameters(clinic={"density": {"dxa_cv": 0.011}}, repeats=3000)
    found = repeats(p, 0.0, 1e-9)
    noise = 1.1 * np.sqrt(2) * np.sqrt(1 / 36 + 1 / 33)
    assert found.difference[1][:, 1].std() == pytest.approx(noise, rel=0.08)
    assert np.unique(found.difference[1][:, 1]).size == 3000
    assert np.abs(found.difference[1][:, 0]).max() == 0.0  # a change since day 0, on day 0


def test_people_who_leave_widen_it() -> None:
    p = parameters(cohort={"people": PEOPLE, "dropout_per_year": 0.5}, repeats=3000)
    found = repeats(p, -2.46, 3.1).spread(1, 1)
    error = 3.1 * np.sqrt(1 / 18 + 1 / 16.5)
    assert found["sd"] == pytest.approx(error, rel=0.1)
    assert found["mean"] == pytest.approx(-2.46, abs=4.5 * error / np.sqrt(3000))


def test_a_repeat_is_a_function_of_the_cohorts_seed() -> None:
    one, again, other = (
        repeats(parameters(cohort={"people": 69, "seed": seed}, repeats=50), -2.0, 3.0).p[1][:, 1]
        for seed in (1, 1, 2)
    )
    assert one.tolist() == again.tolist()
    assert not set(one) & set(other)
