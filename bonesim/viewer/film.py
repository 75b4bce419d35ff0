"""Films of a run: its snapshots in order, the bone turned once around, or one hole through the days.

Nothing is drawn between snapshots that was not simulated: a snapshot stands still until the next. All
frames of a film have one camera distance, one scale bar and one scale of colours.
"""

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.storage.reader import Run
from bonesim.units import DAYS_PER_YEAR
from bonesim.viewer import close_up, hole_days, palette
from bonesim.viewer.camera import View, camera_of, photographs, view_of
from bonesim.viewer.colouring import Scale, coloured, known_colour
from bonesim.viewer.moments import day_text, suppressed_spans, weekly_e2
from bonesim.viewer.plots import change_percent
from bonesim.viewer.region import part_of, snapshot_day
from bonesim.viewer.scale_bar import scale_bar
from bonesim.viewer.scene import (
    bar_length,
    bar_text,
    breaks_on,
    mark,
    part_text,
    size_text,
    view_of_part,
)
from bonesim.viewer.surface import COLOURS, Box, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: What a film can show.
Kind = Literal["time", "turntable", "event"]
KINDS: tuple[Kind, ...] = ("time", "turntable", "event")
#: Frames a second; seconds of one turn, and of one snapshot; pixels of a side.
FPS, TURN_SECONDS, SNAPSHOT_SECONDS = 20, 8.0, 1.0
SIZE_PX, MIN_PX, MAX_PX = 720, 320, 2160
MAX_FRAMES = 5000
#: A film is a square of this many inches: text of 9 points is legible on a screen.
SIDE_INCH = 6.0
#: Share of the square's height for the photograph.
_PHOTOGRAPH = 0.66
#: Characters in a line of the title.
_LINE = 84


class Frame(NamedTuple):
    """A picture (rows, columns, 3) and how many times in a row it is shown."""

    pixels: NDArray[np.uint8]
    times: int


class Film(NamedTuple):
    """A film that is about to be made.

    Attributes:
        kind: what it shows.
        frames: made one after the other.
        fps: frames a second.
        days: of the snapshots that it shows.
        total: number of frames at that rate.
        size_px: rows and columns of a frame.
    """

    kind: Kind
    frames: Iterator[Frame]
    fps: int
    days: list[int]
    total: int
    size_px: int


class Asked(NamedTuple):
    """What is wanted of a film; None stands for the default of its kind.

    Attributes:
        colour: as of pictures.
        day: of the snapshot that is turned.
        event: id of a break, or "largest".
        seconds: of one turn, or of each snapshot.
        fps: frames a second.
        size_px: of a side.
        camera, slab: see `scene.Shown`; of a turntable the camera's azimuth is the first.
    """

    colour: str | None = None
    day: int | None = None
    event: int | str | None = None
    seconds: float | None = None
    fps: int = FPS
    size_px: int = SIZE_PX
    camera: str | Sequence[float] | None = None
    slab: str | Sequence[float] | None = None


#: What each kind has no use for.
_UNUSED: dict[Kind, tuple[str, ...]] = {
    "time": ("day", "event"),
    "turntable": ("event",),
    "event": ("day", "colour", "camera", "slab"),
}


def film_of(run: Run, kind: str, asked: Asked) -> Film:
    """Check what is asked, and prepare the frames.

    Args:
        run: an open run file.
        kind: one of `KINDS`.
        asked: the rest.

    Raises:
        InputError: no such kind, day, break, colour or part; numbers that are not allowed.
        NumericalError: "sed" does not converge.
    """
    chosen = next((one for one in KINDS if one == kind), None)
    if chosen is None:
        raise InputError(f"{kind!r} is not known; one of {', '.join(KINDS)}", parameter="kind")
    for name in _UNUSED[chosen]:
        if getattr(asked, name) is not None:
            raise InputError(f"is not for a film of kind {chosen}; leave it out", parameter=name)
    _check_numbers(asked)
    snapshot_day(run, None)
    return {"time": _time, "turntable": _turntable, "event": _event}[chosen](run, asked)


def _check_numbers(asked: Asked) -> None:
    for name, value, low, high, even in (
        ("fps", asked.fps, 1, 60, False),
        ("size_px", asked.size_px, MIN_PX, MAX_PX, True),
        ("seconds", 1.0 if asked.seconds is None else asked.seconds, 0.05, 600, False),
    ):
        if not low <= value <= high or (even and value % 2):
            raise InputError(
                f"got {value:g}; allowed are {low:g} to {high:g}{', even' if even else ''}",
                parameter=name,
            )


def _frames(asked: Asked, default_seconds: float) -> int:
    seconds = default_seconds if asked.seconds is None else asked.seconds
    return max(1, round(seconds * asked.fps))


def _limited(count: int) -> int:
    if count > MAX_FRAMES:
        raise InputError(
            f"the film would have {count} frames; at most {MAX_FRAMES}: give fewer `seconds` or `fps`"
        )
    return count


# -- time ------------------------------------------------------------------------------------------


def _time(run: Run, asked: Asked) -> Film:
    """Every snapshot from one side, with the day, and curves whose cursor is there."""
    days = list(run.snapshot_days)
    if len(days) < 2:
        raise InputError(
            f"{run.path}: holds one snapshot; a film of time needs two (schedule.snapshots_day)"
        )
    box, colour = part_of(run, asked.slab, "slab"), known_colour(asked.colour or "events", COLOURS)
    view = view_of_part(run, box, asked.camera)
    times = _frames(asked, SNAPSHOT_SECONDS)
    count = _limited(times * len(days))
    found = coloured(run, days, box, colour)

    def frames() -> Iterator[Frame]:
        stage = _Stage(run, box, view, found.scale, asked.size_px, curves=True)
        shots = photographs(
            [(block, view) for block in found.blocks], stage.photograph_px, look=found.scale.look
        )
        for day, caption, image in zip(days, found.captions, shots, strict=True):
            yield Frame(stage.show(image, day, caption), times)

    return Film("time", frames(), asked.fps, days, count, asked.size_px)


# -- turntable -------------------------------------------------------------------------------------


def _turntable(run: Run, asked: Asked) -> Film:
    """One snapshot, once around; the last frame is one step before the first."""
    day = snapshot_day(run, asked.day)
    box, colour = part_of(run, asked.slab, "slab"), known_colour(asked.colour or "events", COLOURS)
    count = _limited(_frames(asked, TURN_SECONDS))
    start, elevation = camera_of(asked.camera)
    found = coloured(run, [day], box, colour)
    views = _around(run, box, start, elevation, count)

    def frames() -> Iterator[Frame]:
        stage = _Stage(run, box, views[0], found.scale, asked.size_px, curves=False)
        shots = photographs(
            [(found.blocks[0], view) for view in views], stage.photograph_px, look=found.scale.look
        )
        for view, image in zip(views, shots, strict=True):
            stage.view = view
            yield Frame(stage.show(image, day, found.captions[0]), 1)

    return Film("turntable", frames(), asked.fps, [day], count, asked.size_px)


def _around(run: Run, box: Box, start: float, elevation: float, count: int) -> list[View]:
    """Views from all sides that cover one width and one height, so that the scale stays."""
    corners = np.array([[s.start for s in box[::-1]], [s.stop for s in box[::-1]]])
    bounds = corners * run.voxel_um / 1000.0
    views = [view_of(bounds, start + 360.0 * n / count, elevation) for n in range(count)]
    size = {
        name: max(getattr(view, name) for view in views)
        for name in ("width_mm", "height_mm", "depth_mm")
    }
    return [view._replace(**size) for view in views]


# -- one hole --------------------------------------------------------------------------------------


def _event(run: Run, asked: Asked) -> Film:
    """A plate in close-up from the day before its hole to the last snapshot."""
    row = hole_days.break_of(run, "largest" if asked.event is None else asked.event)
    first = hole_days.days_of(run, row, exact=False)[0]
    days = [day for day in run.snapshot_days if day >= first.day]
    times = _frames(asked, SNAPSHOT_SECONDS)
    count = _limited(times * len(days))
    panels = [close_up.Panel(day, "", run.quanta(day)) for day in days]
    place = hole_days.place_um(hole_days.break_row(run, row))
    found = close_up.look_at(panels, place, run.voxel_um)

    def frames() -> Iterator[Frame]:
        for one in found.seen:
            alone = found._replace(seen=[one])
            figure = close_up.single(alone, hole_days.title_of(run, row), SIDE_INCH)
            figure.set_dpi(asked.size_px / SIDE_INCH)
            yield Frame(_pixels(figure, asked.size_px), times)

    return Film("event", frames(), asked.fps, days, count, asked.size_px)


# -- the stage -------------------------------------------------------------------------------------


class _Stage:
    """A square with title, photograph, scale, and curves; drawn once, changed from frame to frame."""

    def __init__(
        self, run: Run, box: Box, view: View, scale: Scale, size_px: int, *, curves: bool
    ) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.run, self.box, self.view, self.scale, self.size_px = run, box, view, scale, size_px
        self.figure = Figure(
            (SIDE_INCH, SIDE_INCH), dpi=size_px / SIDE_INCH, facecolor=palette.BACKGROUND
        )
        FigureCanvasAgg(self.figure)
        self.photograph_px = max(2, round(size_px * _PHOTOGRAPH))
        low = 0.33 if curves else 0.13
        right = 0.86 if scale.norm is not None else 0.98
        self.axis = self.figure.add_axes((0.02, low, right - 0.02, 0.86 - low))
        self.title = self.figure.text(0.02, 0.985, "", va="top", fontsize=9.5, linespacing=1.35)
        self.image: Any = None
        self.marks: list[Any] = []
        self.cursors: list[Any] = []
        if scale.norm is not None:
            beside = self.figure.add_axes((0.89, low + 0.06, 0.02, 0.62 - low / 2))
            self._bar(beside)
        handles = scale.handles()
        self.figure.legend(
            handles=handles, loc="lower center", ncols=4, frameon=False, fontsize=8,
            bbox_to_anchor=(0.5, 0.0), borderaxespad=0.2,
        )  # fmt: skip
        if curves:
            self._courses()

    def _bar(self, beside: "Axes") -> None:
        from matplotlib.cm import ScalarMappable

        bar = self.figure.colorbar(
            ScalarMappable(self.scale.norm, palette.NUMBER_MAP),
            cax=beside,
            extend=self.scale.extend,
        )
        bar.set_label(self.scale.label, fontsize=8)
        beside.tick_params(labelsize=8)

    def _courses(self) -> None:
        """Estradiol and the change of BV/TV of all days; a cursor stands at the day shown."""
        run = self.run
        years = run.table["day"].to_numpy(np.float64) / DAYS_PER_YEAR
        e2, bvtv = (self.figure.add_axes((left, 0.125, 0.36, 0.115)) for left in (0.10, 0.60))
        e2.plot(years, weekly_e2(run), color=palette.E2, linewidth=1.4)
        e2.set_ylim(0.0, 1.1 * max(float(weekly_e2(run).max()), 1e-3))
        e2.set_title("estradiol, week's mean (pg/mL)", fontsize=8, loc="left", pad=3)
        change = change_percent(run.table["bvtv_percent"].to_numpy(np.float64))
        bvtv.plot(years, change, color=palette.BVTV, linewidth=1.4)
        bvtv.axhline(0.0, color=palette.INK, linewidth=0.6)
        bvtv.set_title("BV/TV, change since day 0 (%)", fontsize=8, loc="left", pad=3)
        for axis in (e2, bvtv):
            for first, last in suppressed_spans(run.table["day"].to_numpy(), weekly_e2(run)):
                axis.axvspan(
                    first / DAYS_PER_YEAR, last / DAYS_PER_YEAR, color=palette.SUPPRESSION, zorder=0
                )
            axis.set_xlim(years[0], max(years[-1], years[0] + 1e-3))
            axis.spines[["top", "right"]].set_visible(False)
            axis.tick_params(labelsize=7.5)
            axis.set_xlabel("years", fontsize=8, labelpad=1)
            self.cursors.append(
                axis.axvline(
                    years[0],
                    color=palette.EVENTS["plate_perforation"].colour,
                    linewidth=1.4,
                    clip_on=False,
                )
            )

    def show(self, image: NDArray[np.uint8], day: int, caption: str) -> NDArray[np.uint8]:
        """The square with this photograph of this day."""
        view = self.view
        extent = (0.0, view.width_mm, 0.0, view.height_mm)
        if self.image is None:
            self.image = self.axis.imshow(image, extent=extent, interpolation="bilinear")
            length = bar_length(view)
            self.axis.set_axis_off()
            scale_bar(self.axis, length, bar_text(length), size=8.5)
        self.image.set_data(image)
        for drawn in self.marks:
            drawn.remove()
        marked = self.scale.colour == "events"
        self.marks = mark(self.axis, self.run, day, self.box, view, size=60.0) if marked else []
        self.axis.set_xlim(0.0, view.width_mm)
        self.axis.set_ylim(0.0, view.height_mm)
        for cursor in self.cursors:
            cursor.set_xdata([day / DAYS_PER_YEAR] * 2)
        self.title.set_text(self._title(day, caption))
        return _pixels(self.figure, self.size_px)

    def _title(self, day: int, caption: str) -> str:
        table = self.run.table
        row = table["day"].to_numpy() == day
        bvtv = float(table["bvtv_percent"].to_numpy()[row][0])
        part = (
            "" if self.box == whole(self.run.shape) else f"; shown: {part_text(self.run, self.box)}"
        )
        pale = "; pale marks: behind bone" if self.scale.colour == "events" else ""
        extra = breaks_on(self.run, day) if self.scale.colour == "events" else caption
        lines = [
            f"{day_text(day)}   BV/TV {bvtv:.1f} %   {extra}".rstrip(),
            self.run.title,
            f"one {size_text(self.run)}{part}{pale}",
        ]
        lines += [self.scale.note] if self.scale.note else []
        return "\n".join(fill(line, _LINE) for line in lines)


def _pixels(figure: "Figure", size_px: int) -> NDArray[np.uint8]:
    """The figure as an image of this many rows and columns."""
    canvas: Any = figure.canvas
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[..., :3]
    return np.ascontiguousarray(drawn[:size_px, :size_px])
