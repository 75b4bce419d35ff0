"""Measures depend neither on what is outside nor on where a block begins; numbers from reasoning."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.morphometry.domain import RIM_VOXEL, domain_of
from bonesim.morphometry.maps import thickness_maps
from bonesim.morphometry.panel import measure
from bonesim.morphometry.plates_and_rods import plates_and_rods
from tests.morphometry.phantoms import ball, lattice, places

Quanta = NDArray[np.uint8]


def quanta_of(bone: NDArray[np.bool_]) -> Quanta:
    return bone.astype(np.uint8) * np.uint8(255)


def arches(above: int, below: int, thick: int = 4) -> NDArray[np.bool_]:
    """A plate through the block with arches on both sides; each closes one loop."""
    bone = np.zeros((64, 60, 60), bool)
    bone[30 : 30 + thick] = True
    sites = list(product(range(6, 54, 16), range(6, 50, 24)))
    top = 30 + thick
    for count, high, beam in ((above, (top, top + 12), top + 9), (below, (18, 30), 18)):
        for y, x in sites[:count]:
            bone[slice(*high), y : y + 3, x : x + 3] = True
            bone[slice(*high), y : y + 3, x + 12 : x + 15] = True
            bone[beam : beam + 3, y : y + 3, x : x + 15] = True
    return bone


@pytest.mark.parametrize(("above", "below"), [(6, 5), (1, 6), (5, 0), (0, 0)])
@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize("notch", [False, True])
def test_marrow_that_a_plate_parts_is_not_filled(
    above: int, below: int, axes: tuple[int, ...], notch: bool
) -> None:
    """A plate through a block adds a connection to none (0 of the Euler number): loops + 1."""
    bone = arches(above, below)
    if notch:
        bone[:, :2, :2] = False  # within the rim: the sides of the marrow join there
    found = measure(quanta_of(np.ascontiguousarray(bone.transpose(axes))), 20.0, quick=True)
    cubes = np.prod([0.02 * (n - 2 * RIM_VOXEL - 1) for n in bone.shape])
    for name in ("conn_d_per_mm3", "conn_d_unfiltered_per_mm3"):
        assert found[name].value * cubes == pytest.approx(above + below + 1)


@pytest.mark.parametrize("thick", [4, 5])
@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 0)])
def test_plates_that_rods_join_are_plates(thick: int, axes: tuple[int, ...]) -> None:
    """As the unpurified bone, which has neither specks nor pores: two plates, four rods."""
    bone = np.zeros((44, 50, 50), bool)
    bone[12 : 12 + thick] = bone[28 : 28 + thick] = True
    for y, x in product((12, 36), repeat=2):
        bone[12:30, y : y + 4, x : x + 4] = True
    bone = np.ascontiguousarray(bone.transpose(axes))
    found = {name: one.value for name, one in measure(quanta_of(bone), 20.0).items()}
    parts = plates_and_rods(bone, domain_of(quanta_of(bone), None).region)
    assert parts.plate_share > 0.98
    assert found["plate_share_percent"] == pytest.approx(100 * parts.plate_share, abs=0.5)
    for name, count in (("plate_n_per_mm", 2), ("rod_n_per_mm", 4)):
        assert found[name] ** 3 * found["tv_mm3"] == pytest.approx(count)
    assert found["nodes_per_mm3"] > 0
    assert found["free_ends_per_mm3"] == 0


def core(shape: tuple[int, int, int], radius: float, axis: int, shift: float) -> NDArray[np.bool_]:
    """A cylinder along an axis, six slices off at both ends."""
    place = [
        np.arange(n).reshape([-1 if k == a else 1 for k in range(3)]) - (n - 1) / 2
        for a, n in enumerate(shape)
    ]
    across = [one for a, one in enumerate(place) if a != axis]
    inside = (across[0] - shift) ** 2 + across[1] ** 2 < radius**2
    return np.asarray(inside & (np.abs(place[axis]) < shape[axis] / 2 - 6))


def grid(pitch: int, offset: int) -> NDArray[np.bool_]:
    return np.asarray(lattice(places(80) + offset, (pitch, pitch, pitch), 3.2) > 0)


CORES = [(20, 0, 26.0, 0, 0.0), (20, 7, 30.0, 1, 2.5), (16, 3, 24.0, 2, 0.0)]


@pytest.mark.parametrize(("pitch", "offset", "radius", "axis", "shift"), CORES)
def test_a_core_is_measured_as_in_the_block(
    pitch: int, offset: int, radius: float, axis: int, shift: float
) -> None:
    """To the last bit the same in air, in bone, in noise, cropped; near to what all of it gives."""
    bone = grid(pitch, offset)
    region = core(bone.shape, radius, axis, shift)
    noise = np.random.default_rng(1).random(bone.shape) < 0.5
    whole = measure(quanta_of(bone), 20.0, region)
    box = domain_of(quanta_of(bone), region).box
    for outside in (False, noise) if axis else (True,):
        cut = quanta_of(np.where(region, bone, outside))
        for found in (
            measure(cut, 20.0, region),
            measure(cut[box].copy(), 20.0, region[box], quick=True),
        ):
            for name, one in found.items():
                if name != "block_bvtv_percent":
                    np.testing.assert_equal(one.value, whole[name].value, err_msg=name)
    truth = measure(quanta_of(bone), 20.0, np.ones(bone.shape, bool), quick=True)
    for name in ("tb_th_um", "tb_sp_um", "tb_n_per_mm"):
        assert whole[name].value == pytest.approx(truth[name].value, rel=0.03), name
    assert whole["free_ends_per_mm3"].value == 0.0
    assert whole["conn_d_per_mm3"].value > 0.0


@pytest.mark.parametrize("um", [20.0, 25.0, 30.0, 40.0])
@pytest.mark.parametrize(("gap_um", "thick"), [(300.0, 6), (160.0, 4)])
def test_gaps_are_as_wide_wherever_the_block_begins(um: float, gap_um: float, thick: int) -> None:
    gap = round(gap_um / um)
    found = []
    for shift in (0, 1, 2, thick, gap, gap + 1):
        at = (np.arange(5 * (gap + thick)) + shift) % (gap + thick) < thick
        bone = np.broadcast_to(at[:, None, None], (at.size, 24, 24))
        one = measure(quanta_of(bone), um, quick=True)
        found.append((one["tb_th_um"].value, one["tb_sp_um"].value))
    assert len(set(found)) == 1
    assert found[0][0] == pytest.approx(thick * um, abs=um / 2)
    assert found[0][1] == pytest.approx(gap * um, abs=um / 2)


def test_the_whole_block_and_the_measured_part_have_rows_of_their_own() -> None:
    quanta = np.zeros((20, 20, 20), np.uint8)
    quanta[:4] = 255
    found = measure(quanta, 20.0)
    assert found["bvtv_percent"].value == pytest.approx(100 * 2 / 16)
    assert found["block_bvtv_percent"].value == pytest.approx(20.0)
    region = np.zeros(quanta.shape, bool)
    region[:8] = True
    found = measure(quanta, 20.0, region)
    assert found["bvtv_percent"].value == pytest.approx(50.0)
    assert found["block_bvtv_percent"].value == pytest.approx(20.0)


def test_an_edge_is_continued_by_its_nearest_voxel() -> None:
    quanta = np.random.default_rng(2).integers(0, 256, (9, 10, 11)).astype(np.uint8)
    region = np.zeros(quanta.shape, bool)
    region[2:8, 3:9, 1:9] = ball(places(8)[:, 1:7, 1:7], 3.6) > 0
    domain = domain_of(quanta, region)
    offset = np.array([side.start for side in domain.box])
    held = np.argwhere(region)
    assert (held.min(axis=0) == offset).all()
    for place in np.ndindex(*domain.quanta.shape):
        square = ((held - offset - place) ** 2).sum(axis=1)
        near = {int(quanta[tuple(h)]) for h in held[square == square.min()]}
        assert int(domain.quanta[place]) in near


def test_maps_are_where_the_region_is_and_have_the_spheres_diameters() -> None:
    bone = np.zeros((30, 24, 24), bool)
    bone[5:10] = bone[20:25] = True
    region = np.zeros(bone.shape, bool)
    region[2:28, 3:20, 3:20] = True
    maps = thickness_maps(quanta_of(bone), 25.0, region)
    assert maps.tb_th_um.dtype == maps.tb_sp_um.dtype == np.float32
    assert (np.unique(maps.tb_th_um[bone & region]) == 5.5 * 25).all()
    assert (np.unique(maps.tb_sp_um[region][~bone[region]][maps.cut[region][~bone[region]] == 0])
            == 9.5 * 25).all()  # fmt: skip
    assert not maps.tb_th_um[~(bone & region)].any()
    assert not maps.tb_sp_um[bone | ~region].any()
    assert maps.cut[2:5, 3:20, 3:20].all()
    assert not maps.cut[12:18, 8:15, 8:15].any()
    with pytest.raises(InputError, match="must match"):
        thickness_maps(quanta_of(bone), 25.0, region[1:])


def test_progress_goes_from_nothing_to_all() -> None:
    seen: list[float] = []
    measure(quanta_of(grid(20, 0)[:40, :40, :40]), 20.0, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[0] > 0
    assert seen[-1] == 1.0
    assert len(seen) > 50
