"""Effective strain and Pistoia's criterion."""

import numpy as np
import pytest

from bonesim.mechanics.strength import StrengthParameters, effective_strain, failure_factor

P = StrengthParameters()


def test_effective_strain_of_uniaxial_stress_is_its_strain() -> None:
    modulus = np.array([5.0, 10.0])
    strain = np.array([0.01, 0.02])
    np.testing.assert_allclose(effective_strain(0.5 * modulus * strain**2, modulus), strain)


def plain_factor(strain: np.ndarray, volume: np.ndarray, p: StrengthParameters) -> float:
    """The largest load at which no more than the critical volume lies beyond the strain."""
    allowed = 0.01 * p.critical_volume_percent * volume.sum()
    factors = [p.critical_strain / s for s in strain if s > 0]
    beyond = {f: volume[strain * f > p.critical_strain * (1 + 1e-12)].sum() for f in factors}
    return max(f for f, v in beyond.items() if v <= allowed * (1 + 1e-9))


@pytest.mark.parametrize("percent", [0.5, 2.0, 30.0])
def test_bone_fails_when_so_much_is_beyond(percent: float) -> None:
    p = StrengthParameters(critical_volume_percent=percent)
    rng = np.random.default_rng(1)
    for _ in range(20):
        strain, volume = rng.random(150), rng.uniform(0.3, 1.0, 150)
        assert failure_factor(strain, volume, p) == pytest.approx(plain_factor(strain, volume, p))


def test_twice_the_strain_is_half_the_load_and_none_is_no_number() -> None:
    strain, volume = np.random.default_rng(2).random(500), np.ones(500)
    assert failure_factor(2 * strain, volume, P) == 0.5 * failure_factor(strain, volume, P)
    assert failure_factor(np.full(9, 0.0035), np.ones(9), P) == pytest.approx(2.0)
    assert np.isnan(failure_factor(np.zeros(3), np.ones(3), P))
    assert np.isnan(failure_factor(np.zeros(0), np.zeros(0), P))
