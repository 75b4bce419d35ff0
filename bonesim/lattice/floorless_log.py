"""The log of bone that cavities removed and cannot refill, because no floor is left there.

One row per voxel: the quanta that the cavity removed there, and its BMU. So the bone lost in
perforations, cuts and broken edges can be summed by the outcome of its BMU.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

COLUMNS: dict[str, Any] = {
    "day": np.int32, "voxel": np.int64, "quanta": np.int32, "bmu": np.uint64,
}  # fmt: skip


class FloorlessLog:
    """All floorless voxels of a run, as columns in order of time."""

    def __init__(self) -> None:
        self._columns = {name: np.zeros(0, dtype) for name, dtype in COLUMNS.items()}

    def __len__(self) -> int:
        """Rows so far."""
        return self._columns["day"].size

    def columns(self) -> dict[str, NDArray[Any]]:
        """All columns (views)."""
        return dict(self._columns)

    def add(self, day: int, drained: dict[str, NDArray[Any]]) -> None:
        """Append one day's floorless voxels as `Tissue.drain_events` gives them."""
        size = drained["voxel"].size
        if size:
            new = {**drained, "day": np.full(size, day)}
            for name, dtype in COLUMNS.items():
                column = new[name].astype(dtype)
                self._columns[name] = np.concatenate([self._columns[name], column])

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything a restart needs."""
        return {name: column.copy() for name, column in self._columns.items()}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Put a `state` back."""
        self._columns = {n: np.array(state[n], dtype) for n, dtype in COLUMNS.items()}
