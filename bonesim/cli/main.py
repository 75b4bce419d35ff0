"""The command line: all commands, and how a failure becomes one line and an exit code.

stdout carries data, stderr messages and progress. Exit codes are those of `bonesim.errors`.
Heavy libraries are imported inside the commands, so that `bonesim --help` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bonesim.cli import run as runs
from bonesim.cli.biopsy import biopsy
from bonesim.cli.bones import bones
from bonesim.cli.branch import branch
from bonesim.cli.bundle import bundle
from bonesim.cli.clinic import clinic, scan_like
from bonesim.cli.compare import compare
from bonesim.cli.decompose import decompose
from bonesim.cli.demo import demo
from bonesim.cli.doctor import doctor
from bonesim.cli.explain import explain, odd
from bonesim.cli.export import export
from bonesim.cli.failures import as_typed
from bonesim.cli.film import film
from bonesim.cli.guide import guide
from bonesim.cli.hormones import hormones
from bonesim.cli.look import look
from bonesim.cli.measure import measure
from bonesim.cli.new import new, schema
from bonesim.cli.options import LOOK, MANY, SIMULATE
from bonesim.cli.report import report
from bonesim.cli.story import story
from bonesim.cli.sweep import plot_app, sweep_app
from bonesim.cli.trial import trial
from bonesim.cli.verify import verify
from bonesim.cli.view import render, view
from bonesim.engine.progress import complain
from bonesim.errors import BonesimError

app = typer.Typer(
    name="bonesim",
    help="Trabecular bone remodelling, cell by cell: what estradiol suppression takes, and what "
    "comes back. A research tool, not for clinical decisions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

#: Panel of the list of commands -> (command, its name, an example).
COMMANDS: dict[str, list[tuple[Any, str, str]]] = {
    SIMULATE: [
        (demo, "demo", "demo"),
        (runs.run, "run", "run configs/suppression_and_withdrawal.toml -o out.vtkhdf --twin"),
        (runs.resume, "resume", "resume out.vtkhdf"),
        (
            branch,
            "branch",
            "branch out.vtkhdf --day 730 --set cells.osteoclast.dig_um_per_day=3 -o branch.vtkhdf",
        ),
        (hormones, "hormones", "hormones configs/trt_anastrozole.toml --people 100 -o blood.png"),
        (biopsy, "biopsy", "biopsy configs/healthy_decade.toml --day 730"),
        (decompose, "decompose", "decompose configs/suppression_small.toml --twin -o loss.png"),
        (new, "new", "new study -o my_study"),
        (schema, "schema", "schema study > study.schema.json"),
        (explain, "explain", "explain cells.osteoclast.strain_stop"),
        (odd, "odd", "odd configs/suppression_small.toml > odd.md"),
    ],
    LOOK: [
        (runs.info, "info", "info out.vtkhdf"),
        (bones, "bones", "bones --fetch bonebox-04216-9"),
        (look, "look", "look scan.nrrd -o look.png"),
        (verify, "verify", "verify out.vtkhdf"),
        (measure, "measure", "measure scan.nrrd --threshold 120 --csv structure.csv"),
        (clinic, "clinic", "clinic out.vtkhdf --every-day --csv visits.csv"),
        (scan_like, "scan-like", "scan-like out.vtkhdf -o scans --scanner hr_pqct_61"),
        (compare, "compare", "compare out.vtkhdf out_twin.vtkhdf -o compare.png"),
        (story, "story", "story out.vtkhdf 313111473836032 -o story.png"),
        (render, "render", "render out.vtkhdf -o out.png --colour surface_state"),
        (film, "film", "film out.vtkhdf -o turn.gif --kind turntable"),
        (view, "view", "view out.vtkhdf"),
        (report, "report", "report out.vtkhdf out_twin.vtkhdf -o report.html"),
        (bundle, "bundle", "bundle out.vtkhdf -o out.crate.zip --licence CC-BY-4.0"),
        (export, "export", "export out.vtkhdf -o bone.stl --day 1825"),
        (doctor, "doctor", "doctor"),
        (guide, "guide", "guide first_run"),
    ],
    MANY: [(trial, "trial", "trial configs/burnett_bowie_2009.toml -o trial")],
}  # fmt: skip

for _panel, _commands in COMMANDS.items():
    for _command, _name, _example in _commands:
        app.command(_name, rich_help_panel=_panel, epilog=f"Example: bonesim {_example}")(_command)
app.add_typer(sweep_app, name="sweep", rich_help_panel=MANY)
app.add_typer(plot_app, name="plot", rich_help_panel=MANY)


def _version(wanted: bool) -> None:
    if wanted:
        import bonesim

        print(f"bonesim {bonesim.__version__}")
        raise typer.Exit


@app.callback()
def _every_command(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    modules: Annotated[
        list[Path] | None,
        typer.Option(
            "--module", help="Python file with drugs or measures of your own; with any command."
        ),
    ] = None,
) -> None:
    for module in modules or []:
        from bonesim.config.modules import load_module

        load_module(module)


def _modules_first(words: list[str]) -> list[str]:
    """The command line with every `--module FILE` in front of the command."""
    front: list[str] = []
    rest: list[str] = []
    k = 0
    while k < len(words):
        taken = 2 if words[k] == "--module" else 1
        (front if words[k].partition("=")[0] == "--module" else rest).extend(words[k : k + taken])
        k += taken
    return [*front, *rest]


def main() -> None:
    """Run a command; failures are one line and an exit code."""
    words = _modules_first(sys.argv[1:])
    try:
        sys.exit(app(words or ["--help"], standalone_mode=False) or 0)
    except BonesimError as error:
        complain(as_typed(error, typer.main.get_command(app), sys.argv[1:]))
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
        # Both kinds are recognised by what they carry: their modules are heavy, or typer's own.
        if hasattr(error, "format_message"):
            message = error.format_message().rstrip(".")
            complain(f"{message}; {_help_on(error)}")
            sys.exit(2)
        if type(error).__name__ == "Stopped":
            complain(f"stopped by {error}; {_what_is_left(error)}")
            sys.exit(128 + getattr(error, "number", 2))
        raise


def _help_on(error: Any) -> str:
    """The help of the command whose words are wrong; of the program, if they choose none."""
    names: list[str] = []
    context = getattr(error, "ctx", None)
    while context is not None and context.parent is not None:
        names.insert(0, context.info_name)
        context = context.parent
    if not names:
        return "bonesim --help lists the commands"
    return f"bonesim {' '.join(names)} --help shows what it takes"


def _what_is_left(stopped: Exception) -> str:
    """What a stopped run leaves behind."""
    day = getattr(stopped, "day", 0)
    if day < 0:
        return f"no day is on record yet, bonesim resume goes on at day {day} of the burn-in"
    return "the file is complete up to here, bonesim resume goes on"
