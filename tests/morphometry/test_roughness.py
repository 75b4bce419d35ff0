"""R and Tb.Th after 40 um on bodies whose surface is known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.morphometry.panel import measure
from bonesim.morphometry.roughness import after_gaussian
from tests.morphometry.phantoms import ball, gyroid, places, sampled, slab, turned

UM = 20.0


def panel(quanta: NDArray[np.uint8], voxel_um: float = UM) -> dict[str, float]:
    return {name: one.value for name, one in measure(quanta, voxel_um, quick=True).items()}


@pytest.mark.parametrize("degree", [0.0, 30.0])
@pytest.mark.parametrize("half", [3.0, 5.2])
def test_a_flat_plate_is_smooth_and_keeps_its_thickness(half: float, degree: float) -> None:
    found = panel(sampled(slab(turned(places(60), degree), half)))
    assert found["roughness"] == pytest.approx(1.0, abs=0.005)
    assert found["tb_th_smooth_um"] == pytest.approx(found["tb_th_um"], abs=UM / 2)


def test_a_ball_and_a_gyroid_are_smooth() -> None:
    """Curved over many voxels: a Gaussian at equal volume leaves them as they are."""
    for body in (ball(places(60), 18.0), gyroid(places(72), 36.0)):
        assert panel(sampled(body))["roughness"] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("degree", [0.0, 20.0])
@pytest.mark.parametrize(("height_um", "wave_um"), [(10.0, 160.0), (20.0, 160.0), (20.0, 320.0)])
def test_waves_on_a_plate_give_the_area_that_they_add(
    height_um: float, wave_um: float, degree: float
) -> None:
    """A Gaussian of SD s takes waves of length L down to exp(-2 (pi s / L)^2) of their height.

    Area over flat area: mean of sqrt(1 + slope^2), slopes h k cos on one axis.
    """
    k = 2.0 * np.pi / wave_um
    z, _, x = turned(places(80), degree) * UM
    found = panel(sampled((240.0 + height_um * np.sin(k * x) - np.abs(z)) / UM))

    def area(height: float) -> float:
        phase = np.linspace(0.0, 2.0 * np.pi, 1000, endpoint=False)
        return float(np.sqrt(1.0 + (height * k * np.cos(phase)) ** 2).mean())

    left = height_um * math.exp(-2.0 * (math.pi * 40.0 / wave_um) ** 2)
    assert found["roughness"] == pytest.approx(area(height_um) / area(left), rel=0.012)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.7])
def test_the_volume_is_kept(share: float) -> None:
    """Of the counted voxels; also where fractions are faint."""
    rng = np.random.default_rng(5)
    noise = rng.random((40, 40, 40))
    quanta = np.where(noise < share, rng.integers(0, 256, noise.shape), 0).astype(np.uint8)
    counted = np.zeros(quanta.shape, bool)
    counted[3:, 2:-2, :-5] = True
    smooth = after_gaussian(quanta, UM, counted)
    before, after = (float(one[counted].sum()) for one in (quanta, smooth))
    assert after == pytest.approx(before, rel=2e-3)


@pytest.mark.parametrize("full", [0, 255])
def test_without_surface_there_is_no_roughness(full: int) -> None:
    quanta = np.full((12, 12, 12), full, np.uint8)
    every = np.ones(quanta.shape, bool)
    assert (after_gaussian(quanta, UM, every) == full).all()
    assert math.isnan(panel(quanta)["roughness"])
    assert math.isnan(panel(quanta)["tb_th_smooth_um"])


def test_r_is_of_lengths_not_of_voxels() -> None:
    """The same body in voxels of 20 and of 10 um."""

    def waves(edge: int, um: float) -> NDArray[np.uint8]:
        z, _, x = turned(places(edge), 20.0) * um
        return sampled((200.0 + 25.0 * np.sin(2.0 * np.pi * x / 200.0) - np.abs(z)) / um)

    coarse, fine = panel(waves(50, 20.0), 20.0), panel(waves(100, 10.0), 10.0)
    assert coarse["roughness"] > 1.04
    assert coarse["roughness"] - 1.0 == pytest.approx(fine["roughness"] - 1.0, rel=0.1)
