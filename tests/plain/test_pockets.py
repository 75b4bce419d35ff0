"""Voids of one voxel that a site has enclosed are filled, and no others."""

import numpy as np

from bonesim.cells.apposition import face_neighbour, fill_pockets, is_enclosed
from bonesim.cells.cavity import QUANTA_ADDED, QUANTA_FORMED, CavityTables, add_record
from bonesim.cells.population import new_row
from bonesim.cells.site import FORMING
from bonesim.lattice.ledger import FORMED
from bonesim.lattice.mineral import MineralParameters
from bonesim.lattice.tissue import Tissue
from bonesim.units import BONE, FULL

#: The void of one voxel, a void of two, and a pit that is open to marrow (z, y, x).
VOID, PAIR, PIT = (6, 6, 6), [(6, 10, 6), (6, 10, 7)], (1, 6, 10)


def block() -> tuple[Tissue, CavityTables, int]:
    """Bone in a margin of marrow, with the three holes; a site that has every voxel beside them."""
    quanta = np.zeros((16, 16, 16), np.uint8)
    quanta[1:-1, 1:-1, 1:-1] = FULL
    for place in (VOID, *PAIR, PIT):
        quanta[place] = 40
    tissue, tables = Tissue(quanta, 20.0, MineralParameters(), 1), CavityTables()
    cavities = tables.columns
    site = int(new_row(cavities.sites))
    cavities.sites.phase[site], cavities.sites.first[site] = FORMING, -1
    for place in (VOID, *PAIR, PIT):
        for axis in range(3):
            for way in (-1, 1):
                beside = list(place)
                beside[axis] += way
                if quanta[tuple(beside)] == FULL:
                    add_record(tissue.lattice, cavities, site, flat(tissue, tuple(beside)), True)
    return tissue, tables, site


def flat(tissue: Tissue, place: tuple[int, ...]) -> int:
    return int(np.ravel_multi_index(tuple(p + 1 for p in place), tissue.padded_shape))


def test_faces() -> None:
    tissue, _, _ = block()
    voxel = flat(tissue, VOID)
    found = {int(face_neighbour(tissue.lattice, voxel, face)) for face in range(6)}
    z, y = tissue.lattice.stride_z, tissue.lattice.stride_y
    assert found == {voxel - z, voxel + z, voxel - y, voxel + y, voxel - 1, voxel + 1}
    for place, enclosed in ((VOID, True), (PAIR[0], False), (PIT, False)):
        here = flat(tissue, place)
        beside = [face_neighbour(tissue.lattice, here, face) for face in range(6)]
        assert all(tissue.lattice.quanta[n] >= BONE for n in beside) == enclosed
        assert is_enclosed(tissue.lattice, here) == enclosed


def test_only_an_enclosed_void_of_one_voxel_is_filled() -> None:
    tissue, tables, site = block()
    cavities, before = tables.columns, tissue.lattice.quanta.copy()
    formed = int(fill_pockets(tissue.lattice, cavities, site, 5))
    assert formed == FULL - 40 == cavities.sites.formed_quanta[site]
    assert formed == cavities.tally[QUANTA_FORMED] == cavities.tally[QUANTA_ADDED]
    assert formed == tissue.lattice.counts[FORMED]
    changed = np.flatnonzero(tissue.lattice.quanta != before)
    assert changed.tolist() == [flat(tissue, VOID)]
    assert tissue.lattice.quanta[changed[0]] == FULL


def test_an_open_cavity_is_no_void() -> None:
    tissue, tables, site = block()
    add_record(tissue.lattice, tables.columns, site, flat(tissue, VOID), True)
    assert fill_pockets(tissue.lattice, tables.columns, site, 5) == 0
