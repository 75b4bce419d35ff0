"""Densities: the operator of guide R1 to the letter, fat in the marrow, and stated precision."""

import numpy as np
import pytest

from bonesim.errors import InputError
from bonesim.instruments.density import DensityParameters, qct_vbmd, spine_abmd
from bonesim.instruments.reading import INSTRUMENTS, least_significant_change, noisy
from bonesim.instruments.visits import ClinicParameters

MINERAL = np.array([85.0, 84.0, 70.3, 61.2, 90.1])


@pytest.mark.parametrize("k", [0.40, 0.50, 0.70, 1.0])
def test_dxa_changes_by_k_times_mineral(k: float) -> None:
    abmd = spine_abmd(MINERAL, DensityParameters(k_dxa=k))
    assert abmd[0] == 1.121
    np.testing.assert_allclose(abmd / abmd[0] - 1, k * (MINERAL / 85.0 - 1), rtol=1e-12, atol=1e-15)


def test_the_arithmetic_of_the_targets() -> None:
    """-12.16 % of trabecular mineral is -6.08 % by DXA; 1.121 falls to 1.102 with -3.39 %."""
    abmd = spine_abmd(np.array([100.0, 87.84, 96.61]), DensityParameters())
    assert 100 * (abmd[1] / abmd[0] - 1) == pytest.approx(-6.08)
    assert abmd[2] == pytest.approx(1.102, abs=5e-5)


def test_qct_reads_low_and_overstates_a_loss() -> None:
    """By the formula, and of the size that dual energy finds: Sfeir 2018, a sixth and a quarter."""
    mineral, bvtv = np.array([85.0, 76.5]), np.array([0.077, 0.0693])
    p = DensityParameters()
    read = qct_vbmd(mineral, bvtv, p)
    np.testing.assert_allclose(
        read, [85.0 - 0.923 * 0.60 * 30.0, 76.5 - 0.9307 * 0.65 * 30.0], rtol=1e-12
    )
    assert 0.10 < 1 - read[0] / mineral[0] < 0.25
    assert 1.05 < (read[0] - read[1]) / (mineral[0] - mineral[1]) < 1.45
    lean = qct_vbmd(mineral, bvtv, DensityParameters(fat_share=0, fat_rise=0))
    assert lean.tolist() == mineral.tolist()


def test_fat_is_never_more_than_all_of_the_marrow() -> None:
    read = qct_vbmd(np.array([85.0, 0.0]), np.array([0.08, 0.0]), DensityParameters(fat_rise=5))
    assert read[1] == -30.0


@pytest.mark.parametrize("first", [0.0, np.nan])
def test_no_mineral_no_change(first: float) -> None:
    with pytest.raises(InputError, match="no bone mineral on the first day"):
        spine_abmd(np.array([first, 3.0]), DensityParameters())


def test_least_significant_change() -> None:
    assert least_significant_change(0.011) == pytest.approx(0.03047)
    assert least_significant_change(0.13, n=4) == pytest.approx(2.77 * 0.13 / 2)


@pytest.mark.parametrize("instrument", [name for name in INSTRUMENTS if name != "image"])
def test_repeated_readings_have_the_stated_precision(instrument: str) -> None:
    p = ClinicParameters()
    cv = {"ls_abmd": p.density.dxa_cv, "th_abmd": p.hip.dxa_cv, "qct_vbmd": p.density.qct_cv,
          "hr_pqct_vbmd": p.density.hr_pqct_cv}.get(instrument, p.markers.marker_cv)  # fmt: skip
    day, value = np.array([200]), np.array([1.1])
    reads = [noisy(value, day, cv, 3, instrument, repeat)[0] for repeat in range(4000)]
    assert np.std(reads) / np.mean(reads) == pytest.approx(cv, rel=0.05)
    assert np.mean(reads) == pytest.approx(1.1, rel=4 * cv / np.sqrt(4000))
    # Two visits differ by more than the least significant change in 5 % of pairs.
    differ = np.abs(np.subtract(reads[::2], reads[1::2])) / 1.1 > least_significant_change(cv)
    assert 0.03 < np.mean(differ) < 0.07


def test_instruments_seeds_and_days_have_their_own_noise() -> None:
    day, value = np.arange(2000), np.ones(2000)
    reads = [noisy(value, day, 0.1, 1, "ctx"), noisy(value, day, 0.1, 1, "p1np"),
             noisy(value, day, 0.1, 2, "ctx"), noisy(value, day, 0.1, 1, "ctx", 1)]  # fmt: skip
    between = np.corrcoef(reads)[np.triu_indices(4, 1)]
    assert np.abs(between).max() < 0.1
    assert np.array_equal(reads[0], noisy(value, day, 0.1, 1, "ctx"))
