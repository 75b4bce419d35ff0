"""A loss in its parts as stacked bars, one for each day: losses upwards, gains downwards."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.loss.parts import PARTS
from bonesim.viewer import palette
from bonesim.viewer.picture import Drawing

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

#: Titles of the panels.
TITLES = {"run": "the run", "twin": "its twin", "difference": "run less twin"}


def draw(table: "pd.DataFrame") -> Drawing:
    """The table of `reports.loss` as a figure, a panel for each simulation, and as CSV."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(table["simulation"]))
    days = table["day"].nunique()
    figure = Figure(
        figsize=(2.6 + len(names) * (1.2 + 0.7 * days), 4.6), layout="constrained",
        facecolor=palette.BACKGROUND, dpi=120,
    )  # fmt: skip
    axes = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axis, name in zip(axes, names, strict=True):
        _bars(axis, table[table["simulation"] == name])
        if len(names) > 1:
            axis.set_title(TITLES[name], fontsize=10)
    axes[0].set_ylabel("lost since day 0 (% of mineral)")
    # In the order of the stacked bars, from above.
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles[::-1], labels[::-1], loc="outside right center", frameon=False, fontsize=9
    )
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
        label="total (loss of BMD)",
    )  # fmt: skip
    axis.axhline(0.0, color=palette.INK, linewidth=0.8)
    axis.set_xticks(place, [f"day {day}" for day in wide.index])
    axis.spines[["top", "right"]].set_visible(False)
