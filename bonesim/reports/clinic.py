"""A run file as the record of a clinic: DXA, QCT and turnover markers, with their noise."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bonesim.config.changes import changed
from bonesim.config.explain import explain
from bonesim.errors import InputError
from bonesim.instruments.density import K_HIGHEST, K_LOWEST
from bonesim.instruments.hip import SHARE_HIGHEST, SHARE_LOWEST
from bonesim.instruments.visits import ClinicParameters, visits
from bonesim.storage.reader import Run

if TYPE_CHECKING:
    import pandas as pd


def parameters_of(changes: Mapping[str, Any]) -> ClinicParameters:
    """The defaults with values at dotted paths replaced, e.g. density.k_dxa.

    Raises:
        InputError: a path or value that is not allowed.
    """
    tree = changed(ClinicParameters().model_dump(), dict(changes))
    try:
        return ClinicParameters.model_validate(tree)
    except ValidationError as error:
        raise InputError(explain(error, "changes", ClinicParameters)) from None


def table(
    run: Run, p: ClinicParameters, seed: int | None = None, *, every_day: bool = False
) -> "pd.DataFrame":
    """What each instrument reads at each snapshot, or every day; see `visits`.

    `attrs["parameters"]` has the parameters.

    Args:
        run: the run.
        p: parameters.
        seed: of the noise; the run's own if None.
        every_day: all days instead of those with a snapshot.

    Raises:
        InputError: the run has no day, no snapshot yet, or no bone mineral.
    """
    if not every_day and not run.snapshot_days:
        raise InputError(f"{run.path}: holds no snapshot yet; give `every_day` or let it run on")
    days = None if every_day else run.snapshot_days
    try:
        found = visits(run.table, p, seed_of(run, seed), days)
    except InputError as error:
        raise InputError(f"{run.path}: {error}") from None
    found.attrs["parameters"] = p.model_dump()
    return found


def text(table: "pd.DataFrame") -> str:
    """The record as text: each visit's reading, its change, and whether it exceeds the noise."""
    p = ClinicParameters.model_validate(table.attrs["parameters"])
    lines = []
    for day, rows in table.groupby("day", sort=True):
        lines.append(f"\nday {day}")
        for row in rows.to_dict("records"):
            mark = "*" if row["beyond_lsc"] else " "
            lines.append(
                f"  {row['what']:24s}{row['value']:9.4g}{row['change_percent']:+8.1f} %"
                f"{row['read']:11.4g}{row['read_change_percent']:+8.1f} %{mark}"
                f"{row['lsc_percent']:8.1f} %   {row['unit']}"
            )
    last = table[(table["quantity"] == "hr_pqct_vbmd")].iloc[-1]
    block = last["change_percent"]
    low, high = (k * block for k in (K_LOWEST, K_HIGHEST))
    head = f"  {'':24s}{'true':>9s}{'change':>10s}{'read':>11s}{'change':>10s}{'LSC':>11s}"
    notes = [
        "",
        "* more than the least significant change between two such readings (2.77 CV, ISCD)",
        f"DXA: k = {p.density.k_dxa:.2f} of the change of trabecular mineral; with k {K_LOWEST:.2f} "
        f"to {K_HIGHEST:.2f} the spine changes by {low:+.1f} to {high:+.1f} % until day {last['day']}",
        *_of_hip(table, p, block),
        f"markers: mean of {p.markers.window_day} days; baseline is the mean of the first "
        f"{p.markers.baseline_day} days, in which a treatment from day 0 already works; nan: nothing "
        "was turned over in them",
    ]
    return head + "\n".join(["", *lines, *notes])


def _of_hip(table: "pd.DataFrame", p: ClinicParameters, block: float) -> list[str]:
    """How the hip's change hangs on the share of cortex; nothing can be derived from a share of 0."""
    share = p.hip.cortical_share
    if not share > 0.0:
        return []
    last = table[table["quantity"] == "th_abmd"].iloc[-1]
    shell = (last["change_percent"] - (1.0 - share) * block) / share
    some, most = (one * shell + (1.0 - one) * block for one in (SHARE_LOWEST, SHARE_HIGHEST))
    return [
        f"total hip: {share:.2f} cortex ({shell:+.1f} % by its own births and depth, which DXA does not "
        f"separate), the rest as the block ({block:+.1f} %); with {SHARE_LOWEST:.2f} and "
        f"{SHARE_HIGHEST:.2f} the hip changes by {some:+.1f} and {most:+.1f} % until day {last['day']}"
    ]


def seed_of(run: Run, seed: int | None) -> int:
    """The seed of the readings' noise: as given, or the run's own."""
    return int(run.config.get("seed", 1)) if seed is None else seed
