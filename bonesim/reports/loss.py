"""`bonesim decompose`: a configuration lived once, its loss in parts on some days, and in words."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bonesim.config.config import Config
from bonesim.engine import compile_ahead
from bonesim.engine.burn_in import equilibrated
from bonesim.engine.days import advance
from bonesim.engine.simulation import Simulation
from bonesim.errors import InputError
from bonesim.loss.parts import OF_THINNING, PARTS, REVERSIBLE, Decomposition, Loss
from bonesim.specimens import make_specimen
from bonesim.storage.provenance import version_of

if TYPE_CHECKING:
    import pandas as pd

#: The last day a life can be told of.
LAST_DAY = 50000
#: How much a part is, in the table.
AMOUNTS = ("quanta", "percent_of_day_0", "percent_of_loss")
#: Which life a row of the table is of.
RUN, TWIN, DIFFERENCE = "run", "twin", "difference"
NOTES = (
    "of the interior, where BMD and BV/TV are measured; % of the mineral of day 0: total is the loss of "
    "BMD; below 0 is a gain",
    "open space and mineral lag come back without new structure: the first within a cycle, the second "
    "within years",
    "parts make up the total to the last quantum, thinning's to thinning; 255 quanta are a voxel",
)


def days_of(text: str) -> list[int]:
    """Days as `--days` gives them, e.g. "365,1825".

    Raises:
        InputError: not whole days from 1 on in rising order.
    """
    try:
        days = [int(part) for part in text.split(",")]
    except ValueError:
        days = []
    if not days or days != sorted(set(days)) or not 1 <= days[0] <= days[-1] <= LAST_DAY:
        raise InputError(
            f"--days {text}: give days from 1 to {LAST_DAY} in rising order, e.g. 365,1825,2920"
        )
    return days


def usual_days(config: Config) -> list[int]:
    """The days whose lattice the configuration keeps, after day 0.

    Raises:
        InputError: there is none.
    """
    days = [day for day in config.schedule.kept_days() if day > 0]
    if not days:
        raise InputError("the configuration lives no day after day 0; give --days, e.g. 365,1825")
    return days


def losses(
    config: Config, days: Sequence[int], say: Callable[[str], None] = lambda _: None,
    each_day: Callable[[Simulation], None] = lambda _: None,
) -> list[Loss]:  # fmt: skip
    """Live a configuration once and tell its loss on each of `days` (rising, from 1 on).

    A day after the configuration's last is reached with its last hormones and treatment.

    Args:
        config: what to live.
        days: when to tell.
        say: told what is worth telling.
        each_day: called after every day lived, the burn-in's too.
    """
    if days[-1] > config.schedule.duration_day:
        config = config.with_changes({"schedule.duration_day": days[-1]})
    config.course()  # an impossible course is told before any work
    with compile_ahead.in_second_process() as compiling:
        bone = make_specimen(config.specimen)
        for note in (bone.origin, *bone.notes):
            say(note)
        if compiling:
            say("compiling kernels (once, about a minute)")
        simulation, cached = equilibrated(config, bone, each_day)
        if cached:
            say("burn-in taken from the cache")
        decomposition = Decomposition(simulation)
        found = []
        for day in days:
            advance(simulation, day, each_day)
            found.append(decomposition.at(simulation))
    return found


def table_of(told: Sequence[Sequence[Loss]], lives: Sequence[Config]) -> "pd.DataFrame":
    """One row per life, day and part: its kind (total, part, of_thinning), quanta, percentages.

    Args:
        told: the losses of a run; if there are those of a twin too, what the run lost more is added.
        lives: their configurations.
    """
    import pandas as pd

    named = dict(zip((RUN, TWIN), told, strict=False))
    if TWIN in named:
        pairs = zip(*told, strict=True)
        named[DIFFERENCE] = [one.minus(other) for one, other in pairs]
    seeds = {RUN: lives[0].seed, TWIN: lives[-1].seed, DIFFERENCE: lives[0].seed}
    kinds: dict[str, dict[str, str]] = {
        "total": {"total": "total"}, "part": PARTS, "of_thinning": OF_THINNING,
    }  # fmt: skip
    return pd.DataFrame(
        {"simulation": life, "day": loss.day, "part": name, "kind": kind, "meaning": meaning,
         **_amounts(getattr(loss, name), loss), "seed": seeds[life],
         "version": f"bonesim {version_of('bonesim')}"}
        for life, found in named.items() for loss in found
        for kind, names in kinds.items() for name, meaning in names.items()
    )  # fmt: skip


def _amounts(quanta: int, loss: Loss) -> dict[str, float]:
    of_loss = 100.0 * quanta / loss.total if loss.total else float("nan")
    values = (quanta, 100.0 * quanta / loss.mineral_day_0, of_loss)
    return dict(zip(AMOUNTS, values, strict=True))


def columns_of(loss: Loss) -> dict[str, float]:
    """A loss as columns of a wide table: loss_<part>_quanta, and loss_<part>_percent of day 0."""
    found: dict[str, float] = {}
    for name in ("total", *PARTS, *OF_THINNING):
        amounts = _amounts(getattr(loss, name), loss)
        found[f"loss_{name}_quanta"] = amounts["quanta"]
        found[f"loss_{name}_percent"] = amounts["percent_of_day_0"]
    return found


def in_words(table: "pd.DataFrame") -> str:
    """The table for reading: a pair of columns for each day, a block for each life."""
    days = list(dict.fromkeys(table["day"]))
    lives = list(dict.fromkeys(table["simulation"]))
    lines = []
    for life in lives:
        amounts = table[table["simulation"] == life].set_index(["part", "day"])[list(AMOUNTS)]

        def row(words: str, *names: str, amounts: "pd.DataFrame" = amounts) -> str:
            told = np.sum([amounts.loc[name].to_numpy(float) for name in names], axis=0)
            return f"{words:30s}" + "".join(map(_said, told[:, 1], told[:, 2]))

        name = "" if len(lives) == 1 else life
        lines.append(f"{name:30s}" + "".join(f"{f'day {day}':>20s}" for day in days))
        lines.append(f"{'':30s}" + f"{'% of day 0':>11s}{'of loss':>9s}" * len(days))
        for part, words in PARTS.items():
            lines.append(row(words, part))
            if part == "thinning":
                lines += [row(f"  {word}", share) for share, word in OF_THINNING.items()]
        lines += [row("total", "total"), row("of it comes back by itself", *REVERSIBLE), ""]
    return "\n".join([*lines, *NOTES, table["version"].iloc[0]])


def _said(of_day_0: float, of_loss: float) -> str:
    """Two percentages; a share of no loss is none. Adding 0 takes the sign off nothing."""
    share = "-" if of_loss != of_loss else f"{round(of_loss) + 0.0:.0f} %"
    return f"{round(of_day_0, 2) + 0.0:>11.2f}{share:>9s}"
