"""The program as a whole: version, help, completion, light commands, options in messages."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bonesim.cli.failures import as_typed
from bonesim.cli.main import app
from bonesim.config import schema
from bonesim.errors import InputError
from bonesim.trials import schema as all_schemas
from tests.cli.conftest import Bonesim

#: Libraries that a command which only reads text must not import.
HEAVY = ("mesa", "scipy", "pandas", "vtk", "vtkmodules", "numba", "pyvista", "matplotlib")


def bonesim(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bonesim", *words], capture_output=True, text=True, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_version() -> None:
    from importlib.metadata import version

    done = bonesim("--version")
    assert (done.returncode, done.stdout) == (0, f"bonesim {version('bonesim')}\n")


def commands() -> list[list[str]]:
    """Every command as words."""
    found = []
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found += [[name, one] for one in inner] if inner else [[name]]
    return found


def test_every_command_is_in_a_panel_and_has_an_example() -> None:
    words = commands()
    assert len(words) >= 16
    overview = bonesim("--help", COLUMNS="200").stdout
    for panel in ("Simulate", "Look at runs and scans", "Many runs"):
        assert panel in overview
    for name in words:
        done = CliRunner().invoke(app, [*name, "--help"], env={"COLUMNS": "200"})
        assert done.exit_code == 0
        assert f"Example: bonesim {' '.join(name)}" in done.stdout, name


def test_completion_is_offered() -> None:
    done = bonesim(
        _BONESIM_COMPLETE="complete_bash", COMP_WORDS="bonesim me", COMP_CWORD="1",
        _TYPER_COMPLETE_ARGS="bonesim me",
    )  # fmt: skip
    script = bonesim("--show-completion", "bash")
    assert "measure" in done.stdout or "complete" in script.stdout


@pytest.mark.parametrize("words", (["--help"], ["schema"], ["sweep", "status", "study"]))
def test_light_commands_import_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.toml").write_text('title = "x"')
    (folder / "points.csv").write_text("point,row\na,0\nb,1\n")
    entry = {"point": "a", "status": "done", "seconds": 2.0, "rows": []}
    (folder / "journal.jsonl").write_text(json.dumps(entry) + "\n")
    program = (
        "import sys, time, bonesim.cli.main as cli\n"
        f"sys.argv[1:] = {words!r}\n"
        "begun = time.perf_counter()\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print(f'{time.perf_counter() - begun:.2f} s', file=sys.stderr)\n"
        f"print('heavy:', [n for n in {HEAVY!r} if n in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("heavy: []")
    if words[-1] == "study":
        assert "1 of 2 points done" in done.stdout


def test_the_schema_is_that_of_the_parameters() -> None:
    assert schema.text() == schema.made(), "run: python -m bonesim.config.schema"
    for kind in schema.NAMES:
        assert schema.text(kind) == all_schemas.made(kind), "run: python -m bonesim.trials.schema"


def test_arguments_of_the_library_are_options_on_the_command_line() -> None:
    command = typer.main.get_command(app)
    error = InputError("is for scans; give `changes` or `every_day`", parameter="voxel_um")
    assert str(error) == "voxel_um: is for scans; give changes or every_day"
    typed = as_typed(error, command, ["measure", "out.vtkhdf"])
    assert typed == "--voxel-um: is for scans; give changes or every_day"
    typed = as_typed(error, command, ["clinic", "out.vtkhdf"])
    assert typed == "voxel_um: is for scans; give --set or --every-day"


@pytest.mark.parametrize(
    ("words", "end"),
    [
        (("run", "c.toml", "--tiwn"), "bonesim run --help shows what it takes\n"),
        (("run", "c.toml"), "bonesim run --help shows what it takes\n"),
        (
            ("sweep", "run", "s.toml", "--workers", "x"),
            "bonesim sweep run --help shows what it takes\n",
        ),
        (("sweep", "rnu"), "bonesim sweep --help shows what it takes\n"),
        (("rnu",), "bonesim --help lists the commands\n"),
    ],
)
def test_a_wrong_word_points_to_the_help_of_its_command(
    main_here: Bonesim, words: tuple[str, ...], end: str
) -> None:
    done = main_here(*words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.endswith(f"; {end}")


def test_a_message_names_the_option_that_was_typed(main_here: Bonesim, tmp_path: Path) -> None:
    (tmp_path / "run.vtkhdf").write_text("not a run")
    done = main_here("measure", tmp_path / "run.vtkhdf", "--voxel-um", "20")
    assert done.returncode == 2
    assert done.stderr.startswith("bonesim: --voxel-um: is for scans")
    assert done.stderr.count("\n") == 1
