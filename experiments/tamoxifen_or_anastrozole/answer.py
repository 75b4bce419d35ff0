"""Reads a finished sweep: what tamoxifen and anastrozole do to a woman's bone, and what after.

    bonesim sweep run sweep.toml -o women
    python answer.py women -o women.png

Nothing is simulated here.
"""

import pandas as pd
from matplotlib.figure import Figure

from bonesim.analysis import (
    K_DXA,
    difference_from_twin,
    in_markdown,
    since_start,
    summary,
    with_interval,
)
from bonesim.viewer import draw_lines, panels, table_and_figure

NOTHING = "nothing"
BY = ["own_e2", "arm", "day"]
#: Spine DXA since the start, percent: own estradiol, arm, day, published, source.
PUBLISHED = (
    (4.5, "anastrozole 1 mg/day", 730, -4.1, "ATAC (Eastell 2006)"),
    (4.5, "tamoxifen 20 mg/day", 730, 2.2, "ATAC (Eastell 2006)"),
    (4.5, NOTHING, 730, -0.8, "guide A8"),
    (80.0, "tamoxifen 20 mg/day", 365, -1.44, "Powles 1996, a year"),
)


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """Spine DXA since the start (`own_dxa_percent`) and against no drug (`dxa_percent`)."""
    own = since_start(results, ["own_e2", "arm"])
    own = own.rename(columns={"dxa_percent": "own_dxa_percent"})[
        ["own_e2", "arm", "seed", "day", "own_dxa_percent"]
    ]
    runs = difference_from_twin(results, "arm", NOTHING, ["own_e2"])
    return summary(runs.merge(own, on=["own_e2", "arm", "seed", "day"]), BY)


def words_of(table: pd.DataFrame) -> str:
    """The README's table."""
    days = [day for day in table.index.unique("day") if day > 0]
    known = {
        (e2, arm): f"{value:+g} on day {day:g}, {who}" for e2, arm, day, value, who in PUBLISHED
    }
    rows = []
    for e2, arm in table.index.droplevel("day").unique():
        own, against = (table.loc[(e2, arm)][name] for name in ("own_dxa_percent", "dxa_percent"))
        rows.append(
            {"own estradiol, pg/mL": f"{e2:g}", "drug for two years": arm}
            | {f"day {day:g}": with_interval(*own.loc[day, ["mean", "ci"]]) for day in days}
            | {f"day {day:g}, against nothing": with_interval(*against.loc[day, ["mean", "ci"]])
               for day in days[1:] if arm != NOTHING}
            | {"published": known.get((e2, arm), "")}
        )  # fmt: skip
    order = [name for name in max(rows, key=len) if name != "own estradiol, pg/mL"]
    frame = pd.DataFrame(rows).set_index("own estradiol, pg/mL")[order].fillna("")
    return "spine DXA, %\n\n" + in_markdown(frame)


def draw(table: pd.DataFrame) -> Figure:
    """Spine DXA since the start, an arm a line, a panel for each level of own estradiol."""
    women = list(table.index.unique("own_e2"))
    figure, axes = panels(len(women))
    arms = list(table.index.unique("arm"))
    for axis, e2 in zip(axes, women, strict=True):
        axis.sharey(axes[0])
        draw_lines(axis, table.xs(e2, level="own_e2"), "own_dxa_percent", "arm", "day", arms)
        for level, _, day, value, _ in PUBLISHED:
            if level == e2:
                axis.plot(day, value, "x", color="#888888", ms=8)
        axis.set_title(f"own estradiol {e2:g} pg/mL")
        axis.set_xlabel("day (drugs until 730); crosses: published")
        axis.set_ylabel(f"spine DXA since the start (%; k = {K_DXA:.2f})")
    return figure


if __name__ == "__main__":
    table_and_figure(__doc__, "women.png", table_of, words_of, draw)
