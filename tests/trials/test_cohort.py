"""The participants: distributions, bounds, and independence of each person's values."""

import numpy as np
import pytest
from scipy import stats

from bonesim.config.config import validated
from bonesim.errors import InputError
from bonesim.trials.cohort import changes_of, cohort_of, drawn
from bonesim.trials.parameters import CohortParameters, Trait

MANY = 4000
OWN_E2 = {"path": "protocol.e2_pg_per_ml", "name": "own_e2", "distribution": "normal",
          "mean": 9.0, "sd": 4.0, "low": 2.0}  # fmt: skip
K = {"path": "hormones.response.half_maximum_pg_per_ml", "distribution": "lognormal", "cv": 0.3}
CELL = {"path": "specimen.cell_um", "distribution": "uniform", "low": 800.0, "high": 1200.0,
        "of": "bone"}  # fmt: skip
CLEARANCE = {"path": ["hormones.drugs.anastrozole.clearance_l_per_day",
                      "hormones.drugs.anastrozole.elimination_per_day"],
             "name": "clearance", "distribution": "lognormal", "cv": 0.3}  # fmt: skip
BASE = validated({"protocol": {"e2_pg_per_ml": 9.0}}, "test")


def cohort(
    *traits: dict[str, object], people: int = 9, bones: int = 4, seed: int = 3
) -> CohortParameters:
    return CohortParameters.model_validate(
        {"people": people, "bones": bones, "seed": seed, "trait": traits}
    )


def test_a_truncated_trait_has_the_truncated_distribution() -> None:
    values = drawn(Trait.model_validate(OWN_E2), 1, MANY)
    exact = stats.truncnorm((2 - 9) / 4, np.inf, loc=9, scale=4)
    assert values.min() >= 2.0
    assert stats.kstest(values, exact.cdf).pvalue > 1e-3
    assert stats.kstest(values, stats.norm(9, 4).cdf).pvalue < 1e-3  # the bound shows


def test_only_values_outside_are_drawn_again() -> None:
    free = drawn(Trait.model_validate({**OWN_E2, "low": None}), 1, 300)
    bounded = drawn(Trait.model_validate({**OWN_E2, "high": 14.0}), 1, 300)
    inside = (free >= 2.0) & (free <= 14.0)
    assert 100 < inside.sum() < 300
    assert (free[inside] == bounded[inside]).all()
    assert (free[~inside] != bounded[~inside]).all()


def test_factors_have_mean_one_and_their_cv() -> None:
    values = drawn(Trait.model_validate(K), 1, MANY)
    assert values.mean() == pytest.approx(1.0, abs=4.5 * 0.3 / np.sqrt(MANY))
    assert values.std() == pytest.approx(0.3, rel=0.06)
    uniform = drawn(Trait.model_validate(CELL), 1, MANY)
    assert stats.kstest(uniform, stats.uniform(800, 400).cdf).pvalue > 1e-3


def test_traits_are_independent_of_each_other() -> None:
    several = [drawn(Trait.model_validate(one), 1, MANY) for one in (OWN_E2, K, CLEARANCE)]
    between = np.corrcoef(several)[np.triu_indices(3, 1)]
    assert np.abs(between).max() < 4.5 / np.sqrt(MANY)


def test_more_people_or_traits_change_nobody() -> None:
    few = cohort_of(cohort(OWN_E2, CELL), BASE)
    more = cohort_of(cohort(K, CELL, OWN_E2, people=20), BASE)
    assert few["own_e2"].tolist() == more["own_e2"].tolist()[:9]
    assert few["specimen.cell_um"].tolist() == more["specimen.cell_um"].tolist()[:9]
    other = cohort_of(cohort(OWN_E2, CELL, seed=4), BASE)
    assert not set(few["own_e2"]) & set(other["own_e2"])


def test_who_shares_a_bone_shares_its_start_and_nothing_else() -> None:
    table = cohort_of(cohort(OWN_E2, CELL), BASE)
    assert table["bone"].tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0]
    assert table.groupby("bone")["specimen.cell_um"].nunique().tolist() == [1, 1, 1, 1]
    assert table["specimen.cell_um"].nunique() == 4
    assert table["own_e2"].nunique() == table["seed"].nunique() == 9
    changes = changes_of(cohort(OWN_E2, CELL), BASE)
    starts = [(one["specimen.seed"], one["schedule.burn_in_seed"]) for one in changes]
    assert starts[0] == starts[4] == starts[8]
    assert len(set(starts)) == 4
    assert len({one["seed"] for one in changes}) == 9
    assert [one["protocol.e2_pg_per_ml"] for one in changes] == table["own_e2"].tolist()
    assert cohort_of(cohort(bones=0), BASE)["bone"].nunique() == 9


def test_one_factor_acts_on_all_its_paths() -> None:
    drug = BASE.hormones.drugs.anastrozole
    changes = changes_of(cohort(CLEARANCE), BASE)
    factors = [one[CLEARANCE["path"][0]] / drug.clearance_l_per_day for one in changes]  # type: ignore[index]
    again = [one[CLEARANCE["path"][1]] / drug.elimination_per_day for one in changes]  # type: ignore[index]
    assert factors == pytest.approx(again)
    assert len(set(factors)) == 9


def test_a_factor_needs_something_to_act_on() -> None:
    trait = {**CELL, "distribution": "lognormal", "low": None, "high": None, "cv": 0.1}
    with pytest.raises(InputError, match=r"specimen.cell_um is no number in the base config"):
        cohort_of(cohort(trait), BASE)


@pytest.mark.parametrize(
    ("trait", "words"),
    [
        ({**OWN_E2, "unit": "mg"}, "is in pg/mL, not in mg"),
        ({**OWN_E2, "sd": None}, "lacks sd"),
        ({**OWN_E2, "cv": 0.3}, "leave out cv"),
        ({**OWN_E2, "high": 1.0}, "swap them"),
        ({**OWN_E2, "low": 60.0}, "widen them"),
        ({**K, "cv": None}, "lacks cv"),
        ({**CELL, "low": None}, "lacks low"),
        ({**OWN_E2, "name": "person"}, "rename it"),
    ],
)
def test_impossible_traits(trait: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cohort(trait)


def test_names_and_paths_are_given_once() -> None:
    with pytest.raises(ValueError, match="two traits have the name own_e2"):
        cohort(OWN_E2, {**K, "name": "own_e2"})
    with pytest.raises(ValueError, match="two traits have the path"):
        cohort(OWN_E2, {**OWN_E2, "name": "again"})


def test_a_share_of_a_mixture_has_its_value_and_the_others_a_factor() -> None:
    """Men who never recover from a GnRH agonist, and those who do, sooner or later."""
    path = "hormones.axis.resensitised_tau_day"
    trait = {"path": path, "distribution": "mixture", "share": 0.2, "value": 1e9, "cv": 0.8}
    people = changes_of(cohort(trait, people=MANY, bones=1), BASE)
    values = np.array([changes[path] for changes in people])
    never = values == 1e9
    assert never.mean() == pytest.approx(0.2, abs=4.5 * 0.4 / np.sqrt(MANY))
    assert values[~never].mean() == pytest.approx(30.0, rel=0.08)
    # Who is chosen has no other factors than the rest.
    plain = drawn(Trait.model_validate({**trait, "distribution": "lognormal", "share": None,
                                        "value": None}), 3 * 2**34, MANY)  # fmt: skip
    assert (values[~never] == 30.0 * plain[~never]).all()
    assert stats.ks_2samp(plain[never], plain[~never]).pvalue > 1e-3
    with pytest.raises(ValueError, match="lacks share, value"):
        Trait.model_validate({"path": path, "distribution": "mixture"})
