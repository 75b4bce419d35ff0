"""The columns of the logs in a run file, and how the events are read off the event log."""

from typing import Any

from numpy.typing import NDArray

from bonesim.engine.breaks import BREAK_KINDS, BREAK_STATES
from bonesim.lattice.event_log import EVENT_STATUSES, EventLog
from bonesim.lattice.topology import EVENT_KINDS
from bonesim.storage.layout import BREAK_TRACKS, BREAKS, EVENTS, Column

EVENT_COLUMNS = (
    Column("day", "d", "", "day of the event", "float64"),
    Column("kind", "", "", "what changed in the shape of bone", "uint8", EVENT_KINDS),
    Column("status", "", "", "what became of it", "uint8", EVENT_STATUSES),
    Column("z_um", "um", "", "place of the voxel's centre", "float32"),
    Column("y_um", "um", "", "place of the voxel's centre", "float32"),
    Column("x_um", "um", "", "place of the voxel's centre", "float32"),
    Column("thickness_um", "um", "", "local thickness along the BMU's normal", "float32"),
    Column("depth_um", "um", "", "mean erosion depth of the site so far", "float32"),
    Column("bmu", "", "", "id of the BMU; 0 for a fragment", "uint64"),
    Column("delta_euler", "", "", "change of the Euler number", "int16"),
    Column("quanta", "quanta", "", "quanta that moved", "int32"),
)

BREAK_COLUMNS = (
    Column("id", "", "", "number of the break, in order of their looks", "int32"),
    Column(
        "kind",
        "",
        "",
        "hole in a plate, cut of a rod; opening: no net effect",
        "uint8",
        BREAK_KINDS,
    ),
    Column("state", "", "", "what became of it", "uint8", BREAK_STATES),
    Column("day", "d", "", "its first bone without a floor; NaN: thinned through", "float64"),
    Column("found_day", "d", "", "the look that found it", "float64"),
    Column("end_day", "d", "", "the look that found it closed or merged; NaN: there", "float64"),
    Column("connections", "", "", "connections the network has more by it", "float64"),
    Column("z_um", "um", "", "place", "float32"),
    Column("y_um", "um", "", "place", "float32"),
    Column("x_um", "um", "", "place", "float32"),
    Column("bmu", "", "", "id of the BMU that made it; 0: none did", "uint64"),
    Column("thickness_um", "um", "", "of the bone there at the look before", "float32"),
    Column("load", "", "", "strain stimulus u there at the look before", "float32"),
    Column("width_um", "um", "", "at the look that found it", "float32"),
    Column("widest_um", "um", "", "at its widest look", "float32"),
    Column("widest_day", "d", "", "its widest look", "float64"),
    Column("last_um", "um", "", "width at the last look", "float32"),
    Column("volume_um3", "um3", "", "bone of day 0 it took, at most", "float64"),
)
TRACK_COLUMNS = (
    Column("id", "", "", "of the break", "int32"),
    Column("day", "d", "", "of the look", "float64"),
    Column("kind", "", "", "what it was then", "uint8", BREAK_KINDS),
    Column("width_um", "um", "", "twice the way from its middle to the rim; 0: closed", "float32"),
    Column("volume_um3", "um3", "", "bone of day 0 that is gone there", "float64"),
)
#: Logs of a run file and their columns.
LOG_COLUMNS = {EVENTS: EVENT_COLUMNS, BREAKS: BREAK_COLUMNS, BREAK_TRACKS: TRACK_COLUMNS}


def event_table(log: EventLog) -> dict[str, NDArray[Any]]:
    """The events so far, column by column (views)."""
    columns = log.columns()
    return {column.name: columns[column.name] for column in EVENT_COLUMNS}
