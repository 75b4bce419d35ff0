"""The synthetic vertebra: morphometry in the bands of real donors, the same at any resolution.

Elderly: 9 elderly donors (PMC3352993) rule BV/TV, Tb.Th, Tb.Sp, BS/TV and Conn.D. Young: twelve cubes
of eight BoneBox donors with BV/TV 9 to 15 %. Shape (SMI, plates, DA, nodes, free ends) is ruled by the
relation to BV/TV of fourteen cubes of these eight (guide/validation.md): value = intercept + slope
x ln BV/TV, with the SD of what is left.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from bonesim.errors import InputError
from bonesim.morphometry import panel
from bonesim.specimens import SyntheticParameters, grow, make_specimen

SMALL = (3.0, 3.0, 3.0)
#: Mean and SD over donors.
ELDERLY = {
    "bvtv_percent": (6.75, 2.45), "tb_th_um": (132.0, 22.0), "tb_sp_um": (1020.0, 217.0),
    "bstv_per_mm": (1.77, 0.50), "conn_d_per_mm3": (4.84, 2.26),
}  # fmt: skip
YOUNG = {
    "bvtv_percent": (12.1, 2.0), "tb_th_um": (173.0, 36.0), "tb_sp_um": (1155.0, 250.0),
    "bstv_per_mm": (2.15, 0.37), "conn_d_per_mm3": (2.45, 0.72), "smi": (1.47, 0.34),
    "da": (1.42, 0.15), "plate_share_percent": (53.0, 13.0), "nodes_per_mm3": (3.7, 1.0),
    "free_ends_per_mm3": (0.30, 0.09),
}  # fmt: skip
#: Shape of fourteen cubes: at BV/TV 10 %, slope per unit of ln BV/TV, SD of what is left.
SHAPE = {
    "smi": (1.76, -1.46, 0.249),
    "da": (1.41, 0.0204, 0.113),
    "plate_share_percent": (41.5, 43, 14),
    "nodes_per_mm3": (3.73, 2.47, 1.05),
    "free_ends_per_mm3": (0.332, -0.196, 0.0906),
}


def bone_percent(quanta: NDArray[np.uint8]) -> float:
    return float(100.0 * quanta.mean() / 255.0)


def intercept_ratio(quanta: NDArray[np.uint8]) -> float:
    """Mean intercept length along z over that in the plane, by counting surface crossings."""
    bone = quanta >= 128
    crossings = [np.count_nonzero(np.diff(bone, axis=axis)) for axis in range(3)]
    return 0.5 * (crossings[1] + crossings[2]) / crossings[0]


@dataclass(frozen=True)
class Bones:
    """Blocks of one preset; mean and standard error of the mean of their measures."""

    quanta: list[NDArray[np.uint8]]
    mean: dict[str, float]
    error: dict[str, float]


def bones(seeds: range, voxel_um: float, **settings: Any) -> Bones:
    grown = [
        grow(SyntheticParameters(seed=seed, voxel_um=voxel_um, **settings)).quanta for seed in seeds
    ]
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_ridges", "_sections", "_smoothness"):  # no band is of what these measure
            patch.setattr(panel, name, lambda *_: {})
        panels = [panel.measure(quanta, voxel_um) for quanta in grown]
    values = {name: [one[name].value for one in panels] for name in panels[0]}
    return Bones(
        grown,
        {name: float(np.mean(some)) for name, some in values.items()},
        {name: float(np.std(some, ddof=1) / np.sqrt(len(some))) for name, some in values.items()},
    )


def misses(bone: Bones, bands: dict[str, tuple[float, float]], errors: float) -> list[str]:
    """What lies more than a SD of donors, and so many standard errors, from the donors' mean."""
    return [
        f"{name} {bone.mean[name]:.3g}, not {mean:.3g} +/- {sd:.3g}"
        for name, (mean, sd) in bands.items()
        if abs(bone.mean[name] - mean) > sd + errors * bone.error[name]
    ]


def without_free_ends(bands: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Free ends are few, and at 25 um fewer than at the 20 um at which donors were measured."""
    return {name: band for name, band in bands.items() if name != "free_ends_per_mm3"}


def expected_shape(bvtv_percent: float) -> dict[str, tuple[float, float]]:
    """Mean and SD of shape that donors with this BV/TV have."""
    return {
        name: (at_10 + slope * math.log(bvtv_percent / 10.0), sd)
        for name, (at_10, slope, sd) in SHAPE.items()
    }


@pytest.fixture(scope="module")
def elderly() -> Bones:
    return bones(range(1, 4), 25.0, preset="elderly_vertebra", size_mm=SMALL)


@pytest.fixture(scope="module")
def young() -> Bones:
    return bones(range(1, 4), 25.0, preset="young_vertebra", size_mm=SMALL)


@pytest.mark.long
def test_elderly_vertebra_lies_within_the_spread_of_donors(elderly: Bones) -> None:
    """Three small blocks: their own standard error is allowed for, twenty large ones do without."""
    assert misses(elderly, ELDERLY, 2.0) == []
    shape = expected_shape(elderly.mean["bvtv_percent"])
    assert misses(elderly, without_free_ends(shape), 2.0) == []


@pytest.mark.long
def test_young_vertebra_lies_within_the_spread_of_donors(young: Bones) -> None:
    assert misses(young, without_free_ends(YOUNG), 2.0) == []
    shape = expected_shape(young.mean["bvtv_percent"])
    assert misses(young, without_free_ends(shape), 2.0) == []


@pytest.mark.long
def test_trabeculae_run_along_z(elderly: Bones, young: Bones) -> None:
    for bone in (elderly, young):
        assert 1.2 < np.mean([intercept_ratio(q) for q in bone.quanta]) < 1.8


@pytest.mark.long
def test_bone_varies_in_thickness_along_plates_and_rods(elderly: Bones) -> None:
    """Plates, rods and junctions of even thickness differ too, but less."""
    even = bones(range(1, 3), 25.0, size_mm=SMALL, thickness_sd=0.0)
    own, less = (bone.mean["tb_th_sd_um"] / bone.mean["tb_th_um"] for bone in (elderly, even))
    assert own > 1.1 * less
    assert 0.33 < own < 0.45


def test_upright_plates_make_verticals_unlike_horizontals() -> None:
    usual, level = (
        grow(SyntheticParameters(size_mm=SMALL, voxel_um=25.0, upright_um=um)).quanta
        for um in (80.0, -60.0)
    )
    assert intercept_ratio(usual) > 1.15 * intercept_ratio(level)


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


@pytest.mark.long
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


@pytest.mark.long
def test_bone_at_the_faces_is_like_bone_inside(elderly: Bones) -> None:
    outer, inner = [], []
    for quanta in elderly.quanta:
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
    empty = SyntheticParameters(size_mm=(0.5, 0.5, 0.5), rod_share=0.0, width_um=-2000.0)
    with pytest.raises(InputError, match="synthetic specimen: no voxel is bone"):
        grow(empty)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "bands"), [("elderly_vertebra", ELDERLY), ("young_vertebra", YOUNG)]
)
def test_twenty_vertebrae_measure_like_donors(
    preset: str, bands: dict[str, tuple[float, float]]
) -> None:
    twenty = bones(range(1, 21), 20.0, preset=preset)
    assert misses(twenty, bands, 0.0) == []
    assert misses(twenty, expected_shape(twenty.mean["bvtv_percent"]), 0.0) == []
