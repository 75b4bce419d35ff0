"""Answers as bands: a configuration over members of the calibration's posterior."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonesim.api.inputs import AnyConfig, as_config
from bonesim.errors import InputError
from bonesim.units import units_of

if TYPE_CHECKING:
    import pandas as pd

    from bonesim.sweeps.cost import Plan
    from bonesim.sweeps.ensemble import Ensemble
    from bonesim.sweeps.sweep import Progress

__all__ = ["bands", "posterior_members", "run_posterior", "run_posterior_cost"]

#: A quarter as many runs split the spread, from so many members on.
SPLIT_FROM = 8


def posterior_members() -> "pd.DataFrame":
    """The members of the posterior: one row each, one column per parameter (its dotted path)."""
    import pandas as pd

    from bonesim.sweeps.members import all_members

    return pd.DataFrame(all_members()).rename_axis(index="member")


def run_posterior(
    config: AnyConfig,
    folder: str | Path,
    *,
    posterior: int,
    split: int | None = None,
    changes: Mapping[str, Any] | None = None,
    seed: int | None = None,
    workers: int | None = None,
    progress: "Progress | None" = None,
) -> "pd.DataFrame":
    """Simulate a configuration over members of the posterior; returns medians and 90 % bands.

    Each member is one run with the member's parameters, on a bone (if synthetic) and with random numbers
    of its own, beside its untreated twin.

    Args:
        config: a Config, a nested dict, or the path of a TOML file.
        folder: of the results; call again to resume. It serves one configuration.
        posterior: how many members.
        split: runs of the point defaults on other bones, and as many with other random numbers: they
            split the spread into parameters, bones and chance. A quarter of the members if None, from 8
            members on.
        changes, seed: as for `run`.
        workers: processes; as many as cores if None.
        progress: shown, e.g. `bonesim.sweeps.progress.SweepTerminal()`.

    Returns:
        One row per quantity and day, see `bands`; `attrs["missing"]` counts runs without a result.

    Raises:
        InputError: no such number of members, or a folder that will not do. BusyError: the folder is in
        use. ResourceError: it cannot fit.
    """
    from bonesim.sweeps.sweep import run_study

    what = _ensemble(as_config(config, dict(changes or {}), seed), posterior, split)
    missing = run_study(what, Path(folder), workers=workers, progress=progress)
    return _bands(Path(folder), missing)


def run_posterior_cost(
    config: AnyConfig, folder: str | Path, *, posterior: int, split: int | None = None,
    changes: Mapping[str, Any] | None = None, seed: int | None = None, workers: int | None = None,
) -> "Plan":  # fmt: skip
    """What is left to do of an ensemble, and what it costs; see `run_posterior`."""
    from bonesim.sweeps.sweep import plan

    what = _ensemble(as_config(config, dict(changes or {}), seed), posterior, split)
    return plan(what, Path(folder), workers)


def bands(folder: str | Path) -> "pd.DataFrame":
    """Medians and 90 % bands of an ensemble from its folder, without simulating anything.

    Args:
        folder: of `run_posterior`.

    Returns:
        quantity, day, n, median, low, high (difference from the untreated twin, %; without treatment
        since day 0), and share_parameters, share_bones, share_chance of the variance.

    Raises:
        InputError: no folder of an ensemble.
    """
    from bonesim.sweeps.status import status_of

    return _bands(Path(folder), status_of(Path(folder)).missing)


def _ensemble(config: Any, posterior: int, split: int | None) -> "Ensemble":
    from bonesim.sweeps.ensemble import Ensemble

    if split is None:
        split = posterior // 4 if posterior >= SPLIT_FROM else 0
    return Ensemble(config, posterior, split)


def results_of(folder: Path) -> "pd.DataFrame":
    """The results of an ensemble.

    Raises:
        InputError: the folder is of something else.
    """
    from bonesim.sweeps.folder import Folder

    results = Folder(folder).results()
    if len(results) and not {"role", "number", "arm"} <= set(results):
        raise InputError(f"{folder}: is a sweep's or a trial's folder; give one of `run_posterior`")
    return results


def _bands(folder: Path, missing: int) -> "pd.DataFrame":
    from bonesim.analysis.bands import bands as bands_of

    results = results_of(folder)
    table = bands_of(results) if len(results) else results
    table.attrs = {"missing": missing, "units": units_of(table)}
    return table
