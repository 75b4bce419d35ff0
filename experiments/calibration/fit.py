"""From the simulated design to what the targets determine of each parameter: emulator, posterior, a figure.

    python experiments/calibration/fit.py calibration -o experiments/calibration/posterior

Every statistic is emulated by a Gaussian process (mean over the bones; chance is its noise). It is
judged by how well it predicts points left out. 200,000 draws from the prior (uniform in the study's ranges)
are weighted by the targets: normal, SD a quarter of the acceptance band, emulator's own doubt added.
The share of its prior range that a parameter's posterior keeps shows whether the data identify it.

Small blocks have random variation that all rows share, so losses are relative to the control of the
same bone, against targets less the drift wanted of untreated bone (A8). That drift itself is set
afterwards, on larger bones (`confirm.py`), by the balance.
"""

import argparse
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import qmc
from targets import YEAR, Courses

from bonesim.sweeps import Folder, StudyParameters, read_as
from bonesim.viewer import palette

try:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
except ImportError:
    sys.exit("the fit needs scikit-learn; install it: pip install 'bonesim[calibration]'")

DRAWS = 200_000
#: Spine DXA a year that untreated people are wanted to have (A8), %.
DRIFT = -0.4
FOLDS = 8

#: What is fitted: name, value, SD, how it is read. SDs are a quarter of the band's width.
FITTED: dict[str, tuple[float, float, Any]] = {
    "A1": (-2.0, 0.5, lambda v: v.beyond("man_inhibitor", YEAR)),
    "A4": (-4.1 - 2 * DRIFT, 0.5, lambda v: v.beyond("woman_inhibitor", 2 * YEAR)),
    "A5": (-6.08 - 3 * DRIFT, 0.75,
           lambda v: v.dxa("woman_inhibitor", 5 * YEAR) - v.dxa("control", 3 * YEAR)),
    "A7": (2.2 - 2 * DRIFT, 0.6, lambda v: v.beyond("woman_tamoxifen", 2 * YEAR)),
    "A10": (1.85, 0.15, lambda v: v.activated("ovary_lost") / v.activated("control")),
    "A10'": (1.11, 0.04,
             lambda v: v.at("e_de_um", "ovary_lost", 545) / v.at("e_de_um", "control", YEAR)),
    "A11": (1.2, 0.38, lambda v: v.beyond("calcium", YEAR)),
    "A12": (1.5, 0.6, lambda v: v.beyond("training", 244)),
    "A13": (-3.5, 1.0, lambda v: v.beyond("disuse", 119)),
}  # fmt: skip


def simulated_design(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, Any]:
    """Parameters and statistics, a row of the design each (mean over bones), and the design."""
    place = Folder(folder)
    results = place.results()
    design = read_as(place.path / "study.toml", StudyParameters)[0].design
    runs_by_course = Courses(results)
    per_point = pd.DataFrame({name: read(runs_by_course) for name, (_, _, read) in FITTED.items()})
    first = results.drop_duplicates("point").set_index("point")
    whole = first.groupby("row")["seed"].transform("size")
    kept = first[whole == design.seeds]
    names = design.names()
    return (
        kept.groupby("row")[names].first(),
        per_point.loc[kept.index].groupby(kept["row"]).mean(),
        design,
    )


def unit_square(values: pd.DataFrame, design: Any) -> NDArray[np.float64]:
    """Parameters as shares of their prior range (of its logarithm where it is sampled)."""
    columns = []
    for variable, (low, high) in zip(design.variable, design.problem()["bounds"], strict=True):
        column = values[variable.column].to_numpy(np.float64)
        columns.append(((np.log(column) if variable.log else column) - low) / (high - low))
    return np.column_stack(columns)


def emulator() -> Any:
    """A line in every parameter, a smooth remainder, and noise."""
    kernel = (
        ConstantKernel(0.3, (1e-2, 1e2)) * DotProduct(1.0, (1e-2, 1e2))
        + ConstantKernel(0.3, (1e-3, 1e1)) * RBF(1.5, (0.5, 20.0))
        + WhiteKernel(0.3, (1e-3, 2.0))
    )
    return make_pipeline(
        StandardScaler(),
        GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=3, random_state=1),
    )


def posterior(
    inputs: NDArray[np.float64], statistics: pd.DataFrame, bounds: int, seed: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64], pd.DataFrame]:
    """Draws from the prior (unit square), their weights, and the emulators' quality."""
    # A length scale at its bound means that a parameter does not matter, which is an answer.
    warnings.simplefilter("ignore", ConvergenceWarning)
    draws = qmc.LatinHypercube(bounds, rng=seed).random(DRAWS)
    weight = np.zeros(DRAWS)
    quality = {}
    for name, (value, sd, _) in FITTED.items():
        y = statistics[name].to_numpy()
        left_out = cross_val_predict(
            emulator(), inputs, y, cv=KFold(FOLDS, shuffle=True, random_state=1)
        )
        fitted = emulator().fit(inputs, y)
        # The mean is what is wanted of many bones; the white noise is chance, not doubt of it.
        mean, doubt = (np.concatenate(parts) for parts in zip(
            *(fitted.predict(part, return_std=True) for part in np.array_split(draws, 40)),
            strict=True,
        ))  # fmt: skip
        noise = fitted[-1].kernel_.k2.noise_level * np.var(y)
        variance = np.maximum(doubt**2 - noise, 0.0) + sd**2
        weight += -0.5 * (mean - value) ** 2 / variance - 0.5 * np.log(variance)
        quality[name] = {
            "wanted": value, "sd": sd, "simulated_mean": y.mean(), "simulated_sd": y.std(),
            "left_out_r2": 1.0 - np.mean((y - left_out) ** 2) / np.var(y),
            "posterior_mean": np.nan,
            "_draws": mean,
        }  # fmt: skip
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    for one in quality.values():
        one["posterior_mean"] = float(weight @ one.pop("_draws"))
    return draws, weight, pd.DataFrame(quality).T


def marginals(draws: NDArray[np.float64], weight: NDArray[np.float64], design: Any) -> pd.DataFrame:
    """Each parameter's prior range, posterior mean and 90 % interval, and how much it narrowed."""
    rows = {}
    problem = design.problem()
    for k, (variable, (low, high)) in enumerate(
        zip(design.variable, problem["bounds"], strict=True)
    ):

        def value(
            share: float, low: float = low, high: float = high, log: bool = variable.log
        ) -> float:
            at = low + share * (high - low)
            return float(np.exp(at)) if log else float(at)

        order = np.argsort(draws[:, k])
        steps = np.cumsum(weight[order])
        q05, q50, q95 = (draws[order[np.searchsorted(steps, q)], k] for q in (0.05, 0.5, 0.95))
        mean = float(weight @ draws[:, k])
        spread = float(np.sqrt(weight @ (draws[:, k] - mean) ** 2)) * np.sqrt(12.0)
        rows[variable.column] = {
            "path": variable.path, "prior_low": value(0), "prior_high": value(1),
            "mean": value(mean), "q05": value(q05), "median": value(q50), "q95": value(q95),
            "spread_over_prior": spread, "identified": spread < 0.8,
        }  # fmt: skip
    return pd.DataFrame(rows).T


def draw(
    table: pd.DataFrame, draws: NDArray[np.float64], weight: NDArray[np.float64], output: Path
) -> None:
    """Marginal posteriors against their flat priors."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6.5), dpi=110, layout="constrained")
    axes = figure.subplots(3, -(-len(table) // 3)).ravel()
    for unused in axes[len(table) :]:
        unused.remove()
    for k, (axis, (name, row)) in enumerate(zip(axes, table.iterrows(), strict=False)):
        axis.hist(draws[:, k], weights=weight * 20, bins=np.linspace(0, 1, 21),
                  color=palette.DRUGS[3], alpha=0.75)  # fmt: skip
        axis.axhline(1.0, color=palette.INK, lw=0.8, ls=":")
        axis.set_title(str(name), fontsize=8)
        axis.set_xticks([0, 1], [f"{row['prior_low']:.3g}", f"{row['prior_high']:.3g}"])
        axis.set_yticks([])
    figure.suptitle("posterior over prior (dotted), each parameter within its range")
    figure.savefig(output)


def main() -> None:
    """Fit, print and keep the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    parameters, statistics, design = simulated_design(given.folder)
    draws, weight, quality = posterior(
        unit_square(parameters, design), statistics, len(design.variable)
    )
    table = marginals(draws, weight, design)
    print(f"{len(parameters)} points; effective draws {1.0 / (weight @ weight):.0f}")
    print(quality.to_string(float_format="{:.2f}".format))
    print(table.drop(columns="path").to_string(float_format="{:.3g}".format))
    table.to_csv(given.output.with_suffix(".csv"))
    quality.to_csv(given.output.with_name(given.output.name + "_emulators.csv"))
    draw(table, draws, weight, given.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
