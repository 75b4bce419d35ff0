"""A trial's table as text, and its tables on the disk."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.storage.durable import failures_explained, write_durably
from bonesim.trials.compare import K_OF_BONE, Comparison
from bonesim.trials.outcomes import BY_K
from bonesim.trials.parameters import TrialParameters

if TYPE_CHECKING:
    import pandas as pd

TRIAL, PEOPLE = "trial.csv", "people.csv"
#: Columns of the terminal's table.
HEAD = (
    f"  {'estimate':19s} {'arm':24s} {'n':>5s} {'mean':>8s}  {'95 % interval':19s} {'median':>8s} "
    f"{'P':>9s}   published"
)


def write_tables(folder: Path, people: "pd.DataFrame", comparison: Comparison) -> None:
    """Put people.csv and trial.csv into the trial's folder.

    Raises:
        InputError, ResourceError: they cannot be written.
    """
    with failures_explained(folder):
        for name, table in ((PEOPLE, people), (TRIAL, comparison.estimates)):
            write_durably(folder / name, table.to_csv(index=False).encode())


def people_of(points: "pd.DataFrame") -> "pd.DataFrame":
    """The participants, one row each, from the design of a trial's folder."""
    return (
        points.drop(columns=["point", "row", "replicate", "arm"])
        .drop_duplicates("person")
        .reset_index(drop=True)
    )


def text(comparison: Comparison) -> str:
    """The trial as text: every quantity at its last visit and at visits with a published value.

    The primary one is reported at all visits.
    """
    p, table = comparison.parameters, comparison.estimates
    primary, day = p.primary
    lines = [
        f"{p.title}",
        f"{comparison.people} of {p.cohort.people} persons, {p.cohort.different_bones} bones, each in "
        f"{len(p.arm)} arms; the real trial had "
        + ", ".join(f"{arm.name} {arm.people}" for arm in p.arm),
        "", HEAD,
    ]  # fmt: skip
    for name in (*p.changes, *p.levels):
        rows = table[table["quantity"] == name]
        days = {int(rows["day"].max()), *(o.visit_day for o in p.published if o.quantity == name)}
        for at in sorted(rows["day"].unique() if name == primary else days):
            lines += _section(p, rows[rows["day"] == at], name, int(at))
    lines += ["", *_notes(p, table, primary, day)]
    return "\n".join(lines)


def _section(p: TrialParameters, rows: "pd.DataFrame", name: str, day: int) -> list[str]:
    """One quantity on one day."""
    own = p.clinic.density.k_dxa
    main = rows[rows["k_dxa"].isna() | (rows["k_dxa"] == own)]
    first = main.iloc[0]
    unit = "% change" if first["reported_as"] == "change_percent" else first["unit"]
    k = f", k = {own:.2f}" if name == BY_K else ""
    lines = ["", f"day {day}: {first['what']} ({name}, {unit}{k})"]
    lines += [_line(row) for row in main.to_dict("records")]
    if name != BY_K:
        return lines
    for row in rows[(rows["k_dxa"] != own) & rows["arm"].isin(p.differences())].to_dict("records"):
        if row["estimate"] == "twin" or (row["estimate"], row["k_dxa"]) == (
            "independent",
            K_OF_BONE,
        ):
            lines.append(_line(row | {"estimate": f"{row['estimate']}, k {row['k_dxa']:.2f}"}))
    return lines


def _line(row: dict[Any, Any]) -> str:
    """One estimate."""
    repeated = row["estimate"] == "repeated"
    span = f"{_number(row.get('low'))} to {_number(row.get('high'))}" + (" *" if repeated else "")
    text = (
        f"  {row['estimate']:19s} {row['arm'][:24]:24s} {row['n']:5.0f} "
        f"{_number(row.get('mean')):>8s}  {span:19s} {_number(row.get('median')):>8s} "
        f"{_p(row.get('p')):>9s}   "
    )
    if np.isfinite(row.get("published", np.nan)):
        text += f"{_number(row['published'])}"
        if np.isfinite(row.get("published_low", np.nan)):
            text += f" ({_number(row['published_low'])} to {_number(row['published_high'])})"
        text += " median" if row["published_statistic"] == "median" else ""
        text += (
            f" P {_p(row['published_p'])}" if np.isfinite(row.get("published_p", np.nan)) else ""
        )
        if isinstance(row.get("within"), bool):
            text += ", inside" if row["within"] else ", OUTSIDE"
    return text.rstrip()


def _notes(p: TrialParameters, table: "pd.DataFrame", primary: str, day: int) -> list[str]:
    """The distribution of P of the primary outcome, the variances, and a legend."""
    lines = []
    own = p.clinic.density.k_dxa
    rows = table[
        (table["quantity"] == primary)
        & (table["day"] == day)
        & (table["k_dxa"].isna() | (table["k_dxa"] == own))
    ]
    for name in p.differences():
        mine = rows[rows["arm"] == name]
        again = mine[mine["estimate"] == "repeated"].iloc[0]
        text = (
            f"{name}: {again['n']:.0f} repeated trials find P {_p(again['p_low'])}, "
            f"{_p(again['p'])}, {_p(again['p_high'])} (5th, 50th, 95th percentile)"
        )
        if isinstance(again.get("p_covered"), bool):
            covered = "is among them" if again["p_covered"] else "IS NOT AMONG THEM"
            text += f"; the published {_p(again['published_p'])} {covered}"
        lines.append(text)
        twin = mine[mine["estimate"] == "twin"].iloc[0]
        if np.isfinite(twin.get("variance_ratio", np.nan)):
            lines.append(
                f"{name}: the real trial's difference has {twin['variance_ratio']:.1f} times the "
                f"twins' variance; independent runs without noise have "
                f"{twin['variance_ratio_runs']:.1f} times, with as many runs"
            )
    return [
        *lines,
        "twin: every person in every arm, no noise, paired t. independent: each person in one arm, "
        "dropout and noise, Welch's t.",
        "* repeated: 5th to 95th percentile of the difference, and P's median.",
        f"DXA follows bone mineral by k = {own:.2f} (fixed, not fitted); k = {K_OF_BONE:g} is bone "
        "mineral itself. A research tool, not for clinical decisions.",
    ]


def _number(value: Any) -> str:
    """A number with three digits."""
    if value is None or not np.isfinite(value):
        return "-"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def _p(value: Any) -> str:
    """A P."""
    return "" if value is None or not np.isfinite(value) else f"{value:.2g}"
