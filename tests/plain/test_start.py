"""The first count of a fresh lattice, and the bookkeeping of each crossing, against recounts."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import euler_number

from bonesim.chance import MINERAL_AGE, uniform
from bonesim.lattice.fragments import is_network
from bonesim.lattice.ledger import (
    BONE_QUANTA,
    CORNER_PAIRS,
    EDGE_PAIRS,
    EULER,
    EVENTS,
    FACE_PAIRS,
    INTERIOR,
    INTERIOR_QUANTA,
    SLOW_DEFICIT,
    count_pairs,
    cross,
    log_event,
)
from bonesim.lattice.surface import SURFACE
from bonesim.lattice.tissue import Tissue, age_start, count_start
from bonesim.lattice.topology import bone_bits
from bonesim.units import BONE

Make = Callable[..., Tissue]
blocks = arrays(
    np.uint8, st.tuples(*[st.integers(3, 9)] * 3), elements=st.sampled_from([0, 60, 127, 128, 255])
)


def recounted(tissue: Tissue) -> dict[str, object]:
    """All that is kept current, counted by going through everything."""
    shape = tissue.padded_shape
    quanta = tissue.lattice.quanta.reshape(shape).astype(int)
    region = tissue.lattice.region.reshape(shape)
    bone, interior = quanta >= BONE, region == INTERIOR
    pairs = {1: 0, 2: 0, 3: 0}
    surface = []
    for place in np.ndindex(*shape):
        if not bone[place]:
            continue
        exposed = False
        for step in np.ndindex(3, 3, 3):
            offset = np.array(step) - 1
            distance = int(abs(offset).sum())
            there = tuple(np.array(place) + offset)
            if not distance or region[there] == 0 or bone[there]:
                continue
            exposed |= distance == 1
            if interior[place] and interior[there]:
                pairs[distance] += 1
        if exposed:
            surface.append(int(np.ravel_multi_index(place, shape)))
    return {
        "euler": int(euler_number(bone, connectivity=3)), "pairs": list(pairs.values()),
        "surface": surface, "quanta": int(quanta.sum()),
        "interior": int(quanta[interior].sum()),
    }  # fmt: skip


def kept(tissue: Tissue) -> dict[str, object]:
    """The same, as the lattice keeps it."""
    counts = tissue.lattice.counts
    return {
        "euler": counts[EULER], "surface": sorted(tissue.lattice.surface[: counts[SURFACE]]),
        "pairs": [counts[FACE_PAIRS], counts[EDGE_PAIRS], counts[CORNER_PAIRS]],
        "quanta": counts[BONE_QUANTA], "interior": counts[INTERIOR_QUANTA],
    }  # fmt: skip


@settings(max_examples=30)
@given(blocks)
def test_the_first_count(make_tissue: Make, quanta: np.ndarray) -> None:
    tissue = make_tissue(quanta)
    lattice = tissue.lattice
    lattice.counts[:] = 0
    lattice.surface_slot[:] = -1
    count_start(lattice)
    assert kept(tissue) == recounted(tissue)
    assert [lattice.surface_slot[v] for v in lattice.surface[: lattice.counts[SURFACE]]] == list(
        range(lattice.counts[SURFACE])
    )


@pytest.mark.long
@settings(max_examples=30)
@given(blocks, st.lists(st.tuples(*[st.integers(0, 8)] * 3), min_size=1, max_size=12))
def test_every_crossing_keeps_the_count(
    make_tissue: Make, quanta: np.ndarray, places: list[tuple[int, ...]]
) -> None:
    tissue = make_tissue(quanta)
    lattice = tissue.lattice
    for place in places:
        inside = tuple(min(c, n - 1) + 1 for c, n in zip(place, quanta.shape, strict=True))
        voxel = int(np.ravel_multi_index(inside, tissue.padded_shape))
        becomes_bone = bool(lattice.quanta[voxel] < BONE)
        before = int(recounted(tissue)["euler"])  # type: ignore[call-overload]
        change = (255 if becomes_bone else 0) - int(lattice.quanta[voxel])
        bits = bone_bits(lattice.quanta, voxel, lattice.stride_y, lattice.stride_z)
        lattice.quanta[voxel] = 255 if becomes_bone else 0
        lattice.counts[BONE_QUANTA] += change
        if lattice.region[voxel] == INTERIOR:
            lattice.counts[INTERIOR_QUANTA] += change
        gain = cross(lattice, voxel, bits, becomes_bone)
        assert kept(tissue) == recounted(tissue)
        assert gain == int(recounted(tissue)["euler"]) - before  # type: ignore[call-overload]
        pairs = lattice.counts.copy()
        count_pairs(lattice, voxel, bits, 1)
        count_pairs(lattice, voxel, bits, -1)
        assert (lattice.counts == pairs).all()


def test_the_ages_of_a_fresh_lattice(make_tissue: Make) -> None:
    rng = np.random.default_rng(2)
    tissue = make_tissue(rng.choice([0, 60, 255], (16, 16, 16)).astype(np.uint8))
    lattice = tissue.lattice
    age_start(lattice, 11, 1500.0, -600)
    total = 0.0
    for voxel in np.flatnonzero(lattice.quanta):
        age = -1500.0 * np.log(1 - uniform(11, 0, voxel, MINERAL_AGE))
        assert lattice.formed_day[voxel] == np.float32(-600 - min(age, 30000.0))
        if lattice.region[voxel] == INTERIOR:
            day = float(lattice.formed_day[voxel]) + 600
            total += float(lattice.quanta[voxel]) * np.exp(day / lattice.slow_mineral_tau_day)
    assert lattice.sums[SLOW_DEFICIT] == pytest.approx(total, rel=1e-12)
    assert -600 - lattice.formed_day[lattice.quanta > 0].mean() == pytest.approx(1500, rel=0.1)


def test_events_are_written_in_order_and_never_beyond_the_room(make_tissue: Make) -> None:
    tissue = make_tissue(np.zeros((3, 3, 3), np.uint8))
    logs = [n for n in tissue.lattice._fields if n.startswith("event_")]
    lattice = tissue.lattice._replace(**{n: getattr(tissue.lattice, n)[:3].copy() for n in logs})
    for k in range(5):
        log_event(lattice, 10 + k, k % 3, -k, 100 + k, 1.5 * k, 2.5 * k, np.uint64(k))
    assert lattice.counts[EVENTS] == 5
    assert lattice.event_voxel.tolist() == [10, 11, 12]
    assert lattice.event_kind.tolist() == [0, 1, 2]
    assert lattice.event_euler.tolist() == [0, -1, -2]
    assert lattice.event_quanta.tolist() == [100, 101, 102]
    assert lattice.event_thickness_um.tolist() == [0.0, 1.5, 3.0]
    assert lattice.event_depth_um.tolist() == [0.0, 2.5, 5.0]
    assert lattice.event_bmu.tolist() == [0, 1, 2]


@given(blocks, st.data())
def test_most_of_all_bone_is_the_network(
    make_tissue: Make, quanta: np.ndarray, data: st.DataObject
) -> None:
    tissue = make_tissue(quanta)
    bone = np.flatnonzero(tissue.lattice.quanta)
    chosen = data.draw(st.lists(st.sampled_from(bone.tolist()), unique=True)) if bone.size else []
    held = int(tissue.lattice.quanta[chosen].sum(dtype=int)) if chosen else 0
    expected = held > int(quanta.sum(dtype=int)) / 2
    assert is_network(tissue.lattice, np.array(chosen, np.int64), len(chosen)) == expected
