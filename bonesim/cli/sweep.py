"""The commands on many runs: sweep run, sweep status, sweep gather, plot sweep."""

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

sweep_app = typer.Typer(help="Many runs: parameter studies.", no_args_is_help=True)
plot_app = typer.Typer(help="Pictures of many runs.", no_args_is_help=True)

StudyFolder = Annotated[Path, typer.Argument(help="Folder of a sweep.", show_default=False)]


@sweep_app.command(epilog="Example: bonesim sweep run configs/sweep_dose_duration.toml -o sweep")
def run(
    study: Annotated[Path, typer.Argument(help="Study, TOML.", show_default=False)],
    output: Folder,
    posterior: Posterior = None,
    dry_run: DryRun = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    cluster: Cluster = None,
    task_index: Annotated[
        int | None, typer.Option(min=0, help="Do one share in this process, for job arrays.")
    ] = None,
    task_count: Annotated[int, typer.Option(min=1, help="Shares there are.")] = 1,
    quiet: Quiet = False,
) -> None:
    """Do what is missing of a study; run again to resume, or after adding points."""
    from bonesim.api import studies
    from bonesim.sweeps.progress import SweepTerminal, exit_if_results_missing, stopped_politely

    if dry_run:
        cost = studies.sweep_cost(
            study, output, workers=workers, scheduler=scheduler, cluster=cluster,
            posterior=posterior,
        )  # fmt: skip
        print(cost.text())
        return
    if task_index is not None:
        results = studies.sweep_share(
            study, output, task_index=task_index, task_count=task_count, posterior=posterior
        )
    else:
        with stopped_politely(output):
            results = studies.sweep(
                study, output, workers=workers, scheduler=scheduler, cluster=cluster,
                progress=None if quiet else SweepTerminal(), posterior=posterior,
            )  # fmt: skip
    if not quiet and task_index is not None:
        print(
            f"share {task_index} done; next, once all are: bonesim sweep gather {output}",
            file=sys.stderr,
        )
    elif not quiet and len(results):
        table = output / "results.csv"
        print(f"{table}: done; next: bonesim plot sweep {output} -o sweep.png", file=sys.stderr)
    exit_if_results_missing(results.attrs["missing"], output)


@sweep_app.command(epilog="Example: bonesim sweep status sweep")
def status(folder: StudyFolder) -> None:
    """How far a sweep is."""
    from bonesim.sweeps.status import status_of, text

    print(text(status_of(folder)))


@sweep_app.command(epilog="Example: bonesim sweep gather sweep")
def gather(folder: StudyFolder) -> None:
    """Write the tables of a sweep again, e.g. after the shares of a job array."""
    from bonesim.api import studies

    found = studies.gather_sweep(folder).attrs
    for note in found["notes"]:
        print(note, file=sys.stderr)
    if found["missing"]:
        print(f"{found['missing']} points have no result", file=sys.stderr)
    print(folder / "results.csv", file=sys.stderr)


@plot_app.command(epilog="Example: bonesim plot bands ensemble -o bands.png")
def bands(folder: StudyFolder, output: Picture, overwrite: Overwrite = False) -> None:
    """Medians and 90 % bands of run --posterior against time; the numbers as CSV beside."""
    from bonesim.api import pictures

    pictures.plot_bands(folder, output, overwrite=overwrite)
    print(output, file=sys.stderr)


@plot_app.command(epilog="Example: bonesim plot sweep sweep -o sweep.png --outcome tb_th_um")
def sweep(
    folder: StudyFolder,
    output: Picture,
    outcome: Annotated[str, typer.Option(help="Column of results.csv.")] = "bvtv_percent",
    moment: Annotated[str, typer.Option(help="end, start, change or regained.")] = "change",
    kind: Annotated[
        str | None, typer.Option(help="curves, heatmap, sobol, morris or pairs.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            help="Value of the first variable with which rows are compared; default the first."
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Heatmap, curves with 95 % CI, Sobol or Morris bars, or pairs; the numbers as CSV beside.

    Rows that share seeds are compared within pairs of one seed, in the picture and as text.
    """
    from bonesim.api import pictures
    from bonesim.api.compare import paired_sweep
    from bonesim.sweeps.arms import differences_text

    pictures.plot_sweep(
        folder, output, outcome=outcome, moment=moment, kind=kind, reference=reference,
        overwrite=overwrite,
    )  # fmt: skip
    print(output, file=sys.stderr)
    pairs = paired_sweep(folder, outcome=outcome, moment=moment, reference=reference)
    if len(pairs):
        print(differences_text(pairs, f"{outcome}, {moment}"))
