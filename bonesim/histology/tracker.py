"""Tracks every site of a simulation day by day, from its origination to its end.

A site that completes is a *packet*. Its voxels are stored, so that later sections can find it. It is
measured once, on the day it completes.

The *geometric* area of a site is that of the mesh at its voxels, with all open cavities filled to
where they began. It is not the area assigned to the site's cells (`sites.area_um2`); both agree on flat
surface.

Sites that form bone on the day take up the label (`labels`). Matrix mineralises later, by its lag:
whoever takes a biopsy gives the tracker a label so many days earlier, on the day its matrix is formed.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.cells.site import FORMING, MONONUCLEAR, OSTEOCLAST, REVERSAL
from bonesim.engine.days import advance
from bonesim.engine.simulation import Simulation
from bonesim.histology.labels import Label, Teams
from bonesim.histology.sections import surface_of, widths_um
from bonesim.histology.surface_state import forming_floor, owned_records, states_of_surface
from bonesim.lattice.ledger import INTERIOR, INTERIOR_FORMED
from bonesim.units import FULL

#: Bits of the two labels in the image of labels.
FIRST, SECOND = 1, 2
#: Voxels around a site that its mesh and the rays beneath it need.
_MARGIN = 4
#: No formation has ended since the tracker began.
NEVER = -(10**6)


class Sites(NamedTuple):
    """All sites at the end of one day, by row."""

    alive: NDArray[np.bool_]
    id: NDArray[np.uint64]
    bmu_id: NDArray[np.uint64]
    phase: NDArray[np.uint8]
    phase_day: NDArray[np.int32]
    voxel: NDArray[np.int64]
    area_um2: NDArray[np.float32]
    formed_quanta: NDArray[np.int32]


class Span:
    """Durations of one phase, and their mean weighted by surface, as in histomorphometry."""

    def __init__(self) -> None:
        self.day_um2 = 0.0
        self.area_um2 = 0.0

    def add(self, days: NDArray[Any], area_um2: NDArray[Any]) -> None:
        """Count phases that ended."""
        self.day_um2 += float((days * area_um2.astype(np.float64)).sum())
        self.area_um2 += float(area_um2.sum(dtype=np.float64))

    @property
    def mean_day(self) -> float:
        """Mean duration; NaN if none ended."""
        return self.day_um2 / self.area_um2 if self.area_um2 > 0.0 else float("nan")


class Tally:
    """Geometric areas of the sites of one kind, and distances beneath them."""

    def __init__(self) -> None:
        self.count = 0
        self.width_um3 = 0.0
        self.area_um2 = 0.0

    @property
    def thickness_um(self) -> float:
        """Mean distance, by area; NaN without a site."""
        return self.width_um3 / self.area_um2 if self.area_um2 > 0.0 else float("nan")


class Tracker:
    """Tracks a simulation from now on; only sites centred in the interior are counted.

    Attributes:
        periods: by phase (OSTEOCLAST is all of resorption).
        completed: sites whose formation ended, by their final surface.
        eroded: sites whose formation began, cavity beneath the surface there was before.
        packet: for each voxel the number of the packet it is in, in order of completion, or 0.
        packet_bmu: for each packet a number of its BMU, rising with the day its first completed.
        base: quanta of each packet's voxels when its formation began.
        wall: quanta formed there when it ended.
        labels: bits of the labels each voxel's site took up.
        ended_day: the day the last formation in each voxel ended.
    """

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        size = simulation.tissue.lattice.quanta.size
        self.days = 0
        self.periods = {phase: Span() for phase in (OSTEOCLAST, REVERSAL, FORMING)}
        self.completed, self.eroded = Tally(), Tally()
        self.packet = np.zeros(size, np.int32)
        self.base = simulation.tissue.lattice.quanta.copy()
        self.wall = np.zeros(size, np.uint8)
        self.labels = np.zeros(size, np.uint8)
        self.ended_day = np.full(size, NEVER, np.int32)
        self.taken: list[Label] = []
        self.packet_bmu: list[int] = [0]
        self._bmus: dict[int, int] = {}
        self._mark = np.zeros(size, np.int32)
        self._stock = np.zeros(size, np.uint8)
        self._sites = self._now()
        self._records = owned_records(simulation)
        # Teams that are forming already: the start of their cavities is not known.
        self._unknown = set(self._sites.id[self._sites.phase == FORMING].tolist())

    def follow(self, days: int) -> None:
        """Advance the simulation by so many days and track every site."""
        advance(self.simulation, self.simulation.day + days, self._on_day)

    # -- labels --------------------------------------------------------------------------------

    def label(self) -> None:
        """Give a label today: every site that forms bone takes it up when it is served next."""
        s = self.simulation
        formed = self._sites.formed_quanta
        teams = Teams(self._sites.id, formed, self._sites.phase == FORMING)
        interior = int(s.tissue.lattice.counts[INTERIOR_FORMED])
        quanta = s.tissue.lattice.quanta
        state = states_of_surface(s)
        floor = forming_floor(s, state)
        self.taken.append(Label(s.day, quanta, interior, state, floor, teams))

    def _settle_labels(
        self, new: Sites, records: tuple[NDArray[np.int64], ...],
        old_records: tuple[NDArray[np.int64], ...],
    ) -> None:  # fmt: skip
        """Sites that were served today show whether they had formed on the day of a label."""
        s = self.simulation
        step = s.config.cells.osteoblast.step_day
        for bit, label in zip((FIRST, SECOND), self.taken, strict=False):
            after = s.day - label.day
            rows = label.settled(new.id, new.formed_quanta, after, step)
            if not rows.size:
                continue
            for rows_, (voxel, site, _) in (
                (rows[new.alive[rows]], records), (rows[~new.alive[rows]], old_records),
            ):  # fmt: skip
                place = voxel[_chosen(site, rows_, new.alive.size)]
                self.labels[place] |= bit
                label.place(place, s.tissue.lattice.quanta, (step - after) / step)

    # -- end of a day ----------------------------------------------------------------------------

    def _now(self) -> Sites:
        columns: Any = self.simulation.cavities.sites.columns
        alive = columns.alive == 1
        phase = np.where(alive, columns.phase, 0).astype(np.uint8)
        return Sites(
            alive, columns.id.copy(), columns.bmu_id.copy(), phase, columns.phase_day.copy(),
            columns.voxel.copy(), columns.area_um2.copy(), columns.formed_quanta.copy(),
        )  # fmt: skip

    def _on_day(self, s: Simulation) -> None:
        """Update periods, cavities and packets with today's changes of every site."""
        self.days += 1
        lattice = s.tissue.lattice
        old, old_records = self._sites, self._records
        new, records = self._now(), owned_records(s)
        rows = old.alive.size
        inside = lattice.region[old.voxel] == INTERIOR
        same = old.alive & new.alive[:rows] & (old.id == new.id[:rows])
        resorbed = same & (old.phase == MONONUCLEAR) & (new.phase[:rows] == REVERSAL)
        started = same & (old.phase == REVERSAL) & (new.phase[:rows] == FORMING)
        # Formation without resorption has no cavity: it is on OS/BS and takes labels, no more.
        columns: Any = s.cavities.sites.columns
        gone = old.alive & ~same & (old.phase == FORMING)
        ended = gone & (columns.bmu[:rows] >= 0)
        for which, phase, since in (
            (resorbed, OSTEOCLAST, born_day(old.id)),
            (started, REVERSAL, old.phase_day),
            (ended, FORMING, old.phase_day),
        ):
            counted = which & inside
            self.periods[phase].add(s.day - since[counted], old.area_um2[counted])
        starting, ending = np.flatnonzero(started), np.flatnonzero(ended)
        self._sites, self._records = new, records
        self._settle_labels(new, records, old_records)
        self.ended_day[old_records[0][_chosen(old_records[1], np.flatnonzero(gone), rows)]] = s.day
        self._follow_bases(records, starting)
        self._measure(old_records, starting, ending, inside)
        # Where the wall of a team begins that formed before the tracker did is not known.
        known = [identity not in self._unknown for identity in old.id[ending].tolist()]
        self._keep_packets(old_records, old, ending[known])

    def _follow_bases(self, records: tuple[NDArray[np.int64], ...], starting: Any) -> None:
        """Store where formation starts from, also if a neighbour resorbs into it later."""
        quanta = self.simulation.tissue.lattice.quanta
        voxel, site, _ = records
        forming = voxel[self._sites.phase[site] == FORMING]
        self.base[forming] = np.minimum(self.base[forming], quanta[forming])
        fresh = voxel[_chosen(site, starting, self._sites.alive.size)]
        self.base[fresh] = quanta[fresh]
        # The earlier packet here is gone, with its labels.
        self.packet[fresh] = self.wall[fresh] = self.labels[fresh] = 0

    def _measure(
        self, old_records: tuple[NDArray[np.int64], ...], starting: Any, ending: Any,
        inside: NDArray[np.bool_],
    ) -> None:  # fmt: skip
        """Geometric areas of the cavities and packets of today, and the depth of the cavities."""
        # A team takes the film off the stock as it begins: what was eroded is what was there before.
        voxel, _, stock = old_records
        self._stock[voxel] = stock
        for rows, (voxels, sites, _), tally in (
            (starting, old_records, self.eroded),
            (ending, old_records, self.completed),
        ):
            for _row, place in _voxels_of(voxels, sites, rows[inside[rows]]):
                widths, areas = self._widths_um(place)
                tally.count += bool(areas.size)
                tally.width_um3 += float((widths * areas).sum())
                tally.area_um2 += float(areas.sum())
        self._stock[voxel] = 0

    def _widths_um(
        self, voxels: NDArray[np.int64]
    ) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
        """Depth of the cavities beneath a site's surface, all of them filled, and areas there."""
        tissue = self.simulation.tissue
        shape = tissue.padded_shape
        places = np.stack(np.unravel_index(voxels, shape))
        low = np.maximum(places.min(axis=1) - _MARGIN, 1)
        high = np.minimum(places.max(axis=1) + _MARGIN + 1, np.array(shape) - 1)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        whole = tissue.lattice.quanta.reshape(shape)[box].astype(np.int64)
        whole += self._stock.reshape(shape)[box]
        surface = surface_of(np.minimum(whole, FULL).astype(np.uint8), tissue.voxel_um)
        self._mark[voxels] = 1
        mine = self._mark.reshape(shape)[box].reshape(-1) == 1
        self._mark[voxels] = 0
        # What lies above is no witness: it can be a neighbour's, or granted beyond the old surface.
        chosen = np.flatnonzero(mine[surface.beneath])
        share = (self._stock.reshape(shape)[box] / FULL).astype(np.float32)
        return widths_um(share, surface, chosen, surface.into[chosen]), surface.area_um2[chosen]

    def _keep_packets(
        self, records: tuple[NDArray[np.int64], ...], sites: Sites, ending: Any
    ) -> None:
        """Store the voxels of the sites that completed today."""
        voxel, site, _ = records
        chosen = _chosen(site, ending, sites.alive.size)
        place, quanta = voxel[chosen], self.simulation.tissue.lattice.quanta
        self.wall[place] = np.maximum(quanta[place].astype(int) - self.base[place], 0)
        numbers = np.zeros(sites.alive.size, np.int32)
        for row in ending.tolist():
            numbers[row] = len(self.packet_bmu)
            bmu = int(sites.bmu_id[row])
            self.packet_bmu.append(self._bmus.setdefault(bmu, len(self._bmus) + 1))
        self.packet[place] = np.where(self.wall[place] > 0, numbers[site[chosen]], 0)


def born_day(ids: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The day a site was born, from its id (see `population.identity`)."""
    return ((ids >> np.uint64(12)) & np.uint64(0xFFFF)).astype(np.int64) - 8192


def _chosen(site: NDArray[np.int64], rows: Any, size: int) -> NDArray[np.bool_]:
    """Which records are of the sites in `rows`."""
    wanted = np.zeros(size, np.bool_)
    wanted[rows] = True
    return wanted[site]


def _voxels_of(
    voxel: NDArray[np.int64], site: NDArray[np.int64], rows: Any
) -> list[tuple[int, NDArray[np.int64]]]:
    """The row and the voxels of each site in `rows` that has any."""
    if not len(rows):
        return []
    chosen = _chosen(site, rows, int(max(site.max(initial=0), rows.max())) + 1)
    order = np.argsort(site[chosen], kind="stable")
    grouped, whose = voxel[chosen][order], site[chosen][order]
    first = np.flatnonzero(np.diff(whose)) + 1
    starts = whose[np.concatenate([[0], first])] if whose.size else whose
    return list(zip(starts.tolist(), np.split(grouped, first), strict=False))
