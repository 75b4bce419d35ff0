"""What a run file has before its first day: its groups, empty tables, texts and sums."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from bonesim.storage import checksums, layout
from bonesim.storage.layout import Column

#: VTKHDF: version of the format, and the type, ASCII of fixed length as VTK's reader wants it.
VTKHDF_VERSION = (2, 3)
IMAGE_DATA = np.bytes_("ImageData")


def make(
    file: h5py.File, shape_zyx: tuple[int, int, int], voxel_um: float, config_text: str,
    provenance: Mapping[str, Any], tables: Mapping[str, Sequence[Column]],
) -> None:  # fmt: skip
    """Fill an empty file; `tables`: path of each table -> its columns."""
    _make_vtk(file, shape_zyx, voxel_um)
    _make_bonesim(file, config_text, provenance, voxel_um)
    for place, columns in tables.items():
        layout.create_table(file, place, columns)
    _give_sums(file)


def _make_vtk(file: h5py.File, shape_zyx: tuple[int, int, int], voxel_um: float) -> None:
    nz, ny, nx = shape_zyx
    vtk = file.create_group(layout.VTK)
    vtk.attrs["Version"] = np.array(VTKHDF_VERSION, np.int64)
    vtk.attrs["Type"] = IMAGE_DATA
    vtk.attrs["WholeExtent"] = np.array([0, nx, 0, ny, 0, nz], np.int64)
    vtk.attrs["Origin"] = np.zeros(3)
    vtk.attrs["Spacing"] = np.full(3, voxel_um / 1000.0)
    vtk.attrs["Direction"] = np.eye(3).ravel()
    cells = vtk.create_group("CellData")
    steps = vtk.create_group("Steps")
    steps.attrs["NSteps"] = 0
    layout.create_series(steps, "Values", np.float64)
    offsets = steps.create_group("CellDataOffsets")
    for field in layout.FIELDS:
        layout.create_field(cells, field, shape_zyx)
        layout.create_series(offsets, field.name, np.int64)


def _make_bonesim(
    file: h5py.File, config_text: str, provenance: Mapping[str, Any], voxel_um: float
) -> None:
    group = file.create_group(layout.BONESIM)
    group.attrs["schema_version"] = layout.SCHEMA_VERSION
    group.attrs["voxel_um"] = voxel_um
    for name, key in (("bonesim_version", "bonesim"), ("created", "created")):
        layout.set_text(group.attrs, name, str(provenance.get(key, "unknown")))
    layout.set_text(group.attrs, "status", layout.RUNNING)
    file.create_group(layout.CELLS)
    for place, text in (
        (layout.CONFIG, config_text),
        (layout.PROVENANCE, json.dumps(dict(provenance), indent=1)),
    ):
        encoded = np.frombuffer(text.encode(), np.uint8)
        file.create_dataset(place, data=encoded, chunks=True, **layout.FILTERS)


def _give_sums(file: h5py.File) -> None:
    """Give all datasets their sums; those of the lattice are kept for each step."""
    file[layout.BONESIM].attrs[checksums.MARK] = np.uint8(1)
    sums = file.create_group(checksums.FIELD_SUMS)
    for field in layout.FIELDS:
        layout.create_series(sums, field.name, np.uint32)

    def give(_name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.parent.name != f"/{layout.CELL_DATA}":
            checksums.start(item)

    file.visititems(give)
