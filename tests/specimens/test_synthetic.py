"""The synthetic vertebra: morphometry in the bands of real donors, the same at any resolution.

Bands: 9 elderly donors, PMC3352993 (mean +/- SD): BV/TV 6.75 +/- 2.45 %, Tb.Th 132 +/- 22 um,
Tb.Sp 1020 +/- 217 um, BS/TV 1.77 +/- 0.50 /mm, Conn.D 4.84 +/- 2.26 /mm3, DA 1.48 +/- 0.12.
"""

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from skimage.measure import euler_number, marching_cubes, mesh_surface_area

from bonesim.errors import InputError
from bonesim.specimens import SyntheticParameters, grow, make_specimen


def bone_percent(quanta: NDArray[np.uint8]) -> float:
    return float(100.0 * quanta.mean() / 255.0)


def surface_per_mm(quanta: NDArray[np.uint8], voxel_um: float) -> float:
    corners, faces, _, _ = marching_cubes(quanta.astype(np.float32), 127.5)
    return float(mesh_surface_area(corners, faces) / quanta.size / (voxel_um / 1000.0))


def loops_per_mm3(quanta: NDArray[np.uint8], voxel_um: float) -> float:
    """Conn.D without a correction for cut faces, of one piece of bone without cavities."""
    loops = 1 - euler_number(quanta >= 128, connectivity=3)
    return float(loops / (quanta.size * (voxel_um / 1000.0) ** 3))


def intercept_ratio(quanta: NDArray[np.uint8]) -> float:
    """Mean intercept length along z over that in the plane, by counting surface crossings."""
    bone = quanta >= 128
    crossings = [np.count_nonzero(np.diff(bone, axis=axis)) for axis in range(3)]
    return 0.5 * (crossings[1] + crossings[2]) / crossings[0]


@pytest.fixture(scope="module")
def elderly() -> list[NDArray[np.uint8]]:
    return [grow(SyntheticParameters(seed=seed, voxel_um=25.0)).quanta for seed in (1, 2, 3)]


def test_elderly_vertebra_lies_within_the_spread_of_donors(
    elderly: list[NDArray[np.uint8]],
) -> None:
    assert 7.0 < np.mean([bone_percent(q) for q in elderly]) < 9.0
    assert 1.27 < np.mean([surface_per_mm(q, 25.0) for q in elderly]) < 2.1
    assert 2.6 < np.mean([loops_per_mm3(q, 25.0) for q in elderly]) < 5.5


def test_trabeculae_run_along_z(elderly: list[NDArray[np.uint8]]) -> None:
    assert 1.2 < np.mean([intercept_ratio(q) for q in elderly]) < 1.8


def test_young_vertebra_is_denser() -> None:
    young = [
        grow(SyntheticParameters(preset="young_vertebra", seed=seed, voxel_um=30.0)).quanta
        for seed in (1, 2)
    ]
    assert 14.5 < np.mean([bone_percent(q) for q in young]) < 18.5
    assert 4.0 < np.mean([loops_per_mm3(q, 30.0) for q in young]) < 8.0


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_bone() -> None:
    small = {"size_mm": (1.5, 2.0, 2.5), "voxel_um": 25.0}
    first = grow(SyntheticParameters(seed=5, **small))
    again = make_specimen(SyntheticParameters(seed=5, **small))
    other = grow(SyntheticParameters(seed=6, **small))
    assert first.quanta.shape == (100, 80, 60)
    assert first.quanta.tobytes() == again.quanta.tobytes()
    assert (first.origin, first.notes) == (again.origin, again.notes)
    both = np.count_nonzero((first.quanta >= 128) & (other.quanta >= 128))
    assert both < 0.35 * np.count_nonzero(first.quanta >= 128)


def test_the_structure_is_the_same_at_another_voxel_size() -> None:
    fine = grow(SyntheticParameters(seed=2, size_mm=(3.0, 3.0, 3.0), voxel_um=15.0)).quanta
    coarse = grow(SyntheticParameters(seed=2, size_mm=(3.0, 3.0, 3.0), voxel_um=30.0)).quanta
    averaged = fine.reshape(100, 2, 100, 2, 100, 2).mean(axis=(1, 3, 5))
    assert bone_percent(coarse) == pytest.approx(bone_percent(fine), rel=0.01)
    assert np.abs(averaged - coarse).mean() < 1.0
    assert np.corrcoef(averaged.ravel(), coarse.ravel())[0, 1] > 0.99


def test_a_larger_block_holds_the_smaller_one() -> None:
    small = grow(SyntheticParameters(seed=3, size_mm=(2.0, 2.2, 2.4), voxel_um=40.0)).quanta
    large = grow(SyntheticParameters(seed=3, size_mm=(3.0, 3.0, 3.0), voxel_um=40.0)).quanta
    nz, ny, nx = small.shape
    part = large[:nz, :ny, :nx]
    # Only pieces that hang on bone outside the small block may be missing from it.
    assert np.mean(part[small > 0] == small[small > 0]) > 0.99
    assert np.count_nonzero(part >= 128) <= 1.15 * np.count_nonzero(small >= 128)


def test_bone_at_the_faces_is_like_bone_inside(elderly: list[NDArray[np.uint8]]) -> None:
    outer, inner = [], []
    for quanta in elderly:
        core = quanta[20:-20, 20:-20, 20:-20]
        inner.append(core.mean())
        outer.append((quanta.sum() - core.sum()) / (quanta.size - core.size))
    assert np.mean(outer) == pytest.approx(np.mean(inner), rel=0.2)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"size_mm": (0.1, 4.0, 4.0)}, "each edge must be 0.5 to 20 mm"),
        ({"voxel_um": 65.0}, "less than or equal to 40"),
        ({"preset": "femur"}, "elderly_vertebra"),
        ({"plate_um": float("nan")}, "finite number"),
        ({"plates_um": 100.0}, "Extra inputs"),
    ],
)
def test_impossible_parameters_are_refused(setting: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SyntheticParameters.model_validate({"kind": "synthetic", **setting})


def test_a_block_without_bone_is_refused() -> None:
    empty = SyntheticParameters(
        size_mm=(0.5, 0.5, 0.5), rod_share=0.0, plate_share=0.0, flange_share=0.0
    )
    with pytest.raises(InputError, match="synthetic specimen: no voxel is bone"):
        grow(empty)


@pytest.mark.slow
def test_ten_elderly_vertebrae_measure_like_donors() -> None:
    from bonesim.morphometry.panel import measure

    bones = [grow(SyntheticParameters(seed=seed)) for seed in range(1, 11)]
    panels = [measure(bone.quanta, bone.voxel_um) for bone in bones]
    thickness = np.mean([panel["tb_th_um"].value for panel in panels])
    separation = np.mean([panel["tb_sp_um"].value for panel in panels])
    connectivity = np.mean([panel["conn_d_per_mm3"].value for panel in panels])
    assert 7.0 < np.mean([bone_percent(bone.quanta) for bone in bones]) < 9.0
    assert 127.0 < thickness < 146.0
    assert 850.0 < separation < 1100.0
    assert 3.7 < connectivity < 5.5
