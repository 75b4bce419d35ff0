"""Arms of a sweep: the rows of its design that a condition chooses, and differences between them.

Replicate r has one seed in every row (common random numbers), and one bone. So rows are compared within
replicates: the differences vary less than the rows themselves.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonesim.analysis.statistics import mean_and_ci
from bonesim.errors import InputError
from bonesim.sweeps.design import DesignParameters
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.journal import RUNS, STUDY
from bonesim.sweeps.study import StudyParameters, read_as

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the points that are no part of the design.
OF_POINTS = ("point", "row", "replicate", "seed")
#: Kinds of design whose rows are compared one by one.
WITH_ROWS = ("grid", "list", "one_at_a_time")
#: So many rows of a design are listed in a message.
MAX_LISTED = 6


class Arm:
    """Some points of a sweep: one row of its design.

    Args:
        folder: of the sweep.
        condition: column -> value; may be empty if the design has a single row.

    Attributes:
        name: the condition as text.
        points: its finished points: point, replicate, seed and the design's columns.
        results: their results, one row per point and snapshot.
        design: of the study.

    Raises:
        InputError: no folder of a sweep, an unknown column or value, several rows, nothing done yet.
    """

    def __init__(self, folder: Path, condition: Mapping[str, Any]) -> None:
        place = Folder(folder)
        if read_kind(folder) != "study":
            raise InputError(f"{folder}: is a trial's; its arms are compared by bonesim trial")
        self.folder, self.design = folder, read_as(folder / STUDY, StudyParameters)[0].design
        points, results = place.points(), place.results()
        chosen = _chosen(points, condition, folder)
        if results.empty or not set(chosen["point"]) & set(results["point"]):
            raise InputError(f"{folder}: no point of {_text(condition)} is done yet; let it run on")
        done = chosen[chosen["point"].isin(results["point"])]
        self.name = _text(condition)
        self.points = done.drop_duplicates("replicate").reset_index(drop=True)
        self.results = results[results["point"].isin(done["point"])]
        self.missing = len(chosen) - len(done)

    def file(self, point: str) -> Path | None:
        """The run file of a point, if it was kept."""
        place = self.folder / RUNS / f"{point}.vtkhdf"
        return place if place.is_file() else None

    def path_of(self, column: str) -> str:
        """The path in the configuration that a column of the design sets."""
        return next((v.path for v in self.design.variable if v.column == column), column)


def read_kind(folder: Path) -> str | None:
    """ "study" or "trial" if a folder is one's; None otherwise."""
    from bonesim.storage.file_kind import kind_of

    return kind_of(folder / STUDY) if (folder / STUDY).is_file() else None


def _chosen(points: "pd.DataFrame", condition: Mapping[str, Any], folder: Path) -> "pd.DataFrame":
    """The points of the one row that a condition chooses."""
    columns = [name for name in map(str, points) if name not in OF_POINTS]
    rows = points.drop_duplicates("row").set_index("row")[columns]
    for name, value in condition.items():
        if name not in columns:
            raise InputError(
                f"{folder}: has no column {name!r}; its design has {', '.join(columns)}", parameter="arm"
            )
        fits = [_same(one, value) for one in rows[name]]
        if not any(fits):
            shown = ", ".join(dict.fromkeys(map(_shown, rows[name])))
            raise InputError(
                f"{folder}: no row has {name} = {_shown(value)}; there are {shown}", parameter="arm"
            )
        rows = rows[fits]
    if len(rows) > 1:
        some = [_text(row) for row in rows.head(MAX_LISTED).to_dict("records")]
        raise InputError(
            f"{folder}: {_text(condition) or 'the design'} has {len(rows)} rows; choose one by `arm`: "
            f"{'; '.join(some)}{'; ...' if len(rows) > MAX_LISTED else ''}",
            parameter="arm",
        )
    return points[points["row"] == rows.index[0]]


def _same(one: Any, other: Any) -> bool:
    """Whether a cell of the design is what was asked for."""
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-12)
    except (TypeError, ValueError):
        return str(one) == str(other)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _text(condition: Mapping[Any, Any]) -> str:
    return ", ".join(f"{name} = {_shown(value)}" for name, value in condition.items())


def is_paired(runs: "pd.DataFrame", design: DesignParameters) -> bool:
    """Whether rows of a design are compared within replicates: they share seeds, and there are two."""
    return (
        design.kind in WITH_ROWS
        and design.common_random_numbers
        and runs["row"].nunique() > 1
        and runs["replicate"].nunique() > 1
    )


def paired_differences(
    runs: "pd.DataFrame", design: DesignParameters, reference: Any = None
) -> "pd.DataFrame":
    """Each row's outcome less the reference's, within replicates.

    Args:
        runs: one row per run, with `value`, `replicate` and the design's columns.
        design: paired, see `is_paired`.
        reference: value of the first variable with which the others are compared, at equal values of
            the other variables; its first value if None.

    Returns:
        The design's columns (the first one last), reference, mean, ci (half of the 95 % interval over
        replicates, Student's t) and n. The reference's own rows are left out.

    Raises:
        InputError: no run has that value.
    """
    import pandas as pd

    columns = [n for n in design.names() if n in runs] or [
        n for n in map(str, runs) if n in runs and "." in n
    ]
    first, others = columns[0], columns[1:]
    with_which = runs.sort_values("row")[first].iloc[0] if reference is None else reference
    is_reference = pd.Series([_same(one, with_which) for one in runs[first]], runs.index)
    if not is_reference.any():
        shown = ", ".join(dict.fromkeys(map(_shown, runs[first])))
        raise InputError(
            f"no run has {first} = {_shown(with_which)}; there are {shown}", parameter="reference"
        )
    keys = [*others, "replicate"]
    base = runs.loc[is_reference, [*keys, "value"]].drop_duplicates(keys)
    both = runs[~is_reference].merge(base, on=keys, suffixes=("", "_reference"), how="inner")
    both["difference"] = both["value"] - both["value_reference"]
    found = both.groupby([*others, first], sort=False)["difference"].apply(mean_and_ci).unstack()
    found = found.reset_index()
    found.insert(len(columns), "reference", with_which)
    found["n"] = found["n"].astype(int)
    return found
