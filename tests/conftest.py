"""Kernels compiled once before parallel workers begin; real images, where they are."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Before pytest-xdist starts its workers: with an empty cache each would compile the same."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's job in the background ignores it, and so would all that tests interrupt.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    parallel = getattr(config.option, "numprocesses", None)
    if parallel and not config.option.collectonly and not hasattr(config, "workerinput"):
        # If it fails, workers compile what they need, and their tests show why.
        command = [sys.executable, "-m", "bonesim.engine.compile_ahead", "everything"]
        subprocess.run(command, check=False)


@pytest.fixture
def shared_data() -> Path:
    """The folder of real scans beside the project; tests that need it skip without it."""
    folder = Path(__file__).parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the project: real scans are not there")
    return folder
