"""Reads a finished sweep: which dose of anastrozole on testosterone is enough, and what it costs.

    bonesim sweep run sweep.toml -o doses
    python answer.py doses -o doses.png

Enough is a mean estradiol of 20 to 30 pg/mL, the range of healthy men by mass spectrometry (older
20-25, young 24-30: guide E). The cost is what spine DXA has lost
against the same man on testosterone alone. Nothing is simulated here.
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
from bonesim.viewer import draw_lines, palette, panels, table_and_figure

NONE = "testosterone alone"
#: Healthy men by mass spectrometry, pg/mL.
LOWEST, HIGHEST = 20.0, 30.0
SCHEDULES = {2: "twice weekly", 7: "daily"}
BY = ["schedule", "mg_per_week", "arm"]


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """Estradiol and change of spine DXA by the end, a row for each arm.

    `dxa_percent` is against testosterone alone, `own_dxa_percent` against the own start.
    """
    arms = results.assign(
        mg_per_week=results["dose_mg"] * results["times_per_week"] * (1 - results["missed_share"]),
        schedule=results["times_per_week"].map(SCHEDULES).mask(results["arm"] == NONE, "none"),
    )
    keys = arms.drop_duplicates("arm").set_index("arm")[["schedule", "mg_per_week"]]
    last = arms["day"].max()
    runs = difference_from_twin(arms, "arm", NONE).merge(
        arms[["arm", "seed", "day", "e2_mean_pg_per_ml"]], on=["arm", "seed", "day"]
    )
    own = since_start(arms, ["arm"]).rename(columns={"dxa_percent": "own_dxa_percent"})
    runs = runs.merge(own[["arm", "seed", "day", "own_dxa_percent"]], on=["arm", "seed", "day"])
    ends = runs[runs["day"] == last].join(keys, on="arm")
    names = ["e2_mean_pg_per_ml", "dxa_percent", "bone_percent", "own_dxa_percent"]
    return summary(ends, BY, names).sort_index(level=["schedule", "mg_per_week"])


def enough(table: pd.DataFrame) -> pd.Series:
    """The lowest weekly milligrams of each schedule whose estradiol is in range; it may lack some."""
    e2 = table[("e2_mean_pg_per_ml", "mean")].drop(index="none", level="schedule")
    within = e2[e2.between(LOWEST, HIGHEST)].reset_index()
    return within.groupby("schedule")["mg_per_week"].min()


def words_of(table: pd.DataFrame) -> str:
    """The README's table, and the lowest dose that is enough."""
    rows = pd.DataFrame({
        "mg a week": table.index.get_level_values("mg_per_week"),
        "estradiol, pg/mL": table[("e2_mean_pg_per_ml", "mean")].map("{:.1f}".format).to_numpy(),
        **{
            heading: [with_interval(*pair) for pair in table[name][["mean", "ci"]].to_numpy()]
            for name, heading in (
                ("dxa_percent", "spine DXA against testosterone alone, %"),
                ("bone_percent", "BV/TV against it, %"),
                ("own_dxa_percent", "spine DXA against the own start, %"),
            )
        },
    }, index=table.index.get_level_values("arm"))  # fmt: skip
    lowest = enough(table)
    dose_of = {
        schedule: f"{lowest[schedule]:g} mg a week" if schedule in lowest else "none of these doses"
        for schedule in SCHEDULES.values()
    }
    found = "; ".join(f"{schedule}: {dose}" for schedule, dose in dose_of.items())
    return f"{in_markdown(rows)}\n\nlowest with {LOWEST:g} to {HIGHEST:g} pg/mL: {found}"


def draw(table: pd.DataFrame) -> Figure:
    """Estradiol and its cost against milligrams a week, a line for each schedule."""
    figure, axes = panels(2)
    treated = table.drop(index="none", level="schedule")
    without = table.xs("none", level="schedule").iloc[0]
    for axis, name in zip(axes, ("e2_mean_pg_per_ml", "dxa_percent"), strict=True):
        draw_lines(axis, treated, name, "schedule", "mg_per_week")
        axis.set_xlabel("anastrozole, mg a week")
    axes[0].axhspan(LOWEST, HIGHEST, color=palette.SUPPRESSION, zorder=0)
    alone = without[("e2_mean_pg_per_ml", "mean")]
    axes[0].axhline(alone, color=palette.INK, lw=0.8)
    axes[0].set_ylim(top=1.3 * alone)  # room for the legend above the line
    axes[0].set_ylabel("mean estradiol (pg/mL)\nline: testosterone alone; shade: healthy men")
    axes[1].set_ylabel(f"spine DXA after a year, against\ntestosterone alone (%; k = {K_DXA:.2f})")
    return figure


if __name__ == "__main__":
    table_and_figure(__doc__, "doses.png", table_of, words_of, draw)
