"""Elements of bone against plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bonesim.mechanics.bone import bridging, carrying, mean_mineral, share_of_bone

voxels = arrays(np.uint8, st.tuples(*[st.integers(1, 6)] * 3))


@settings(max_examples=40, deadline=None)
@given(voxels, st.integers(1, 4), st.integers(0, 99))
def test_bone_and_mineral_of_an_element(quanta: np.ndarray, n: int, seed: int) -> None:
    mineral = np.random.default_rng(seed).integers(0, 256, quanta.shape).astype(np.uint8)
    share, held = share_of_bone(quanta, n), mean_mineral(quanta, mineral, n)
    assert share.shape == held.shape == tuple(-(-size // n) for size in quanta.shape)
    for z, y, x in np.ndindex(share.shape):
        part = (slice(z * n, z * n + n), slice(y * n, y * n + n), slice(x * n, x * n + n))
        bone = quanta[part].astype(float)
        assert share[z, y, x] == pytest.approx(bone.mean() / 255)
        if bone.sum():
            mean = (bone * mineral[part]).sum() / (255 * bone.sum())
            # Mineral is rounded to a quantum in each voxel.
            assert held[z, y, x] == pytest.approx(mean, abs=0.51 * bone.size / bone.sum())
        else:
            assert held[z, y, x] == 0.0


def piece(solid: np.ndarray, start: tuple[int, ...]) -> set[tuple[int, ...]]:
    """What hangs together with a place, over faces, edges and corners."""
    found, pending = {start}, [start]
    while pending:
        here = pending.pop()
        for step in np.ndindex(3, 3, 3):
            there = tuple(h + s - 1 for h, s in zip(here, step, strict=True))
            inside = all(0 <= t < n for t, n in zip(there, solid.shape, strict=True))
            if inside and solid[there] and there not in found:
                found.add(there)
                pending.append(there)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_what_carries_and_what_bridges(seed: int) -> None:
    rng = np.random.default_rng(seed)
    share = (rng.random((6, 7, 5)) ** 3).astype(np.float32)
    solid = share >= 0.5
    kept, expected = carrying(share, 0.5), np.zeros_like(share)
    through = np.zeros((3, *share.shape), bool)
    for start in map(tuple, np.argwhere(solid).tolist()):
        low, high = ends(piece(solid, start), share.shape)
        if (low & high).any():
            expected[start] = share[start]
        through[(slice(None), *start)] = low & high
    np.testing.assert_array_equal(kept, expected)
    for axis in range(3):
        np.testing.assert_array_equal(bridging(kept, axis), through[axis])


def ends(places: set[tuple[int, ...]], shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Whether a piece is at the first and at the last layer along each axis."""
    mine = np.array(sorted(places))
    return (mine == 0).any(axis=0), (mine == np.array(shape) - 1).any(axis=0)


def test_a_chain_of_hinges_bridges_as_it_shares_nodes() -> None:
    share = np.zeros((4, 4, 4), np.float32)
    for k in range(4):
        share[k, k % 2, 0] = 1.0
    assert carrying(share, 0.5).any()
    np.testing.assert_array_equal(bridging(share, 0), share > 0)
    assert not bridging(share, 1).any()


def test_a_piece_that_floats_is_left_out_and_none_bridges_nothing() -> None:
    share = np.zeros((5, 5, 5), np.float32)
    assert not carrying(share, 0.5).any()
    assert not any(bridging(share, axis).any() for axis in range(3))
    share[2, 2, 2] = 1.0
    assert not carrying(share, 0.5).any()
    share[:, 0, 0] = 1.0
    assert carrying(share, 0.5).sum() == 5
    assert [bridging(share, axis).any() for axis in range(3)] == [True, False, False]
