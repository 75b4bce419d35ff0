"""The points of a study: from ranges and values to one row of parameters per run.

    grid              every combination of the values
    list              the rows of a CSV file, or of the values taken side by side
    one_at_a_time     the first value of each is the centre; each other value alone
    latin_hypercube   points between low and high, each stratum once (scipy.stats.qmc)
    sobol             Saltelli's scheme for Sobol indices (SALib)
    morris            Morris's trajectories for elementary effects (SALib)

A row's replicates differ in seed, in what `also` of the design sets (e.g. a bone for each), and under
`posterior` in the parameters of the calibration's members.
With `common_random_numbers` replicate r has the same seed in every row: rows are compared on common
random numbers. Without it no two runs share a seed.
"""

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from bonesim.config.config import Config
from bonesim.config.explain import problem_of
from bonesim.errors import InputError
from bonesim.parameters import Parameters
from bonesim.sweeps.extras import require
from bonesim.units import unit_of

if TYPE_CHECKING:
    import pandas as pd

Value = float | int | str | bool
SAMPLED = ("latin_hypercube", "sobol", "morris")
#: A design with more rows is taken for a mistake.
MAX_ROWS = 1_000_000


class Variable(Parameters):
    """One thing that varies: its path in the config, and its values or range."""

    path: Annotated[str, Field(min_length=1, description="dotted path in the config; input")]
    name: Annotated[str | None, Field(description="column in the tables; input: the path")] = None
    unit: Annotated[str | None, Field(description="checked against the path's; input")] = None
    values: Annotated[
        tuple[Value, ...], Field(max_length=100_000, description="for designs with values; input")
    ] = ()
    low: Annotated[float | None, Field(description="for sampled designs; input")] = None
    high: Annotated[float | None, Field(description="for sampled designs; input")] = None
    log: Annotated[bool, Field(description="sample the logarithm; input")] = False
    whole: Annotated[bool, Field(description="round to whole numbers; input")] = False
    also: Annotated[
        dict[str, Any],
        Field(
            default_factory=dict,
            description="other paths set with it: a value, or '+N' for this one plus N; input",
        ),
    ]

    @model_validator(mode="after")
    def _possible(self) -> "Variable":
        known = unit_of(self.path.rpartition(".")[2])
        if self.unit is not None and not known and (problem := problem_of(self.path, Config)):
            raise ValueError(f"{self.path}: {problem}")
        if self.unit is not None and self.unit != known:
            raise ValueError(f"{self.path} is in {known or 'no unit'}, not in {self.unit}")
        if self.values and (self.low is not None or self.high is not None):
            raise ValueError(f"{self.path} has values and a range; leave one out")
        if self.low is not None and self.high is not None and self.high <= self.low:
            raise ValueError(f"{self.path} goes from {self.low:g} to {self.high:g}; swap them")
        if self.log and self.low is not None and self.low <= 0:
            raise ValueError(f"{self.path} has log = true and low = {self.low:g}; give low above 0")
        return self

    @property
    def column(self) -> str:
        """Its column in the tables."""
        return self.name or self.path

    def changes(self, value: Any) -> dict[str, Any]:
        """What a value of this variable sets in the config: path -> value."""
        return {self.path: value} | {path: _follow(what, value) for path, what in self.also.items()}


def _follow(what: Any, value: Any) -> Any:
    """`what` with every "+N" in it replaced by value + N."""
    if isinstance(what, list | tuple):
        return [_follow(one, value) for one in what]
    if isinstance(what, str) and what.startswith(("+", "-")):
        try:
            return value + (float(what) if "." in what else int(what))
        except (TypeError, ValueError):
            raise InputError(f"also = {what!r}: write '+N' with a number N") from None
    return what


class DesignParameters(Parameters):
    """How rows are made."""

    kind: Annotated[
        Literal["grid", "list", "one_at_a_time", "latin_hypercube", "sobol", "morris"],
        Field(description="how rows are made; input"),
    ] = "grid"
    variable: Annotated[
        tuple[Variable, ...], Field(max_length=200, description="what varies; input")
    ] = ()
    rows_csv: Annotated[
        str | None,
        Field(description="kind list: a CSV, its header paths; empty: as in the base; input"),
    ] = None
    samples: Annotated[
        int, Field(ge=1, le=1_000_000, description="rows of a hypercube, N of the others; input")
    ] = 64
    seeds: Annotated[
        int, Field(ge=1, le=10_000, description="replicates of every row; assumed, >= 3")
    ] = 3
    seed: Annotated[int, Field(ge=0, lt=2**28, description="of the design itself; assumed")] = 1
    common_random_numbers: Annotated[
        bool, Field(description="replicate r has the same seed in all rows; for comparing; default")
    ] = True
    also: Annotated[
        dict[str, Any],
        Field(
            default_factory=dict,
            description="other paths set for replicate 0, 1 ...: a value, or '+N' for its number "
            "plus N, as in {'specimen.seed' = '+1'}, a bone for each; input",
        ),
    ]
    posterior: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            description="replicate r has member r (in turn) of so many of the posterior; 0: defaults; input",
        ),
    ] = 0
    where: Annotated[
        str | None,
        Field(description="rows kept: a condition on columns, as pandas reads it; input"),
    ] = None

    def changes(self, replicate: int) -> dict[str, Any]:
        """What a replicate sets in the config beside its seed: path -> value."""
        return {path: _follow(what, replicate) for path, what in self.also.items()}

    def names(self) -> list[str]:
        """Columns of the design."""
        return [variable.column for variable in self.variable]

    def problem(self) -> dict[str, Any]:
        """The ranges in SALib's form (logarithms where these are sampled)."""
        bounds = [_bounds(variable) for variable in self.variable]
        return {"num_vars": len(bounds), "names": self.names(), "bounds": bounds}


def _bounds(variable: Variable) -> list[float]:
    low, high = variable.low, variable.high
    if low is None or high is None:
        raise InputError(f"design: {variable.path} needs low and high to be sampled")
    return [float(np.log(low)), float(np.log(high))] if variable.log else [low, high]


def rows_of(design: DesignParameters, folder: Path) -> "pd.DataFrame":
    """The design: one row per point without replicates, one column per variable.

    Args:
        design: how rows are made.
        folder: the folder of `rows_csv`.

    Raises:
        InputError: nothing varies, values or ranges are missing, or no row is left.
    """
    import pandas as pd

    if design.rows_csv is not None:
        table = _from_csv(design, folder / design.rows_csv)
    elif not design.variable:
        raise InputError("design: nothing varies; add [[design.variable]] with a path")
    elif design.kind in SAMPLED:
        table = pd.DataFrame(_sampled(design), columns=design.names())
        for variable in design.variable:
            if variable.log:
                table[variable.column] = np.exp(table[variable.column])
            if variable.whole:
                table[variable.column] = table[variable.column].round().astype(int)
    else:
        table = pd.DataFrame(_combined(design), columns=design.names())
    if design.where is not None:
        try:
            table = table.query(design.where).reset_index(drop=True)
        except Exception as error:
            raise InputError(
                f"design.where: {design.where!r} cannot be read ({error}); columns: "
                f"{', '.join(table.columns)} (in backticks if they have dots)"
            ) from None
    if table.empty:
        raise InputError("design: has no rows; give values, or loosen design.where")
    return table


def _combined(design: DesignParameters) -> list[tuple[Any, ...]]:
    """Rows from values."""
    columns = []
    for variable in design.variable:
        if not variable.values:
            got = "got [], it " if "values" in variable.model_fields_set else ""
            raise InputError(f"design: {variable.path}: {got}needs values for kind {design.kind!r}")
        columns.append(variable.values)
    if design.kind == "grid":
        number = int(np.prod([float(len(values)) for values in columns]))
        if number > MAX_ROWS:
            raise InputError(f"design: a grid of {number} rows; give fewer values")
        return list(itertools.product(*columns))
    if design.kind == "list":
        if len({len(values) for values in columns}) > 1:
            lengths = ", ".join(f"{v.path} {len(v.values)}" for v in design.variable)
            raise InputError(f"design: a list needs equally many values of each; got {lengths}")
        return list(zip(*columns, strict=True))
    centre = tuple(values[0] for values in columns)
    return [centre] + [
        (*centre[:k], value, *centre[k + 1 :])
        for k, values in enumerate(columns)
        for value in values[1:]
    ]


def _sampled(design: DesignParameters) -> NDArray[np.float64]:
    """Rows between low and high, logarithms where these are sampled."""
    problem = design.problem()
    if design.kind == "latin_hypercube":
        from scipy.stats import qmc

        sampler = qmc.LatinHypercube(len(design.variable), rng=design.seed)
        low, high = np.array(problem["bounds"]).T
        return low + sampler.random(design.samples) * (high - low)
    require("SALib", f"designs of kind {design.kind!r}", "sweep")
    if design.kind == "sobol":
        from SALib.sample import sobol

        return np.asarray(sobol.sample(problem, design.samples, seed=design.seed), np.float64)
    from SALib.sample import morris

    return np.asarray(morris.sample(problem, design.samples, seed=design.seed), np.float64)


def _from_csv(design: DesignParameters, path: Path) -> "pd.DataFrame":
    """Rows of a CSV file; its columns must be paths, named by a variable or not. Empty cells are NaN."""
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as CSV ({error}); check the path") from None
    known = set(design.names())
    wrong = [name for name in table.columns if "." not in name and name not in known]
    if wrong:
        raise InputError(f"{path}: column {wrong[0]!r} is no path of the config and no variable")
    return table


def seeds_of(design: DesignParameters, rows: int) -> NDArray[np.int64]:
    """Seed of each run, shape (rows, replicates).

    Consecutive numbers from `design.seed` * 2^34 on. Two runs share one only under
    `common_random_numbers`. Two designs with different seeds share none (a design has at most
    10^6 x 10^4 < 2^34 runs). The generator makes neighbouring seeds statistically independent.
    """
    replicate = np.arange(design.seeds, dtype=np.int64)
    first = np.int64(design.seed) << 34
    if design.common_random_numbers:
        return np.broadcast_to(first + replicate, (rows, design.seeds)).copy()
    return first + np.arange(rows, dtype=np.int64)[:, None] * design.seeds + replicate
