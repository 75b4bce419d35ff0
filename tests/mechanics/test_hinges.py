"""Bone joined along an edge or at a corner carries load; a mechanism does not; both are stated truly."""

import numpy as np
import pytest

from bonesim.errors import InputError
from bonesim.mechanics.apparent import ApparentParameters, Block, compress, tensor
from bonesim.mechanics.element import stiffness
from bonesim.mechanics.habitual import Habitual
from bonesim.mechanics.loading import MechanicsParameters
from tests.mechanics.hexahedra import element, reaction


def halves(high: int, deep: int, wide: int, joint: str) -> np.ndarray:
    """Two half columns, one below, one above, joined along an edge or at a corner."""
    bone = np.zeros((high, 2 * deep, 2 * wide), bool)
    bone[: high // 2, :deep, :wide] = True
    over = slice(deep, None) if joint == "corner" else slice(deep)
    bone[high // 2 :, over, wide:] = True
    return bone


def block(bone: np.ndarray) -> Block:
    share = bone.astype(np.float32)
    return Block(share, share * np.float32(1e4), 0.02)


def test_the_element_is_that_of_the_textbook() -> None:
    """The other program's element, by quadrature."""
    np.testing.assert_allclose(element(1.0, 0.3, 1.0), stiffness(0.3), atol=1e-12)


@pytest.mark.parametrize("ends", ["clamped", "frictionless"])
@pytest.mark.parametrize("joint", ["edge", "corner"])
@pytest.mark.parametrize(("high", "deep", "wide"), [(8, 3, 3), (10, 4, 2)])
def test_a_hinge_carries_what_a_direct_solver_gives(
    high: int, deep: int, wide: int, joint: str, ends: str
) -> None:
    bone = halves(high, deep, wide, joint)
    p = ApparentParameters(ends=ends, tolerance=1e-8)
    alone = compress(block(bone), p)
    expected = reaction(bone, clamped=ends == "clamped")
    assert alone["reaction_n"] == pytest.approx(expected, rel=1e-6)
    assert alone["face_force_n"] == pytest.approx(expected, rel=1e-3)
    # Beside a column that reaches through, the same hinge carries the same.
    column = np.zeros((high, 2 * deep, 3), bool)
    column[:, :2, 1:] = True
    beside = compress(block(np.concatenate([bone, column], axis=2)), p)["reaction_n"]
    by_itself = compress(block(column), p)["reaction_n"]
    assert beside == pytest.approx(expected + by_itself, rel=1e-6)


def test_the_issue_s_numbers() -> None:
    """16 x 6 x 6 voxels of 20 um, 10 GPa: 1.47967 N; its halves at a corner 0.051 N."""
    assert compress(block(np.ones((16, 6, 6), bool)), ApparentParameters())[
        "reaction_n"
    ] == pytest.approx(1.47967, rel=1e-5)
    corner = compress(block(halves(16, 6, 6, "corner")), ApparentParameters())
    assert corner["reaction_n"] == pytest.approx(0.051, abs=0.0005)


def mechanism() -> np.ndarray:
    """A voxel that hangs at two of its upper corners, one on each half: a swing."""
    bone = np.zeros((6, 3, 5), bool)
    bone[:4, 0, 0] = bone[3, 0, :3] = bone[2, 1, 3] = bone[3:, 2, 4] = True
    return bone


@pytest.mark.parametrize("ends", ["clamped", "frictionless"])
def test_a_mechanism_is_named(ends: str) -> None:
    assert reaction(mechanism(), clamped=True) < 1e-9
    with pytest.raises(InputError, match="only over hinges"):
        compress(block(mechanism()), ApparentParameters(ends=ends))
    apart = mechanism()
    apart[2, 1, 3] = False
    with pytest.raises(InputError, match="no bone reaches from face to face along z"):
        compress(block(apart), ApparentParameters(ends=ends))


def test_a_mechanism_beside_a_column_takes_nothing_and_stops_nothing() -> None:
    column = np.zeros((6, 3, 4), bool)
    column[:, :, 2:] = True
    both = np.concatenate([mechanism(), column], axis=2)
    p = ApparentParameters(tolerance=1e-8)
    found, alone = (compress(block(bone), p)["reaction_n"] for bone in (both, column))
    assert found == pytest.approx(alone, rel=1e-6)


def test_the_tensor_of_hinged_bone_converges() -> None:
    bone = halves(8, 4, 4, "edge") | halves(8, 4, 4, "edge").transpose(1, 2, 0)
    found = tensor(block(bone | halves(8, 4, 4, "edge").transpose(2, 0, 1)), ApparentParameters())
    assert np.isfinite(found.stiffness).all()
    assert found.asymmetry < 1e-3


def test_habitual_load_of_hinges() -> None:
    p = MechanicsParameters(voxels_per_element=1)
    for bone, carries in ((halves(8, 3, 3, "edge"), True), (mechanism(), False)):
        # Clear of the sides, so that it reaches from face to face along z alone.
        quanta = np.pad(bone, [(0, 0), (1, 1), (1, 1)]).astype(np.uint8) * np.uint8(255)
        habitual = Habitual(p, quanta.shape, 20.0)
        habitual.solve(quanta, np.full(quanta.shape, 255, np.uint8), 0)
        assert bool(habitual.energy.any()) is carries
        assert np.isfinite(habitual.results["apparent_modulus_z_mpa"]) == carries
