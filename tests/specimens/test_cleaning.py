"""Cleaning keeps one piece of bone, with its skin, and no sealed cavities."""

import cc3d
import numpy as np
import pytest
from scipy import ndimage

from bonesim.errors import InputError
from bonesim.specimens.specimen import cleaned


def rough(shape: tuple[int, int, int], seed: int) -> np.ndarray:
    """Smooth blobs of quanta, in many pieces."""
    values = np.sin((np.arange(np.prod(shape)) + 1000.0 * seed) * 12.9898) * 43758.5453
    blobs = ndimage.gaussian_filter((values % 1.0).reshape(shape), 1.0)
    scaled = (blobs - np.quantile(blobs, 0.75)) / blobs.std()
    return np.clip(127.5 + 120.0 * scaled, 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("seed", range(5))
def test_one_piece_without_cavities_remains(seed: int) -> None:
    quanta = rough((14, 15, 16), seed)
    kept, notes = cleaned(quanta)
    bone = kept >= 128
    assert cc3d.connected_components(bone, connectivity=26, return_N=True)[1] == 1
    padded = np.pad(kept < 128, 1, constant_values=True)
    marrow, count = ndimage.label(padded)
    inside = marrow[1:-1, 1:-1, 1:-1]
    reached = {label for axis in range(3) for face in (0, -1) for label in
               np.unique(inside.take(face, axis=axis))}  # fmt: skip
    assert set(np.unique(inside)) <= reached | {0}
    assert count >= 1
    assert any("loose" in note for note in notes)


@pytest.mark.parametrize("seed", range(3))
def test_skin_is_kept_exactly_where_it_touches_the_kept_bone(seed: int) -> None:
    quanta = rough((12, 13, 14), seed)
    kept, _ = cleaned(quanta)
    bone = kept >= 128
    labels, _ = ndimage.label(quanta >= 128, np.ones((3, 3, 3)))
    largest = labels == np.bincount(labels[labels > 0]).argmax()
    touching = ndimage.binary_dilation(largest, np.ones((3, 3, 3)))
    skin = touching & (quanta < 128) & ~bone
    np.testing.assert_array_equal(kept[skin], quanta[skin])
    assert not kept[~touching & ~bone].any()
    np.testing.assert_array_equal(kept[largest], quanta[largest])


def test_clean_bone_is_untouched_and_cleaning_twice_changes_nothing() -> None:
    quanta = rough((12, 13, 14), 7)
    once, _ = cleaned(quanta)
    twice, notes = cleaned(once)
    np.testing.assert_array_equal(once, twice)
    assert notes == ()


def test_no_bone_and_nothing_but_bone_are_refused() -> None:
    with pytest.raises(InputError, match="no voxel is bone"):
        cleaned(np.full((4, 4, 4), 127, dtype=np.uint8))
    with pytest.raises(InputError, match="all 64 voxels are bone"):
        cleaned(np.full((4, 4, 4), 128, dtype=np.uint8))
