"""What the engine of many runs costs: a model of no cost, two workers, 500 points."""

from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="sweeps need: pip install '.[sweep]'")

from bonesim.sweeps.study import Study
from bonesim.sweeps.sweep import run_study
from tests.sweeps import dummy

POINTS = 500


def test_500_points_of_a_dummy(benchmark, tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('[specimen]\nkind = "synthetic"\nsize_mm = [1.0, 1.0, 1.0]')
    (tmp_path / "study.toml").write_text(
        f'title = "dummy"\nbase = "base.toml"\n[design]\nkind = "latin_hypercube"\n'
        f"samples = {POINTS}\nseeds = 1\n[[design.variable]]\n"
        'path = "hormones.response.hill"\nname = "hill"\nlow = 1.0\nhigh = 3.0\n'
    )

    def sweep() -> int:
        return run_study(
            Study(tmp_path / "study.toml"), tmp_path / "out", workers=2, simulate=dummy.numbers
        )

    assert benchmark.pedantic(sweep, rounds=1) == 0
    assert len((tmp_path / "out" / "journal.jsonl").read_text().splitlines()) == POINTS
    if benchmark.stats:
        seconds = benchmark.stats.stats.min
        print(f"\n{1000 * seconds / POINTS:.1f} ms a point, workers' start included")
