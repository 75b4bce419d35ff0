"""A prescription in one picture: testosterone, estradiol, LH and drugs, with every dose marked.

Left: the whole course, each day from trough to peak. Right: four weeks at the end of the first
treated period, which show the swing between doses.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from bonesim.endocrine.formulary import Doses, doses_of
from bonesim.reports.blood import Prescribed, by_day
from bonesim.units import DAYS_PER_YEAR
from bonesim.viewer import palette
from bonesim.viewer.picture import Drawing
from bonesim.viewer.print_size import TWO_COLUMNS_MM, at_print_size, lettered, print_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Days over which the left side is averaged.
WEEK = 7
#: Days of the close view.
CLOSE_DAYS = 28.0
#: Height of the figure, mm; a line of a legend, points.
HEIGHT_MM, LINE_POINTS = 165.0, 9.5
#: A legend above the axes, below their title: no curve passes through it.
ABOVE: dict[str, Any] = {
    "handlelength": 1.6, "handletextpad": 0.4, "columnspacing": 1.0, "frameon": False,
    "loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.1, "borderpad": 0.1,
    "labelspacing": 0.25,
}  # fmt: skip
PANELS = (
    ("t_ng_per_dl", "testosterone (ng/dL)", palette.TESTOSTERONE),
    ("e2_pg_per_ml", "estradiol (pg/mL)", palette.E2),
    ("lh_iu_per_l", "LH (IU/L)", palette.LH),
)


@at_print_size
def draw(prescribed: Prescribed) -> Drawing:
    """The blood of a prescription as a figure."""
    figure = print_figure(TWO_COLUMNS_MM, HEIGHT_MM)
    axes = figure.subplots(4, 2, width_ratios=(2.4, 1), sharex="col")
    doses = doses_of(
        prescribed.protocol, prescribed.config.hormones.drugs,
        prescribed.config.schedule.duration_day, prescribed.config.seed, 0,
    )  # fmt: skip
    _whole(list(axes[:, 0]), prescribed, doses)
    _close(list(axes[:, 1]), prescribed, doses)
    rows = [1, 1, 1, -(-len(prescribed.drugs()) // 2)]
    for letter, axis, title, lines in zip(
        "abcdefgh", axes.T.ravel(), _titles(prescribed), rows * 2, strict=True
    ):
        lettered(axis, letter, title, pad=4.0 + LINE_POINTS * lines)
    figure.suptitle(
        f"{prescribed.config.title}\nthin upright lines: a drug starts, changes or stops; "
        "right: four weeks, on scales of their own",
        x=0.01,
        ha="left",
    )
    return Drawing(figure, {})


def _titles(prescribed: Prescribed) -> list[str]:
    """Of the panels, the left ones first."""
    names = ["testosterone", "estradiol", "LH", "drugs"]
    begin = _close_begin(prescribed)
    return [*names, f"days {begin:g} to {begin + CLOSE_DAYS:g}", "", "", ""]


def _whole(axes: list["Axes"], prescribed: Prescribed, doses: Doses) -> None:
    daily = prescribed.daily()
    years = daily["day"].to_numpy(np.float64) / DAYS_PER_YEAR
    for axis, (name, label, colour) in zip(axes, PANELS, strict=False):
        week = daily.rolling(WEEK, min_periods=1, center=True)
        if f"{name}_p05" in daily:
            axis.fill_between(years, week[f"{name}_p05"].mean(), week[f"{name}_p95"].mean(),
                              color=colour, alpha=0.13, lw=0,
                              label=f"90 % of {prescribed.people} people")  # fmt: skip
        axis.fill_between(years, week[f"{name}_trough"].min(), week[f"{name}_peak"].max(),
                          color=colour, alpha=0.35, lw=0, label="trough to peak")  # fmt: skip
        axis.plot(
            years, week[f"{name}_mean"].mean(), color=colour, lw=1.2, label="mean of the week"
        )
        if name == "e2_pg_per_ml":
            axis.plot(years, week["e2_immunoassay_pg_per_ml_mean"].mean(), color=palette.INK, lw=1.0,
                      ls="--", label="by immunoassay")  # fmt: skip
        axis.set_ylabel(label)
        axis.set_ylim(0, 1.04 * axis.dataLim.ymax)
        axis.legend(ncols=4, **ABOVE)
    _drugs(axes[-1], prescribed, doses, DAYS_PER_YEAR)
    axes[-1].set_xlabel("years since day 0")
    _frame(axes, prescribed, DAYS_PER_YEAR)


def _close(axes: list["Axes"], prescribed: Prescribed, doses: Doses) -> None:
    begin = _close_begin(prescribed)
    day = prescribed.blood.day
    near = (day >= begin) & (day <= begin + CLOSE_DAYS)
    for axis, (name, _, colour) in zip(axes, PANELS, strict=False):
        axis.plot(day[near], prescribed.levels[name][near], color=colour, lw=1.2)
        axis.set_ylim(bottom=0)
    _drugs(axes[-1], prescribed, doses, 1.0, begin, begin + CLOSE_DAYS)
    axes[-1].set_xlabel("day")
    _frame(axes, prescribed, 1.0)
    for axis in axes:
        axis.set_xlim(begin, begin + CLOSE_DAYS)


def _close_begin(prescribed: Prescribed) -> float:
    """Four weeks before the first change after day 0, or before the end."""
    marks = [
        mark for _, one in prescribed.protocol.courses() for mark in (one.start_day, one.stop_day)
        if mark is not None and mark >= CLOSE_DAYS
    ]  # fmt: skip
    last = float(prescribed.config.schedule.duration_day)
    return max(min([*marks, last]) - CLOSE_DAYS, float(prescribed.blood.day[0]))


def _drugs(
    axis: "Axes", prescribed: Prescribed, doses: Doses, unit_day: float,
    begin: float = -np.inf, end: float = np.inf,
) -> None:  # fmt: skip
    """Levels relative to each drug's highest, and a tick for every dose."""
    day = prescribed.blood.day
    near = (day >= begin) & (day <= end)
    for row, name in enumerate(prescribed.drugs()):
        levels: NDArray[np.float64] = prescribed.blood.drug_ng_per_ml.get(name, np.zeros(day.size))
        colour = palette.DRUGS[row % len(palette.DRUGS)]
        highest = max(float(levels.max()), 1e-12)
        label = f"{name.replace('_', ' ')} (1 = {highest:.3g} ng/mL)"
        if unit_day > 1:
            daily = by_day(levels) / highest
            low = minimum_filter1d(daily.min(1), WEEK)
            high = maximum_filter1d(daily.max(1), WEEK)
            axis.fill_between(prescribed.days() / unit_day, low, high, color=colour, alpha=0.5,
                              lw=0.5, label=label)  # fmt: skip
        else:
            axis.plot(day[near], levels[near] / highest, color=colour, lw=1.0)
        given = doses.day[
            (doses.drug == name) & ((doses.bolus_mg > 0) | (doses.release_mg_per_day > 0))
        ]
        given = given[(given >= begin) & (given <= end)]
        bottom = -0.1 - 0.12 * row
        axis.vlines(given / unit_day, bottom - 0.08, bottom, color=colour, lw=0.8)
    axis.set_ylabel("level (1 = highest);\nticks: doses")
    axis.set_yticks([0, 0.5, 1])
    if prescribed.drugs() and unit_day > 1:
        axis.set_ylim(top=1.05)
        axis.legend(ncols=2, **ABOVE)


def _frame(axes: list["Axes"], prescribed: Prescribed, unit_day: float) -> None:
    """Light frames, and a line at every change of the protocol."""
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0)
        for _, one in prescribed.protocol.courses():
            for mark in (one.start_day, one.stop_day):
                if mark is not None:
                    axis.axvline(mark / unit_day, color=palette.INK, lw=0.5, alpha=0.35)
    last = prescribed.blood.day[-1] / unit_day
    axes[0].set_xlim(prescribed.blood.day[0] / unit_day, last)
