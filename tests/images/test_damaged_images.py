"""Cut, lengthened and flipped files: one line and an exit code, or the very same volume; never else."""

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bonesim.errors import BonesimError, CorruptFileError
from bonesim.images.reading import Image, read_image
from tests.images import writers
from tests.images.variants import Variant, variants, volume

#: Without those whose voxels are "the last bytes of the file": that is right whatever was cut off.
EVERY = [one for one in variants() if "header-end" not in one.name]
#: One of each layout for the short form; the long form takes all.
FEW = [
    one for one in EVERY
    if one.name in {
        "a.nii-1-<-mm", "a.nii.gz-1-<-mm", "a.hdr-1->-um", "a.nii-2->-m", "nrrd-<-raw-mm", "nrrd->-gzip-mm",
        "nrrd-<-bzip2-mm", "nrrd-<-ascii-mm", "nrrd-<-hex-mm", "nhdr-<-raw-mm", "nhdr-<-gzip-mm",
        "mha-plain-<-None", "mha-packed->-um", "mha-text-<-None", "mha-detached-<-None",
        "mha-detached-packed-<-None", "mha-header-<-None", "npy-<-False", "npy->-True",
        "vti-ascii-False-False-UInt32-<-False", "vti-binary-True-True-UInt64->-True",
        "vti-appended-False-False-UInt32-<-True", "vti-appended-True-True-UInt32-<-False",
        "vti-appended-False-True-UInt64-<-True", "tiff-<-False-False", "tiff->-True-True",
        "imagej-<-False-False-m", "ome->-False-True-mm",
    }
]  # fmt: skip


def data_of(path: Path) -> Path:
    """The file that has the voxels: a detached one, if there is one."""
    others = [one for one in path.parent.iterdir() if one != path]
    return others[0] if others else path


def places(length: int, every: int) -> list[int]:
    """Where to cut: block by block, and close to both ends."""
    some = {0, 1, 3, 4, 7, 8, 11, 12, 127, 128, 347, 348, 351, 352, 539, 540, 543, 544, 511, 512}
    some |= {length - 1, length - 2, length - 8, length - 9, length - 16}
    some |= {k * length // every for k in range(every)}
    return sorted(one for one in some if 0 <= one < length)


def damaged(path: Path, data: Path, contents: list[bytes]) -> Iterator[bytes]:
    """The data file with one content after the other."""
    whole = data.read_bytes()
    for content in contents:
        data.write_bytes(content)
        yield content
    data.write_bytes(whole)


def outcome(path: Path, variant: Variant) -> Image | BonesimError:
    """What reading gives; anything but a failure in one line goes through."""
    try:
        image = read_image(path, voxel_um=variant.voxel_um)
        assert image.voxel_um > 0
        return image
    except BonesimError as error:
        assert "\n" not in str(error)
        assert path.stem in str(error)
        return error


def check_cuts(variant: Variant, folder: Path, every: int) -> int:
    path = variant.write(folder, volume())
    count = 0
    for data in {path, data_of(path)}:
        whole = data.read_bytes()
        cuts = [whole[:k] for k in places(len(whole), every)]
        for cut in damaged(path, data, cuts):
            found = outcome(path, variant)
            count += 1
            if isinstance(found, Image):
                # Only what is behind the last voxel may be missing: the same volume, the same size.
                assert len(whole) - len(cut) <= 16, (variant.name, len(cut), len(whole))
                same = found.values == volume()
                # Text that ends behind its last digit: nobody can see that a digit is missing.
                assert same.all() or (
                    ("ascii" in variant.name or "text" in variant.name) and same.ravel()[:-1].all()
                )
                assert found.geometry.spacing_um == (20.0,) * 3
            elif data != path or (len(cut) > 600 and len(cut) < len(whole) - 16):
                assert isinstance(found, CorruptFileError), (variant.name, len(cut), str(found))
    return count


def check_flips(variant: Variant, folder: Path, step: int) -> int:
    """A flipped bit is refused or harmless to the size; voxels themselves have no checksum."""
    path = variant.write(folder, volume())
    whole = path.read_bytes()
    bits = [(k, 1 << (k * 5 % 8)) for k in range(0, min(len(whole), 800), step)]
    flipped = [whole[:k] + bytes([whole[k] ^ bit]) + whole[k + 1 :] for k, bit in bits]
    for _ in damaged(path, path, flipped):
        found = outcome(path, variant)
        if isinstance(found, Image):
            assert sorted(found.values.shape) == sorted(volume().shape), variant.name
            assert found.values.dtype.itemsize == 1 or any("true value" in n for n in found.notes)
    return len(flipped)


@pytest.mark.parametrize("variant", FEW, ids=[one.name for one in FEW])
def test_a_cut_file_is_never_a_volume(variant: Variant, tmp_path: Path) -> None:
    assert check_cuts(variant, tmp_path, 7) > 10


@pytest.mark.parametrize("variant", FEW, ids=[one.name for one in FEW])
def test_a_flipped_bit_never_changes_the_size(variant: Variant, tmp_path: Path) -> None:
    assert check_flips(variant, tmp_path, 23) > 5


@pytest.mark.parametrize("variant", FEW, ids=[one.name for one in FEW])
@pytest.mark.parametrize("more", [b"\1", bytes(range(256)) * 3])
def test_more_than_described_is_refused_or_the_same(
    variant: Variant, more: bytes, tmp_path: Path
) -> None:
    path = variant.write(tmp_path, volume())
    data = data_of(path)
    data.write_bytes(data.read_bytes() + more)
    found = outcome(path, variant)
    if isinstance(found, Image):
        assert variant.name.startswith(("tiff", "imagej", "ome", "nrrd-<-bzip2"))
        np.testing.assert_array_equal(found.values, volume())
    else:
        assert isinstance(found, CorruptFileError)


@pytest.mark.parametrize("lines", [1, 4, 5, 7])
def test_a_height_that_is_not_that_of_the_data_is_damage(lines: int, tmp_path: Path) -> None:
    """In all pages alike, so that they still fit each other."""
    path = Variant("tiff", writers.tiff, False).write(tmp_path, volume())
    entry = struct.pack("<HHI", 257, 4, 1)
    raw = path.read_bytes().replace(entry + struct.pack("<I", 6), entry + struct.pack("<I", lines))
    path.write_bytes(raw)
    with pytest.raises(CorruptFileError):
        read_image(path)


def test_a_missing_data_file_is_damage(tmp_path: Path) -> None:
    for variant in EVERY:
        folder = tmp_path / variant.name.replace("<", "l").replace(">", "b").replace("&", "")
        folder.mkdir()
        path = variant.write(folder, volume())
        if data_of(path) == path or path.is_dir():
            shutil.rmtree(folder)
            continue
        data_of(path).unlink()
        assert isinstance(outcome(path, variant), CorruptFileError), variant.name


@pytest.mark.slow
def test_three_thousand_damaged_files(tmp_path: Path) -> None:
    count = 0
    for number, variant in enumerate(EVERY):
        if variant.name == "folder":
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        count += check_cuts(variant, folder, 24)
        count += check_flips(variant, folder, 7)
        shutil.rmtree(folder)
    assert count >= 3000
