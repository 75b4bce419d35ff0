"""How large the page of a run is, and what it takes to write and to open it."""

import time
from pathlib import Path
from typing import Any

import pytest

import bonesim

CONFIG = Path(__file__).parents[2] / "configs" / "suppression_small.toml"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size_mm", "days", "most_mb", "most_cpu_seconds"),
    ((2.5, [0, 365, 1825], 2.0, 10.0), (3.2, [0, 250, 500, 750, 1000], 8.0, 30.0)),
)
def test_a_page_is_small_and_soon_there(
    browser: Any, tmp_path: Path, size_mm: float, days: list[int], most_mb: float,
    most_cpu_seconds: float,
) -> None:  # fmt: skip
    config = bonesim.load_config(
        CONFIG,
        {
            "specimen.size_mm": [size_mm] * 3, "schedule.duration_day": days[-1],
            "schedule.snapshots_day": days,
        },
    )  # fmt: skip
    run = bonesim.run(config, tmp_path / "run.vtkhdf")
    bonesim.report(run)  # what is imported and compiled once does not count
    begun = time.process_time()
    page = bonesim.report(run, output=tmp_path / "page.html")
    spent = time.process_time() - begun
    size = (tmp_path / "page.html").stat().st_size / 1e6
    print(f"{size_mm} mm, {len(days)} snapshots: {size:.2f} MB, {spent:.1f} CPU s, {page}")
    assert size <= most_mb and spent <= most_cpu_seconds
    begun = time.monotonic()
    browser.open(tmp_path / "page.html")
    print(f"ready in {time.monotonic() - begun:.1f} s")
    assert browser.foreign() == [] and browser.complaints == []
