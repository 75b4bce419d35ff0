"""What a run file says in words, for `bonesim info`."""

from bonesim.errors import CorruptFileError
from bonesim.storage.reader import Run
from bonesim.storage.validation import first_line
from bonesim.units import DAYS_PER_YEAR

#: Columns of the daily table told at the first day, each snapshot and the last day.
TOLD = ("e2_pg_per_ml", "bvtv_percent", "bmd_mg_per_cm3", "es_bs_percent", "os_bs_percent",
        "turnover_percent_per_year", "perforations_final", "strut_cuts_final",
        "fragments_freed")  # fmt: skip


def summary(run: Run) -> str:
    """A run in a screenful: what it is, how far it got, what came out.

    Raises:
        CorruptFileError: a day, a column or a parameter that every run has is not there.
    """
    try:
        return _summary(run)
    except LookupError as error:
        raise CorruptFileError(
            f"{run.path}: lacks what a run has ({first_line(error)}); "
            "take another copy or run it anew"
        ) from None


def _summary(run: Run) -> str:
    table = run.table.set_index("day")
    voxel = run.voxel_um
    nz, ny, nx = run.shape
    lines = [
        f"{run.config['title']}   [{run.status}, day {int(table.index[-1])} of "
        f"{run.config['schedule']['duration_day']}]",
        f"bone      {nx} x {ny} x {nz} voxels of {voxel:g} um "
        f"({nx * voxel / 1000:.2f} x {ny * voxel / 1000:.2f} x {nz * voxel / 1000:.2f} mm)",
        *(f"          {note}" for note in run.provenance["notes"]),
        f"seed      {run.config['seed']}",
        f"made by   bonesim {run.provenance['bonesim']}, {run.provenance['created']}",
        "",
    ]
    days = sorted({0, *run.snapshot_days, int(table.index[-1])})
    told = table.loc[days, list(TOLD)]
    names = {c.name: f"{c.symbol or c.name}{f' ({c.unit})' if c.unit else ''}"
             for c in run.columns("table")}  # fmt: skip
    told = told.rename(columns=names)
    told.index = [f"day {day} ({day / DAYS_PER_YEAR:.1f} y)" for day in days]
    lines += [told.T.to_string(float_format=lambda value: f"{value:.3g}"), ""]
    events = run.events
    if len(events):
        counts = events.groupby(["kind", "status"], observed=True).size().unstack(fill_value=0)
        lines += ["topological events", counts.to_string()]
    else:
        lines.append("no topological events")
    return "\n".join(lines)
