"""The page's list of events: the breaks of the network, then the log of single voxels."""

from typing import TYPE_CHECKING

import numpy as np

from bonesim.storage.breaks import OF_EVENTS
from bonesim.storage.reader import Run

if TYPE_CHECKING:
    import pandas as pd

#: Kind of break -> kind of event it is drawn and listed as.
AS_EVENTS = {kind: event for event, kind in OF_EVENTS.items()} | {"opening": "opening"}
#: What a break has that an event has not.
OF_BREAKS = ("end_day", "width_um")


def page_events(run: Run) -> "pd.DataFrame":
    """One row per break (`Run.breaks`), then one per topological event of the log.

    A break's day is that of the look that found it, its status what became of it. In a file of
    version 0.1 the events judged final stand for breaks.
    """
    import pandas as pd

    log = run.events
    events = log.assign(kind=log["kind"].astype(str), status=log["status"].astype(str))
    events = events.assign(**dict.fromkeys(OF_BREAKS, np.nan))
    breaks = _breaks(run, events)
    joined = pd.concat([breaks, events], ignore_index=True)[list(events.columns)]
    for name in ("kind", "status"):
        joined[name] = pd.Categorical(joined[name])
    joined.attrs = log.attrs
    return joined


def _breaks(run: Run, events: "pd.DataFrame") -> "pd.DataFrame":
    if "kind" not in run.breaks:
        final = events["kind"].isin(list(OF_EVENTS)) & (events["status"] == "final")
        return events[final].assign(status="there")
    rows = run.breaks
    return rows.assign(
        day=rows["found_day"], kind=rows["kind"].astype(str).map(AS_EVENTS),
        status=rows["state"].astype(str), width_um=rows["widest_um"],
        delta_euler=-rows["connections"], depth_um=np.nan, quanta=np.nan,
    )  # fmt: skip
