"""Strain on the floor of a cavity, as rays see it, against finite elements."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from bonesim.cells.brake import concentration
from tests.mechanics.weakened import (
    CAP_UM,
    RODS,
    STRIPS,
    TRENCHES,
    Shape,
    dug,
    floor_strain,
    strains,
)  # fmt: skip

UPRIGHT = np.eye(3)
#: Strain of the floor over that of intact bone, load along the cavity and across it;
#: `python -m tests.mechanics.weakened` writes this table.
RECORDED: dict[tuple[object, ...], tuple[float, ...]] = {
    ("sheet", 120.0, 60.0, 200.0, 500.0, 2000.0): (1.16, 1.60),
    ("sheet", 120.0, 30.0, 200.0, 500.0, 2000.0): (1.29, 2.05),
    ("sheet", 120.0, 10.0, 200.0, 500.0, 2000.0): (1.50, 3.21),
    ("sheet", 120.0, 60.0, 200.0, 200.0, 2000.0): (1.32, 1.32),
    ("sheet", 120.0, 30.0, 200.0, 200.0, 2000.0): (1.58, 1.58),
    ("sheet", 120.0, 10.0, 200.0, 200.0, 2000.0): (2.12, 2.12),
    ("sheet", 120.0, 60.0, 200.0, 800.0, 2000.0): (1.11, 1.78),
    ("sheet", 120.0, 30.0, 200.0, 800.0, 2000.0): (1.19, 2.37),
    ("sheet", 120.0, 10.0, 200.0, 800.0, 2000.0): (1.30, 4.02),
    ("sheet", 80.0, 40.0, 200.0, 500.0, 2000.0): (1.16, 1.63),
    ("sheet", 80.0, 20.0, 200.0, 500.0, 2000.0): (1.30, 2.10),
    ("sheet", 80.0, 10.0, 200.0, 500.0, 2000.0): (1.45, 2.81),
    ("sheet", 80.0, 40.0, 200.0, 200.0, 2000.0): (1.35, 1.35),
    ("sheet", 80.0, 20.0, 200.0, 200.0, 2000.0): (1.63, 1.63),
    ("sheet", 80.0, 10.0, 200.0, 200.0, 2000.0): (1.98, 1.98),
    ("sheet", 80.0, 40.0, 200.0, 800.0, 2000.0): (1.11, 1.81),
    ("sheet", 80.0, 20.0, 200.0, 800.0, 2000.0): (1.19, 2.41),
    ("sheet", 80.0, 10.0, 200.0, 800.0, 2000.0): (1.27, 3.37),
    ("sheet", 200.0, 100.0, 200.0, 500.0, 2000.0): (1.15, 1.55),
    ("sheet", 200.0, 50.0, 200.0, 500.0, 2000.0): (1.27, 1.96),
    ("sheet", 200.0, 20.0, 200.0, 500.0, 2000.0): (1.44, 2.79),
    ("sheet", 200.0, 100.0, 200.0, 200.0, 2000.0): (1.27, 1.27),
    ("sheet", 200.0, 50.0, 200.0, 200.0, 2000.0): (1.50, 1.50),
    ("sheet", 200.0, 20.0, 200.0, 200.0, 2000.0): (1.89, 1.89),
    ("sheet", 200.0, 100.0, 200.0, 800.0, 2000.0): (1.10, 1.73),
    ("sheet", 200.0, 50.0, 200.0, 800.0, 2000.0): (1.18, 2.29),
    ("sheet", 200.0, 20.0, 200.0, 800.0, 2000.0): (1.28, 3.48),
    ("strip", 120.0, 60.0, 200.0, 500.0, 300.0): (1.34,),
    ("strip", 120.0, 30.0, 200.0, 500.0, 300.0): (1.65,),
    ("strip", 120.0, 10.0, 200.0, 500.0, 300.0): (2.40,),
    ("strip", 120.0, 60.0, 200.0, 500.0, 600.0): (1.20,),
    ("strip", 120.0, 30.0, 200.0, 500.0, 600.0): (1.40,),
    ("strip", 120.0, 10.0, 200.0, 500.0, 600.0): (1.81,),
    ("rod", 120.0, 60.0, 60.0, 500.0, 2000.0): (1.22,),
    ("rod", 120.0, 30.0, 60.0, 500.0, 2000.0): (1.45,),
    ("rod", 120.0, 60.0, 60.0, 200.0, 2000.0): (1.15,),
    ("rod", 120.0, 30.0, 60.0, 200.0, 2000.0): (1.28,),
    ("rod", 120.0, 60.0, 10000.0, 500.0, 2000.0): (1.95,),
    ("rod", 120.0, 30.0, 10000.0, 500.0, 2000.0): (4.89,),
    ("rod", 120.0, 60.0, 10000.0, 200.0, 2000.0): (2.22,),
    ("rod", 120.0, 30.0, 10000.0, 200.0, 2000.0): (5.03,),
    ("rod", 80.0, 40.0, 40.0, 500.0, 2000.0): (1.23,),
    ("rod", 80.0, 20.0, 40.0, 500.0, 2000.0): (1.41,),
    ("rod", 80.0, 40.0, 40.0, 200.0, 2000.0): (1.14,),
    ("rod", 80.0, 20.0, 40.0, 200.0, 2000.0): (1.20,),
    ("rod", 80.0, 40.0, 10000.0, 500.0, 2000.0): (1.98,),
    ("rod", 80.0, 20.0, 10000.0, 500.0, 2000.0): (5.13,),
    ("rod", 80.0, 40.0, 10000.0, 200.0, 2000.0): (2.26,),
    ("rod", 80.0, 20.0, 10000.0, 200.0, 2000.0): (5.45,),
    ("rod", 200.0, 100.0, 120.0, 500.0, 2000.0): (1.33,),
    ("rod", 200.0, 50.0, 120.0, 500.0, 2000.0): (1.69,),
    ("rod", 200.0, 100.0, 120.0, 200.0, 2000.0): (1.32,),
    ("rod", 200.0, 50.0, 120.0, 200.0, 2000.0): (1.52,),
    ("rod", 200.0, 100.0, 10000.0, 500.0, 2000.0): (1.95,),
    ("rod", 200.0, 50.0, 10000.0, 500.0, 2000.0): (4.91,),
    ("rod", 200.0, 100.0, 10000.0, 200.0, 2000.0): (2.22,),
    ("rod", 200.0, 50.0, 10000.0, 200.0, 2000.0): (5.13,),
}
#: Second edition of the mechanism, section 3: sheet of 120 um, trench of 500 x 200 um, along and across.
PUBLISHED = {60.0: (1.16, 1.55), 30.0: (1.28, 2.01), 10.0: (1.47, 3.25)}
#: Along no axis or diagonal of the lattice, and not on its middle.
TILTED = Rotation.from_euler("zyx", [33.0, 21.0, 47.0], degrees=True).as_matrix()
OFF_UM = (3.0, 8.0, -6.0)
#: The shapes asked for: largest relative error of c.
ASKED = {shape: 0.15 for shape in TRENCHES if shape.long == 500.0}
ASKED |= {rod: 0.2 for rod in RODS if rod.thickness > 80.0}
#: What the law leaves out: other lengths of trenches, strips; rods of four voxels.
OTHERS = {shape: 0.2 for shape in TRENCHES if shape.long != 500.0}
OTHERS |= dict.fromkeys(STRIPS, 0.35) | {rod: 0.25 for rod in RODS if rod.thickness == 80.0}
SLOT, CAP = Shape("rod", 120.0, 30.0, 60.0), Shape("rod", 120.0, 30.0, CAP_UM)
SHEET = Shape("sheet", 120.0, 30.0)


def error(shape: Shape, *pose: object) -> float:
    """Relative error of c against the mean of the recorded strains."""
    tissue, voxel, n = dug(shape, *pose)  # type: ignore[arg-type]
    return float(concentration(tissue.lattice, voxel, *n) / np.mean(RECORDED[shape]) - 1.0)


@pytest.mark.parametrize("shape", ASKED)
@pytest.mark.parametrize("pose", [(UPRIGHT,), (TILTED, OFF_UM)], ids=["axial", "tilted"])
def test_the_law_against_elements(shape: Shape, pose: tuple[object, ...]) -> None:
    assert abs(error(shape, *pose)) < ASKED[shape]


@pytest.mark.parametrize(
    "shape",
    [pytest.param(s, marks=[pytest.mark.slow] if s.kind == "sheet" else []) for s in OTHERS],
)
def test_what_the_law_leaves_out_is_bounded(shape: Shape) -> None:
    assert abs(error(shape, UPRIGHT)) < OTHERS[shape]


def test_a_normal_that_is_tilted_against_the_sheet_sees_a_sheet() -> None:
    tissue, voxel, n = dug(SHEET, UPRIGHT)
    upright = concentration(tissue.lattice, voxel, *n)
    tilted = np.array(n) + np.tan(np.radians(25.0)) * np.array([0.0, 0.6, 0.8])
    found = concentration(tissue.lattice, voxel, *tilted / np.linalg.norm(tilted))
    assert found == pytest.approx(upright, rel=0.1)


@pytest.mark.parametrize("shape", [SHEET, SLOT, CAP])
def test_one_voxel_does_not_flip_it(shape: Shape) -> None:
    """A voxel turns to cavity, marrow or bone, anywhere but in the column of the floor's centre."""
    tissue, voxel, n = dug(shape, UPRIGHT)
    lattice = tissue.lattice
    start = concentration(lattice, voxel, *n)
    changed = []
    for offset in np.ndindex(9, 5, 5):
        dz, dy, dx = np.array(offset) - (7, 2, 2)
        one = voxel + int(dz) * lattice.stride_z + int(dy) * lattice.stride_y + int(dx)
        quanta, owner = lattice.quanta[one], lattice.owner[one]
        if (dy, dx) == (0, 0) or (owner < 0 and quanta == 0):
            continue
        for turned in [(127, 0), (127, -1)] if quanta >= 128 else [(128, 0), (128, -1)]:
            lattice.quanta[one], lattice.owner[one] = turned
            changed.append(concentration(lattice, voxel, *n) / start - 1.0)
        lattice.quanta[one], lattice.owner[one] = quanta, owner
    assert len(changed) > 100
    assert np.abs(changed).max() < 0.15
    # A sheet looks at its neighbourhood only to see that it is one.
    assert np.any(changed) == (shape.kind == "rod")


def test_it_grows_smoothly_as_the_floor_goes() -> None:
    for shape in (Shape("sheet", 120.0, 60.0), Shape("rod", 120.0, 60.0, CAP_UM)):
        tissue, voxel, n = dug(shape, UPRIGHT)
        lattice = tissue.lattice
        layer = np.flatnonzero(lattice.owner >= 0)
        floor = np.setdiff1d(layer - lattice.stride_z, layer)
        lattice.owner[floor] = 0
        full, seen = lattice.quanta[floor].astype(int), []
        for quanta in range(255, -1, -5):
            lattice.quanta[floor] = full * quanta // 255
            seen.append(concentration(lattice, voxel, *n))
        assert np.all(np.diff(seen) > -1e-9)
        assert 1.1 * seen[0] < seen[-1]
        assert np.diff(seen).max() < 0.06 * seen[0]


def test_bone_that_is_whole_and_bone_that_is_gone() -> None:
    tissue, voxel, n = dug(Shape("sheet", 120.0, 60.0), UPRIGHT)
    lattice = tissue.lattice
    layer = lattice.owner >= 0
    lattice.quanta[layer] = 255
    assert concentration(lattice, voxel, *n) == 1.0
    lattice.owner[:] = -1
    lattice.quanta[:] = 0
    assert concentration(lattice, voxel, *n) == 1.0
    lattice.owner[layer] = 0
    assert 1.0 <= concentration(lattice, voxel, *n) < 5.0


def test_behind_a_cut_face_bone_goes_on() -> None:
    """A sheet cut along its length is no rod; into bone that goes on no cavity is deep."""
    tissue, voxel, n = dug(SHEET, UPRIGHT, (0.0, 480.0, 0.0))
    assert concentration(tissue.lattice, voxel, *n) == pytest.approx(0.25**-0.35, rel=0.02)
    assert concentration(tissue.lattice, voxel, 0.0, 1.0, 0.0) == 1.0


def test_everywhere_and_in_all_directions_it_is_a_number() -> None:
    tissue, _, _ = dug(SLOT, UPRIGHT, (0.0, 440.0, 0.0))
    lattice = tissue.lattice
    rng = np.random.default_rng(1)
    places = np.flatnonzero(((lattice.quanta > 0) | (lattice.owner >= 0)) & (lattice.region > 0))
    for voxel in rng.choice(places, 2000):
        n = rng.normal(size=3)
        assert 1.0 <= concentration(lattice, int(voxel), *n / np.linalg.norm(n)) < 100.0


def test_recorded_strains_of_a_sheet_are_the_published_ones() -> None:
    for left, published in PUBLISHED.items():
        np.testing.assert_allclose(RECORDED[Shape("sheet", 120.0, left)], published, rtol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [*TRENCHES, *STRIPS, *RODS])
def test_all_that_is_recorded_is_what_elements_give(shape: Shape) -> None:
    assert strains(shape) == pytest.approx(RECORDED[shape], abs=0.006)


@pytest.mark.slow
def test_elements_of_5_um_give_the_same() -> None:
    assert floor_strain(SHEET, 1, 5.0) == pytest.approx(RECORDED[SHEET][1], rel=0.02)
