"""The kernels between cells and fields against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from bonesim.signals.diffusion import damp, stiffness
from bonesim.signals.fields import (
    Fields,
    between,
    occupancy_at,
    occupancy_between,
    occupancy_in,
    place_in,
    place_of,
    read_each,
    read_voxel,
)
from bonesim.signals.messengers import FINE, MESSENGERS, SPREAD, Shares, mix, relate

RNG = np.random.default_rng(5)
SHAPE = (10, 14, 20)


def fields_of(cubes: tuple[int, int, int]) -> Fields:
    """Random fields over a lattice of padded SHAPE."""
    level = [RNG.random(cubes, dtype=np.float32) for _ in range(7)]
    per_voxel = [n / (size - 2) for n, size in zip(cubes, SHAPE, strict=True)]
    return Fields(*level, *per_voxel, rankl_level=1.5, opg_level=0.8, load_level=1.1)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_damping_is_that_of_whole_arrays(kind: type[np.floating]) -> None:
    transformed = RNG.random((3, 4, 5, 2)).astype(kind)
    reach, along = (80.0, 0.0), [stiffness(n, 60.0) for n in (3, 4, 5)]
    stiff = along[0][:, None, None] + along[1][:, None] + along[2]
    expected = [transformed[..., n] / (1 + reach[n] ** 2 * stiff).astype(kind) for n in range(2)]
    damp(transformed, reach, *along)
    np.testing.assert_array_equal(transformed, np.stack(expected, axis=-1))


def test_mixing_is_that_of_whole_arrays() -> None:
    released = RNG.random((50, len(SPREAD)), dtype=np.float32)
    rankl, opg, sclerostin, stimulus, cells, dying, lining, eroded = released.T.copy()
    mix(released, Shares(0.7, 3.0, 0.3, 0.5, 0.5, 0.44))
    lined = lining * 0.44
    expected = {
        "rankl": 0.7 * (rankl / FINE + 3.0 * dying) + 0.3 * lined,
        "opg": 0.5 * (opg / FINE) + 0.5 * lined,
        "sclerostin": sclerostin / FINE, "coupling": eroded, "death": dying, "lining": lining,
        "stimulus": stimulus, "cells": cells,
    }  # fmt: skip
    for n, name in enumerate(SPREAD):
        np.testing.assert_array_equal(released[:, n], expected[name], err_msg=name)


def test_fields_are_relative_to_health() -> None:
    found = RNG.random((3, 4, 5, len(SPREAD)), dtype=np.float32)
    health = np.array([0.5, 2.0, 0.0, 1.0, 3.0, 0.25])
    related = np.empty((len(MESSENGERS), 3, 4, 5), np.float32)
    relate(related, found, health)
    for n, one in enumerate(health):
        expected = (found[..., n] / one).astype(np.float32) if one else np.ones((3, 4, 5))
        np.testing.assert_array_equal(related[n], expected)


@given(
    st.tuples(*[st.floats(0.5, n - 1.5) for n in SHAPE]),
    st.tuples(*[st.integers(1, 5)] * 3),
)
def test_between_cubes_a_field_is_linear(
    where: tuple[float, float, float], cubes: tuple[int, int, int]
) -> None:
    fields = fields_of(cubes)
    centres = [
        (p - 0.5) * n / (size - 2) - 0.5 for p, n, size in zip(where, cubes, SHAPE, strict=True)
    ]
    place = place_in(fields, cubes, *where)
    for field in fields[:7]:
        expected = map_coordinates(
            field.astype(float), np.array(centres).reshape(3, 1), order=1, mode="nearest"
        )
        assert between(field, place) == pytest.approx(float(expected[0]), abs=1e-6)


def test_a_voxel_is_its_coordinates() -> None:
    fields = fields_of((4, 5, 6))
    voxels = RNG.integers(0, np.prod(SHAPE), 40)
    values = np.empty(voxels.size)
    read_each(values, fields.opg, fields, voxels, SHAPE)
    for voxel, value in zip(voxels, values, strict=True):
        where = [float(c) for c in np.unravel_index(voxel, SHAPE)]
        place = place_of(fields, (4, 5, 6), voxel, SHAPE)
        assert place == place_in(fields, (4, 5, 6), *where)
        assert value == read_voxel(fields.opg, fields, voxel, SHAPE) == between(fields.opg, place)
        rankl = 1.5 * between(fields.rankl, place)
        expected = 3 * rankl / (rankl + 1 + 0.8 * between(fields.opg, place))
        assert occupancy_between(fields, place) == pytest.approx(expected, rel=1e-12)
        assert occupancy_between(fields, place) == occupancy_in(fields, voxel, SHAPE)
        assert occupancy_between(fields, place) == occupancy_at(fields, *where)
