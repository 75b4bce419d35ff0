"""The commands on simulated trials: trial, plot trial."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonesim.cli.options import (
    Cluster,
    DryRun,
    Folder,
    Overwrite,
    Picture,
    Posterior,
    Quiet,
    Scheduler,
    Workers,
)
from bonesim.cli.sweep import plot_app


def trial(
    config: Annotated[Path, typer.Argument(help="Trial, TOML.", show_default=False)],
    output: Folder,
    posterior: Posterior = None,
    dry_run: DryRun = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    cluster: Cluster = None,
    quiet: Quiet = False,
) -> None:
    """A simulated clinical trial on virtual people; run again to resume. Not for clinical use."""
    from bonesim.api import pictures, studies
    from bonesim.errors import InputError
    from bonesim.sweeps.progress import SweepTerminal, exit_if_results_missing, stopped_politely
    from bonesim.sweeps.status import status_of
    from bonesim.trials.summary import text

    if dry_run:
        cost = studies.trial_cost(
            config, output, workers=workers, scheduler=scheduler, cluster=cluster,
            posterior=posterior,
        )  # fmt: skip
        print(cost.text())
        return
    try:
        with stopped_politely(output):
            comparison = studies.trial(
                config, output, workers=workers, scheduler=scheduler, cluster=cluster,
                progress=None if quiet else SweepTerminal(), posterior=posterior,
            )  # fmt: skip
    except InputError:
        if (output / "points.csv").is_file():
            exit_if_results_missing(status_of(output).missing, output)  # which is why
        raise
    pictures.plot_trial(comparison, output / "trial.png", overwrite=True)
    print(text(comparison))
    exit_if_results_missing(status_of(output).missing, output)


@plot_app.command("trial", epilog="Example: bonesim plot trial trial -o trial.png")
def plot_trial(
    folder: Annotated[Path, typer.Argument(help="Folder of a trial.", show_default=False)],
    output: Picture,
    overwrite: Overwrite = False,
) -> None:
    """Change by arm with what was published, P over repeated trials, estradiol; numbers beside."""
    from bonesim.api import pictures

    pictures.plot_trial(folder, output, overwrite=overwrite)
    print(output, file=sys.stderr)
