"""A small complete run file."""

from pathlib import Path

import pytest
from run_pieces import fill, new_writer


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    """A complete run of 20 days; see run_pieces for what is in it."""
    path = tmp_path / "out.vtkhdf"
    with new_writer(path) as writer:
        fill(writer)
        writer.set_status("complete")
        writer.commit()
    return path
