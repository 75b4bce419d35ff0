"""The configurations of a run, one after another: a branch goes on from a day under another one.

Most runs have one phase. A branch (`engine.branch`) has those of its parent and one more. Its
provenance keeps the earlier configurations, so its days can be simulated again.
"""

import tomllib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from bonesim.config.config import Config, validated
from bonesim.config.renamed import translated
from bonesim.engine.days import advance
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import put_back, state_of
from bonesim.errors import CorruptFileError
from bonesim.specimens.specimen import Specimen
from bonesim.storage.reader import Run
from bonesim.storage.validation import first_line


class Phase(NamedTuple):
    """A stretch of days under one configuration.

    Attributes:
        config: what is simulated.
        last_day: the last day under it.
    """

    config: Config
    last_day: int


def phases_of(run: Run) -> list[Phase]:
    """The phases of an open run file, in order; the last one is that of its own configuration.

    Raises:
        InputError: a configuration that this version does not allow.
        CorruptFileError: its record of earlier phases is none.
    """
    where = str(run.path)
    last = validated(translated(run.config), where)
    try:
        given = [
            (tomllib.loads(one["config"]), int(one["last_shared_day"]))
            for one in run.provenance.get("branches", [])
        ]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise CorruptFileError(
            f"{where}: its record of branches is none ({first_line(error)}); "
            "take another copy or branch again"
        ) from None
    before = [Phase(validated(translated(tree), where), day) for tree, day in given]
    return [*before, Phase(last, last.schedule.duration_day)]


def continued(simulation: Simulation, config: Config) -> Simulation:
    """A simulation of another configuration at the same day, in the same state.

    Args:
        simulation: as it is after a whole day; it is not changed.
        config: of the days to come; bone, seed and all that shapes the state must be the same.
    """
    specimen = simulation.specimen
    # The state replaces all that is on this lattice.
    blank = Specimen(np.zeros_like(specimen.quanta), specimen.voxel_um, specimen.origin, ())
    following = Simulation(config, blank)
    following.measures = simulation.measures
    put_back(following, state_of(simulation))
    following.drive = simulation.drive
    return following


def advance_through(
    simulation: Simulation, phases: Sequence[Phase], day: int,
    on_day: Callable[[Simulation], None] | None = None,
) -> Simulation:  # fmt: skip
    """Simulate to the end of a day, phase after phase; returns the simulation of that day.

    Args:
        simulation: in the first of the phases.
        phases: in order.
        day: the last day to simulate.
        on_day: called after each day with the simulation of its phase.
    """
    for number, phase in enumerate(phases):
        if number and simulation.day < day:
            simulation = continued(simulation, phase.config)
        simulation = advance(simulation, min(day, phase.last_day), on_day)
    return simulation
