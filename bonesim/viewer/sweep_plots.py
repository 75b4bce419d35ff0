"""Pictures of a sweep, made from its results table alone, each with its numbers as CSV.

curves     one variable along x, one line for each value of a second; 95 % CI over seeds
heatmap    two variables, the mean over seeds in each field
sobol, morris    indices with their 95 % CI (SALib), for designs of that kind
pairs      every variable against the outcome, for sampled designs
"""

from string import ascii_lowercase
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.analysis.statistics import mean_and_ci, ratio_and_ci
from bonesim.errors import InputError
from bonesim.sweeps.arms import columns_of, is_paired, paired_differences
from bonesim.sweeps.design import DesignParameters
from bonesim.sweeps.extras import require
from bonesim.units import unit_of
from bonesim.viewer import palette
from bonesim.viewer.picture import Drawing
from bonesim.viewer.print_size import (
    ONE_COLUMN_MM,
    TWO_COLUMNS_MM,
    at_print_size,
    lettered,
    print_figure,
)

if TYPE_CHECKING:
    import pandas as pd

#: Bootstraps for the intervals of SALib's indices.
RESAMPLES = 200
#: Variables beside each other.
ACROSS = 4
#: Characters of a line of an axis' label.
LABEL = 38
KINDS = ("curves", "heatmap", "sobol", "morris", "pairs")


def outcome_of(results: "pd.DataFrame", outcome: str, moment: str) -> "pd.DataFrame":
    """One row per run: design columns, and the outcome as column `value`.

    For "regained", columns `lost` and `regained` too, so that seeds can be pooled.

    Args:
        results: a sweep's table.
        outcome: a column of it.
        moment: "end" (last snapshot), "start", "change" (end over start, percent), or "regained"
            (share of the loss from first to second snapshot that the last has back, percent).

    Raises:
        InputError: an unknown outcome or moment, or too few snapshots for it.
    """
    if results.empty:
        raise InputError("the sweep has no results yet; let it run on")
    if outcome not in results:
        numbers = [n for n in map(str, results) if n.endswith(("_percent", "_per_mm3", "_um"))]
        raise InputError(
            f"{outcome!r} is not known; among others {', '.join(numbers[:12])}",
            parameter="outcome",
        )
    runs = results.sort_values("snapshot").groupby("point")[outcome]
    first, last = runs.first(), runs.last()
    parts: dict[str, pd.Series] = {}
    if moment == "change":
        value = 100.0 * (last / first - 1.0)
    elif moment == "regained":
        if runs.size().min() < 3:
            raise InputError("'regained' needs three snapshots of every run", parameter="moment")
        second = runs.nth(1)
        second.index = results.loc[second.index, "point"]
        value = 100.0 * (last - second) / (first - second)
        parts = {"lost": first - second, "regained": last - second}
    elif moment in ("start", "end"):
        value = first if moment == "start" else last
    else:
        raise InputError(
            f"{moment!r} is not known; one of end, start, change, regained", parameter="moment"
        )
    runs_once = results.drop_duplicates(["point", "row", "replicate"]).copy()
    for name, part in {"value": value, **parts}.items():
        runs_once[name] = runs_once["point"].map(part)
    return runs_once


def by_field(runs: "pd.DataFrame", names: list[str]) -> "pd.DataFrame":
    """Mean, half width of the 95 % CI and number of runs for each combination of variables."""
    groups = runs.groupby(names)
    if "regained" in runs:
        return (
            groups[["regained", "lost"]]
            .apply(lambda group: ratio_and_ci(group["regained"], group["lost"]))
            .reset_index()
        )
    return groups["value"].apply(mean_and_ci).unstack().reset_index()


def default_kind(design: DesignParameters) -> str:
    """The picture that suits a design."""
    if design.kind in ("sobol", "morris"):
        return design.kind
    if design.kind == "latin_hypercube":
        return "pairs"
    return "heatmap" if len(design.variable) == 2 and design.kind == "grid" else "curves"


@at_print_size
def draw(
    results: "pd.DataFrame", design: DesignParameters, *, outcome: str, moment: str,
    kind: str | None = None, label: str = "", reference: Any = None,
) -> Drawing:  # fmt: skip
    """A sweep as a figure, and its numbers as CSV; if rows pair, also their differences as CSV.

    Args:
        results: a sweep's table.
        design: of its study.
        outcome, moment: as for `outcome_of`.
        kind: one of `KINDS`; what suits the design if None.
        label: of the outcome; made from outcome and moment if "".
        reference: as for `sweeps.arms.paired_differences`.

    Raises:
        InputError: an outcome, moment or kind that is unknown or does not suit the design; a reference
            for rows that do not pair, or that no run has.
    """
    runs = outcome_of(results, outcome, moment)
    kind = kind or default_kind(design)
    label = label or label_of(outcome, moment)
    makers = {"curves": _curves, "heatmap": _heatmap, "sobol": _indices, "morris": _indices,
              "pairs": _pairs}  # fmt: skip
    if kind not in makers:
        raise InputError(f"{kind!r} is not known; one of {', '.join(KINDS)}", parameter="kind")
    if kind in ("sobol", "morris") and design.kind != kind:
        raise InputError(
            f"{kind!r} indices need a design of that kind; it is {design.kind!r}", parameter="kind"
        )
    pairs = differences_of(runs, design, moment, reference)
    if kind == "curves" and pairs is not None:
        figure, numbers = _curves(runs, design, label, pairs, points(outcome, moment))
    else:
        figure, numbers = makers[kind](runs, design, label)
    beside = {".csv": numbers.to_csv(index=False)}
    if pairs is not None:
        beside["_paired.csv"] = pairs.to_csv(index=False)
    return Drawing(figure, beside)


def label_of(outcome: str, moment: str) -> str:
    """An outcome at a moment, with its unit."""
    unit = unit_of(outcome)
    bare = f"{outcome}{f' ({unit})' if unit else ''}"
    return {
        "change": f"{outcome}: change from first to last snapshot (%)",
        "regained": f"{outcome}: share of the loss that is regained (%)",
        "start": f"{bare}, first snapshot",
    }.get(moment, f"{bare}, last snapshot")


def points(outcome: str, moment: str) -> str:
    """The unit of a difference of two outcomes: of percentages, percentage points."""
    unit = "%" if moment == "change" else unit_of(outcome)
    return "percentage points" if unit == "%" else unit


def differences_of(
    runs: "pd.DataFrame", design: DesignParameters, moment: str, reference: Any = None
) -> "pd.DataFrame | None":
    """Differences of rows within replicates; None where rows do not pair.

    A share of a pooled loss ("regained") is no number of a single run, and has none.

    Raises:
        InputError: a reference where rows do not pair, or that no run has.
    """
    if moment == "regained" or not is_paired(runs, design):
        if reference is not None:
            raise InputError(
                "needs rows that pair: a grid, list or one_at_a_time of several replicates with common "
                "random numbers, and another moment than regained", parameter="reference",
            )  # fmt: skip
        return None
    return paired_differences(runs, design, reference)


def _runs(numbers: "pd.DataFrame", of: str) -> str:
    """Of how many a mean is, and what its bars are."""
    least, most = int(numbers["n"].min()), int(numbers["n"].max())
    n = f"n = {most}" if least == most else f"n = {least} to {most}"
    return f"mean of {n} {of}s, 95 % CI" if most > 1 else f"n = 1 {of}, no interval"


def _curves(
    runs: "pd.DataFrame", design: DesignParameters, label: str, pairs: "pd.DataFrame | None" = None,
    unit: str = "",
) -> Any:  # fmt: skip
    """Means against the first variable; with pairs, their differences from the reference beside."""
    names = columns_of(design, runs)
    x, hue = names[0], names[1:2]
    numbers = by_field(runs, [*hue, x])
    rows = 0 if pairs is None or design.kind == "grid" else len(pairs)
    figure = print_figure(
        ONE_COLUMN_MM if pairs is None else TWO_COLUMNS_MM, max(75.0, 25.0 + 7.5 * rows)
    )
    axes = figure.subplots(1, 1 if pairs is None else 2, squeeze=False)[0]
    ticks = list(dict.fromkeys(numbers[x])) if numbers[x].dtype.kind not in "iuf" else []
    _lines(axes[0], numbers, x, hue, ticks)
    if hue:
        _legend(axes[0], 2 if pairs is None else 4)
    axes[0].set_ylabel(f"{fill(label, LABEL)}\n{_runs(numbers, 'run')}")
    if pairs is not None:
        of = "its reference" if rows or pairs.empty else str(pairs["reference"].iloc[0])
        number = _runs(pairs, "seed-sharing pair") if len(pairs) else "no pairs"
        off = f"difference from {of}{f' ({unit})' if unit else ''}"
        less = f"{fill(off, LABEL)}\n{number}"
        if rows:
            _forest(axes[1], pairs, less)
        else:
            _lines(axes[1], pairs, x, hue, ticks, joined=False)
            axes[1].axhline(0.0, color=palette.INK, linewidth=0.8)
            # The reference differs from itself by nothing.
            known = pairs[x].unique()
            for place in (value for value in numbers[x].unique() if value not in known):
                axes[1].plot(
                    ticks.index(place) if ticks else place, 0.0, "o", color=palette.BACKGROUND,
                    markeredgecolor=palette.INK, markersize=4, zorder=3,
                )  # fmt: skip
            axes[1].set_xlim(axes[0].get_xlim())
            axes[1].set_ylabel(less)
        titles = ("each value", "paired differences")
        for axis, letter, title in zip(axes, "ab", titles, strict=True):
            lettered(axis, letter, title)
    return figure, numbers


def _forest(axis: Any, pairs: "pd.DataFrame", label: str) -> None:
    """A bar for each row, named by what it differs in."""
    place = np.arange(len(pairs))
    axis.errorbar(
        pairs["mean"], place, xerr=pairs["ci"].fillna(0.0), fmt="o", capsize=2, color=palette.DRUGS[0],
        linewidth=1.2, markersize=4,
    )  # fmt: skip
    axis.axvline(0.0, color=palette.INK, linewidth=0.8)
    whole = [f"{row['differs']}\nagainst {row['reference']}" for row in pairs.to_dict("records")]
    names = [_cut(name) for name in whole]
    axis.set_yticks(place, names)
    axis.set_ylim(len(pairs) - 0.5, -0.5)
    axis.set_xlabel(label)
    axis.spines[["top", "right"]].set_visible(False)


def _cut(name: str, longest: int = 84) -> str:
    return name if len(name) <= longest else f"{name[: longest - 3]}..."


def _lines(
    axis: Any, numbers: "pd.DataFrame", x: str, hue: list[str], ticks: list[Any], *, joined: bool = True
) -> None:  # fmt: skip
    """A line and bars, or bars alone, for each value of `hue`."""
    groups: Any = list(numbers.groupby(hue[0], sort=False)) if hue else [("", numbers)]
    values = numbers[x].map(ticks.index) if ticks else numbers[x].astype(float)
    ends = float(values.max() - values.min()) or 1.0
    for k, (name, group) in enumerate(groups):
        place = (group[x].map(ticks.index) if ticks else group[x]).astype(float)
        # Beside each other, so that bars of several lines can be read.
        place = place + 0.012 * ends * (k - (len(groups) - 1) / 2)
        axis.errorbar(
            place, group["mean"], yerr=group["ci"].fillna(0.0), fmt="o-" if joined and not ticks else "o",
            capsize=2, color=palette.DRUGS[k % len(palette.DRUGS)], linewidth=1.2, markersize=4,
            label=f"{hue[0]} = {_tick_labels([name])[0]}" if hue else None,
        )  # fmt: skip
    if ticks:
        axis.set_xticks(range(len(ticks)), _tick_labels(ticks))
    axis.set_xlabel(x)
    axis.spines[["top", "right"]].set_visible(False)


def _legend(axis: Any, columns: int = 2) -> None:
    """Below the panels, once: a line may be anywhere within them."""
    handles, labels = axis.get_legend_handles_labels()
    axis.figure.legend(handles, labels, frameon=False, loc="outside lower center", ncols=columns)


def _heatmap(runs: "pd.DataFrame", design: DesignParameters, label: str) -> Any:
    names = columns_of(design, runs)
    if len(names) < 2:
        raise InputError("'heatmap' needs two variables; use curves", parameter="kind")
    numbers = by_field(runs, names[:2])
    table = numbers.pivot(index=names[0], columns=names[1], values="mean")
    spread = numbers.pivot(index=names[0], columns=names[1], values="ci").reindex_like(table)
    figure = print_figure(
        float(np.clip(35.0 + 18.0 * len(table.columns), ONE_COLUMN_MM, TWO_COLUMNS_MM)),
        max(30.0 + 12.0 * len(table), 60.0),
    )
    axis = figure.subplots()
    image = axis.imshow(table.to_numpy(), cmap=palette.NUMBER_MAP, aspect="auto", origin="lower")
    middle = (np.nanmin(table.to_numpy()) + np.nanmax(table.to_numpy())) / 2
    for i, j in np.ndindex(*table.shape):
        value, half = table.to_numpy(float)[i, j], spread.to_numpy(float)[i, j]
        text = f"{value:.3g}" + (f"\n+/- {half:.2g}" if np.isfinite(half) else "")
        axis.text(j, i, text, ha="center", va="center", fontsize=6.5,
                  color="black" if value > middle else "white")  # fmt: skip
    axis.set_xticks(
        range(len(table.columns)),
        _tick_labels(table.columns),
    )
    axis.set_yticks(range(len(table)), _tick_labels(table.index))
    axis.set_xlabel(names[1])
    axis.set_ylabel(names[0])
    figure.colorbar(image, ax=axis, label=f"{fill(label, LABEL)}\n{_runs(numbers, 'run')}")
    return figure, numbers


def _tick_labels(values: Any) -> list[str]:
    """Values as labels of an axis."""
    return [f"{value:g}" if isinstance(value, float) else str(value) for value in values]


def indices(runs: "pd.DataFrame", design: DesignParameters) -> "pd.DataFrame":
    """Sobol indices (first order, total) or Morris's (mu*, sigma) with 95 % half widths.

    Raises:
        InputError: runs of the design are missing.
    """
    import pandas as pd

    problem = design.problem()
    means = runs.groupby("row")["value"].mean()
    wanted = design.samples * (
        2 * len(design.variable) + 2 if design.kind == "sobol" else len(design.variable) + 1
    )
    y = means.sort_index().to_numpy()
    if len(y) != wanted or not np.isfinite(y).all():
        raise InputError(
            f"{design.kind} indices need all {wanted} rows of the design; {len(y)} are done"
        )
    require("SALib", f"{design.kind} indices", "sweep")
    if design.kind == "sobol":
        from SALib.analyze import sobol

        found = sobol.analyze(problem, y, num_resamples=RESAMPLES, seed=design.seed)
        columns = {"first_order": "S1", "first_order_ci": "S1_conf", "total": "ST",
                   "total_ci": "ST_conf"}  # fmt: skip
    else:
        from SALib.analyze import morris

        x = (
            runs.drop_duplicates("row")
            .sort_values("row")[design.names()]
            .to_numpy(float, copy=True)
        )
        logs = [variable.log for variable in design.variable]
        x[:, logs] = np.log(x[:, logs])
        found = morris.analyze(problem, x, y, num_resamples=RESAMPLES, seed=design.seed)
        columns = {"mu_star": "mu_star", "mu_star_ci": "mu_star_conf", "sigma": "sigma"}
    return pd.DataFrame({"variable": design.names(), **{n: found[k] for n, k in columns.items()}})


def _indices(runs: "pd.DataFrame", design: DesignParameters, label: str) -> Any:
    numbers = indices(runs, design)
    figure = print_figure(ONE_COLUMN_MM, 30.0 + 8.0 * len(numbers))
    axis = figure.subplots()
    place = np.arange(len(numbers))
    pairs = [("total", "total_ci"), ("first_order", "first_order_ci")] if "total" in numbers else [
        ("mu_star", "mu_star_ci")]  # fmt: skip
    for k, (name, ci) in enumerate(pairs):
        offset = 0.2 * (k - (len(pairs) - 1) / 2) * 2
        axis.barh(place + offset, numbers[name], 0.36, xerr=numbers[ci], capsize=3,
                  color=palette.DRUGS[k], label=name.replace("_", " "))  # fmt: skip
    axis.set_yticks(place, numbers["variable"])
    axis.invert_yaxis()
    name = "Sobol index, a share of the variance, of" if design.kind == "sobol" else "Morris mu* of"
    axis.set_xlabel(fill(f"{name} {label}; 95 % CI, n = {len(runs)} runs", LABEL))
    _legend(axis)
    axis.spines[["top", "right"]].set_visible(False)
    return figure, numbers


def _pairs(runs: "pd.DataFrame", design: DesignParameters, label: str) -> Any:
    names = design.names()
    across = min(len(names), ACROSS)
    down = -(-len(names) // across)
    figure = print_figure(max(45.0 * across, ONE_COLUMN_MM), 50.0 * down)
    axes = figure.subplots(down, across, squeeze=False, sharey=True)
    for unused in axes.ravel()[len(names) :]:
        unused.remove()
    for letter, axis, variable in zip(ascii_lowercase, axes.ravel(), design.variable, strict=False):
        lettered(axis, letter, f"n = {runs['value'].notna().sum()} runs")
        axis.plot(runs[variable.column], runs["value"], ".", color=palette.E2, alpha=0.5)
        axis.set_xlabel(f"{variable.column} (log)" if variable.log else variable.column)
        axis.spines[["top", "right"]].set_visible(False)
        if variable.log:
            axis.set_xscale("log")
    figure.supylabel(fill(label, LABEL + 10 * down), fontsize=7)
    return figure, runs[["point", *names, "seed", "value"]]
