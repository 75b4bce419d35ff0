"""The next coarser level of a mesh, and how displacements and forces pass between the two."""

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.mechanics.mesh import Integers, Level, Transfer, make_level


@kernel
def root(parent, i):  # type: ignore[no-untyped-def]
    """The representative of a set (union-find, halving paths)."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def join(parent, i, j):  # type: ignore[no-untyped-def]
    """Unite two sets; the smaller representative stays: the result does not depend on the order."""
    i, j = root(parent, i), root(parent, j)
    if i < j:
        parent[j] = i
    elif j < i:
        parent[i] = j


@kernel
def elements_at_nodes(corners, start, incident):  # type: ignore[no-untyped-def]
    """For each node the elements it belongs to: `incident[start[n] : start[n + 1]]`."""
    start[:] = 0
    for e in range(corners.shape[0]):
        for a in range(8):
            start[corners[e, a] + 2] += 1
    for n in range(2, start.size):
        start[n] += start[n - 1]
    for e in range(corners.shape[0]):
        for a in range(8):
            n = corners[e, a] + 1
            incident[start[n]] = e
            start[n] += 1


@kernel
def join_elements(cells, start, incident, parent):  # type: ignore[no-untyped-def]
    """Unite elements of one coarse cell that share a node."""
    for n in range(start.size - 2):
        for i in range(start[n], start[n + 1]):
            e = incident[i]
            for j in range(i + 1, start[n + 1]):
                f = incident[j]
                if (
                    cells[e, 0] >> 1 == cells[f, 0] >> 1
                    and cells[e, 1] >> 1 == cells[f, 1] >> 1
                    and cells[e, 2] >> 1 == cells[f, 2] >> 1
                ):
                    join(parent, e, f)


@kernel
def settle(parent):  # type: ignore[no-untyped-def]
    """Replace every member by its representative."""
    for i in range(parent.size):
        parent[i] = root(parent, i)


@kernel
def join_corners(places, start, incident, above, cells, slots, element, position):  # type: ignore[no-untyped-def] # fmt: skip
    """Unite the corners that coarse elements share, and find each node's place among them.

    Two coarse elements at a node share all the coarse nodes that node's displacement is made of.
    `slots` (8 a coarse element) is the union-find of corners; `cells` are the coarse ones.
    """
    for n in range(start.size - 2):
        one = above[incident[start[n]]]
        element[n] = one
        pz, py, px = (
            places[n, 0] - 2 * cells[one, 0],
            places[n, 1] - 2 * cells[one, 1],
            places[n, 2] - 2 * cells[one, 2],
        )
        position[n] = (pz * 3 + py) * 3 + px
        for i in range(start[n] + 1, start[n + 1]):
            other = above[incident[i]]
            if other == one:
                continue
            for z in range(pz >> 1, (pz + 3) >> 1):
                for y in range(py >> 1, (py + 3) >> 1):
                    for x in range(px >> 1, (px + 3) >> 1):
                        a = 4 * z + 2 * y + x
                        b = 4 * (z + cells[one, 0] - cells[other, 0])
                        b += 2 * (y + cells[one, 1] - cells[other, 1])
                        b += x + cells[one, 2] - cells[other, 2]
                        join(slots, 8 * one + a, 8 * other + b)


def coarser(level: Level, held: NDArray[np.bool_], diagonal: float) -> tuple[Level, Transfer]:
    """The next coarser level, and the way to it."""
    corners, cells = level.corners, level.cells
    start = np.empty(len(level.places) + 2, np.int32)
    incident = np.empty(corners.size, np.int32)
    elements_at_nodes(corners, start, incident)
    parent = np.arange(len(corners), dtype=np.int32)
    join_elements(cells, start, incident, parent)
    settle(parent)
    heads = np.flatnonzero(parent == np.arange(parent.size))
    coarse_cells = cells[heads] >> 1
    order = np.lexsort((coarse_cells[:, 2], coarse_cells[:, 1], coarse_cells[:, 0]))
    heads, coarse_cells = heads[order], np.ascontiguousarray(coarse_cells[order])
    name = np.empty(parent.size, np.int32)
    name[heads] = np.arange(heads.size, dtype=np.int32)
    above = name[parent]
    # Twice the edge, the mean of eight moduli.
    weight = np.bincount(above, level.mesh.weight, heads.size) / 4.0

    slots = np.arange(8 * heads.size, dtype=np.int32)
    element = np.empty(len(level.places), np.int32)
    position = np.empty(len(level.places), np.uint8)
    join_corners(level.places, start, incident, above, coarse_cells, slots, element, position)
    settle(slots)
    nz, ny, nx = level.size
    size = ((nz + 1) // 2, (ny + 1) // 2, (nx + 1) // 2)
    coarse_corners, places = _numbered(slots, coarse_cells, size)
    made = make_level(
        coarse_corners, coarse_cells, places, weight.astype(np.float32), size, held, diagonal
    )
    return made, Transfer(element, position, coarse_corners)


def _numbered(
    slots: Integers, cells: NDArray[np.int16], size: tuple[int, ...]
) -> tuple[Integers, NDArray[np.int16]]:
    """Nodes of the coarse elements (e, 8), numbered, and their places (n, 3)."""
    heads = np.flatnonzero(slots == np.arange(slots.size))
    bits = np.stack([heads >> 2 & 1, heads >> 1 & 1, heads & 1], axis=1)
    places = (cells[heads // 8] + bits).astype(np.int64)
    row = (places[:, 1] * (size[2] + 1)) + places[:, 2]
    area = (size[1] + 1) * (size[2] + 1)
    raster = places[:, 0] * area + row
    order = np.argsort(raster, kind="stable")
    copies = np.zeros(heads.size, np.int64)
    copies[order[1:]] = raster[order[1:]] == raster[order[:-1]]
    order = np.argsort((2 * places[:, 0] + copies) * area + row, kind="stable")
    number = np.empty(slots.size, np.int32)
    number[heads[order]] = np.arange(heads.size, dtype=np.int32)
    return number[slots].reshape(-1, 8), places[order].astype(np.int16)
