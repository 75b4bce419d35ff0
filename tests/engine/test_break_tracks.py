"""Breaks and their tracks: by hand on a plate, and in a simulation."""

from typing import Any

import numpy as np
import pytest

from bonesim.engine.breaks import BREAK_KINDS, BREAK_STATES, Breaks, Seen
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import put_back, state_of
from bonesim.morphometry.connectivity import connectivity

VOXEL_UM = 20.0
SHAPE = (40, 60, 60)
GRID = (4, 6, 6)
Box = tuple[slice, slice]


def bone(*holes: Box, strained: float = 1.0, floorless: Any = None) -> Seen:
    """A plate of 6 voxels with holes."""
    quanta = np.zeros(SHAPE, np.uint8)
    quanta[17:23] = 255
    for y, x in holes:
        quanta[:, y, x] = 0
    none = {name: np.zeros(0, np.int64) for name in ("day", "voxel", "quanta", "bmu")}
    return Seen(quanta, np.full(GRID, strained, np.float32), floorless or none)


def box(y: int, x: int, width: int) -> Box:
    return slice(y, y + width), slice(x, x + width)


def looked(*looks: list[Box]) -> Breaks:
    breaks = Breaks(SHAPE, VOXEL_UM, GRID)
    breaks.begin(bone())
    for number, holes in enumerate(looks, 1):
        breaks.look(bone(*holes), 91 * number)
        made = breaks.rows["connections"].sum() + breaks.others
        now = connectivity(breaks.network) - connectivity(breaks.reference)
        assert made == pytest.approx(now)
    return breaks


def names(breaks: Breaks) -> list[tuple[str, str]]:
    rows = breaks.rows
    return [
        (BREAK_KINDS[k], BREAK_STATES[s]) for k, s in zip(rows["kind"], rows["state"], strict=True)
    ]


def test_a_hole_that_widens_narrows_and_closes_is_one_hole() -> None:
    breaks = looked([box(20, 20, 5)], [box(18, 18, 12)], [box(20, 20, 6)], [])
    assert names(breaks) == [("hole", "closed")]
    rows = breaks.rows
    assert rows["found_day"][0] == 91
    assert rows["end_day"][0] == 364
    assert rows["widest_um"][0] == pytest.approx(12 * VOXEL_UM, abs=VOXEL_UM)
    assert rows["widest_day"][0] == 182
    assert rows["thickness_um"][0] == pytest.approx(6 * VOXEL_UM, abs=0.6 * VOXEL_UM)
    taken = 12 * 12 * 6 * VOXEL_UM**3
    assert rows["volume_um3"][0] == pytest.approx(taken, rel=0.15)
    widths = breaks.track["width_um"]
    assert widths.tolist() == sorted(widths[:2]) + sorted(widths[2:], reverse=True)
    assert widths[-1] == 0
    assert breaks.there(0) == 0


def test_two_holes_that_meet_are_one() -> None:
    breaks = looked(
        [box(20, 10, 6)], [box(20, 10, 6), box(20, 30, 6)], [(slice(20, 26), slice(10, 36))]
    )
    assert names(breaks)[0] == ("hole", "there")
    assert names(breaks)[1][1] == "merged"
    assert breaks.there(0) == 1
    assert breaks.rows["connections"].tolist() == pytest.approx([1.0, 0.0])


def test_a_hole_that_reaches_the_next_window_is_an_opening() -> None:
    """The plate has an old window of its own: what parts them is cut, and nothing is gained."""
    breaks = Breaks(SHAPE, VOXEL_UM, GRID)
    old = box(20, 40, 12)
    breaks.begin(bone(old))
    breaks.look(bone(old, box(20, 20, 8)), 91)
    assert names(breaks) == [("hole", "there")]
    breaks.look(bone(old, (slice(20, 28), slice(20, 42))), 182)
    assert names(breaks) == [("opening", "there")]
    assert breaks.there(0) == breaks.there(1) == 0


def test_surfaces_that_retreat_make_no_break_and_widen_none() -> None:
    breaks = looked([box(20, 20, 6)])
    thinner = bone(box(20, 20, 6))
    thinner.closed[17] = 0
    breaks.look(thinner, 182)
    assert len(breaks) == 1
    assert breaks.track["width_um"][1] == pytest.approx(breaks.track["width_um"][0], abs=VOXEL_UM)


def test_load_is_that_before_and_the_cause_is_what_left_no_floor() -> None:
    breaks = Breaks(SHAPE, VOXEL_UM, GRID)
    breaks.begin(bone(strained=1.5))
    here = np.ravel_multi_index((20, 22, 22), SHAPE)
    log = {"day": np.array([5, 70, 71]), "voxel": np.array([3, here, here + 1]),
           "quanta": np.array([900, 200, 100]), "bmu": np.array([8, 9, 9])}  # fmt: skip
    breaks.look(bone(box(20, 20, 6), strained=9.0, floorless=log), 91)
    breaks.look(bone(box(20, 20, 6), box(40, 40, 6), strained=9.0, floorless=log), 182)
    assert breaks.rows["load"].tolist() == pytest.approx([1.5, 9.0])
    assert breaks.rows["bmu"].tolist() == [9, 0]
    assert breaks.rows["day"][0] == 70
    assert np.isnan(breaks.rows["day"][1])


DEEP = {"depth_um": 60.0, "mononuclear_um": 60.0, "strain_stop": 0.0}
THIN = {"specimen": {"kind": "synthetic", "size_mm": [1.2, 1.2, 1.2]},
        "cells": {"bmu": {"origination_per_mm2_per_year": 12.0}, "osteoclast": DEEP},
        "mechanics": {"interval_day": 0},
        "schedule": {"burn_in_day": 60, "duration_day": 400, "breaks_every_day": 40}}  # fmt: skip


def test_in_a_simulation_they_account_for_every_connection_and_survive_a_restart() -> None:
    config = THIN
    one = Simulation(config)
    while one.day < 250:
        one.step()
    other = Simulation(config)
    put_back(other, state_of(one))
    for s in (one, other):
        while s.day < 400:
            s.step()
    breaks = one.breaks
    assert len(breaks) > 3
    # Where bone has no floor is seen where it is.
    seen, logged = one._seen().floorless, one.floorless.columns()
    where = np.stack(np.unravel_index(seen["voxel"], one.tissue.shape), axis=1)
    np.testing.assert_allclose((where + 0.5) * VOXEL_UM, one.tissue.places_um(logged["voxel"]))
    assert (breaks.rows["bmu"] > 0).any()
    made = breaks.rows["connections"].sum() + breaks.others
    change = connectivity(breaks.network) - connectivity(breaks.reference)
    assert made == pytest.approx(change, abs=1e-6)
    a, b = breaks.state(), other.breaks.state()
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    table = one.table()
    assert table["holes"][-1] == breaks.there(0)
    assert table["cuts"][-1] == breaks.there(1)
