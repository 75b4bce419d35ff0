"""What a state must be like before it is put into a simulation: no file can mislead a kernel.

Kernels do not check bounds. A checkpoint with a right hash may still be made by another program or
with intent, so its content is checked against the tables here: names, kinds and shapes against the
state of a fresh simulation of the same config; values against `BOUNDS`; what refers to something
against what is there (`_rows`, `_lattice`, `_cavities`, `_cells`).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.cells.population import FREE_ROWS, HIGH_WATER, REFUSED
from bonesim.cells.site import ARRESTED, OSTEOCLAST
from bonesim.engine.breaks import BREAK_KINDS, BREAK_STATES
from bonesim.engine.daily_table import COLUMNS
from bonesim.engine.simulation import Simulation
from bonesim.lattice.event_log import EVENT_STATUSES
from bonesim.lattice.ledger import (
    BONE_QUANTA,
    CORNER_PAIRS,
    COUNTS,
    EDGE_PAIRS,
    EULER,
    EVENTS,
    FACE_PAIRS,
    FLOORLESS,
    FORMED,
    FRAGMENTS,
    INTERIOR_QUANTA,
    OUTSIDE,
    RESORBED,
)
from bonesim.lattice.tissue import count_start
from bonesim.lattice.topology import EVENT_KINDS

State = dict[str, Any]

#: Values that a float or a whole number may have where nothing else is given; a day; a length, um.
ANY, DAY, LENGTH = (-1e30, 1e30), (-(2.0**31), 2.0**31 - 1), (-1e6, 1e6)
COUNT, UNIT, POSITIVE = (0, 2.0**31 - 1), (-1.01, 1.01), (0.0, 1e12)
#: Path, or its last names -> lowest and highest value of living rows.
BOUNDS: dict[str, tuple[float, float]] = {
    "tissue/formed_day": (-1e6, 1e6), "tissue/sums": POSITIVE, "tissue/counts": (-(2.0**62), 2.0**62),
    "cavities/tally": (-1e18, 1e18), "cavities/sites/phase": (OSTEOCLAST, ARRESTED),
    "cavities/sites/area_um2": (0.0, 1e9), "removed_quanta": COUNT,
    "formed_quanta": (-(2.0**31), 2.0**31 - 1), "wall_um": LENGTH,
    "nz": UNIT, "ny": UNIT, "nx": UNIT, "tz": UNIT, "ty": UNIT, "tx": UNIT,
    "depth_um": LENGTH, "osteoclast_depth_um": LENGTH, "osteoclast_target_um": LENGTH,
    "depth_excess": LENGTH, "open_um": LENGTH, "film_um": LENGTH,
    "below_um": LENGTH, "records/foot": (0, 1), "depth_factor": POSITIVE,
    "mononuclear_factor": POSITIVE, "wait_factor": POSITIVE, "waited": POSITIVE,
    "response/depth_deficit": (-1e3, 1e3), "response/adapted": (-1e3, 1e3),
    "mononuclear_depth_um": LENGTH, "mononuclear_target_um": LENGTH, "records/event": (0, 1),
    "records/weight": ANY, "bmus/phase": (1, 2), "quota_um2": (0.0, 1e9), "bmus/area_um2": (0.0, 1e9),
    "owed_um2": (-1e9, 1e9), "misses": COUNT, "recruited": COUNT, "open_sites": COUNT,
    "osteoblasts/fate": (1, 3), "osteocytes/viable": (0, 1), "setpoint_mpa": (0.0, 1e9),
    "precursors/pool": (0.0, 1e9), "slow_deficit": (-1e3, 1e3), "signals/health": POSITIVE,
    "fields/*": POSITIVE, "signals/strain": POSITIVE, "mean_surface_strain": POSITIVE,
    "solved_load_level": POSITIVE, "baseline_strain": POSITIVE, "solves": COUNT,
    "mechanics/energy": POSITIVE, "coming/energy": POSITIVE, "coming/is_one": (0, 1),
    "known": (-1e9, 1e9), "solved_quanta": (-1, 2.0**53),
    "row_kind": (0, len(EVENT_KINDS) - 1), "row_status": (0, len(EVENT_STATUSES) - 1),
    "row_floorless": (0, 1), "floorless/quanta": COUNT, "response/births_deficit": (-1e3, 1e3),
    "deposits/recent": (-1e12, 1e12),
}  # fmt: skip
#: Not a number is allowed: what is only reported, and what was never computed.
MAY_BE_NAN = (
    "mechanics/results/",
    "mechanics/coming/results/",
    "counting/table/",
    "breaks/row_",
    "row_thickness_um",
    "row_depth_um",
)
#: Of these the first length varies; all that belong together have one length.
GROWING = ("cavities/sites/", "cavities/records/", "populations/", "fragments/", "events/",
           "earlier_events/", "floorless/", "breaks/row_", "breaks/track_", "breaks/gap_",
           "mechanics/memory/", "counting/table/", "tissue/owned",
           "tissue/owner", "tissue/surface", "tissue/formed_day")  # fmt: skip


def require_sound(simulation: Simulation, state: State, reference: State) -> None:
    """Raise ValueError unless `state` can be put into `simulation` and continued safely.

    Args:
        simulation: fresh, of the config that the state is of.
        state: as a file has it.
        reference: the state of a fresh simulation; its names, kinds and shapes are required.
    """
    wanted, found = dict(_leaves(reference)), dict(_leaves(state))
    days = simulation.config.schedule
    day = found.get("day")
    if type(day) is not int or not -days.burn_in_day <= day <= days.duration_day:
        raise ValueError(f"day is {day!r}")
    wanted = {name: leaf for name, leaf in wanted.items() if not name.startswith("counting")}
    if day >= 0:
        names = {c.name for c in (*COLUMNS, *(one.column for one in simulation.measures))}
        table = {f"counting/table/{name}": np.zeros(0, np.float64) for name in names}
        # Columns of measures that are not wanted any more.
        table |= {n: np.zeros(0, np.float64) for n in found if n.startswith("counting/table/")}
        wanted |= {"counting/first_quanta": 0, "counting/first_euler": 0, **table}
    if wanted.keys() != found.keys():
        raise ValueError(f"{min(wanted.keys() ^ found.keys())} is missing or unknown")
    for name, leaf in found.items():
        _require_kind(name, leaf, wanted[name])
    _lattice(simulation, state)
    for name, table in _tables(state).items():
        _rows(name, table)
    _cavities(simulation, state)
    _cells(simulation, state)
    _logs(simulation, state)
    for name, leaf in found.items():
        _require_bounds(name, leaf, state)
    if day >= 0:
        _counting(state)


def _leaves(state: State, prefix: str = "") -> list[tuple[str, Any]]:
    """Path and value of all that is no group."""
    found: list[tuple[str, Any]] = []
    for name, value in state.items():
        if isinstance(value, dict):
            found += _leaves(value, f"{prefix}{name}/")
        else:
            found.append((prefix + name, value))
    return found


def _require_kind(name: str, leaf: Any, wanted: Any) -> None:
    """The type, number of dimensions and fixed lengths."""
    if not isinstance(wanted, np.ndarray):
        if type(leaf) is not type(wanted) or abs(leaf) > 2.0**62:
            raise ValueError(f"{name} is {leaf!r}")
        return
    shape: Any = getattr(leaf, "shape", None)
    if name.startswith("counting/table/"):
        right = shape is not None and leaf.ndim == 1 and leaf.dtype.kind in "if"
        right = right and leaf.dtype.itemsize == 8
    else:
        start = int(name.startswith(GROWING) and not name.endswith("/used"))
        right = shape is not None and leaf.dtype == wanted.dtype and leaf.ndim == wanted.ndim
        right = right and shape[start:] == wanted.shape[start:]
    if not right:
        raise ValueError(
            f"{name} is {getattr(leaf, 'dtype', type(leaf).__name__)} of shape {shape}"
        )


def _require_bounds(name: str, leaf: Any, state: State) -> None:
    """The values, of living rows in a table of cells."""
    values = np.asarray(leaf)
    group, _, column = name.rpartition("/")
    table = _tables(state).get(group)
    if table is not None and column not in ("free", "used"):
        values = values[table["alive"] == 1]
    if values.dtype.kind == "f":
        nan = np.isnan(values)
        if nan.any() and not any(one in name for one in MAY_BE_NAN):
            raise ValueError(f"{name} has values that are no numbers")
        values = values[~nan]
        if np.isinf(values).any() and not name.startswith("counting/table/"):
            raise ValueError(f"{name} has infinite values")
    low, high = _bounds(name)
    if values.size and not low <= values.min() <= values.max() <= high:
        raise ValueError(f"{name} goes from {values.min()} to {values.max()}")


def _bounds(name: str) -> tuple[float, float]:
    parts = name.split("/")
    for start in range(len(parts)):
        key = "/".join(parts[start:])
        if key in BOUNDS:
            return BOUNDS[key]
    if parts[-2:-1] == ["fields"]:
        return BOUNDS["fields/*"]
    if parts[-1].endswith("_day"):
        return DAY
    return -math.inf, math.inf


def _tables(state: State) -> dict[str, State]:
    """The tables of rows: path -> its columns."""
    cavities = {f"cavities/{name}": state["cavities"][name] for name in ("sites", "records")}
    return cavities | {f"populations/{name}": t for name, t in state["populations"].items()}


def _rows(name: str, table: State) -> None:
    """The bookkeeping of a table: rows in use, and the stack of free ones."""
    high, free, refused = (int(table["used"][n]) for n in (HIGH_WATER, FREE_ROWS, REFUSED))
    lengths = {column.size for key, column in table.items() if key not in ("free", "used")}
    if lengths != {high} or table["free"].size != free or refused != 0 or high >= 2**31:
        raise ValueError(f"{name}: columns of {sorted(lengths)} rows, {high} used, {free} free")
    alive = table["alive"]
    unused = np.flatnonzero(alive == 0)
    if np.any(alive > 1) or not np.array_equal(np.sort(table["free"]), unused):
        raise ValueError(f"{name}: rows are alive and free, or neither")


def _lattice(simulation: Simulation, state: State) -> None:
    """Bone, and all that is counted of it, counted again."""
    tissue, lattice = state["tissue"], simulation.tissue.lattice
    quanta: NDArray[np.uint8] = tissue["quanta"]
    if np.any(quanta[lattice.region == OUTSIDE]):
        raise ValueError("tissue/quanta has bone outside the specimen")
    if tissue["formed_day"].size != np.count_nonzero(quanta):
        raise ValueError("tissue/formed_day is of other bone")
    again = lattice._replace(
        quanta=quanta, counts=np.zeros(COUNTS, np.int64), surface=np.zeros(quanta.size, np.int32),
        surface_slot=np.full(quanta.size, -1, np.int32),
    )  # fmt: skip
    count_start(again)
    counts = tissue["counts"]
    same = [0, EULER, BONE_QUANTA, INTERIOR_QUANTA, FACE_PAIRS, EDGE_PAIRS, CORNER_PAIRS]
    if np.any(counts[same] != again.counts[same]) or counts[EVENTS] or counts[FLOORLESS]:
        raise ValueError("tissue/counts are not those of its bone")
    if not np.array_equal(np.sort(tissue["surface"]), np.sort(again.surface[: again.counts[0]])):
        raise ValueError("tissue/surface is not that of its bone")


def _cavities(simulation: Simulation, state: State) -> None:
    """Sites, the lists of their records, and who owns which voxel."""
    sites, records = state["cavities"]["sites"], state["cavities"]["records"]
    alive = sites["alive"] == 1
    _inside(simulation, "sites/voxel", sites["voxel"][alive])
    front = sites["front_voxel"][alive]
    _inside(simulation, "sites/front_voxel", front[front != -1])
    _unit("sites", sites, "n", alive)
    bmus = state["populations"]["bmus"]
    # An arrested site outlives its BMU, whose row may be free or another one's by then.
    rows = np.ones(bmus["alive"].size, np.uint8)
    _refer("sites/bmu", sites["bmu"][alive], rows, or_none=True)
    at_work = alive & (sites["bmu"] >= 0) & (sites["phase"] != ARRESTED)
    _refer("sites/bmu", sites["bmu"][at_work], bmus["alive"])
    if np.any(bmus["id"][sites["bmu"][at_work]] != sites["bmu_id"][at_work]):
        raise ValueError("sites/bmu_id is not that of its BMU")
    kept = records["alive"] == 1
    _inside(simulation, "records/voxel", records["voxel"][kept])
    _refer("records/site", records["site"][kept], sites["alive"])
    _refer("records/next", records["next"][kept], records["alive"], or_none=True)
    _refer("sites/first", sites["first"][alive], records["alive"], or_none=True)
    _chains(sites, records)
    owned, owner = state["tissue"]["owned"], state["tissue"]["owner"]
    _inside(simulation, "tissue/owned", owned)
    if owned.size != owner.size or np.any(np.diff(owned) <= 0):
        raise ValueError("tissue/owned is not in order")
    _refer("tissue/owner", owner, records["alive"])
    if np.any(records["voxel"][owner] != owned):
        raise ValueError("tissue/owner is not the record of its voxel")


def _chains(sites: State, records: State) -> None:
    """Each record is in the list of its site, once."""
    seen = np.zeros(records["alive"].size, bool)
    of = np.flatnonzero((sites["alive"] == 1) & (sites["first"] >= 0))
    here = sites["first"][of]
    while here.size:
        if np.any(seen[here]) or np.unique(here).size != here.size:
            raise ValueError("records/next leads to a record twice")
        if np.any(records["site"][here] != of):
            raise ValueError("records/site is not the site whose list has it")
        seen[here] = True
        following = records["next"][here]
        here, of = following[following >= 0], of[following >= 0]
    if np.any(seen != (records["alive"] == 1)):
        raise ValueError("records are in no site's list")


def _cells(simulation: Simulation, state: State) -> None:
    """Where cells are, and what they belong to."""
    sites = state["cavities"]["sites"]
    for name, table in state["populations"].items():
        _inside(simulation, f"{name}/voxel", table["voxel"][table["alive"] == 1])
    osteoclasts, osteoblasts = (state["populations"][n] for n in ("osteoclasts", "osteoblasts"))
    _refer("osteoclasts/site", osteoclasts["site"][osteoclasts["alive"] == 1], sites["alive"])
    # A team may outlive its site: what it refers to is compared by id.
    there = np.ones(sites["alive"].size, np.uint8)
    _refer("osteoblasts/site", osteoblasts["site"][osteoblasts["alive"] == 1], there)
    bmus = state["populations"]["bmus"]
    alive = bmus["alive"] == 1
    _unit("bmus", bmus, "n", alive)
    _unit("bmus", bmus, "t", alive)
    for axis, n in zip("zyx", simulation.tissue.shape, strict=True):
        place = bmus[axis][alive]
        if not np.all((place >= 0.5) & (place < n + 0.5)):
            raise ValueError(f"bmus/{axis} is outside the specimen")
    osteocytes = state["populations"]["osteocytes"]
    viable = np.count_nonzero((osteocytes["alive"] == 1) & (osteocytes["viable"] == 1))
    if viable != state["osteocytes_viable"]:
        raise ValueError(f"osteocytes_viable is {state['osteocytes_viable']}, they are {viable}")


def _logs(simulation: Simulation, state: State) -> None:
    """Events, floorless voxels, cuts: columns of one length, voxels inside."""
    groups: list[tuple[str, str, str | None]] = [("fragments", "", "voxels")]
    groups.append(("floorless", "", "voxel"))
    for log in ("events", "earlier_events"):
        groups += [(log, "row_", "row_voxel"), (log, "closed_", None)]
    for group, prefix, voxels in groups:
        columns = {n: c for n, c in state[group].items() if n.startswith(prefix)}
        if len({column.size for column in columns.values()}) > 1:
            raise ValueError(f"{group} has columns of several lengths")
        if voxels is not None:
            _inside(simulation, f"{group}/{voxels}", columns[voxels])
    _breaks(simulation, state["breaks"])
    for n, memory in enumerate(state["mechanics"]["memory"].values()):
        places, known = memory["places"], memory["known"]
        if len(places) != len(known):
            raise ValueError(f"mechanics/memory/case_{n} has columns of several lengths")
        if places.size and np.any((places < 0) | (places > simulation.mechanics.elements)):
            raise ValueError(f"mechanics/memory/case_{n}/places are outside the block")


def _breaks(simulation: Simulation, breaks: State) -> None:
    """Breaks: columns of one length, numbered; gaps of voxels inside; tracks of breaks there are."""
    count = breaks["row_id"].size
    for prefix in ("row_", "track_"):
        if len({column.size for n, column in breaks.items() if n.startswith(prefix)}) > 1:
            raise ValueError(f"breaks/{prefix[:-1]} has columns of several lengths")
    lengths, voxels = breaks["gap_lengths"], breaks["gap_voxels"]
    if lengths.size != count or np.any(lengths < 0) or lengths.sum() != voxels.size:
        raise ValueError("breaks/gap_lengths does not fit the breaks and their voxels")
    if voxels.size and not 0 <= voxels.min() <= voxels.max() < math.prod(simulation.tissue.shape):
        raise ValueError("breaks/gap_voxels are outside the specimen")
    if not np.array_equal(breaks["row_id"], np.arange(count)):
        raise ValueError("breaks/row_id are not the numbers from 0 on")
    if np.any((breaks["track_id"] < 0) | (breaks["track_id"] >= count)):
        raise ValueError("breaks/track_id are no breaks")
    if np.any(breaks["row_kind"] >= len(BREAK_KINDS)) or np.any(
        breaks["track_kind"] >= len(BREAK_KINDS)
    ):
        raise ValueError("breaks: a kind that is none")
    if np.any(breaks["row_state"] >= len(BREAK_STATES)):
        raise ValueError("breaks: a state that is none")


def _counting(state: State) -> None:
    """The daily table: one row for each day from 0 on; the ledger agrees with the bone."""
    table, day = state["counting"]["table"], state["day"]
    if any(column.size != day + 1 for column in table.values()):
        raise ValueError(f"counting/table has no {day + 1} rows")
    if not np.array_equal(table["day"], np.arange(day + 1)):
        raise ValueError("counting/table/day is not every day")
    counts = state["tissue"]["counts"]
    moved = int(counts[FORMED]) - int(counts[RESORBED]) - int(counts[FRAGMENTS])
    if state["counting"]["first_quanta"] + moved != counts[BONE_QUANTA]:
        raise ValueError("tissue/counts: bone formed and resorbed do not make its bone")


def _inside(simulation: Simulation, name: str, voxels: NDArray[Any]) -> None:
    """Raise ValueError unless all voxels (flat, padded) are within the specimen."""
    region = simulation.tissue.lattice.region
    if voxels.size and not (voxels.min() >= 0 and voxels.max() < region.size):
        raise ValueError(f"{name} goes from {voxels.min()} to {voxels.max()}")
    if np.any(region[voxels] == OUTSIDE):
        raise ValueError(f"{name} is outside the specimen")


def _refer(
    name: str, rows: NDArray[Any], alive: NDArray[np.uint8], *, or_none: bool = False
) -> None:
    """Raise ValueError unless all rows are of living entries (or -1 for none)."""
    some = rows[rows != -1] if or_none else rows
    if some.size and not (some.min() >= 0 and some.max() < alive.size):
        raise ValueError(f"{name} goes from {some.min()} to {some.max()}")
    if np.any(alive[some] != 1):
        raise ValueError(f"{name} is a row that is not alive")


def _unit(name: str, table: State, vector: str, alive: NDArray[np.bool_]) -> None:
    """Raise ValueError unless the vectors of living rows have length 1."""
    parts = [table[f"{vector}{axis}"][alive].astype(np.float64) for axis in "zyx"]
    length = np.sqrt(sum(part * part for part in parts))
    if not np.all(np.abs(length - 1.0) < 0.01):
        raise ValueError(f"{name}: {vector} is no unit vector")
