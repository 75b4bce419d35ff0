"""Statistics against scipy's, on results that are made up."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bonesim.analysis.statistics import interval, paired, welch
from bonesim.errors import InputError
from bonesim.trials.compare import assigned, compared, stays_until
from bonesim.trials.outcomes import outcomes_of
from bonesim.trials.parameters import TrialParameters
from tests.trials.conftest import made_up, normal_quantiles, parameters

RNG = np.random.default_rng(5)
PLACEBO, DRUG = RNG.normal(0.8, 3, 69), RNG.normal(-1.7, 3, 69)


def rows(p: TrialParameters, results: pd.DataFrame) -> pd.DataFrame:
    estimates = compared(p, outcomes_of(results, p)).estimates
    return estimates.set_index(["estimate", "arm", "k_dxa"])


def test_pairs_and_groups_are_as_scipy_has_them() -> None:
    a, b = DRUG[:40], PLACEBO[:31]
    exact = stats.ttest_ind(a, b, equal_var=False)
    found = welch(a, b)
    assert found["p"] == pytest.approx(exact.pvalue, rel=1e-9)
    assert [found["low"], found["high"]] == pytest.approx(list(exact.confidence_interval()))
    twins = stats.ttest_rel(DRUG, PLACEBO)
    found = paired(DRUG, PLACEBO)
    assert found["p"] == pytest.approx(twins.pvalue, rel=1e-9)
    assert [found["low"], found["high"]] == pytest.approx(list(twins.confidence_interval()))
    assert found["median"] == np.median(DRUG - PLACEBO)


def test_what_is_not_there_is_left_out() -> None:
    found = interval(np.array([1.0, np.nan, 3.0, np.inf]))
    assert (found["n"], found["mean"], found["sd"]) == (2, 2.0, pytest.approx(np.sqrt(2)))
    assert interval(np.full(3, np.nan)) == {"n": 0}
    assert "p" not in welch(np.array([1.0]), np.array([2.0, 3.0]))
    assert "p" not in welch(np.ones(4), np.ones(4))


def test_a_group_that_hardly_varies_is_compared() -> None:
    """Levels without a trait hardly vary: SciPy warns of them, and warnings are errors here."""
    same = np.full(6, 319.0) + 1e-13 * np.arange(6)
    found = welch(np.array([460.0, 463.0, 466.0]), same)
    assert found["mean"] == pytest.approx(144.0)
    assert found["p"] == pytest.approx(
        stats.ttest_1samp([460.0, 463.0, 466.0], 319.0).pvalue, rel=1e-6
    )


@pytest.mark.parametrize("times", [250, pytest.param(1000, marks=pytest.mark.slow)])
def test_intervals_cover_the_truth_as_often_as_they_say(times: int) -> None:
    covered = np.zeros(3)
    for _ in range(times):
        a, b = RNG.normal(-1.7, 4, 12), RNG.normal(0.8, 2, 9)
        both = RNG.normal(1.0, 1.5, 12)
        for k, (found, truth) in enumerate(
            ((interval(a), -1.7), (welch(a, b), -2.5), (paired(a + both, a), 1.0))
        ):
            covered[k] += found["low"] <= truth <= found["high"]
    error = 4.5 * np.sqrt(0.95 * 0.05 / times)
    assert covered / times == pytest.approx([0.95] * 3, abs=error)


def test_twins_and_groups_of_a_trial() -> None:
    p = parameters()
    found = rows(p, made_up(PLACEBO.tolist(), DRUG.tolist()))
    twin = found.loc[("twin", "drug - placebo", 0.5)]
    assert twin["mean"] == pytest.approx((DRUG - PLACEBO).mean())
    assert twin["p"] == pytest.approx(stats.ttest_rel(DRUG, PLACEBO).pvalue)
    assert found.loc[("twin", "drug", 0.5), "median"] == pytest.approx(np.median(DRUG))
    arm = assigned(p, 69)
    exact = stats.ttest_ind(DRUG[arm == 1], PLACEBO[arm == 0], equal_var=False)
    group = found.loc[("independent", "drug - placebo", 0.5)]
    assert group["p"] == pytest.approx(exact.pvalue)
    assert found.loc[("independent", "drug", 0.5), "n"] == 36
    assert found.loc[("independent", "placebo", 0.5), "n"] == 33


def test_every_person_is_in_one_arm_at_most_by_chance() -> None:
    p = parameters()
    arm = assigned(p, 69)
    assert np.bincount(arm).tolist() == [33, 36]
    assert (arm == assigned(p, 69)).all()
    assert (arm != assigned(parameters(cohort={"people": 69, "seed": 2}), 69)).any()
    assert np.bincount(assigned(p, 100) + 1).tolist() == [31, 33, 36]
    assert np.bincount(assigned(p, 23)).tolist() == [11, 12]
    often = np.array(
        [assigned(parameters(cohort={"people": 69, "seed": s}), 69) for s in range(400)]
    )
    assert np.abs(often.mean(axis=0) - 36 / 69).max() < 4.5 * 0.5 / 20


def test_so_many_leave_within_a_year() -> None:
    p = parameters(cohort={"people": 4000, "dropout_per_year": 0.2})
    days = stays_until(p, 4000)
    for years in (0.5, 1.0, 3.0):
        gone, wanted = (days < 365.25 * years).mean(), 1 - 0.8**years
        assert gone == pytest.approx(wanted, abs=4.5 * np.sqrt(0.25 / 4000))
    assert np.isinf(stays_until(parameters(), 5)).all()


def test_who_left_is_read_no_more_but_has_a_twin() -> None:
    p = parameters(cohort={"people": 69, "dropout_per_year": 0.5})
    found = rows(p, made_up(PLACEBO.tolist(), DRUG.tolist()))
    stays = (stays_until(p, 69) >= 365).sum()
    assert 20 < stays < 50
    assert found.loc[("independent", "drug - placebo", 0.5), "n"] == stays
    assert found.loc[("twin", "drug - placebo", 0.5), "n"] == 69


def test_twins_without_a_treatment_do_not_differ() -> None:
    found = rows(parameters(), made_up(PLACEBO.tolist(), PLACEBO.tolist()))
    twin = found.loc[("twin", "drug - placebo", 0.5)]
    assert (twin["mean"], twin["low"], twin["high"], twin["p"]) == (0.0, 0.0, 0.0, 1.0)


def test_readings_have_the_noise_of_two_visits() -> None:
    n = 1200
    p = parameters(cohort={"people": n}, clinic={"density": {"dxa_cv": 0.011}}, repeats=10, arm=[
        {"name": "placebo", "reference": True, "people": n // 2},
        {"name": "drug", "people": n // 2}])  # fmt: skip
    found = rows(p, made_up([0.0] * n, [-2.0] * n))
    for arm, mean in (("placebo", 0.0), ("drug", -2.0)):
        one = found.loc[("independent", arm, 0.5)]
        assert one["sd"] == pytest.approx(1.1 * np.sqrt(2), rel=4.5 / np.sqrt(n))
        assert one["mean"] == pytest.approx(mean, abs=4.5 * one["sd"] / np.sqrt(n / 2))
        assert found.loc[("twin", arm, 0.5), "sd"] == pytest.approx(0.0, abs=1e-9)


def test_another_k_scales_what_dxa_sees() -> None:
    found = rows(parameters(), made_up(PLACEBO.tolist(), DRUG.tolist()))["mean"]
    for estimate in ("twin", "independent"):
        own = found[(estimate, "drug - placebo", 0.5)]
        for k in (0.4, 0.7, 1.0):
            assert found[(estimate, "drug - placebo", k)] == pytest.approx(own * k / 0.5)


def test_variances_are_compared() -> None:
    """TrialOutcomes with a large common part: twins cancel it, groups do not."""
    own = normal_quantiles(2000, 0.0, 3.0)
    small = normal_quantiles(2000, -2.0, 0.5)[RNG.permutation(2000)]
    p = parameters(cohort={"people": 2000}, repeats=4000)
    found = rows(p, made_up(own.tolist(), (own + small).tolist()))
    twin = found.loc[("twin", "drug - placebo", 0.5)]
    both = own.var(ddof=1) + (own + small).var(ddof=1)
    assert twin["variance_ratio_runs"] == pytest.approx(both / 0.25, rel=1e-6)
    trial = own.var() / 33 + (own + small).var() / 36
    assert twin["variance_ratio"] == pytest.approx(trial / (0.25 / 2000), rel=0.1)


def test_what_was_published_stands_beside() -> None:
    published = [
        {"arm": "difference", "quantity": "ls_abmd", "visit_day": 365, "value": -2.46, "low": -3.9,
         "high": -1.0, "p": 0.0014, "source": "made up"},
        {"arm": "drug", "quantity": "ls_abmd", "visit_day": 365, "value": -9.0, "low": -10.0,
         "high": -8.0, "statistic": "median", "source": "made up"},
    ]  # fmt: skip
    p = parameters(published=published)
    comparison = compared(p, outcomes_of(made_up(
        normal_quantiles(69, 0.8, 3.1).tolist(), normal_quantiles(69, -1.66, 3.1).tolist()), p))  # fmt: skip
    found = comparison.estimates.set_index(["estimate", "arm", "k_dxa"])
    assert found.loc[("twin", "drug - placebo", 0.5), "within"] is True
    assert found.loc[("twin", "drug", 0.5), "within"] is False
    assert found.loc[("repeated", "drug - placebo", 0.5), "p_covered"] is True
    assert pd.isna(found.loc[("twin", "drug - placebo", 1.0), "published"])
    drawn = comparison.curves[comparison.curves["source"] == "published"]
    assert drawn[["arm", "day", "mean"]].to_numpy().tolist() == [["drug", 365, -9.0]]


def test_half_a_person_does_not_count() -> None:
    results = made_up(PLACEBO.tolist(), DRUG.tolist())
    p = parameters()
    lost = results[~((results["person"] == 4) & (results["arm"] == "drug"))]
    outcomes = outcomes_of(lost, p)
    assert outcomes.person.tolist() == [n for n in range(69) if n != 4]
    assert outcomes.true["ls_abmd"].shape == (2, 68, 2)
    with pytest.raises(InputError, match="1 of 1 persons"):
        outcomes_of(results[results["person"] == 0], p)
    with pytest.raises(InputError, match="no results yet"):
        outcomes_of(pd.DataFrame(), p)
