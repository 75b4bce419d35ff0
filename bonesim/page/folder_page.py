"""The page of a sweep or trial: its points, what failed, and its figures.

Figures are made by `bonesim.viewer` and put into the page as pictures, their numbers beside them. A
folder of more than `MAX_POINTS` points has its figures and its failures in the page, not its data: a
browser would need too much memory.
"""

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonesim.errors import InputError
from bonesim.page.arms_table import arms_table, renamed, symbol_of
from bonesim.page.blobs import Blobs
from bonesim.page.document import FOLDER, Page, assembled
from bonesim.page.run_page import HEADER_VERSION
from bonesim.page.tables import packed_table
from bonesim.storage.file_kind import kind_of
from bonesim.sweeps import status
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.journal import RUNS, STUDY
from bonesim.sweeps.study import StudyParameters, read_as
from bonesim.trials.compare import Comparison, compared
from bonesim.trials.outcomes import outcomes_of
from bonesim.trials.parameters import TrialParameters
from bonesim.units import units_of
from bonesim.viewer import sweep_plots, trial_plots
from bonesim.viewer.picture import Drawing

if TYPE_CHECKING:
    import pandas as pd

MAX_POINTS = 300
#: Failed points that are listed with their error.
MAX_FAILED = 300
#: Outcomes that a sweep's figures are of, if the results have them.
OUTCOMES = ("bvtv_percent", "bmd_mg_per_cm3", "tb_th_um", "conn_d_per_mm3")
MOMENT = "change"
#: Kind of figure -> what it shows.
SHOWN = {
    "curves": "mean of each arm, and paired differences where arms share seeds",
    "heatmap": "mean of each pair of values", "pairs": "each variable by itself",
    "sobol": "share of the variance that each variable has (Sobol)",
    "morris": "elementary effects of each variable (Morris)",
}  # fmt: skip


def page_of_folder(path: Path) -> Page:
    """The page of a sweep's or trial's folder, as far as it has got.

    Raises:
        InputError: no folder of a sweep or trial, or its design cannot be read.
    """
    folder = Folder(path)
    is_trial = kind_of(path / STUDY) == "trial"
    found, blobs = status.status_of(path), Blobs()
    points = _points(folder, status.table(found))
    results = folder.results()
    results.attrs["units"] = units_of(map(str, results.columns))
    few = len(found.points) <= MAX_POINTS
    title, figures, tables, arms = (_of_trial if is_trial else _of_sweep)(path, results)
    if few:
        tables = {"points": points, "results": results, **tables}
    failed = points[points["state"] == "failed"].head(MAX_FAILED)
    header = {
        "version": HEADER_VERSION,
        "kind": "trial" if is_trial else "sweep",
        "title": title,
        "folder": path.resolve().name,
        "counts": {name: int((points["state"] == name).sum()) for name in ("done", "failed", "waiting")},
        "few": few,
        "most": MAX_POINTS,
        "notes": status.notes(found),
        "arms": arms,
        "figures": figures,
        "failed": packed_table(blobs, failed[["point", "failed_attempts", "error"]]),
        "runs": sorted(one.name for one in (path / RUNS).glob("*.vtkhdf"))[:MAX_POINTS],
        "tables": {name: packed_table(blobs, table) for name, table in tables.items() if len(table)},
        "study": (path / STUDY).read_text(encoding="utf-8"),
    }  # fmt: skip
    return assembled(title, header, blobs.texts, FOLDER)


def _points(folder: Folder, states: "pd.DataFrame") -> "pd.DataFrame":
    """State of each point beside its design; one row per point."""
    design = folder.points().drop_duplicates("point")
    return states.merge(design, on="point", how="left", suffixes=("", "_of_design"))


#: Title, figures, further tables and the table of arms.
Parts = tuple[str, list[dict[str, Any]], dict[str, Any], dict[str, Any] | None]


def _of_sweep(path: Path, results: "pd.DataFrame") -> Parts:
    """The parts of a sweep's page."""
    parameters = read_as(path / STUDY, StudyParameters)[0]
    figures, outcomes = [], [name for name in OUTCOMES if name in results]
    results, design, names = renamed(results, parameters.design)
    usual = sweep_plots.default_kind(design)
    for outcome in outcomes:
        label = f"{symbol_of(outcome)}: change from first to last snapshot (%)"
        for kind in dict.fromkeys((usual, "pairs") if len(design.variable) > 1 else (usual,)):
            try:
                drawing = sweep_plots.draw(
                    results, design, outcome=outcome, moment=MOMENT, kind=kind, label=label
                )
            except InputError:  # too few results yet for this kind of figure
                continue
            figures.append(
                _figure(
                    f"{label}; {SHOWN[kind]}", f"{outcome}_{kind}", _with_columns(drawing, names)
                )
            )
    return parameters.title, figures, {}, arms_table(results, design, outcomes, MOMENT)


def _with_columns(drawing: Drawing, names: dict[str, str]) -> Drawing:
    """The same figure; the columns of its numbers are those of the results again."""
    beside = {}
    for end, text in drawing.beside.items():
        head, line_end, rows = text.partition("\n")
        cells = head.split(",")
        own = {shown: name for name, shown in names.items()}
        beside[end] = ",".join(own.get(cell, cell) for cell in cells) + line_end + rows
    return drawing._replace(beside=beside)


def _of_trial(path: Path, results: "pd.DataFrame") -> Parts:
    """The parts of a trial's page; no figure before a person has all arms."""
    parameters = read_as(path / STUDY, TrialParameters)[0]
    try:
        found: Comparison = compared(parameters, outcomes_of(results, parameters))
    except InputError:
        return parameters.title, [], {}, None
    reference = parameters.reference.name
    arms = [reference, *(arm.name for arm in parameters.arm if arm.name != reference)]
    drawing = trial_plots.draw(found.estimates, found.curves, found.repeats, arms, parameters.title)
    figures = [_figure("Change by arm, P over repeated trials, estradiol", "trial", drawing)]
    tables = {"estimates": found.estimates, "curves": found.curves}
    return parameters.title, figures, tables, None


def _figure(title: str, name: str, drawing: Drawing) -> dict[str, Any]:
    drawn = io.BytesIO()
    # Without the program's version, so that the same results give the same bytes.
    drawing.figure.savefig(drawn, format="png", metadata={"Software": None})
    return {
        "title": title, "name": name, "png": base64.b64encode(drawn.getvalue()).decode(),
        "csv": {f"{name}{end.removesuffix('.csv')}": text for end, text in drawing.beside.items()},
    }  # fmt: skip
