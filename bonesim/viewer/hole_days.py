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

#: The break that is found by the program.
LARGEST = "largest"
#: A snapshot so many days after a break still shows the hole's first days.
SOON_DAY = 14


def breaks_of(run: Run) -> "pd.DataFrame":
    """Every break of a run by its id: kind, state, day, x_um, y_um, z_um, widest_um.

    The day is that of its first bone without a floor, else that of the look that found it. In a
    file of version 0.1 the final events stand for breaks, by their place among these; their
    widths are not known.
    """
    if "kind" in run.breaks:
        rows = run.breaks.set_index("id")
        return rows.assign(
            day=rows["day"].fillna(rows["found_day"]), kind=rows["kind"].astype(str),
            state=rows["state"].astype(str),
        )  # fmt: skip
    rows = run.breaks_there(np.inf).reset_index(drop=True)
    return rows.assign(state="there", widest_um=np.nan)


def break_of(run: Run, event: int | str) -> int:
    """The id of the break that is asked for.

    Args:
        run: an open run file.
        event: its id; or "largest": the hole that was the widest.

    Raises:
        InputError: no snapshot; no such break; no hole.
    """
    if not run.snapshot_days:
        raise InputError(f"{run.path}: holds no snapshot, nothing to draw; let the run go on")
    rows = breaks_of(run)
    holes = rows[(rows["kind"] == "hole") & (rows["state"] != "merged")]
    if str(event) == LARGEST:
        if holes.empty:
            raise InputError(
                f"{run.path}: no hole in a plate is on file ({len(rows)} breaks); simulate longer, "
                "or give the id of a break", parameter="event",
            )  # fmt: skip
        widest = int(np.argmax(holes["widest_um"].fillna(0.0).to_numpy()))
        return int(holes.index[widest])
    if not str(event).isdecimal() or int(event) not in rows.index:
        ids = ", ".join(map(str, holes.index[:5])) + (", ..." if len(holes) > 5 else "")
        allowed = (
            f"one of its breaks, 0 to {len(rows) - 1}" if len(rows) else "nothing: it has none"
        )
        raise InputError(
            f"{event!r} is no break of {run.path}: give {LARGEST} or {allowed}"
            f"{f'; holes: {ids}' if len(holes) else ''}", parameter="event",
        )  # fmt: skip
    return int(event)


def break_row(run: Run, row: int) -> "pd.Series[float]":
    """What `breaks_of` has of one break."""
    found: pd.Series[float] = breaks_of(run).T[row]
    return found


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
    days, event = run.snapshot_days, break_row(run, row)
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
    """What break it is, where, and of which run."""
    event = break_row(run, row)
    x, y, z = (event[f"{axis}_um"] / 1000.0 for axis in "xyz")
    return (
        f"{run.title}\nbreak {row}: {event['kind']}, day {event['day']:.0f}, {event['state']}, "
        f"at x, y, z = {x:.2f}, {y:.2f}, {z:.2f} mm; voxel {run.voxel_um:g} um"
    )
