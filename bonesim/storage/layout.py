"""The run file: names of its groups, how its datasets are stored, how its columns are described.

One HDF5 file that is also a temporal VTKHDF ImageData (VTK file format documentation, "VTKHDF"),
so that ParaView, VTK and bonesim open the same bytes:

    /VTKHDF                        the lattice at each snapshot, as VTK wants it
        CellData/<field>           (snapshots, nz, ny, nx), x fastest
        Steps                      NSteps, the days (Values), where each step begins
    /bonesim                       attributes: schema_version, bonesim_version, created, status,
                                   voxel_um
        config                     the resolved configuration, TOML
        provenance                 versions, machine, command line, seed, notes; JSON
        table/<column>             one row per simulated day
        snapshot_table/<column>    one row per snapshot: what is measured only then
        events/<column>            one row per topological event
        breaks/<column>            one row per hole and cut of the network; absent in version 0.1
        break_tracks/<column>      one row per break and look; absent in version 0.1
        cells/<population>         attribute `descriptions`: its columns; absent in version 0.1
            day_<D>/<column>       the cells at a snapshot, one row each

Every dataset is chunked, compressed with gzip-1 after a shuffle and checksummed (fletcher32);
gzip is the filter that every HDF5 can read.
The file format is HDF5 1.10's. Its metadata carries checksums, which older formats lack. VTK's own
HDF5 reads it, but not the newest format ("latest").
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

#: Raised when an older bonesim could no longer read the file.
SCHEMA_VERSION = 1
#: HDF5 format of everything bonesim writes: lower and upper bound.
FORMAT = ("v110", "v110")

VTK = "VTKHDF"
CELL_DATA = "VTKHDF/CellData"
STEPS = "VTKHDF/Steps"
DAYS = "VTKHDF/Steps/Values"
OFFSETS = "VTKHDF/Steps/CellDataOffsets"
BONESIM = "bonesim"
CONFIG = "bonesim/config"
PROVENANCE = "bonesim/provenance"
#: Attribute of /bonesim: programs that went on with the run, JSON; not part of its identity.
RESUMED = "resumed"
TABLE = "bonesim/table"
SNAPSHOT_TABLE = "bonesim/snapshot_table"
EVENTS = "bonesim/events"
BREAKS = "bonesim/breaks"
BREAK_TRACKS = "bonesim/break_tracks"
#: Logs: their rows change after they are written. A file of version 0.1 has only events.
LOGS = (EVENTS, BREAKS, BREAK_TRACKS)
CELLS = "bonesim/cells"

#: Values of /bonesim's attribute `status`.
RUNNING, INTERRUPTED, COMPLETE = STATUSES = ("running", "interrupted", "complete")

#: How every dataset is stored.
FILTERS: dict[str, Any] = {
    "compression": "gzip",
    "compression_opts": 1,
    "shuffle": True,
    "fletcher32": True,
}
#: Edge of a chunk of voxels: small enough to read a region, large enough to compress.
CHUNK_VOXELS = 32
#: Rows in a chunk of a table that grows a little at each flush, and of one written at once.
CHUNK_ROWS = 1024
CHUNK_CELLS = 65536


@dataclass(frozen=True)
class Column:
    """A column of a table, or a field of the lattice: what its numbers are.

    `name` carries its unit as a suffix (see `bonesim.units`). `symbol` is the standard one
    (BV/TV, Tb.Th). `dtype` is how numbers are stored. `codes` are the names of 0, 1, 2, ...
    where the numbers are codes.
    """

    name: str
    unit: str
    symbol: str
    meaning: str
    dtype: str = "float64"
    codes: tuple[str, ...] = ()


#: The lattice arrays of a snapshot, each uint8 of shape (nz, ny, nx).
FIELDS = (
    Column("quanta", "1/255 voxel", "BV/TV", "bone fraction of the voxel; bone at >= 128", "uint8"),
    Column("mineral", "1/255", "", "mineralisation of the voxel's bone; 255 is full", "uint8"),
    Column(
        "surface_state",
        "",
        "",
        "what happens at the voxel",
        "uint8",
        (
            "marrow",
            "bone interior",
            "quiescent surface",
            "osteoclast",
            "mononuclear phase",
            "reversal",
            "forming",
            "arrested reversal",
        ),
    ),
    Column(
        "osteocyte_viability",
        "1/255",
        "",
        "share of the voxel's lacunae with a living osteocyte; 0 also where there is no lacuna",
        "uint8",
    ),
    Column(
        "stock",
        "1/255 voxel",
        "",
        "bone that cells took from the voxel and are to put back; quanta + stock: the closed lattice",
        "uint8",
    ),
)
#: Fields that a file of an earlier version may lack.
ADDED_FIELDS = frozenset({"stock"})


def fields_in(file: Any) -> tuple[Column, ...]:
    """The fields of an open run file: `FIELDS`, but for those that its version did not have."""
    held = file[CELL_DATA]
    return tuple(one for one in FIELDS if one.name not in ADDED_FIELDS or one.name in held)


def identity(file: Any) -> str:
    """SHA-256 of an open run file's config and provenance: it links a checkpoint to its run."""
    texts = (file[place][()].tobytes() for place in (CONFIG, PROVENANCE))
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def set_text(attributes: h5py.AttributeManager, name: str, text: str) -> None:
    """Store `text` as an attribute of fixed length, within the checksummed object header."""
    encoded = text.encode()
    kind = h5py.string_dtype("utf-8", max(1, len(encoded)))
    attributes.create(name, np.array(encoded, dtype=kind))


def get_text(attributes: h5py.AttributeManager, name: str) -> str:
    """The text stored by `set_text`; KeyError or ValueError if there is none."""
    value = attributes[name]
    if not isinstance(value, bytes):
        raise ValueError(f"attribute {name} is not a text")
    return value.decode()


def describe(dataset: h5py.Dataset, column: Column) -> None:
    """Write unit, symbol, meaning and codes of `column` beside its numbers."""
    set_text(dataset.attrs, "unit", column.unit)
    set_text(dataset.attrs, "symbol", column.symbol)
    set_text(dataset.attrs, "meaning", column.meaning)
    if column.codes:
        set_text(dataset.attrs, "codes", json.dumps(column.codes))


def described(name: str, dataset: h5py.Dataset) -> Column:
    """The description stored beside the numbers of `dataset`."""
    codes = get_text(dataset.attrs, "codes") if "codes" in dataset.attrs else "[]"
    return Column(
        name,
        get_text(dataset.attrs, "unit"),
        get_text(dataset.attrs, "symbol"),
        get_text(dataset.attrs, "meaning"),
        str(dataset.dtype),
        tuple(str(code) for code in json.loads(codes)),
    )


def create_field(group: h5py.Group, field: Column, shape_zyx: tuple[int, int, int]) -> None:
    """An empty series of lattice arrays, one to be added at each snapshot."""
    dataset = group.create_dataset(
        field.name,
        shape=(0, *shape_zyx),
        maxshape=(None, *shape_zyx),
        chunks=(1, *(min(CHUNK_VOXELS, n) for n in shape_zyx)),
        dtype=field.dtype,
        **FILTERS,
    )
    describe(dataset, field)


def create_series(
    group: h5py.Group, name: str, dtype: Any, chunk_rows: int = CHUNK_ROWS
) -> h5py.Dataset:
    """An empty 1-D dataset that grows."""
    return group.create_dataset(
        name, shape=(0,), maxshape=(None,), chunks=(chunk_rows,), dtype=dtype, **FILTERS
    )


def create_table(file: h5py.File, path: str, columns: Sequence[Column]) -> None:
    """An empty table: a group with a 1-D dataset per column, their order kept as an attribute."""
    group = file.require_group(path)
    set_text(group.attrs, "columns", json.dumps([column.name for column in columns]))
    for column in columns:
        describe(create_series(group, column.name, column.dtype), column)


def column_names(group: h5py.Group) -> list[str]:
    """The columns of a table in the order they were declared."""
    return [str(name) for name in json.loads(get_text(group.attrs, "columns"))]


def population_path(population: str) -> str:
    """The group of a population: a group of cells for each snapshot."""
    return f"{CELLS}/{population}"


def set_descriptions(group: h5py.Group, columns: Sequence[Column]) -> None:
    """Store what the columns of a population mean, once for all its snapshots."""
    rows = [[c.name, c.unit, c.symbol, c.meaning, c.codes] for c in columns]
    set_text(group.attrs, "descriptions", json.dumps(rows))


def descriptions(group: h5py.Group) -> dict[str, Column] | None:
    """The columns of a population by name; None if the file does not describe them."""
    if "descriptions" not in group.attrs:
        return None
    rows = json.loads(get_text(group.attrs, "descriptions"))
    return {
        str(name): Column(
            str(name), str(unit), str(symbol), str(meaning), codes=tuple(str(c) for c in codes)
        )
        for name, unit, symbol, meaning, codes in rows
    }


def cells_path(population: str, day: int) -> str:
    """Where the cells of a population at a snapshot are."""
    return f"{population_path(population)}/day_{day}"
