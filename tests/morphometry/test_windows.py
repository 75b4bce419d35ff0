"""The window spectrum on plates with a hole, whose closing geometry states."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.morphometry.panel import PANEL, measure
from bonesim.morphometry.windows import RADII_UM, name_of, spectrum
from bonesim.units import FULL
from tests.morphometry.phantoms import places, turned

UM = 20.0


def plate(
    thick_um: float, hole_um: float, degree: float = 0.0, edge: int = 61
) -> NDArray[np.bool_]:
    """A plate through a block, with a round hole in its middle (none: 0)."""
    z, y, x = turned(places(edge), degree) * UM
    return np.asarray((np.abs(z) <= thick_um / 2.0) & (np.hypot(y, x) >= hole_um / 2.0))


def seen(bone: NDArray[np.bool_], voxel_um: float = UM) -> dict[int, float]:
    return spectrum(bone, voxel_um, np.ones(bone.shape, bool))


@pytest.mark.parametrize("degree", [0.0, 30.0])
@pytest.mark.parametrize("thick_um", [60.0, 100.0, 140.0, 260.0])
@pytest.mark.parametrize("hole_um", [0.0, 110.0, 200.0, 320.0])
def test_a_hole_shows_from_the_radius_on_that_closes_it(
    thick_um: float, hole_um: float, degree: float
) -> None:
    """t > 2r - sqrt(4r^2 - d^2); within half a voxel of the limit voxels decide."""
    found = seen(plate(thick_um, hole_um, degree))
    for radius in RADII_UM:
        passes = 2.0 * radius <= hole_um
        limit = math.inf if passes else 2.0 * radius - math.sqrt(4.0 * radius**2 - hole_um**2)
        clear = abs(thick_um - limit) > UM and abs(2.0 * radius - hole_um) > UM
        if hole_um == 0.0 or clear:
            assert found[radius] == float(hole_um > 0.0 and thick_um > limit), (radius, limit)


def test_every_hole_counts_once_wherever_it_is() -> None:
    """Four holes, one of them 100 um from a face of the block: the plate goes on beyond it."""
    z, y, x = np.indices((41, 90, 90)) * UM
    bone = np.abs(z - 400.0) <= 60.0
    for at in ((200.0, 200.0), (200.0, 1200.0), (900.0, 700.0), (1300.0, 1300.0)):
        bone &= np.hypot(y - at[0], x - at[1]) > 100.0
    assert seen(bone)[150] == 4.0
    assert seen(bone.transpose(1, 2, 0))[150] == 4.0


def test_a_tube_and_two_bones_that_come_close_are_no_windows() -> None:
    """A gap between plates that closes is no connection of the bone as it is."""
    z, y, x = np.indices((40, 40, 40)) * UM
    slabs = (np.abs(z - 200.0) <= 60.0) | (np.abs(z - 400.0) <= 60.0)
    joined = slabs | ((np.hypot(y - 400.0, x - 400.0) <= 60.0) & (z >= 200.0) & (z <= 400.0))
    assert all(abs(count) <= 1.0 for count in seen(joined).values())
    # Wider than the ball: it passes.
    assert seen(plate(260.0, 440.0))[200] == 0.0


def test_too_coarse_voxels_have_no_narrow_windows() -> None:
    found = seen(plate(140.0, 200.0), 40.0)
    assert math.isnan(found[60])
    assert not any(math.isnan(found[radius]) for radius in (100, 150, 200))


def test_the_panel_has_the_spectrum_per_volume_and_names_its_filter() -> None:
    quanta = plate(140.0, 200.0).astype(np.uint8) * np.uint8(FULL)
    found = measure(quanta, UM)
    volume = (56 * UM / 1000.0) ** 3
    assert found[name_of(150)].value == pytest.approx(1.0 / volume)
    assert found[name_of(60)].value == 0.0
    assert "150 um" in found["windows_under_300_um_per_mm3"].method
    assert found["windows_under_300_um_per_mm3"].unit == "1/mm3"
    assert "15 um" in PANEL["conn_d_per_mm3"][0]
    assert "raw" in PANEL["conn_d_unfiltered_per_mm3"][0]
    quick = measure(quanta, UM, quick=True)
    assert not any(name.startswith("windows") for name in quick)
