"""One piece of bone, stored as people store it, is one piece of bone to every public function."""

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

import bonesim
from bonesim.api.inputs import as_quanta, as_region

Array = NDArray[Any]
VOXEL_UM = 20.0
DTYPES = (
    np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64, np.float16,
    np.float32, np.float64,
)  # fmt: skip


def slab() -> Array:
    """A plate of 100 um in a block of 18 voxels: 27.8 %."""
    mask = np.zeros((18, 18, 18), bool)
    mask[:, 6:11] = True
    return mask


@st.composite
def masks(draw: st.DrawFn) -> tuple[Array, Array]:
    """A mask as bool, and the same in another encoding, memory order and stride."""
    shape = draw(st.tuples(*[st.integers(3, 6)] * 3))
    bits = draw(st.lists(st.booleans(), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    mask = np.array(bits).reshape(shape)
    dtype = draw(st.sampled_from((np.bool_, *DTYPES)))
    high = draw(st.sampled_from((1, 255))) if np.dtype(dtype) not in (np.bool_, np.int8) else 1
    stored: Array = mask.astype(dtype) * np.array(high, dtype)
    if draw(st.booleans()):
        stored = np.asfortranarray(stored)
    if draw(st.booleans()):
        stored = stored.astype(stored.dtype.newbyteorder())
    if draw(st.booleans()):
        stored = stored[::-1, :, ::-1][::-1, :, ::-1]
    return mask, stored


@given(masks())
@settings(deadline=None)
def test_a_mask_is_a_mask_in_every_encoding(both: tuple[Array, Array]) -> None:
    mask, stored = both
    quanta = as_quanta(stored, VOXEL_UM)
    assert quanta.dtype == np.uint8
    assert np.array_equal(quanta, mask * np.uint8(255))
    if mask.any():
        assert np.array_equal(as_region(stored, mask.shape, "region"), mask)


@given(masks(), st.integers(2, 254))
@settings(deadline=None)
def test_grey_values_need_a_threshold(both: tuple[Array, Array], other: int) -> None:
    stored = both[1].astype(np.float64)
    stored[0, 0, 0] = other
    with pytest.raises(bonesim.InputError, match="give the threshold"):
        as_quanta(stored, VOXEL_UM)


def structure(bone: Any, **given: Any) -> float:
    return bonesim.measure(bone, VOXEL_UM, quick=True, **given)["bvtv_percent"].value


def stiffness(bone: Any, **given: Any) -> float:
    table = bonesim.measure_stiffness(bone, VOXEL_UM, tolerance=1e-3, **given)
    return float(table.set_index("measure").loc["apparent_modulus_mpa", "value"])


def specimen(bone: Any, **given: Any) -> float:
    return float(bonesim.make_specimen(bone, VOXEL_UM, **given).quanta.mean())


#: Every public function that takes an array of bone, as one number.
TAKERS = (structure, stiffness, specimen)


@pytest.mark.parametrize("take", TAKERS)
@pytest.mark.parametrize("dtype", (np.bool_, *DTYPES))
def test_every_function_that_takes_an_array(take: Any, dtype: Any) -> None:
    mask = slab()
    wanted = take(mask * np.uint8(255))
    for high in (1,) if dtype in (np.bool_, np.int8) else (1, 255):
        assert take(mask.astype(dtype) * np.array(high, dtype)) == wanted
    assert take(mask.astype(int).tolist()) == wanted


@pytest.mark.parametrize("take", TAKERS)
def test_grey_values_with_a_threshold_are_the_bone(take: Any) -> None:
    grey = np.where(slab(), 900, 100).astype(np.int16)
    assert take(grey, threshold=500) == pytest.approx(take(slab()), rel=0.05)


def test_a_slab_is_its_volume() -> None:
    assert structure(slab()) == pytest.approx(100.0 * 5 / 14, rel=1e-12)  # a rim of two is left out
    assert structure(np.ones((18, 18, 18), bool)) == 100.0
    everything = np.ones((18, 18, 18))
    found = bonesim.measure(slab(), VOXEL_UM, everything, quick=True)
    assert found["bvtv_percent"].value == pytest.approx(100.0 * 5 / 18, rel=1e-12)


WRONG: dict[str, Any] = {
    "two dimensions": np.ones((9, 9), bool),
    "a colour image": np.ones((9, 9, 9, 3), np.uint8),
    "empty": np.zeros((0, 9, 9), bool),
    "complex": slab().astype(complex),
    "text": np.full((9, 9, 9), "bone"),
    "objects": np.full((9, 9, 9), None),
    "dates": np.zeros((9, 9, 9), "datetime64[s]"),
    "not a number": np.where(slab(), np.nan, 0.0),
    "infinite": np.where(slab(), np.inf, 0.0),
    "grey values": np.arange(18**3, dtype=np.uint8).reshape(18, 18, 18),
    "labels": slab().astype(int) * 2,
    "signed": -slab().astype(int),
    "a number": 3.0,
}


@pytest.mark.parametrize("take", TAKERS)
@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_bone_is_refused(take: Any, what: str) -> None:
    with pytest.raises(bonesim.InputError) as caught:
        take(WRONG[what])
    assert str(caught.value).startswith("bone: ")
    assert "--" not in str(caught.value) and "`" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("take", TAKERS)
def test_quanta_and_thresholds_are_checked(take: Any) -> None:
    for wrong in ({"quanta": True}, {"threshold": 5000.0}, {"threshold": 0.0}):
        with pytest.raises(bonesim.InputError):
            take(slab().astype(np.uint16) * 3000, **wrong)


@pytest.mark.parametrize("size", (None, 0.0, -20.0, 0.02, 2e4, float("nan"), "20 um"))
def test_a_voxel_has_a_size(size: Any) -> None:
    for function in (bonesim.measure, bonesim.measure_stiffness, bonesim.make_specimen):
        with pytest.raises(bonesim.InputError, match="voxel_um"):
            function(slab(), size)


def test_a_region_fits() -> None:
    for region in (np.ones((3, 3, 3), bool), np.zeros((18, 18, 18), bool), slab()[0]):
        with pytest.raises(bonesim.InputError, match="region"):
            bonesim.measure(slab(), VOXEL_UM, region)


def test_quanta_of_a_run_are_measured_as_they_are() -> None:
    quanta = (slab() * np.uint8(200)).astype(np.uint8)
    found = bonesim.measure(quanta, VOXEL_UM, quick=True, quanta=True)
    assert found["bvtv_percent"].value == pytest.approx(100.0 * 5 / 14 * 200 / 255)


@pytest.mark.parametrize(
    "wrong", (slab(), slab().astype(np.uint8), slab() * 255, slab()[0] * np.uint8(255), [[1]])
)
def test_a_specimen_holds_quanta_and_nothing_else(wrong: Any) -> None:
    with pytest.raises(bonesim.InputError, match="quanta: "):
        bonesim.Specimen(wrong, VOXEL_UM, "test", ())
    assert bonesim.Specimen(slab() * np.uint8(255), VOXEL_UM, "test", ()).voxel_um == VOXEL_UM
