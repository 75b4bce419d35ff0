"""Axis order, directions, masks of other formats: one volume is one array, however it was stored."""

from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bonesim.errors import InputError
from bonesim.images.alignment import onto_grid
from bonesim.images.geometry import MAX_VOXEL_UM, MIN_VOXEL_UM
from bonesim.images.reading import Image, read_image
from tests.images import writers
from tests.images.variants import volume

Array = Any
STEP = 0.02
ORDERS = list(permutations(range(3)))


def stored(order: tuple[int, ...], reverse: tuple[bool, ...]) -> tuple[Array, Array, Array]:
    """The volume with its axes (z, y, x) permuted and some reversed; directions and origin in mm.

    Rows of the directions are the array's axes, components x, y, z. In RAS the volume itself has a
    positive diagonal, as nibabel writes it.
    """
    grey = volume()
    axes = np.eye(3)[::-1]
    origin = np.array([1.0, 2.0, 3.0])
    turned = axes[list(order)].copy()
    values = grey.transpose(order)
    for axis in range(3):
        if reverse[axis]:
            origin = origin + (values.shape[axis] - 1) * STEP * turned[axis]
            turned[axis] *= -1
            values = np.flip(values, axis)
    return np.ascontiguousarray(values), turned, origin


def as_nrrd(folder: Path, values: Array, directions: Array, origin: Array) -> Path:
    return writers.nrrd(
        folder, values, name="n.nrrd", space="space: left-posterior-superior",
        directions=directions[::-1] * STEP, origin=origin,
    )  # fmt: skip


def as_ras_nrrd(folder: Path, values: Array, directions: Array, origin: Array) -> Path:
    return writers.nrrd(
        folder, values, name="r.nrrd", space="space: RAS", directions=directions[::-1] * STEP,
        origin=origin,
    )  # fmt: skip


def as_mha(folder: Path, values: Array, directions: Array, origin: Array) -> Path:
    return writers.mha(folder, values, matrix=directions[::-1], offset=origin)


def as_nifti(folder: Path, values: Array, directions: Array, origin: Array) -> Path:
    affine = np.column_stack([*(directions[::-1] * STEP), origin])
    return writers.nifti(folder, values, affine=affine)


def as_itk_nifti(folder: Path, values: Array, directions: Array, origin: Array) -> Path:
    """The same place in the body as an LPS file: x and y change sign."""
    turn = np.array([-1.0, -1.0, 1.0])
    affine = np.column_stack([*(directions[::-1] * turn * STEP), origin * turn])
    return writers.nifti(folder, values, name="i.nii", affine=affine)


LPS = (as_nrrd, as_mha)
RAS = (as_nifti, as_itk_nifti, as_ras_nrrd)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("write", [*LPS, *RAS], ids=lambda w: w.__name__)
def test_any_storage_order_gives_one_array(
    order: tuple[int, ...], write: Any, tmp_path: Path
) -> None:
    for reverse in product((False, True), repeat=3):
        x_reversed = reverse[order.index(2)]
        image = read_image(write(tmp_path, *stored(order, reverse)))
        wanted = volume()
        if write in RAS and x_reversed:
            # RAS does not say which of x and y was turned: half a turn about the loading axis.
            wanted = wanted[:, ::-1, ::-1]
        np.testing.assert_array_equal(image.values, wanted)
        assert image.voxel_um == 20.0
        reordered = order != (0, 1, 2)
        assert any("axes put in order" in note for note in image.notes) or not reordered


def test_a_diagonal_of_nibabel_and_an_identity_of_itk_are_one_array(tmp_path: Path) -> None:
    both = stored((0, 1, 2), (False,) * 3)
    for write in (*LPS, *RAS):
        np.testing.assert_array_equal(read_image(write(tmp_path, *both)).values, volume())


@pytest.mark.parametrize("order", ORDERS[::2])
@pytest.mark.parametrize("mine", [as_nrrd, as_mha, as_itk_nifti], ids=lambda w: w.__name__)
@pytest.mark.parametrize("other", [as_nrrd, as_mha, as_itk_nifti], ids=lambda w: w.__name__)
def test_a_mask_of_any_format_and_order_lies_where_it_belongs(
    order: tuple[int, ...], mine: Any, other: Any, tmp_path: Path
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    for reverse in ((False,) * 3, (True, False, True), (False, True, True)):
        image = read_image(mine(tmp_path / "one", *stored((0, 1, 2), (False,) * 3)))
        mask = read_image(other(tmp_path / "two", *stored(order, reverse)))
        values, notes = onto_grid(mask, image.grid)
        np.testing.assert_array_equal(values, image.values)
        assert notes == []


def test_a_mask_that_mixes_up_ras_and_lps_is_taken_and_noted(tmp_path: Path) -> None:
    both = stored((0, 1, 2), (False,) * 3)
    image, mask = read_image(as_mha(tmp_path, *both)), read_image(as_nifti(tmp_path, *both))
    values, notes = onto_grid(mask, image.grid)
    np.testing.assert_array_equal(values, image.values)
    assert "mixed up" in notes[0]


def moved(folder: Path, **changes: Any) -> Image:
    return read_image(writers.mha(folder, volume(), name="m.mha", **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"step": (0.082,) * 3}, ("spacing", "82", "20")),
        ({"step": (0.0204,) * 3}, ("spacing", "20.4", "20")),
        ({"offset": (1.0, 2.0, 3.0)}, ("origin", "1, 2, 3", "0, 0, 0")),
        ({"offset": (0.0, 0.011, 0.0)}, ("origin", "0.011")),
        ({"matrix": [[1, 0, 0], [0, -1, 0], [0, 0, 1]]}, ("origin",)),
        ({"matrix": [[0.996, 0.087, 0], [-0.087, 0.996, 0], [0, 0, 1]]}, ("direction", "5.0 degrees")),
    ],
)  # fmt: skip
def test_a_mask_of_another_place_is_refused(
    changes: dict[str, Any], words: tuple[str, ...], tmp_path: Path
) -> None:
    image = read_image(writers.mha(tmp_path, volume()))
    with pytest.raises(InputError) as caught:
        onto_grid(moved(tmp_path, **changes), image.grid)
    for word in ("m.mha", "a.mha", *words):
        assert word in str(caught.value)


@pytest.mark.parametrize("changes", [{"step": (0.0201,) * 3}, {"offset": (0.0004, 0.0, -0.0004)}])
def test_rounding_is_no_other_place(changes: dict[str, Any], tmp_path: Path) -> None:
    image = read_image(writers.mha(tmp_path, volume()))
    assert onto_grid(moved(tmp_path, **changes), image.grid)[1] == []


def test_what_one_file_has_not_is_not_compared_and_noted(tmp_path: Path) -> None:
    image = read_image(writers.mha(tmp_path, volume(), offset=(5.0, 5.0, 5.0)))
    mask = read_image(writers.npy(tmp_path, volume()))
    values, notes = onto_grid(mask, image.grid)
    np.testing.assert_array_equal(values, volume())
    assert "spacing, origin, direction" in notes[0]
    other = read_image(writers.npy(tmp_path, volume()[:, :, :4]))
    with pytest.raises(InputError, match=r"4 x 6 x 7 voxels \(x, y, z\), the image 5 x 6 x 7"):
        onto_grid(other, image.grid)


def test_an_overridden_header_still_places_its_mask(tmp_path: Path) -> None:
    wrong = (1.0, 1.0, 1.0)
    image = read_image(writers.mha(tmp_path, volume(), step=wrong, offset=wrong), voxel_um=20)
    assert image.voxel_um == 20
    assert any("20 um as given, not the 1000 x 1000 x 1000 um" in note for note in image.notes)
    for step in (wrong, (0.02,) * 3):
        assert onto_grid(moved(tmp_path, step=step, offset=wrong), image.grid)[1] in ([], [*_NOTE])
    with pytest.raises(InputError, match="spacing"):
        onto_grid(moved(tmp_path, step=(0.05,) * 3, offset=wrong), image.grid)


_NOTE = (
    "origin of the mask m.mha could not be compared with the image's: one of the two has none",
)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[1, 0, 0], [0.2, 1, 0], [0, 0, 1]], "not at right angles"),
        ([[1, 0, 0], [1, 0, 0], [0, 0, 1]], "parallel"),
        ([[1, 0, 0], [0, 0, 0], [0, 0, 1]], "no direction"),
        ([[1, 0, 0], [0, float("nan"), 0], [0, 0, 1]], "no direction"),
    ],
)
def test_unsound_directions_are_refused(matrix: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        read_image(writers.mha(tmp_path, volume(), matrix=matrix))


def test_oblique_axes_are_taken_for_the_nearest_and_noted(tmp_path: Path) -> None:
    for angle, noted in ((10.0, False), (30.0, True)):
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        image = read_image(
            writers.mha(tmp_path, volume(), matrix=[[1, 0, 0], [0, c, s], [0, -s, c]])
        )
        np.testing.assert_array_equal(image.values, volume())
        assert any("oblique" in note and "30 degrees" in note for note in image.notes) == noted


def spacing_of(path: Path, voxel_um: float | None = None) -> float:
    return read_image(path, voxel_um=voxel_um).voxel_um


@pytest.mark.parametrize("bad", [0.0, -0.02, float("nan"), float("inf"), 1.0, 0.0005, 1e-300])
@pytest.mark.parametrize(
    "write", [writers.nifti, writers.nrrd, writers.mha], ids=lambda w: w.__name__
)
def test_a_spacing_that_cannot_be_is_refused_unless_it_is_given(
    write: Any, bad: float, tmp_path: Path
) -> None:
    extra: dict[str, Any] = {"affine": None} if write is writers.nifti else {}
    if write is writers.nrrd:
        extra = {"directions": None}
    path = write(tmp_path, volume(), step=(bad,) * 3, **extra)
    with pytest.raises(InputError, match="voxel_um"):
        spacing_of(path)
    image = read_image(path, voxel_um=20.0)
    assert image.voxel_um == 20.0
    assert any("20 um as given" in note for note in image.notes)


UNITS = {
    "m": 1e6, '"mm"': 1e3, "MM": 1e3, "Millimeters": 1e3, "millimetre": 1e3, "cm": 1e4, "um": 1.0,
    "µm": 1.0, "μm": 1.0, "Micron": 1.0, "microns": 1.0, "micrometer": 1.0, "micrometres": 1.0,
    "nm": 1e-3, "inch": 25400.0, "nanometers": 1e-3, "metre": 1e6, "centimetres": 1e4, "dm": 1e5,
}  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_every_spelling_of_a_unit(unit: str, tmp_path: Path) -> None:
    step = (20.0 / UNITS[unit],) * 3
    for directions in ("identity", None):
        path = writers.nrrd(
            tmp_path, volume(), unit=unit.strip('"'), step=step, directions=directions
        )
        assert spacing_of(path) == 20.0
    path = writers.mha(tmp_path, volume(), unit=unit.strip('"'), step=step)
    assert spacing_of(path) == 20.0
    text = writers.imagej(20.0 / UNITS[unit], len(volume()), unit.strip('"'))
    pixels = (int(1e6 * UNITS[unit] / 20.0), 1000000, 1) if UNITS[unit] < 1e5 else None
    if pixels and pixels[0]:
        path = writers.tiff(tmp_path, volume(), description=text, resolution=pixels)
        assert spacing_of(path) == pytest.approx(20.0, rel=2e-5)


@pytest.mark.parametrize("unit", ["furlong", "pixel", "voxels", "s", "mn", "?"])
def test_an_unknown_unit_is_never_mm(unit: str, tmp_path: Path) -> None:
    paths = [
        writers.nrrd(tmp_path, volume(), unit=unit),
        writers.tiff(
            tmp_path, volume(), description=writers.imagej(0.02, 7, unit), resolution=(50, 1, 1)
        ),
        writers.tiff(
            tmp_path, volume(), name="o.tif", description=writers.ome(volume().shape, (0.02,) * 3, unit)
        ),
    ]  # fmt: skip
    paths += [writers.mha(tmp_path, volume(), unit=unit)] if unit != "?" else []
    for path in paths:
        with pytest.raises(InputError, match="voxel_um"):
            spacing_of(path)
        assert spacing_of(path, 20.0) == 20.0


def test_no_unit_is_no_size(tmp_path: Path) -> None:
    for path in (
        writers.nifti(tmp_path, volume(), unit=""),
        writers.nrrd(tmp_path, volume(), unit=None),
        writers.nrrd(tmp_path, volume(), name="s.nrrd", unit=None, directions=None),
        writers.mha(tmp_path, volume(), step=None),
        writers.vti(tmp_path, volume()),
        writers.npy(tmp_path, volume()),
        writers.tiff(tmp_path, volume()),
        writers.tiff(tmp_path, volume(), name="r.tif", resolution=(500, 1, 3)),
        writers.tiff(tmp_path, volume(), name="i.tif", resolution=(1270, 1, 2)),
        writers.slices(tmp_path, volume()),
    ):
        with pytest.raises(InputError, match="give voxel_um"):
            spacing_of(path)
        assert spacing_of(path, 20.0) == 20.0
    with pytest.raises(InputError, match="20 x 20 um in its resolution tags"):
        spacing_of(tmp_path / "r.tif")


def test_voxels_that_are_no_cubes_stay_so(tmp_path: Path) -> None:
    path = writers.mha(tmp_path, volume(), step=(0.04, 0.02, 0.02))
    for given in (None, 20.0):
        with pytest.raises(InputError, match="not cubes"):
            spacing_of(path, given)
    assert spacing_of(writers.mha(tmp_path, volume(), step=(0.0201, 0.02, 0.02))) == pytest.approx(
        20.03, abs=0.01
    )


@pytest.mark.parametrize("given", [MIN_VOXEL_UM / 2, MAX_VOXEL_UM * 2, float("nan"), -20.0])
def test_a_given_size_has_to_be_one(given: float, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="allowed are 1 to 200 um"):
        spacing_of(writers.npy(tmp_path, volume()), given)


def test_sform_and_pixdim_that_contradict_are_refused(tmp_path: Path) -> None:
    path = writers.nifti(tmp_path, volume(), pixdim=(0.03, 0.02, 0.02))
    with pytest.raises(InputError, match=r"pixdim is 0.03 but that of the affine \(sform\) 0.02"):
        read_image(path)
