"""Reads a finished sweep: does it matter how old a man is, and with how much bone he starts?

    bonesim sweep run sweep.toml -o ages
    python answer.py ages -o ages.png

Everything is compared with the same man, bone and random numbers without anastrozole. Nothing is simulated
here.
"""

import pandas as pd
from matplotlib.figure import Figure

from bonesim.analysis import (
    BONE,
    K_DXA,
    difference_from_twin,
    in_markdown,
    regained,
    summary,
    with_interval,
)
from bonesim.viewer import draw_lines, panels, table_and_figure

BONES = {"elderly_vertebra": "little bone", "young_vertebra": "much bone"}
BY = ["bone", "age_year"]
MEASURES = {**BONE, "stiffness_percent": "apparent_modulus_z_mpa"}
#: What is printed: column here -> heading, form.
HEADINGS = {
    "start_bvtv_percent": ("BV/TV at the start, %", ".1f"),
    "bone_percent": ("BV/TV lost in a year, %", "+.1f"),
    "dxa_percent": ("spine DXA, %", "+.1f"),
    "stiffness_percent": ("stiffness along z, %", "+.1f"),
    "regained_percent": ("of the bone back a year later, %", ".0f"),
    "younger_dxa_percent": ("spine DXA against the youngest, %", "+.1f"),
}


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """What a year of the drug takes beyond none, and what is back a year later; by bone and age."""
    arms = results.assign(bone=results["preset"].map(BONES))
    runs = difference_from_twin(arms, "missed_share", 1, BY, MEASURES)
    runs = runs[runs["missed_share"] == 0]
    _, stop, last = sorted(runs["day"].unique())
    ends = runs[runs["day"] == stop].merge(
        arms[arms["day"] == 0].rename(columns={"bvtv_percent": "start_bvtv_percent"})[
            [*BY, "seed", "missed_share", "start_bvtv_percent"]
        ],
        on=[*BY, "seed", "missed_share"],
    )
    # Ages are compared on the same bone and random numbers.
    youngest = ends[ends["age_year"] == ends["age_year"].min()].set_index(["bone", "seed"])
    ends = ends.join(youngest["dxa_percent"].rename("of_youngest"), on=["bone", "seed"])
    ends["younger_dxa_percent"] = ends["dxa_percent"] - ends["of_youngest"]
    table = summary(ends, BY)
    back = regained(runs, BY, stop, last)
    back.columns = pd.MultiIndex.from_product([["regained_percent"], back.columns])
    return table.join(back).sort_index()


def words_of(table: pd.DataFrame) -> str:
    """The README's table."""
    return in_markdown(pd.DataFrame({
        heading: [with_interval(*pair, form) for pair in table[name][["mean", "ci"]].to_numpy()]
        for name, (heading, form) in HEADINGS.items()
    }, index=table.index))  # fmt: skip


def draw(table: pd.DataFrame) -> Figure:
    """Loss and recovery against age, a line for each kind of bone."""
    figure, axes = panels(2)
    labels = (f"spine DXA after a year of anastrozole,\nagainst none (%; k = {K_DXA:.2f})",
              "share of the lost bone volume\nthat is back a year later (%)")  # fmt: skip
    names = ("dxa_percent", "regained_percent")
    for axis, name, label in zip(axes, names, labels, strict=True):
        draw_lines(axis, table, name, "bone", "age_year")
        axis.set_xlabel("age (years)")
        axis.set_ylabel(label)
    return figure


if __name__ == "__main__":
    table_and_figure(__doc__, "ages.png", table_of, words_of, draw)
