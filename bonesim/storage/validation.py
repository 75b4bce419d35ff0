"""What is refused before any number of a run file is read: its bytes are not trusted.

An HDF5 file can use other files of the machine as its data: external links, external storage,
virtual datasets. It can load filters from elsewhere, hold endless links, and claim 2^60 bytes in
2 kB. A run file does none of that.
"""

import math
from pathlib import Path

import h5py

from bonesim.errors import InputError
from bonesim.storage import layout

#: Deflate makes at most 1032 bytes of one; a dataset that claims more is not a run file's.
MAX_EXPANSION = 1032
#: Bytes of a chunk, which is unpacked whole; those of a run file have at most 0.5 MiB.
MAX_CHUNK_BYTES = 2**26
FILTERS_WE_USE = {h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_FLETCHER32}

#: What h5py, JSON, pandas and the checks here raise for damaged or foreign bytes.
DAMAGE = (
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
)


def first_line(error: BaseException) -> str:
    """The first line of an error's message; the error's name if the message is empty."""
    return (str(error).splitlines() or [type(error).__name__])[0].strip("\"'")


def require_file(path: Path) -> None:
    """Raise InputError unless there is a file at `path`."""
    try:
        there = path.is_file()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    if not there:
        raise InputError(f"{path}: there is no such file; check the path")


def require_run_file(file: h5py.File) -> None:
    """Raise ValueError or KeyError unless `file` is a run file that is safe to read."""
    version = int(file[layout.BONESIM].attrs["schema_version"])
    if version > layout.SCHEMA_VERSION:
        raise ValueError(
            f"its format is {version}, this bonesim reads up to {layout.SCHEMA_VERSION}: update it"
        )
    refuse_hostile(file)


def refuse_hostile(file: h5py.File) -> None:
    """Raise ValueError if anything in `file` points out of it or claims more than it can hold."""
    seen: set[int] = set()
    groups: list[h5py.Group] = [file]
    while groups:
        group = groups.pop()
        for name in group:
            where = f"{group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{where} is a link to another place")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise ValueError(f"{where} is there twice")
            seen.add(address)
            if isinstance(item, h5py.Group):
                groups.append(item)
            elif isinstance(item, h5py.Dataset):
                _refuse_hostile_dataset(item)
            else:
                raise ValueError(f"{where} is neither group nor dataset")


def _refuse_hostile_dataset(dataset: h5py.Dataset) -> None:
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{dataset.name} keeps its data elsewhere")
    if dataset.dtype.kind not in "biuf":
        raise ValueError(f"{dataset.name} holds no plain numbers")
    creation = dataset.id.get_create_plist()
    if dataset.chunks is None:
        raise ValueError(f"{dataset.name} is not stored in chunks")
    filters = {creation.get_filter(i)[0] for i in range(creation.get_nfilters())}
    if filters - FILTERS_WE_USE:
        raise ValueError(f"{dataset.name} needs a foreign filter")
    size = dataset.dtype.itemsize
    if math.prod(dataset.chunks) * size > MAX_CHUNK_BYTES:
        raise ValueError(f"{dataset.name} is stored in chunks of {dataset.chunks}")
    claimed, stored = math.prod(dataset.shape) * size, dataset.id.get_storage_size()
    if claimed > MAX_EXPANSION * stored:
        raise ValueError(f"{dataset.name} claims {claimed} bytes in {stored}")
