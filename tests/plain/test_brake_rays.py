"""Rays of the brake and what they add up to, against walks with points and (z, y, x) indices."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bonesim.cells.bmu_front import tangent
from bonesim.cells.brake import GRID, around, column, concentration, ray, section
from bonesim.lattice.tissue import Tissue

Make = Callable[..., Tissue]
SIDE = 13
OFF = np.array([0.01234, 0.00456, 0.00789])
normals = st.tuples(*[st.integers(-9, 9)] * 3).map(
    lambda v: (np.array(v) + OFF) / np.linalg.norm(np.array(v) + OFF)
)
seeds = st.integers(0, 10**6)


class Block:
    """A block of bone with marrow, grey voxels and open cavities, as plain arrays and as a tissue."""

    def __init__(self, make_tissue: Make, seed: int) -> None:
        rng = np.random.default_rng(seed)
        common = rng.choice([0.5, 0.8, 0.95])
        grey = rng.choice([0, 60, 127, 128, 200], (SIDE,) * 3)
        self.quanta = np.where(rng.random(grey.shape) < common, 255, grey)
        # Marrow on most sides, so that rays end: sheets, rods, knobs, and bone at cut faces.
        for axis in range(3):
            first, last = rng.integers(0, 5, 2)
            self.quanta[(slice(None),) * axis + ([*range(first), *range(SIDE - last, SIDE)],)] = 0
        self.open = (rng.random(grey.shape) < 0.3) & (self.quanta > 0)
        self.quanta[self.open & (rng.random(grey.shape) < 0.7)] = 0
        self.tissue = make_tissue(self.quanta)
        self.tissue.inner(self.tissue.lattice.owner)[self.open] = 3
        self.lattice = self.tissue.lattice
        self.start = rng.integers(2, SIDE - 2, 3)
        self.voxel = int(np.ravel_multi_index(tuple(self.start + 1), self.tissue.padded_shape))

    def at(self, place: np.ndarray) -> tuple[int, bool, bool] | None:
        """Quanta, open, and whether it is bone or was; None outside.

        So near to a face of a voxel the grid of the kernel decides on which side a place is.
        """
        exact = self.start + 0.5 + place
        assume(np.all(np.abs(exact - np.round(exact)) > 40 / GRID))
        index = tuple(np.floor(exact).astype(int))
        if not all(0 <= i < SIDE for i in index):
            return None
        quanta, is_open = int(self.quanta[index]), bool(self.open[index])
        return quanta, is_open, quanta >= 128 or is_open

    def ray(self, place: Any, way: Any, step: float, steps: int) -> tuple[float, float]:
        place, way = np.array(place), np.array(way)
        seen = [self.at(place + (k + 0.5) * step * way) for k in range(steps)]
        end = next((k for k, one in enumerate(seen) if one is None or not one[2]), steps)
        before = sum(255 if one[1] else one[0] for one in seen[:end] if one)
        left = sum(one[0] for one in seen[:end] if one)
        if end < steps and seen[end] is None:
            more = 255 * (steps - end)
        else:
            tail = int(np.ceil(1.0 / step - 1e-12))
            more = sum(one[0] for one in seen[end : end + tail] if one)
        return (before + more) * step / 255, (left + more) * step / 255

    def column(self, n: np.ndarray) -> tuple[float, float, float]:
        found = (d for d in np.arange(0.0, 3.0, 0.5) if (one := self.at(d * n)) is None or one[2])
        start = next(found, 3.0)
        up, upper = self.ray(start * n, -n, 0.5, 40)
        down, lower = self.ray(start * n, n, 0.5, 40)
        return start - up, start + down, max(upper + lower, 0.5)

    def around(self, n: np.ndarray, h: float, before: float) -> tuple[float, np.ndarray]:
        limit = min(2.0 * before, 20.0)
        steps = int(np.ceil(limit))
        angles = np.arange(8) * np.pi / 4
        bone = [self.ray(h * n, tangent(*n, a), limit / steps, steps)[0] for a in angles]
        # Of the second moments in the plane the axis is the eigenvector with the larger eigenvalue.
        ways = np.array([np.cos(angles), np.sin(angles)]).T
        values, vectors = np.linalg.eigh(np.einsum("i,ij,ik->jk", bone, ways, ways))
        a, b = np.array(tangent(*n, 0.0)), np.array(tangent(*n, np.pi / 2))
        across = vectors[:, 0] @ [a, b] if np.ptp(values) > 1e-6 else np.zeros(3)
        return 2.0 * np.mean(bone) / limit, across

    def section(self, heights: tuple[float, float, float], n: Any, way: Any) -> list[float]:
        top, floor, bottom = heights
        thick = bottom - top
        rows = int(np.ceil(thick))
        steps = max(int(np.ceil(2 * thick)), 24)
        sums = np.zeros(3)
        for h in top + (np.arange(rows) + 0.5) * thick / rows:
            sides = [self.ray(h * n, s * np.array(way), 2 * thick / steps, steps) for s in (1, -1)]
            before, left = np.sum(sides, axis=0)
            high, low = h - 0.5 * thick / rows, h + 0.5 * thick / rows
            share = np.clip(floor, high, low) - high
            sums += before * thick / rows, before * share, left * thick / rows
        return [sums[0], sums[1], max(sums[2], 0.5)]

    def concentration(self, n: np.ndarray) -> float:
        top, bottom, left = self.column(n)
        before = bottom - top
        if left >= before or before >= 20:
            return 1.0
        reach, way = self.around(n, (top + bottom) / 2, before)
        x = np.clip((reach - 1.0) / 0.5, 0, 1)
        sheet = 3 * x**2 - 2 * x**3
        whole, above, rest = self.section((top, bottom - left, bottom), n, way)
        q = np.clip((whole - rest) / max(above, 0.5), 0, 1)
        rod = max(whole / rest, 1.0) ** q
        return float((before / left) ** (0.35 * sheet) * rod ** (1 - sheet))


@settings(max_examples=100)
@given(seeds, normals, st.sampled_from([0.31, 0.5, 0.83, 1.0]), st.floats(-1, 1))
def test_a_ray(make_tissue: Make, seed: int, way: np.ndarray, step: float, h: float) -> None:
    block = Block(make_tissue, seed)
    place = tuple((h * np.array([0.3, 0.5, 0.7])).tolist())
    found = ray(block.lattice, block.voxel, place, tuple(way.tolist()), step, 14)
    assert found == pytest.approx(block.ray(place, way, step, 14), abs=1e-9)


@settings(max_examples=100)
@given(seeds, normals)
def test_a_column_and_what_is_around(make_tissue: Make, seed: int, n: np.ndarray) -> None:
    block = Block(make_tissue, seed)
    way = tuple(n.tolist())
    top, bottom, left = column(block.lattice, block.voxel, way)
    assert (top, bottom, left) == pytest.approx(block.column(n), abs=1e-9)
    h, before = 0.25 * min(bottom - top, 4.0), max(min(bottom - top, 12.0), 1.0)
    reach, across = around(block.lattice, block.voxel, way, h, before)
    plain_reach, plain_across = block.around(n, h, before)
    assert reach == pytest.approx(plain_reach, abs=1e-9)
    if np.any(plain_across):
        assert abs(np.dot(across, plain_across)) == pytest.approx(1.0, abs=1e-6)
    assert np.dot(across, n) == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=60)
@given(seeds, normals)
def test_a_section(make_tissue: Make, seed: int, n: np.ndarray) -> None:
    block = Block(make_tissue, seed)
    heights, way = (-0.8, 0.7, 1.6), tangent(*n, 0.9)
    found = section(block.lattice, block.voxel, heights, tuple(n.tolist()), way)
    assert found == pytest.approx(block.section(heights, n, way), abs=1e-9)


@settings(max_examples=100)
@given(seeds, normals)
def test_the_whole_law(make_tissue: Make, seed: int, n: np.ndarray) -> None:
    block = Block(make_tissue, seed)
    top, bottom, left = block.column(n)
    if left < bottom - top < 20:  # bone that reaches alike in all directions has no way across
        assume(np.any(block.around(n, (top + bottom) / 2, bottom - top)[1]))
    found = concentration(block.lattice, block.voxel, *n)
    assert found == pytest.approx(block.concentration(n), rel=1e-6)
