"""Studies of a dummy: a base config and what varies in it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

Write = Callable[..., Path]
HILL = '[[design.variable]]\npath = "hormones.response.hill"\nname = "hill"\n'


def study_in(folder: Path, design: str, title: str = "a dummy", head: str = "") -> Path:
    """Write a study and its base into a folder; the study's path."""
    (folder / "base.toml").write_text(
        '[specimen]\nkind = "synthetic"\nsize_mm = [1.0, 1.0, 1.0]\n'
        "[schedule]\nburn_in_day = 0\nduration_day = 20\n"
    )
    path = folder / "study.toml"
    path.write_text(f'title = "{title}"\nbase = "base.toml"\n{head}\n[design]\n{design}')
    return path


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a study and its base; returns the study's path."""
    return partial(study_in, tmp_path)
