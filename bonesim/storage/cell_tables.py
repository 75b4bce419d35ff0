"""The tables of cells at a snapshot: what each column is, and how version 0.1 kept them.

Places are in the frame of `Run.image` and of the events: the origin is the corner of the lattice,
so the centre of the first voxel is at half a voxel.

Version 0.1 kept the rows of the simulation as they were: flat indices and coordinates in a lattice
padded by one voxel on each side, days of birth, codes without names.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.storage.layout import Column

FATES = ("osteocyte", "lining cell", "apoptosis")
PHASES = ("travelling", "finishing")


def _place(what: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"{axis}_um", "um", "", f"{what}: {axis} from the corner of the lattice", "float32")
        for axis in "xyz"
    )


def _vector(name: str, what: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"{name}{axis}", "", "", f"{what}: component along {axis}", "float32")
        for axis in "xyz"
    )


BMU = (
    Column("id", "", "", "identity of the BMU, as in the events' column bmu", "uint64"),
    *_place("front of the BMU, on the bone surface"),
    Column("age_day", "d", "", "days since its birth", "int32"),
    Column("phase", "", "", "travelling: recruits osteoclasts; finishing: no longer does", "uint8",
           PHASES),
    *_vector("n", "unit normal of the surface at the front, into bone"),
    *_vector("t", "unit vector of travel"),
    Column("quota_um2", "um2", "", "surface area at which its front stops", "float32"),
    Column("area_um2", "um2", "", "surface area activated so far", "float32"),
    Column("open_sites", "", "", "sites not yet refilled or arrested", "int32"),
)  # fmt: skip
OSTEOCLAST = (
    Column("id", "", "", "identity of the osteoclast; that of its site", "uint64"),
    *_place("centre of the surface voxel at which its site began"),
    Column("age_day", "d", "", "days since its birth", "int32"),
    Column("site_id", "", "", "identity of its remodelling site", "uint64"),
    Column("depth_um", "um", "", "depth it has resorbed so far", "float32"),
)
OSTEOBLAST = (
    Column("id", "", "", "identity of the osteoblast; its osteocyte keeps it", "uint64"),
    *_place("centre of its voxel, one of its site's"),
    Column("age_day", "d", "", "days since its team settled", "int32"),
    Column("site_id", "", "", "identity of its remodelling or modelling site", "uint64"),
    Column("end_day", "d", "", "day on which it meets its fate, or later if not yet buried",
           "int32"),
    Column("fate", "", "", "what it becomes, fixed at birth", "uint8", FATES),
)  # fmt: skip
OSTEOCYTE = (
    Column("id", "", "", "identity of the osteocyte or its empty lacuna", "uint64"),
    *_place("centre of the voxel of its lacuna"),
    Column("age_day", "d", "", "days since it was buried", "int32"),
    Column("viable", "", "", "whether it is alive; loss of its bone is noted up to look_day later", "bool"),
    Column("died_day", "d", "", "day it died; NaN while viable, or if before the burn-in",
           "float32"),
    Column("setpoint_mpa", "MPa", "", "set-point of strain energy density; NaN if not yet set",
           "float32"),
)  # fmt: skip

#: Population -> its columns.
CELL_COLUMNS = {
    "bmus": BMU, "osteoblasts": OSTEOBLAST, "osteoclasts": OSTEOCLAST, "osteocytes": OSTEOCYTE,
}  # fmt: skip

#: Version 0.1: day of death of lacunae that were empty at the start; it is not known.
_EMPTY_AT_START = -100000


def in_order(
    columns: tuple[Column, ...], values: Mapping[str, NDArray[Any]]
) -> dict[Column, NDArray[Any]]:
    """The values of `columns` in their order and kind; KeyError if one is missing."""
    return {column: values[column.name].astype(column.dtype) for column in columns}


def from_version_0_1(
    population: str, rows: Mapping[str, NDArray[Any]], day: int, shape_zyx: tuple[int, ...],
    voxel_um: float,
) -> dict[Column, NDArray[Any]]:  # fmt: skip
    """The table of a population from the rows that version 0.1 kept of a day.

    Raises:
        LookupError, ValueError: an unknown population, a column is missing, or a place outside.
    """
    values = dict(rows)
    padded = tuple(n + 2 for n in shape_zyx)
    place: tuple[NDArray[Any], ...] = np.unravel_index(rows["voxel"], padded)
    if population == "bmus":
        place = (rows["z"], rows["y"], rows["x"])
        values["phase"] = rows["phase"] - 1
    elif population == "osteoclasts":
        values["site_id"] = rows["id"]
    elif population == "osteoblasts":
        values["fate"] = rows["fate"] - 1
    elif population == "osteocytes":
        unknown = (rows["viable"] == 1) | (rows["died_day"] <= _EMPTY_AT_START)
        values["died_day"] = np.where(unknown, np.nan, rows["died_day"])
        unset = rows["setpoint_mpa"] == 0.0
        values["setpoint_mpa"] = np.where(unset, np.nan, rows["setpoint_mpa"])
    for axis, padded_voxels in zip("zyx", place, strict=True):
        values[f"{axis}_um"] = (padded_voxels.astype(np.float64) - 0.5) * voxel_um
    values["age_day"] = day - rows["born_day"]
    return in_order(CELL_COLUMNS[population], values)
