"""A run as Python and notebooks show it: one line, or a small table.

`run` is a `Run` of the reader, which imports this module.
"""

from html import escape
from typing import Any

from bonesim.errors import BonesimError
from bonesim.storage.validation import DAMAGE, first_line
from bonesim.units import DAYS_PER_YEAR

#: Characters of a title, and snapshot days, shown in one line.
MAX_TITLE = 80
MAX_DAYS = 6


def one_line(run: Any) -> str:
    """Run(file, title, status, day, lattice, snapshots); never raises."""
    name = repr(str(run.path))
    if run.closed:
        return f"Run({name}, closed)"
    try:
        parts = (_title(run), run.status, _day(run), _lattice(run), f"snapshots {_snapshots(run)}")
    except (BonesimError, *DAMAGE):
        return f"Run({name}, damaged)"
    return f"Run({name}, {', '.join(parts)})"


def html_table(run: Any) -> str:
    """A table for notebooks, without outside resources; every text is escaped. Never raises."""
    if run.closed:
        rows = [("status", "closed; open it again with open_run")]
    else:
        try:
            rows = _rows(run)
        except (BonesimError, *DAMAGE) as error:
            rows = [("status", f"damaged: {first_line(error)}")]
    cells = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(value)}</td></tr>'
        for name, value in [("file", str(run.path)), *rows]
    )
    return f"<table><caption>bonesim run</caption><tbody>{cells}</tbody></table>"


def _rows(run: Any) -> list[tuple[str, str]]:
    made = run.provenance
    days = _day(run).removeprefix("day ")
    if run.last_day is not None:
        days += f" ({run.last_day / DAYS_PER_YEAR:.1f} years simulated)"
    mm = " x ".join(f"{n * run.voxel_um / 1000:.2f}" for n in reversed(run.shape))
    return [
        ("title", run.title),
        ("status", run.status),
        ("day", days),
        ("lattice", f"{mm} mm: {_lattice(run)}"),
        ("seed", str(run.config.get("seed", "unknown"))),
        ("made by", f"bonesim {made.get('bonesim', 'unknown')}, {made.get('created', 'unknown')}"),
        ("snapshots", _snapshots(run)),
        ("events", _events(run)),
    ]


def _title(run: Any) -> str:
    title = run.title
    return repr(title if len(title) <= MAX_TITLE else title[: MAX_TITLE - 3] + "...")


def _day(run: Any) -> str:
    last, planned = run.last_day, run.planned_days
    reached = "none" if last is None else str(last)
    return f"day {reached}" + ("" if planned is None else f" of {planned}")


def _lattice(run: Any) -> str:
    nz, ny, nx = run.shape
    return f"{nx} x {ny} x {nz} voxels of {run.voxel_um:g} um"


def _snapshots(run: Any) -> str:
    days = [str(day) for day in run.snapshot_days]
    if len(days) > MAX_DAYS:
        days[MAX_DAYS - 2 : -1] = [f"... ({len(days)} in all)"]
    return ", ".join(days) or "none"


def _events(run: Any) -> str:
    counts = run.events["kind"].value_counts(sort=False)
    return ", ".join(f"{kind} {count}" for kind, count in counts.items() if count) or "none"
