"""Simulate: a run file, a run and its twin, a branch, a biopsy, a decomposed loss, the blood alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bonesim.api.inputs import AnyConfig, AnyRun, as_config, as_config_or_run, files_of, opened
from bonesim.engine import run as engine_run
from bonesim.engine import twins
from bonesim.engine.days import Observer
from bonesim.specimens.specimen import Specimen
from bonesim.storage.outputs import check_run_files

if TYPE_CHECKING:
    import pandas as pd

    from bonesim.engine.cost import Cost

__all__ = [
    "biopsy",
    "branch",
    "decompose",
    "hormones",
    "resume",
    "run",
    "run_cost",
    "run_twins",
]


def run(
    config: AnyConfig,
    output: str | Path,
    *,
    changes: Mapping[str, Any] | None = None,
    seed: int | None = None,
    overwrite: bool = False,
    until_day: int | None = None,
    observers: Sequence[Observer] = (),
    specimen: Specimen | None = None,
) -> Path:
    """Simulate a configuration into a run file; returns its path.

    Args:
        config: a Config, a nested dict, or the path of a TOML file.
        output: the file to make (.vtkhdf); refused if it exists, unless `overwrite`.
        changes: dotted path -> value, e.g. {"schedule.duration_day": 365}.
        seed: instead of the configuration's.
        overwrite: replace the output if it exists.
        until_day: stop after this day; `resume` continues from there.
        observers: look at every day; subclasses of `bonesim.Observer`.
        specimen: the bone, if it is at hand already (`make_specimen`).

    Raises:
        InputError: a configuration, specimen or output that will not do.
        Stopped: a signal ended the run; the file is complete up to the last simulated day.
    """
    check_run_files([Path(output)], overwrite, files_of(config, changes))
    return engine_run.run(
        as_config(config, changes, seed), output, overwrite=overwrite, until_day=until_day,
        observers=observers, specimen=specimen,
    )  # fmt: skip


def run_twins(
    config: AnyConfig,
    output: str | Path,
    *,
    changes: Mapping[str, Any] | None = None,
    seed: int | None = None,
    overwrite: bool = False,
    until_day: int | None = None,
    observers: Sequence[Observer] = (),
    specimen: Specimen | None = None,
) -> tuple[Path, Path]:
    """Simulate a configuration and its untreated twin; returns the paths of both run files.

    The twin has the same bone, random numbers and burn-in; what the configuration changes from day
    0 on is left out. Its file stands beside the run's: out.vtkhdf has out_twin.vtkhdf.

    Args:
        config, output, changes, seed, overwrite, until_day, observers, specimen: as for `run`.

    Raises:
        InputError: the configuration treats nothing; also as `run`.
        Stopped: as `run`.
    """
    output = Path(output)
    check_run_files([output, twins.twin_path(output)], overwrite, files_of(config, changes))
    return twins.run_twins(
        as_config(config, changes, seed), output, overwrite=overwrite, until_day=until_day,
        observers=observers, specimen=specimen,
    )  # fmt: skip


def run_cost(
    config: AnyConfig,
    output: str | Path,
    *,
    changes: Mapping[str, Any] | None = None,
    seed: int | None = None,
    twin: bool = False,
    until_day: int | None = None,
    specimen: Specimen | None = None,
) -> "Cost":
    """What a run takes: voxels after resampling, memory, disk, seconds; nothing is simulated.

    A scan is read and segmented. `run_cost(...).text()` is for reading, with the time on this machine.

    Args:
        config, output, changes, seed, until_day, specimen: as for `run`; nothing is written.
        twin: of `run_twins`.

    Raises:
        InputError: as `run`. ResourceError: this machine has not enough memory or disk for it.
    """
    from bonesim.engine import compile_ahead, cost

    resolved = as_config(config, changes, seed)
    found = cost.cost_of(
        cost.planned(resolved.specimen, specimen)[0], resolved, files=2 if twin else 1,
        until_day=until_day, compiled=compile_ahead.all_cached(),
    )  # fmt: skip
    cost.refuse_what_cannot_fit(found, Path(output))
    return found


def resume(
    run: str | Path, *, until_day: int | None = None, observers: Sequence[Observer] = (),
    anyway: bool = False,
) -> Path:  # fmt: skip
    """Continue an interrupted run from its last checkpoint, bit for bit; returns its path.

    Args:
        run: the run file.
        until_day, observers: as for `run`.
        anyway: also if another program (version or sources) simulated it so far; its provenance
            then records both, and from which day.

    Raises:
        InputError: the run is complete, has no checkpoint, or is of another program.
        CorruptFileError: file or checkpoint is damaged.
        Stopped: as `run`.
    """
    return engine_run.resume(run, until_day=until_day, observers=observers, anyway=anyway)


def branch(
    run: AnyRun,
    output: str | Path,
    *,
    day: int,
    changes: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    until_day: int | None = None,
    observers: Sequence[Observer] = (),
) -> Path:
    """Go on from a day of a run under another course, load or parameter, in a new run file.

    What is written against time (course, protocol, ablation) may change after `day`: the branch is then
    what its configuration gives from the start, to the last bit. A parameter that acts every day has its
    new value from the day after. The new file has all days from day 0 on, and the parent's identity,
    the day and the changes in its provenance (`info`). Days up to `day` are taken from the checkpoint
    beside the run, or simulated again and compared with it; a note states which.

    Args:
        run: the parent, its path or what `open_run` gives.
        output: the file to make (.vtkhdf).
        day: a day of the parent, from its end on the branch is another.
        changes: dotted path -> value, e.g. {"cells.osteoclast.dig_um_per_day": 3.0}; none: the same run.
        overwrite, until_day, observers: as for `run`.

    Raises:
        InputError: no such day; what acts at the start (specimen, seed, voxel size); changes of
            earlier days; the parent's days simulated again are not those on file.
        Stopped: as `run`; before `day` nothing is kept.
    """
    from bonesim.engine import branch as engine_branch

    with opened(run) as parent:
        check_run_files([Path(output)], overwrite, (parent.path,))
        return engine_branch.branch(
            parent, day, dict(changes or {}), Path(output), overwrite=overwrite,
            until_day=until_day, observers=observers,
        )  # fmt: skip


def hormones(
    config: AnyConfig,
    *,
    changes: Mapping[str, Any] | None = None,
    people: int = 0,
    every: Literal["day", "phase"] = "day",
) -> "pd.DataFrame":
    """What a prescription does to testosterone, estradiol and LH; no bone is simulated.

    Args:
        config: must have a protocol.
        changes: as for `run`.
        people: also the 90 % range of so many virtual people (columns *_p05, *_p95).
        every: "day": one row a day; "phase": one row per quantity and phase of the protocol.

    Raises:
        InputError: no protocol, or parameters that are not allowed.
    """
    from bonesim.reports import blood

    return blood.table(blood.Prescribed(as_config(config, changes), people), every)


def biopsy(
    config: AnyConfig,
    day: int,
    *,
    changes: Mapping[str, Any] | None = None,
    seed: int | None = None,
    observers: Sequence[Observer] = (),
) -> "pd.DataFrame":
    """A doubly labelled biopsy: one row per measure, 3-D truth beside what 2-D sections show.

    Args:
        config: simulated until `day`.
        day: of the biopsy.
        changes: dotted path -> value; those that begin with "biopsy." are of the biopsy.
        seed: instead of the configuration's.
        observers: get the notes on bone and cache.

    Raises:
        InputError: too early a day, too small a bone, parameters that are not allowed.
    """
    from bonesim.engine.days import Observers
    from bonesim.reports import biopsy as report

    others, parameters = report.parameters_of(dict(changes or {}))
    resolved = as_config(config, others, seed)
    return report.table(resolved, day, parameters, Observers(observers).note)


def decompose(
    config: AnyConfig,
    days: Sequence[int] | None = None,
    *,
    changes: Mapping[str, Any] | None = None,
    seed: int | None = None,
    twin: Mapping[str, Any] | Literal["untreated"] | None = None,
    observers: Sequence[Observer] = (),
) -> "pd.DataFrame":
    """A loss of bone mineral in its parts: one row per simulation, day and part.

    Args:
        config: what to simulate; also a run file, whose configuration is simulated again.
        days: when to decompose, rising, from 1 on; those of the snapshots if None.
        changes, seed: as for `run`.
        twin: also a twin, and the difference part by part: what it changes (dotted path -> value),
            or "untreated".
        observers: look at every day.

    Raises:
        InputError: days or parameters that are not allowed.
    """
    from bonesim.config.twin import untreated_twin
    from bonesim.engine.days import Observers
    from bonesim.reports import loss as report

    resolved = as_config_or_run(config, changes, seed)
    wanted = report.snapshot_days(resolved) if days is None else report.checked_days(days)
    configs = [resolved]
    if twin == "untreated":
        configs.append(untreated_twin(resolved))
    elif twin:
        configs.append(resolved.with_changes(dict(twin)))
    observer, losses = Observers(observers), []
    for one in configs:
        observer.begin(-one.schedule.burn_in_day, wanted[-1])
        try:
            losses.append(report.losses(one, wanted, observer.note, observer.on_day))
        finally:
            observer.end()
    return report.table(losses, configs)
