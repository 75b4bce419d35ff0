"""Eroding voxel by voxel: what is taken, held over bone or by chance, and broken through."""

import math

import numpy as np
import pytest

from bonesim.cells.cavity import QUANTA_ARRESTED, QUANTA_ERODED, eroded_depth_um
from bonesim.cells.column import left_of, span_um
from bonesim.cells.erosion import PASSES, Breakthrough, chance_of, dig, erode
from bonesim.cells.floor import dug_from_behind
from bonesim.cells.site import ARRESTED
from bonesim.chance import BREAKTHROUGH, uniform
from bonesim.lattice.ledger import INTERIOR, take
from bonesim.lattice.rays import along, bone_behind, thickness_along
from bonesim.lattice.topology import (
    CAVITY_OPENED,
    MIXED,
    PLATE_PERFORATION,
    SIMPLE,
    SPECK_LOST,
    STRUT_CUT,
    bone_bits,
    crossing_kind,
)
from bonesim.units import BONE
from tests.plain.conftest import Busy, alive, assert_same, normal_of, records_of

DAY, SEED = 201, 3
#: Chances of holes and cuts.
CHANCES = ((1.0, 1.0), (0.2, 0.2), (0.0, 1.0), (1.0, 0.0))
#: Kind of crossing -> which of these it needs: of holes, of cuts; of both; of either.
NEEDS = {
    PLATE_PERFORATION: lambda hole, cut: hole,
    STRUT_CUT: lambda hole, cut: cut,
    MIXED: min,
    CAVITY_OPENED: max,
    SPECK_LOST: max,
}


@pytest.mark.parametrize("hole", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("cut", [0.0, 0.3, 1.0])
def test_the_chance_of_each_kind(hole: float, cut: float) -> None:
    for kind, needs in NEEDS.items():
        assert chance_of(kind, Breakthrough(hole=hole, cut=cut)) == needs(hole, cut)


def holed(busy: Busy, sites: list[int], begin: int) -> None:
    """Take away the bone under some sites, from `begin` half voxels below their own on."""
    for site in sites:
        n = np.array(normal_of(busy.cavities, site))
        for record in records_of(busy.cavities, site):
            voxel = int(busy.cavities.records.voxel[record])
            for half in range(begin, 9):
                there = int(along(busy.lattice, voxel, *n, half / 2))
                if not busy.lattice.region[there]:
                    break
                if busy.lattice.owner[there] in (-1, record):
                    busy.lattice.quanta[there] = 0


def eroded(
    busy: Busy, site: int, record: int, amount: int, chance: Breakthrough
) -> tuple[int, str]:
    """Held at the threshold where the shape would change over bone or by chance; else taken."""
    lattice, s, r = busy.lattice, busy.cavities.sites, busy.cavities.records
    voxel, n = int(r.voxel[record]), normal_of(busy.cavities, site)
    before = int(lattice.quanta[voxel])
    wanted, kind = min(amount, before), "taken"
    thickness = depth = math.nan
    bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
    crossing = crossing_kind(bits)
    if before >= BONE > before - wanted and crossing != SIMPLE:
        passes = NEEDS[crossing](*chance)
        if bone_behind(lattice, voxel, *n):
            kind = "bone behind"
        elif dug_from_behind(lattice, busy.cavities, voxel, s.bmu_id[site], *n):
            kind = "own back"
        elif uniform(SEED, DAY, voxel, BREAKTHROUGH) >= passes:
            kind = "by chance"
        else:
            kind = "broken"
            thickness = thickness_along(lattice, voxel, *n)
            depth = eroded_depth_um(lattice, s, site)
        if kind != "broken":
            wanted = before - BONE
    taken = int(take(lattice, voxel, wanted, DAY, thickness, depth, s.bmu_id[site]))
    if not taken:
        return 0, kind
    s.removed_quanta[site] += taken
    busy.cavities.tally[QUANTA_ERODED] += taken
    if lattice.owner[voxel] < 0:
        lattice.owner[voxel] = record
    owner = lattice.owner[voxel]
    r.stock[owner] += np.uint8(taken)
    if s.phase[r.site[owner]] == ARRESTED and lattice.region[voxel] == INTERIOR:
        busy.cavities.tally[QUANTA_ARRESTED] += taken
    r.event[owner] |= np.uint8(kind == "broken")
    return taken, kind


@pytest.mark.long
def test_eroding_voxel_by_voxel(busy: Busy) -> None:
    kinds = set()
    carved = alive(busy.cavities.sites)[1::3]
    holed(busy, carved, 2)
    chosen = sorted({*carved[::3], *alive(busy.cavities.sites)[::3]})
    for number, site in enumerate(chosen):
        if number % 4 == 0:
            busy.cavities.sites.phase[site] = ARRESTED
        for amount, record in zip((20, 140, 255), records_of(busy.cavities, site), strict=False):
            plain = busy.copy()
            chance = Breakthrough(*CHANCES[number % len(CHANCES)])
            moved = erode(busy.lattice, busy.cavities, site, record, amount, chance, SEED, DAY)
            expected, kind = eroded(plain, site, record, amount, chance)
            assert moved == expected
            assert_same(busy, plain)
            kinds.add(kind)
    assert kinds >= {"taken", "bone behind", "by chance", "broken"}


def test_digging(busy: Busy) -> None:
    """Each voxel down to what the floor leaves; those held are tried again, three times in all."""
    carved = alive(busy.cavities.sites)[1::3]
    holed(busy, carved, 2)
    held = total = 0
    for site in sorted({*carved[::5], *alive(busy.cavities.sites)[::9]}):
        for step, both in ((2.5, (1.0, 1.0)), (30.0, (0.5, 0.5)), (9.0, (0.0, 1.0))):
            chance = Breakthrough(*both)
            plain = busy.copy()
            removed = dig(busy.lattice, busy.cavities, site, step, chance, SEED, DAY)
            s, r = plain.cavities.sites, plain.cavities.records
            s.open_um[site] += np.float32(step)
            floor, span = (
                float(s.open_um[site]),
                span_um(plain.lattice, *normal_of(plain.cavities, site)),
            )
            expected = 0
            for _ in range(PASSES):
                for record in records_of(plain.cavities, site):
                    left = left_of(floor, float(r.below_um[record]), span)
                    over = int(plain.lattice.quanta[r.voxel[record]]) - int(left)
                    if over > 0:
                        taken, kind = eroded(plain, site, record, over, chance)
                        expected += taken
                        held += kind in ("bone behind", "own back", "by chance")
            assert removed == expected
            assert_same(busy, plain)
            total += expected
    assert held > 0
    assert total > 10_000
