"""The masks of the 26 neighbours against loops over all pairs of cells."""

import itertools

from bonesim.lattice import neighbours

CELLS = list(itertools.product((-1, 0, 1), repeat=3))


def cells_of(mask: int) -> set[tuple[int, int, int]]:
    """The (dz, dy, dx) whose bits are set; bit 9 (dz+1) + 3 (dy+1) + (dx+1)."""
    return {(z, y, x) for z, y, x in CELLS if int(mask) >> (9 * (z + 1) + 3 * (y + 1) + x + 1) & 1}


def order(cell: tuple[int, int, int]) -> int:
    return sum(map(abs, cell))


def test_faces_edges_and_corners() -> None:
    assert cells_of(neighbours.FACE_BITS) == {c for c in CELLS if order(c) == 1}
    assert cells_of(neighbours.EDGE_BITS) == {c for c in CELLS if order(c) == 2}
    assert cells_of(neighbours.CORNER_BITS) == {c for c in CELLS if order(c) == 3}
    assert cells_of(neighbours.BITS_18) == {c for c in CELLS if order(c) in (1, 2)}
    assert cells_of(neighbours.BITS_26) == {c for c in CELLS if c != (0, 0, 0)}


def test_cells_stand_at_the_place_of_their_bit() -> None:
    assert [tuple(row) for row in neighbours.OFFSETS] == CELLS
    assert CELLS[neighbours.CENTRE] == (0, 0, 0)
    assert {tuple(row) for row in neighbours.FACES} == cells_of(neighbours.FACE_BITS)


def test_who_touches_whom() -> None:
    for i, a in enumerate(CELLS):
        others = [b for b in CELLS if b not in (a, (0, 0, 0))]
        steps = {b: [abs(p - q) for p, q in zip(a, b, strict=True)] for b in others}
        touching = {b for b in others if max(steps[b]) <= 1}
        assert cells_of(neighbours.TOUCHES_26[i]) == touching
        by_face = {b for b in others if sum(steps[b]) == 1 and order(b) <= 2}
        assert cells_of(neighbours.TOUCHES_6_WITHIN_18[i]) == by_face


def vertices(cell: tuple[int, int, int]) -> set[tuple[int, ...]]:
    """Corners of a voxel's cube, coordinates doubled."""
    return {
        tuple(2 * c + d for c, d in zip(cell, half, strict=True))
        for half in itertools.product((-1, 1), repeat=3)
    }


def test_voxels_around_each_corner_edge_and_face() -> None:
    """The neighbours whose cubes hold that corner, those two corners, or those four."""
    mine = vertices((0, 0, 0))
    for masks, size, number in (
        (neighbours.AROUND_CORNER, 1, 8),
        (neighbours.AROUND_EDGE, 2, 12),
        (neighbours.AROUND_FACE, 4, 6),
    ):
        shared = [frozenset(mine & vertices(c)) for c in CELLS]
        parts = {part for part in shared if len(part) == size}
        found = [cells_of(mask) for mask in masks]
        assert len(found) == len(parts) == number
        for part in parts:
            assert {c for c in CELLS if c != (0, 0, 0) and part <= vertices(c)} in found
