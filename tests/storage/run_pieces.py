"""The pieces of a small run file with three snapshots: what goes in, and how it is written."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.storage import layout
from bonesim.storage.layout import FIELDS, Column
from bonesim.storage.writer import RunWriter

#: No two edges alike, so that swapped axes show; wider than a chunk in one.
SHAPE = (5, 7, 40)
VOXEL_UM = 20.0
DAYS = (0, 10, 20)
TABLE = (Column("day", "d", "", "day"), Column("bvtv_percent", "%", "BV/TV", "bone volume"))
SNAPSHOT = (Column("day", "d", "", "day"), Column("tb_th_um", "um", "Tb.Th", "thickness"))
EVENTS = (
    Column("day", "d", "", "day of the event"),
    Column("kind", "", "", "what changed", "uint8", ("plate_perforation", "strut_cut")),
    Column("bmu", "", "", "id of the BMU", "uint64"),
)


def fields_on(day: int) -> dict[str, NDArray[np.uint8]]:
    """Images whose every voxel depends on day, field and place."""
    z, y, x = np.indices(SHAPE)
    return {
        field.name: ((37 * day + 101 * i + 59 * z + 17 * y + 3 * x) % 256).astype(np.uint8)
        for i, field in enumerate(FIELDS)
    }


def rows_on(days: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Rows of the daily table."""
    return {"day": days.astype(float), "bvtv_percent": 20.0 - days / 7.0}


def events_of(count: int) -> dict[str, NDArray[Any]]:
    """The first events of a log."""
    number = np.arange(count)
    return {
        "day": number / 2.0,
        "kind": (number % 2).astype(np.uint8),
        "bmu": number.astype(np.uint64) + np.uint64(2**63),
    }


ID = Column("id", "", "", "identity", "uint64")
AGE = Column("age_day", "d", "", "days since its birth")
PHASE = Column("phase", "", "", "what it does", "uint8", ("travelling", "finishing"))
VIABLE = Column("viable", "", "", "whether it is alive", "bool")


def cells_on(day: int) -> dict[str, dict[Column, NDArray[Any]]]:
    """Cells, none of one kind."""
    number = np.arange(day + 3)
    return {
        "osteoclasts": {
            ID: number.astype(np.uint64),
            AGE: number / 3.0,
            PHASE: (number % 2).astype(np.uint8),
            VIABLE: number % 3 == 0,
        },
        "osteoblasts": {ID: number[:0].astype(np.uint64)},
    }


def put_snapshot(writer: RunWriter, day: int) -> None:
    """One more snapshot."""
    writer.append_snapshot(day, fields_on(day), {"tb_th_um": 100.0 + day}, cells_on(day))


CONFIG = """title = "a title"
seed = 7
[cells]
x_um = 1.5
[schedule]
duration_day = 20
"""


def new_writer(path: Path, *, overwrite: bool = False, config_text: str = CONFIG) -> RunWriter:
    """A writer of an empty run file."""
    return RunWriter.create(
        path,
        shape_zyx=SHAPE,
        voxel_um=VOXEL_UM,
        config_text=config_text,
        provenance={"bonesim": "0.1.0", "created": "2026-01-01", "notes": ["a bone"]},
        table_columns=TABLE,
        snapshot_columns=SNAPSHOT,
        log_columns={
            layout.EVENTS: EVENTS,
            layout.BREAKS: EVENTS[:1],
            layout.BREAK_TRACKS: EVENTS[:1],
        },
        overwrite=overwrite,
    )


def fill(writer: RunWriter, days: tuple[int, ...] = DAYS, first_row: int = 0) -> None:
    """Write and commit up to each of `days`, as a run does."""
    for day in days:
        writer.append_table(rows_on(np.arange(first_row, day + 1)))
        first_row = day + 1
        writer.write_log(layout.EVENTS, events_of(day // 2))
        put_snapshot(writer, day)
        writer.commit()
