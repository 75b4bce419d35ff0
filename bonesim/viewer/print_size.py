"""The size of print: at most two columns of a journal across, 300 dots an inch, no letter under 6 points."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from bonesim.viewer import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
T = TypeVar("T")

MM_PER_INCH = 25.4
#: One and two columns of a journal, mm.
ONE_COLUMN_MM, TWO_COLUMNS_MM = 89.0, 183.0
DPI = 300
#: Letters and lines of figures without photographs, points.
PRINT = {
    "font.size": 7.0, "axes.titlesize": 7.5, "axes.labelsize": 7.0, "legend.fontsize": 6.5,
    "legend.title_fontsize": 6.5, "xtick.labelsize": 6.5, "ytick.labelsize": 6.5,
    "figure.titlesize": 7.5, "axes.linewidth": 0.6, "lines.linewidth": 1.2, "lines.markersize": 4.0,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5,
    "ytick.major.size": 2.5, "xtick.minor.width": 0.4, "ytick.minor.width": 0.4,
    "xtick.minor.size": 1.5, "ytick.minor.size": 1.5, "hatch.linewidth": 0.6,
}  # fmt: skip


def at_print_size(draw: Callable[P, T]) -> Callable[P, T]:
    """Letters and lines of what a function draws are those of print."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        from matplotlib import rc_context

        with rc_context(PRINT):
            return draw(*args, **kwargs)

    return inside


def print_figure(width_mm: float, height_mm: float) -> "Figure":
    """An empty figure of a size in print."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), dpi=DPI, layout="constrained",
        facecolor=palette.BACKGROUND,
    )  # fmt: skip
    FigureCanvasAgg(figure)
    return figure


def lettered(axis: "Axes", letter: str, title: str = "", pad: float | None = None) -> None:
    """A panel's letter, bold, and its title, above on the left; `pad` points of room below it."""
    keep_ticks(axis)
    axis.set_title(f"$\\bf{{{letter}}}$  {title}".rstrip(), loc="left", pad=pad)


def keep_ticks(axis: "Axes") -> None:
    """Ticks that are made after the letters are no longer those of print have its sizes too."""
    for which in ("major", "minor"):
        for side in ("x", "y"):
            axis.tick_params(
                axis=side, which=which, labelsize=PRINT[f"{side}tick.labelsize"],
                width=PRINT[f"{side}tick.{which}.width"], length=PRINT[f"{side}tick.{which}.size"],
            )  # fmt: skip
