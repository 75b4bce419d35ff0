"""Slices of a run across z, y and x through one place, one row for each day, with a scale bar."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.storage.reader import Run
from bonesim.units import BONE, FULL
from bonesim.viewer import palette
from bonesim.viewer.colouring import Scale, known_colour
from bonesim.viewer.moments import Moment, day_text
from bonesim.viewer.picture import Drawing
from bonesim.viewer.scene import (
    DPI,
    FONT,
    LETTERS,
    MM_PER_INCH,
    Shown,
    checked_width,
    moments_of,
    size_text,
)
from bonesim.viewer.slices import bar_below, bar_length_mm, name_axes, place_of, planes_at
from bonesim.viewer.surface import ColourBy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: What slices are coloured by: grey (bone of each voxel), mineral, or the state of the surface.
COLOURS: tuple[ColourBy, ...] = ("bone", "mineral", "surface_state")
#: Room for text above and below each row, and above and below all, mm.
ROW_TEXT_MM, TEXT_MM = 14.0, 22.0


def draw(run: Run, colour: str, place: Any, shown: Shown) -> Drawing:
    """The figure, and as CSV the share of bone in each slice.

    Args:
        run: an open run file with a snapshot.
        colour: one of `COLOURS`; the default of 3-D, "events", is taken for "bone".
        place: see `place_of`.
        shown: days and size.

    Raises:
        InputError: no such colour, place or day; a camera or a slab, which slices have not.
    """
    for name in ("camera", "slab"):
        if getattr(shown, name) is not None:
            raise InputError("is not for `slices`; leave one out", parameter=name)
    mode = known_colour("bone" if colour == "events" else colour, COLOURS)
    at = place_of(place, run.shape, run.voxel_um)
    moments = moments_of(run, shown.days)
    width = checked_width(shown.width_mm, 3)
    figure = _figure(run, mode, at, moments, width)
    return Drawing(figure, {".csv": _numbers(run, at, moments).to_csv(index=False)})


def _figure(
    run: Run, mode: ColourBy, at: tuple[int, int, int], moments: list[Moment], width: float
) -> "Figure":
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    nz, ny, nx = run.shape
    edge = 0.9 * width / (2 * nx + ny)
    row = max(ny, nz) * edge + ROW_TEXT_MM
    voxel_mm = run.voxel_um / 1000.0
    length = bar_length_mm(run.shape, run.voxel_um)
    with rc_context(FONT):
        figure = Figure(
            figsize=(width / MM_PER_INCH, (row * len(moments) + TEXT_MM) / MM_PER_INCH),
            layout="constrained", dpi=DPI, facecolor=palette.BACKGROUND,
        )  # fmt: skip
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(moments), 3, squeeze=False, width_ratios=(nx, nx, ny))
        for letter, line, moment in zip(LETTERS, axes, moments, strict=False):
            image = _coloured(run, moment.day, mode)
            for axis, plane in zip(line, planes_at(image, at), strict=True):
                axis.imshow(plane.pixels, origin=plane.origin, interpolation="nearest")
                across, down = plane.lines
                axis.axvline(across, color=palette.INK, linewidth=0.5, linestyle=":", alpha=0.7)
                axis.axhline(down, color=palette.INK, linewidth=0.5, linestyle=":", alpha=0.7)
                where = (plane.voxel + 0.5) * voxel_mm
                axis.set_title(f"across {plane.name}, at {where:.2f} mm", loc="left")
                name_axes(axis, plane)
            name = f"{moment.name}, {day_text(moment.day)}"
            line[0].set_title(
                f"$\\bf{{{letter}}}$  {name}\n{line[0].get_title(loc='left')}", loc="left"
            )
            bar_below(line[2], voxel_mm, length, size=7.0)
        scale = _scale(mode)
        scale.bar(figure, list(axes.ravel()))
        handles = _handles(scale)
        figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
        figure.suptitle(
            f"{run.title}\none {size_text(run)}; dotted: where the other two slices lie",
            fontsize=7.5,
        )
    return figure


def _coloured(run: Run, day: int, mode: ColourBy) -> NDArray[np.uint8]:
    """Red, green, blue of each voxel, (nz, ny, nx, 3); marrow is white."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    bone = run.quanta(day)
    if mode == "bone":
        return np.repeat((FULL - bone)[..., None], 3, axis=-1)
    if mode == "mineral":
        shade = colormaps[palette.NUMBER_MAP](run.field("mineral", day))[..., :3]
        rgb = np.rint(255 * shade).astype(np.uint8)
        rgb[bone < BONE] = 255
        return rgb
    table = np.array([to_rgb(colour) for _, colour in palette.STATES.values()])
    return np.rint(255 * table[run.field("surface_state", day)]).astype(np.uint8)


def _scale(mode: ColourBy) -> Scale:
    from matplotlib.colors import Normalize

    if mode == "mineral":
        return Scale(mode, Normalize(0.0, 100.0), "mineralisation (% of full)")
    return Scale(mode)


def _handles(scale: Scale) -> list[Any]:
    from matplotlib.patches import Patch

    if scale.colour == "bone":
        return [
            Patch(facecolor=shade, edgecolor=palette.INK, linewidth=0.5, label=name)
            for shade, name in (
                ("black", "bone"),
                ("#808080", "half of the voxel"),
                ("white", "marrow"),
            )
        ]
    marrow = Patch(facecolor="white", edgecolor=palette.INK, linewidth=0.5, label="marrow")
    handles = scale.handles(caps=False)
    if scale.colour == "surface_state":
        handles[0].set_label("quiescent, interior")
    return [*handles, marrow]


def _numbers(run: Run, at: tuple[int, int, int], moments: list[Moment]) -> "pd.DataFrame":
    """The share of bone in each slice, partial volume included."""
    import pandas as pd

    rows = []
    for moment in moments:
        for plane in planes_at(run.quanta(moment.day), at):
            rows.append(
                {"day": moment.day, "across": plane.name,
                 "at_mm": (plane.voxel + 0.5) * run.voxel_um / 1e3,
                 "bone_percent": 100.0 * float(plane.pixels.mean()) / FULL}
            )  # fmt: skip
    return pd.DataFrame(rows)
