"""The page of a run, alone or beside its twin."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bonesim.errors import InputError
from bonesim.instruments.visits import ClinicParameters
from bonesim.page.blobs import Blobs
from bonesim.page.document import Page, assembled
from bonesim.page.events import page_events
from bonesim.page.facts import bone_text, configuration_rows, days_text, provenance_rows
from bonesim.page.snapshots import BONE_LEVEL, coarsening, packed_snapshots
from bonesim.page.tables import packed_table
from bonesim.page.untreated import is_untreated_twin, lacking_text
from bonesim.reports import clinic
from bonesim.reports.pairs import differ_text, flat
from bonesim.storage.reader import Run
from bonesim.units import DAYS_PER_YEAR
from bonesim.viewer import palette
from bonesim.viewer.moments import WEEK, suppressed_spans, weekly_e2

if TYPE_CHECKING:
    import pandas as pd

#: Raised when the page's program could no longer read the header.
HEADER_VERSION = 1
#: Colours of a number that the page interpolates between.
MAP_STOPS = 33
#: Columns of the daily table that the page's curves begin with.
CURVES = ("e2_pg_per_ml", "bvtv_percent", "tb_th_um", "conn_d_per_mm3")

#: Columns of the daily table that swing between doses: curves have their mean of the past week.
SWINGING = ("e2_pg_per_ml", "t_ng_per_dl")


def page_of_run(run: Run, twin: Run | None = None) -> Page:
    """The page of a run.

    Args:
        run: an open run file with a snapshot.
        twin: another of the same lattice: the untreated twin's, or of another arm.

    Raises:
        InputError: no snapshot yet; another lattice. CorruptFileError: a damaged file.
    """
    runs = [run] if twin is None else [run, twin]
    for one in runs:
        if not one.snapshot_days:
            raise InputError(f"{one.path}: holds no snapshot yet, nothing to show; let it run on")
    if twin is not None and (twin.shape, twin.voxel_um) != (run.shape, run.voxel_um):
        raise InputError(
            f"{twin.path}: has {_lattice(twin)}, and {run.path} has {_lattice(run)}; "
            "both need the same lattice", parameter="twin",
        )  # fmt: skip
    blobs = Blobs()
    other = None if twin is None else _other(run, twin)
    names = ("run", "twin") if other is None else other["names"]
    title = run.title if other is None or other["twin"] else f"{names[0]} compared with {names[1]}"
    header = {
        "version": HEADER_VERSION,
        "kind": "run",
        "title": title,
        "other": other,
        "days_per_year": DAYS_PER_YEAR,
        "bone_level": BONE_LEVEL,
        "palette": _palette(),
        "curves": list(CURVES),
        "weekly": {"days": WEEK, "columns": list(SWINGING)},
        "runs": [_packed(blobs, one, name) for one, name in zip(runs, names, strict=False)],
    }
    page = assembled(title or run.path.name, header, blobs.texts)
    return replace(page, files=tuple(one.path.name for one in runs))


def _other(run: Run, other: Run) -> dict[str, Any]:
    """What the second run of a page is to the first: its untreated twin, or another arm.

    Returns:
        twin; names of both (of files, unless it is the twin); text: the second in words; differ: in
        what their configurations do.
    """
    mine, theirs = flat(run.config), flat(other.config)
    differ = differ_text(mine, theirs) or "nothing of their configs"
    if is_untreated_twin(run, other):
        return {"twin": True, "names": ("run", "twin"), "differ": differ,
                "text": f"its untreated twin: {lacking_text(mine, theirs)}"}  # fmt: skip
    names = (run.path.stem, other.path.stem)
    if names[0] == names[1] or "both" in names:  # the page has a view of that name
        names = (f"{names[0]} A", f"{names[1]} B")
    return {"twin": False, "names": names, "differ": differ, "text": names[1]}


def _lattice(run: Run) -> str:
    nz, ny, nx = run.shape
    return f"{nx} x {ny} x {nz} voxels of {run.voxel_um:g} um"


def _packed(blobs: Blobs, run: Run, name: str) -> dict[str, Any]:
    n = coarsening(run.shape)
    visits, why = _visits(run)
    return {
        "name": name,
        "file": run.path.name,
        "title": run.title,
        "bone": bone_text(run),
        "days": days_text(run),
        "status": run.status,
        "shape": list(run.shape),
        "voxel_um": run.voxel_um,
        "coarsened": n,
        "snapshots": packed_snapshots(blobs, run),
        "daily": packed_table(blobs, run.table, _symbols(run, "table")),
        "measures": packed_table(blobs, run.snapshot_table, _symbols(run, "snapshot_table")),
        "events": packed_table(blobs, page_events(run)),
        "clinic": None if visits is None else packed_table(blobs, visits),
        "clinic_note": why,
        "suppressed": [
            list(span) for span in suppressed_spans(run.table["day"].to_numpy(), weekly_e2(run))
        ],
        "configuration": configuration_rows(run.config),
        "provenance": provenance_rows(run),
    }  # fmt: skip


def _symbols(run: Run, table: str) -> dict[str, str]:
    return {column.name: column.symbol for column in run.columns(table)}


def _visits(run: Run) -> "tuple[pd.DataFrame | None, str]":
    """What a clinic would read at the snapshots, or why there is nothing."""
    p = ClinicParameters()
    try:
        return clinic.table(run, p), (
            "A change is beyond the least significant change (LSC) if it is more than 2.77 times the "
            f"instrument's CV. DXA: k = {p.density.k_dxa:.2f} of the change of trabecular mineral."
        )
    except InputError as error:
        return None, str(error)


def _palette() -> dict[str, Any]:
    """The colours of all pictures of bonesim, for the page."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    colours = colormaps[palette.NUMBER_MAP]
    return {
        "bone": palette.BONE, "cut": palette.CUT_FACE, "ink": palette.INK,
        "background": palette.BACKGROUND, "suppression": palette.SUPPRESSION,
        "twin": palette.TWIN,
        "states": [list(palette.STATES[code]) for code in sorted(palette.STATES)],
        "events": {kind: mark._asdict() for kind, mark in palette.EVENTS.items()},
        "numbers": [to_hex(colours(k / (MAP_STOPS - 1))) for k in range(MAP_STOPS)],
        "changes": [list(one) for one in palette.CHANGES.values()],
        "cells": {name: list(one) for name, one in palette.CELLS.items()},
        "sides": [list(one) for one in palette.SIDES.values()],
    }  # fmt: skip
