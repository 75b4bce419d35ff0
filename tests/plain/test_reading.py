"""The noise of readings against one draw at a time."""

import numpy as np

from bonesim import chance
from bonesim.instruments.reading import REPEATS, identity_of, reading_noise, voxel_noise


def test_reading_noise_is_one_draw_a_day() -> None:
    days = np.array([0, 3, 400, 3], np.int64)
    entity = identity_of("ctx", 5)
    found = reading_noise(np.int64(9), days, entity)
    plain = [chance.normal(np.int64(9), day, np.uint64(4 * REPEATS + 5), 24) for day in days]
    assert found.tolist() == plain
    assert found[1] == found[3]
    assert len(set(found.tolist())) == 3


def test_voxel_noise_is_one_draw_a_voxel() -> None:
    image = np.linspace(-30, 1150, 37).astype(np.float32)
    noisy, plain = image.copy(), image.astype(float)
    voxel_noise(np.int64(2), np.int64(7), identity_of("image"), noisy, 60.0)
    for k in range(plain.size):
        entity = np.uint64(8 * REPEATS + k)
        plain[k] += 60.0 * chance.normal(np.int64(2), np.int64(7), entity, chance.READING)
    assert np.array_equal(noisy, plain.astype(np.float32))
    assert not np.array_equal(noisy, image)
