"""What a run file holds of one remodelling unit, in order of days.

Between two snapshots only topological events are on file. What is not there is not filled in.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.errors import InputError
from bonesim.storage.frames import frame
from bonesim.storage.layout import Column

if TYPE_CHECKING:
    import pandas as pd

BORN, SEEN, ENDED = "born", "snapshot", "ended by this snapshot"
#: Columns of the table, beside `what` and `status`.
NUMBERS = (
    Column("day", "d", "", "day; of a birth: day of a snapshot less the age then"),
    Column("x_um", "um", "", "place of the front, or of the event"),
    Column("y_um", "um", "", "place of the front, or of the event"),
    Column("z_um", "um", "", "place of the front, or of the event"),
    Column("thickness_um", "um", "", "of an event: local thickness along the unit's normal"),
    Column("depth_um", "um", "", "of an event: mean erosion depth of the site so far"),
    Column("delta_euler", "", "", "of an event: change of the Euler number"),
    Column("quanta", "quanta", "", "of an event: quanta that moved"),
    Column("area_um2", "um2", "", "of a snapshot: surface activated so far"),
    Column("quota_um2", "um2", "", "of a snapshot: surface at which the front stops"),
    Column("open_sites", "", "", "of a snapshot: sites not yet refilled or arrested"),
)
#: How many ids a message offers.
OFFERED = 3


def story_of(run: Any, bmu: int) -> "pd.DataFrame":
    """One row for its birth, each snapshot it is in, each of its events, and its end.

    Args:
        run: an open `Run`.
        bmu: its id, as in `run.events["bmu"]` and `run.cells("bmus", day)["id"]`.

    Raises:
        InputError: no such unit on file.
    """
    rows = _of_snapshots(run, bmu) + _of_events(run, bmu)
    if not rows:
        known = [str(one) for one in run.events["bmu"].unique() if one][:OFFERED]
        raise InputError(
            f"{run.path}: holds no BMU {bmu}; ids are in the events (bmu) and in the cells bmus (id)"
            + (f", e.g. {', '.join(known)}" if known else ""),
            parameter="bmu",
        )
    rows.sort(key=lambda row: row["day"])
    found = frame(
        [
            (column, np.array([row.get(column.name, np.nan) for row in rows], np.float64))
            for column in NUMBERS
        ],
        run.title,
    )
    found.insert(1, "what", [row["what"] for row in rows])
    found.insert(2, "status", [row.get("status", "") for row in rows])
    found.attrs["bmu"] = bmu
    return found


def _of_snapshots(run: Any, bmu: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for day in run.snapshot_days:
        cells = run.cells("bmus", day)
        mine = cells[cells["id"] == bmu]
        if len(mine):
            row = mine.iloc[0]
            if not rows:
                rows.append({"day": day - int(row["age_day"]), "what": BORN})
            rows.append(_numbers(row) | {"day": day, "what": SEEN, "status": str(row["phase"])})
        elif rows and rows[-1]["what"] == SEEN:
            rows.append({"day": day, "what": ENDED})
    return rows


def _of_events(run: Any, bmu: int) -> list[dict[str, Any]]:
    events = run.events[run.events["bmu"] == bmu]
    return [
        _numbers(row) | {"what": str(row["kind"]), "status": str(row["status"])}
        for row in events.to_dict("records")
    ]


def _numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row has of the columns, as numbers."""
    return {one.name: float(row[one.name]) for one in NUMBERS if one.name in row}
