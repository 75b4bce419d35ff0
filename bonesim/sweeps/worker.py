"""A worker's part: it simulates a point and returns its outcomes as plain numbers.

Outcomes are the columns of the daily table and the panel, one row per snapshot (ASBMR symbols and
units are in those tables). Each row also has the volume measured (`volume_mm3`) and the mean hormones
since the previous snapshot (`e2_mean_pg_per_ml`, `t_mean_ng_per_dl`): between two doses hormones
change within a day.
"""

import gc
import math
import os
import socket
import time
import tomllib
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bonesim.engine.progress import Terminal
from bonesim.errors import InputError
from bonesim.storage.program import named, outcome_hash, version_of
from bonesim.sweeps.spent import SPENT, measured, spending

if TYPE_CHECKING:
    import pandas as pd

    from bonesim.engine.simulation import Simulation
    from bonesim.loss.parts import Decomposition, Loss
    from bonesim.specimens import Specimen, SpecimenParameters

#: Bones a worker keeps in memory between points.
BONES_KEPT = 2
#: Columns of the daily table -> their mean since the previous snapshot.
MEANS = {"e2_pg_per_ml": "e2_mean_pg_per_ml", "t_ng_per_dl": "t_mean_ng_per_dl"}

#: A run whose worker died this many times fails in this session (see journal.MAX_ATTEMPTS).
MAX_DEATHS = 3
#: Environment of every worker: one thread each, whatever the defaults of the libraries.
ONE_THREAD = {
    "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}  # fmt: skip

Outcomes = list[dict[str, Any]]
Simulate = Callable[[str, str | None], Outcomes]


class Task(NamedTuple):
    """One point, as it is sent to a worker."""

    point: str
    config: str  # resolved, TOML
    keep: str | None = None  # path of the run file, if it is kept
    log: str | None = None  # path of the run's log
    program: str = ""  # hash of the program that planned it
    inputs: str = ""  # hash of the files its config names


def outcomes(config_text: str, keep: str | None) -> Outcomes:
    """Simulate a config; one row of outcomes per snapshot.

    Args:
        config_text: resolved config, TOML.
        keep: path of the run file; None if only outcomes are wanted.
    """
    return _simulated(config_text, keep, Terminal())


def decomposed_outcomes(config_text: str, keep: str | None) -> Outcomes:
    """As `outcomes`, and in each row the parts of the loss since day 0 (`loss.parts.columns_of`).

    The run itself is the same: it is only observed.
    """
    from bonesim.loss.parts import columns_of

    observer = _Decomposing()
    rows = _simulated(config_text, keep, observer)
    return [{**row, **columns_of(observer.losses[int(row["day"])])} for row in rows]


def simulate_for(decompose: bool) -> Simulate:
    """The function that simulates a point, with the parts of its losses or without."""
    return decomposed_outcomes if decompose else outcomes


class _Decomposing(Terminal):
    """Records the loss of a run at each snapshot, by day."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: dict[int, Loss] = {}
        self._parts: Decomposition | None = None

    def on_record(self, simulation: "Simulation") -> None:
        """Start on day 0; record the loss since then at each snapshot."""
        from bonesim.loss.parts import Decomposition

        if self._parts is None:
            self._parts = Decomposition(simulation)
        if simulation.day in simulation.config.schedule.kept_days():
            self.losses[simulation.day] = self._parts.at(simulation)


def _simulated(config_text: str, keep: str | None, observer: Terminal) -> Outcomes:
    """Simulate a config with an observer."""
    with spending().part("start"):
        from bonesim.config.config import planned_config
        from bonesim.engine.run import run
        from bonesim.engine.without_file import recorded
        from bonesim.storage.reader import open_run

    config = planned_config(tomllib.loads(config_text))
    bone, observers = bone_of(config.specimen), [spending(), observer]
    if keep is None:
        daily, kept = recorded(config, bone, observers)
    else:
        run(config, Path(keep), overwrite=True, specimen=bone, observers=observers)
        with open_run(keep) as opened:
            daily, kept = opened.table, opened.snapshot_table
    volume_mm3 = math.prod(bone.quanta.shape) * (bone.voxel_um / 1000.0) ** 3
    table = daily.merge(kept, on="day", suffixes=("", "_snapshot"), validate="one_to_one")
    table = table.join(means_between(daily, table["day"]))
    table.insert(0, "snapshot", range(len(table)))
    table["volume_mm3"] = volume_mm3
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def bone_of(parameters: "SpecimenParameters") -> "Specimen":
    """The bone of a config, cached for the worker's next points."""
    from bonesim.config.inputs import file_hash, files_of

    names = (getattr(parameters, "path", None), getattr(parameters, "mask", None))
    files = [file for name in names if name is not None for file in files_of(Path(name))]
    with spending().part("bone"):
        return _bone(parameters, tuple(file_hash(file) for file in files))


def means_between(daily: "pd.DataFrame", days: "pd.Series") -> "pd.DataFrame":
    """Means of the columns in MEANS between successive `days`, a row for each of these.

    Each mean is from the day after the previous one to the day itself. The first is from the table's
    first day on: for day 0 it is that day's own value.
    """
    before = daily[daily["day"] <= days.iloc[-1]]
    period = days.searchsorted(before["day"])
    return before[list(MEANS)].groupby(period).mean().rename(columns=MEANS)


@lru_cache(maxsize=BONES_KEPT)
def _bone(parameters: "SpecimenParameters", _files: tuple[str, ...]) -> "Specimen":
    """`bone_of`, cached."""
    from bonesim.specimens import make_specimen

    return make_specimen(parameters, Terminal().note)


def attempt(task: Task, simulate: Simulate = outcomes) -> dict[str, Any]:
    """One attempt at a point: its outcomes or its error; never raises."""
    begun = time.perf_counter()
    done: dict[str, Any] = {"point": task.point}
    with measured() as spent:
        try:
            with _logged(Path(task.log)) if task.log else nullcontext():
                _require_same(task)
                rows = simulate(task.config, task.keep)
                _require_same(task)
            done |= {"status": "done", "rows": rows}
            done["program"] = named(version_of("bonesim"), outcome_hash())
        except InputError as error:  # permanent, unlike a full disk or a busy file
            done |= {"status": "refused", "error": str(error)}
        except Exception as error:
            done |= {"status": "failed", "error": f"{type(error).__name__}: {error}",
                     "traceback": traceback.format_exc()}  # fmt: skip
        gc.collect()  # a simulation is a reference cycle of few objects: Python would free it late
    done[SPENT] = spent.entry()
    done["seconds"] = round(time.perf_counter() - begun, 3)
    return done


def died(point: str) -> dict[str, Any]:
    """The entry of a point whose worker died each time."""
    return {"point": point, "status": "failed", "seconds": 0.0,
            "error": f"its worker died {MAX_DEATHS} times (killed, or out of memory)"}  # fmt: skip


def _require_same(task: Task) -> None:
    """Raise InputError if this worker's program or the files of a point are not those planned.

    A result under the point's id would be of something else.
    """
    if task.program and task.program != outcome_hash():
        raise InputError(
            f"this worker runs program {outcome_hash()}, the sweep {task.program}; give all "
            "workers the same bonesim"
        )
    if not task.inputs:
        return
    with spending().part("start"):
        from bonesim.config.config import planned_config
        from bonesim.config.inputs import digest_of

    if task.inputs != digest_of(planned_config(tomllib.loads(task.config))):
        raise InputError(
            "a file that its config names has changed since the sweep began; run the sweep again"
        )


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Write all output meanwhile to a file, between lines on its start and its end."""
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
    """The time in the format of logs."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
