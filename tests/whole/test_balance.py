"""The laws that hold on every single day of a whole simulation."""

import numpy as np
import pytest
from skimage.measure import euler_number

from bonesim.cells.cavity import QUANTA_FLOORLESS
from bonesim.config.config import Config
from bonesim.engine.simulation import Simulation
from bonesim.lattice.ledger import (
    FORMED,
    FRAGMENTS,
    INTERIOR,
    INTERIOR_FORMED,
    INTERIOR_FRAGMENTS,
    INTERIOR_RESORBED,
    RESORBED,
    SLOW_DEFICIT,
)
from bonesim.lattice.topology import EVENT_KINDS
from bonesim.specimens import Specimen
from bonesim.units import BONE


def test_ledger_and_topology_every_day(small: Config, small_bone: Specimen) -> None:
    simulation = Simulation(small, small_bone)
    while simulation.day < 0:
        simulation.step()
    lattice, tissue = simulation.tissue.lattice, simulation.tissue
    inside = lattice.region == INTERIOR
    first_inside = int(lattice.quanta[inside].sum(dtype=np.int64))
    for _ in range(200):
        simulation.step()
        quanta = tissue.inner(lattice.quanta)
        total = int(quanta.sum(dtype=np.int64))
        counts = lattice.counts
        moved = int(counts[FORMED] - counts[RESORBED] - counts[FRAGMENTS])
        assert total == simulation.bone_quanta()
        assert total - simulation.first_quanta == moved
        of_interior = counts[[INTERIOR_FORMED, INTERIOR_RESORBED, INTERIOR_FRAGMENTS]]
        moved = int(of_interior @ [1, -1, -1])
        assert int(lattice.quanta[inside].sum(dtype=np.int64)) - first_inside == moved
        floorless = int(simulation.floorless.columns()["quanta"].sum(dtype=np.int64))
        assert floorless == simulation.cavities.tally[QUANTA_FLOORLESS]
        if simulation.day % 40 == 0:
            recount = int(euler_number(quanta >= BONE, connectivity=3))
            changes = simulation.events.columns()["delta_euler"].sum(dtype=np.int64)
            assert tissue.euler == recount
            assert simulation.first_euler + int(changes) == recount
    assert counts[FORMED] > 0
    assert counts[RESORBED] > counts[INTERIOR_RESORBED] > 0
    assert len(simulation.floorless) > 0
    table = simulation.table()
    assert np.array_equal(
        table["bone_quanta"] - table["bone_quanta"][0],
        table["formed_quanta"] - table["resorbed_quanta"] - table["fragments_quanta"],
    )


def test_the_mineral_kept_is_the_sum_over_voxels(small: Config, small_bone: Specimen) -> None:
    """The running deficit against a sweep, at day 0 after the burn-in and half a year later."""
    simulation = Simulation(small, small_bone)
    lattice = simulation.tissue.lattice
    interior = (lattice.region == INTERIOR) & (lattice.quanta > 0)
    assert (lattice.formed_day[interior] <= simulation.day).all()
    for last in (0, 180):
        while simulation.day < last:
            simulation.step()
        interior = (lattice.region == INTERIOR) & (lattice.quanta > 0)
        age = simulation.day - lattice.formed_day[interior].astype(float)
        swept = lattice.quanta[interior] @ np.exp(-age / lattice.slow_mineral_tau_day)
        assert lattice.sums[SLOW_DEFICIT] == pytest.approx(swept, rel=2e-3)


def test_surface_set_is_exactly_the_exposed_bone(small: Config, small_bone: Specimen) -> None:
    simulation = Simulation(small, small_bone)
    for _ in range(80):
        simulation.step()
    quanta = np.pad(simulation.tissue.inner(simulation.tissue.lattice.quanta), 1, mode="edge")
    bone = quanta >= BONE
    exposed = np.zeros_like(bone)
    for axis in range(3):
        for step in (-1, 1):
            exposed |= bone & ~np.roll(bone, step, axis)
    # At the cut faces the padding repeats the bone, as a symmetry plane does.
    inner = exposed[1:-1, 1:-1, 1:-1]
    expected = np.flatnonzero(np.pad(inner, 1).ravel())
    assert np.array_equal(np.sort(simulation.tissue.surface_voxels), expected)


def test_no_cells_leave_bone_untouched(small: Config, small_bone: Specimen) -> None:
    still = small.with_changes({"cells.bmu.origination_per_mm2_per_year": 0.0})
    simulation = Simulation(still, small_bone)
    for _ in range(120):
        simulation.step()
    assert np.array_equal(
        simulation.tissue.inner(simulation.tissue.lattice.quanta), small_bone.quanta
    )
    assert len(simulation.events) == 0


def test_no_final_event_is_undone_by_formation(small: Config, small_bone: Specimen) -> None:
    """Without bone beyond the old surface, surplus or modelling: that may narrow a hole from its rim."""
    fast = small.with_changes(
        {"cells.bmu.origination_per_mm2_per_year": 12.0, "cells.osteoclast.strain_stop": 0.0,
         "cells.osteoblast.overfill_um": 0.0, "cells.modelling.start_per_mm2_per_year": 0.0,
         "schedule.burn_in_day": 0, "schedule.duration_day": 1100}
    )  # fmt: skip
    simulation = Simulation(fast, small_bone)
    seen: dict[int, int] = {}
    for _ in range(1100):
        simulation.step()
        events = simulation.events.columns()
        for row in np.flatnonzero(events["status"] == 2):
            seen.setdefault(int(row), simulation.day)
    erosive = [
        r for r in seen if EVENT_KINDS[events["kind"][r]] in ("plate_perforation", "strut_cut")
    ]
    assert len(erosive) >= 5
    quanta = simulation.tissue.lattice.quanta
    open_still = [quanta[events["voxel"][row]] < BONE for row in erosive]
    assert all(open_still)
