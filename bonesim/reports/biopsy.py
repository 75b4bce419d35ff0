"""A doubly labelled biopsy of a configuration at a day: 3-D truth beside 2-D sections."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bonesim.config.changes import changed
from bonesim.config.config import Config
from bonesim.config.explain import explain
from bonesim.engine import compile_ahead
from bonesim.engine.burn_in import equilibrated
from bonesim.engine.days import advance
from bonesim.errors import InputError
from bonesim.histology.bench import osteoid_day
from bonesim.histology.biopsy import BiopsyParameters, Reading, biopsy, check_days, check_size
from bonesim.histology.health import HEALTH
from bonesim.specimens import make_specimen
from bonesim.storage.program import version_of

if TYPE_CHECKING:
    import pandas as pd

#: Paths of changes that begin so are of the biopsy, not of the configuration.
PREFIX = "biopsy."

NOTES = (
    "true: 3-D geometry, and the census of all sites that ended in the {packets_day} days before",
    "sections: planes across z, y and x every {spacing_um:g} um, labels {interval_day} days apart, "
    "biopsy {wait_day} days later; perimeter x 4/pi, width x pi/4",
    "cells: the daily table, where a site has the area its cells claimed",
    "periods and Ac.f from sections hold in steady state only: in one small block the surface of one "
    "day can differ from a year's by tens of percent",
    "matrix is osteoid for {lag} days after it was formed, under a label and after its team",
    "health: bands of sections, and mean +/- 1 SD of cavities in 3-D (N.Cv/TV, Cv.De, Cv.S, Cv.V: Goff "
    "2012, nine vertebrae of 47 to 80 years); the two contradict each other: 7.6 um of volume over area",
)


def parameters_of(changes: dict[str, Any]) -> tuple[dict[str, Any], BiopsyParameters]:
    """What changes of the configuration, and the biopsy's parameters.

    Raises:
        InputError: a biopsy's path or value that is not allowed.
    """
    mine = {k.removeprefix(PREFIX): v for k, v in changes.items() if k.startswith(PREFIX)}
    tree = changed(BiopsyParameters().model_dump(), mine)
    try:
        parameters = BiopsyParameters.model_validate(tree)
    except ValidationError as error:
        raise InputError(explain(error, "biopsy", BiopsyParameters)) from None
    return {k: v for k, v in changes.items() if not k.startswith(PREFIX)}, parameters


def table(
    config: Config, day: int, p: BiopsyParameters, note: Callable[[str], None] = lambda _: None
) -> "pd.DataFrame":
    """Simulate a configuration until `day` and take a biopsy there; one row per measure.

    `attrs["parameters"]` has the biopsy's parameters. `health_low` and `health_high` are the band in
    health of the column named in `health_of`, and `in_health` is whether its value lies there.

    A day after the configuration's last is reached with its last hormones and treatment.

    Raises:
        InputError: too early a day, too small a bone.
    """
    import pandas as pd

    if day < p.packets_day:
        raise InputError(
            f"got {day}; a biopsy looks back on {p.packets_day} days after the burn-in; give day "
            f"{p.packets_day} or later, or lower biopsy.packets_day",
            parameter="day",
        )
    if day > config.schedule.duration_day:
        config = config.with_changes({"schedule.duration_day": day})
    check_days(config, p)
    config.course()  # an impossible course is an error before any work
    with compile_ahead.in_second_process() as compiling:
        bone = make_specimen(config.specimen, note)
        check_size(bone.quanta.shape, bone.voxel_um, p)
        for line in (bone.origin, *bone.notes):
            note(line)
        if compiling:
            note(compile_ahead.NOTE)
        simulation, _ = equilibrated(config, bone)
        advance(simulation, day - p.packets_day)
        readings = biopsy(simulation, p)
    found = pd.DataFrame(
        {"day": day, **one._asdict(), "difference_percent": one.difference_percent, **_health(one),
         "seed": config.seed, "voxel_um": bone.voxel_um,
         "version": f"bonesim {version_of('bonesim')}"}
        for one in readings
    )  # fmt: skip
    found.attrs["parameters"] = {**p.model_dump(), "lag": osteoid_day(config)}
    return found


def _health(one: Reading) -> dict[str, Any]:
    """The band in health, and whether a reading lies in it; empty where there is none."""
    band = HEALTH.get(one.symbol)
    if band is None:
        return {"health_of": "", "health_low": None, "health_high": None, "in_health": ""}
    value = getattr(one, band.of)
    return {
        "health_of": band.of, "health_low": band.low, "health_high": band.high,
        "in_health": "yes" if band.holds(value) else ("no" if value == value else ""),
    }  # fmt: skip


def text(table: "pd.DataFrame") -> str:
    """The biopsy as text."""
    p = table.attrs["parameters"]
    lines = [
        f"day {table['day'].iloc[0]}, voxel {table['voxel_um'].iloc[0]:g} um",
        "",
        f"{'':9s}{'true':>10s}{'sections':>10s}{'':9s}{'cells':>9s}{'health':>26s}",
    ]
    for row in table.to_dict("records"):
        apart = row["difference_percent"]
        lines.append(
            f"{row['symbol']:9s}{_number(row['true']):>10s}{_number(row['sections']):>10s}"
            f"{'' if apart != apart else f'{apart:+.1f} %':>9s}{_number(row['cells']):>9s}"
            f"{_band(row):>26s}   {row['unit']:10s} {row['meaning']}"
        )
    notes = [note.format(**p) for note in NOTES]
    return "\n".join([*lines, "", *notes, table["version"].iloc[0]])


def _band(row: dict[Any, Any]) -> str:
    """The band in health, with a mark where the value lies outside."""
    if not row["health_of"]:
        return ""
    outside = "" if row["in_health"] != "no" else "out of "
    low, high = (_number(row[end]) for end in ("health_low", "health_high"))
    return f"{outside}{low} to {high}"


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.0f}" if value >= 1e4 else f"{value:.4g}"
