"""Connectivity: exact on structures whose handles can be counted, additive over blocks."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import label
from skimage.measure import euler_number

from bonesim.lattice.sealed import sealed_marrow
from bonesim.morphometry.connectivity import connectivity, euler_of, fragments, purified

blocks = arrays(np.bool_, st.tuples(*[st.integers(2, 6)] * 3))


def lattice_of_rods(cells: int, pitch: int = 8) -> NDArray[np.bool_]:
    """A closed cubic grid of rods, `cells` a side, away from the faces."""
    edge = cells * pitch + 1
    bone = np.zeros((edge + 4,) * 3, bool)
    lines = 2 + pitch * np.arange(cells + 1)
    for a in lines:
        for b in lines:
            bone[a, b, 2 : 2 + edge] = bone[a, 2 : 2 + edge, b] = bone[2 : 2 + edge, a, b] = True
    return bone


def handles(cells: int) -> int:
    """Edges - nodes + 1 of the grid."""
    nodes = (cells + 1) ** 3
    edges = 3 * cells * (cells + 1) ** 2
    return edges - nodes + 1


@pytest.mark.parametrize("cells", [1, 2, 3])
def test_a_grid_of_rods_has_the_handles_of_its_graph(cells: int) -> None:
    assert connectivity(lattice_of_rods(cells)) == handles(cells)


def test_one_cut_strut_is_one_handle_less_and_a_hole_in_a_plate_one_more() -> None:
    grid = lattice_of_rods(2)
    grid[6, 2, 2] = False
    assert connectivity(grid) == handles(2) - 1
    box = np.zeros((12, 12, 12), bool)
    box[2:10, 2:10, 2:10] = True
    box[4:8, 4:8, 4:8] = False
    closed = connectivity(purified(box))
    box[5, 5, 2:4] = False
    box[5, 5, 8:10] = False
    assert connectivity(purified(box)) == closed + 1  # a tunnel through


def test_a_torus_has_one_handle() -> None:
    z, y, x = np.indices((16, 40, 40)) - np.array([8, 20, 20]).reshape(3, 1, 1, 1) + 0.5
    assert connectivity((np.hypot(y, x) - 12) ** 2 + z**2 < 25) == 1


@settings(max_examples=60, deadline=None)
@given(blocks)
def test_within_empty_space_nothing_is_corrected(bone: NDArray[np.bool_]) -> None:
    alone = np.pad(bone, 1)
    assert euler_of(alone) == euler_number(alone, connectivity=3)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.bool_, st.tuples(st.integers(4, 8), st.integers(3, 6), st.integers(3, 6))),
    st.data(),
)
def test_blocks_that_share_a_face_add_up(bone: NDArray[np.bool_], data: st.DataObject) -> None:
    """Odgaard and Gundersen's correction: the sum over blocks is the whole's."""
    cut = data.draw(st.integers(1, bone.shape[0] - 2))
    parts = euler_of(bone[: cut + 1]) + euler_of(bone[cut:])
    assert parts == pytest.approx(euler_of(bone), abs=1e-9)


def block_formula(bone: NDArray[np.bool_]) -> float:
    """Odgaard and Gundersen: X - faces/2 + edges/4 - corners/8, with scikit-image's numbers."""
    total = float(euler_number(bone, connectivity=3))
    sides = (0, -1)
    for axis in range(3):
        for side in sides:
            total -= float(euler_number(bone.take(side, axis=axis), connectivity=2)) / 2.0
    for axis in range(3):
        for a, b in itertools.product(sides, sides):
            line = np.moveaxis(bone, axis, 0)[:, a, b]
            runs = int(line[0]) + int(np.count_nonzero(line[1:] & ~line[:-1]))
            total += runs / 4.0
    return total - sum(int(bone[corner]) for corner in itertools.product(sides, repeat=3)) / 8.0


@settings(max_examples=60, deadline=None)
@given(blocks)
def test_the_sum_over_points_is_the_block_formula(bone: NDArray[np.bool_]) -> None:
    assert euler_of(bone) == pytest.approx(block_formula(bone), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(blocks, st.data())
def test_a_region_is_measured_as_if_cut_out(bone: NDArray[np.bool_], data: st.DataObject) -> None:
    cut = tuple(slice(data.draw(st.integers(0, n - 2)), n) for n in bone.shape)
    region = np.zeros(bone.shape, bool)
    region[cut] = True
    assert euler_of(bone, region) == euler_of(bone[cut])


@settings(max_examples=60, deadline=None)
@given(blocks)
def test_purified_is_one_piece_without_enclosed_marrow(bone: NDArray[np.bool_]) -> None:
    network = purified(bone)
    pieces, count = label(bone, np.ones((3, 3, 3)))
    assert fragments(bone) == max(count - 1, 0)
    if not bone.any():
        assert not network.any()
        return
    sizes = np.bincount(pieces.ravel())[1:]
    kept = network & bone
    assert sizes.max() <= kept.sum()
    assert label(network, np.ones((3, 3, 3)))[1] == 1
    largest = pieces == np.bincount(pieces[kept]).argmax()
    # A layer of marrow all round joins what reaches a face: the rest is sealed.
    marrow, _ = label(np.pad(~largest, 1, constant_values=True))
    sealed = (marrow[1:-1, 1:-1, 1:-1] != marrow[0, 0, 0]) & ~largest
    np.testing.assert_array_equal(network, largest | sealed)
    found, count = sealed_marrow(largest)
    np.testing.assert_array_equal(found, sealed)
    assert count == len(np.unique(marrow[1:-1, 1:-1, 1:-1][sealed]))
