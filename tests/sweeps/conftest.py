"""Studies of a dummy: a base config and what varies in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]
HILL = '[[design.variable]]\npath = "hormones.response.hill"\nname = "hill"\n'


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a study and its base; returns the study's path."""

    def make(design: str, title: str = "a dummy", head: str = "") -> Path:
        (tmp_path / "base.toml").write_text(
            '[specimen]\nkind = "synthetic"\nsize_mm = [1.0, 1.0, 1.0]\n'
            "[schedule]\nburn_in_day = 0\nduration_day = 20\n"
        )
        path = tmp_path / "study.toml"
        path.write_text(f'title = "{title}"\nbase = "base.toml"\n{head}\n[design]\n{design}')
        return path

    return make
