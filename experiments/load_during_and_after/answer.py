"""Reads a finished sweep: what do disuse and training do during a year of suppression, and after?

    bonesim sweep run sweep.toml -o loads
    python answer.py loads -o loads.png

Everything is compared with the same man without anastrozole at his habitual load. Nothing is
simulated here.
"""

import pandas as pd
from matplotlib.figure import Figure

from bonesim.analysis import (
    K_DXA,
    difference_from_twin,
    in_markdown,
    regained,
    summary,
    with_interval,
)
from bonesim.viewer import draw_lines, panels, table_and_figure

DRUG = {0: "anastrozole for a year", 1: "never suppressed"}
BY = ["drug", "during", "after"]
USUAL = f"{DRUG[1]}, 100 then 100 %"


def runs_of(results: pd.DataFrame) -> pd.DataFrame:
    """Percent apart from the man who is neither suppressed nor loaded otherwise."""
    arms = results.assign(drug=results["missed_share"].map(DRUG))
    arms["arm"] = [f"{d}, {b} then {a} %" for d, b, a in arms[BY].itertuples(index=False)]
    runs = difference_from_twin(arms, "arm", USUAL)
    return runs.merge(arms.drop_duplicates("arm")[["arm", *BY]], on="arm")


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """Changes by drug, load during, load after and day; `regained_percent` of bone on the last.

    Arms that differ only after the drug are one and the same until it stops.
    """
    runs = runs_of(results)
    _, stop, last = sorted(runs["day"].unique())
    table = summary(runs, [*BY, "day"])
    back = regained(runs[runs["drug"] == DRUG[0]], BY, stop, last)
    back.columns = pd.MultiIndex.from_product([["regained_percent"], back.columns])
    back = pd.concat({last: back}, names=["day"]).reorder_levels([*BY, "day"])
    return table.join(back)


def words_of(table: pd.DataFrame) -> str:
    """The README's table: lost when the drug stops, and a year later by the load then."""
    _, stop, last = sorted(table.index.unique("day"))
    dxa, back = table["dxa_percent"], table["regained_percent"]
    rows = []
    for drug, during in table.index.droplevel(["after", "day"]).unique():
        ends = dxa.xs((drug, during), level=("drug", "during"))
        afters = list(ends.index.unique("after"))
        row = {"": drug, "load, %": f"{during:g}",
               f"day {stop:g}": with_interval(*ends.loc[(afters[0], stop), ["mean", "ci"]])}  # fmt: skip
        for after in table.index.unique("after"):
            cell = ""
            if after in afters:
                cell = with_interval(*ends.loc[(after, last), ["mean", "ci"]])
                share = with_interval(*back.loc[(drug, during, after, last), ["mean", "ci"]], ".0f")
                cell += f" ({share} % of the bone back)" if share else ""
            row[f"day {last:g}, then {after:g} %"] = cell
        rows.append(row)
    return "spine DXA, %\n\n" + in_markdown(pd.DataFrame(rows).set_index(""))


def _lines(rows: pd.DataFrame, form: str) -> pd.DataFrame:
    """The rows with one level of text, `form` with drug, during and after filled in, before day."""
    places = rows.index.to_frame(index=False)
    lines = [form.format(**place) for place in places.to_dict("records")]
    return rows.set_axis(
        pd.MultiIndex.from_arrays([lines, places["day"]], names=["line", "day"]), axis="index"
    )


def draw(table: pd.DataFrame) -> Figure:
    """Spine DXA against day: one load for both years; another one when the drug stops."""
    figure, axes = panels(2)
    form = "{drug}, {during:g} then {after:g} %"
    # What everything is compared with is the line at zero.
    same = _lines(
        table.query(f"during == after and not (drug == '{DRUG[1]}' and during == 100)"), form
    )
    changed = _lines(
        table.query(f"drug == '{DRUG[0]}' and (during == 100 or during == 50 and after == 100)"),
        form,
    )
    arms = [*dict.fromkeys([*same.index.unique("line"), *changed.index.unique("line")])]
    draw_lines(axes[0], same, "dxa_percent", "line", "day", arms)
    draw_lines(axes[1], changed, "dxa_percent", "line", "day", arms)
    axes[1].sharey(axes[0])
    for axis, title in zip(axes, ("the same load in both years", DRUG[0]), strict=True):
        axis.set_title(title)
        axis.set_xlabel("day")
        axis.set_ylabel(f"spine DXA against\nno drug, habitual load (%; k = {K_DXA:.2f})")
    return figure


if __name__ == "__main__":
    table_and_figure(__doc__, "loads.png", table_of, words_of, draw)
