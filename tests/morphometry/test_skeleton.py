"""Thinning keeps the topology and ends at curves and sheets; networks, plates and rods by count."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label
from skimage.measure import euler_number

from bonesim.morphometry.network import network_of
from bonesim.morphometry.plates_and_rods import plates_and_rods
from bonesim.morphometry.thinning import PERSISTENCE, local_parts, skeleton_of, thin
from tests.morphometry.phantoms import FACES, lattice, places, rod, sampled, slab, turned
from tests.morphometry.phantoms import parts_about as parts

blocks = arrays(np.bool_, st.tuples(*[st.integers(3, 7)] * 3))
ALL = np.ones((3, 3, 3))


def about(image: NDArray[np.bool_], at: tuple[int, ...]) -> NDArray[np.bool_]:
    return image[tuple(slice(n - 1, n + 2) for n in at)]


def plain_thin(image: NDArray[np.bool_], sheets: bool) -> NDArray[np.bool_]:
    """`thin` in the words of its docstring; `image` has a margin of marrow."""
    image = image.copy()
    voxels = [tuple(map(int, p)) for p in np.argwhere(image)]
    born: dict[tuple[int, ...], int] = {}
    kept: set[tuple[int, ...]] = set()
    layer, taken = 0, True
    while taken:
        layer, taken, border = layer + 1, False, []
        for at in voxels:
            if not image[at] or at in kept or about(image, at)[FACES].all():
                continue
            border.append(at)
            bone, marrow = parts(about(image, at))
            if bone >= 2 or (sheets and marrow >= 2):
                if layer - born.setdefault(at, layer) >= PERSISTENCE:
                    kept.add(at)
            else:
                born.pop(at, None)
        for field in itertools.product((0, 1), repeat=3):
            for at in border:
                mine = tuple(n % 2 for n in at) == field and at not in kept
                if mine and parts(about(image, at)) == (1, 1):
                    image[at] = False
                    taken = True
    for field in itertools.product((0, 1), repeat=3):
        for at in voxels:
            if not sheets and image[at] and tuple(n % 2 for n in at) == field:
                around = about(image, at)
                if around.sum() > 2 and parts(around) == (1, 1):
                    image[at] = False
    return image


@settings(max_examples=25, deadline=None)
@given(blocks, st.booleans())
def test_thinning_is_its_plain_twin(bone: NDArray[np.bool_], sheets: bool) -> None:
    image = np.pad(bone, 1).astype(np.uint8) * np.uint8(255)
    flat, (_, ny, nx) = image.ravel(), image.shape
    voxels = np.flatnonzero(flat)
    z, y, x = np.unravel_index(voxels, image.shape)
    field = 4 * (z & 1) + 2 * (y & 1) + (x & 1)
    order = np.argsort(field, kind="stable")
    fields = np.searchsorted(field[order], np.arange(9))
    thin(flat, voxels[order], fields, nx, ny * nx, sheets, PERSISTENCE)
    np.testing.assert_array_equal(image > 0, plain_thin(np.pad(bone, 1), sheets))
    left = np.flatnonzero(flat)
    counts = [np.zeros(left.size, np.uint8) for _ in range(3)]
    local_parts(flat, left, nx, ny * nx, *counts)
    for place, *found in zip(np.argwhere(image), *counts, strict=True):
        around = about(image > 0, tuple(place))
        assert tuple(found) == (*parts(around), around.sum() - 1)


@settings(max_examples=40, deadline=None)
@given(blocks, st.booleans())
def test_thinning_keeps_pieces_and_handles(bone: NDArray[np.bool_], sheets: bool) -> None:
    inside = np.pad(bone, 2)
    skeleton = skeleton_of(inside, sheets).image
    assert not (skeleton & ~inside).any()
    assert label(skeleton, ALL)[1] == label(inside, ALL)[1]
    assert euler_number(skeleton, connectivity=3) == euler_number(inside, connectivity=3)


@pytest.mark.parametrize("radius", [1.5, 2.0, 3.0, 4.5, 6.0])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_a_cut_rod_thins_to_a_line_from_face_to_face(radius: float, shift: float) -> None:
    bone = rod(places(30) + shift, radius) > 0
    curve = skeleton_of(bone, sheets=False)
    region = np.ones(bone.shape, bool)
    assert 30 <= len(curve.voxels) <= 31
    found = network_of(bone, region)
    assert (found.nodes, found.struts) == (0, 1)
    away = np.hypot(*(curve.voxels[:, 1:].T - 14.5 + shift))
    assert away.max() < 1.5


@pytest.mark.parametrize("radius", [2.0, 3.0, 4.5])
def test_a_grid_of_rods_is_counted_exactly(radius: float) -> None:
    """27 nodes, 108 struts (4 of each of 27 lines), no free end."""
    bone = lattice(places(72), (24.0, 24.0, 24.0), radius) > 0
    region = np.ones(bone.shape, bool)
    found = network_of(bone, region)
    assert (found.nodes, found.struts, found.free_ends) == (27, 108, 0)


def test_a_cut_strut_leaves_two_free_ends() -> None:
    """If its stumps are longer than thick; shorter ones are bumps."""
    bone = lattice(places(72), (24.0, 24.0, 24.0), 2.0) > 0
    region = np.ones(bone.shape, bool)
    bone[22:26, 30:42, 30:42] = False
    found = network_of(bone, region)
    assert (found.nodes, found.struts, found.free_ends) == (27, 109, 2)


def test_plates_are_plates_and_rods_are_rods() -> None:
    region = np.ones((48,) * 3, bool)
    for degree in (0.0, 30.0):
        at = turned(places(48), degree)
        plate = plates_and_rods(slab(at, 4.0) > 0, region)
        assert plate.plate_share > 0.97
        assert plate.plates == 1
        strut = plates_and_rods(rod(at, 5.0) > 0, region)
        assert (strut.plate_share, strut.plates, strut.rods) == (0.0, 0, 1)


@pytest.mark.parametrize(("aspect", "share"), [(1.4, 0.0), (3.0, 1.0)])
def test_a_ribbon_is_a_plate_if_twice_as_wide_as_thick(aspect: float, share: float) -> None:
    _, y, x = places(48)
    bone = np.maximum(abs(y) / (4.0 * aspect), abs(x) / 4.0) < 1.0
    assert plates_and_rods(bone, np.ones(bone.shape, bool)).plate_share == pytest.approx(
        share, abs=0.03
    )


def test_two_plates_joined_by_rods() -> None:
    """Plates 8 thick, 32 apart, 9 rods of radius 3: the share by volume, the number by count."""
    z, y, x = places(72)
    plate = np.abs(np.abs(z) - 20) < 4
    rods = (np.hypot((y + 12) % 24 - 12, (x + 12) % 24 - 12) < 3) & (np.abs(z) < 20)
    found = plates_and_rods(plate | rods, np.ones(plate.shape, bool))
    assert found.rods == 9
    assert found.plate_share == pytest.approx(plate.sum() / (plate | rods).sum(), abs=0.02)
    assert found.plates == 2


def sponge(seed: int, edge: int) -> NDArray[np.bool_]:
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(edge,) * 3), 4)
    return noise > 0.4 * noise.std()


def test_turned_and_mirrored_bone_has_the_same_parts() -> None:
    bone, region = sponge(2, 96), np.ones((96,) * 3, bool)
    one = plates_and_rods(bone, region)
    net = network_of(bone, region)
    for axes, flip in (((1, 2, 0), 0), ((2, 1, 0), 1), ((0, 1, 2), 2)):
        other = np.ascontiguousarray(np.flip(bone.transpose(axes), flip))
        assert plates_and_rods(other, region).plate_share == pytest.approx(
            one.plate_share, abs=0.03
        )
        again = network_of(other, region)
        # Which of two equal voxels stays depends on the subfields: counts differ by a few.
        assert again.nodes == pytest.approx(net.nodes, rel=0.12)
        assert again.struts == pytest.approx(net.struts, rel=0.12)


def test_half_filled_voxels_are_judged_at_half() -> None:
    bone = sampled(rod(places(24), 4.0)) >= 128
    assert network_of(bone, np.ones(bone.shape, bool)).struts == 1
