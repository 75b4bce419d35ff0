"""The exact parts of a loss of bone mineral between day 0 and a later day, in whole quanta.

All is counted in the interior, where BMD and BV/TV are measured: the total is the loss of BMD. M is
mineral, Q bone, and Q' bone after the washout (`washout`) from the state of a day:

    total        M(0) - M(t), each rounded
    mineral lag  total - (Q(0) - Q(t)): bone with less mineral in it
    open space   (Q'(t) - Q(t)) - (Q'(0) - Q(0)): cavities that would fill (a healthy bone has some),
                 less loose pieces that are still in place
    the rest     Q'(0) - Q'(t). The ledger splits it: bone formed, resorbed and lost since day 0,
                 through the washout of day t, less the same through the washout of day 0

    fragments    bone in loose pieces
    perforation, strut cuts    bone that cavities took and cannot refill, because it has no floor,
                 if their BMU made a final event; in proportion to its events of each kind
    thinning     resorbed less formed less the two above; of it
        wall     walls thinner than the depth of their cavity
        arrested stock of surface that got no team in time
        edge     floorless bone of BMUs without a final event: at edges and free ends, and where a hole
                 reached the edge of its plate
        added    bone formed on marrow, by modelling and strained sites; a gain

Stock (voxels, recounted) and ledger (flows, added up where they occur) are independent. Each time it
is checked that the parts sum to the total, to the last quantum.
"""

import gc
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.cells.cavity import QUANTA_ADDED, QUANTA_ARRESTED, QUANTA_FLOORLESS
from bonesim.engine.simulation import Simulation
from bonesim.lattice.event_log import FINAL
from bonesim.lattice.ledger import (
    INTERIOR,
    INTERIOR_FORMED,
    INTERIOR_FRAGMENTS,
    INTERIOR_RESORBED,
)
from bonesim.lattice.topology import MIXED, PLATE_PERFORATION, STRUT_CUT
from bonesim.loss.washout import washed_out

#: Parts that sum to the total -> their names for the user.
PARTS = {
    "open_space": "open remodelling space",
    "mineral_lag": "mineral lag",
    "thinning": "thinning",
    "plate_perforation": "plate perforation",
    "strut_cut": "strut cuts",
    "fragment": "fragments",
}
#: Parts of thinning.
OF_THINNING = {
    "wall": "walls thinner than cavities",
    "arrested": "arrested surface",
    "edge": "edges and free ends",
    "added": "added by strain",
}
#: Parts that come back without new structure: space within a cycle, mineral within some years.
REVERSIBLE = ("open_space", "mineral_lag")
#: How much a part is: in quanta, and in percent of two wholes.
AMOUNTS = ("quanta", "percent_of_day_0", "percent_of_loss")


class Loss(NamedTuple):
    """The loss from day 0 to a day, in quanta of the interior; below 0 is a gain.

    The first six parts sum to `total`, the last four to `thinning`. Percentages are of
    `mineral_day_0`.
    """

    day: int
    mineral_day_0: int
    total: int
    open_space: int
    mineral_lag: int
    thinning: int
    plate_perforation: int
    strut_cut: int
    fragment: int
    wall: int
    arrested: int
    edge: int
    added: int

    @property
    def reversible(self) -> int:
        """The loss that comes back without new structure."""
        return sum(getattr(self, name) for name in REVERSIBLE)

    def minus(self, other: "Loss") -> "Loss":
        """Part by part, this loss less that of another run, e.g. a healthy twin, to the same day."""
        parts = [mine - its for mine, its in zip(self[2:], other[2:], strict=True)]
        return Loss(self.day, self.mineral_day_0, *parts)


class Account(NamedTuple):
    """Bone of the interior after a washout, and the flows since day 0; all in quanta."""

    bone: int
    formed: int
    resorbed: int
    fragment: int
    plate_perforation: int
    strut_cut: int
    arrested: int
    edge: int
    added: int

    @property
    def thinning(self) -> int:
        """Resorbed and not formed again although it had a floor; and edges."""
        return self.resorbed - self.formed - self.plate_perforation - self.strut_cut

    @property
    def wall(self) -> int:
        """Thinning less arrested surface, edges and bone added."""
        return self.thinning - self.arrested - self.edge - self.added


class Decomposition:
    """The parts of the loss to any later day of one run.

    Args:
        simulation: the run on day 0; it is not changed.

    Raises:
        ValueError: it is not at day 0.
    """

    def __init__(self, simulation: Simulation) -> None:
        if simulation.day != 0:
            raise ValueError(f"losses are counted from day 0 on, not from day {simulation.day}")
        self._bone, self._mineral = bone_of(simulation), round(simulation.mineral_quanta())
        self._washed = self._account(simulation)

    def at(self, simulation: Simulation) -> Loss:
        """The loss up to the simulation's day; the simulation is not changed.

        Raises:
            RuntimeError: the parts do not sum to the total; a bug.
        """
        first, bone = self._washed, bone_of(simulation)
        then = self._account(simulation)
        total = self._mineral - round(simulation.mineral_quanta())
        loss = Loss(
            day=simulation.day,
            mineral_day_0=self._mineral,
            total=total,
            open_space=(then.bone - bone) - (first.bone - self._bone),
            mineral_lag=total - (self._bone - bone),
            thinning=then.thinning - first.thinning,
            plate_perforation=then.plate_perforation - first.plate_perforation,
            strut_cut=then.strut_cut - first.strut_cut,
            fragment=then.fragment - first.fragment,
            wall=then.wall - first.wall,
            arrested=then.arrested - first.arrested,
            edge=then.edge - first.edge,
            added=then.added - first.added,
        )
        parts = sum(getattr(loss, name) for name in PARTS)
        if parts != total:
            raise RuntimeError(
                f"day {loss.day}: parts of {parts} quanta, a loss of {total}: {loss}"
            )
        return loss

    def _account(self, simulation: Simulation) -> Account:
        """The ledger through a washout, whose lattice is freed at once."""
        found = account(washed_out(simulation), self._bone)
        gc.collect()  # a simulation is a reference cycle of few objects: Python would free it late
        return found


def bone_of(simulation: Simulation) -> int:
    """Bone of the interior, quanta, recounted voxel by voxel."""
    lattice = simulation.tissue.lattice
    return int(lattice.quanta[lattice.region == INTERIOR].sum(dtype=np.int64))


def account(washed: Simulation, first_bone: int) -> Account:
    """The ledger of a run since day 0, through its washout; `first_bone`: quanta on day 0.

    Raises:
        RuntimeError: ledger and bone, or logs and totals, do not agree; a bug.
    """
    lattice, tally = washed.tissue.lattice, washed.cavities.tally
    lost = washed.floorless.columns()
    logged = int(lost["quanta"].sum(dtype=np.int64))
    if logged != int(tally[QUANTA_FLOORLESS]):
        raise RuntimeError(f"floorless: {logged} quanta logged, {tally[QUANTA_FLOORLESS]:.0f} lost")
    inside = lattice.region[lost["voxel"]] == INTERIOR
    logs = [log.columns() for log in (washed.events, washed.earlier_events)]
    events = {
        name: np.concatenate([log[name] for log in logs]) for name in ("bmu", "kind", "status")
    }
    plate, cut, edge = by_fate(lost["bmu"][inside], lost["quanta"][inside], events)
    counts = lattice.counts
    found = Account(
        bone=bone_of(washed),
        formed=int(counts[INTERIOR_FORMED]),
        resorbed=int(counts[INTERIOR_RESORBED]),
        fragment=int(counts[INTERIOR_FRAGMENTS]),
        plate_perforation=plate,
        strut_cut=cut,
        arrested=int(tally[QUANTA_ARRESTED]),
        edge=edge,
        added=-int(tally[QUANTA_ADDED]),
    )
    moved = found.formed - found.resorbed - found.fragment
    if found.bone != first_bone + moved:
        raise RuntimeError(
            f"day {washed.day}: {found.bone} quanta of bone, {first_bone + moved} by the ledger"
        )
    return found


def by_fate(
    bmu: NDArray[np.uint64], quanta: NDArray[np.int32], events: Mapping[str, NDArray[Any]]
) -> tuple[int, int, int]:
    """Floorless quanta of BMUs that perforated plates, that cut struts, and of the others.

    Args:
        bmu: the BMU whose cavity each voxel was in.
        quanta: quanta lost in each voxel.
        events: columns bmu, kind, status of all events, judged.

    A mixed event counts half for either kind.
    """
    units, place = np.unique(bmu, return_inverse=True)
    held = np.zeros(units.size, np.int64)
    np.add.at(held, place, quanta)
    final = events["status"] == FINAL
    row = np.searchsorted(units, events["bmu"][final])
    known = np.isin(events["bmu"][final], units)
    kind = events["kind"][final][known]
    halves = np.zeros((2, units.size), np.int64)
    for side, pure in enumerate((PLATE_PERFORATION, STRUT_CUT)):
        np.add.at(halves[side], row[known], 2 * (kind == pure) + (kind == MIXED))
    both = halves.sum(axis=0)
    struck = both > 0
    cut = held[struck] * halves[1, struck] // both[struck]
    broken = int(held[struck].sum())
    return broken - int(cut.sum()), int(cut.sum()), int(held[~struck].sum())


def amounts_of(quanta: int, loss: Loss) -> dict[str, float]:
    """A part in each of AMOUNTS."""
    of_loss = 100.0 * quanta / loss.total if loss.total else float("nan")
    values = (quanta, 100.0 * quanta / loss.mineral_day_0, of_loss)
    return dict(zip(AMOUNTS, values, strict=True))


def columns_of(loss: Loss) -> dict[str, float]:
    """A loss as columns of a wide table: loss_<part>_quanta, and loss_<part>_percent of day 0.

    Also loss_day_0_quanta, the mineral of day 0.
    """
    found: dict[str, float] = {"loss_day_0_quanta": loss.mineral_day_0}
    for name in ("total", *PARTS, *OF_THINNING):
        amounts = amounts_of(getattr(loss, name), loss)
        found[f"loss_{name}_quanta"] = amounts["quanta"]
        found[f"loss_{name}_percent"] = amounts["percent_of_day_0"]
    return found
