"""The precursor pool against its differential equation, and blocks against plain indices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.cells.precursors import block_of, renew


@given(
    start=st.floats(0, 5),
    growth=st.floats(0, 1),
    capacity=st.floats(0.05, 5),
    loss=st.floats(0, 0.1),
)
def test_renewal_is_logistic_growth_then_loss(
    start: float, growth: float, capacity: float, loss: float
) -> None:
    """dN/dt = g N (1 - N/C) over a day, by 2000 midpoint steps; then exp(-loss)."""
    n, h = start, 1 / 2000
    for _ in range(2000):
        half = n + h / 2 * growth * n * (1 - n / capacity)
        n += h * growth * half * (1 - half / capacity)
    pool = np.array([start, start])
    renew(pool, growth, capacity, loss)
    assert pool == pytest.approx([n * np.exp(-loss)] * 2, rel=2e-3, abs=1e-9)


def test_without_use_or_loss_the_pool_comes_to_its_capacity() -> None:
    pool = np.array([0.01, 1.0, 3.0])
    for _ in range(3000):
        renew(pool, 0.01, 1.1, 0.0)
    assert pool == pytest.approx([1.1] * 3, rel=1e-6)


def test_an_empty_pool_stays_empty() -> None:
    pool = np.zeros(3)
    renew(pool, 0.5, 1.0, 0.0)
    assert not pool.any()


@given(
    st.tuples(*[st.integers(1, 12)] * 3),
    st.tuples(*[st.integers(1, 4)] * 3),
    st.floats(100, 900),
    st.data(),
)
def test_a_voxel_belongs_to_the_block_that_holds_its_centre(
    shape: tuple[int, int, int], blocks: tuple[int, int, int], block_um: float, data: st.DataObject
) -> None:
    """Blocks count from the first voxel; what is beyond the last block belongs to the last."""
    place = [data.draw(st.integers(0, n - 1)) for n in shape]
    padded = tuple(n + 2 for n in shape)
    voxel = int(np.ravel_multi_index([c + 1 for c in place], padded))
    expected = [
        min(int((c + 0.5) * 100.0 // block_um), last - 1)
        for c, last in zip(place, blocks, strict=True)
    ]
    near_an_edge = [abs((c + 0.5) * 100.0 / block_um % 1.0) for c in place]
    if min(near_an_edge) < 1e-9 or max(near_an_edge) > 1 - 1e-9:
        return
    found = block_of(voxel, np.array(padded), 100.0, block_um, blocks)
    assert found == np.ravel_multi_index(expected, blocks)
