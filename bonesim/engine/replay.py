"""The bone of a run on a day that is not on file: simulated again from its configuration.

A run is deterministic, so the same program gives the same bone. That is checked, not trusted: each
snapshot on the way and all events must be those on file.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bonesim.config.config import Config, validated
from bonesim.config.renamed import translated
from bonesim.engine import compile_ahead
from bonesim.engine.burn_in import equilibrated
from bonesim.engine.cost import cost_of, planned
from bonesim.engine.days import Observer, Observers
from bonesim.engine.measures import Measure
from bonesim.engine.phases import advance_through, phases_of
from bonesim.engine.run import checkpoint_path
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import put_back_from
from bonesim.errors import BonesimError, InputError
from bonesim.specimens.specimen import Specimen
from bonesim.storage import checkpoint
from bonesim.storage.program import named, program, program_hash
from bonesim.storage.provenance import last_program
from bonesim.storage.reader import Run

#: Columns of the event table that a repeated run is compared in.
COMPARED = ("day", "z_um", "y_um", "x_um")


def bone_on(run: Run, day: int, observers: Sequence[Observer] = ()) -> NDArray[np.uint8]:
    """The bone on a day, from its snapshot or simulated again; quanta, shape (nz, ny, nx).

    It begins at the checkpoint beside the run if that is of this program and not too late, else at
    the burn-in, which the cache may have. The estimated time is an observer's first note.

    Args:
        run: an open run file.
        day: from 0 to the last of its schedule.
        observers: look at every day simulated.

    Raises:
        InputError: no such day; a specimen that is not there any more; the repeated run differs from
            what is on file. ResourceError, CorruptFileError: as `run`.
    """
    if day in run.snapshot_days:
        return run.quanta(day)
    observer, config = Observers(observers), validated(translated(run.config), str(run.path))
    if not 0 <= day <= config.schedule.duration_day:
        raise InputError(
            f"{run.path}: day {day} is not within its schedule, 0 to {config.schedule.duration_day}"
        )
    with compile_ahead.in_second_process(observer):
        size, make = planned(config.specimen)
        time = cost_of(size, config, until_day=day).text().splitlines()[-1].split(maxsplit=1)[1]
        observer.note(f"simulating to day {day} again: {time}")
        simulation, phases = from_checkpoint(run, config, day), phases_of(run)[-1:]
        observer.expect(-config.schedule.burn_in_day if simulation is None else simulation.day, day)
        if simulation is None:
            phases = phases_of(run)
            simulation = from_burn_in(phases[0].config, make(), observer)
            require_same(run, simulation)
        observer.begin(simulation.day, day)
        try:
            simulation = advance_through(
                simulation, phases, day, lambda one: _look(run, one, observer)
            )
        finally:
            observer.end()
    require_same_events(run, simulation)
    return _bone(simulation)


def from_checkpoint(
    run: Run, config: Config, day: int, measures: Sequence[Measure] = ()
) -> Simulation | None:
    """The simulation at the checkpoint beside the run; None if it is too late or of no use.

    Args:
        run, config: an open run file, and its configuration.
        day: the last day that the checkpoint may be of.
        measures: further columns of its daily table.

    Raises:
        CorruptFileError: what the checkpoint holds is not of this run.
    """
    place = checkpoint_path(Path(run.path).resolve())
    if not place.exists():
        return None
    try:
        state, meta = checkpoint.load(place)
    except BonesimError:
        return None
    mine = {"run": run.identity(), "program": program_hash()}
    if not isinstance(meta, dict) or {key: meta.get(key) for key in mine} != mine:
        return None
    if not 0 <= meta["day"] <= day:
        return None
    bone = Specimen(np.zeros(run.shape, np.uint8), run.voxel_um, "", ())
    simulation = Simulation(config, bone)
    simulation.measures = tuple(measures)
    put_back_from(place, simulation, state)
    return simulation


def from_burn_in(config: Config, bone: Specimen, observer: Observer) -> Simulation:
    """The simulation of a bone at day 0; its burn-in from the cache or simulated."""
    observer.begin(-config.schedule.burn_in_day, 0)
    try:
        simulation, cached = equilibrated(config, bone, observer.on_day)
    finally:
        observer.end()
    if cached:
        observer.note("burn-in taken from the cache")
    return simulation


def _look(run: Run, simulation: Simulation, observer: Observer) -> None:
    observer.on_day(simulation)
    require_same(run, simulation)


def _bone(simulation: Simulation) -> NDArray[np.uint8]:
    tissue = simulation.tissue
    return np.ascontiguousarray(tissue.inner(tissue.lattice.quanta))


def require_same(run: Run, simulation: Simulation) -> None:
    """Refuse a bone that is not the snapshot's, on a day that has one.

    Raises:
        InputError: it is another one.
    """
    day = simulation.day
    if day in run.snapshot_days and not np.array_equal(run.quanta(day), _bone(simulation)):
        raise other_than_on_file(run, f"its bone on day {day}")


def require_same_events(run: Run, simulation: Simulation) -> None:
    """Refuse other events than those on file up to this day.

    Raises:
        InputError: there are others.
    """
    events, columns = run.events, simulation.events.columns()
    past = events["day"].to_numpy() <= simulation.day
    for name in COMPARED:
        if not np.array_equal(events[name].to_numpy()[past], columns[name]):
            raise other_than_on_file(run, "its topological events")


def other_than_on_file(run: Run, what: str) -> InputError:
    """The error for a run that is not on repetition what its file has: `what` differs."""
    return InputError(
        f"{run.path}: simulated again, {what} is not what the file has: it was made by bonesim "
        f"{named(*last_program(run.provenance))} (this is {program()}), on another machine, or of a bone "
        "that its configuration does not describe; run it again with this version"
    )
