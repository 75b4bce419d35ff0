"""Parts of a loss sum to the total in every case; a wrong sum is refused."""

import copy
from pathlib import Path

import numpy as np
import pytest

from bonesim.cells.cavity import QUANTA_ARRESTED
from bonesim.config.config import Config
from bonesim.engine import burn_in
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import put_back
from bonesim.lattice.event_log import FINAL, NOT_COUNTED, TRANSIENT
from bonesim.lattice.ledger import INTERIOR, INTERIOR_RESORBED, RIM, take
from bonesim.lattice.topology import HEALING, MIXED, PLATE_PERFORATION, STRUT_CUT
from bonesim.loss import parts
from bonesim.loss.parts import OF_THINNING, PARTS, Decomposition, Loss, account, bone_of, by_fate
from bonesim.loss.washout import washed_out
from bonesim.specimens import Specimen
from bonesim.storage import checkpoint
from bonesim.units import FULL
from tests.loss.conftest import LAST, MIDDLE, SimulatedRun


def whole(loss: Loss) -> None:
    """Parts and total, to the last quantum."""
    assert sum(getattr(loss, name) for name in PARTS) == loss.total
    assert sum(getattr(loss, name) for name in OF_THINNING) == loss.thinning
    assert all(type(value) is int for value in loss)


def test_parts_make_up_the_loss_of_bmd(frail_run: SimulatedRun) -> None:
    for day in (MIDDLE, LAST):
        loss = frail_run.losses[day]
        whole(loss)
        of_bmd = 1.0 - frail_run.bmd_mg_per_cm3[day] / frail_run.bmd_mg_per_cm3[0]
        # Two roundings to a quantum.
        assert loss.total == pytest.approx(of_bmd * loss.mineral_day_0, abs=1.0 + of_bmd)
    # Everything the bone can lose is among it.
    assert min(loss.open_space, loss.thinning, loss.edge, loss.wall) > 0
    assert loss.plate_perforation + loss.strut_cut > 0
    assert loss.reversible == loss.open_space + loss.mineral_lag
    assert loss.added <= 0


def test_nothing_is_lost_on_day_zero(frail_run: SimulatedRun) -> None:
    assert frail_run.losses[0] == Loss(0, frail_run.losses[0].mineral_day_0, *[0] * 11)


def test_no_cells_no_loss(frail: Config, frail_bone: Specimen) -> None:
    """Without resorption only mineral changes, because the bone gets older."""
    still = frail.with_changes(
        {"cells.bmu.origination_per_mm2_per_year": 0.0, "schedule.burn_in_day": 0}
    )
    simulation = Simulation(still, frail_bone)
    decomposition = Decomposition(simulation)
    for _ in range(30):
        simulation.step()
    loss = decomposition.at(simulation)
    assert loss.total == loss.mineral_lag < 0
    assert set(loss[3:4] + loss[5:]) == {0}


def test_the_ledger_agrees_with_the_lattice(frail_run: SimulatedRun) -> None:
    """The structural parts, from flows, against two counts of voxels."""
    loss = frail_run.losses[LAST]
    washed = []
    for day in (0, LAST):
        simulation = Simulation(frail_run.simulation.config, frail_run.simulation.specimen)
        put_back(simulation, frail_run.states[day])
        washed.append(bone_of(washed_out(simulation)))
    structural = loss.thinning + loss.plate_perforation + loss.strut_cut + loss.fragment
    assert washed[0] - washed[1] == structural > 0


def test_floorless_bone_of_the_rim_is_no_part(frail_run: SimulatedRun) -> None:
    washed = washed_out(frail_run.simulation)
    lost, region = washed.floorless.columns(), washed.tissue.lattice.region
    lost["voxel"][:3] = np.flatnonzero(region == RIM)[:3]  # as if these had been of the rim
    found = account(washed, bone_of(washed) - moved_in(washed))
    inside = int(lost["quanta"][region[lost["voxel"]] == INTERIOR].sum())
    assert found.plate_perforation + found.strut_cut + found.edge == inside
    assert inside < lost["quanta"].sum()


def test_a_loose_piece_is_a_fragment_before_its_day(frail: Config) -> None:
    """A strut cut by hand: the loose piece counts as lost before fragments are searched."""
    quanta = np.zeros((24, 24, 24), np.uint8)
    quanta[:6] = quanta[6:18, 12:14, 12:14] = FULL
    still = frail.with_changes(
        {"cells.bmu.origination_per_mm2_per_year": 0.0, "schedule.burn_in_day": 0}
    )
    simulation = Simulation(still, Specimen(quanta, 20.0, "a plate and a strut", ()))
    decomposition = Decomposition(simulation)
    simulation.step()
    lattice = simulation.tissue.lattice
    for y, x in ((12, 12), (12, 13), (13, 12), (13, 13)):
        voxel = int(np.ravel_multi_index((11, y + 1, x + 1), simulation.tissue.padded_shape))
        take(lattice, voxel, FULL, 1, 40.0, 0.0, np.uint64(7))
    loss = decomposition.at(simulation)
    whole(loss)
    assert (loss.wall, loss.fragment) == (4 * FULL, 7 * 4 * FULL)
    assert loss.total - loss.mineral_lag == 4 * FULL
    assert loss.open_space == -loss.fragment  # it still stands


def test_arrested_surface_is_reported(frail: Config, frail_bone: Specimen) -> None:
    """Where no team ever comes all that closes is arrested, or has no floor."""
    alone = frail.with_changes(
        {"cells.osteoblast.reversal_day": 500.0, "cells.osteoblast.arrest_day": 1.0,
         "schedule.burn_in_day": 0}
    )  # fmt: skip
    simulation = Simulation(alone, frail_bone)
    decomposition = Decomposition(simulation)
    for _ in range(90):
        simulation.step()
    loss = decomposition.at(simulation)
    whole(loss)
    records = simulation.cavities.records.columns
    assert simulation.cavities.tally[QUANTA_ARRESTED] == loss.arrested > 0
    assert loss.arrested > 0.8 * loss.thinning
    assert records.alive.any()


def test_a_restart_gives_the_same(frail_run: SimulatedRun, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "middle", frail_run.states[MIDDLE], {})
    state, _ = checkpoint.load(tmp_path / "middle")
    again = Simulation(frail_run.simulation.config, frail_run.simulation.specimen)
    put_back(again, state)
    assert frail_run.decomposition.at(again) == frail_run.losses[MIDDLE]
    while again.day < LAST:
        again.step()
    assert frail_run.decomposition.at(again) == frail_run.losses[LAST]


@pytest.mark.long
def test_a_cached_burn_in_gives_the_same(
    frail: Config, frail_bone: Specimen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that wait for their judgement on day 0 are kept, once and not twice."""
    monkeypatch.setattr(burn_in, "user_cache_path", lambda _: tmp_path)
    found = []
    for known in (False, True):
        simulation, cached = burn_in.equilibrated(frail, frail_bone, lambda _: None)
        assert cached == known
        waiting = simulation.earlier_events.columns()
        assert waiting["day"].size > 0
        assert (waiting["day"] <= 0).all()
        decomposition = Decomposition(simulation)
        for _ in range(20):
            simulation.step()
        found.append((waiting["voxel"].tolist(), decomposition.at(simulation)))
    assert found[0] == found[1]


def test_what_does_not_add_up_is_refused(
    frail_run: SimulatedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    washed = washed_out(frail_run.simulation)
    first = bone_of(washed) - moved_in(washed)
    account(washed, first)

    wrong = copy.deepcopy(washed)
    wrong.tissue.lattice.counts[INTERIOR_RESORBED] += 1
    with pytest.raises(RuntimeError, match="by the ledger"):
        account(wrong, first)

    wrong = copy.deepcopy(washed)
    lattice = wrong.tissue.lattice
    lattice.quanta[np.flatnonzero((lattice.region == INTERIOR) & (lattice.quanta > 9))[0]] -= 1
    with pytest.raises(RuntimeError, match="by the ledger"):
        account(wrong, first)

    wrong = copy.deepcopy(washed)
    wrong.floorless.restore({n: c[1:] for n, c in wrong.floorless.state().items()})
    with pytest.raises(RuntimeError, match="floorless"):
        account(wrong, first)

    monkeypatch.setattr(parts, "by_fate", lambda *_: (1, 1, 1))
    with_wrong_fates = frail_run.decomposition.at(frail_run.simulation)
    whole(with_wrong_fates)  # fates only divide the ledger's floorless bone: the sum holds
    monkeypatch.undo()
    monkeypatch.setattr(parts, "washed_out", lambda _: washed)
    monkeypatch.setattr(parts, "account", lambda *_: account(washed, first)._replace(formed=0))
    with pytest.raises(RuntimeError, match="a loss of"):
        frail_run.decomposition.at(frail_run.simulation)


def moved_in(washed: Simulation) -> int:
    """Quanta of the interior gained since day 0, by the ledger."""
    counts = washed.tissue.lattice.counts
    formed, resorbed, fragments = parts.INTERIOR_FORMED, INTERIOR_RESORBED, parts.INTERIOR_FRAGMENTS
    return int(counts[formed] - counts[resorbed] - counts[fragments])


def test_only_day_zero_is_a_start(frail_run: SimulatedRun) -> None:
    with pytest.raises(ValueError, match="day 300"):
        Decomposition(frail_run.simulation)


def test_a_difference_is_one_of_each_part(frail_run: SimulatedRun) -> None:
    one, other = frail_run.losses[LAST], frail_run.losses[MIDDLE]
    more = one.minus(other)
    whole(more)
    assert more.total == one.total - other.total
    assert (more.day, more.mineral_day_0) == (one.day, one.mineral_day_0)


def fate(*rows: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Events as (bmu, kind, status)."""
    bmu, kind, status = zip(*rows, strict=True)
    return {"bmu": np.array(bmu, np.uint64), "kind": np.array(kind, np.uint8),
            "status": np.array(status, np.uint8)}  # fmt: skip


def test_made_up_events_share_out_the_floorless() -> None:
    bmu = np.array([11, 12, 11, 13, 14, 15, 16, 2**63 + 5], np.uint64)
    quanta = np.array([100, 200, 1, 1000, 90, 7, 10000, 50000], np.int32)
    events = fate(
        (11, PLATE_PERFORATION, FINAL),  # 101: perforation
        (12, STRUT_CUT, FINAL),  # 200: cut
        (13, PLATE_PERFORATION, FINAL), (13, STRUT_CUT, FINAL), (13, STRUT_CUT, FINAL),  # 333 + 667
        (14, MIXED, FINAL), (14, PLATE_PERFORATION, FINAL),  # 3 : 1 of 90
        (15, STRUT_CUT, TRANSIENT),  # came to nothing: an edge
        (16, HEALING, NOT_COUNTED),
        (17, STRUT_CUT, FINAL),  # lost no bone
        (2**63 + 5, STRUT_CUT, FINAL),  # ids have 64 bits
    )  # fmt: skip
    cut = 200 + 1000 * 2 // 3 + 90 // 4 + 50000
    edge = 7 + 10000
    assert by_fate(bmu, quanta, events) == (int(quanta.sum()) - cut - edge, cut, edge)
    assert by_fate(bmu[:0], quanta[:0], events) == (0, 0, 0)
