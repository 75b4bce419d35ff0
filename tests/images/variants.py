"""One small volume in every format, encoding, byte order and unit: the files that tests read."""

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from tests.images import writers
from tests.images.writers import Array, Writer

SHAPE = (7, 6, 5)
STEP = {"mm": 0.02, "um": 20.0, "m": 2e-5, "micrometers": 20.0, "microns": 20.0, "cm": 0.002}
ORDERS = ("<", ">")


class Variant(NamedTuple):
    """A way to store a volume: its name, its writer, and whether the file has a voxel size."""

    name: str
    write: Writer
    sized: bool

    @property
    def voxel_um(self) -> float | None:
        return None if self.sized else 20.0


def volume(kind: str = "u1", shape: tuple[int, ...] = SHAPE) -> Array:
    """Numbers without any order to them, all over the range of the type."""
    rough = np.sin(np.arange(np.prod(shape)) * 12.9898 + 1.0) * 43758.5453 % 1.0
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        return ((rough - 0.5) * 2000.0).reshape(shape).astype(dtype)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    span = min(int(high) - int(low), 2**40)
    start = max(int(low), -(2**39))
    return np.array([start + int(one * span) for one in rough], dtype).reshape(shape)


def variants(kind: str = "u1") -> Iterator[Variant]:
    """Every way to store a volume of a type."""
    yield from _nifti()
    yield from _nrrd()
    yield from _mha()
    yield from _vti()
    yield from _npy()
    yield from _tiff(kind)


def _cube(unit: str) -> tuple[float, float, float]:
    return (STEP[unit],) * 3


def _nifti() -> Iterator[Variant]:
    names = ("a.nii", "a.nii.gz", "a.hdr")
    for order, version, unit, name in product(ORDERS, (1, 2), ("mm", "um", "m"), names):
        write = partial(
            writers.nifti, name=name, order=order, version=version, unit=unit, step=_cube(unit)
        )
        yield Variant(f"{name}-{version}-{order}-{unit}", write, True)


def _nrrd() -> Iterator[Variant]:
    codings = ("raw", "gzip", "bzip2", "ascii", "hex")
    for order, coding, unit in product(ORDERS, codings, ("mm", "micrometers")):
        write = partial(writers.nrrd, order=order, encoding=coding, unit=unit, step=_cube(unit))
        yield Variant(f"nrrd-{order}-{coding}-{unit}", write, True)
        write = partial(write, name="a.nhdr", data_file="a.raw", directions=None)
        yield Variant(f"nhdr-{order}-{coding}-{unit}", write, True)
    for name, write in (
        ("lines", partial(writers.nrrd, name="a.nhdr", data_file="a.raw", line_skip=3)),
        ("bytes", partial(writers.nrrd, name="a.nhdr", data_file="a.raw", byte_skip=9)),
        ("packed-bytes", partial(writers.nrrd, encoding="gzip", byte_skip=9)),
        ("lps", partial(writers.nrrd, space="space: left-posterior-superior", unit=None)),
    ):
        yield Variant(f"nrrd-{name}", write, True)


def _mha() -> Iterator[Variant]:
    for order, unit in product(ORDERS, (None, "um", "cm")):
        step = _cube(unit or "mm")
        basic = partial(writers.mha, order=order, unit=unit, step=step)
        for name, write in (
            ("plain", basic),
            ("packed", partial(basic, packed=True)),
            ("text", partial(basic, text=True)),
            ("size", partial(basic, size_field="ElementSize")),
            ("detached", partial(basic, name="a.mhd", data_file="a.raw")),
            ("detached-packed", partial(basic, name="a.mhd", data_file="a.zraw", packed=True)),
            ("header", partial(basic, name="a.mhd", data_file="a.raw", header=13)),
            ("header-end", partial(basic, name="a.mhd", data_file="a.raw", header=-1)),
        ):
            yield Variant(f"mha-{name}-{order}-{unit}", write, True)


def _vti() -> Iterator[Variant]:
    forms = (("ascii", False), ("binary", True), ("appended", False), ("appended", True))
    for (form, coded), packed, head, order in product(
        forms, (False, True), ("UInt32", "UInt64"), ORDERS
    ):
        for cells, first, um in ((False, 0, None), (True, 3, 1000.0)):
            write = partial(
                writers.vti, form=form, coded=coded, packed=packed, head=head, order=order, cells=cells,
                first=first, um=um, block=100,
            )  # fmt: skip
            name = f"vti-{form}-{coded}-{packed}-{head}-{order}-{cells}"
            yield Variant(name, write, um is not None)


def _npy() -> Iterator[Variant]:
    for order, fortran in product(ORDERS, (False, True)):
        yield Variant(
            f"npy-{order}-{fortran}", partial(writers.npy, order=order, fortran=fortran), False
        )


def _tiff(kind: str) -> Iterator[Variant]:
    count = SHAPE[0]
    for order, big, packed in product(ORDERS, (False, True), (False, True)):
        basic = partial(writers.tiff, order=order, big=big, packed=packed)
        label = f"{order}-{big}-{packed}"
        yield Variant(f"tiff-{label}", basic, False)
        for unit in ("um", "micron", "\\u00B5m"):
            text = writers.imagej(20.0, count, unit)
            write = partial(basic, description=text, resolution=(50000, 1000000, 1))
            yield Variant(f"imagej-{label}-{unit[1:]}", write, True)
        for unit, step in ((None, 20.0), ("mm", 0.02), ("µm", 20.0), ("&#181;m", 20.0)):
            text = writers.ome(SHAPE, (step,) * 3, unit)
            yield Variant(f"ome-{label}-{unit}", partial(basic, description=text), True)
    yield Variant("folder", writers.slices, False)
