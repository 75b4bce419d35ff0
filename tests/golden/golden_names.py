"""The one name map of the golden digest: digest name -> where the array is today.

The left side never changes: it is what the digests are recorded under. A rename in the package edits
the right side only, so that equal bits give equal digests under other names.
"""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Every array of the tissue -> attribute path from the simulation.
ARRAYS = {
    "tissue.quanta": "tissue.lattice.quanta",
    "tissue.formed_day": "tissue.lattice.formed_day",
    "tissue.owner": "tissue.lattice.owner",
    "tissue.surface": "tissue.surface_voxels",
    "tissue.counts": "tissue.lattice.counts",
    "tissue.sums": "tissue.lattice.sums",
    "cavities.tally": "cavities.tally",
    "precursors.pool": "precursors.pool",
    "deposits.recent": "recent_deposits",
}
#: Every table of rows -> attribute path to its columns.
TABLES = {
    "site": "cavities.sites.columns",
    "record": "cavities.records.columns",
    "bmu": "bmus.rows.columns",
    "osteoclast": "osteoclasts.rows.columns",
    "osteoblast": "osteoblasts.rows.columns",
    "osteocyte": "osteocytes.rows.columns",
}
_ROW = {"alive": "alive", "free": "free", "used": "used"}
_NORMAL = {"nz": "nz", "ny": "ny", "nx": "nx"}
#: Columns of the tables, digest name -> name today.
COLUMNS: dict[str, dict[str, str]] = {
    "site": _ROW | _NORMAL | {
        "id": "id", "bmu": "bmu", "bmu_id": "bmu_id", "voxel": "voxel", "area_um2": "area_um2",
        "phase": "phase", "phase_day": "phase_day", "waited": "waited",
        "osteoclast_depth_um": "osteoclast_depth_um",
        "osteoclast_target_um": "osteoclast_target_um",
        "depth_excess": "depth_excess", "mononuclear_depth_um": "mononuclear_depth_um",
        "mononuclear_target_um": "mononuclear_target_um", "open_um": "open_um", "film_um": "film_um",
        "removed_quanta": "removed_quanta", "wall_um": "wall_um",
        "formed_quanta": "formed_quanta", "front_voxel": "front_voxel", "first": "first",
    },
    "record": _ROW | {
        "voxel": "voxel", "site": "site", "next": "next", "stock": "stock", "foot": "foot",
        "below_um": "below_um", "film_um": "film_um", "event": "event", "granted": "granted",
    },
    "bmu": _ROW | _NORMAL | {
        "id": "id", "voxel": "voxel", "born_day": "born_day", "phase": "phase",
        "z": "z", "y": "y", "x": "x", "tz": "tz", "ty": "ty", "tx": "tx",
        "quota_um2": "quota_um2", "area_um2": "area_um2", "owed_um2": "owed_um2",
        "depth_factor": "depth_factor", "mononuclear_factor": "mononuclear_factor",
        "wait_factor": "wait_factor",
        "misses": "misses", "recruited": "recruited", "open_sites": "open_sites",
    },
    "osteoclast": _ROW | {
        "id": "id", "site": "site", "voxel": "voxel", "born_day": "born_day",
        "depth_um": "depth_um",
    },
    "osteoblast": _ROW | {
        "id": "id", "site": "site", "site_id": "site_id", "voxel": "voxel",
        "born_day": "born_day", "end_day": "end_day", "fate": "fate",
    },
    "osteocyte": _ROW | {
        "id": "id", "voxel": "voxel", "born_day": "born_day", "viable": "viable",
        "died_day": "died_day", "setpoint_mpa": "setpoint_mpa",
    },
}  # fmt: skip
#: Columns of the log of topological events, digest name -> name today.
EVENTS = {
    "day": "day", "kind": "kind", "status": "status", "z_um": "z_um", "y_um": "y_um", "x_um": "x_um",
    "thickness_um": "thickness_um", "depth_um": "depth_um", "bmu": "bmu",
    "delta_euler": "delta_euler", "quanta": "quanta", "voxel": "voxel", "floorless": "floorless",
}  # fmt: skip
#: Columns of the log of floorless voxels.
FLOORLESS = {"day": "day", "voxel": "voxel", "quanta": "quanta", "bmu": "bmu"}
#: Columns of the daily table, digest name -> name today.
DAILY = {
    name: name
    for name in (
        "day", "e2_pg_per_ml", "t_ng_per_dl", "e2_deficit", "setpoint_pg_per_ml",
        "activation_multiplier", "bvtv_percent", "bmd_mg_per_cm3", "bstv_per_mm", "euler",
        "conn_d_raw_per_mm3", "es_bs_percent", "os_bs_percent", "arrested_bs_percent",
        "ac_f_per_year", "turnover_percent_per_year", "e_de_um", "w_th_um", "osteoclasts",
        "osteoblasts", "osteocyte_lacunae", "osteocytes_viable", "bmus", "precursor_pool",
        "sclerostin", "load_percent", "strain_mean", "apparent_modulus_z_mpa",
        "apparent_modulus_y_mpa", "apparent_modulus_x_mpa", "yield_load_n", "failure_load_n",
        "load_to_strength", "mechanics_cycles", "bone_quanta", "formed_quanta", "resorbed_quanta",
        "fragments_quanta", "bmus_born", "area_started_mm2", "area_closed_mm2",
        "area_modelled_mm2", "modelled_mm3", "closed_eroded_mm3", "closed_formed_mm3",
        "holes", "cuts", "fragments_freed",
    )
}  # fmt: skip


def arrays_of(simulation: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """Every array of the digest, by its digest name."""
    for name, path in ARRAYS.items():
        yield name, np.asarray(attrgetter(path)(simulation))
    yield "tissue.mineral", simulation.tissue.mineral_image(simulation.day)
    for table, path in TABLES.items():
        columns = attrgetter(path)(simulation)
        rows, free = int(columns.used[0]), int(columns.used[1])
        for name, now in COLUMNS[table].items():
            length = {"used": 3, "free": free}.get(name, rows)
            yield f"{table}.{name}", getattr(columns, now)[:length]
    for log, path, names in (
        ("event", "events", EVENTS),
        ("earlier_event", "earlier_events", EVENTS),
        ("floorless", "floorless", FLOORLESS),
    ):
        found = getattr(simulation, path).columns()
        for name, now in names.items():
            yield f"{log}.{name}", found[now]
    table = simulation.table()
    for name, now in DAILY.items():
        yield f"daily.{name}", table[now]
