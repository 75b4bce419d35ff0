"""The commands: run, resume, info, render, view, hormones, schema; the others in cli_*.

stdout carries data, stderr messages and progress. Exit codes are those of `bonesim.errors`.
Heavy libraries are imported inside the commands, so that `bonesim --help` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bonesim.cli.biopsy import biopsy
from bonesim.cli.clinic import clinic, scan_like
from bonesim.cli.decompose import decompose
from bonesim.cli.measure import measure
from bonesim.cli.sweep import plot_app, sweep_app
from bonesim.cli.trial import trial
from bonesim.errors import BonesimError, InputError

app = typer.Typer(
    name="bonesim",
    help="Trabecular bone remodelling, cell by cell: what estradiol suppression takes, and what "
    "comes back. A research tool, not for clinical decisions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command()(measure)
app.add_typer(sweep_app, name="sweep")
app.command()(trial)
app.add_typer(plot_app, name="plot")
app.command()(clinic)
app.command()(biopsy)
app.command()(decompose)
app.command("scan-like")(scan_like)

ConfigFile = Annotated[Path, typer.Argument(help="Configuration, TOML.", show_default=False)]
RunFile = Annotated[Path, typer.Argument(help="Run file (.vtkhdf).", show_default=False)]
UntilDay = Annotated[
    int | None, typer.Option(min=0, help="Stop after this day; resume goes on from there.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")]


@app.command()
def run(
    config: ConfigFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="Run file to make (.vtkhdf).")],
    bone: Annotated[
        Path | None,
        typer.Option(
            help="Scan instead of the config's specimen: TIFF, NRRD, NIfTI, MHA, VTI, NPY."
        ),
    ] = None,
    voxel_um: Annotated[float | None, typer.Option(help="Voxel size of the scan, um.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Bone is at this grey value or more.")
    ] = None,
    mask: Annotated[Path | None, typer.Option(help="Mask image: bone where it is not 0.")] = None,
    resample_um: Annotated[
        float | None, typer.Option(help="Simulate at this voxel size, um.")
    ] = None,
    smooth_voxel: Annotated[
        float | None, typer.Option(help="Gaussian on the grey values first, SD in voxels.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the config's seed.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any parameter: path=value, e.g. schedule.duration_day=365."),
    ] = None,
    until_day: UntilDay = None,
    overwrite: Annotated[bool, typer.Option(help="Replace the output if it exists.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Print the resolved config and stop.")] = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a configuration into a run file."""
    from bonesim.config.changes import parsed_changes
    from bonesim.config.config import load_config, to_toml

    scan = {
        "path": bone, "voxel_um": voxel_um, "threshold": threshold, "mask": mask,
        "resample_um": resample_um, "smooth_voxel": smooth_voxel,
    }  # fmt: skip
    changes = _scan_changes(scan) | parsed_changes(change or [])
    if seed is not None:
        changes["seed"] = seed
    resolved = load_config(config, changes)
    if dry_run:
        sys.stdout.write(to_toml(resolved))
        return
    from bonesim.engine.run import run as run_to_file

    path = run_to_file(
        resolved, output, overwrite=overwrite, until_day=until_day, observers=_observers(quiet)
    )
    if not quiet:
        print(f"{path}: done; next: bonesim info {path}", file=sys.stderr)


@app.command()
def resume(file: RunFile, until_day: UntilDay = None, quiet: Quiet = False) -> None:
    """Continue an interrupted run, bit for bit."""
    from bonesim.engine.run import resume as resume_run

    resume_run(file, until_day=until_day, observers=_observers(quiet))


@app.command()
def info(file: RunFile) -> None:
    """Tell what a run file holds and what came out."""
    from bonesim.reports.run import summary
    from bonesim.storage.reader import open_run

    with open_run(file) as opened:
        print(summary(opened))


@app.command()
def render(
    file: RunFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture to make (.png).")],
    colour: Annotated[
        str,
        typer.Option(
            "--colour",
            "--color",
            help="events, bone, mineral, surface_state, sed (strain energy density under the "
            "habitual load) or none.",
        ),
    ] = "events",
) -> None:
    """Before and after in 3-D with every perforation and cut marked, and the time courses."""
    from bonesim.storage.reader import open_run
    from bonesim.viewer.scene import render as render_run

    with open_run(file) as opened:
        render_run(opened, output, colour=colour)
    print(output, file=sys.stderr)


@app.command()
def view(file: RunFile) -> None:
    """Open a window with a slider over the days."""
    from bonesim.storage.reader import open_run
    from bonesim.viewer.window import view as view_run

    with open_run(file) as opened:
        view_run(opened)


@app.command()
def hormones(
    config: ConfigFile,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Picture to make (.png).")
    ] = None,
    csv: Annotated[
        str | None, typer.Option(help="Write every day as CSV: a file, or - for stdout.")
    ] = None,
    people: Annotated[
        int, typer.Option(min=0, max=100000, help="Also the 90 % range of so many people.")
    ] = 0,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any parameter: path=value, e.g. protocol.age_year=70."),
    ] = None,
) -> None:
    """What a prescription does to testosterone, estradiol and LH: no bone is simulated."""
    from bonesim.config.changes import parsed_changes
    from bonesim.config.config import load_config
    from bonesim.reports.blood import Prescribed
    from bonesim.viewer.picture import check_folder, check_picture

    if output is not None:
        check_picture(output)
    if csv not in (None, "-"):
        check_folder(Path(str(csv)))

    prescribed = Prescribed(load_config(config, parsed_changes(change or [])), people)
    if output is not None:
        from bonesim.viewer.blood import draw

        draw(prescribed, output)
        print(output, file=sys.stderr)
    if csv is not None:
        _write_csv(prescribed.daily(), csv)
    if csv != "-":
        print(prescribed.summary())


@app.command()
def schema() -> None:
    """Print the JSON schema of a configuration: every parameter, unit, range and source."""
    import json

    from bonesim.config.config import Config

    print(json.dumps(Config.model_json_schema(), indent=2))


def _scan_changes(scan: dict[str, Any]) -> dict[str, Any]:
    """The specimen as the scan options describe it; nothing if there is no --bone.

    Raises:
        InputError: scan options without --bone.
    """
    given = {
        name: str(value.absolute()) if isinstance(value, Path) else value
        for name, value in scan.items()
        if value is not None
    }
    if not given:
        return {}
    if "path" not in given:
        option = "--" + next(iter(given)).replace("_", "-")
        raise InputError(f"{option} describes a scan: give the scan too, with --bone FILE")
    return {"specimen": {"kind": "scan", **given}}


def _write_csv(table: Any, place: str) -> None:
    """A table as CSV into a file, or to stdout for "-"."""
    if place == "-":
        table.to_csv(sys.stdout, index=False)
        return
    try:
        table.to_csv(place, index=False)
    except OSError as error:
        raise InputError(f"{place}: cannot be written ({error.strerror or error})") from None


def _observers(quiet: bool) -> list[Any]:
    """What shows progress: the terminal, or nothing."""
    if quiet:
        return []
    from bonesim.engine.progress import Terminal

    return [Terminal()]


def main() -> None:
    """Run a command; failures are one line and an exit code."""
    from bonesim.engine.progress import complain

    try:
        sys.exit(app(sys.argv[1:] or ["--help"], standalone_mode=False) or 0)
    except BonesimError as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        complain("stopped")
        sys.exit(130)
    except MemoryError:
        complain("not enough memory; use a smaller bone or larger voxels (specimen.voxel_um)")
        sys.exit(4)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        # Both kinds are told by what they carry: their modules are heavy, or typer's own affair.
        if hasattr(error, "format_message"):
            said = error.format_message().rstrip(".")
            complain(f"{said}; bonesim --help lists commands and options")
            sys.exit(2)
        if type(error).__name__ == "Stopped":
            complain(f"stopped by {error}; the file is whole up to here, bonesim resume goes on")
            sys.exit(128 + getattr(error, "number", 2))
        raise
