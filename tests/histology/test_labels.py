"""Flat cavities that are filled under two labels: every measure is known beforehand."""

from typing import Any

import numpy as np
import pytest

from bonesim.cells.accounts import close_site
from bonesim.cells.cavity import add_record
from bonesim.cells.population import identity, new_row
from bonesim.cells.site import FORMING, REVERSAL
from bonesim.config.config import validated
from bonesim.engine.simulation import Simulation
from bonesim.histology.bench import osteoid_day, specimen
from bonesim.histology.biopsy import BiopsyParameters, biopsy
from bonesim.histology.biopsy import _seen as seen_in_sections
from bonesim.histology.biopsy import _true as truth_of
from bonesim.histology.surface_state import boxed
from bonesim.histology.tracker import Tracker, born_day
from bonesim.lattice.ledger import give
from bonesim.specimens.specimen import Specimen
from bonesim.units import FULL

EDGE, TOP, DEPTH = 30, 18, 2
#: Thickness from width where sections of all directions down to 30 degrees are measured.
OBLIQUE = (np.pi / 6 + np.sqrt(3) / 8) / (np.sqrt(3) / 2)
VOXEL_UM = 20.0


@pytest.fixture
def flat() -> Simulation:
    """Half a block of bone, its whole surface one site: eroded by two voxels, in reversal."""
    config = validated(
        # A balance that leaves the last layer nearly full: heights are resolved to layers.
        {
            "cells": {
                "bmu": {"origination_per_mm2_per_year": 0.0},
                # Without rest between the labels.
                "osteoblast": {"balance_um": -0.6, "working_share": 1.0},
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
        add_record(s.tissue.lattice, cavities, site, voxel, True)
    records = cavities.records
    live = records.alive == 1
    records.stock[live] = FULL
    layer = TOP - records.voxel[live] // s.tissue.lattice.stride_z
    records.foot[live] = layer == 0
    records.below_um[live] = (layer + 0.5) * VOXEL_UM
    sites.voxel[site] = voxels[(EDGE * EDGE + EDGE) // 2]
    sites.area_um2[site] = (EDGE * VOXEL_UM) ** 2
    sites.phase[site] = REVERSAL
    sites.depth_excess[site] = 1.0
    sites.osteoclast_depth_um[site] = sites.open_um[site] = DEPTH * VOXEL_UM
    sites.removed_quanta[site] = voxels.size * FULL
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
    assert tracker.eroded.thickness_um == pytest.approx(DEPTH * VOXEL_UM, rel=1e-3)
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
    assert true["OS/BS"] == pytest.approx(100.0)
    assert true["MS/BS"] == pytest.approx(100.0)
    assert seen["MS/BS"] == pytest.approx(100.0)
    assert true["MAR"] == pytest.approx(expected, rel=0.01)
    # All sections are upright: nothing is oblique, so the factor is one too many.
    assert seen["MAR"] / OBLIQUE == pytest.approx(expected, rel=0.05)
    # The ledger counts whole voxels, and a plane across a box of n voxels is 1/(n-1) of the
    # volume between their centres.
    grown = [float(boxed(flat.tissue, label.quanta).mean()) for label in tracker.taken]
    per_box_um = (grown[1] - grown[0]) / FULL * (EDGE - 5) * VOXEL_UM / 16.0
    assert true["BFR/BS"] == pytest.approx(per_box_um * 365.25, rel=0.01)
    while phase(flat) == FORMING:
        tracker.follow(1)
    bench = specimen(tracker)
    true, seen = truth_of(tracker, bench, p), seen_in_sections(flat, bench, p)
    assert true["W.Th"] == pytest.approx(wall, rel=0.05)
    assert seen["W.Th"] / OBLIQUE == pytest.approx(wall, rel=0.05)
    assert true["OS/BS"] == pytest.approx(100.0)  # not mineral yet
    tracker.follow(osteoid_day(flat.config))
    assert truth_of(tracker, specimen(tracker), p)["OS/BS"] == 0.0
    assert tracker.completed.count == 1


#: Many small flat sites: each of 4 x 4 columns in a block of 36 x 36; one day apart in their spells.
SIDE, PATCHES, SPELL, SPEED = 4, 9, 32, 0.6


class ByHand:
    """Formation by hand: each site works in spells of 32 days, on and off; every 8 days it is served.

    Args:
        simulation: its cells are replaced by this.
        begin: for each site the day its first spell began; it alternates for ever.
        last_day: after it no site forms, and all end.
    """

    def __init__(self, simulation: Simulation, begin: np.ndarray, last_day: int = 10**6) -> None:
        self.simulation, self.begin, self.last_day = simulation, begin, last_day
        simulation.osteoblasts.form = self.form  # type: ignore[method-assign]

    def on(self, site: int, day: int) -> bool:
        """Whether a site works on a day."""
        return (day - 1 - self.begin[site]) // SPELL % 2 == 0

    def form(self, tissue: Any, *_: Any) -> None:
        """Serve the sites whose turn it is with the work of eight days."""
        s = self.simulation
        cavities, day = s.cavities.columns, s.day
        for site, begin in enumerate(self.begin):
            if cavities.sites.alive[site] == 0:
                continue
            if (day - begin) % 8 == 0 and self.on(site, day):
                self.deposit(tissue.lattice, site, day)
            if day >= self.last_day:
                close_site(tissue.lattice, cavities, site)

    def deposit(self, lattice: Any, site: int, day: int) -> None:
        """The same in every column of a site, on what is there."""
        cavities = self.simulation.cavities.columns
        records = cavities.records
        mine = np.flatnonzero((records.alive == 1) & (records.site == site))
        voxels = np.sort(records.voxel[mine]).reshape(-1, SIDE * SIDE)
        left = np.full(SIDE * SIDE, round(8 * SPEED / VOXEL_UM * FULL))
        for layer in voxels:
            for column, voxel in enumerate(layer):
                moved = give(lattice, voxel, left[column], day, 0.0, 0)
                left[column] -= moved
                cavities.sites.formed_quanta[site] += moved
                records.stock[lattice.owner[voxel]] -= moved


@pytest.fixture
def patches() -> Simulation:
    """Half a block of bone, its surface many flat cavities three voxels deep with their teams."""
    config = validated(
        {"cells": {"bmu": {"origination_per_mm2_per_year": 0.0},
                   "modelling": {"start_per_mm2_per_year": 0.0}},
         "schedule": {"burn_in_day": 0}},
        "test",
    )  # fmt: skip
    edge, deep = SIDE * PATCHES, 3
    quanta = np.zeros((30, edge, edge), np.uint8)
    quanta[: TOP - deep] = FULL
    s = Simulation(config, Specimen(quanta, VOXEL_UM, "patches", ()))
    s.cavities.make_room()
    cavities = s.cavities.columns
    sites, records = cavities.sites, cavities.records
    for y in range(PATCHES):
        for x in range(PATCHES):
            site = new_row(sites)
            inner = np.zeros(s.tissue.padded_shape, np.bool_)
            columns = [slice(1 + SIDE * c, 1 + SIDE * (c + 1)) for c in (y, x)]
            inner[1 + TOP - deep : 1 + TOP, columns[0], columns[1]] = True
            voxels = np.flatnonzero(inner)
            sites.first[site], sites.nz[site] = -1, -1.0
            sites.id[site] = identity(voxels[0], 0, 1)
            sites.voxel[site] = voxels[0]
            sites.area_um2[site] = (SIDE * VOXEL_UM) ** 2
            sites.phase[site], sites.phase_day[site] = FORMING, 0
            sites.removed_quanta[site] = voxels.size * FULL
            for voxel in voxels:
                add_record(s.tissue.lattice, cavities, site, voxel, True)
    records.stock[records.alive == 1] = FULL
    return s


def read(s: Simulation, begin: np.ndarray, interval_day: int, first_day: int) -> Any:
    """True values and sections of two labels, taken up from `first_day` on."""
    # Sections nearer to each other than a biopsy's, and never in step with sites of 80 um.
    p = BiopsyParameters(interval_day=interval_day, wait_day=8, packets_day=60)
    p = p.model_copy(update={"spacing_um": 60.0})
    ByHand(s, begin)
    tracker = Tracker(s)
    for days in (first_day, interval_day):
        tracker.follow(days)
        tracker.label()
    tracker.follow(8)
    bench = specimen(tracker)
    return truth_of(tracker, bench, p), seen_in_sections(s, bench, p)


@pytest.mark.parametrize("interval_day", [10, 14])
def test_teams_that_rest_half_of_the_time(patches: Simulation, interval_day: int) -> None:
    """MAR is the speed of work, MS/OS the share of time at work, Aj.AR their product."""
    y, x = np.divmod(np.arange(PATCHES * PATCHES), PATCHES)
    # Every phase of the 64 days, neighbours nearly alike: no steps in the surface.
    begin = -(8 * x + y)
    true, seen = read(patches, begin, interval_day, first_day=20)
    assert true["OS/BS"] == pytest.approx(100.0)
    for values, factor in ((true, 1.0), (seen, 1.0 / OBLIQUE)):
        assert factor * values["MAR"] == pytest.approx(SPEED, rel=0.05)
        assert values["MS/OS"] == pytest.approx(50.0, rel=0.06)
        assert factor * values["Aj.AR"] == pytest.approx(SPEED / 2, rel=0.08)
        assert values["MS/BS"] == pytest.approx(50.0, rel=0.06)
    assert seen["BFR/BS"] == pytest.approx(seen["MAR"] * seen["MS/BS"] / 100 * 365.25)


@pytest.mark.parametrize("late", range(0, 17, 3))
def test_a_label_may_be_given_between_two_servings(patches: Simulation, late: int) -> None:
    """All work for 32 days: wherever among the steps of eight days the labels fall, MAR is the speed."""
    begin = np.full(PATCHES * PATCHES, 0)
    true, seen = read(patches, begin, 14, first_day=1 + late)
    assert true["MAR"] == pytest.approx(SPEED, rel=0.02)
    assert true["MS/OS"] == pytest.approx(100.0)
    assert seen["MS/OS"] == pytest.approx(100.0)


def test_single_labels_count_half(patches: Simulation) -> None:
    """A third of the surface has both labels, the middle begins between them, a third rests."""
    strip = np.arange(PATCHES * PATCHES) % PATCHES // 3
    begin = np.array([0, 24, -32])[strip]
    true, seen = read(patches, begin, 14, first_day=14)  # given on days 14 and 28
    assert true["MS/BS"] == pytest.approx(100.0 * (1 + 0.5) / 3, rel=0.05)
    assert seen["MS/BS"] == pytest.approx(100.0 * (1 + 0.5) / 3, rel=0.05)
    assert true["MAR"] == pytest.approx(SPEED, rel=0.08)  # steps between thirds are surface too


def test_osteoid_stays_until_it_is_mineral(patches: Simulation) -> None:
    """It is surface under osteoid for `tissue.mineral.lag_day` after the team has ended."""
    ByHand(patches, np.zeros(PATCHES * PATCHES, int), last_day=10)
    p = BiopsyParameters(interval_day=1, wait_day=1, packets_day=60, spacing_um=100.0)
    tracker = Tracker(patches)
    for _ in range(2):
        tracker.label()
        tracker.follow(1)
    shares = {}
    for day in (9, 10, 24, 25):
        tracker.follow(day - patches.day)
        bench = specimen(tracker)
        true, seen = truth_of(tracker, bench, p), seen_in_sections(patches, bench, p)
        assert true["OS/BS"] == pytest.approx(seen["OS/BS"])
        shares[day] = true["OS/BS"]
    # Also of sites that formed before the tracker did, the area that was completed is known.
    assert tracker.completed.count == (PATCHES - 1) ** 2  # of those not in the rim
    assert shares == {
        9: pytest.approx(100),
        10: pytest.approx(100),
        24: pytest.approx(100),
        25: 0.0,
    }


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
    p = BiopsyParameters(interval_day=2, wait_day=1, packets_day=18, spacing_um=100.0)
    read = {one.symbol: one for one in biopsy(s, p)}
    assert read["OS/BS"].true == read["OS/BS"].sections == 0.0
    assert read["BFR/BS"].true == 0.0
    assert np.isnan(read["W.Th"].sections) and np.isnan(read["MAR"].true)


def test_a_site_knows_its_birthday() -> None:
    ids = np.array([identity(12345678, day, 7) for day in (-600, 0, 4321)], np.uint64)
    assert born_day(ids).tolist() == [-600, 0, 4321]
