"""The screened Poisson solver against what is known of it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bonesim.signals.diffusion import Diffusion, stiffness

CUBE = (1.0, 1.0, 1.0)
sources = arrays(
    np.float64,
    st.tuples(*[st.integers(1, 9)] * 3),
    elements=st.floats(0, 1e3, allow_subnormal=False),
)


def spread(source: np.ndarray, spacing: tuple[float, ...], reach: float) -> np.ndarray:
    return Diffusion(source.shape, spacing).spread(source, reach)


def laplacian(c: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Seven points, mirrored at the faces."""
    padded = np.pad(c, 1, mode="edge")
    middle = (slice(1, -1),) * 3
    total = np.zeros_like(c)
    for axis, h in enumerate(spacing):
        for step in (-1, 1):
            total += (np.roll(padded, step, axis)[middle] - c) / h**2
    return total


@settings(max_examples=60, deadline=None)
@given(sources, st.floats(0, 30), st.tuples(*[st.floats(0.5, 3)] * 3))
def test_the_discrete_equation_is_solved(
    source: np.ndarray, reach: float, spacing: tuple[float, float, float]
) -> None:
    c = spread(source, spacing, reach)
    left = c - reach**2 * laplacian(c, spacing)
    np.testing.assert_allclose(left, source, atol=1e-9 * (1 + reach**2) * (1 + source.max()))


@settings(max_examples=60, deadline=None)
@given(sources, st.floats(0, 30))
def test_what_is_released_decays_and_nothing_is_negative(source: np.ndarray, reach: float) -> None:
    c = spread(source, CUBE, reach)
    assert c.sum() == pytest.approx(source.sum(), rel=1e-10, abs=1e-9)
    assert (c >= 0).all()


def test_single_precision_and_sums_of_transforms() -> None:
    rng = np.random.default_rng(1)
    one, other = (rng.random((12, 10, 8)) for _ in range(2))
    grid = Diffusion((12, 10, 8), CUBE)
    c = grid.concentration(
        grid.transformed(one[..., None]) + 2 * grid.transformed(other[..., None]), (3.0,)
    )[..., 0]
    np.testing.assert_allclose(c, grid.spread(one, 3.0) + 2 * grid.spread(other, 3.0), rtol=1e-9)
    single = grid.spread(one.astype(np.float32), 3.0)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, grid.spread(one, 3.0), rtol=1e-5)


@given(st.integers(1, 40), st.floats(0.1, 10))
def test_the_eigenvalues_are_those_of_the_second_difference(n: int, h: float) -> None:
    matrix = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    matrix[0, 0] -= 1
    matrix[-1, -1] -= 1
    expected = np.linalg.eigvalsh(matrix / h**2)
    np.testing.assert_allclose(np.sort(stiffness(n, h)), expected, atol=1e-9 / h**2)


def test_second_order_on_a_smooth_solution() -> None:
    """c = cos cos cos with level ends, on boxes of unequal edges: the error falls as h^2."""
    edges, reach = np.array([1.0, 1.3, 0.8]), 0.21
    errors = []
    for n in (24, 48, 96):
        axes = [(np.arange(n) + 0.5) / n * e for e in edges]
        waves = [np.cos(k * np.pi * a / e) for k, a, e in zip((2, 1, 3), axes, edges, strict=True)]
        c = 2.0 + waves[0][:, None, None] * waves[1][:, None] * waves[2]
        curvature = sum((k * np.pi / e) ** 2 for k, e in zip((2, 1, 3), edges, strict=True))
        source = c + reach**2 * curvature * (c - 2.0)
        found = spread(source, tuple(edges / n), reach)
        errors.append(abs(found - c).max())
    for coarse, fine in pairwise(errors):
        assert np.log2(coarse / fine) == pytest.approx(2.0, abs=0.1)


def test_a_point_source_is_green_s_function() -> None:
    """exp(-r / L) / (4 pi L^2 r) with a reach of 6 cells: 3.5 % at 4 to 6 cells, 1.7 % at 6 to 10."""
    n, reach = 81, 6.0
    source = np.zeros((n, n, n))
    source[40, 40, 40] = 1.0
    c = spread(source, CUBE, reach)
    r = np.sqrt(((np.indices((n, n, n)) - 40) ** 2).sum(axis=0))
    with np.errstate(divide="ignore"):
        green = np.exp(-r / reach) / (4 * np.pi * reach**2 * r)
    off = abs(c / green - 1)
    assert off[(r >= 4) & (r < 6)].max() < 0.035
    assert off[(r >= 6) & (r <= 10)].max() < 0.017
