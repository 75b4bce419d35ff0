"""A specimen under its habitual load: numbers, energies, restart, and what bone is worth where."""

import numpy as np
import pytest

from bonesim.errors import NumericalError
from bonesim.mechanics import loading
from bonesim.mechanics.bone import elements_of
from bonesim.mechanics.habitual import Habitual
from bonesim.mechanics.loading import MechanicsParameters
from bonesim.mechanics.strength import StrengthParameters

VOXEL_UM = 20.0
P = MechanicsParameters()


def mineralised(quanta: np.ndarray, mineral: int = 255) -> np.ndarray:
    return np.full(quanta.shape, mineral, np.uint8)


def porous(shape: tuple[int, int, int] = (24, 20, 16), seed: int = 1) -> np.ndarray:
    """Smooth random bone, about half the volume."""
    rng = np.random.default_rng(seed)
    waves = sum(
        np.cos(np.tensordot(rng.normal(size=3), np.indices(shape), 1) * 0.6 + rng.uniform(0, 6))
        for _ in range(12)
    )
    return np.where(waves > 0, 255, 0).astype(np.uint8)


def solved(
    quanta: np.ndarray, p: MechanicsParameters = P, mineral: np.ndarray | None = None
) -> Habitual:
    habitual = Habitual(p, quanta.shape, VOXEL_UM)
    habitual.solve(quanta, mineralised(quanta) if mineral is None else mineral, 0)
    return habitual


def test_a_solid_block_answers_as_its_material() -> None:
    """Uniaxial stress: modulus E, energy s^2 / 2 E for each of the three, failure at E x .7 %."""
    p = MechanicsParameters(tolerance=1e-8)
    habitual = solved(np.full((12, 8, 10), 255, np.uint8), p)
    results, modulus = habitual.results, p.tissue_modulus_mpa
    for axis in "zyx":
        assert results[f"apparent_modulus_{axis}_mpa"] == pytest.approx(modulus, rel=1e-5)
    stresses = [p.habitual_stress_mpa * s / p.share_z for s in (p.share_z, p.share_y, p.share_x)]
    expected = sum(s**2 for s in stresses) / (2 * modulus)
    np.testing.assert_allclose(habitual.energy, expected, rtol=1e-5)
    area = 8 * 10 * (VOXEL_UM * 1e-3) ** 2
    assert results["failure_load_n"] == pytest.approx(0.007 * modulus * area, rel=1e-5)
    assert results["yield_load_n"] == pytest.approx(0.0075 * modulus * area, rel=1e-5)
    assert results["load_to_strength"] == pytest.approx(0.4 / (0.007 * modulus), rel=1e-5)


def test_modulus_follows_mineral_and_osteoid_is_soft() -> None:
    quanta = np.full((8, 8, 8), 255, np.uint8)
    for mineral, share in ((204, 0.8**2), (0, 0.01)):
        results = solved(quanta, mineral=mineralised(quanta, mineral)).results
        assert results["apparent_modulus_z_mpa"] == pytest.approx(1e4 * share, rel=1e-3)


def test_half_full_elements_are_half_as_stiff_and_as_loaded_per_bone() -> None:
    full, half = (np.full((8, 8, 8), q, np.uint8) for q in (255, 127))
    one, two = solved(full), solved(half)
    ratio = 255 / 127
    assert one.results["apparent_modulus_z_mpa"] == pytest.approx(
        ratio * two.results["apparent_modulus_z_mpa"], rel=1e-4
    )
    # Twice the energy of an element, and half the bone that bears it.
    np.testing.assert_allclose(two.energy, ratio**2 * one.energy, rtol=1e-3)


@pytest.mark.parametrize("n", [1, 2])
def test_energy_of_bone_is_the_work_of_the_load(n: int) -> None:
    quanta = porous()
    p = MechanicsParameters(voxels_per_element=n, tolerance=1e-8, share_z=1, share_y=0, share_x=0)
    habitual = solved(quanta, p)
    assert habitual.energy.shape == tuple(-(-s // n) for s in quanta.shape)
    share, _ = elements_of(quanta, None, p)
    work = float((habitual.energy * share).mean())
    modulus = habitual.results["apparent_modulus_z_mpa"]
    assert 0 < modulus < p.tissue_modulus_mpa
    assert work == pytest.approx(p.habitual_stress_mpa**2 / (2 * modulus), rel=1e-5)
    assert (habitual.energy[share == 0] == 0).all()
    assert (habitual.energy[share > 0] > 0).all()


def test_load_is_a_factor() -> None:
    quanta = porous()
    one = solved(quanta)
    two = solved(quanta, MechanicsParameters(habitual_stress_mpa=2 * P.habitual_stress_mpa))
    np.testing.assert_allclose(two.energy, 4 * one.energy, rtol=1e-6)
    assert two.results["failure_load_n"] == one.results["failure_load_n"]
    assert two.results["load_to_strength"] == pytest.approx(2 * one.results["load_to_strength"])
    weak = solved(quanta, MechanicsParameters(strength=StrengthParameters(critical_strain=0.0035)))
    assert weak.results["failure_load_n"] == pytest.approx(0.5 * one.results["failure_load_n"])


def test_turning_a_specimen_turns_its_stiffness() -> None:
    quanta, p = porous(), MechanicsParameters(tolerance=1e-8)
    one = solved(quanta, p).results
    turned = solved(np.ascontiguousarray(np.rot90(quanta, axes=(0, 1))), p).results
    for axis, other in (("z", "y"), ("y", "z"), ("x", "x")):
        assert one[f"apparent_modulus_{axis}_mpa"] == pytest.approx(
            turned[f"apparent_modulus_{other}_mpa"], rel=1e-5
        )


def test_no_bone_one_voxel_and_what_does_not_bridge() -> None:
    none = np.zeros((8, 8, 8), np.uint8)
    one, apart, floating = none.copy(), none.copy(), none.copy()
    one[0, 0, 0] = 255
    apart[:2], apart[6:] = 255, 255
    apart[:, :2] = apart[:, 6:] = apart[:, :, :2] = apart[:, :, 6:] = 0
    floating[3:6, 3:6, 3:6] = 255
    for quanta in (none, one, apart, floating):
        habitual = solved(quanta)
        assert not habitual.energy.any()
        assert np.isnan(list(habitual.results.values())).all()
    single = solved(np.full((1, 1, 1), 255, np.uint8), MechanicsParameters(voxels_per_element=1))
    assert single.results["apparent_modulus_z_mpa"] == pytest.approx(1e4, rel=1e-5)


def test_what_bridges_one_way_is_loaded_that_way() -> None:
    quanta = np.zeros((12, 12, 12), np.uint8)
    quanta[:, 4:8, 4:8] = 255
    results = solved(quanta, MechanicsParameters(tolerance=1e-8)).results
    assert results["apparent_modulus_z_mpa"] == pytest.approx(1e4 / 9, rel=1e-3)
    assert np.isnan(results["apparent_modulus_y_mpa"])
    assert results["failure_load_n"] == pytest.approx(70 * (4 * VOXEL_UM * 1e-3) ** 2, rel=1e-3)
    across = solved(np.ascontiguousarray(quanta.transpose(1, 0, 2)))
    assert np.isnan(across.results["apparent_modulus_z_mpa"])
    assert np.isnan(across.results["failure_load_n"])
    assert across.results["apparent_modulus_y_mpa"] == pytest.approx(1e4 / 9, rel=1e-3)
    assert across.energy.any()


def test_two_plates_that_a_floor_does_not_join_both_carry() -> None:
    quanta = np.zeros((12, 10, 12), np.uint8)
    quanta[:, :4] = quanta[:, 6:] = 255
    results = solved(quanta).results
    assert results["apparent_modulus_z_mpa"] == pytest.approx(0.8e4, rel=1e-3)
    assert np.isnan(results["apparent_modulus_y_mpa"])


def test_a_solve_that_does_not_converge_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MAX_CYCLES", 1)
    with pytest.raises(NumericalError, match=r"along z did not converge.*tolerance"):
        solved(porous(), MechanicsParameters(tolerance=1e-10))


def test_when_a_solve_is_due() -> None:
    quanta = np.full((4, 4, 4), 255, np.uint8)
    bone = int(quanta.sum())
    never = Habitual(MechanicsParameters(interval_day=0), quanta.shape, VOXEL_UM)
    assert not never.due(0, bone)
    half = MechanicsParameters(interval_day=30, changed_percent=0.5)
    habitual = Habitual(half, quanta.shape, VOXEL_UM)
    assert habitual.due(0, bone)
    habitual.solve(quanta, mineralised(quanta), 10)
    assert not habitual.due(39, bone)
    assert habitual.due(40, bone)
    # Half a per cent of the bone, more or less.
    few, many = bone * 0.004, bone * 0.006
    assert not habitual.due(11, bone - int(few))
    assert not habitual.due(11, bone + int(few))
    assert habitual.due(11, bone - int(many))
    assert habitual.due(11, bone + int(many))


def changed(quanta: np.ndarray, share: float = 0.02) -> np.ndarray:
    after = quanta.copy()
    after[np.random.default_rng(5).random(quanta.shape) < share] = 0
    return after


def test_a_restart_goes_on_bit_for_bit() -> None:
    quanta = porous()
    one = solved(quanta)
    stored = one.state()
    other = Habitual(P, quanta.shape, VOXEL_UM)
    other.restore(stored)
    np.testing.assert_array_equal(other.energy, one.energy)
    assert other.results == one.results
    assert not other.due(29, int(quanta.sum()))
    after = changed(quanta)
    for habitual in (one, other):
        habitual.solve(after, mineralised(after), 30)
    np.testing.assert_array_equal(other.energy, one.energy)
    assert other.results == one.results
    assert not np.array_equal(stored["energy"], one.energy), "a state is a copy"


def test_a_warm_start_is_quicker_and_gives_the_same() -> None:
    quanta = porous((32, 24, 24))
    warm = solved(quanta)
    first = warm.results["mechanics_cycles"]
    after = changed(quanta, 0.002)
    warm.solve(after, mineralised(after), 30)
    cold = solved(after)
    assert warm.results["mechanics_cycles"] < cold.results["mechanics_cycles"]
    assert warm.results["mechanics_cycles"] < first
    for name in ("apparent_modulus_z_mpa", "apparent_modulus_x_mpa"):
        assert warm.results[name] == pytest.approx(cold.results[name], rel=1e-3)


def test_strained_bone_is_worth_more_than_idle_bone() -> None:
    """van der Linden 2001a: the same loss costs more stiffness where strain is high."""
    quanta = porous((32, 24, 24), 3)
    p = MechanicsParameters(voxels_per_element=1, share_z=1, share_y=0, share_x=0)
    before = solved(quanta, p)
    loaded = np.flatnonzero(before.energy > 0)
    order = loaded[np.argsort(before.energy.ravel()[loaded], kind="stable")]
    some = order.size // 20
    stiffness = {}
    chosen = np.random.default_rng(1).permutation(order)[:some]
    for name, gone in (("idle", order[:some]), ("any", chosen), ("strained", order[-some:])):
        after = quanta.copy()
        after.ravel()[gone] = 0
        stiffness[name] = solved(after, p).results["apparent_modulus_z_mpa"]
    whole = before.results["apparent_modulus_z_mpa"]
    assert stiffness["strained"] < stiffness["any"] < stiffness["idle"] < whole
    assert whole - stiffness["strained"] > 3 * (whole - stiffness["idle"])


@pytest.mark.parametrize(("size", "n"), [(13, 2), (9, 2), (13, 3), (13, 4)])
def test_a_block_that_elements_stick_out_of_is_as_stiff_as_it_is(size: int, n: int) -> None:
    """Solid, mineralised bone has its own modulus whatever its elements are."""
    quanta = np.full((size, size, size), 255, np.uint8)
    habitual = solved(quanta, MechanicsParameters(voxels_per_element=n))
    for axis in "zyx":
        modulus = habitual.results[f"apparent_modulus_{axis}_mpa"]
        assert modulus == pytest.approx(MechanicsParameters().tissue_modulus_mpa, rel=1e-4)
