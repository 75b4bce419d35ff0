"""The washout refills the stock of cavities, no more, and changes nothing else."""

from pathlib import Path

import numpy as np
import pytest

from bonesim.cells.cavity import QUANTA_ADDED
from bonesim.cells.site import ARRESTED
from bonesim.config.config import Config, load_config
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import state_of
from bonesim.lattice.event_log import OPEN
from bonesim.lattice.ledger import FORMED, FRAGMENTS, RESORBED
from bonesim.loss import washout
from bonesim.loss.parts import bone_of
from bonesim.loss.washout import at_reference, at_rest, washed_out
from bonesim.specimens import Specimen
from bonesim.storage import checkpoint
from bonesim.units import BONE
from tests.loss.conftest import LAST, SimulatedRun

CONFIGS = Path(__file__).parents[2] / "configs"
SPECK = np.full((8, 8, 8), 255, np.uint8)


def stock_of(simulation: Simulation) -> int:
    """Stock of open cavities, quanta."""
    records = simulation.cavities.records.columns
    return int(records.stock[records.alive == 1].sum(dtype=np.int64))


def test_what_is_washed_out_is_not_changed(frail_run: SimulatedRun, tmp_path: Path) -> None:
    def saved(name: str) -> bytes:
        path = tmp_path / name
        checkpoint.save(path, state_of(frail_run.simulation), {})
        return path.read_bytes()

    before = saved("before")
    washed_out(frail_run.simulation)
    assert saved("after") == before


def test_everything_closes_and_is_judged(frail_run: SimulatedRun) -> None:
    washed = washed_out(frail_run.simulation)
    sites = washed.cavities.sites.columns
    assert set(sites.phase[sites.alive == 1].tolist()) <= {ARRESTED}
    assert len(washed.bmus) == len(washed.osteoclasts) == 0
    assert 0 < washed.day - LAST < 100
    for log in (washed.events, washed.earlier_events):
        assert not (log.columns()["status"] == OPEN).any()
    # Stock that a neighbour resorbed from arrested surface is not refilled.
    records = washed.cavities.records.columns
    holds = (records.alive == 1) & (records.stock > 0)
    assert set(sites.phase[records.site[holds]].tolist()) <= {ARRESTED}


def test_stock_comes_back_and_nothing_else(frail_run: SimulatedRun) -> None:
    """Formed: the stock, as far as it has a floor and room. Resorbed: bone left without support."""
    simulation, washed = frail_run.simulation, washed_out(frail_run.simulation)
    before, after = simulation.tissue.lattice.counts, washed.tissue.lattice.counts
    # Voids of one voxel that refilled cavities enclose are filled, too.
    pockets = washed.cavities.tally[QUANTA_ADDED] - simulation.cavities.tally[QUANTA_ADDED]
    assert 0 <= pockets < 0.01 * (after[FORMED] - before[FORMED])
    back = int(after[FORMED] - before[FORMED] - pockets)
    residue = int(after[RESORBED] - before[RESORBED])
    new = slice(len(simulation.floorless), None)
    floorless = int(washed.floorless.columns()["quanta"][new].sum())
    held = stock_of(simulation)
    assert 0 < back <= held - (floorless - residue)
    # Some cavities have little firm bone to grow from, and teams have a limited time.
    assert back > 0.95 * (held - (floorless - residue))
    assert 0 <= residue < BONE * washed.floorless.columns()["day"][new].size
    gained = washed.bone_quanta() - simulation.bone_quanta()
    assert gained == back + pockets - residue - int(after[FRAGMENTS] - before[FRAGMENTS])


def test_an_intact_bone_comes_back_as_it_was(frail: Config, frail_bone: Specimen) -> None:
    """Cavities of the first weeks, not one of them filled yet: voxel by voxel the bone before."""
    calm = frail.with_changes({"schedule.burn_in_day": 0, "hormones.course": {"kind": "constant"}})
    simulation = Simulation(calm, frail_bone)
    whole = simulation.tissue.lattice.quanta.astype(int)
    for _ in range(45):
        simulation.step()
    open_now = int((whole - simulation.tissue.lattice.quanta).sum())
    washed = washed_out(simulation)
    floorless = int(washed.floorless.columns()["quanta"].sum())
    missing = whole - washed.tissue.lattice.quanta.astype(int)
    assert open_now > 40_000
    # All but what has no floor, and some percent that lies in a neighbouring voxel.
    assert 0 <= missing.sum() - floorless < 0.01 * open_now
    assert np.abs(missing).sum() - floorless < 0.06 * open_now


def test_acceleration_changes_next_to_nothing(
    frail_run: SimulatedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the normal pace teams fill the same; they rest half of the time, and it takes as many steps."""
    quick = washed_out(frail_run.simulation)
    monkeypatch.setattr(
        washout, "accelerated", lambda numbers: numbers._replace(reversal_day=1e-6, arrest_day=1e4)
    )
    slow = washed_out(frail_run.simulation)
    cells = frail_run.simulation.osteoblasts.parameters
    # The last team may begin its cycle of work and rest anywhere.
    within = pytest.approx(cells.step_day * (quick.day - LAST), abs=cells.cycle_day)
    assert slow.day - LAST == within
    now = bone_of(frail_run.simulation)
    gained = [bone_of(washed) - now for washed in (quick, slow)]
    # A late team returns the rest at once, without the part that disuse would have forgone.
    assert gained[0] == pytest.approx(gained[1], rel=0.01)


def test_a_prescription_ends_with_the_washout() -> None:
    """No drug, no changed load, no deficit."""
    treated = load_config(
        CONFIGS / "trt_anastrozole_small.toml",
        {"protocol.loading.change": [{"start_day": 0, "load_percent": 50}]},
    )
    calm = at_reference(treated)
    assert calm.load_percent(50) == 100.0
    assert Simulation(calm, Specimen(SPECK, 20.0, "a speck", ())).drive.deficit == 0.0
    assert calm.mechanics.interval_day == 0


def test_no_end_is_an_error(frail_run: SimulatedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(washout, "MAX_STEPS", 2)
    with pytest.raises(RuntimeError, match="open after 2 steps"):
        washed_out(frail_run.simulation)


def test_at_rest_nothing_is_resorbed_or_added(frail_run: SimulatedRun) -> None:
    held = stock_of(frail_run.simulation)
    state = at_rest(state_of(frail_run.simulation))
    sites, records = state["cavities"]["sites"], state["cavities"]["records"]
    live = records["alive"] == 1
    assert int(records["stock"][live].sum(dtype=np.int64)) == held
    forming = (sites["alive"] == 1) & (sites["phase"] == washout.FORMING)
    assert forming.any()
    # What the teams at work are to form is the stock of their sites.
    assert not records["granted"][live].any()
    assert records["film_um"][live].min() >= 0
    assert sites["film_um"][forming].min() >= 0
    assert state["populations"]["osteoclasts"]["id"].size == 0
    assert len(frail_run.simulation.osteoclasts) > 0
    digging = (sites["alive"] == 1) & (sites["phase"] == washout.MONONUCLEAR)
    target, done = sites["mononuclear_target_um"], sites["mononuclear_depth_um"]
    assert digging.any()
    assert (target[digging] == done[digging]).all()
    assert not (sites["phase"][sites["alive"] == 1] == washout.OSTEOCLAST).any()
