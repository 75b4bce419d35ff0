"""The commands on simulated trials: trial, plot trial."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bonesim.cli.sweep import plot_app

if TYPE_CHECKING:
    from bonesim.trials.compare import Comparison
    from bonesim.trials.parameters import TrialParameters


def trial(
    config: Annotated[Path, typer.Argument(help="Trial, TOML.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of its results.")],
    dry_run: Annotated[bool, typer.Option(help="Tell the cost and stop.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a core.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="A running Dask scheduler, tcp://host:port.")
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="Job queue: slurm, pbs, ...")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """A simulated clinical trial on virtual people; run again to resume. Not for clinical use."""
    from bonesim.errors import InputError
    from bonesim.sweeps.folder import Folder
    from bonesim.sweeps.progress import SweepTerminal, exit_if_results_missing, stopped_politely
    from bonesim.sweeps.sweep import plan, run_study
    from bonesim.trials.compare import compared
    from bonesim.trials.outcomes import outcomes_of
    from bonesim.trials.summary import people_of, summary, write_tables
    from bonesim.trials.trial import Trial

    what = Trial(config)
    if dry_run:
        print(plan(what, output, workers).text())
        return
    with stopped_politely(output):
        lost = run_study(what, output, workers=workers, scheduler=scheduler, cluster=cluster,
                         progress=None if quiet else SweepTerminal())  # fmt: skip
    place, parameters = Folder(output), what.parameters
    try:
        outcomes = outcomes_of(place.results(), parameters)
    except InputError:
        exit_if_results_missing(lost, output)  # which is why
        raise
    comparison = compared(parameters, outcomes)
    write_tables(output, people_of(place.points()), comparison)
    _draw(parameters, comparison, output / "trial.png")
    print(summary(parameters, outcomes, comparison))
    exit_if_results_missing(lost, output)


@plot_app.command("trial")
def plot_trial(
    folder: Annotated[Path, typer.Argument(help="Folder of a trial.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture to make (.png).")],
) -> None:
    """Change by arm with what was published, P over repeated trials, estradiol; numbers beside."""
    from bonesim.sweeps.folder import STUDY, Folder
    from bonesim.sweeps.study import read_as
    from bonesim.trials.compare import compared
    from bonesim.trials.outcomes import outcomes_of
    from bonesim.trials.parameters import TrialParameters
    from bonesim.viewer.picture import check_picture

    check_picture(output)
    place = Folder(folder)
    parameters = read_as(place.path / STUDY, TrialParameters)[0]
    comparison = compared(parameters, outcomes_of(place.results(), parameters))
    _draw(parameters, comparison, output)
    print(output, file=sys.stderr)


def _draw(parameters: "TrialParameters", comparison: "Comparison", output: Path) -> None:
    """The trial's figure."""
    from bonesim.viewer.trial_plots import draw

    reference = parameters.reference.name
    arms = [reference, *(arm.name for arm in parameters.arm if arm.name != reference)]
    draw(
        comparison.estimates, comparison.curves, comparison.repeats, arms, parameters.title, output
    )
