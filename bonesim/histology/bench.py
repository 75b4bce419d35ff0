"""The specimen on the bench: today's bone with what a section of it shows."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.cells.site import FORMING
from bonesim.config.config import Config
from bonesim.engine.simulation import Simulation
from bonesim.histology.sections import widths_um
from bonesim.histology.surface_state import (
    SurfaceState,
    boxed,
    filled,
    forming_floor,
    of_triangles,
    states_of_surface,
)
from bonesim.histology.tracker import FIRST, NEVER, SECOND, Tracker
from bonesim.units import FULL

#: Two labels nearer than this are one line, um; choice: three times what light resolves.
_APART_UM = 1.0


class Specimen(NamedTuple):
    """The specimen on the day of the biopsy.

    Attributes:
        state: the surface, each triangle's site and phase.
        osteoid: whether each triangle has a team, or a team's osteoid that is not mineral yet.
        label: bits of the labels at each triangle; none at the upright walls of a cavity that fills.
        packet: number of the BMU whose completed packet is at each quiescent triangle, or 0.
        whose: that number, of each voxel.
        wall: share of each voxel that is a completed packet's.
        between: share formed between the labels where both were taken up.
        before: the surface as it was before all open cavities.
        cavity: share of each voxel that they are.
        covered: share of each triangle that lies under living osteoblasts.
    """

    state: SurfaceState
    osteoid: NDArray[np.bool_]
    label: NDArray[np.uint8]
    packet: NDArray[np.int32]
    whose: NDArray[np.int32]
    wall: NDArray[np.float32]
    between: NDArray[np.float32]
    before: SurfaceState
    cavity: NDArray[np.float32]
    covered: NDArray[np.float64]


def osteoid_day(config: Config) -> int:
    """Days from matrix to mineral: so long osteoid stays after its team (guide M5)."""
    return round(config.tissue.mineral.lag_day)


def specimen(tracker: Tracker) -> Specimen:
    """The bone of today with labels, packets and cavities."""
    s = tracker.simulation
    tissue, lattice = s.tissue, s.tissue.lattice
    quanta = boxed(tissue, lattice.quanta).astype(np.int32)
    state = states_of_surface(s)
    ended_day = of_triangles(state.surface, boxed(tissue, tracker.ended_day), NEVER)
    seam = (state.phase == 0) & (s.day - ended_day < osteoid_day(s.config))
    label = of_triangles(state.surface, boxed(tissue, tracker.labels), 0)
    label = np.where((state.phase == 0) | forming_floor(s, state), label, 0)
    first, second = (boxed(tissue, label.quanta) for label in tracker.taken)
    both = boxed(tissue, tracker.labels) == FIRST | SECOND
    between = (np.where(both, np.maximum(second - first, 0.0), 0.0) / FULL).astype(np.float32)
    # Both labels at one place are one line: nothing was formed there between them, a single label.
    double = np.flatnonzero(label == FIRST | SECOND)
    apart = widths_um(between, state.surface, double, state.surface.into[double])
    label[double[apart < _APART_UM]] = FIRST
    wall = np.clip(quanta - boxed(tissue, tracker.base), 0, boxed(tissue, tracker.wall))
    number = np.where(wall > 0, boxed(tissue, tracker.packet), 0)
    bmu = np.array(tracker.packet_bmu, np.int32)[number]
    flat = bmu.reshape(-1)
    packet = np.maximum(flat[state.surface.beneath], flat[state.surface.above])
    packet = np.where(state.phase == 0, packet, 0)
    before, cavity = _before(s)
    return Specimen(
        state, seam | (state.phase == FORMING), label.astype(np.uint8), packet, bmu,
        (wall / FULL).astype(np.float32),
        between,
        before, cavity, _covered(s, state),
    )  # fmt: skip


def _before(s: Simulation) -> tuple[SurfaceState, NDArray[np.float32]]:
    """The surface with all cavities filled, and the cavities, share of each voxel."""
    whole = filled(s)
    missing = whole.astype(np.float32) - s.tissue.lattice.quanta
    return states_of_surface(s, whole), boxed(s.tissue, missing / FULL)


def _covered(s: Simulation, state: SurfaceState) -> NDArray[np.float64]:
    """Share of each triangle under living osteoblasts, each on its nominal area."""
    sites: Any = s.cavities.sites.columns
    cells = s.osteoblasts.rows.alive_columns()
    row = cells["site"].astype(np.int64)
    here = row[sites.id[row] == cells["site_id"]]
    team = np.bincount(here, minlength=sites.alive.size)
    area = np.maximum(sites.area_um2.astype(np.float64), 1.0)
    share = np.minimum(team * s.config.cells.osteoblast.area_per_cell_um2 / area, 1.0)
    return np.where(state.phase == FORMING, share[np.maximum(state.site, 0)], 0.0)
