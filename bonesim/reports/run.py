"""What a run file holds and what came out of it."""

from typing import TYPE_CHECKING, Any

from bonesim.errors import CorruptFileError, InputError
from bonesim.storage.provenance import branchings, history
from bonesim.storage.reader import Run
from bonesim.storage.validation import first_line
from bonesim.units import DAYS_PER_YEAR

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the daily table reported at the first day, each snapshot and the last day.
REPORTED = ("e2_pg_per_ml", "bvtv_percent", "bmd_mg_per_cm3", "es_bs_percent", "os_bs_percent",
            "turnover_percent_per_year", "fragments_freed")  # fmt: skip
#: Reported where a file has them: not in one of version 0.1.
BREAKS = ("holes", "cuts")

#: Columns of the snapshot table reported beside them, on days with a snapshot.
MEASURED = ("tb_th_um", "tb_th_smooth_um", "closed_tb_th_um", "open_bv_percent", "roughness",
            "closed_roughness", "conn_d_unfiltered_per_mm3", "conn_d_per_mm3")  # fmt: skip


def table(run: Run) -> "pd.DataFrame":
    """The main outcomes on the first day, each snapshot's and the last day: one row per day.

    `attrs["run"]` describes the run (title, status, bone, seed, versions), `attrs["breaks"]` how
    many breaks of each kind have which state, `attrs["events"]` how many topological events of
    single voxels have which status.

    Raises:
        InputError: the run is in its burn-in.
        CorruptFileError: a day, a column or a parameter that every run has is not there.
    """
    if run.last_day is None:
        raise InputError(
            f"{run.path}: is in its burn-in, no day is on record yet; let it run on, or resume it"
        )
    try:
        daily = run.table.set_index("day", drop=False)
        days = sorted({0, *run.snapshot_days, int(daily.index[-1])})
        breaks = [name for name in BREAKS if name in daily]
        found = daily.loc[days, ["day", *REPORTED, *breaks]].reset_index(drop=True)
        found = found.merge(_measured(run), how="left", on="day", validate="one_to_one")
        columns = (*run.columns("table"), *run.columns("snapshot_table"))
        found.attrs = {
            "units": {one.name: one.unit for one in columns if one.name in found},
            "run": _head(run),
            "breaks": _counts(run.breaks, "state"),
            "events": _counts(run.events, "status"),
            "names": _names(run),
        }
    except LookupError as error:
        raise CorruptFileError(
            f"{run.path}: lacks what a run has ({first_line(error)}); "
            "take another copy or run it again"
        ) from None
    return found


def _measured(run: Run) -> "pd.DataFrame":
    """`MEASURED` of each snapshot; without those that a file of an earlier version lacks."""
    held = run.snapshot_table
    return held[["day", *(name for name in MEASURED if name in held)]]


def _head(run: Run) -> dict[str, Any]:
    return {
        "title": run.config["title"],
        "status": run.status,
        "last_day": int(run.table["day"].iloc[-1]),
        "duration_day": run.config["schedule"]["duration_day"],
        "shape_zyx": list(run.shape),
        "voxel_um": run.voxel_um,
        "notes": list(run.provenance["notes"]),
        "seed": run.config["seed"],
        "version": run.provenance["bonesim"],
        "created": run.provenance["created"],
        "programs": history(run.provenance),
        "branches": branchings(run.provenance),
    }


def _counts(rows: "pd.DataFrame", outcome: str) -> dict[str, dict[str, int]]:
    """Kind -> outcome -> number."""
    if not len(rows):
        return {}
    counts = rows.groupby(["kind", outcome], observed=True).size().unstack(fill_value=0)
    return {str(kind): {str(n): int(v) for n, v in row.items()} for kind, row in counts.iterrows()}


def _names(run: Run) -> dict[str, str]:
    """Column -> symbol and unit."""
    return {
        column.name: f"{column.symbol or column.name}{f' ({column.unit})' if column.unit else ''}"
        for column in (*run.columns("snapshot_table"), *run.columns("table"))
    }


def text(table: "pd.DataFrame") -> str:
    """The run in a screenful: what it is, how far it got, what came out."""
    import pandas as pd

    run = table.attrs["run"]
    nz, ny, nx = run["shape_zyx"]
    voxel = run["voxel_um"]
    lines = [
        f"{run['title']}   [{run['status']}, day {run['last_day']} of {run['duration_day']}]",
        f"bone      {nx} x {ny} x {nz} voxels of {voxel:g} um "
        f"({nx * voxel / 1000:.2f} x {ny * voxel / 1000:.2f} x {nz * voxel / 1000:.2f} mm)",
        *(f"          {note}" for note in run["notes"]),
        *(f"{'' if number else 'branch':<10}{one}" for number, one in enumerate(run["branches"])),
        f"seed      {run['seed']}",
        *(f"{'' if number else 'made by':<10}{one}" for number, one in enumerate(run["programs"])),
        "",
    ]
    days = table["day"]
    wide = table.drop(columns="day").rename(columns=table.attrs["names"])
    wide.index = pd.Index([f"day {day:.0f} ({day / DAYS_PER_YEAR:.1f} y)" for day in days])
    lines += [wide.T.to_string(float_format=lambda value: f"{value:.3g}", na_rep=""), ""]
    for name, outcome, title in (
        ("breaks", "state", "breaks of the network (those there are the table's holes and cuts)"),
        ("events", "status", "topological events of single voxels, within cavities too"),
    ):
        if not table.attrs[name]:
            lines.append(f"no {title}")
            continue
        counts = pd.DataFrame.from_dict(table.attrs[name], orient="index").rename_axis("kind")
        counts.columns.name = outcome
        lines += [title, counts.to_string(), ""]
    return "\n".join(lines).rstrip()
