"""The columns of the event table in a run file, and how they are read off the event log."""

from typing import Any

from numpy.typing import NDArray

from bonesim.lattice.event_log import EVENT_STATUSES, EventLog
from bonesim.lattice.topology import EVENT_KINDS
from bonesim.storage.layout import Column

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


def event_table(log: EventLog) -> dict[str, NDArray[Any]]:
    """The events so far, column by column (views)."""
    columns = log.columns()
    return {column.name: columns[column.name] for column in EVENT_COLUMNS}
