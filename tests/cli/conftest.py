"""A tiny bone of 40 days, made once by the command that users type."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bonesim.cli.main import main

Bonesim = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def bonesim() -> Bonesim:
    """Run `python -m bonesim ARGUMENTS`, which must succeed."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bonesim", *map(str, arguments)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip

    return run


@pytest.fixture
def main_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Bonesim:
    """Run `bonesim ARGUMENTS` in tmp_path within this process, where warnings are errors.

    For many refusals: a process of its own would import everything for one line each.
    """

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["bonesim", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(sys.argv, ended.value.code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def tiny(bonesim: Bonesim, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its run file, beside its config c.toml; not to be changed."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "c.toml").write_text(
        'title = "tiny"\n[specimen]\nkind = "synthetic"\nsize_mm = [1.0, 1.0, 1.0]\n'
        "[schedule]\nburn_in_day = 0\nduration_day = 40\nsnapshots_day = [0, 20, 40]\n"
    )
    done = bonesim("run", folder / "c.toml", "-o", folder / "a.vtkhdf")
    assert done.stdout == ""
    assert "voxels" in done.stderr
    return folder / "a.vtkhdf"
