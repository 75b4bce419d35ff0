"""One volume gives one array and one spacing, in whatever format, encoding and type it is stored."""

from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from bonesim.images.reading import read_image
from tests.images import writers
from tests.images.variants import Variant, variants, volume

EVERY = list(variants())
KINDS = ("i1", "u2", "i2", "u4", "i4", "i8", "u8", "f4", "f8")


@pytest.mark.parametrize("variant", EVERY, ids=[one.name for one in EVERY])
def test_bytes_in_every_format(variant: Variant, tmp_path: Path) -> None:
    grey = volume()
    image = read_image(variant.write(tmp_path, grey), voxel_um=variant.voxel_um)
    assert image.values.dtype == np.uint8
    np.testing.assert_array_equal(image.values, grey)
    assert image.geometry.spacing_um == (20.0, 20.0, 20.0)
    assert image.voxel_um == 20.0


@given(variant=st.sampled_from(EVERY), kind=st.sampled_from(KINDS))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_types_in_every_format(
    variant: Variant, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    grey = volume(kind)
    path = variant.write(tmp_path_factory.mktemp("one"), grey)
    image = read_image(path, voxel_um=variant.voxel_um)
    assert image.values.dtype == np.dtype(kind)
    np.testing.assert_array_equal(image.values, grey)
    assert image.voxel_um == 20.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_type_in_every_format(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    grey = volume(kind)
    for variant in variants(kind):
        path = variant.write(tmp_path_factory.mktemp("one"), grey)
        image = read_image(path, voxel_um=variant.voxel_um)
        assert image.values.dtype == np.dtype(kind), variant.name
        assert np.array_equal(image.values, grey), variant.name
        assert image.geometry.spacing_um == (20.0,) * 3, variant.name


@pytest.mark.parametrize("step", [0.0195313, 0.02, 1 / 3 * 0.1, 0.0123456789, 0.061, 0.1])
def test_a_step_is_one_number_in_every_format(step: float, tmp_path: Path) -> None:
    """Single precision, metres or micrometres: the same spacing, to the last bit, at six digits."""
    step = float(f"{step:.6g}")
    um = float(f"{step * 1000:.6g}")
    for path in (
        writers.nifti(tmp_path, volume(), step=(step,) * 3),
        writers.nifti(tmp_path, volume(), name="b.nii", step=(um,) * 3, unit="um"),
        writers.nifti(tmp_path, volume(), name="c.nii", step=(um,) * 3, unit="um", version=2),
        writers.nifti(tmp_path, volume(), name="d.nii", step=(step / 1000,) * 3, unit="m"),
        writers.nrrd(tmp_path, volume(), step=(step,) * 3),
        writers.mha(tmp_path, volume(), step=(step,) * 3),
        writers.vti(tmp_path, volume(), step=(step,) * 3, um=1000.0),
        writers.tiff(tmp_path, volume(), description=writers.ome(volume().shape, (um,) * 3)),
    ):
        assert read_image(path).geometry.spacing_um == (um,) * 3, path.name


@pytest.mark.parametrize("bits", [False, True])
def test_masks_of_one_bit_and_bool(bits: bool, tmp_path: Path) -> None:
    mask = volume() > 90
    path = (
        writers.tiff(tmp_path, mask, bits=1) if bits else writers.npy(tmp_path, mask, fortran=True)
    )
    np.testing.assert_array_equal(read_image(path).values.astype(bool), mask)


def test_half_precision(tmp_path: Path) -> None:
    grey = (volume("f4") / 10).astype(np.float16)
    np.testing.assert_array_equal(read_image(writers.npy(tmp_path, grey)).values, grey)


@pytest.mark.parametrize("kind", ["i8", "u8"])
def test_met_long_has_the_bytes_that_are_there(kind: str, tmp_path: Path) -> None:
    """MetaIO's MET_LONG has four bytes; programs wrote eight on 64-bit machines."""
    grey, name = volume(kind), {"i8": "MET_LONG", "u8": "MET_ULONG"}[kind]
    for packed in (False, True):
        path = writers.mha(tmp_path, grey, kind=name, packed=packed)
        np.testing.assert_array_equal(read_image(path).values, grey)
        small = (grey % 1000).astype(kind[0] + "4")
        path = writers.mha(tmp_path, small, kind=name, packed=packed)
        np.testing.assert_array_equal(read_image(path).values, small)


def test_a_name_of_another_format_is_noted_and_the_content_read(tmp_path: Path) -> None:
    path = writers.nrrd(tmp_path, volume(), name="a.tif")
    image = read_image(path)
    np.testing.assert_array_equal(image.values, volume())
    assert any("its name is that of TIFF" in note for note in image.notes)
