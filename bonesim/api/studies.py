"""Many runs: parameter studies (sweeps) and simulated trials."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonesim.api.inputs import AnyConfig, as_config_or_run
from bonesim.errors import InputError
from bonesim.units import units_of

if TYPE_CHECKING:
    import pandas as pd

    from bonesim.sweeps.cost import Plan
    from bonesim.sweeps.study import StudyLike
    from bonesim.sweeps.sweep import Progress
    from bonesim.trials.compare import Comparison
    from bonesim.trials.trial import Trial

__all__ = [
    "compare_trial", "decompose_without", "gather_sweep", "sweep", "sweep_cost", "sweep_share",
    "sweep_status", "trial",
    "trial_cost",
]  # fmt: skip


def sweep(
    study: str | Path,
    folder: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    cluster: str | None = None,
    progress: "Progress | None" = None,
    posterior: int | None = None,
) -> "pd.DataFrame":
    """Simulate what is missing of a study; returns its results, one row per run and snapshot.

    Args:
        study: TOML file of the design.
        folder: of the results; call again to resume, or after adding points. A single folder serves
            one study.
        workers: processes; as many as cores if None.
        scheduler: address of a running Dask scheduler, tcp://host:port.
        cluster: job queue, "slurm", "pbs", ...
        progress: shown, e.g. `bonesim.sweeps.progress.SweepTerminal()`.
        posterior: replicates are so many members of the posterior, each on a bone of its own; as the
            study has it if None.

    Returns:
        The results so far; `attrs["missing"]` counts the points without one.

    Raises:
        InputError: a study or folder that will not do, no scheduler. BusyError: another sweep runs in
        the folder. ResourceError: it cannot fit.
    """
    from bonesim.sweeps.study import Study

    what = Study(Path(study), posterior)
    return _done(what, folder, workers, scheduler, cluster, progress)


def sweep_share(
    study: str | Path, folder: str | Path, *, task_index: int, task_count: int,
    posterior: int | None = None,
) -> "pd.DataFrame":  # fmt: skip
    """Simulate one share of a study in this process, for arrays of cluster jobs; see `sweep`.

    Args:
        study, folder, posterior: as for `sweep`.
        task_index: which share, from 0.
        task_count: how many there are.

    Raises:
        InputError: as `sweep`; no such share. BusyError: this share runs already.
    """
    from bonesim.sweeps.study import Study
    from bonesim.sweeps.sweep import run_share

    if not 0 <= task_index < task_count:
        raise InputError(f"got {task_index}; allowed 0 to {task_count - 1}", parameter="task_index")
    missing = run_share(Study(Path(study), posterior), Path(folder), task_index, task_count)
    return _results(Path(folder), missing)


def sweep_cost(
    study: str | Path, folder: str | Path, *, workers: int | None = None,
    scheduler: str | None = None, cluster: str | None = None, posterior: int | None = None,
) -> "Plan":  # fmt: skip
    """What is left to do of a study, and what it costs: points, hours, memory, disk.

    Args:
        study, folder, workers, scheduler, cluster, posterior: as for `sweep`; nothing is written.

    Raises:
        InputError: as `sweep`.
    """
    from bonesim.sweeps.study import Study
    from bonesim.sweeps.sweep import plan

    return plan(Study(Path(study), posterior), Path(folder), workers, scheduler, cluster)


def sweep_status(folder: str | Path) -> "pd.DataFrame":
    """How far a sweep or trial is: one row per point, with its state, attempts, seconds and error.

    Args:
        folder: of a sweep or trial.

    Raises:
        InputError: no folder of a sweep.
    """
    from bonesim.sweeps.status import status_of, table

    return table(status_of(Path(folder)))


def gather_sweep(folder: str | Path) -> "pd.DataFrame":
    """Write the tables of a sweep again, e.g. after the shares of a job array; returns the results.

    Args:
        folder: of a sweep.

    Returns:
        The results; `attrs["missing"]` counts the points without one, `attrs["notes"]` has what is
        damaged or of another program, one line each.

    Raises:
        InputError: no folder of a sweep.
    """
    from bonesim.sweeps.folder import Folder
    from bonesim.sweeps.status import status_of

    place = Folder(Path(folder))
    place.write_tables()
    return _results(place.path, status_of(place.path).missing)


def trial(
    config: str | Path,
    folder: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    cluster: str | None = None,
    progress: "Progress | None" = None,
    posterior: int | None = None,
) -> "Comparison":
    """Simulate what is missing of a clinical trial on virtual people; returns its tables.

    Args:
        config: TOML file of the trial.
        folder, workers, scheduler, cluster, progress: as for `sweep`.
        posterior: each bone, with the persons on it, has one of so many members of the posterior; as the
            trial has it if None.

    Returns:
        estimates (one row per quantity, day, estimate and arm or difference), curves (against day),
        repeats (the primary outcome of each repeated trial).

    Raises:
        InputError: as `sweep`; no person has all arms.
    """
    from bonesim.trials.trial import Trial

    what = Trial(Path(config), posterior)
    results = _done(what, folder, workers, scheduler, cluster, progress)
    return _compared(what, Path(folder), results)


def trial_cost(
    config: str | Path, folder: str | Path, *, workers: int | None = None,
    scheduler: str | None = None, cluster: str | None = None, posterior: int | None = None,
) -> "Plan":  # fmt: skip
    """What is left to do of a trial, and what it costs; see `sweep_cost`."""
    from bonesim.sweeps.sweep import plan
    from bonesim.trials.trial import Trial

    return plan(Trial(Path(config), posterior), Path(folder), workers, scheduler, cluster)


def compare_trial(folder: str | Path) -> "Comparison":
    """The tables of a trial from its folder, without simulating anything; see `trial`.

    Args:
        folder: of a trial.

    Raises:
        InputError: no folder of a trial, or no person has all arms yet.
    """
    from bonesim.sweeps.folder import Folder
    from bonesim.sweeps.journal import STUDY
    from bonesim.sweeps.study import read_as
    from bonesim.trials.compare import compared
    from bonesim.trials.outcomes import outcomes_of
    from bonesim.trials.parameters import TrialParameters

    place = Folder(Path(folder))
    parameters = read_as(place.path / STUDY, TrialParameters)[0]
    return compared(parameters, outcomes_of(place.results(), parameters))


def decompose_without(
    config: AnyConfig,
    without: Sequence[str],
    folder: str | Path,
    *,
    days: Sequence[int] | None = None,
    changes: Mapping[str, Any] | None = None,
    seed: int | None = None,
    workers: int | None = None,
    progress: "Progress | None" = None,
) -> "pd.DataFrame":
    """What some processes do to a loss: by the ledger, and by twins in which they end on day 0.

    Simulated are the run and its untreated twin (if it has treatment), and both without each process,
    one at a time. Bone, random numbers and burn-in are those of the run.

    Args:
        config: a Config, a nested dict, the path of a TOML file, or a run file, whose configuration is
            simulated again.
        without: processes: perforation, cuts, mechanics, arrest, mineral_lag, or "all".
        folder: of the run files and their losses; call again to resume. It serves one run.
        days: when to compare, rising, from 1 on; those of the snapshots if None.
        changes, seed: as for `run`.
        workers: processes of the machine; one a core if None and Dask is installed, else one.
        progress: shown, e.g. `bonesim.sweeps.progress.SweepTerminal()`.

    Returns:
        One row per process, comparison, day and quantity; `attrs["missing"]` counts simulations without
        result, the table is empty then.

    Raises:
        InputError: an unknown process or one that is off already; days or a folder that will not do.
        BusyError: the folder is in use. ResourceError: it cannot fit.
    """
    import pandas as pd

    from bonesim.reports import loss
    from bonesim.reports import without as report
    from bonesim.sweeps.batch import default_workers
    from bonesim.sweeps.without import Ablations

    resolved = as_config_or_run(config, changes, seed)
    wanted = loss.snapshot_days(resolved) if days is None else loss.checked_days(days)
    what = Ablations(resolved, without, wanted)
    results = _done(what, folder, workers or default_workers(), None, None, progress)
    missing = results.attrs["missing"]
    table = pd.DataFrame() if missing else report.table(results, what.processes, wanted)
    table.attrs = {"missing": missing}
    return table


def _done(
    what: "StudyLike", folder: str | Path, workers: int | None, scheduler: str | None,
    cluster: str | None, progress: "Progress | None",
) -> "pd.DataFrame":  # fmt: skip
    """Simulate what is missing."""
    from bonesim.sweeps.sweep import run_study

    missing = run_study(
        what, Path(folder), workers=workers, scheduler=scheduler, cluster=cluster, progress=progress
    )
    return _results(Path(folder), missing)


def _results(folder: Path, missing: int) -> "pd.DataFrame":
    from bonesim.sweeps.folder import Folder

    place = Folder(folder)
    results = place.results()
    results.attrs |= {"missing": missing, "units": units_of(results), "notes": place.notes()}
    return results


def _compared(what: "Trial", folder: Path, results: "pd.DataFrame") -> "Comparison":
    """The tables of a trial, which are put into its folder too."""
    from bonesim.sweeps.folder import Folder
    from bonesim.trials.compare import compared
    from bonesim.trials.outcomes import outcomes_of
    from bonesim.trials.summary import people_of, write_tables

    comparison = compared(what.parameters, outcomes_of(results, what.parameters))
    write_tables(folder, people_of(Folder(folder).points()), comparison)
    return comparison
