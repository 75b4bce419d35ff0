"""The picture of an ensemble: median and 90 % band of each quantity against time, and the spread's parts."""

from typing import TYPE_CHECKING

import numpy as np

from bonesim.analysis.bands import MEMBER, QUANTITIES, bands, differences
from bonesim.errors import InputError
from bonesim.units import DAYS_PER_YEAR
from bonesim.viewer import palette
from bonesim.viewer.picture import Drawing
from bonesim.viewer.print_size import TWO_COLUMNS_MM, at_print_size, lettered, print_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Parts of the spread: column of the table -> (name, colour, hatching).
PARTS = {
    "share_parameters": ("parameters", palette.THICKNESS, ""),
    "share_bones": ("bones", palette.BMD, "///"),
    "share_chance": ("chance", "#BBBBBB", "..."),
}
#: Panels side by side; height of a row, and of the legend, mm.
ACROSS = 4
ROW_MM, LEGEND_MM = 45.0, 8.0


@at_print_size
def draw(results: "pd.DataFrame") -> Drawing:
    """Each quantity's difference from the untreated twin over members, and what its spread is of.

    Args:
        results: of an ensemble, see `analysis.bands.differences`.

    Raises:
        InputError: no member has a result after day 0.
    """
    table = bands(results)
    later = table[table["day"] > 0]
    if later.empty:
        raise InputError("no member has a result after day 0 yet; let it run on")
    names = [name for name in QUANTITIES if name in set(later["quantity"])]
    with_parts = bool(np.isfinite(later["share_parameters"]).any())
    panels = len(names) + with_parts
    down = -(-panels // ACROSS)
    figure = print_figure(TWO_COLUMNS_MM, ROW_MM * down + LEGEND_MM)
    axes = figure.subplots(down, min(panels, ACROSS), squeeze=False).ravel()
    found = differences(results)
    every = found[found["role"] == MEMBER]
    for letter, (axis, name) in enumerate(zip(axes, names, strict=False)):
        mine = table[table["quantity"] == name]
        years = mine["day"] / DAYS_PER_YEAR
        for _, one in every[every["quantity"] == name].groupby("number"):
            (member,) = axis.plot(one["day"] / DAYS_PER_YEAR, one["value"], color="#999999",
                                  lw=0.5, zorder=2.5)  # fmt: skip
        band = axis.fill_between(years, mine["low"], mine["high"], color=palette.THICKNESS,
                                 alpha=0.25, lw=0, zorder=2)  # fmt: skip
        (median,) = axis.plot(years, mine["median"], color=palette.THICKNESS, lw=1.4, marker="o",
                              ms=3, zorder=3)  # fmt: skip
        axis.axhline(0.0, color=palette.INK, lw=0.8, ls=":")
        lettered(axis, chr(97 + letter), f"{QUANTITIES[name]}, n = {int(mine['n'].max())}")
        axis.set_xlabel("years since day 0")
        axis.locator_params(axis="x", nbins=5)
        axis.set_ylabel("less the untreated twin,\n% of the twin's")
    if with_parts:
        _draw_parts(axes[len(names)], later, names, chr(97 + len(names)))
    for unused in axes[panels:]:
        unused.remove()
    figure.legend(
        [median, band, member], [
            "median", "5th to 95th percentile of the members",
            "a member of the posterior (straight between snapshots)",
        ],
        loc="outside lower center", ncols=3, frameon=False,
    )  # fmt: skip
    return Drawing(
        figure, {".csv": table.to_csv(index=False)},
        "Difference from the untreated twin against time: grey lines are members of the posterior, "
        "the line is their median, the band holds 90 % of them.",
    )  # fmt: skip


def _draw_parts(axis: "Axes", later: "pd.DataFrame", names: list[str], letter: str) -> None:
    """Bars: of what the spread on the last day is."""
    last = later[later["day"] == later["day"].max()].set_index("quantity").loc[names]
    left = np.zeros(len(names))
    for column, (name, colour, hatch) in PARTS.items():
        share = 100.0 * last[column].fillna(0.0).to_numpy()
        axis.barh(range(len(names)), share, left=left, color=colour, hatch=hatch, label=name,
                  edgecolor="white", height=0.7)  # fmt: skip
        left += share
    axis.set_yticks(range(len(names)), [QUANTITIES[name] for name in names])
    axis.invert_yaxis()
    axis.set_xlim(0, 100)
    axis.set_xlabel("share of the variance on the last day, %")
    lettered(axis, letter, "what the spread is of")
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=2, frameon=False)
