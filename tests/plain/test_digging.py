"""Erosion: what one site takes, voxel by voxel, against the rule written plainly."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bonesim.cells.apposition import floor_area
from bonesim.cells.bmu import BmuNumbers, BmuParameters
from bonesim.cells.cavity import (
    ARRESTED,
    QUANTA_ARRESTED,
    QUANTA_ERODED,
    eroded_depth_um,
)
from bonesim.cells.column import (
    left_of,
    span_um,
)
from bonesim.cells.depth import CavityDepth
from bonesim.cells.erosion import PASSES, dig, erode
from bonesim.cells.floor import dug_from_behind
from bonesim.chance import (
    BREAKTHROUGH,
    uniform,
)
from bonesim.lattice.ledger import INTERIOR, INTERIOR_RESORBED, RESORBED, take
from bonesim.lattice.rays import along, bone_behind, thickness_along
from bonesim.lattice.tissue import Tissue
from bonesim.lattice.topology import SIMPLE, bone_bits, crossing_kind
from bonesim.parameters import numbers_of
from bonesim.units import BONE
from tests.plain.conftest import Busy, alive, assert_same, normal_of, records_of

Make = Callable[..., Tissue]
P = BmuParameters()
NUMBERS = numbers_of(P, BmuNumbers)
DAY, SEED = 201, 3
DEPTH = CavityDepth(22.0, 0.3, 0.2, 25.0, 0.4, 1.3, 1.1)
blocks = arrays(
    np.uint8, st.tuples(*[st.integers(3, 6)] * 3), elements=st.sampled_from([0, 60, 127, 128, 255])
)


def holed(busy: Busy, sites: list[int], begin: int) -> None:
    """Take away the bone under some sites, from `begin` half voxels below their own on."""
    for site in sites:
        n = np.array(normal_of(busy.cavities, site))
        for record in records_of(busy.cavities, site):
            voxel = int(busy.cavities.records.voxel[record])
            for half in range(begin, 9):
                there = int(along(busy.lattice, voxel, *n, half / 2))
                if busy.lattice.region[there] and busy.lattice.owner[there] in (-1, record):
                    busy.lattice.quanta[there] = 0


def eroded(busy: Busy, site: int, record: int, amount: int, chance: float) -> tuple[int, str]:
    """Held at the threshold where the shape would change over bone or by chance; else taken."""
    lattice, s, r = busy.lattice, busy.cavities.sites, busy.cavities.records
    voxel, n = int(r.voxel[record]), normal_of(busy.cavities, site)
    before = int(lattice.quanta[voxel])
    wanted, kind = min(amount, before), "taken"
    thickness = depth = math.nan
    bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
    if before >= BONE > before - wanted and crossing_kind(bits) != SIMPLE:
        if bone_behind(lattice, voxel, *n):
            kind = "bone behind"
        elif dug_from_behind(lattice, busy.cavities, voxel, s.bmu_id[site], *n):
            kind = "own back"
        elif uniform(SEED, DAY, voxel, BREAKTHROUGH) >= chance:
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
    lattice.counts[RESORBED] += taken
    if lattice.region[voxel] == INTERIOR:
        lattice.counts[INTERIOR_RESORBED] += taken
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


def test_eroding_voxel_by_voxel(busy: Busy) -> None:
    kinds = set()
    carved = alive(busy.cavities.sites)[1::3]
    holed(busy, carved, 2)
    chosen = sorted({*carved[::3], *alive(busy.cavities.sites)[::7]})
    for number, site in enumerate(chosen):
        if number % 4 == 0:
            busy.cavities.sites.phase[site] = ARRESTED
        for amount, record in zip((20, 140, 255), records_of(busy.cavities, site), strict=False):
            plain = busy.copy()
            chance = (1.0, 0.2)[number % 2]
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
        for step, chance in ((2.5, 1.0), (30.0, 0.5)):
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


@settings(max_examples=60)
@given(blocks, st.tuples(*[st.integers(-9, 9)] * 3), st.data())
def test_floor_area_is_of_firm_faces(
    make_tissue: Make, quanta: np.ndarray, v: tuple[int, ...], data: st.DataObject
) -> None:
    n = (np.array(v) + 0.01) / np.linalg.norm(np.array(v) + 0.01)
    tissue = make_tissue(quanta)
    place = tuple(data.draw(st.integers(0, size - 1)) for size in quanta.shape)
    voxel = int(np.ravel_multi_index(tuple(c + 1 for c in place), tissue.padded_shape))
    padded = np.pad(quanta, 1)
    expected = 0.0
    for axis in range(3):
        for side in (-1, 1):
            there = [c + 1 for c in place]
            there[axis] += side
            if padded[tuple(there)] >= BONE:
                expected += max(0.0, side * n[axis])
    lattice = tissue.lattice
    bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
    assert floor_area(bits, *n) == pytest.approx(expected)
