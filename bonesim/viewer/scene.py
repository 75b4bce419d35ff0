"""The picture of a run: three days in 3-D, with what was lost marked, above the time courses.

The block is a slab (that with most breaks, if none is chosen), since a thick specimen hides its inside.
It is drawn to scale with a scale bar. Photographs and marks are joined in Matplotlib; the size is that
of print, and so is the text.
"""

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bonesim.errors import InputError
from bonesim.storage.reader import Run
from bonesim.viewer import palette
from bonesim.viewer.camera import View, camera_of, on_image_mm, photograph, view_of
from bonesim.viewer.colouring import Scale, coloured, known_colour
from bonesim.viewer.markers import hidden, marked_breaks, places_mm, richest_slab, within
from bonesim.viewer.moments import (
    Moment,
    day_text,
    plain_name,
    suppressed_spans,
    three_moments,
    weekly_e2,
)
from bonesim.viewer.picture import Drawing
from bonesim.viewer.plots import change_percent, curves, draw_courses
from bonesim.viewer.region import part_of, snapshot_day
from bonesim.viewer.scale_bar import scale_bar
from bonesim.viewer.surface import Block, Box, ColourBy, bone_block

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Thickness of the slab drawn: one or two marrow spaces, so that plates are visible.
SLAB_MM = 1.5
#: Rows of each photograph, and dots per inch of the finished picture.
HEIGHT_PX = 900
DPI = 300
#: Width of the picture, mm: two columns of a journal; least and greatest.
WIDTH_MM, MIN_WIDTH_MM, MAX_WIDTH_MM = 180.0, 60.0, 600.0
#: A panel's text needs this width; a photograph is not made higher than the second, mm.
PANEL_MM, MAX_PHOTOGRAPH_MM = 43.0, 110.0
#: Four axes of curves stand in a row from this width on, else in two; heights of a row, mm.
ROW_MM, CURVES_MM, TEXT_MM = 165.0, 46.0, 28.0
#: A line of text in height, a name of the legend in width, and a character of the title, mm.
LINE_MM, LEGEND_MM, CHARACTER_MM = 3.6, 40.0, 1.45
#: Room above and below each panel, mm.
PAD_MM = 1.8
#: Points.
FONT = {"font.size": 7.0, "axes.titlesize": 7.5, "axes.labelsize": 7.0, "legend.fontsize": 7.0}
#: Days that fit into one picture.
MAX_DAYS = 4
#: Lengths of a scale bar, mm.
BARS_MM = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
LETTERS = "abcdefgh"
#: A part that is the whole block, in words.
ALL = "all of it"
MM_PER_INCH = 25.4


class Shown(NamedTuple):
    """What of a run is drawn, and how large.

    Attributes:
        days: of snapshots, at most `MAX_DAYS`; before, after suppression and at the end if None.
        camera: see `camera_of`.
        slab: see `part_of`; that with most breaks if None.
        width_mm: of the picture.
    """

    days: Sequence[int] | None = None
    camera: str | Sequence[float] | None = None
    slab: str | Sequence[float] | None = None
    width_mm: float = WIDTH_MM


AS_IT_IS = Shown()


def draw(run: Run, colour: str = "events", shown: Shown = AS_IT_IS) -> Drawing:
    """The run as a figure, and the numbers behind its curves as CSV.

    Args:
        run: an open run file with at least one snapshot.
        colour: see `bonesim.render`.
        shown: days, camera, slab, size.

    Raises:
        InputError: no snapshot, an unknown colour, a lattice without bone, what cannot be shown.
        NumericalError: "sed" does not converge.
    """
    figure = _figure(run, known_colour(colour), shown)
    return Drawing(figure, {".csv": curves(run).to_csv(index=False)})


def _figure(run: Run, colour: ColourBy, shown: Shown = AS_IT_IS) -> "Figure":
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    moments = moments_of(run, shown.days)
    width = checked_width(shown.width_mm, len(moments))
    box = slab_of(run, shown.slab)
    view = view_of_part(run, box, shown.camera)
    found = coloured(run, [moment.day for moment in moments], box, colour)
    photograph_mm = photograph_height_mm(view, width, len(moments))
    columns = 4 if width >= ROW_MM else 2
    handles = found.scale.handles()
    across = names_across(len(handles), width)
    words = title(run, box, shown, width, found.scale.note, marks=colour == "events")
    rows = -(-len(handles) // across) + words.count("\n")
    heights = (photograph_mm + TEXT_MM + LINE_MM * rows, CURVES_MM * 4 / columns)
    with rc_context(FONT):
        figure = Figure(
            figsize=(width / MM_PER_INCH, sum(heights) / MM_PER_INCH), layout="constrained",
            dpi=DPI, facecolor=palette.BACKGROUND,
        )  # fmt: skip
        FigureCanvasAgg(figure)
        keep_apart(figure)
        top, bottom = np.asarray(figure.subfigures(2, 1, height_ratios=heights))
        axes = list(top.subplots(1, len(moments), squeeze=False)[0])
        for letter, axis, moment, block, caption in zip(
            LETTERS, axes, moments, found.blocks, found.captions, strict=False
        ):
            put_photograph(axis, block, view, found.scale)
            if colour == "events":
                mark(axis, run, moment.day, box, view)
            under = _caption(run, moment, caption)
            axis.set_title(f"$\\bf{{{letter}}}$  {under}", loc="left")
        length = bar_length(view)
        scale_bar(axes[0], length, bar_text(length), size=7.0)
        found.scale.bar(top, axes)
        top.legend(handles=handles, loc="outside lower center", ncols=across, frameon=False)
        # An empty line: the panels' headings begin close below.
        figure.suptitle(f"{words}\n", fontsize=7.5)
        grid = np.asarray(bottom.subplots(4 // columns, columns)).ravel()
        draw_courses(list(grid), run, moments, LETTERS[len(moments) :])
    return figure


def moments_of(run: Run, days: Sequence[int] | None) -> list[Moment]:
    """The days that are shown, with the names of those that have one.

    Raises:
        InputError: no snapshot, none on such a day, too many days.
    """
    main = three_moments(run.table["day"].to_numpy(), weekly_e2(run), run.snapshot_days)
    if days is None:
        return main
    wanted = sorted({snapshot_day(run, day) for day in days})
    if not 1 <= len(wanted) <= MAX_DAYS:
        raise InputError(f"got {len(wanted)} days; give 1 to {MAX_DAYS}", parameter="days")
    names = {moment.day: moment.name for moment in main}
    spans = suppressed_spans(run.table["day"].to_numpy(), weekly_e2(run))
    return [
        Moment(day, names.get(day) or plain_name(day, run.snapshot_days, spans)) for day in wanted
    ]


def checked_width(width_mm: float, panels: int) -> float:
    """A picture's width, mm.

    Raises:
        InputError: too small for the text of so many panels, or too large.
    """
    least = max(MIN_WIDTH_MM, PANEL_MM * panels)
    if not least <= width_mm <= MAX_WIDTH_MM:
        raise InputError(
            f"got {width_mm:g}; {panels} panel{'s' if panels > 1 else ''} and their text need "
            f"{least:g} to {MAX_WIDTH_MM:g} mm; choose fewer days or another width",
            parameter="width_mm",
        )
    return float(width_mm)


def photograph_height_mm(view: View, width_mm: float, panels: int) -> float:
    """The height in print of each of some photographs beside each other."""
    return min(0.975 * width_mm / panels * view.height_mm / view.width_mm, MAX_PHOTOGRAPH_MM)


def keep_apart(figure: "Figure") -> None:
    """More room between the title and the panels than a line of text has."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(h_pad=PAD_MM / MM_PER_INCH)  # type: ignore[call-arg]


def names_across(names: int, width_mm: float) -> int:
    """The names of a legend that stand in one row."""
    return max(1, min(names, int(width_mm / LEGEND_MM)))


def slab_of(run: Run, slab: str | Sequence[float] | None) -> Box:
    """The part that is drawn: the chosen one, or the slab with most breaks at the end."""
    if slab is not None:
        return part_of(run, slab, "slab")
    events = marked_breaks(run, run.snapshot_days[-1])
    return richest_slab(events, run.shape, run.voxel_um / 1000.0, SLAB_MM)


def view_of_part(run: Run, box: Box, camera: str | Sequence[float] | None = None) -> View:
    """The camera that covers a box of the lattice."""
    corners = np.array([[s.start for s in box[::-1]], [s.stop for s in box[::-1]]])
    return view_of(corners * run.voxel_um / 1000.0, *camera_of(camera))


def bar_length(view: View) -> float:
    """A round length of about a third of a photograph, mm."""
    return max((bar for bar in BARS_MM if bar <= 0.4 * view.width_mm), default=BARS_MM[0])


def bar_text(length_mm: float) -> str:
    """The length of a scale bar in words."""
    return f"{length_mm:g} mm" if length_mm >= 0.1 else f"{1000 * length_mm:g} um"


def _caption(run: Run, moment: Moment, extra: str) -> str:
    """Name, day, BV/TV and its change, and what is marked."""
    table = run.table
    bvtv = table["bvtv_percent"].to_numpy(np.float64)
    row = int(np.flatnonzero(table["day"].to_numpy() == moment.day)[0])
    change = f", change {change_percent(bvtv)[row]:+.1f} %" if row else ""
    lines = [moment.name, day_text(moment.day)]
    lines += [f"BV/TV {bvtv[row]:.1f} %{change}", extra or breaks_on(run, moment.day)]
    return "\n".join(lines)


def photographed(axis: "Axes", run: Run, day: int, box: Box, height_px: int) -> None:
    """Draw the bone of a day within a box of the lattice, with the breaks that are there.

    Raises:
        InputError: the box holds no bone surface.
    """
    view = view_of_part(run, box)
    block = bone_block(run.quanta(day), run.voxel_um / 1000.0, box)
    put_photograph(axis, block, view, Scale("events"), height_px)
    mark(axis, run, day, box, view, size=90.0)


def put_photograph(
    axis: "Axes", block: Block, view: View, scale: Scale, height_px: int | None = None
) -> None:
    """Draw a block; the axes are in mm from the lower left corner."""
    image = photograph(block, view, height_px or HEIGHT_PX, look=scale.look)
    axis.imshow(image, extent=(0.0, view.width_mm, 0.0, view.height_mm), interpolation="bilinear")
    axis.set_axis_off()


def breaks_on(run: Run, day: int) -> str:
    """The number of breaks there on a day, as text."""
    counts = marked_breaks(run, day)["kind"].value_counts()
    return f"perforations {counts.get('plate_perforation', 0)}, cuts {counts.get('strut_cut', 0)}"


def mark(axis: "Axes", run: Run, day: int, box: Box, view: View, size: float = 28.0) -> list[Any]:
    """A ring at each break that is there; fainter where bone is in front of it."""
    voxel_mm = run.voxel_um / 1000.0
    events = within(marked_breaks(run, day), box, voxel_mm)
    if events.empty:
        return []
    return _rings(
        axis, events, hidden(events, run.quanta(day), box, voxel_mm, view.forward), view, size
    )


def _rings(axis: "Axes", events: "pd.DataFrame", behind: Any, view: View, size: float) -> list[Any]:
    at = on_image_mm(view, places_mm(events))
    drawn = []
    for kind, one in palette.EVENTS.items():
        for faint in (True, False):
            chosen = (events["kind"].to_numpy() == kind) & (behind == faint)
            drawn.append(
                axis.scatter(
                    at[chosen, 0], at[chosen, 1], marker=one.shape, s=size, facecolors="none",
                    edgecolors=one.colour, linewidths=0.21 * size**0.5,
                    alpha=0.35 if faint else 1.0,
                )
            )  # fmt: skip
    return drawn


def legend(figure: "Figure", colour: ColourBy, *, suppression: bool = False) -> None:
    """The legend of the marks, or of the colours of the surface; also of the shaded days."""
    from matplotlib.patches import Patch

    handles = Scale(colour).handles()
    if suppression:
        handles.append(Patch(color=palette.SUPPRESSION, label="days of suppressed estradiol"))
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), frameon=False)


def size_text(run: Run) -> str:
    """Edges x, y, z of the lattice, mm, and of a voxel."""
    size = " x ".join(f"{n * run.voxel_um / 1000.0:.1f}" for n in reversed(run.shape))
    return f"block of {size} mm, voxel {run.voxel_um:g} um"


def part_text(run: Run, box: Box) -> str:
    """Where a part of the lattice lies, mm; "all of it"."""
    voxel_mm = run.voxel_um / 1000.0
    cut = [
        f"{name} = {side.start * voxel_mm:.1f} to {side.stop * voxel_mm:.1f} mm"
        for name, side, length in zip("xyz", box[::-1], run.shape[::-1], strict=True)
        if (side.start, side.stop) != (0, length)
    ]
    return ", ".join(cut) or ALL


def title(
    run: Run, box: Box, shown: Shown, width: float, note: str = "", *, marks: bool = True
) -> str:
    """The run, the block, what is shown of it, and a note, in lines that fit into the width, mm."""
    part = part_text(run, box)
    chosen = ", the slab with most breaks" if shown.slab is None and part != ALL else ""
    lines = [run.title, f"one {size_text(run)}; shown: {part}{chosen}"]
    lines.append(
        f"BV/TV and breaks: of the whole block;{' pale: behind bone;' if marks else ''} "
        "grey: days of suppressed estradiol; thin lines: these days"
    )
    lines += [note] if note else []
    return "\n".join(fill(line, int(width / CHARACTER_MM)) for line in lines)
