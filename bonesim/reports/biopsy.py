"""`bonesim biopsy`: a configuration lived to a day, its biopsy as a table, and that in words."""

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
from bonesim.histology.biopsy import BiopsyParameters, biopsy, check_size
from bonesim.specimens import make_specimen
from bonesim.storage.provenance import version_of

if TYPE_CHECKING:
    import pandas as pd

#: Paths of --set that begin so are of the biopsy, not of the configuration.
PREFIX = "biopsy."

NOTES = (
    "true: 3-D geometry, and the census of all sites that ended in the {packets_day} days before",
    "sections: planes across z, y and x every {spacing_um:g} um, labels {interval_day} days apart, "
    "biopsy {wait_day} days later; perimeter x 4/pi, width x pi/4",
    "cells: the daily table, where a site has the area its cells were given",
    "periods and Ac.f from sections hold in steady state only: in one small block the surface of one "
    "day can differ from a year's by tens of percent",
    "formation is taken for mineralisation (no osteoid lag)",
)


def split(changes: dict[str, Any]) -> tuple[dict[str, Any], BiopsyParameters]:
    """What --set changes of the configuration, and the biopsy's parameters.

    Raises:
        InputError: a biopsy's path or value that is not allowed.
    """
    mine = {k.removeprefix(PREFIX): v for k, v in changes.items() if k.startswith(PREFIX)}
    tree = changed(BiopsyParameters().model_dump(), mine)
    try:
        parameters = BiopsyParameters.model_validate(tree)
    except ValidationError as error:
        raise InputError(explain(error, "--set biopsy", BiopsyParameters)) from None
    return {k: v for k, v in changes.items() if not k.startswith(PREFIX)}, parameters


def biopsy_at(
    config: Config, day: int, p: BiopsyParameters, say: Callable[[str], None] = lambda _: None
) -> "pd.DataFrame":
    """Live a configuration until `day` and take a biopsy there; one row per measure.

    A day after the configuration's last is reached with its last hormones and treatment.

    Raises:
        InputError: too early a day, too small a bone.
    """
    import pandas as pd

    if day < p.packets_day:
        raise InputError(
            f"--day {day}: a biopsy looks back on {p.packets_day} days after the burn-in; give day "
            f"{p.packets_day} or later, or lower biopsy.packets_day"
        )
    if day > config.schedule.duration_day:
        config = config.with_changes({"schedule.duration_day": day})
    config.course()  # an impossible course is told before any work
    with compile_ahead.in_second_process() as compiling:
        bone = make_specimen(config.specimen)
        check_size(bone.quanta.shape, bone.voxel_um, p)
        for note in (bone.origin, *bone.notes):
            say(note)
        if compiling:
            say("compiling kernels (once, about a minute)")
        simulation, _ = equilibrated(config, bone)
        advance(simulation, day - p.packets_day)
        readings = biopsy(simulation, p)
    return pd.DataFrame(
        {"day": day, **one._asdict(), "difference_percent": one.difference_percent,
         "seed": config.seed, "voxel_um": bone.voxel_um,
         "version": f"bonesim {version_of('bonesim')}"}
        for one in readings
    )  # fmt: skip


def in_words(table: "pd.DataFrame", p: BiopsyParameters) -> str:
    """The biopsy for reading."""
    lines = [
        f"day {table['day'].iloc[0]}, voxel {table['voxel_um'].iloc[0]:g} um",
        "",
        f"{'':9s}{'true':>9s}{'sections':>10s}{'':9s}{'cells':>9s}",
    ]
    for row in table.to_dict("records"):
        apart = row["difference_percent"]
        lines.append(
            f"{row['symbol']:9s}{_number(row['true']):>9s}{_number(row['sections']):>10s}"
            f"{'' if apart != apart else f'{apart:+.1f} %':>9s}{_number(row['cells']):>9s}"
            f"   {row['unit']:10s} {row['meaning']}"
        )
    told = [note.format(**p.model_dump()) for note in NOTES]
    return "\n".join([*lines, "", *told, table["version"].iloc[0]])


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.4g}"
