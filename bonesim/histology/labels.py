"""Labels: who takes one up, and where in the bone it lies.

A team is served every few days (`cells.osteoblast.step_day`) with the work of all of them, and in
some spells it does not work at all. So what happens on one day is not known that day. A label is
*settled* when the site is served the next time: a site that formed bone in the step which covers the
day of the label took it up; the label lies in the bone of that day, between the bone before and after
that step, in proportion to the days.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.histology.surface_state import SurfaceState


class Teams(NamedTuple):
    """Forming sites, by row: who each is, and what it has formed. A label keeps these arrays."""

    id: NDArray[np.uint64]
    formed_quanta: NDArray[np.int32]
    forming: NDArray[np.bool_]


class Label:
    """One label.

    Attributes:
        day: of the label.
        quanta: bone of that day, flat and padded; with fractions where the label was taken up.
        formed_quanta: of the ledger, until that day.
        surface_um2: of the interior on that day.
    """

    def __init__(
        self, day: int, quanta: NDArray[np.uint8], formed_quanta: int, state: SurfaceState,
        floor: NDArray[np.bool_], teams: Teams,
    ) -> None:  # fmt: skip
        self.day = day
        self.quanta = quanta.astype(np.float32)
        self.formed_quanta = formed_quanta
        self.surface_um2 = float(state.surface.area_um2.sum())
        self._teams = teams
        self._waiting = self._teams.forming.copy()
        self._area_um2 = np.bincount(
            state.site[floor], state.surface.area_um2[floor], minlength=teams.id.size
        )
        self.labelled_um2 = 0.0

    @property
    def share(self) -> float:
        """Labelled surface over all of it; of sites that were served since."""
        return self.labelled_um2 / self.surface_um2

    def settled(
        self, ids: NDArray[np.uint64], formed_quanta: NDArray[np.int32], after_days: int, step: int
    ) -> NDArray[np.int64]:
        """Rows of the sites that take it up today, `after_days` days later.

        Args:
            ids: of today's rows; a row that ended today still has its numbers.
            formed_quanta: of today's rows.
            after_days: since the label.
            step: days a team is served for.
        """
        if after_days > step or not self._waiting.any():
            return np.zeros(0, np.int64)
        rows = np.flatnonzero(self._waiting)
        same = ids[rows] == self._teams.id[rows]
        grown = same & (formed_quanta[rows] > self._teams.formed_quanta[rows])
        self._waiting[rows[grown | ~same]] = False
        self.labelled_um2 += float(self._area_um2[rows[grown]].sum())
        return rows[grown]

    def place(self, voxel: NDArray[np.int64], after: NDArray[np.uint8], share: float) -> None:
        """Put the label into some voxels: `share` of the way to the bone `after` the step."""
        here = self.quanta[voxel]
        self.quanta[voxel] = here + share * (after[voxel] - here)
