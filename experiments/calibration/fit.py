"""From the simulated design to the posterior: emulators, members, coverage, a table and a figure.

    python experiments/calibration/fit.py calibration

Every statistic is emulated by a Gaussian process in the parameters; a design point is one bone with
random numbers of its own, so bones and chance are the emulator's noise, and its mean is that of many
bones. It is judged by points left out. 200,000 draws from the prior (uniform in the study's ranges) are
weighted by the fitted targets: normal, with the SD of the acceptance band (half of it over 1.645) and
the emulator's own doubt. MEMBERS are drawn from the weighted ones. No row of recovery is fitted.

Coverage: the targets are left out family by family; the rest predicts them with a 90 % band, which holds
the published value or not. What is not identified stays as wide as the prior.
"""

import argparse
import sys
import warnings
from pathlib import Path
from string import ascii_lowercase
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, qmc
from targets import TARGETS, Target, readings

from bonesim.sweeps import Folder, StudyParameters, read_as
from bonesim.viewer import TWO_COLUMNS_MM, at_print_size, lettered, palette, print_figure

try:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
except ImportError:
    sys.exit("the fit needs scikit-learn; install it: pip install 'bonesim[calibration]'")

HERE = Path(__file__).resolve().parent
#: The package's copy of the members.
SHIPPED = HERE.parents[1] / "bonesim" / "sweeps" / "posterior.csv"
DRAWS = 200_000
MEMBERS = 200
FOLDS = 8
#: Columns of the design that are of the bone, not of the mechanism: they have no posterior.
OF_THE_BONE = ("cell_um",)
#: Left out together: what one trial, or one kind of datum, holds.
FAMILIES = (
    ("A1", "A2", "A3"), ("A4", "A5"), ("A7",), ("A10",), ("A11",), ("A12", "A13"), ("A14",),
    ("A15",), ("A16",), ("A18",),
)  # fmt: skip
#: 90 % of a normal distribution lies within so many SDs.
WITHIN = float(norm.ppf(0.95))
#: A parameter whose posterior keeps less of its prior's spread is identified.
IDENTIFIED = 0.8


def family_of(target: Target) -> tuple[str, ...]:
    """The rows that are left out with a target; a row that belongs to none stands alone."""
    row = target.name.rstrip("'w")
    return next((family for family in FAMILIES if row in family), (row,))


def simulated_design(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, Any]:
    """Parameters and statistics, a row for each point that has all its courses, and the design."""
    place = Folder(folder)
    results = place.results()
    design = read_as(place.path / "study.toml", StudyParameters)[0].design
    statistics = readings(results)
    first = results.drop_duplicates("point").set_index("point")
    names = [one.column for one in design.variable]
    return first.loc[statistics.index, names], statistics, design


def unit_square(values: pd.DataFrame, design: Any) -> NDArray[np.float64]:
    """Parameters as shares of their prior range (of its logarithm where it is sampled)."""
    columns = []
    for variable, (low, high) in zip(design.variable, design.problem()["bounds"], strict=True):
        column = values[variable.column].to_numpy(np.float64)
        columns.append(((np.log(column) if variable.log else column) - low) / (high - low))
    return np.column_stack(columns)


def in_units(share: NDArray[np.float64], variable: Any) -> NDArray[np.float64]:
    """The reverse of `unit_square` for one variable."""
    low, high = variable.low, variable.high
    if variable.log:
        return np.asarray(low * (high / low) ** share)
    return np.asarray(low + share * (high - low))


def emulator() -> Any:
    """A line in every parameter, a smooth remainder, and noise."""
    kernel = (
        ConstantKernel(0.3, (1e-2, 1e2)) * DotProduct(1.0, (1e-2, 1e2))
        + ConstantKernel(0.1, (1e-3, 1e1)) * RBF(1.5, (0.5, 20.0))
        + WhiteKernel(0.5, (1e-3, 2.0))
    )
    return make_pipeline(
        StandardScaler(),
        GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=2, random_state=1),
    )


class Emulated:
    """One statistic over the prior's draws: mean over many bones, the emulator's doubt, its quality."""

    def __init__(
        self, inputs: NDArray[np.float64], y: NDArray[np.float64], draws: NDArray[np.float64]
    ) -> None:
        known = np.isfinite(y)
        inputs, y = inputs[known], y[known]
        folds = KFold(min(FOLDS, y.size), shuffle=True, random_state=1)
        left_out = cross_val_predict(emulator(), inputs, y, cv=folds)
        fitted = emulator().fit(inputs, y)
        parts = [
            fitted.predict(part, return_std=True) for part in np.array_split(draws, 40) if len(part)
        ]
        self.mean, doubt = (np.concatenate(each) for each in zip(*parts, strict=True))
        # The mean is what is wanted of many bones; the white noise is bones and chance, not doubt of it.
        noise = fitted[-1].kernel_.k2.noise_level * np.var(y)
        self.doubt = np.sqrt(np.maximum(doubt**2 - noise, 0.0))
        self.quality = {
            "points": y.size, "simulated_mean": y.mean(), "simulated_sd": y.std(),
            "noise_sd": np.sqrt(noise),
            "left_out_r2": 1.0 - np.mean((y - left_out) ** 2) / np.var(y),
        }  # fmt: skip


def log_likelihood(target: Target, one: Emulated) -> NDArray[np.float64]:
    """Of a target at each draw."""
    sd = (target.high - target.low) / 2.0 / WITHIN
    variance = one.doubt**2 + sd**2
    return np.asarray(-0.5 * (one.mean - target.value) ** 2 / variance - 0.5 * np.log(variance))


def weights(emulated: dict[str, Emulated], left_out: tuple[str, ...] = ()) -> NDArray[np.float64]:
    """Weights of the draws by all fitted targets but a family's."""
    total = np.zeros(next(iter(emulated.values())).mean.size)
    for target in TARGETS:
        if target.fitted and target.name in emulated and family_of(target) != left_out:
            total += log_likelihood(target, emulated[target.name])
    weight = np.exp(total - total.max())
    return np.asarray(weight / weight.sum())


def band(one: Emulated, weight: NDArray[np.float64]) -> tuple[float, float, float]:
    """Median and 90 % band of a statistic (mean over many bones) under weights, with the doubt."""
    rng = np.random.default_rng(1)
    chosen = rng.choice(weight.size, 20_000, p=weight)
    values = one.mean[chosen] + one.doubt[chosen] * rng.standard_normal(chosen.size)
    low, median, high = np.quantile(values, [0.05, 0.5, 0.95])
    return float(low), float(median), float(high)


def table_of(emulated: dict[str, Emulated]) -> pd.DataFrame:
    """Each target: published value, band wanted, posterior's median and band, and without its family."""
    weight = weights(emulated)
    rows = []
    for target in TARGETS:
        if target.name not in emulated:
            continue
        one = emulated[target.name]
        low, median, high = band(one, weight)
        family = family_of(target)
        out_low, out_median, out_high = band(one, weights(emulated, family))
        rows.append({
            "target": target.name, "what": target.what, "unit": target.unit,
            "fitted": target.fitted, "published": target.value, "wanted_low": target.low,
            "wanted_high": target.high, "median": median, "low": low, "high": high,
            "in": target.low <= median <= target.high, "holds_published": low <= target.value <= high,
            "left_out_median": out_median, "left_out_low": out_low, "left_out_high": out_high,
            "left_out_holds": out_low <= target.value <= out_high, "family": " ".join(family),
            **one.quality,
        })  # fmt: skip
    return pd.DataFrame(rows)


def marginals(draws: NDArray[np.float64], weight: NDArray[np.float64], design: Any) -> pd.DataFrame:
    """Each parameter's prior range, posterior median and 90 % interval, and how much it narrowed."""
    rows = {}
    for k, variable in enumerate(design.variable):
        if variable.column in OF_THE_BONE:
            continue
        order = np.argsort(draws[:, k])
        steps = np.cumsum(weight[order])
        shares = np.array([draws[order[np.searchsorted(steps, q)], k] for q in (0.05, 0.5, 0.95)])
        mean = float(weight @ draws[:, k])
        spread = float(np.sqrt(weight @ (draws[:, k] - mean) ** 2)) * np.sqrt(12.0)
        q05, q50, q95 = in_units(shares, variable)
        rows[variable.column] = {
            "path": variable.path, "prior_low": variable.low, "prior_high": variable.high,
            "q05": q05, "median": q50, "q95": q95,
            "spread_over_prior": spread, "identified": spread < IDENTIFIED,
        }  # fmt: skip
    return pd.DataFrame(rows).T


def members_of(
    draws: NDArray[np.float64], weight: NDArray[np.float64], design: Any, count: int = MEMBERS
) -> pd.DataFrame:
    """Members in random order: a row each, a column per path (the bone's own left out)."""
    chosen = np.random.default_rng(2).choice(weight.size, count, p=weight)
    return pd.DataFrame({
        variable.path: in_units(draws[chosen, k], variable)
        for k, variable in enumerate(design.variable) if variable.column not in OF_THE_BONE
    }).rename_axis(index="member")  # fmt: skip


def rows_in_markdown(table: pd.DataFrame) -> str:
    """README's table of targets: bold where the median lies outside what is wanted."""
    lines = ["| | target | published | wanted | posterior, median [90 %] | left out, median [90 %] | holds |",
             "|---" * 7 + "|"]  # fmt: skip
    for row in table.to_dict("records"):
        unit = f" {row['unit']}" if row["unit"] else ""
        mine = f"{row['median']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
        left = (
            f"{row['left_out_median']:.2f} [{row['left_out_low']:.2f}, {row['left_out_high']:.2f}]"
        )
        lines.append(
            f"| {row['target']}{'' if row['fitted'] else ' (not fitted)'} | {row['what']} | "
            f"{row['published']:g}{unit} | {row['wanted_low']:g} to {row['wanted_high']:g} | "
            f"{mine if row['in'] else f'**{mine}**'} | {left} | "
            f"{'yes' if row['left_out_holds'] else 'no'} |"
        )
    return "\n".join(lines)


def ranges_in_markdown(ranges: pd.DataFrame) -> str:
    """README's table of parameters: bold where the targets narrow one."""
    lines = ["| parameter | prior | posterior, median [90 %] | spread over the prior's |",
             "|---" * 4 + "|"]  # fmt: skip
    for _, row in ranges.iterrows():
        mine = f"{row['median']:.3g} [{row['q05']:.3g}, {row['q95']:.3g}]"
        lines.append(
            f"| `{row['path']}` | {row['prior_low']:g} to {row['prior_high']:g} | "
            f"{f'**{mine}**' if row['identified'] else mine} | {row['spread_over_prior']:.2f} |"
        )
    return "\n".join(lines)


def fitted(
    parameters: pd.DataFrame, statistics: pd.DataFrame, design: Any, draws: int = DRAWS
) -> tuple[NDArray[np.float64], dict[str, Emulated]]:
    """Draws from the prior (unit square), and the emulated statistics at them."""
    # A length scale at its bound means that a parameter does not matter, which is an answer.
    warnings.simplefilter("ignore", ConvergenceWarning)
    inputs = unit_square(parameters, design)
    points = qmc.LatinHypercube(inputs.shape[1], rng=1).random(draws)
    # What is asked is the mean over bones of the usual spacing.
    for k, variable in enumerate(design.variable):
        if variable.column in OF_THE_BONE:
            points[:, k] = 0.5
    return points, {
        name: Emulated(inputs, statistics[name].to_numpy(np.float64), points)
        for name in statistics.columns
    }


@at_print_size
def draw(
    draws: NDArray[np.float64], weight: NDArray[np.float64], design: Any, output: Path
) -> None:
    """Marginal posteriors against their flat priors."""
    shown = [(k, v) for k, v in enumerate(design.variable) if v.column not in OF_THE_BONE]
    figure = print_figure(TWO_COLUMNS_MM, 115.0)
    axes = figure.subplots(3, -(-len(shown) // 3)).ravel()
    for unused in axes[len(shown) :]:
        unused.remove()
    for letter, axis, (k, variable) in zip(ascii_lowercase, axes, shown, strict=False):
        axis.hist(draws[:, k], weights=weight * 20, bins=np.linspace(0, 1, 21),
                  color=palette.DRUGS[3], alpha=0.75)  # fmt: skip
        axis.axhline(1.0, color=palette.INK, lw=0.8, ls=":")
        # Two columns of words: a name is as wide as its panel.
        lettered(axis, letter, fill(variable.column.replace("_", " "), 18))
        axis.set_xticks([0, 1], [f"{variable.low:.3g}", f"{variable.high:.3g}"])
        axis.set_yticks([])
    figure.suptitle(
        f"posterior ({len(draws):,} weighted draws) over prior (dotted), "
        "each parameter within its range; height: share of the draws, 1 as in the prior"
    )
    figure.savefig(output)


def main() -> None:
    """Fit, print and keep the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of simulate.py")
    parser.add_argument("-o", "--output", type=Path, default=HERE, help="where the tables go")
    given = parser.parse_args()
    parameters, statistics, design = simulated_design(given.folder)
    draws, emulated = fitted(parameters, statistics, design)
    weight = weights(emulated)
    table, ranges = table_of(emulated), marginals(draws, weight, design)
    print(
        f"{len(parameters)} points of the design; effective draws {1.0 / (weight @ weight):.0f}\n"
    )
    print(rows_in_markdown(table))
    print()
    print(ranges_in_markdown(ranges))
    table.round(4).to_csv(given.output / "table.csv", index=False)
    ranges.to_csv(given.output / "ranges.csv")
    text = members_of(draws, weight, design).to_csv(float_format="%.6g")
    (given.output / "posterior.csv").write_text(text)
    if given.output.resolve() == HERE:
        SHIPPED.write_text(text)
    draw(draws, weight, design, given.output / "posterior.png")
    print(
        f"members: {given.output / 'posterior.csv'}; the package's copy: bonesim/sweeps/posterior.csv"
    )


if __name__ == "__main__":
    main()
