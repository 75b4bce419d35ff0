"""The commands on many runs: sweep run, sweep status, plot sweep."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bonesim.progress import LOG_SECONDS, complain

if TYPE_CHECKING:
    from rich.progress import Progress

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
    from bonesim.sweep.study import Study
    from bonesim.sweep.sweep import plan, run_share, run_study

    what = Study(study)
    if dry_run:
        print(plan(what, output, workers).said())
        return
    if task_index is not None:
        if task_index >= task_count:
            raise InputError(f"--task-index {task_index}: allowed 0 to {task_count - 1}")
        lost = run_share(what, output, task_index, task_count)
    else:
        with _stopped_politely(output):
            lost = run_study(what, output, workers=workers, scheduler=scheduler, queue=cluster,
                             progress=None if quiet else _Terminal())  # fmt: skip
    if lost:
        print(f"bonesim: {lost} points have no result: {output / 'failed.csv'}", file=sys.stderr)
        sys.exit(3)


@sweep_app.command()
def status(folder: StudyFolder) -> None:
    """How far a sweep is."""
    from bonesim.sweep.gather import Folder

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
    from bonesim.sweep.gather import Folder

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
    from bonesim.sweep.gather import STUDY, Folder
    from bonesim.sweep.study import read_parameters
    from bonesim.viewer.picture import check_picture
    from bonesim.viewer.sweep_plots import plot

    check_picture(output)
    place = Folder(folder)
    design = read_parameters(place.path / STUDY)[0].design
    print(plot(place.results(), design, output, outcome=outcome, moment=moment, kind=kind),
          file=sys.stderr)  # fmt: skip


@contextmanager
def _stopped_politely(folder: Path) -> Iterator[None]:
    """Ctrl-C and SIGTERM close the workers and end with one line."""
    numbers: list[int] = [signal.SIGINT]

    def stop(number: int, _frame: Any) -> None:
        numbers.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        complain(f"stopped; all finished points are in {folder}, run it again to go on")
        sys.exit(128 + numbers[-1])


class _Terminal:
    """Shows a sweep on stderr: a bar on a terminal, a line now and then in a log."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(stderr=True, highlight=False)
        self._bar: Progress | None = None
        self._begun = self._last = time.monotonic()
        self._ended = self._lost = 0

    def say(self, text: str) -> None:
        """Print one note."""
        self.console.print(text, markup=False, soft_wrap=True)

    def begin(self, done: int, total: int) -> None:
        """The first points are handed out."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._begun = self._last = time.monotonic()
        if self.console.is_terminal:
            self._bar = Progress(
                BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"),
                console=self.console,
            )  # fmt: skip
            self._bar.start()
            self._task = self._bar.add_task("points", total=total, completed=done)

    def ended(self, entry: dict[str, Any], done: int, total: int) -> None:
        """Tell failures at once, progress every few seconds."""
        if entry["status"] != "done":
            self._lost += 1
            self.say(f"{entry['point']}: {entry['error']}")
        self._ended += 1
        now = time.monotonic()
        pace = self._ended / max(now - self._begun, 1e-9)
        left = timedelta(seconds=round((total - done) / pace))
        text = f"{60 * pace:.3g} a minute   about {left} left" + (
            f"   {self._lost} attempts failed" if self._lost else ""
        )
        if self._bar is not None:
            self._bar.update(self._task, completed=done, description=text)
        elif now - self._last >= LOG_SECONDS or done == total:
            self._last = now
            self.say(f"{done} of {total} points   {text}")

    def end(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
