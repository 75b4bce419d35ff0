"""Kernels compiled once before parallel workers begin; the command line; real images, where they are."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bonesim.cli.main import main

#: Where the files are that take longest: they come first, so that no worker waits for another at the end.
LONGEST = (
    "sweeps", "cli", "test_public.py", "experiments", "whole", "trials", "specimens", "viewer",
    "storage", "page", "api", "histology", "engine", "morphometry", "plain",
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Before pytest-xdist starts its workers: with an empty cache each would compile the same."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's job in the background ignores it, and so would all that tests interrupt.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Without it each of the hundreds of processes that tests start would translate the package again.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    parallel = getattr(config.option, "numprocesses", None)
    if parallel and not config.option.collectonly and not hasattr(config, "workerinput"):
        # If it fails, workers compile what they need, and their tests show why.
        command = [sys.executable, "-m", "bonesim.engine.compile_ahead", "everything"]
        subprocess.run(command, check=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files before short ones: pytest-xdist itself goes by the number of their tests."""
    place = {name: number for number, name in enumerate(LONGEST)}
    here = Path(__file__).parent

    def turn(item: pytest.Item) -> int:
        inside = item.path.is_relative_to(here)
        return place.get(item.path.relative_to(here).parts[0] if inside else "", len(place))

    items.sort(key=turn)


@pytest.fixture
def main_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `bonesim ARGUMENTS` in tmp_path within this process, where warnings are errors.

    A process of its own takes three seconds to import what a command needs. So each command is
    typed in one once, and all else about it is tested here.
    """

    def run(*arguments: object, within: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(within)
        monkeypatch.setattr(sys, "argv", ["bonesim", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(sys.argv, ended.value.code, *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def one_core() -> Iterator[None]:
    """A run and its twin one after the other: what a second process imports takes longer than they do.

    That both ways make the same files, test_beside shows.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bonesim.engine.beside.usable_cores", lambda: 1)
        yield


@pytest.fixture
def shared_data() -> Path:
    """The folder of real scans beside the project; tests that need it skip without it."""
    folder = Path(__file__).parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the project: real scans are not there")
    return folder
