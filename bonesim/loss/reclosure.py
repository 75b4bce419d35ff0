"""Whether a hole has closed again, or a cut strut joined, by the event log.

Growing bone changes the number of holes and pieces only where it adds a voxel that is not simple. Every
such crossing is logged with its Euler change (`lattice.topology`). A perforation (change below 0) can
close only by a later healing above 0 near its place, a cut only by one below 0. Without one it is open,
also if bone has grown over the voxel it was logged at.

Rough surface heals, too, so the bound is loose where BMUs are frequent. Apply it to breaks whose voxel
is bone again, not to those whose voxel is still marrow.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from bonesim.lattice.event_log import EVENT_STATUSES, FINAL
from bonesim.lattice.topology import EVENT_KINDS, HEALING, PLATE_PERFORATION, STRUT_CUT

#: More than the width of a hole, or of a gap in a strut, made by one or two BMUs; assumed.
REACH_UM = 300.0


def _is(column: Any, code: int, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Where a column of codes, or of their names, has `code`."""
    values = np.asarray(column)
    found: NDArray[np.bool_] = values == (code if values.dtype.kind in "iu" else names[code])
    return found


def final_breaks(events: Mapping[str, Any]) -> NDArray[np.int64]:
    """Rows of final perforations and strut cuts in an event table (`Run.events` or an `EventLog`)."""
    kind, status = events["kind"], events["status"]
    broke = _is(kind, PLATE_PERFORATION, EVENT_KINDS) | _is(kind, STRUT_CUT, EVENT_KINDS)
    return np.flatnonzero(broke & _is(status, FINAL, EVENT_STATUSES))


def may_have_closed(
    events: Mapping[str, Any],
    rows: NDArray[np.int64],
    since_day: float | NDArray[np.float64],
    reach_um: float = REACH_UM,
) -> NDArray[np.bool_]:
    """Which of some breaks may have closed since a day.

    A later healing of the opposite Euler change within `reach_um` counts, unless the sum of its BMU's
    changes there is zero: it then healed a hole or a cut of the same BMU. (A BMU that closed an old hole
    and left a new one within reach is not detected.)

    Args:
        events: an event table, rows in order of time (`Run.events`, or an `EventLog`'s columns).
        rows: rows of the breaks (`final_breaks`), shape (n,).
        since_day: healings up to this day are left out; one, or one for each break.
        reach_um: greatest distance of a closure from the logged voxel.

    Returns:
        Shape (n,): False where no BMU, by the sum of its changes, undid such a break within reach.
    """
    place = np.column_stack(
        [np.asarray(events[axis], np.float64) for axis in ("z_um", "y_um", "x_um")]
    )
    change = np.asarray(events["delta_euler"], np.int64)
    bmu = np.asarray(events["bmu"], np.uint64)
    day = np.asarray(events["day"], np.float64)
    healing = _is(events["kind"], HEALING, EVENT_KINDS)
    found = np.zeros(rows.size, bool)
    if not rows.size:
        return found
    after = np.broadcast_to(np.asarray(since_day, np.float64), rows.shape)
    near = cKDTree(place).query_ball_point(place[rows], reach_um)
    for number, (row, some) in enumerate(zip(rows, near, strict=True)):
        mine = np.array(some, np.int64)
        later = mine[(day[mine] > after[number]) & healing[mine] & (change[mine] * change[row] < 0)]
        for one in later:
            # Without a BMU (modelling) a crossing counts alone.
            whole = mine[bmu[mine] == bmu[one]] if bmu[one] else np.array([one])
            if change[whole].sum() * change[row] < 0:
                found[number] = True
                break
    return found
