"""A run whose tables alone are wanted: the same days and measures as `engine.run`, and no run file.

For points of sweeps and trials. Writing a file, checking it and reading it back took as long as
hundreds of days of a small bone.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bonesim.config.config import Config
from bonesim.engine import compile_ahead
from bonesim.engine.burn_in import equilibrated
from bonesim.engine.daily_table import COLUMNS
from bonesim.engine.days import Observer, Observers, advance
from bonesim.engine.measures import measures_for
from bonesim.engine.run import with_pinned_course
from bonesim.engine.simulation import Simulation
from bonesim.engine.snapshot import SNAPSHOT_COLUMNS, measures_of
from bonesim.specimens.specimen import Specimen
from bonesim.storage.frames import frame

if TYPE_CHECKING:
    import pandas as pd


class Recorded(NamedTuple):
    """The tables of a run, as its file would have them.

    Attributes:
        daily: one row a day, from day 0 on.
        snapshots: one row per snapshot, with what is measured there; empty if nothing is measured.
    """

    daily: "pd.DataFrame"
    snapshots: "pd.DataFrame"


def recorded(
    config: Config, specimen: Specimen, observers: Sequence[Observer] = (), *, measures: bool = True
) -> Recorded:
    """Simulate `config` on a bone; nothing is written but the burn-in's end into its cache.

    Args:
        config: what to simulate.
        specimen: the bone; the config's own is not made.
        observers: look at every day; called as by `engine.run.run`.
        measures: whether snapshots are measured.

    Raises:
        InputError: a course of hormones that is not possible.
    """
    observer, config = Observers(observers), with_pinned_course(config)
    for note in (specimen.origin, *specimen.notes):
        observer.note(note)
    added = measures_for(config, [observer], COLUMNS)
    last_day, kept = config.schedule.duration_day, set(config.schedule.kept_days())
    rows: list[dict[str, float]] = []

    def record(simulation: Simulation) -> None:
        if measures and simulation.day in kept:
            rows.append({"day": float(simulation.day)} | measures_of(simulation))
        observer.on_record(simulation)

    def on_day(simulation: Simulation) -> None:
        observer.on_day(simulation)
        record(simulation)

    with compile_ahead.in_second_process():
        observer.expect(-config.schedule.burn_in_day, last_day)
        observer.begin(-config.schedule.burn_in_day, 0)
        try:
            simulation, cached = equilibrated(config, specimen, observer.on_day)
        finally:
            observer.end()
        observer.note("burn-in taken from the cache" if cached else "burn-in simulated")
        simulation.measure_with(added)
        observer.begin(0, last_day)
        try:
            record(simulation)
            advance(simulation, last_day, on_day)
        finally:
            observer.end()
    columns, days = simulation.datacollector.described, simulation.table()
    daily = [(one, days[one.name].astype(one.dtype)) for one in columns]
    measured = [
        (one, np.array([row[one.name] for row in rows], one.dtype)) for one in SNAPSHOT_COLUMNS
    ]
    return Recorded(frame(daily, config.title), frame(measured, config.title))
