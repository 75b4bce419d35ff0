"""One hole of a run in close-up."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bonesim.api.inputs import AnyRun, opened
from bonesim.engine.days import Observer
from bonesim.storage.reader import Run
from bonesim.viewer.picture import check_picture, save

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from bonesim.viewer.moments import Moment

__all__ = ["RenderedEvent", "render_event"]


class RenderedEvent(NamedTuple):
    """What `render_event` gives.

    Attributes:
        figure: the panels.
        table: what is measured at the hole, one row for each panel; `attrs["units"]`, and in
            `attrs["notes"]` what to know of the picture.
        description: the picture in words (alternative text).
        event: the id of the break.
    """

    figure: "Figure"
    table: "pd.DataFrame"
    description: str
    event: int


def render_event(
    run: AnyRun, event: int | str = "largest", output: str | Path | None = None, *,
    exact: bool = False, overwrite: bool = False, observers: Sequence[Observer] = (),
) -> RenderedEvent:  # fmt: skip
    """A plate in close-up: before, at the hole's first day, after suppression and after recovery.

    The camera looks along the plate's normal at the hole and is the same in all panels. Bone between
    the viewer and the hole is cut away. Colour is local thickness.

    Args:
        run: a run file's path, or what `open_run` gives.
        event: id of a break (`run.breaks`); or "largest": the hole that was the widest.
        output: PNG to write, with the table as CSV beside it; none if None.
        exact: show the very day of the break. If it has no snapshot the run is simulated again up to
            that day, which takes as long as the run took so far; else the first snapshot since is shown.
        overwrite: replace the output if it exists; what is read is never replaced.
        observers: look at every day that is simulated again; the first note is the estimated time.

    Raises:
        InputError: no snapshot, no such break, no hole, no snapshot before the event; an
            output that cannot be written; a repeated run that differs from the file.
        CorruptFileError: a damaged file.
    """
    from bonesim.engine.replay import bone_on
    from bonesim.viewer import close_up, hole_days

    path = run.path if isinstance(run, Run) else Path(run)
    place = None if output is None else Path(output)
    if place is not None:
        check_picture(place, overwrite=overwrite, inputs=(path,))
    with opened(run) as file:
        row = hole_days.break_of(file, event)
        chosen = hole_days.break_row(file, row)
        days = hole_days.days_of(file, row, exact=exact)
        panels = [
            close_up.Panel(one.day, one.name, bone_on(file, one.day, observers)) for one in days
        ]
        found = close_up.look_at(panels, hole_days.place_um(chosen), file.voxel_um)
        drawing = close_up.draw(found, hole_days.title_of(file, row))
    if place is not None:
        save(drawing, place, overwrite=overwrite, inputs=(path,))
    table = close_up.table(found)
    table.attrs["notes"] = _notes(days, float(chosen["day"]), row)
    return RenderedEvent(drawing.figure, table, drawing.description, row)


def _notes(days: "list[Moment]", event_day: float, row: int) -> list[str]:
    """The event, and that its first day is not shown."""
    notes = [f"break {row} of day {event_day:.0f}"]
    if all(one.day != int(event_day) for one in days):
        notes.append(
            f"day {event_day:.0f} is not on file: `exact` simulates the run again to that day"
        )
    return notes
