"""Scans against what is conserved, and the truth between two days."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.instruments.imaging import (
    SCANNERS,
    Scanner,
    bone_mask,
    box_means,
    density_image,
    scanner_named,
    seen,
    truth_between,
)


def quiet(voxel_um: float, blur_um: float = 0.0) -> Scanner:
    return Scanner(
        voxel_um=voxel_um, blur_um=blur_um, noise_mg_per_cm3=0.0, threshold_mg_per_cm3=320.0
    )


@pytest.fixture
def density() -> NDArray[np.float32]:
    """Plates and rods, none of them symmetric, edges unlike."""
    z, y, x = np.indices((60, 66, 72))
    bone = (np.sin(z / 4.1 + 0.2) + np.cos(y / 5.3) * np.sin(x / 3.7) > 0.9).astype(np.uint8)
    return density_image(255 * bone, (200 + 50 * bone).astype(np.uint8), 1150.0, 0.0)


@pytest.mark.parametrize("voxel_um", [20.0, 30.0, 40.0, 60.0, 120.0])
@pytest.mark.parametrize("blur_um", [0.0, 65.0])
def test_a_coarse_scan_conserves_mineral(
    density: NDArray[np.float32], voxel_um: float, blur_um: float
) -> None:
    """Where the voxels fill the block, to rounding, blurred or not."""
    grey = seen(density, 20.0, quiet(voxel_um, blur_um), 1, 0)
    assert grey.shape == tuple(int(n * 20 / voxel_um) for n in (60, 66, 72))
    assert grey.mean(dtype=float) == pytest.approx(density.mean(dtype=float), rel=1e-5)


@pytest.mark.parametrize("name", ["hr_pqct_61", "hr_pqct_82"])
def test_a_scanner_conserves_mineral_where_it_looks(
    density: NDArray[np.float32], name: str
) -> None:
    """Voxels that do not fill the block: against the mean of what they cover, within 1 %."""
    scanner = SCANNERS[name]
    covered = seen(density, 20.0, quiet(scanner.voxel_um), 1, 0)
    grey = seen(density, 20.0, quiet(scanner.voxel_um, scanner.blur_um), 1, 0)
    assert grey.mean(dtype=float) == pytest.approx(covered.mean(dtype=float), rel=0.01)
    assert grey.mean(dtype=float) == pytest.approx(density.mean(dtype=float), rel=0.05)
    assert grey.std() < 0.8 * covered.std()


def test_box_means_are_those_of_a_plain_loop() -> None:
    """Parts of voxels count by their length; past the end lies the mirror image."""
    values = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0], np.float32)
    for step, count in ((1.0, 7), (2.0, 3), (1.7, 4), (3.035, 2), (0.6, 11), (2.6, 3)):
        fine = np.repeat(np.concatenate((values, values[::-1])), 1000)
        plain = [
            fine[round(k * step * 1000) : round((k + 1) * step * 1000)].mean() for k in range(count)
        ]
        np.testing.assert_allclose(box_means(values, step, count, 0), plain, rtol=1e-5)
        across = box_means(np.stack([values, 2 * values], axis=0), step, count, 1)
        np.testing.assert_allclose(across, [plain, 2 * np.array(plain)], rtol=1e-5)


def test_axes_stay_where_they_are() -> None:
    density = np.zeros((30, 40, 50), np.float32)
    density[:10, :10, 20:40] = 1000.0
    grey = seen(density, 20.0, quiet(200.0), 1, 0)
    expected = np.zeros((3, 4, 5), np.float32)
    expected[0, 0, 2:4] = 1000.0
    np.testing.assert_allclose(grey, expected, atol=1e-3)


def test_the_blur_has_the_given_width() -> None:
    density = np.zeros((61, 61, 61), np.float32)
    density[30, 30, 30] = 1e6
    grey = seen(density, 20.0, quiet(20.0, 65.0), 1, 0).astype(float)
    for axis in range(3):
        line = grey.sum(axis=tuple({0, 1, 2} - {axis}))
        place = (np.arange(61) - 30) * 20.0
        assert np.sqrt((line * place**2).sum() / line.sum()) == pytest.approx(65.0, rel=0.01)


def test_noise_has_its_sd_and_no_pattern() -> None:
    marrow = np.full((50, 50, 50), -18.0, np.float32)
    scanner = SCANNERS["micro_ct_20"]
    grey = seen(marrow, 20.0, scanner, 1, 200)
    n = grey.size
    assert grey.std() == pytest.approx(scanner.noise_mg_per_cm3, rel=4 / np.sqrt(2 * n))
    assert grey.mean() == pytest.approx(-18.0, abs=4 * scanner.noise_mg_per_cm3 / np.sqrt(n))
    noise = (grey + 18.0) / grey.std()
    for axis in range(3):
        near = (noise * np.roll(noise, 1, axis)).mean()
        assert abs(near) < 4.5 / np.sqrt(n)
    assert np.array_equal(grey, seen(marrow, 20.0, scanner, 1, 200))
    for other in (seen(marrow, 20.0, scanner, 1, 201), seen(marrow, 20.0, scanner, 2, 200)):
        assert abs(np.corrcoef(grey.ravel(), other.ravel())[0, 1]) < 4.5 / np.sqrt(n)


def test_density_of_a_voxel() -> None:
    quanta = np.array([[[0, 255, 51]]], np.uint8)
    mineral = np.array([[[0, 204, 255]]], np.uint8)
    found = density_image(quanta, mineral, 1150.0, -20.0)
    np.testing.assert_allclose(found, [[[-20.0, 920.0, 0.2 * 1150 - 0.8 * 20]]], rtol=1e-6)


def test_the_mask_is_at_the_threshold() -> None:
    grey = np.array([319.9, 320.0, 900.0], np.float32)
    assert bone_mask(grey, quiet(60.0)).tolist() == [0, 1, 1]


def test_truth_codes() -> None:
    earlier = np.array([0, 127, 128, 255, 128], np.uint8)
    later = np.array([127, 128, 128, 127, 0], np.uint8)
    assert truth_between(earlier, later).tolist() == [0, 2, 1, 3, 3]
    assert truth_between(earlier, later).dtype == np.uint8


def test_what_cannot_be_scanned() -> None:
    small = np.zeros((40, 40, 40), np.float32)
    with pytest.raises(InputError, match="allowed are micro_ct_20, hr_pqct_61, hr_pqct_82, qct"):
        scanner_named("mri")
    with pytest.raises(InputError, match=r"at most 266\.667 um"):
        seen(small, 20.0, SCANNERS["qct"], 1, 0)
    with pytest.raises(InputError, match="finer than half"):
        seen(small, 20.0, quiet(9.0), 1, 0)
