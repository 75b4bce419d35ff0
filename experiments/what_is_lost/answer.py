"""Reads a finished sweep: what a loss under suppression is made of, by how long it has lasted.

    bonesim sweep run sweep.toml -o lost
    python answer.py lost -o lost.png

Each part is that of the suppressed bone less that of its healthy twin, so what health does by
itself is not in it. Parts add up to the whole in every run (`bonesim decompose`). Nothing is
simulated here.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bonesim.analysis import in_markdown, ratio_and_ci, summary, with_interval
from bonesim.loss import PARTS
from bonesim.viewer import palette, panels, stack_parts, table_and_figure

HEALTHY = 25.0
#: What comes back without new structure.
AT_ONCE = ("open_space", "mineral_lag")
WHOLE = "loss_total_percent"
NAMES = {f"loss_{part}_percent": words for part, words in PARTS.items()}


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """Percent of the mineral of day 0 lost beyond the twin, in all and by part, for each day."""
    columns = [WHOLE, *NAMES]
    wide = results[results["day"] > 0].set_index(["e2", "seed", "day"])[columns]
    suppressed = wide.xs(wide.index.levels[0].min(), level="e2")
    beyond = (suppressed - wide.xs(HEALTHY, level="e2")).reset_index()
    table = summary(beyond, ["day"], columns)
    back = beyond.assign(back=beyond[[f"loss_{part}_percent" for part in AT_ONCE]].sum(axis=1))
    share = {day: ratio_and_ci(one["back"], one[WHOLE]) for day, one in back.groupby("day")}
    for of in ("mean", "ci", "n"):
        table[("at_once_percent", of)] = pd.Series({day: one[of] for day, one in share.items()})
    return table


def words_of(table: pd.DataFrame) -> str:
    """The README's table."""
    rows = []
    for day, one in table.iterrows():
        row = {"day": day, "in all": with_interval(one[(WHOLE, "mean")], one[(WHOLE, "ci")], ".1f")}
        row |= {
            words: with_interval(one[(n, "mean")], one[(n, "ci")], ".2f")
            for n, words in NAMES.items()
        }
        back = one["at_once_percent"]
        rows.append(
            row
            | {"space and mineral, of all": with_interval(back["mean"], back["ci"], ".0f") + " %"}
        )
    return "lost beyond the healthy twin, % of the mineral of day 0\n\n" + in_markdown(
        pd.DataFrame(rows).set_index("day")
    )


def draw(table: pd.DataFrame) -> Figure:
    """Parts stacked, in percent of the mineral of day 0, by day."""
    figure, (axis,) = panels(1, width=7.0, height=4.4)
    place = np.arange(len(table))
    stack_parts(axis, {
        part: table[(f"loss_{part}_percent", "mean")].to_numpy(float) for part in PARTS
    })  # fmt: skip
    whole = table[WHOLE]
    axis.errorbar(place, whole["mean"], yerr=whole["ci"], color=palette.INK, marker="D", ms=4,
                  ls="", capsize=3, label=f"in all, 95 % CI, n = {whole['n'].min():.0f}")  # fmt: skip
    axis.set_xticks(place, [f"{day / 365.25:.2g} y" for day in table.index])
    axis.set_xlabel("under suppression, E2 25 -> 7 pg/mL")
    axis.set_ylabel("lost beyond the healthy twin (% of mineral of day 0)")
    axis.axhline(0.0, color=palette.INK, lw=0.8)
    axis.legend(frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    table_and_figure(__doc__, "lost.png", table_of, words_of, draw)
