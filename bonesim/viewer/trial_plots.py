"""The figure of a simulated trial with the published results, made from its tables alone.

Left: change of the primary outcome against time by arm. Middle: P over repeated trials. Right:
estradiol by arm. The numbers are written beside it as CSV.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.units import DAYS_PER_YEAR
from bonesim.viewer import palette
from bonesim.viewer.picture import Drawing
from bonesim.viewer.print_size import TWO_COLUMNS_MM, at_print_size, lettered, print_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

DAYS_PER_MONTH = DAYS_PER_YEAR / 12.0
#: Colour and marker of each arm, the reference first.
MARKERS = "osD^vP*X"
#: Horizontal offset between points of two arms, so that both are visible, share of the whole time.
OFFSET = 0.012
#: Smaller P are drawn at this value.
MIN_P = 1e-12
#: Height of the panels, and of a line of the legends below them, mm.
PANEL_MM, LINE_MM = 66.0, 3.2
#: Lines of arms that lie on each other stay visible: each is thinner than the one before, points.
THINNEST, THINNER = 1.2, 1.0


@at_print_size
def draw(
    estimates: "pd.DataFrame", curves: "pd.DataFrame", repeats: "pd.DataFrame", arms: list[str],
    title: str,
) -> Drawing:  # fmt: skip
    """A trial as a figure, and its tables as `_curves.csv` and `_repeats.csv`.

    Args:
        estimates, curves, repeats: tables of a trial (`bonesim.trials.compare.Comparison`); the
            first quantity in `estimates` is the primary one.
        arms: the reference first.
        title: title of the figure.
    """
    figure = print_figure(TWO_COLUMNS_MM, PANEL_MM + LINE_MM * (3 * len(arms) + 1))
    change, chance, blood = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
    primary = estimates.iloc[0]
    _changes(change, curves[curves["quantity"] == primary["quantity"]], arms, primary)
    _chances(chance, repeats, estimates)
    _estradiol(blood, curves, arms)
    n = int(curves.loc[curves["source"] == "twin", "n"].max())
    titles = (
        f"change, n = {n} in each arm",
        f"P of {repeats['repeat'].nunique()} trials",
        "estradiol",
    )
    for axis, letter, words in zip((change, chance, blood), "abc", titles, strict=True):
        axis.spines[["top", "right"]].set_visible(False)
        lettered(axis, letter, words)
        # Below the axes: curves and intervals may be anywhere within them.
        if axis.get_legend_handles_labels()[0]:
            axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.0, -0.16))
    figure.suptitle(title, x=0.01, ha="left")
    return Drawing(
        figure,
        {"_curves.csv": curves.to_csv(index=False), "_repeats.csv": repeats.to_csv(index=False)},
    )


def _look(arms: list[str], arm: str) -> tuple[str, str]:
    """Colour and marker of an arm."""
    place = arms.index(arm)
    colours = (palette.INK, *palette.DRUGS)
    return colours[place % len(colours)], MARKERS[place % len(MARKERS)]


def _changes(axis: "Axes", curves: "pd.DataFrame", arms: list[str], primary: "pd.Series") -> None:
    """Mean change with its 95 % interval by arm, and the published values."""
    axis.axhline(0.0, color=palette.INK, lw=0.6)
    step = OFFSET * float(curves["day"].max()) / DAYS_PER_MONTH
    for place, arm in enumerate(arms):
        colour, marker = _look(arms, arm)
        mine = _by_source(curves, arm)
        _line(axis, mine["twin"], colour, f"{arm}: cohort", width=_width(arms, arm))
        sampled = mine["independent"][mine["independent"]["day"] > 0]
        months = sampled["day"].to_numpy(float) / DAYS_PER_MONTH + (2 * place - 1) * step
        _bars(axis, sampled, months, color=colour, fmt=marker, ms=3, alpha=0.55,
              label=f"{arm}: one trial, with noise")  # fmt: skip
        if "published" in mine:
            known = mine["published"]
            months = known["day"].to_numpy(float) / DAYS_PER_MONTH + (2 * place - 1) * step / 2
            _bars(axis, known, months, color=colour, fmt=marker, ms=6, mfc="white", mew=1.2,
                  elinewidth=1.4, label=f"{arm}: published")  # fmt: skip
    k = f", k = {primary['k_dxa']:.2f}" if np.isfinite(primary["k_dxa"]) else ""
    axis.set_xlabel("months")
    axis.set_ylabel(f"{primary['what']}: change, %{k}\nmean, 95 % CI")


def _by_source(curves: "pd.DataFrame", arm: str) -> "dict[Any, pd.DataFrame]":
    """An arm's rows: of the cohort, of one trial, published."""
    return dict(iter(curves[curves["arm"] == arm].groupby("source")))


def _width(arms: list[str], arm: str) -> float:
    """Width of an arm's line."""
    return THINNEST + THINNER * (len(arms) - 1 - arms.index(arm))


def _line(
    axis: "Axes", rows: "pd.DataFrame", colour: str, label: str, style: str = "-", width: float = THINNEST
) -> None:  # fmt: skip
    months = rows["day"].to_numpy(float) / DAYS_PER_MONTH
    axis.plot(months, rows["mean"], style, color=colour, label=label, lw=width)
    axis.fill_between(months, rows["low"].astype(float), rows["high"].astype(float), color=colour,
                      alpha=0.18, lw=0)  # fmt: skip


def _bars(axis: "Axes", rows: "pd.DataFrame", months: "NDArray[np.float64]", **look: Any) -> None:
    """Points with their intervals, if they have one."""
    mean = rows["mean"].to_numpy(float)
    ends = [rows[name].to_numpy(float) for name in ("low", "high")]
    reach = np.array([np.abs(end - mean) for end in ends])
    axis.errorbar(months, mean, yerr=reach, capsize=2, **look)


def _chances(axis: "Axes", repeats: "pd.DataFrame", estimates: "pd.DataFrame") -> None:
    """P over repeated trials, with the published one."""
    bins = [float(edge) for edge in np.linspace(np.log10(MIN_P), 0.0, 49)]
    for place, (name, rows) in enumerate(repeats.groupby("comparison", sort=False)):
        p = rows["p"].dropna().clip(lower=MIN_P)
        colour = palette.DRUGS[place % len(palette.DRUGS)]
        axis.hist(np.log10(p), bins=bins, color=colour, alpha=0.5, label=f"{name}")
        for quantile in np.quantile(p, (0.05, 0.95)) if len(p) else ():
            axis.axvline(np.log10(quantile), color=colour, ls=":", lw=1.2)
        known = estimates[(estimates["arm"] == name) & (estimates["estimate"] == "repeated")]
        known = known[known["quantity"] == estimates.iloc[0]["quantity"]]
        if "published_p" in known and known["published_p"].notna().any():
            value = float(known["published_p"].dropna().iloc[-1])
            axis.axvline(np.log10(value), color=palette.INK, lw=1.6, label=f"published, {value:g}")
    ticks = np.arange(np.log10(MIN_P), 1, 3)
    axis.set_xticks(ticks, [f"$10^{{{tick:.0f}}}$" for tick in ticks])
    axis.set_xlabel("P (log; dotted: 5th, 95th percentile)")
    axis.set_ylabel("trials in a bin")


def _estradiol(axis: "Axes", curves: "pd.DataFrame", arms: list[str]) -> None:
    """Estradiol by arm: true, and by immunoassay if it is reported."""
    for name, style, words in (("e2_pg_per_ml", "-", "true"),
                               ("e2_immunoassay_pg_per_ml", "--", "immunoassay")):  # fmt: skip
        rows = curves[curves["quantity"] == name]
        for arm in arms:
            colour, marker = _look(arms, arm)
            mine = _by_source(rows, arm)
            if "twin" in mine:
                _line(axis, mine["twin"], colour, f"{arm}, {words}", style, _width(arms, arm))
            if "published" in mine:
                known = mine["published"]
                months = known["day"].to_numpy(float) / DAYS_PER_MONTH
                _bars(axis, known, months, color=colour, fmt=marker, ms=5, mfc="white", mew=1.2,
                      label=f"{arm}, {words}, published")  # fmt: skip
    axis.set_ylim(bottom=0)
    axis.set_xlabel("months")
    axis.set_ylabel("estradiol, pg/mL; mean, 95 % CI")
