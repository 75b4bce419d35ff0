"""One flat cavity that is filled under two labels: every measure is known beforehand."""

import numpy as np
import pytest

from bonesim.cells.cavity import FORMING, REVERSAL, add_record
from bonesim.cells.population import identity, new_row
from bonesim.config.config import validated
from bonesim.engine.simulation import Simulation
from bonesim.histology.biopsy import BiopsyParameters, biopsy, specimen
from bonesim.histology.biopsy import _seen as seen_in_sections
from bonesim.histology.biopsy import _true as truth_of
from bonesim.histology.surface_state import boxed
from bonesim.histology.tracker import Tracker, born_day
from bonesim.specimens.specimen import Specimen
from bonesim.units import FULL

EDGE, TOP, DEPTH = 30, 18, 2
#: The mesh ends at the centres of the outermost voxels, this site at the faces of the block.
CUT = (EDGE / (EDGE - 1)) ** 2
VOXEL_UM = 20.0


@pytest.fixture
def flat() -> Simulation:
    """Half a block of bone, its whole surface one site: eroded by two voxels, in reversal."""
    config = validated(
        # A balance that leaves the last layer nearly full: heights are resolved to layers.
        {
            "cells": {
                "bmu": {"origination_per_mm2_per_year": 0.0},
                "osteoblast": {"balance_um": -0.6},
            },
            "schedule": {"burn_in_day": 0},
        },
        "test",
    )
    quanta = np.zeros((EDGE, EDGE, EDGE), np.uint8)
    quanta[: TOP - DEPTH] = FULL
    s = Simulation(config, Specimen(quanta, VOXEL_UM, "half a block", ()))
    s.cavities.make_room()
    cavities = s.cavities.columns
    sites = cavities.sites
    site = new_row(sites)
    sites.first[site] = -1
    sites.id[site] = 8192 << 12
    sites.nz[site] = -1.0
    inner = np.zeros(s.tissue.padded_shape, np.bool_)
    inner[1 + TOP - DEPTH : 1 + TOP, 1:-1, 1:-1] = True
    voxels = np.flatnonzero(inner)
    for voxel in voxels:
        add_record(s.tissue.lattice, cavities, site, voxel)
    records = cavities.records
    records.stock[records.alive == 1] = FULL
    sites.voxel[site] = voxels[(EDGE * EDGE + EDGE) // 2]
    sites.area_um2[site] = (EDGE * VOXEL_UM) ** 2
    sites.phase[site] = REVERSAL
    sites.depth_excess[site] = 1.0
    sites.osteoclast_depth_um[site] = DEPTH * VOXEL_UM
    sites.removed_quanta[site] = sites.quota_quanta[site] = voxels.size * FULL
    return s


def phase(s: Simulation) -> int:
    """Phase of the only site, 0 when it has ended."""
    sites = s.cavities.sites.columns
    return int(sites.phase[0]) if sites.alive[0] else 0


def heights_um(s: Simulation, quanta: np.ndarray) -> float:
    """Mean height of bone between the middles of the outermost columns of the interior."""
    columns = boxed(s.tissue, quanta).sum(axis=0, dtype=np.float64) / FULL * VOXEL_UM
    between = (columns[:-1, :-1] + columns[1:, :-1] + columns[:-1, 1:] + columns[1:, 1:]) / 4.0
    return float(between.mean())


def test_a_flat_cavity_is_read_as_it_was_made(flat: Simulation) -> None:
    p = BiopsyParameters(interval_day=16, wait_day=8, packets_day=24, spacing_um=100.0)
    tracker = Tracker(flat)
    while phase(flat) == REVERSAL:
        tracker.follow(1)
    assert tracker.eroded.thickness_um == pytest.approx(CUT * DEPTH * VOXEL_UM, rel=1e-3)
    assert tracker.periods[REVERSAL].mean_day == flat.day
    wall = float(flat.cavities.sites.columns.wall_um[0])
    tracker.follow(64)  # amid the second layer: where a layer is full a flat front pauses
    tracker.label()
    tracker.follow(16)
    tracker.label()
    tracker.follow(8)
    first, second = (heights_um(flat, label.quanta) for label in tracker.taken)
    expected = (second - first) / 16.0
    bench = specimen(tracker)
    true, seen = truth_of(tracker, bench, p), seen_in_sections(flat, bench, p)
    assert true["OS/BS"] == true["MS/BS"] == pytest.approx(100.0)
    assert seen["MS/BS"] == pytest.approx(100.0)
    assert true["MAR"] == pytest.approx(expected, rel=0.01)
    # All sections are upright: nothing is oblique, so pi/4 is one factor too many.
    assert seen["MAR"] * 4.0 / np.pi == pytest.approx(expected, rel=0.05)
    # The ledger counts whole voxels, and a plane across a box of n voxels is 1/(n-1) of the
    # volume between their centres.
    grown = [float(boxed(flat.tissue, label.quanta).mean()) for label in tracker.taken]
    per_box_um = (grown[1] - grown[0]) / FULL * (EDGE - 5) * VOXEL_UM / 16.0
    assert true["BFR/BS"] == pytest.approx(per_box_um * 365.25, rel=0.01)
    while phase(flat) == FORMING:
        tracker.follow(1)
    bench = specimen(tracker)
    true, seen = truth_of(tracker, bench, p), seen_in_sections(flat, bench, p)
    assert true["W.Th"] == pytest.approx(CUT * wall, rel=0.05)
    assert seen["W.Th"] * 4.0 / np.pi == pytest.approx(wall, rel=0.05)
    assert true["OS/BS"] == 0.0
    assert tracker.completed.count == 1


def test_no_remodelling_reads_as_none() -> None:
    config = validated(
        # A balance that leaves the last layer nearly full: heights are resolved to layers.
        {
            "cells": {
                "bmu": {"origination_per_mm2_per_year": 0.0},
                "osteoblast": {"balance_um": -0.6},
            },
            "schedule": {"burn_in_day": 0},
        },
        "test",
    )
    quanta = np.zeros((EDGE, EDGE, EDGE), np.uint8)
    quanta[:TOP] = FULL
    s = Simulation(config, Specimen(quanta, VOXEL_UM, "half a block", ()))
    p = BiopsyParameters(interval_day=2, wait_day=1, packets_day=3, spacing_um=100.0)
    read = {one.symbol: one for one in biopsy(s, p)}
    assert read["OS/BS"].true == read["OS/BS"].sections == 0.0
    assert read["BFR/BS"].true == 0.0
    assert np.isnan(read["W.Th"].sections) and np.isnan(read["MAR"].true)


def test_a_site_knows_its_birthday() -> None:
    ids = np.array([identity(12345678, day, 7) for day in (-600, 0, 4321)], np.uint64)
    assert born_day(ids).tolist() == [-600, 0, 4321]
