"""What a worker does with a point: run it, and return its outcomes as plain numbers.

Outcomes are what the daily table and the panel say at every snapshot, under their names there
(ASBMR symbols and units are in those tables), one row per snapshot; and with them the volume they
are of (`volume_mm3`) and the mean hormones since the snapshot before (`e2_mean_pg_per_ml`,
`t_mean_ng_per_dl`), because between two doses a single day says little.
"""

import gc
import math
import os
import socket
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bonesim.engine.progress import Terminal
from bonesim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from bonesim.engine.simulation import Simulation
    from bonesim.loss.parts import Decomposition, Loss
    from bonesim.specimens import ScanParameters, Specimen, SyntheticParameters

#: Bones a worker keeps at hand between points.
BONES_KEPT = 2
#: Columns of the daily table -> their mean since the snapshot before.
MEANS = {"e2_pg_per_ml": "e2_mean_pg_per_ml", "t_ng_per_dl": "t_mean_ng_per_dl"}

Outcomes = list[dict[str, Any]]
Simulate = Callable[[str, str | None], Outcomes]


class Task(NamedTuple):
    """One point, as a worker gets it."""

    point: str
    config: str  # resolved, TOML
    keep: str | None = None  # where the run file stays
    log: str | None = None  # where the run's own notes go


def outcomes(config_text: str, keep: str | None) -> Outcomes:
    """Live a config; one row of outcomes per snapshot.

    Args:
        config_text: resolved config, TOML.
        keep: where the run file stays; None if only outcomes are wanted.
    """
    return _lived(config_text, keep, Terminal())


def decomposed_outcomes(config_text: str, keep: str | None) -> Outcomes:
    """As `outcomes`, and in each row the parts of the loss since day 0 (`loss.parts.columns_of`).

    The run itself is the same: it is only looked at.
    """
    from bonesim.loss.parts import columns_of

    observer = _Decomposing()
    rows = _lived(config_text, keep, observer)
    return [{**row, **columns_of(observer.losses[int(row["day"])])} for row in rows]


def simulate_for(decompose: bool) -> Simulate:
    """What is done with each point of a study."""
    return decomposed_outcomes if decompose else outcomes


class _Decomposing(Terminal):
    """Tells the loss of a run at each snapshot, by day."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: dict[int, Loss] = {}
        self._parts: Decomposition | None = None

    def on_record(self, simulation: "Simulation") -> None:
        """Take day 0 for the start; tell what was lost since at each snapshot."""
        from bonesim.loss.parts import Decomposition

        if self._parts is None:
            self._parts = Decomposition(simulation)
        if simulation.day in simulation.config.schedule.kept_days():
            self.losses[simulation.day] = self._parts.at(simulation)


def _lived(config_text: str, keep: str | None, observer: Terminal) -> Outcomes:
    """Live a config under the eyes of a observer."""
    import tomllib

    from bonesim.config.config import validated
    from bonesim.engine.run import run
    from bonesim.storage.reader import open_run

    config = validated(tomllib.loads(config_text), "point")
    with tempfile.TemporaryDirectory(prefix="bonesim_point_") as folder:
        place = Path(keep) if keep else Path(folder) / "run.vtkhdf"
        bone = bone_of(config.specimen)
        run(config, place, overwrite=True, specimen=bone, observers=[observer])
        with open_run(place) as opened:
            daily, kept = opened.table, opened.snapshot_table
            volume_mm3 = math.prod(opened.shape) * (opened.voxel_um / 1000.0) ** 3
    table = daily.merge(kept, on="day", suffixes=("", "_snapshot"), validate="one_to_one")
    table = table.join(means_between(daily, table["day"]))
    table.insert(0, "snapshot", range(len(table)))
    table["volume_mm3"] = volume_mm3
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def bone_of(parameters: "SyntheticParameters | ScanParameters") -> "Specimen":
    """The bone of a config; a worker makes the same one once for points that follow each other."""
    return _bone(parameters, _state_of_files(parameters))


def means_between(daily: "pd.DataFrame", days: "pd.Series") -> "pd.DataFrame":
    """Means of the columns in MEANS from the day after one of `days` to the next, a row for each.

    The first has all days up to it: of day 0, its own.
    """
    before = daily[daily["day"] <= days.iloc[-1]]
    period = days.searchsorted(before["day"])
    return before[list(MEANS)].groupby(period).mean().rename(columns=MEANS)


@lru_cache(maxsize=BONES_KEPT)
def _bone(
    parameters: "SyntheticParameters | ScanParameters", _files: tuple[tuple[int, int], ...]
) -> "Specimen":
    """`bone_of`, remembered."""
    from bonesim.specimens import make_specimen

    return make_specimen(parameters)


def _state_of_files(parameters: Any) -> tuple[tuple[int, int], ...]:
    """Size and time of the files a bone is read from: another file is another bone."""
    found = []
    for name in (getattr(parameters, "path", None), getattr(parameters, "mask", None)):
        if name is not None and Path(name).is_file():
            stat = Path(name).stat()
            found.append((stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def attempt(task: Task, simulate: Simulate = outcomes) -> dict[str, Any]:
    """One try at a point: its outcomes, or what went wrong; never raises."""
    begun = time.perf_counter()
    done: dict[str, Any] = {"point": task.point}
    try:
        with _logged(Path(task.log)) if task.log else nullcontext():
            done |= {"status": "done", "rows": simulate(task.config, task.keep)}
    except InputError as error:  # for ever; a full disk or a busy file may pass
        done |= {"status": "refused", "error": str(error)}
    except Exception as error:
        done |= {"status": "failed", "error": f"{type(error).__name__}: {error}",
                 "traceback": traceback.format_exc()}  # fmt: skip
    gc.collect()  # a simulation is a ring of few objects and many bytes: Python would wait
    done["seconds"] = round(time.perf_counter() - begun, 3)
    return done


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """All that is printed meanwhile goes to a file, between when it began and how it ended."""
    with (
        path.open("a", encoding="utf-8", buffering=1) as file,
        redirect_stdout(file),
        redirect_stderr(file),
    ):
        print(f"{_now()} begun on {socket.gethostname()}, process {os.getpid()}")
        try:
            yield
        except Exception:
            traceback.print_exc()
            print(f"{_now()} failed")
            raise
        print(f"{_now()} done")


def _now() -> str:
    """The time, as logs have it."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
