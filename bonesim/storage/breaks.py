"""Which breaks of the network are there on a day: one definition for pictures, reports and tables.

A break is there from the look that finds it to the look that finds it closed. On a day between two
looks, what the look before saw holds. So the numbers here are those of the daily table.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: Kinds that count, code and name; what has no net effect on connections does not.
COUNTED = ("hole", "cut")
#: Kinds of topological events of a file of version 0.1 -> kind of break.
OF_EVENTS = {"plate_perforation": "hole", "strut_cut": "cut"}
COLUMNS = ("id", "kind", "day", "x_um", "y_um", "z_um", "width_um", "thickness_um", "bmu")


def breaks_there(run: Any, day: float) -> "pd.DataFrame":
    """Holes and cuts that are there on `day`, one row each, in the order in which they were found.

    Args:
        run: an open `Run`.
        day: days since the burn-in.

    Returns:
        Columns id, kind ("hole", "cut"), day (of the look that found it), x_um, y_um, z_um, width_um
        (at the last look), thickness_um (of the bone before), bmu. A file of version 0.1 has no
        breaks: its events judged final stand for them, without id and width.
    """
    if "kind" not in run.break_tracks:
        return _of_events(run, day)
    track = run.break_tracks
    looks = track["day"][track["day"] <= day]
    last = looks.max() if len(looks) else np.nan
    seen = track[(track["day"] == last) & (track["width_um"] > 0)]
    seen = seen[seen["kind"].astype(str).isin(COUNTED)]
    rows = run.breaks.set_index("id").loc[seen["id"]].reset_index()
    rows["kind"] = seen["kind"].astype(str).to_numpy(dtype=object)
    rows["width_um"] = seen["width_um"].to_numpy()
    rows["day"] = rows["found_day"]
    return rows[list(COLUMNS)]


def _of_events(run: Any, day: float) -> "pd.DataFrame":
    events = run.events
    kind = events["kind"].astype(str).map(OF_EVENTS)
    kept = kind.notna() & (events["status"].astype(str) == "final") & (events["day"] <= day)
    rows = events[kept].assign(kind=kind[kept].astype(object), id=-1, width_um=np.nan)
    return rows.sort_values("day", kind="stable")[list(COLUMNS)].reset_index(drop=True)
