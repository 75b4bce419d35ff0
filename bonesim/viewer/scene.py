"""The picture of a run: the bone before, at the end of suppression and of recovery, and its curves.

The same slab of bone is drawn each time with the same camera. Every final plate perforation and
strut cut up to that day is marked at its place; a mark behind bone is fainter.
"""

from typing import TYPE_CHECKING

import numpy as np

from bonesim.errors import InputError
from bonesim.storage.reader import Run
from bonesim.viewer import palette
from bonesim.viewer.camera import View, on_image_mm, photograph, view_of
from bonesim.viewer.markers import hidden, marked_breaks, places_mm, richest_slab, within
from bonesim.viewer.moments import Moment, day_text, three_moments, weekly_e2
from bonesim.viewer.picture import Drawing
from bonesim.viewer.plots import curves, draw_courses
from bonesim.viewer.scale_bar import scale_bar
from bonesim.viewer.strain_energy import (
    colour_bar,
    load_text,
    paint_energy,
    parameters_of,
    scale_of,
    strained,
)
from bonesim.viewer.surface import COLOURS, Block, Box, ColourBy, bone_block, paint

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Thickness of the slab drawn: one or two marrow spaces, so that plates are visible.
SLAB_MM = 1.5
#: Rows of each photograph, and dots per inch of the finished picture.
HEIGHT_PX = 900
DPI = 130
#: Length of the scale bar under the first block.
BAR_MM = 1.0


def draw(run: Run, colour: str = "events") -> Drawing:
    """The run as a figure, and the numbers behind its curves as CSV.

    Args:
        run: an open run file with at least one snapshot.
        colour: see `bonesim.render`.

    Raises:
        InputError: no snapshot, an unknown colour, a lattice without bone.
        NumericalError: "sed" does not converge.
    """
    if colour not in COLOURS:
        raise InputError(
            f"{colour!r} is not known; one of {', '.join(COLOURS)}", parameter="colour"
        )
    return Drawing(_figure(run, colour), {".csv": curves(run).to_csv(index=False)})


def _figure(run: Run, colour: ColourBy) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    moments = three_moments(run.table["day"].to_numpy(), weekly_e2(run), run.snapshot_days)
    events = marked_breaks(run, run.snapshot_days[-1])
    voxel_mm = run.voxel_um / 1000.0
    box = richest_slab(events, run.shape, voxel_mm, SLAB_MM)
    figure = Figure(
        figsize=(15.5, 9.4), layout="constrained", dpi=DPI, facecolor=palette.BACKGROUND
    )
    FigureCanvasAgg(figure)
    top, bottom = np.asarray(figure.subfigures(2, 1, height_ratios=(2.3, 1.0)))
    blocks = top.subplots(1, len(moments), squeeze=False)[0]
    pieces = [bone_block(run.quanta(moment.day), voxel_mm, box) for moment in moments]
    title = _title(run, box, voxel_mm)
    captions = [_breaks_on(run, moment.day) for moment in moments]
    if colour == "sed":
        loaded = [strained(run, moment.day) for moment in moments]
        scale = scale_of(loaded)
        for block, bone in zip(pieces, loaded, strict=True):
            paint_energy(block, bone, scale)
        colour_bar(top, list(blocks), scale)
        captions = [bone.text() for bone in loaded]
        title += f"\n{load_text(parameters_of(run))}"
    elif colour in ("mineral", "surface_state"):
        for block, moment in zip(pieces, moments, strict=True):
            paint(block, run.image(moment.day), colour)
    for axis, moment, block, caption in zip(blocks, moments, pieces, captions, strict=True):
        _draw_block(axis, run, moment, block, box, caption)
        if colour == "events":
            _mark(axis, run, within(marked_breaks(run, moment.day), box, voxel_mm), moment.day, box)
    scale_bar(blocks[0], BAR_MM, f"{BAR_MM:g} mm")
    legend(top, colour)
    figure.suptitle(title, fontsize=11)
    draw_courses(list(bottom.subplots(1, 4)), run, moments)
    return figure


def _draw_block(
    axis: "Axes", run: Run, moment: Moment, block: Block, box: Box, caption: str
) -> None:
    """One photograph and its title, which ends with `caption`."""
    _put_photograph(axis, run, block, box, HEIGHT_PX)
    table = run.table
    bvtv = float(table["bvtv_percent"][table["day"] == moment.day].iloc[0])
    axis.set_title(
        f"{moment.name}, {day_text(moment.day)}\nBV/TV {bvtv:.1f} %   {caption}",
        fontsize=11,
    )


def photographed(axis: "Axes", run: Run, day: int, box: Box, height_px: int) -> None:
    """Draw the bone of a day within a box of the lattice, with the breaks that are there.

    Raises:
        InputError: the box holds no bone surface.
    """
    voxel_mm = run.voxel_um / 1000.0
    _put_photograph(axis, run, bone_block(run.quanta(day), voxel_mm, box), box, height_px)
    _mark(axis, run, within(marked_breaks(run, day), box, voxel_mm), day, box)


def _put_photograph(axis: "Axes", run: Run, block: Block, box: Box, height_px: int) -> None:
    view = _view(run, box)
    image = photograph(block, view, height_px)
    axis.imshow(image, extent=(0.0, view.width_mm, 0.0, view.height_mm), interpolation="bilinear")
    axis.set_axis_off()


def _view(run: Run, box: Box) -> View:
    """The camera that covers a box of the lattice."""
    corners = np.array([[s.start for s in box[::-1]], [s.stop for s in box[::-1]]])
    return view_of(corners * run.voxel_um / 1000.0)


def _breaks_on(run: Run, day: int) -> str:
    """The number of breaks there on a day, as text."""
    counts = marked_breaks(run, day)["kind"].value_counts()
    return (
        f"perforations {counts.get('plate_perforation', 0)}, "
        f"cuts {counts.get('strut_cut', 0)} in the whole specimen"
    )


def _mark(axis: "Axes", run: Run, events: "pd.DataFrame", day: int, box: Box) -> None:
    """A ring at each event; fainter where bone is in front of it."""
    if events.empty:
        return
    view = _view(run, box)
    at = on_image_mm(view, places_mm(events))
    behind = hidden(events, run.quanta(day), box, run.voxel_um / 1000.0, view.forward)
    for kind, mark in palette.EVENTS.items():
        for faint in (True, False):
            chosen = (events["kind"].to_numpy() == kind) & (behind == faint)
            axis.scatter(
                at[chosen, 0], at[chosen, 1], marker=mark.shape, s=90, facecolors="none",
                edgecolors=mark.colour, linewidths=2.0, alpha=0.35 if faint else 1.0,
            )  # fmt: skip


def legend(figure: "Figure", colour: ColourBy, *, suppression: bool = False) -> None:
    """The legend of the marks, or of the colours of the surface; also of the shaded days."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Line2D | Patch] = []
    if colour == "events":
        handles = [
            Line2D([], [], linestyle="none", marker=mark.shape, markersize=9, color=mark.colour,
                   markerfacecolor="none", markeredgewidth=2, label=mark.name)
            for mark in palette.EVENTS.values()
        ]  # fmt: skip
    elif colour == "surface_state":
        states = [palette.STATES[code] for code in palette.SURFACE_STATES]
        handles = [Patch(color=shade, label=name) for name, shade in states]
    handles.append(Patch(color=palette.CUT_FACE, label="cut face of the block"))
    if suppression:
        handles.append(Patch(color=palette.SUPPRESSION, label="days of suppressed estradiol"))
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), frameon=False)


def _title(run: Run, box: Box, voxel_mm: float) -> str:
    size = " x ".join(f"{n * voxel_mm:.1f}" for n in reversed(run.shape))
    shown = (box[1].start * voxel_mm, box[1].stop * voxel_mm)
    return (
        f"{run.config['title']}\nspecimen {size} mm, voxel {run.voxel_um:g} um; "
        f"shown: y = {shown[0]:.1f} to {shown[1]:.1f} mm, the slab with most breaks"
    )
