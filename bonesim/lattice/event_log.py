"""The log of topological events, and which of them count.

Every crossing that changes the topology of bone is one row of the log, with its Euler change:

    Euler number at the start + sum of all changes = Euler number now.

No perforation or cut is final while its BMU is open. The erosive events of a BMU are classified
together, a year after it has closed. Candidates are events at floorless voxels that are still
marrow. Their net Euler change is the number of holes (negative) or cuts (positive) that the cavity
made. Two holes of one cavity that merge, or a hole that reaches the edge of its plate, cancel out:
they are transient, like all that healed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.lattice.tissue import Tissue
from bonesim.lattice.topology import FRAGMENT_FREED, MIXED, PLATE_PERFORATION, STRUT_CUT
from bonesim.units import BONE

#: Outcome of an event; its code is its position here.
EVENT_STATUSES = ("open", "transient", "final", "not_counted")
OPEN, TRANSIENT, FINAL, NOT_COUNTED = 0, 1, 2, 3
#: Days from the end of a BMU to the classification of its events (a year; guide M10).
JUDGEMENT_DAYS = 365

COLUMNS: dict[str, Any] = {
    "day": np.float64, "kind": np.uint8, "status": np.uint8, "z_um": np.float32,
    "y_um": np.float32, "x_um": np.float32, "thickness_um": np.float32, "depth_um": np.float32,
    "bmu": np.uint64, "delta_euler": np.int16, "quanta": np.int32, "voxel": np.int64,
    "floorless": np.uint8,
}  # fmt: skip


class EventLog:
    """All events of a run, as columns in order of time."""

    def __init__(self) -> None:
        self._columns = {name: np.zeros(256, dtype) for name, dtype in COLUMNS.items()}
        self._rows = 0
        self.closed_bmu: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self.closed_day: NDArray[np.int64] = np.zeros(0, np.int64)

    def __len__(self) -> int:
        """Events so far."""
        return self._rows

    def columns(self) -> dict[str, NDArray[Any]]:
        """All columns (views)."""
        return {name: column[: self._rows] for name, column in self._columns.items()}

    def add(
        self, day: int, drained: dict[str, NDArray[Any]], places_um: NDArray[np.float64]
    ) -> None:
        """Append one day's events as `Tissue.drain_events` gives them."""
        new = drained["voxel"].size
        while self._rows + new > self._columns["day"].size:
            self._columns = {
                n: np.concatenate([c, np.zeros_like(c)]) for n, c in self._columns.items()
            }
        rows = slice(self._rows, self._rows + new)
        c = self._columns
        c["day"][rows] = day
        for name in ("kind", "quanta", "thickness_um", "depth_um", "bmu", "voxel"):
            c[name][rows] = drained[name]
        c["delta_euler"][rows] = drained["euler"]
        c["z_um"][rows], c["y_um"][rows], c["x_um"][rows] = places_um.T
        c["floorless"][rows] = 0
        counted = np.isin(drained["kind"], (PLATE_PERFORATION, STRUT_CUT, MIXED))
        c["status"][rows] = np.where(counted, OPEN, NOT_COUNTED)
        c["status"][rows][drained["kind"] == FRAGMENT_FREED] = FINAL
        self._rows += new

    def mark_floorless(self, voxels: NDArray[np.int64]) -> None:
        """Note that the open events at these voxels have no floor."""
        if voxels.size:
            c = self.columns()
            c["floorless"][np.isin(c["voxel"], voxels) & (c["status"] == OPEN)] = 1

    def close_bmus(self, ids: NDArray[np.uint64], day: int) -> None:
        """Note which BMUs ended today; their events are classified a year later."""
        if not ids.size:
            return
        mine = np.isin(ids, self.columns()["bmu"])
        self.closed_bmu = np.concatenate([self.closed_bmu, ids[mine]])
        self.closed_day = np.concatenate([self.closed_day, np.full(int(mine.sum()), day, np.int64)])

    def judge(self, tissue: Tissue, day: int) -> None:
        """Give the events of BMUs closed a year ago their final status."""
        due = self.closed_day + JUDGEMENT_DAYS <= day
        if not due.any():
            return
        c = self.columns()
        for bmu in self.closed_bmu[due]:
            mine = np.flatnonzero((c["bmu"] == bmu) & (c["status"] == OPEN))
            still = tissue.lattice.quanta[c["voxel"][mine]] < BONE
            candidates = mine[still & (c["floorless"][mine] == 1)]
            c["status"][mine] = TRANSIENT
            c["status"][final_rows(candidates, c["delta_euler"][candidates])] = FINAL
        self.closed_bmu, self.closed_day = self.closed_bmu[~due], self.closed_day[~due]

    def still_open(self) -> "EventLog":
        """A log of only those events that are not classified yet."""
        waits = self.columns()["status"] == OPEN
        kept = EventLog()
        rows = {f"row_{name}": column[waits] for name, column in self.columns().items()}
        kept.restore({**rows, "closed_bmu": self.closed_bmu, "closed_day": self.closed_day})
        return kept

    def final_count(self, kind: int) -> int:
        """Final events of one kind so far."""
        c = self.columns()
        return int(np.count_nonzero((c["kind"] == kind) & (c["status"] == FINAL)))

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything a restart needs."""
        named = {f"row_{name}": column.copy() for name, column in self.columns().items()}
        return named | {"closed_bmu": self.closed_bmu, "closed_day": self.closed_day}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Put a `state` back."""
        self._columns = {name: state[f"row_{name}"].copy() for name in COLUMNS}
        self._rows = self._columns["day"].size
        if self._rows == 0:
            self._columns = {name: np.zeros(256, dtype) for name, dtype in COLUMNS.items()}
        self.closed_bmu, self.closed_day = state["closed_bmu"], state["closed_day"]


def final_rows(rows: NDArray[np.int64], changes: NDArray[np.int16]) -> NDArray[np.int64]:
    """Of one cavity's candidate events, the earliest that make up its net Euler change."""
    net = int(changes.sum(dtype=np.int64))
    chosen = []
    for row, change in zip(rows, changes, strict=True):
        if net != 0 and change * net > 0:
            chosen.append(row)
            net -= int(np.sign(net)) * min(abs(int(change)), abs(net))
    return np.array(chosen, np.int64)
