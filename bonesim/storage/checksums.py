"""Sums over the numbers of a dataset, bound to its name and their order.

The checksum that HDF5 keeps with each chunk does not know where the chunk belongs: two chunks of
equal stored size can change places unnoticed. So every dataset has an attribute `checksum`: CRC-32 of
its name and all its bytes. The lattice grows by whole steps; each step has its own sum, in
/bonesim/field_checksums. The attribute `checksums` of /bonesim marks a file that has them.
Files without it (0.1 and the first of 0.2) open as before: swapped chunks go unnoticed there.
"""

import zlib
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bonesim.storage import layout

#: Name of the attribute of a dataset, and of /bonesim.
SUM, MARK = "checksum", "checksums"
FIELD_SUMS = f"{layout.BONESIM}/field_checksums"


def sum_of(place: str, values: NDArray[Any], before: int | None = None) -> int:
    """CRC-32 of a dataset's name and values; `before`: the sum so far, to be continued."""
    start = zlib.crc32(place.strip("/").encode()) if before is None else before
    return zlib.crc32(np.ascontiguousarray(values).view(np.uint8).reshape(-1).data, start)


def start(dataset: h5py.Dataset) -> None:
    """Give a new dataset its sum."""
    dataset.attrs.create(SUM, np.uint32(sum_of(dataset.name, dataset[()])))


def append(dataset: h5py.Dataset, values: NDArray[Any]) -> None:
    """Add values at the end of a 1-D dataset, and to its sum if it has one."""
    kept = values.astype(dataset.dtype)
    old = dataset.shape[0]
    dataset.resize(old + kept.size, axis=0)
    if kept.size:
        dataset[old:] = kept
    if SUM in dataset.attrs:
        so_far = int(dataset.attrs[SUM])
        dataset.attrs.modify(SUM, np.uint32(sum_of(dataset.name, kept, so_far)))


def cut(dataset: h5py.Dataset, rows: int) -> None:
    """Keep the first rows of a 1-D dataset; its sum is checked before.

    Raises:
        ValueError: the sum is wrong.
    """
    if rows == dataset.shape[0]:
        return
    if SUM in dataset.attrs:
        kept = checked(dataset)[:rows]
        dataset.attrs.modify(SUM, np.uint32(sum_of(dataset.name, kept)))
    dataset.resize(rows, axis=0)


def checked(dataset: h5py.Dataset) -> NDArray[Any]:
    """All values of a dataset.

    Raises:
        ValueError: its sum is wrong, or missing though the file has sums.
    """
    values: NDArray[Any] = dataset[()]
    if are_in(dataset.file):
        _require(dataset.name, int(dataset.attrs[SUM]), sum_of(dataset.name, values))
    return values


def checked_field(file: h5py.File, name: str, step: int) -> NDArray[np.uint8]:
    """One step of a field of the lattice.

    Raises:
        ValueError: as `checked`.
    """
    dataset = file[f"{layout.CELL_DATA}/{name}"]
    values: NDArray[np.uint8] = dataset[step]
    if are_in(file):
        sums = checked(file[f"{FIELD_SUMS}/{name}"])
        _require(dataset.name, int(sums[step]), sum_of(f"{dataset.name}/{step}", values))
    return values


def append_field(file: h5py.File, name: str, step: int, values: NDArray[np.uint8]) -> None:
    """Add a step to a field of the lattice."""
    dataset = file[f"{layout.CELL_DATA}/{name}"]
    dataset.resize(step + 1, axis=0)
    dataset[step] = values
    if are_in(file):
        total = sum_of(f"{dataset.name}/{step}", values)
        append(file[f"{FIELD_SUMS}/{name}"], np.array([total], np.uint32))


def cut_field(file: h5py.File, name: str, steps: int) -> None:
    """Keep the first steps of a field of the lattice."""
    file[f"{layout.CELL_DATA}/{name}"].resize(steps, axis=0)
    if are_in(file):
        cut(file[f"{FIELD_SUMS}/{name}"], steps)


def are_in(file: h5py.File) -> bool:
    """Whether the datasets of a run file have sums."""
    return MARK in file[layout.BONESIM].attrs


def _require(place: str, kept: int, found: int) -> None:
    if kept != found:
        raise ValueError(f"checksum of {place} is {found}, written was {kept}")
