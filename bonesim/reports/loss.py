"""The loss of a configuration in parts on some days, and of its twin."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bonesim.config.config import Config
from bonesim.engine import compile_ahead
from bonesim.engine.burn_in import equilibrated
from bonesim.engine.days import advance
from bonesim.engine.simulation import Simulation
from bonesim.errors import InputError
from bonesim.loss.parts import (
    AMOUNTS,
    OF_THINNING,
    PARTS,
    REVERSIBLE,
    Decomposition,
    Loss,
    amounts_of,
)
from bonesim.specimens import make_specimen
from bonesim.storage.program import version_of

if TYPE_CHECKING:
    import pandas as pd

#: The last day a loss can be reported for.
LAST_DAY = 50000
#: Which simulation a row of the table is of.
RUN, TWIN, DIFFERENCE = "run", "twin", "difference"
NOTES = (
    "of the interior, where BMD and BV/TV are measured; % of the mineral of day 0: total is the loss of "
    "BMD; below 0 is a gain",
    "open space and mineral lag come back without new structure: the first within a cycle, the second "
    "within years",
    "parts make up the total to the last quantum, thinning's to thinning; 255 quanta are a voxel",
)


def checked_days(days: Sequence[int]) -> list[int]:
    """Days on which a loss can be reported.

    Raises:
        InputError: not whole days from 1 on in rising order.
    """
    whole = [day for day in days if isinstance(day, int | np.integer) and not isinstance(day, bool)]
    found = [int(day) for day in whole]
    if not found or len(found) != len(days) or found != sorted(set(found)):
        found = [0]
    if not 1 <= found[0] <= found[-1] <= LAST_DAY:
        raise InputError(
            f"got {', '.join(map(str, days))}; give days from 1 to {LAST_DAY} in rising order, e.g. "
            "365,1825,2920", parameter="days",
        )  # fmt: skip
    return found


def snapshot_days(config: Config) -> list[int]:
    """The days whose lattice the configuration keeps, after day 0.

    Raises:
        InputError: there is none.
    """
    days = [day for day in config.schedule.kept_days() if day > 0]
    if not days:
        raise InputError("the configuration ends on day 0; give `days`, e.g. 365,1825")
    return days


def losses(
    config: Config, days: Sequence[int], note: Callable[[str], None] = lambda _: None,
    each_day: Callable[[Simulation], None] = lambda _: None,
) -> list[Loss]:  # fmt: skip
    """Simulate a configuration once and decompose its loss on each of `days` (rising, from 1 on).

    A day after the configuration's last is reached with its last hormones and treatment.

    Args:
        config: what to simulate.
        days: when to decompose.
        note: takes one line about bone, cache or compilation.
        each_day: called after every day simulated, the burn-in's too.
    """
    if days[-1] > config.schedule.duration_day:
        config = config.with_changes({"schedule.duration_day": days[-1]})
    config.course()  # an impossible course is an error before any work
    with compile_ahead.in_second_process() as compiling:
        bone = make_specimen(config.specimen, note)
        for line in (bone.origin, *bone.notes):
            note(line)
        if compiling:
            note(compile_ahead.NOTE)
        simulation, cached = equilibrated(config, bone, each_day)
        if cached:
            note("burn-in taken from the cache")
        decomposition = Decomposition(simulation)
        found = []
        for day in days:
            advance(simulation, day, each_day)
            found.append(decomposition.at(simulation))
    return found


def table(losses: Sequence[Sequence[Loss]], configs: Sequence[Config]) -> "pd.DataFrame":
    """One row per simulation, day and part: its kind (total, part, of_thinning), quanta, percentages.

    Args:
        losses: of a run; if those of a twin are there too, what the run lost more is added.
        configs: their configurations.
    """
    import pandas as pd

    named = dict(zip((RUN, TWIN), losses, strict=False))
    if TWIN in named:
        pairs = zip(*losses, strict=True)
        named[DIFFERENCE] = [one.minus(other) for one, other in pairs]
    seeds = {RUN: configs[0].seed, TWIN: configs[-1].seed, DIFFERENCE: configs[0].seed}
    kinds: dict[str, dict[str, str]] = {
        "total": {"total": "total"}, "part": PARTS, "of_thinning": OF_THINNING,
    }  # fmt: skip
    return pd.DataFrame(
        {"simulation": which, "day": loss.day, "part": name, "kind": kind, "meaning": meaning,
         **amounts_of(getattr(loss, name), loss), "seed": seeds[which],
         "version": f"bonesim {version_of('bonesim')}"}
        for which, found in named.items() for loss in found
        for kind, names in kinds.items() for name, meaning in names.items()
    )  # fmt: skip


def text(table: "pd.DataFrame") -> str:
    """The table as text: a pair of columns for each day, a block for each simulation."""
    days = list(dict.fromkeys(table["day"]))
    simulations = list(dict.fromkeys(table["simulation"]))
    lines = []
    for simulation in simulations:
        amounts = table[table["simulation"] == simulation].set_index(["part", "day"])[list(AMOUNTS)]

        def row(words: str, *names: str, amounts: "pd.DataFrame" = amounts) -> str:
            total = np.sum([amounts.loc[name].to_numpy(float) for name in names], axis=0)
            return f"{words:30s}" + "".join(map(_percentages, total[:, 1], total[:, 2]))

        name = "" if len(simulations) == 1 else simulation
        lines.append(f"{name:30s}" + "".join(f"{f'day {day}':>20s}" for day in days))
        lines.append(f"{'':30s}" + f"{'% of day 0':>11s}{'of loss':>9s}" * len(days))
        for part, words in PARTS.items():
            lines.append(row(words, part))
            if part == "thinning":
                lines += [row(f"  {word}", share) for share, word in OF_THINNING.items()]
        lines += [row("total", "total"), row("of it comes back by itself", *REVERSIBLE), ""]
    return "\n".join([*lines, *NOTES, table["version"].iloc[0]])


def _percentages(of_day_0: float, of_loss: float) -> str:
    """Two percentages; a share of no loss is none. Adding 0 takes the sign off nothing."""
    share = "-" if of_loss != of_loss else f"{round(of_loss) + 0.0:.0f} %"
    return f"{round(of_day_0, 2) + 0.0:>11.2f}{share:>9s}"
