"""Real images, where they are."""

from pathlib import Path

import pytest


@pytest.fixture
def shared_data() -> Path:
    """The folder of real scans beside the project; tests that need it skip without it."""
    folder = Path(__file__).parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the project: real scans are not there")
    return folder
