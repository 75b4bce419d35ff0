"""The commands on many runs: sweep run, sweep status, plot sweep."""

import sys
from pathlib import Path
from typing import Annotated

import typer

sweep_app = typer.Typer(help="Many runs: parameter studies.", no_args_is_help=True)
plot_app = typer.Typer(help="Pictures of many runs.", no_args_is_help=True)

StudyFolder = Annotated[Path, typer.Argument(help="Folder of a sweep.", show_default=False)]


@sweep_app.command()
def run(
    study: Annotated[Path, typer.Argument(help="Study, TOML.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of its results.")],
    dry_run: Annotated[bool, typer.Option(help="Tell the cost and stop.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a core.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="A running Dask scheduler, tcp://host:port.")
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="Job queue: slurm, pbs, ...")] = None,
    task_index: Annotated[
        int | None, typer.Option(min=0, help="Do one share in this process, for job arrays.")
    ] = None,
    task_count: Annotated[int, typer.Option(min=1, help="Shares there are.")] = 1,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Do what is missing of a study; run again to resume, or after adding points."""
    from bonesim.errors import InputError
    from bonesim.sweeps.progress import SweepTerminal, exit_if_results_missing, stopped_politely
    from bonesim.sweeps.study import Study
    from bonesim.sweeps.sweep import plan, run_share, run_study

    what = Study(study)
    if dry_run:
        print(plan(what, output, workers).text())
        return
    if task_index is not None:
        if task_index >= task_count:
            raise InputError(f"--task-index {task_index}: allowed 0 to {task_count - 1}")
        lost = run_share(what, output, task_index, task_count)
    else:
        with stopped_politely(output):
            lost = run_study(what, output, workers=workers, scheduler=scheduler, cluster=cluster,
                             progress=None if quiet else SweepTerminal())  # fmt: skip
    exit_if_results_missing(lost, output)


@sweep_app.command()
def status(folder: StudyFolder) -> None:
    """How far a sweep is."""
    from bonesim.sweeps.folder import Folder

    place = Folder(folder)
    points = place.points()["point"].nunique()
    done, failed = place.status()
    seconds = [entry["seconds"] for entry in done.values()]
    print(f"{len(done)} of {points} points done, {len(failed)} without success so far")
    if seconds:
        print(f"{sum(seconds) / len(seconds):.1f} s a point, {sum(seconds) / 3600:.2f} h in all")
    for point, errors in list(failed.items())[:10]:
        print(f"  {point}: {errors[-1]['error']}")


@sweep_app.command()
def gather(folder: StudyFolder) -> None:
    """Make the tables of a sweep anew, e.g. after the shares of a job array."""
    from bonesim.sweeps.folder import Folder

    place = Folder(folder)
    place.write_tables()
    print(place.path / "results.csv", file=sys.stderr)


@plot_app.command()
def sweep(
    folder: StudyFolder,
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture to make (.png).")],
    outcome: Annotated[str, typer.Option(help="Column of results.csv.")] = "bvtv_percent",
    moment: Annotated[str, typer.Option(help="end, start, change or regained.")] = "change",
    kind: Annotated[
        str | None, typer.Option(help="curves, heatmap, sobol, morris or pairs.")
    ] = None,
) -> None:
    """Heatmap, curves with 95 % CI, Sobol or Morris bars, or pairs; the numbers as CSV beside."""
    from bonesim.sweeps.folder import STUDY, Folder
    from bonesim.sweeps.study import StudyParameters, read_as
    from bonesim.viewer.picture import check_picture
    from bonesim.viewer.sweep_plots import plot

    check_picture(output)
    place = Folder(folder)
    design = read_as(place.path / STUDY, StudyParameters)[0].design
    print(plot(place.results(), design, output, outcome=outcome, moment=moment, kind=kind),
          file=sys.stderr)  # fmt: skip
