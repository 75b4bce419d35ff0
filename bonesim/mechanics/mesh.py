"""Elements, nodes and their order, from bone.

Nodes are numbered layer by layer (z) and row by row, so that the nodes of a run of elements are
consecutive.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.mechanics.mesh_arrays import Mesh
from bonesim.mechanics.stiffness_product import LONGEST_RUN, PADDING

#: Slabs of elements, worked on at once by threads; a mesh of fewer elements is one slab.
SLABS = 16
SMALLEST_SHARED = 30000

Integers = NDArray[np.int32]


class Level(NamedTuple):
    """A mesh with where its elements and nodes are.

    `corners` (e, 8) are nodes; `cells` (e, 3) and `places` (n, 3) z, y, x in elements; `size` (3,)
    elements along z, y, x.
    """

    mesh: Mesh
    corners: Integers
    cells: NDArray[np.int16]
    places: NDArray[np.int16]
    size: tuple[int, int, int]


@kernel
def number_nodes(used: NDArray[np.float32], corner_of: NDArray[np.int32]) -> int:
    """Number the nodes that elements use, in raster order; `corner_of` -1 elsewhere. Their count."""
    count = 0
    nz, ny, nx = used.shape
    for z in range(nz + 1):
        for y in range(ny + 1):
            for x in range(nx + 1):
                found = False
                for c in range(max(z - 1, 0), min(z + 1, nz)):
                    for b in range(max(y - 1, 0), min(y + 1, ny)):
                        for a in range(max(x - 1, 0), min(x + 1, nx)):
                            found = found or used[c, b, a] > 0.0
                corner_of[z, y, x] = count if found else -1
                count += found
    return count


@kernel
def list_elements(
    used: NDArray[np.float32],
    corner_of: NDArray[np.int32],
    cells: NDArray[np.int16],
    corners: NDArray[np.int32],
    places: NDArray[np.int16],
) -> None:
    """Write down the elements in raster order, their eight nodes, and where nodes are."""
    e = 0
    nz, ny, nx = used.shape
    for z in range(nz + 1):
        for y in range(ny + 1):
            for x in range(nx + 1):
                node = corner_of[z, y, x]
                if node >= 0:
                    places[node, 0], places[node, 1], places[node, 2] = z, y, x
                if z == nz or y == ny or x == nx or not used[z, y, x] > 0.0:
                    continue
                cells[e, 0], cells[e, 1], cells[e, 2] = z, y, x
                for a in range(8):
                    corners[e, a] = corner_of[z + (a >> 2), y + (a >> 1 & 1), x + (a & 1)]
                e += 1


@kernel
def find_runs(corners: NDArray[np.int32], base: NDArray[np.int32], first: NDArray[np.int32]) -> int:
    """Cut the elements into runs along x; returns how many."""
    runs = 0
    for e in range(corners.shape[0]):
        if e > 0 and e - first[runs - 1] < LONGEST_RUN:
            follows = True
            for a in range(0, 8, 2):
                follows = follows and corners[e, a] == corners[e - 1, a + 1]
            if follows:
                continue
        first[runs] = e
        for q in range(4):
            base[runs, q] = corners[e, 2 * q]
        runs += 1
    first[runs] = corners.shape[0]
    return runs


@kernel
def sum_at_nodes(
    corners: NDArray[np.int32], weight: NDArray[np.float32], total: NDArray[np.float64]
) -> None:
    """Add each element's weight to its nodes."""
    for e in range(corners.shape[0]):
        for a in range(8):
            total[corners[e, a]] += weight[e]


@kernel
def first_run_of_layers(
    first: NDArray[np.int32], cells: NDArray[np.int16], layers: int
) -> NDArray[np.int64]:
    """The first run of each layer of elements along z, and the end."""
    start = np.full(layers + 1, first.size - 1, np.int64)
    for run in range(first.size - 2, -1, -1):
        start[cells[first[run], 0]] = run
    for layer in range(layers - 1, -1, -1):
        start[layer] = min(start[layer], start[layer + 1])
    return start


def make_level(
    corners: Integers, cells: NDArray[np.int16], places: NDArray[np.int16],
    weight: NDArray[np.float32], size: tuple[int, int, int], held: NDArray[np.bool_],
    diagonal: float,
) -> Level:  # fmt: skip
    """A level of sorted elements: runs, slabs, fixed places, and the diagonal's inverse.

    `held` (3 axes z, y, x; 2 ends; 3 components x, y, z): whether displacement is given there.
    """
    elements, nodes = len(corners), len(places)
    base, first = np.empty((elements, 4), np.int32), np.empty(elements + 1, np.int32)
    runs = find_runs(corners, base, first)
    first = first[: runs + 1].copy()
    total = np.zeros(nodes, np.float64)
    sum_at_nodes(corners, weight, total)
    stride = nodes + PADDING
    mesh = Mesh(
        stride=stride, weight=weight, base=base[:runs].copy(), first=first,
        slabs=_slabs(first, cells, size[0], elements), fixed=_fixed(places, size, held, stride),
        inverse=(1.0 / (diagonal * total)).astype(np.float32),
    )  # fmt: skip
    return Level(mesh, corners, cells, places, size)


def _slabs(first: Integers, cells: NDArray[np.int16], layers: int, elements: int) -> NDArray[Any]:
    """Where slabs of about equal size begin, in runs; none is thinner than two layers.

    Threads work on every second slab at once: they must not share a layer of nodes.
    """
    start = first_run_of_layers(first, cells, layers)
    if elements < SMALLEST_SHARED:
        return start[[0, -1]]
    before = first[start]
    cuts = [0]
    for part in range(1, SLABS):
        layer = int(np.searchsorted(before, elements * part / SLABS))
        if cuts[-1] + 2 <= layer <= layers - 2:
            cuts.append(layer)
    return start[[*cuts, layers]]


def _fixed(
    places: NDArray[np.int16], size: tuple[int, int, int], held: NDArray[np.bool_], stride: int
) -> NDArray[np.int64]:
    """Flat places of the constrained components on the faces."""
    parts = [np.zeros(0, np.int64)]
    for axis in range(3):
        for end, coordinate in enumerate((0, size[axis])):
            on_face = np.flatnonzero(places[:, axis] == coordinate)
            parts += [c * stride + on_face for c in range(3) if held[axis, end, c]]
    return np.unique(np.concatenate(parts))


def finest(weight: NDArray[np.float32], held: NDArray[np.bool_], diagonal: float) -> Level:
    """The level of the bone itself: an element wherever `weight` (z, y, x; N/mm) is above 0."""
    nz, ny, nx = weight.shape
    corner_of = np.empty((nz + 1, ny + 1, nx + 1), np.int32)
    nodes = number_nodes(weight, corner_of)
    elements = int(np.count_nonzero(weight > 0.0))
    cells, corners = np.empty((elements, 3), np.int16), np.empty((elements, 8), np.int32)
    places = np.empty((nodes, 3), np.int16)
    list_elements(weight, corner_of, cells, corners, places)
    return make_level(corners, cells, places, weight[weight > 0.0], (nz, ny, nx), held, diagonal)
