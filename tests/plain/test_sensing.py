"""How osteocytes sense load, cell by cell."""

import numpy as np
import pytest

from bonesim.cells.mechanosensing import StrainEnergy, adapt_setpoints, energy_at, smoothed, stimuli
from bonesim.chance import uniform
from tests.plain.conftest import Busy, alive

PER = 2
MINIMUM = 0.05


@pytest.fixture
def energy(busy: Busy) -> np.ndarray:
    """Made-up strain energy, some of it below what cells can sense, some where there is no bone."""
    shape = [-(-(n - 2) // PER) for n in busy.shape]
    values = [uniform(5, 0, k, 1) for k in range(int(np.prod(shape)))]
    found = np.array(values, np.float32).reshape(shape)
    return np.where(found < 0.2, 0, found).astype(np.float32)


def plain_energy(energy: np.ndarray, voxel: int, shape: tuple[int, ...]) -> float:
    place = np.array(np.unravel_index(voxel, shape)) - 1
    return max(float(energy[tuple(place // PER)]), MINIMUM)


def test_smoothing_is_the_mean_over_bone_next_to_an_element(energy: np.ndarray) -> None:
    found = smoothed(energy)
    for place in np.ndindex(energy.shape):
        around = [place] + [
            tuple(min(max(c + side * (k == axis), 0), n - 1)
                  for k, (c, n) in enumerate(zip(place, energy.shape, strict=True)))
            for axis in range(3) for side in (-1, 1)
        ]  # fmt: skip
        values = [float(energy[there]) for there in around if energy[there] > 0]
        expected = np.mean(values) if energy[place] > 0 else 0.0
        assert found[place] == pytest.approx(expected, rel=1e-5)


def test_each_cell_senses_relative_to_its_own_setpoint(busy: Busy, energy: np.ndarray) -> None:
    cells = busy.osteocytes
    cells.setpoint_mpa[:] = 0.3
    cells.setpoint_mpa[::5] = 0.0
    cells.setpoint_mpa[1::5] = 0.001
    strain = StrainEnergy(energy, MINIMUM, PER, busy.shape)
    found = stimuli(cells, strain, 0.5, 4.0)
    expected = np.ones(found.size)
    for row in alive(cells):
        if cells.viable[row] and cells.setpoint_mpa[row] > 0:
            here = plain_energy(energy, int(cells.voxel[row]), busy.shape)
            assert energy_at(strain, cells.voxel[row]) == pytest.approx(here)
            expected[row] = min(4.0, (here / float(cells.setpoint_mpa[row])) ** 0.5)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert (found == 4.0).any()
    assert found.min() < 1.0


@pytest.mark.parametrize("share", [1.0, 0.1])
def test_a_share_of_the_setpoints_drifts_to_the_sensed_strain(
    busy: Busy, energy: np.ndarray, share: float
) -> None:
    cells = busy.osteocytes
    cells.setpoint_mpa[:] = 0.3
    cells.setpoint_mpa[::5] = 0.0
    before = cells.setpoint_mpa.copy()
    adapt_setpoints(cells, StrainEnergy(energy, MINIMUM, PER, busy.shape), 0.25, share, 3, 7)
    expected = before.copy()
    living = [row for row in alive(cells) if cells.viable[row] and row % 7 == 3]
    for row in living:
        sensed = max(0.25 * plain_energy(energy, int(cells.voxel[row]), busy.shape), MINIMUM)
        old = float(before[row])
        expected[row] = sensed if old == 0 else old + share * (sensed - old)
    np.testing.assert_allclose(cells.setpoint_mpa, expected, rtol=1e-5)
    assert (cells.setpoint_mpa != before).sum() > 10
