"""Blocks of several days in one colour mode, and the scale that belongs to it: bar, names or marks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bonesim.errors import InputError
from bonesim.storage.reader import Run
from bonesim.viewer import palette
from bonesim.viewer.camera import COLOUR_LOOK, LOOK
from bonesim.viewer.strain_energy import (
    load_text,
    paint_energy,
    parameters_of,
    scale_of,
    strained,
)
from bonesim.viewer.surface import (
    COLOURS,
    Block,
    Box,
    ColourBy,
    bone_block,
    mineral_at,
    paint,
    paint_number,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure, SubFigure

#: Quantiles of the surface's mineral between which the colour bar ends, at multiples of `_STEP`, %.
RANGE = (0.05, 0.95)
_STEP = 10.0


#: Where a colour bar stands.
BAR: dict[str, Any] = {"location": "right", "shrink": 0.8, "aspect": 26, "pad": 0.01}


class Scale(NamedTuple):
    """What the colours mean.

    Attributes:
        colour: the mode.
        norm: of a number; None if there is no bar.
        label: of the bar, with the unit.
        extend: as of Matplotlib's colour bar.
        note: a line for the title; "" if there is none.
    """

    colour: ColourBy
    norm: "Normalize | None" = None
    label: str = ""
    extend: str = "neither"
    note: str = ""

    @property
    def look(self) -> Mapping[str, float]:
        """How the surface answers light: with little shade where colours are to be compared."""
        painted = self.norm is not None or self.colour == "surface_state"
        return COLOUR_LOOK if painted else LOOK

    def bar(self, figure: "Figure | SubFigure", axes: "Sequence[Axes]", **options: Any) -> None:
        """The colour bar beside the photographs, if the colours are numbers."""
        from matplotlib.cm import ScalarMappable

        if self.norm is None:
            return
        options = dict(BAR) | options
        bar = figure.colorbar(
            ScalarMappable(self.norm, palette.NUMBER_MAP),
            ax=list(axes),
            extend=self.extend,
            **options,
        )
        bar.set_label(self.label)

    def handles(self, *, caps: bool = True) -> list[Any]:
        """What the legend names: marks, states, the cut faces."""
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        found: list[Any] = []
        if self.colour == "events":
            found = [
                Line2D([], [], linestyle="none", marker=mark.shape, markersize=6, color=mark.colour,
                       markerfacecolor="none", markeredgewidth=1.4, label=mark.name)
                for mark in palette.EVENTS.values()
            ]  # fmt: skip
        elif self.colour == "surface_state":
            states = [palette.STATES[code] for code in palette.SURFACE_STATES]
            found = [Patch(color=shade, label=name) for name, shade in states]
        return found + ([Patch(color=palette.CUT_FACE, label="cut face")] if caps else [])


class Coloured(NamedTuple):
    """Blocks of some days, a caption of each ("" if there is none), and their common scale."""

    blocks: list[Block]
    captions: list[str]
    scale: Scale


def known_colour(colour: str, allowed: Sequence[ColourBy] = COLOURS) -> ColourBy:
    """A colour mode by its name.

    Raises:
        InputError: there is no such one.
    """
    for one in allowed:
        if one == colour:
            return one
    raise InputError(f"{colour!r} is not known; one of {', '.join(allowed)}", parameter="colour")


def coloured(run: Run, days: Sequence[int], box: Box, colour: ColourBy) -> Coloured:
    """The bone of some days within a box, painted with one scale.

    Raises:
        InputError: no bone surface, or no load. NumericalError: "sed" does not converge.
    """
    voxel_mm = run.voxel_um / 1000.0
    blocks = [bone_block(run.quanta(day), voxel_mm, box) for day in days]
    captions = [""] * len(days)
    scale = Scale(colour)
    if colour == "sed":
        loaded = [strained(run, day) for day in days]
        norm = scale_of(loaded)
        for block, bone in zip(blocks, loaded, strict=True):
            paint_energy(block, bone, norm)
        captions = [bone.text() for bone in loaded]
        note = load_text(parameters_of(run))
        scale = Scale(colour, norm, "strain energy density (MPa)", "both", note)
    elif colour == "mineral":
        scale = _paint_mineral(run, days, blocks)
    elif colour == "surface_state":
        for block, day in zip(blocks, days, strict=True):
            paint(block, run.image(day), colour)
    return Coloured(blocks, captions, scale)


def _paint_mineral(run: Run, days: Sequence[int], blocks: list[Block]) -> Scale:
    from matplotlib.colors import Normalize

    shares = [
        100.0 * mineral_at(block.surface, run.image(day))
        for block, day in zip(blocks, days, strict=True)
    ]
    every = np.concatenate(shares)
    low, high = np.quantile(every, RANGE)
    low = float(np.clip(_STEP * np.floor(low / _STEP), 0.0, 100.0 - _STEP))
    high = float(np.clip(_STEP * np.ceil(high / _STEP), low + _STEP, 100.0))
    for block, share in zip(blocks, shares, strict=True):
        paint_number(block, (share - low) / (high - low))
    below, above = bool(every.min() < low), bool(every.max() > high)
    extend = {(1, 1): "both", (1, 0): "min", (0, 1): "max", (0, 0): "neither"}[below, above]
    return Scale(
        "mineral", Normalize(low, high), "mineralisation at the surface (% of full)", extend
    )
