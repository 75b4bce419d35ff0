"""The displacement of the last solve, stored by place, as a start for the next solve."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.mechanics.solver import Structure


@kernel
def spread(
    known: NDArray[np.float32],
    where: NDArray[np.int32],
    places: NDArray[np.int16],
    stride: int,
    out: NDArray[np.float64],
) -> None:
    """Displacement at `places` from the stored ones; new nodes take their neighbours' mean.

    `where` (z, y, x of nodes) is the row of `known` (n, 3) that belongs to a node, or -1.
    """
    for n in range(places.shape[0]):
        z, y, x = places[n, 0], places[n, 1], places[n, 2]
        row = where[z, y, x]
        if row >= 0:
            for c in range(3):
                out[c * stride + n] = known[row, c]
            continue
        count = 0
        for k in range(max(z - 1, 0), min(z + 2, where.shape[0])):
            for j in range(max(y - 1, 0), min(y + 2, where.shape[1])):
                for i in range(max(x - 1, 0), min(x + 2, where.shape[2])):
                    row = where[k, j, i]
                    if row >= 0:
                        count += 1
                        for c in range(3):
                            out[c * stride + n] += known[row, c]
        for c in range(3):
            if count > 0:
                out[c * stride + n] /= count


class Memory:
    """Deviation of the last solution from uniform strain; zero at first.

    Args:
        elements: of the block, along z, y, x.
    """

    def __init__(self, elements: tuple[int, ...]) -> None:
        self.nodes = tuple(n + 1 for n in elements)
        self._places = np.zeros((0, 3), np.int16)
        self._known = np.zeros((0, 3), np.float32)

    def keep(self, structure: Structure, u: NDArray[np.float64]) -> None:
        """Store the displacement (flat) of a structure's nodes, in float32."""
        self._places = structure.places
        n = len(structure.places)
        self._known = u.reshape(3, -1)[:, :n].T.astype(np.float32)

    def recall(self, structure: Structure) -> NDArray[np.float64]:
        """The stored displacement for a structure's nodes (flat); 0 at constraints."""
        out = np.zeros(3 * structure.mesh.stride)
        if len(self._places):
            where = np.full(self.nodes, -1, np.int32)
            z, y, x = self._places.T
            where[z, y, x] = np.arange(len(self._places), dtype=np.int32)
            spread(self._known, where, structure.places, structure.mesh.stride, out)
            out[structure.mesh.fixed] = 0.0
        return out

    def state(self) -> dict[str, Any]:
        """Everything a restart needs."""
        return {"places": self._places.copy(), "known": self._known.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        """Put a `state` back."""
        self._places = np.array(state["places"], np.int16).reshape(-1, 3)
        self._known = np.array(state["known"], np.float32).reshape(-1, 3)
