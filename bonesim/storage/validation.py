"""What is refused before any number of a run file is read: its bytes are not trusted.

An HDF5 file can use other files of the machine as its data: external links, external storage,
virtual datasets. It can load filters from elsewhere, hold endless links, and claim 2^60 bytes in
2 kB. A run file does none of that.
"""

import math
import stat
from pathlib import Path

import h5py

from bonesim.errors import InputError
from bonesim.storage import layout
from bonesim.storage.durable import KINDS, unreadable
from bonesim.storage.journaled_file import JournaledFile

#: Bytes that a dataset may claim in any case, and how many it may claim beyond for each one stored.
#: Deflate makes up to 1032 bytes of one; lattices of bone are compressed to a fiftieth at most.
FREE_BYTES, MAX_EXPANSION = 2**25, 250
#: Deflate's own bound, for small datasets.
MOST_DEFLATED = 1032
#: A lattice with more voxels is not read.
MAX_VOXELS = 4096**3
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
    """Raise InputError unless there is a regular file at `path`."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: there is no such file; check the path") from None
    except OSError as error:
        raise unreadable(error, path) from None
    if kind == stat.S_IFDIR:
        raise InputError(f"{path}: is a folder, there is no such file; check the path")
    if kind != stat.S_IFREG:
        raise InputError(f"{path}: is {KINDS.get(kind, 'no regular file')}; give a run file")


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
    if claimed > min(MOST_DEFLATED * stored, FREE_BYTES + MAX_EXPANSION * stored):
        raise ValueError(f"{dataset.name} claims {claimed} bytes in {stored}")


def require_lattice(file: h5py.File) -> tuple[int, int, int]:
    """(nz, ny, nx) of the lattice; ValueError unless all fields are whole numbers of one shape."""
    shapes = set()
    for field in layout.fields_in(file):
        dataset = file[f"{layout.CELL_DATA}/{field.name}"]
        if dataset.dtype != field.dtype or dataset.ndim != 4:
            raise ValueError(f"{dataset.name} is {dataset.dtype} of {dataset.ndim} dimensions")
        shapes.add(dataset.shape)
    if len(shapes) > 1:
        raise ValueError(f"the lattice has several shapes: {sorted(shapes)}")
    _, nz, ny, nx = (int(n) for n in shapes.pop())
    if not 0 < nz * ny * nx <= MAX_VOXELS:
        raise ValueError(f"a lattice of {nx} x {ny} x {nz} voxels")
    return nz, ny, nx


def close_both(file: h5py.File | None, raw: JournaledFile) -> None:
    """Close an HDF5 file and what it lies on. A failure that `raw` remembers is not reported again."""
    try:
        if file is not None:
            file.close()
    except DAMAGE:
        if raw.failure is None:
            raise
    finally:
        raw.close()
