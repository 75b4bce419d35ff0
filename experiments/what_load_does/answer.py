"""Reads a finished sweep: what load does to bone, against the twin of habitual load.

    bonesim sweep run configs/sweep_load.toml -o load
    python answer.py load -o load.png

Every difference is between two runs of the same bone, seed and day. Spine DXA is k = 0.50 times
the change of trabecular mineral (guide R1). Nothing is simulated here.
"""

import pandas as pd
from matplotlib.figure import Figure

from bonesim.analysis import K_DXA, difference_from_twin, in_markdown, summary, with_interval
from bonesim.viewer import draw_lines, palette, panels, table_and_figure

USUAL = "usual"
#: Published ranges of the change of spine DXA, percent: arm, day, from, to.
PUBLISHED = (("disuse 50 % for 17 weeks", 119, -6.0, -1.5), ("training 120 %", 244, 0.5, 4.0))


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """Percent apart from the twin of habitual load, by arm and day."""
    runs = difference_from_twin(results, "arm", USUAL)
    return summary(runs[(runs["arm"] != USUAL) & (runs["day"] > 0)], ["arm", "day"])


def words_of(table: pd.DataFrame) -> str:
    """Spine DXA, a row for each arm."""
    dxa = table["dxa_percent"]
    cells = dxa.apply(lambda one: with_interval(one["mean"], one["ci"]), axis=1).unstack(
        "day", sort=False
    )
    return in_markdown(cells.rename(columns=lambda day: f"day {day:.0f}"))


def draw(table: pd.DataFrame) -> Figure:
    """Change of spine DXA against day, an arm a line; bars are what was published."""
    figure, (axis,) = panels(1, 7.5, 4.2)
    draw_lines(axis, table, "dxa_percent", "arm", "day")
    arms = list(table.index.unique("arm"))
    for arm, day, low, high in PUBLISHED:
        if arm in arms:
            colour = palette.DRUGS[arms.index(arm)]
            axis.plot([day - 8] * 2, [low, high], color=colour, lw=6, alpha=0.3)
    axis.set_xlabel("day")
    axis.set_ylabel(f"spine DXA against habitual load (%; k = {K_DXA:.2f})")
    return figure


if __name__ == "__main__":
    table_and_figure(__doc__, "load.png", table_of, words_of, draw)
