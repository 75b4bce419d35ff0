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
from bonesim.engine.days import Observer, Observers, advance
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
        simulation = _from_checkpoint(run, config, day)
        observer.expect(-config.schedule.burn_in_day if simulation is None else simulation.day, day)
        if simulation is None:
            simulation = _from_burn_in(config, make(), observer)
            _require_same(run, simulation)
        observer.begin(simulation.day, day)
        try:
            advance(simulation, day, lambda one: _look(run, one, observer))
        finally:
            observer.end()
    _require_same_events(run, simulation)
    return _bone(simulation)


def _from_checkpoint(run: Run, config: Config, day: int) -> Simulation | None:
    """The simulation at the checkpoint beside the run; None if it is too late or of no use."""
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
    put_back_from(place, simulation, state)
    return simulation


def _from_burn_in(config: Config, bone: Specimen, observer: Observer) -> Simulation:
    observer.begin(-config.schedule.burn_in_day, 0)
    try:
        return equilibrated(config, bone, observer.on_day)[0]
    finally:
        observer.end()


def _look(run: Run, simulation: Simulation, observer: Observer) -> None:
    observer.on_day(simulation)
    _require_same(run, simulation)


def _bone(simulation: Simulation) -> NDArray[np.uint8]:
    tissue = simulation.tissue
    return np.ascontiguousarray(tissue.inner(tissue.lattice.quanta))


def _require_same(run: Run, simulation: Simulation) -> None:
    """Refuse a bone that is not the snapshot's, on a day that has one."""
    day = simulation.day
    if day in run.snapshot_days and not np.array_equal(run.quanta(day), _bone(simulation)):
        raise _other(run, f"its bone on day {day}")


def _require_same_events(run: Run, simulation: Simulation) -> None:
    """Refuse other events than those on file up to this day."""
    events, columns = run.events, simulation.events.columns()
    past = events["day"].to_numpy() <= simulation.day
    for name in COMPARED:
        if not np.array_equal(events[name].to_numpy()[past], columns[name]):
            raise _other(run, "its topological events")


def _other(run: Run, what: str) -> InputError:
    return InputError(
        f"{run.path}: simulated again, {what} is not what the file has: it was made by bonesim "
        f"{named(*last_program(run.provenance))} (this is {program()}), on another machine, or of a bone "
        "that its configuration does not describe; run it again with a snapshot on that day"
    )
