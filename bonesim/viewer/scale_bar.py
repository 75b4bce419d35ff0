"""A scale bar under a photograph, in the units of its axes."""

from typing import TYPE_CHECKING

from bonesim.viewer import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Gap to the picture and thickness of the bar, as shares of the picture's height.
GAP, THICK = 0.03, 0.016


def scale_bar(axis: "Axes", length: float, text: str, size: float = 9.0) -> None:
    """A bar below the lower left corner, where no bone is, with its length beside it, `size` points."""
    from matplotlib.patches import Rectangle

    left, low = axis.get_xlim()[0], axis.get_ylim()[0]
    height = axis.get_ylim()[1] - low
    bottom = low - (GAP + THICK) * height
    bar = Rectangle((left, bottom), length, THICK * height, facecolor=palette.INK, linewidth=0.0)
    bar.set_clip_on(False)
    axis.add_patch(bar)
    axis.text(
        left + length + 0.02 * height, bottom + THICK * height / 2.0, text, ha="left", va="center",
        fontsize=size,
    )  # fmt: skip
