"""Reads a finished sweep: do calcium and vitamin D protect bone, with and without anastrozole?

    bonesim sweep run sweep.toml -o supplements
    python answer.py supplements -o supplements.png

A supplement is compared with the same man without it; what it prevents, with the loss of the
man who takes anastrozole and no supplement. Nothing is simulated here.
"""

import pandas as pd
from matplotlib.figure import Figure

from bonesim.analysis import K_DXA, difference_from_twin, in_markdown, summary, with_interval
from bonesim.viewer import draw_lines, panels, table_and_figure

NEITHER = "neither"
DRUG = {0: "anastrozole", 1: "no drug"}
#: Change of spine DXA by a calcium supplement: 51 trials (guide A11), percent.
PUBLISHED = (0.5, 2.0)


def arms_of(results: pd.DataFrame) -> pd.DataFrame:
    """The results with drug and supplement in words."""
    calcium, vitamin_d = (results[name] > results[name].min() for name in ("calcium", "vitamin_d"))
    supplement = calcium.map({True: "calcium", False: NEITHER})
    supplement = supplement.mask(vitamin_d, "vitamin D").mask(calcium & vitamin_d, "both")
    return results.assign(drug=results["missed_share"].map(DRUG), supplement=supplement)


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """Spine DXA against no supplement, by drug, supplement and day.

    Rows of the supplement "neither" are against no drug either: what the drug alone costs.
    `later_dxa_percent` is the change since the snapshot before.
    """
    arms = arms_of(results)
    gained = difference_from_twin(arms, "supplement", NEITHER, ["drug"])
    cost = difference_from_twin(
        arms[arms["supplement"] == NEITHER], "drug", DRUG[1], ["supplement"]
    )
    runs = pd.concat([gained[gained["supplement"] != NEITHER], cost])
    runs = runs.sort_values("day", kind="stable", ignore_index=True)
    each = runs.groupby(["drug", "supplement", "seed"])["dxa_percent"]
    runs["later_dxa_percent"] = runs["dxa_percent"] - each.shift()
    return summary(runs, ["drug", "supplement", "day"])


def words_of(table: pd.DataFrame) -> str:
    """The README's table: a supplement's gain in the first year and in the years after."""
    days = [day for day in table.index.unique("day") if day > 0]
    rows = []
    for drug, supplement in table.index.droplevel("day").unique():
        if (drug, supplement) == (DRUG[1], NEITHER):
            continue  # 0 by definition
        one = table.loc[(drug, supplement)]
        what = "cost of the drug" if supplement == NEITHER else supplement
        rows.append({"drug": drug, "supplement": what} | {
            f"until day {day:g}": with_interval(*one["later_dxa_percent"].loc[day, ["mean", "ci"]], "+.2f")
            for day in days
        } | {"in all": with_interval(*one["dxa_percent"].loc[days[-1], ["mean", "ci"]], "+.2f")})  # fmt: skip
    return "spine DXA, %\n\n" + in_markdown(pd.DataFrame(rows).set_index("drug"))


def draw(table: pd.DataFrame) -> Figure:
    """Gain by each supplement against day, with anastrozole and without."""
    figure, axes = panels(2)
    for axis, drug in zip(axes, DRUG.values(), strict=True):
        axis.sharey(axes[0])
        gains = table.xs(drug, level="drug").drop(index=NEITHER, level="supplement")
        draw_lines(axis, gains, "dxa_percent", "supplement", "day")
        last = table.index.unique("day").max()
        axis.plot([1.03 * last] * 2, PUBLISHED, color="#888888", lw=6, alpha=0.4)
        axis.set_title(drug)
        axis.set_xlabel("day (grey: calcium in 51 trials)")
        axis.set_ylabel(f"spine DXA against\nno supplement (%; k = {K_DXA:.2f})")
    return figure


if __name__ == "__main__":
    table_and_figure(__doc__, "supplements.png", table_of, words_of, draw)
