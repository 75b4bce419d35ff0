"""What laboratories report, and what is not bound."""

import numpy as np
import pytest

from bonesim.endocrine.assay import (
    ALBUMIN,
    ALBUMIN_TO_T,
    SHBG_TO_T,
    T_MASS,
    AssayParameters,
    bioavailable,
    immunoassay,
    mass_spectrometry,
)


def test_an_immunoassay_hides_how_deep_a_suppression_is() -> None:
    read = immunoassay(np.array([20.0, 7.0, 0.0]), AssayParameters())
    assert read.tolist() == [26.0, 13.0, 6.0]
    assert mass_spectrometry(np.array([20.0, 0.2]), AssayParameters()).tolist() == [20.0, 1.0]
    low = AssayParameters(cross_reacting_pg_per_ml=0, immunoassay_limit_pg_per_ml=5)
    assert immunoassay(np.array([2.0]), low).tolist() == [5.0]


@pytest.mark.parametrize(("t", "shbg"), [(500.0, 35.0), (20.0, 60.0), (1200.0, 15.0), (300.0, 0.0)])
def test_binding_obeys_the_law_of_mass_action(t: float, shbg: float) -> None:
    t_share, e2_share = bioavailable(t, shbg)
    total = t * 1e-8 / T_MASS
    free = float(t_share) * total / (1 + ALBUMIN_TO_T * ALBUMIN)
    bound = shbg * 1e-9 * SHBG_TO_T * free / (1 + SHBG_TO_T * free)
    assert free * (1 + ALBUMIN_TO_T * ALBUMIN) + bound == pytest.approx(total, rel=1e-9)
    assert 0 < t_share <= 1
    assert t_share <= e2_share <= 1


def test_shares_are_those_of_men() -> None:
    """Bioavailable testosterone of a usual man is 40-60 % of the total, estradiol 60-85 %."""
    t_share, e2_share = bioavailable(500.0, 35.0)
    assert 0.4 < t_share < 0.65
    assert 0.6 < e2_share < 0.85
