"""Drugs in the blood: half-lives, accumulation, routes; against what anyone can work out."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.endocrine.axis import SAMPLES_PER_DAY, AxisParameters
from bonesim.endocrine.blood import Blood, simulate_blood
from bonesim.endocrine.formulary import DrugParameters
from bonesim.endocrine.protocol import ProtocolParameters

DRUG = DrugParameters()


def simulated(until_day: float, **protocol: object) -> Blood:
    return simulate_blood(
        ProtocolParameters.model_validate(protocol), DRUG, AxisParameters(), until_day, 1
    )


def level(blood: Blood, drug: str) -> NDArray[np.float64]:
    return blood.drug_ng_per_ml[drug]


def test_anastrozole_accumulates_3_3_fold() -> None:
    """At 1 mg a day: the steady level over that of the first day is 1 / (1 - exp(-ke))."""
    blood = simulated(60, anastrozole={"dose_mg": 1.0})
    day = blood.day
    found = level(blood, "anastrozole")
    first = found[(day >= 0) & (day < 1)].mean()
    steady = found[(day >= 59) & (day < 60)].mean()
    assert found[(day >= 59)].mean() * 1000 / 293.4 == pytest.approx(92, rel=0.04)  # nM
    trough = found[np.isclose(day, 60)] / found[np.isclose(day, 1)]
    assert trough[0] == pytest.approx(1 / (1 - np.exp(-0.3554)), rel=1e-6)
    assert trough[0] == pytest.approx(3.3, abs=0.07)
    assert steady > 3 * first


@pytest.mark.parametrize(
    ("drug", "regimen", "half_life_day"),
    [
        ("anastrozole", {"dose_mg": 1.0}, 46.8 / 24),
        ("letrozole", {"dose_mg": 2.5}, np.log(2) / 0.22),
        ("tamoxifen", {"dose_mg": 20.0}, np.log(2) / 0.116),
        ("exemestane", {"dose_mg": 25.0}, 1.0),
        ("raloxifene", {"dose_mg": 60.0}, 32.5 / 24),
        ("testosterone_cypionate", {"dose_mg": 100.0}, np.log(2) / 0.10),
        ("testosterone_gel", {"dose_mg": 50.0}, np.log(2) / 1.2),
        ("estradiol_gel", {"dose_mg": 1.5}, 1.5),
        ("estradiol_patch", {"dose_ug_per_day": 50.0}, np.log(2) / 2.8),
        ("gnrh_agonist", {"dose_mg": 3.6, "stop_day": 1}, 4.2 / 24),
    ],
)
def test_half_lives_are_recovered_from_decay(
    drug: str, regimen: dict[str, float], half_life_day: float
) -> None:
    blood = simulated(120, **{drug: {"stop_day": 30, **regimen}})
    found = level(blood, drug)
    begin = np.searchsorted(blood.day, 33.0)
    last = min(int(begin + 6 * half_life_day * SAMPLES_PER_DAY), found.size - 1)
    slope = np.polyfit(blood.day[begin:last], np.log(found[begin:last]), 1)[0]
    assert np.log(2) / -slope == pytest.approx(half_life_day, rel=0.02)


def test_cypionate_gives_its_dose() -> None:
    """100 mg/week: 100 x .699 x .85 / 7 mg T a day over 1000 L/d is 849 ng/dL on the mean."""
    blood = simulated(140, t_ng_per_dl=300, testosterone_cypionate={"dose_mg": 100.0})
    last = blood.day > 133
    given = 100 * level(blood, "testosterone_cypionate")[last].mean()
    assert given == pytest.approx(100 * 0.594 / 7 / 1000 * 1e5, rel=0.01)
    peak_after = blood.day[last][np.argmax(blood.t_ng_per_dl[last])] % 7
    assert 1.5 <= peak_after <= 5  # days (label: 2-5)


def test_a_patch_holds_its_level_and_stops_when_taken_off() -> None:
    blood = simulated(30, sex="female", estradiol_patch={"dose_ug_per_day": 50.0, "stop_day": 20})
    added = 1000 * level(blood, "estradiol_patch")
    on = (blood.day > 5) & (blood.day < 20)
    np.testing.assert_allclose(added[on], 50e-3 / 1600 * 1e6, rtol=1e-6)
    assert added[-1] < 1e-3


def test_nothing_happens_without_a_drug() -> None:
    blood = simulated(3650, sex="female", age_year=60)
    np.testing.assert_allclose(blood.e2_pg_per_ml, 4.5, rtol=1e-3)
    np.testing.assert_allclose(blood.lh_iu_per_l, 30, rtol=1e-2)


def test_a_man_grows_old() -> None:
    blood = simulated(3652, sex="male", t_ng_per_dl=500)
    assert 480 < blood.t_ng_per_dl[-1] < 499
    assert blood.lh_iu_per_l[-1] > blood.lh_iu_per_l[0]
