"""Which hole and which days a close-up shows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bonesim.errors import InputError
from bonesim.morphometry.plate_hole import bone_along, hole_box, hole_in, plate_in, sight_on
from bonesim.storage.reader import Run
from bonesim.viewer.moments import Moment, three_moments, weekly_e2

if TYPE_CHECKING:
    import pandas as pd

#: The event that is found by the program.
LARGEST = "largest"
PERFORATION = "plate_perforation"
#: Column of the event table with a hole's width, um, where a file has it.
WIDTH = "width_um"
#: A snapshot so many days after an event still shows the hole's first days.
SOON_DAY = 14


def event_of(run: Run, event: int | str) -> int:
    """The row of `run.events` that an id names.

    Args:
        run: an open run file.
        event: the row's number from 0, or "largest": the final plate perforation with the widest hole.

    Raises:
        InputError: no snapshot; no such event; no final perforation.
    """
    if not run.snapshot_days:
        raise InputError(f"{run.path}: holds no snapshot, nothing to draw; let the run go on")
    if str(event) == LARGEST:
        return _widest(run)
    count = len(run.events)
    if not count:
        raise InputError(f"{run.path}: holds no topological event yet")
    if not str(event).isdecimal() or not int(event) < count:
        ids = _final(run)
        known = f"; final plate perforations: {', '.join(map(str, ids[:5]))}" if len(ids) else ""
        more = ", ..." if len(ids) > 5 else ""
        raise InputError(
            f"{event!r} is no event of {run.path}: give {LARGEST} or a row of its event table, 0 to "
            f"{count - 1}{known}{more}", parameter="event",
        )  # fmt: skip
    return int(event)


def _final(run: Run) -> list[int]:
    """Rows of final plate perforations."""
    events = run.events
    chosen = (events["kind"].astype(str) == PERFORATION) & (events["status"].astype(str) == "final")
    return [int(row) for row in np.flatnonzero(chosen)]


def _widest(run: Run) -> int:
    rows = _final(run)
    if not rows:
        kinds = run.events["kind"].astype(str)
        waits = int(((kinds == PERFORATION) & (run.events["status"].astype(str) == "open")).sum())
        raise InputError(
            f"{run.path}: no plate perforation is final ({waits} wait: they are judged a year after their "
            "unit has closed); simulate longer, or give the row of an event", parameter="event",
        )  # fmt: skip
    if WIDTH in run.events and run.events[WIDTH].iloc[rows].notna().all():
        widths = run.events[WIDTH].to_numpy()[rows]
    else:
        widths = np.array([width_um(run, row) for row in rows])
    return rows[int(np.argmax(widths))]


def width_um(run: Run, row: int) -> float:
    """The width of an event's hole where it is widest, by the snapshots; 0 if none shows it."""
    event = run.events.iloc[row]
    days = run.snapshot_days
    before = [day for day in days if day < event["day"]]
    after = [day for day in days if day >= event["day"]]
    if not before or not after:
        return 0.0
    grid, bone = hole_box(run.voxel_um), run.quanta(before[-1])
    try:
        sight = sight_on(bone, run.voxel_um, place_um(event))
    except InputError:
        return 0.0
    plate = plate_in(bone_along(bone, run.voxel_um, sight, grid), grid)
    holes = [bone_along(run.quanta(day), run.voxel_um, sight, grid) for day in after]
    return max(hole_in(plate, bone).width_um for bone in holes)


def place_um(event: "pd.Series[float]") -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Place of an event, (z, y, x)."""
    return np.array([event[f"{axis}_um"] for axis in "zyx"], np.float64)


def days_of(run: Run, row: int, *, exact: bool) -> list[Moment]:
    """The days to show: before, the hole's first day, the end of suppression and of recovery.

    Before is the last snapshot before the event on which the plate was whole there: holes that healed may
    precede a final one. Later days are those after the event only. The first day is the event's with
    `exact`, else that of the first snapshot since; each name states which.

    Raises:
        InputError: no snapshot before the event, or none after.
    """
    days, event = run.snapshot_days, run.events.iloc[row]
    main = three_moments(run.table["day"].to_numpy(), weekly_e2(run), days)
    before = [day for day in days if day < event["day"]]
    whole = _last_whole(run, place_um(event), before) if before else None
    return days_in(days, main, float(event["day"]), str(run.path), exact=exact, whole=whole)


def _last_whole(
    run: Run, place: "np.ndarray[tuple[int], np.dtype[np.float64]]", days: list[int]
) -> int:
    """The last of some days without a hole at a place in the plate of the first; else the last."""
    grid = hole_box(run.voxel_um)
    first = run.quanta(days[0])
    try:
        sight = sight_on(first, run.voxel_um, place)
    except InputError:
        return days[-1]
    plate = plate_in(bone_along(first, run.voxel_um, sight, grid), grid)
    for day in days[:0:-1]:
        if not hole_in(plate, bone_along(run.quanta(day), run.voxel_um, sight, grid)).width_um:
            return day
    return days[0]


def days_in(
    snapshots: Sequence[int], main: Sequence[Moment], event_day: float, path: str, *, exact: bool,
    whole: int | None,
) -> list[Moment]:  # fmt: skip
    """As `days_of`, of these snapshots, the moments of the main picture and the day before."""
    first = int(np.ceil(event_day))
    since = [day for day in snapshots if day >= event_day]
    if whole is None or not (since or exact):
        missing = "before" if whole is None else "after"
        raise InputError(
            f"{path}: no snapshot {missing} the event of day {event_day:g}; there are "
            f"{', '.join(map(str, snapshots))}"
        )
    names = {one.day: one.name for one in main}
    shown = {whole: names.get(whole, "Before the hole")}
    opened = first if exact else since[0]
    if exact or opened not in names:
        shown[opened] = "The hole's first day" if opened == first else _late(opened - first)
    shown |= {day: name for day, name in names.items() if day >= event_day and day not in shown}
    return [Moment(day, shown[day]) for day in sorted(shown)]


def _late(days: int) -> str:
    """The name of a snapshot some days after the event."""
    soon = "The hole's first days" if days <= SOON_DAY else "The hole, first on file"
    return f"{soon} ({days} d old)"


def title_of(run: Run, row: int) -> str:
    """What event it is, where, and of which run."""
    event = run.events.iloc[row]
    kind, status = (str(event[name]).replace("_", " ") for name in ("kind", "status"))
    x, y, z = (event[f"{axis}_um"] / 1000.0 for axis in "xyz")
    return (
        f"{run.title}\nevent {row}: {kind}, day {event['day']:.0f}, {status}, at x, y, z = {x:.2f}, {y:.2f}, "
        f"{z:.2f} mm; voxel {run.voxel_um:g} um"
    )
