"""A loss in its parts as stacked bars, one for each day: losses upwards, gains downwards."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.loss.parts import PARTS
from bonesim.viewer import palette
from bonesim.viewer.picture import Drawing
from bonesim.viewer.print_size import TWO_COLUMNS_MM, at_print_size, lettered, print_figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

#: Titles of the panels.
TITLES = {"run": "the run", "twin": "its twin", "difference": "run less twin"}
#: Beyond the bars, as a share of the axis.
ROOM = 0.05


@at_print_size
def draw(table: "pd.DataFrame") -> Drawing:
    """The table of `reports.loss` as a figure, a panel for each simulation, and as CSV."""
    names = list(dict.fromkeys(table["simulation"]))
    days = table["day"].nunique()
    figure = print_figure(min(50.0 + len(names) * (20.0 + 12.0 * days), TWO_COLUMNS_MM), 80.0)
    axes = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for letter, axis, name in zip("abc", axes, names, strict=False):
        _bars(axis, table[table["simulation"] == name])
        if len(names) > 1:
            lettered(axis, letter, TITLES[name])
    # Marks at the end of the longest bar are whole.
    low, high = axes[0].get_ylim()
    room = ROOM * (high - low)
    axes[0].set_ylim(low - room * (low < 0.0), high + room * (high > 0.0))
    axes[0].set_ylabel("lost since day 0 (% of the mineral of day 0);\nbelow 0: gained")
    # In the order of the stacked bars, from above.
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside right center", frameon=False)
    return Drawing(figure, {".csv": table.to_csv(index=False)})


def stack_parts(axis: "Axes", parts: "Mapping[str, NDArray[np.float64]]") -> None:
    """Stack the parts of losses (`loss.parts.PARTS`), a bar for each value; gains downwards."""
    bars = len(next(iter(parts.values())))
    above, below = np.zeros(bars), np.zeros(bars)
    for name, values in parts.items():
        colour, hatch = palette.LOSS[name]
        axis.bar(
            np.arange(bars), values, 0.62, bottom=np.where(values > 0, above, below),
            color=colour, hatch=hatch, edgecolor=palette.INK, linewidth=0.5, label=PARTS[name],
        )  # fmt: skip
        above += np.maximum(values, 0.0)
        below += np.minimum(values, 0.0)


def _bars(axis: "Axes", table: "pd.DataFrame") -> None:
    """One simulation: a bar for each day, and its total as a mark."""
    wide: Any = table.pivot(index="day", columns="part", values="percent_of_day_0")
    place = np.arange(len(wide))
    stack_parts(axis, {name: wide[name].to_numpy(float) for name in PARTS})
    axis.plot(
        place, wide["total"], "D", color=palette.BACKGROUND, markeredgecolor=palette.INK,
        label="total (loss of BMD)", clip_on=False,
    )  # fmt: skip
    axis.axhline(0.0, color=palette.INK, linewidth=0.8)
    axis.set_xticks(place, [str(day) for day in wide.index])
    axis.set_xlabel("day")
    axis.spines[["top", "right"]].set_visible(False)
