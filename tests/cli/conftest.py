"""A tiny bone of 40 days, made once by the command that users type."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Bonesim = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def in_a_process() -> Bonesim:
    """Run `python -m bonesim ARGUMENTS`, which must succeed; of each command once."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bonesim", *map(str, arguments)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip

    return run


@pytest.fixture
def bonesim(main_here: Bonesim) -> Bonesim:
    """Run `bonesim ARGUMENTS` within this process, which must succeed."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        done = main_here(*arguments)
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def tiny(in_a_process: Bonesim, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its run file, beside its config c.toml; not to be changed."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "c.toml").write_text(
        'title = "tiny"\n[specimen]\nkind = "synthetic"\nsize_mm = [1.0, 1.0, 1.0]\n'
        "[schedule]\nburn_in_day = 0\nduration_day = 40\nsnapshots_day = [0, 20, 40]\n"
    )
    done = in_a_process("run", folder / "c.toml", "-o", folder / "a.vtkhdf")
    assert done.stdout == ""
    assert "voxels" in done.stderr
    return folder / "a.vtkhdf"
