"""Pieces of bone that are no longer connected to the network: found by a search around cuts.

Work is proportional to the cuts, not to the volume: from each bone neighbour of a cut the piece
is flooded up to a limit. A piece that ends before the limit without touching a face of the
specimen is free; it is removed and logged. (A larger one, or one freed without a cut event, is
found once a year by labelling all bone.)
"""

from typing import Annotated

import cc3d
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.kernel import kernel, lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Count, Day, Voxel
from bonesim.lattice.ledger import BONE_QUANTA, remove_fragment
from bonesim.lattice.tissue import Tissue
from bonesim.parameters import Parameters
from bonesim.units import BONE


class FragmentParameters(Parameters):
    """When loose pieces of bone are removed."""

    wait_day: Annotated[
        int,
        Field(ge=1, le=1000, description="days from a cut to the search for free pieces; assumed"),
    ] = 60
    search_voxel: Annotated[
        int, Field(ge=1, le=10**7, description="largest piece searched for daily; assumed")
    ] = 4096
    full_search_day: Annotated[
        int, Field(ge=1, le=73000, description="days between labellings of all bone; assumed")
    ] = 365


@lean_kernel
def flood_piece(
    lattice: Lattice, start: Voxel, found: NDArray[np.int64], mark: NDArray[np.uint8]
) -> tuple[int, bool]:
    """The 26-connected piece of bone around `start`, up to `found.size` voxels.

    `found` (int64) receives the voxels; `mark` (uint8, all 0 on entry) is left 1 at them. Returns
    (voxels found, whether the piece is complete and free of the cut faces).

    Args:
        found: int64 (most,), receives the voxels.
        mark: uint8, of every voxel; all 0 on entry.

    Writes:
        found, mark
    """
    y, z = lattice.stride_y, lattice.stride_z
    found[0] = start
    mark[start] = 1
    count = 1
    done = 0
    while done < count:
        voxel = found[done]
        done += 1
        for dz in range(-1, 2):
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    there = voxel + dz * z + dy * y + dx
                    if lattice.region[there] == 0:
                        return count, False
                    if lattice.quanta[there] >= BONE and mark[there] == 0:
                        if count == found.size:
                            return count, False
                        mark[there] = 1
                        found[count] = there
                        count += 1
    return count, True


@lean_kernel
def is_network(lattice: Lattice, found: NDArray[np.int64], count: int) -> bool:
    """Whether the first `count` voxels of `found` hold most of all bone: a network, not a piece.

    Args:
        found: int64, voxels of a piece.
        count: how many of them.
    """
    held = np.int64(0)
    for k in range(count):
        held += lattice.quanta[found[k]]
    return 2 * held > lattice.counts[BONE_QUANTA]


@kernel
def remove_loose_around(
    lattice: Lattice, voxel: Voxel, found: NDArray[np.int64], mark: NDArray[np.uint8], day: Day
) -> Count:
    """Remove every free piece that touches a voxel where bone was cut. Returns the quanta removed.

    A piece that reaches `found.size` voxels or a cut face is part of the network.

    Args:
        found: int64 (most,), receives the voxels.
        mark: uint8, of every voxel; all 0 on entry.

    Writes:
        lattice, found, mark
    """
    removed = np.int64(0)
    y, z = lattice.stride_y, lattice.stride_z
    for dz in range(-1, 2):
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                start = voxel + dz * z + dy * y + dx
                if lattice.quanta[start] < BONE or lattice.region[start] == 0:
                    continue
                count, free = flood_piece(lattice, start, found, mark)
                for k in range(count):
                    mark[found[k]] = 0
                if free and not is_network(lattice, found, count):
                    piece = np.sort(found[:count])
                    removed += remove_fragment(lattice, piece, day)
    return removed


class Fragments:
    """Cuts and the search for free pieces around them, once each, `wait_day` after the cut."""

    def __init__(self, parameters: FragmentParameters, tissue: Tissue) -> None:
        self.parameters = parameters
        self.voxels: NDArray[np.int64] = np.zeros(0, np.int64)
        self.due_day: NDArray[np.int64] = np.zeros(0, np.int64)
        self._found = np.zeros(parameters.search_voxel, np.int64)
        self._mark = np.zeros(tissue.lattice.quanta.size, np.uint8)

    def add_cuts(self, voxels: NDArray[np.int64], day: int) -> None:
        """Add today's cuts."""
        self.voxels = np.concatenate([self.voxels, voxels])
        due = np.full(voxels.size, day + self.parameters.wait_day, np.int64)
        self.due_day = np.concatenate([self.due_day, due])

    def remove_due(self, tissue: Tissue, day: int) -> None:
        """Search around the cuts that are due and remove free pieces."""
        due = self.due_day <= day
        if not due.any():
            return
        for voxel in self.voxels[due]:
            remove_loose_around(tissue.lattice, voxel, self._found, self._mark, Day(day))
        self.voxels, self.due_day = self.voxels[~due], self.due_day[~due]

    def remove_all(self, tissue: Tissue, day: int) -> None:
        """Label all bone and remove every piece that touches neither network nor cut face."""
        bone = np.ascontiguousarray(tissue.inner(tissue.lattice.quanta) >= BONE)
        labels, count = cc3d.connected_components(bone, connectivity=26, return_N=True)
        if count < 2:
            return
        keep = np.zeros(count + 1, bool)
        for axis in range(3):
            for side in (0, -1):
                keep[np.unique(labels.take(side, axis=axis))] = True
        keep[0] = True
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        sizes[0] = 0
        keep[sizes.argmax()] = True
        loose = np.argwhere(~keep[labels])
        if loose.size == 0:
            return
        which = labels[tuple(loose.T)]
        places = np.ravel_multi_index(tuple((loose + 1).T), tissue.padded_shape)
        flat = np.atleast_1d(np.asarray(places, np.int64))
        for label in np.unique(which):
            remove_fragment(tissue.lattice, flat[which == label], Day(day))
