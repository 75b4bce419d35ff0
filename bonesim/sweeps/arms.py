"""Arms of a sweep: the rows of its design that a condition chooses, and differences between them.

Replicate r has one seed in every row (common random numbers), and one bone. So rows are compared within
replicates: the differences vary less than the rows themselves.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonesim.analysis.paired import with_interval
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
        self.name = _text({name: done[name].iloc[0] for name in condition})
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
                f"{folder}: has no column {name!r}; its design has {', '.join(columns)}",
                parameter="arms",
            )
        fits = [_same(one, value) for one in rows[name]]
        if not any(fits):
            shown = ", ".join(dict.fromkeys(map(_shown, rows[name])))
            raise InputError(
                f"{folder}: no row has {name} = {_shown(value)}; there are {shown}",
                parameter="arms",
            )
        rows = rows[fits]
    if len(rows) > 1:
        raise InputError(
            f"{folder}: {_text(condition) or 'the design'} has {len(rows)} rows; choose one by `arms`: "
            f"{_listed(rows)}",
            parameter="arms",
        )
    return points[points["row"] == rows.index[0]]


def rows_text(folder: Path) -> str:
    """The first rows of a sweep's design, as text."""
    points = Folder(folder).points()
    columns = [name for name in map(str, points) if name not in OF_POINTS]
    return _listed(points.drop_duplicates("row")[columns])


def _listed(rows: "pd.DataFrame") -> str:
    some = [_text(row) for row in rows.head(MAX_LISTED).to_dict("records")]
    return "; ".join(some) + ("; ..." if len(rows) > MAX_LISTED else "")


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


def columns_of(design: DesignParameters, runs: "pd.DataFrame") -> list[str]:
    """Columns of a design in a table: of its variables, and those of a CSV that are paths."""
    named = design.names()
    return [*named, *(n for n in map(str, runs) if "." in n and n not in named)]


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
    """Each row's outcome less that of its reference row, within replicates.

    The reference of a row of a grid has the same values of all variables but the first. That of a row
    of a list has that value of the first variable and agrees in most of the others; that of a row of
    kind one_at_a_time is the centre.

    Args:
        runs: one row per run, with `row`, `replicate`, `value` and the design's columns.
        design: paired, see `is_paired`.
        reference: value of the first variable in reference rows; that of the first row if None.

    Returns:
        The design's columns; differs, reference (the values in which a row and its reference
        differ, text); at (what both rows of a grid share, text); mean, ci (half of the
        95 % interval over replicates, Student's t) and n. Reference rows are left out.

    Raises:
        InputError: no run has that value.
    """
    import pandas as pd

    columns = columns_of(design, runs)
    rows = runs.sort_values("row").drop_duplicates("row").set_index("row")[columns]
    candidates = _references(rows, design, reference)
    values = runs.pivot_table(index="replicate", columns="row", values="value", sort=False)
    found = []
    for number, row in rows.drop(index=candidates.index).iterrows():
        agree = (candidates[columns[1:]] == row[columns[1:]]).sum(axis="columns")
        best = agree.idxmax()
        whole = design.kind != "grid" or int(agree.max()) == len(columns) - 1
        if number not in values or best not in values or not whole:
            continue
        other: Any = candidates.loc[best]  # type: ignore[call-overload]
        differs = {n: row[n] for n in columns if not _same(row[n], other[n])}
        equal = {n: row[n] for n in columns if n not in differs and design.kind == "grid"}
        found.append(
            {
                **row.to_dict(),
                "reference": _text({n: other[n] for n in differs}),
                "differs": _text(differs),
                "at": _text(equal),
                **mean_and_ci(values[number] - values[best]),
            }
        )  # fmt: skip
    names = [*columns, "reference", "differs", "at", "mean", "ci", "n"]
    return pd.DataFrame(found, columns=names).astype({"n": int})


def _references(rows: "pd.DataFrame", design: DesignParameters, reference: Any) -> "pd.DataFrame":
    """The rows with which others are compared."""
    import pandas as pd

    first = rows.columns[0]
    if reference is None and design.kind == "one_at_a_time":
        return rows.head(1)
    wanted = rows[first].iloc[0] if reference is None else reference
    fits = pd.Series([_same(one, wanted) for one in rows[first]], rows.index)
    if not fits.any():
        shown = ", ".join(dict.fromkeys(map(_shown, rows[first])))
        raise InputError(
            f"no run has {first} = {_shown(wanted)}; there are {shown}", parameter="reference"
        )
    return rows.head(1) if fits.all() else rows[fits]


def differences_text(table: "pd.DataFrame", outcome: str) -> str:
    """`paired_differences` for reading, one line a row.

    Args:
        table: with the unit of the differences in `attrs`.
        outcome: what it is of.
    """
    unit = f" {table.attrs['unit']}" if table.attrs.get("unit") else ""
    lines = [f"paired differences of {outcome} (pairs share their seed; mean and 95 % interval)"]
    for row in table.to_dict("records"):
        number = with_interval(float(row["mean"]), float(row["ci"]), "+.3g")
        at = f" at {row['at']}" if row["at"] else ""
        lines.append(
            f"  {row['differs']}{at}: {number}{unit} against {row['reference']} (n = {row['n']})"
        )
    return "\n".join(lines)
