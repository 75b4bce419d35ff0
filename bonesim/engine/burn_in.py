"""The equilibrated start, simulated once for each bone and kept for all scenarios on it.

A burn-in depends on the bone, the cells and the effect of the hormones before day 0. It does not
depend on what happens after, nor on a person's own set-point: persons at their set-points share it. Its
end is kept under the hash of all that, in the user's cache folder; a damaged or foreign file there is
ignored and made again. Of several processes that need one burn-in at once, one simulates it and the
others wait for its end.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
from platformdirs import user_cache_path

from bonesim.config.config import Config
from bonesim.engine.days import advance
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import State, put_back, put_back_from, state_of
from bonesim.errors import BonesimError, CorruptFileError
from bonesim.specimens.specimen import Specimen
from bonesim.storage import checkpoint
from bonesim.storage.lock import turn
from bonesim.storage.program import program_hash

#: Bytes of burn-ins kept, newest first; one has about 5 bytes for each voxel of the lattice.
MOST_BYTES = 2e9

#: Of the drive, what is only reported: no cell depends on it.
REPORTED = ("e2_pg_per_ml", "t_ng_per_dl")


def burn_in_key(simulation: Simulation) -> str:
    """SHA-256 of everything the state on day 0 depends on; the simulation is at its first day.

    Inputs enter by their content: a scan and its mask as the bone's quanta, a table of hormones as
    the drive of the first day, which is held until day 0.
    """
    config, specimen = simulation.config, simulation.specimen
    drive = {k: v for k, v in simulation.drive._asdict().items() if k not in REPORTED}
    decisive = {
        "seed": config.burn_in_seed,
        "age_year": config.age_year,
        "voxel_um": specimen.voxel_um,
        "shape": specimen.quanta.shape,
        "drive": drive,
        "cells": config.cells.model_dump(),
        "signals": config.signals.model_dump(),
        "mechanics": config.mechanics.model_dump(),
        "tissue": config.tissue.model_dump(),
        "burn_in_day": config.schedule.burn_in_day,
        "program": program_hash(),
        "versions": [numba.__version__, np.__version__],
    }
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(specimen.quanta).tobytes())
    return digest.hexdigest()


def begin_from(simulation: Simulation, state: State, path: Path | None = None) -> None:
    """Put a burn-in's end into a fresh simulation; its hormones, and its day 0, are its own.

    `path`: the file that the state is from; it is checked then.

    Raises:
        CorruptFileError: the file's content is not the end of such a burn-in.
    """
    own = {**state, "response": simulation.response.state()}
    if path is None:
        put_back(simulation, own)
    else:
        put_back_from(path, simulation, own)
        if simulation.day != 0:
            raise CorruptFileError(f"{path}: ends on day {simulation.day}, not on day 0")
    simulation.start_counting()


def equilibrated(
    config: Config, specimen: Specimen, on_day: Callable[[Simulation], None] | None = None,
    memory: dict[str, State] | None = None,
    on_wait: Callable[[Simulation], None] | None = None,
) -> tuple[Simulation, bool]:  # fmt: skip
    """A simulation at day 0, and whether its burn-in was there already.

    Args:
        config, specimen: what to simulate.
        on_day: called after each day simulated; an exception it raises ends the burn-in.
        memory: ends of burn-ins by their key, for twins where the cache cannot be written.
        on_wait: called with the simulation, at its first day, every moment that another process
            simulates this burn-in; an exception it raises ends the waiting.
    """
    simulation = Simulation(config, specimen)
    if simulation.day == 0:
        return simulation, False
    key = burn_in_key(simulation)
    if memory is not None and key in memory:
        begin_from(simulation, memory[key])
        return simulation, True
    path = user_cache_path("bonesim") / "burn_in" / f"{key}.checkpoint"

    def from_cache() -> tuple[Simulation, bool]:
        """As `equilibrated`, if the cache has it; else a simulation at its first day, and False."""
        if not path.exists():
            return simulation, False
        try:
            state, _ = checkpoint.load(path)
            begin_from(simulation, state, path)
        except BonesimError:
            return Simulation(config, specimen), False
        path.touch()
        if memory is not None:
            memory[key] = state
        return simulation, True

    simulation, found = from_cache()
    if found:
        return simulation, True
    with turn(path, lambda: on_wait(simulation) if on_wait is not None else None):
        simulation, found = from_cache()
        if not found:
            advance(simulation, 0, on_day)
            if memory is not None:
                memory[key] = state_of(simulation)
            _keep(path, simulation)
    return simulation, found


def _keep(path: Path, simulation: Simulation) -> None:
    """Save the end of a burn-in if the cache can be written; else do without."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        meta = {"day": simulation.day, "program": program_hash()}
        checkpoint.save(path, state_of(simulation), meta)
        old = sorted(path.parent.glob("*.checkpoint"), key=lambda file: -file.stat().st_mtime)
        total = 0
        for number, file in enumerate(old):
            total += file.stat().st_size
            if number and total > MOST_BYTES:
                file.unlink(missing_ok=True)
    except (OSError, BonesimError):
        return
