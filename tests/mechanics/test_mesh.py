"""Nodes, elements, runs and slabs against plain loops."""

from itertools import pairwise

import numpy as np
import pytest

from bonesim.mechanics import mesh as meshes
from bonesim.mechanics.element import CORNERS
from bonesim.mechanics.mesh import (
    find_runs,
    finest,
    first_run_of_layers,
    list_elements,
    number_nodes,
    sum_at_nodes,
)
from bonesim.mechanics.stiffness_product import LONGEST_RUN, width_of
from tests.mechanics.structures import DIAGONAL, FREE, SHAPES, assembled, clamped, random_weight


@pytest.mark.parametrize("shape", SHAPES)
def test_nodes_are_the_corners_of_bone_in_raster_order(shape: tuple[int, int, int]) -> None:
    weight = random_weight(shape, share=0.3)
    used = {
        (z + c, y + b, x + a)
        for z, y, x in np.argwhere(weight > 0)
        for c in (0, 1)
        for b in (0, 1)
        for a in (0, 1)
    }
    corner_of = np.empty([n + 1 for n in shape], np.int32)
    assert number_nodes(weight, corner_of) == len(used)
    expected = np.full(corner_of.shape, -1)
    for number, place in enumerate(sorted(used)):
        expected[place] = number
    np.testing.assert_array_equal(corner_of, expected)

    elements = np.argwhere(weight > 0)
    cells, corners = np.empty((len(elements), 3), np.int16), np.empty((len(elements), 8), np.int32)
    places = np.empty((len(used), 3), np.int16)
    list_elements(weight, corner_of, cells, corners, places)
    np.testing.assert_array_equal(cells, elements)
    np.testing.assert_array_equal(places, sorted(used))
    for cell, nodes in zip(cells, corners, strict=True):
        np.testing.assert_array_equal(places[nodes], cell + CORNERS[:, ::-1])


def plain_runs(corners: np.ndarray) -> list[list[int]]:
    """Elements of each run: row after row of nodes one after the other."""
    runs: list[list[int]] = []
    assert (corners[:, 1::2] == corners[:, 0::2] + 1).all()
    for e in range(len(corners)):
        goes_on = (
            runs
            and (corners[e, 0::2] == corners[e - 1, 1::2]).all()
            and len(runs[-1]) < LONGEST_RUN
        )
        if goes_on:
            runs[-1].append(e)
        else:
            runs.append([e])
    return runs


@pytest.mark.parametrize("shape", SHAPES)
def test_runs_hold_every_element_once_and_name_its_nodes(shape: tuple[int, int, int]) -> None:
    for share in (0.4, 0.7, 1.1):
        level = finest(random_weight(shape, 3, share), FREE, DIAGONAL)
        corners = level.corners
        base, first = np.empty((len(corners), 4), np.int32), np.empty(len(corners) + 1, np.int32)
        runs = find_runs(corners, base, first)
        expected = plain_runs(corners)
        assert runs == len(expected)
        assert [list(range(first[r], first[r + 1])) for r in range(runs)] == expected
        for run in range(runs):
            for k, e in enumerate(range(first[run], first[run + 1])):
                nodes = [base[run, a >> 1] + (a & 1) + k for a in range(8)]
                np.testing.assert_array_equal(nodes, corners[e])
        np.testing.assert_array_equal(level.mesh.base[:, 0], base[:runs, 0])


def test_a_long_row_is_cut() -> None:
    level = finest(np.ones((1, 1, 2 * LONGEST_RUN + 5), np.float32), FREE, DIAGONAL)
    np.testing.assert_array_equal(np.diff(level.mesh.first), [LONGEST_RUN, LONGEST_RUN, 5])


def test_weights_are_summed_at_nodes_and_give_the_diagonal() -> None:
    level = finest(random_weight((4, 5, 3)), FREE, DIAGONAL)
    total = np.zeros(len(level.places))
    sum_at_nodes(level.corners, level.mesh.weight, total)
    expected = np.zeros_like(total)
    for nodes, weight in zip(level.corners, level.mesh.weight, strict=True):
        for n in nodes:
            expected[n] += weight
    np.testing.assert_allclose(total, expected, rtol=1e-14)
    diagonal = np.diag(assembled(level)).reshape(3, -1)[:, : len(total)]
    for row in diagonal:
        np.testing.assert_allclose(level.mesh.inverse * row, 1.0, rtol=1e-6)


def test_first_runs_of_layers() -> None:
    weight = random_weight((9, 4, 6), share=0.3)
    weight[3:5] = weight[8] = 0.0
    level = finest(weight, FREE, DIAGONAL)
    first = level.mesh.first
    layer_of = [level.cells[e, 0] for e in first[:-1]]
    expected = [sum(1 for layer in layer_of if layer < z) for z in range(10)]
    np.testing.assert_array_equal(first_run_of_layers(first, level.cells, 9), expected)


def test_slabs_are_at_least_two_layers_thick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meshes, "SMALLEST_SHARED", 10)
    for shape in ((40, 3, 3), (9, 4, 6), (3, 5, 5), (2, 5, 5), (1, 5, 5)):
        level = finest(random_weight(shape, share=0.5), FREE, DIAGONAL)
        slabs = level.mesh.slabs
        assert slabs[0] == 0
        assert slabs[-1] == len(level.mesh.first) - 1
        assert (np.diff(slabs) >= 0).all()
        layers = [set(level.cells[level.mesh.first[a] : level.mesh.first[b], 0].tolist())
                  for a, b in pairwise(slabs)]  # fmt: skip
        for one, later in zip(layers[:-2], layers[2:], strict=True):
            if one and later:
                assert min(later) - max(one) > 1, "two slabs at work at once share nodes"


def test_slabs_at_work_at_once_write_to_nothing_in_common(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor in the rest of a run's last group of four, where they add 0."""
    monkeypatch.setattr(meshes, "SMALLEST_SHARED", 10)
    gaps = random_weight((30, 3, 5), share=0.4)
    gaps[5:9] = gaps[12:13] = gaps[20:27] = 0.0
    for weight in (gaps, random_weight((30, 3, 5), 2, 0.9)):
        level = finest(weight, FREE, DIAGONAL)
        mesh = level.mesh
        written = []
        for low, high in pairwise(mesh.slabs):
            mine: set[int] = set()
            for run in range(low, high):
                length = mesh.first[run + 1] - mesh.first[run]
                for node in mesh.base[run]:
                    mine.update(range(node, node + width_of(length)))
            written.append({n for n in mine if n < len(level.places)})
        for parity in (0, 1):
            seen: set[int] = set()
            for mine in written[parity::2]:
                assert not seen & mine
                seen |= mine


def test_what_is_held_lies_on_its_faces() -> None:
    weight = random_weight((3, 4, 5), share=1.1)
    for axis, end, component in np.ndindex(3, 2, 3):
        held = FREE.copy()
        held[axis, end, component] = True
        level = finest(weight, held, DIAGONAL)
        expected = {
            component * level.mesh.stride + n
            for n, place in enumerate(level.places)
            if place[axis] == (0, weight.shape[axis])[end]
        }
        assert set(level.mesh.fixed.tolist()) == expected
    assert finest(weight, clamped(), DIAGONAL).mesh.fixed.size == 6 * 30
