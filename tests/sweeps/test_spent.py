"""What runs cost: measured where they are simulated, kept with their results, stated of the sweep itself."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bonesim.config.config import to_toml, validated
from bonesim.sweeps import spent
from bonesim.sweeps import worker as work
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.journal import JOURNAL, Journal
from bonesim.sweeps.spent import PARTS, SPENT, mean_of
from bonesim.sweeps.status import status_of, text
from bonesim.sweeps.study import Study
from bonesim.sweeps.sweep import plan, run_study
from tests.sweeps import dummy
from tests.sweeps.conftest import HILL

Write = Callable[..., Path]
TWO = "seeds = 1\n" + HILL + "values = [1.0, 2.0]"
#: mm3-years of 20 days of a block of 1 mm.
MM3_YEARS = 20 / 365.25


class Notes:
    """A progress observer that keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def begin(self, done: int, total: int) -> None: ...

    def ended(self, entry: dict[str, Any], done: int, total: int) -> None: ...

    def end(self) -> None: ...


def entry(point: str, **parts: float) -> dict[str, Any]:
    """A finished attempt with known costs."""
    known = dict.fromkeys(PARTS, 0.0) | {"mm3_years": 2.0, "burn_in_mm3_years": 0.0}
    return {"point": point, "status": "done", "rows": [], "seconds": 1.0, SPENT: known | parts}


def test_the_mean_of_known_costs() -> None:
    first = entry("a", start=1.0, burn_in=6.0, days=3.0, burn_in_mm3_years=5.0)
    second = entry("b", burn_in=0.5, days=3.5)
    mean = mean_of([first, second, {"point": "c", "status": "failed", SPENT: first[SPENT]},
                    {"point": "d", "status": "done"}])  # fmt: skip
    assert mean is not None
    assert (mean.runs, mean.core_seconds, mean.mm3_years) == (2, 7.0, 2.0)
    assert (mean.burn_ins, mean.burn_in_seconds) == (1, 6.0)
    stated = mean.text()
    assert stated.startswith(
        "7 core-seconds a run (start 0.5, burn-in 3.2, days 3.2), 3.5 a mm3-year"
    )
    assert "measured on 2 runs, 1 simulated a burn-in" in stated
    assert mean_of([{"point": "d", "status": "done"}]) is None


def test_processor_time_is_counted_and_waiting_is_not() -> None:
    with spent.measured() as one:
        with spent.spending().part("bone"):
            end = time.process_time() + 0.2
            while time.process_time() < end:
                pass
        time.sleep(0.3)
    assert 0.2 <= one.seconds["bone"] < 0.4
    assert one.seconds["other"] < 0.15
    assert spent.spending() is not one, "nothing is counted outside"


def test_a_point_of_bone_has_all_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bonesim.engine import burn_in

    monkeypatch.setattr(burn_in, "user_cache_path", lambda _: tmp_path)
    config = validated({
        "specimen": {"kind": "synthetic", "size_mm": [1.0, 1.0, 1.0], "seed": 77},
        "mechanics": {"interval_day": 0},
        "schedule": {"burn_in_day": 10, "duration_day": 20, "snapshots_day": [0, 20]},
    }, "test")  # fmt: skip
    task = work.Task("p", to_toml(config))
    begun = time.process_time()
    first, second = work.attempt(task), work.attempt(task)
    took = time.process_time() - begun
    for one in (first, second):
        assert one["status"] == "done", one
        assert one[SPENT]["mm3_years"] == pytest.approx(MM3_YEARS, rel=1e-4)
        assert one[SPENT]["days"] > 0.0 and one[SPENT]["files"] > 0.0
        assert all(one[SPENT][name] >= 0.0 for name in PARTS)
    assert first[SPENT]["burn_in_mm3_years"] == pytest.approx(10 / 365.25, rel=1e-4)
    assert second[SPENT]["burn_in_mm3_years"] == 0.0
    assert first[SPENT]["bone"] > 10 * second[SPENT]["bone"], "the bone is made once"
    counted = sum(one[SPENT][name] for one in (first, second) for name in PARTS if name != "start")
    assert counted == pytest.approx(took, rel=0.1, abs=0.05)


def test_without_a_file_the_outcomes_are_those_of_the_file(tmp_path: Path) -> None:
    config = validated({
        "specimen": {"kind": "synthetic", "size_mm": [1.0, 1.0, 1.0]},
        "mechanics": {"interval_day": 15},
        "hormones": {"course": {"kind": "stepped",
                                "steps": [{"start_day": 0, "e2_pg_per_ml": 7.0}]}},
        "schedule": {"burn_in_day": 5, "duration_day": 30, "snapshots_day": [0, 10, 30]},
    }, "test")  # fmt: skip
    text = to_toml(config)
    without, with_file = work.outcomes(text, None), work.outcomes(text, str(tmp_path / "a.vtkhdf"))
    assert [row["day"] for row in without] == [0, 10, 30]
    for one, other in zip(without, with_file, strict=True):
        assert {n: repr(v) for n, v in one.items()} == {n: repr(v) for n, v in other.items()}
        assert list(one) == list(other)


def test_a_sweep_states_what_its_own_runs_cost(write: Write, tmp_path: Path) -> None:
    study, folder, progress = Study(write(TWO)), tmp_path / "out", Notes()
    before = plan(study, folder, 1)
    assert before.measured == 0 and "core-seconds a run" in before.text()
    assert before.text().endswith("a mm3-year (estimated)")
    assert before.mm3_years == pytest.approx(MM3_YEARS)
    assert run_study(study, folder, workers=1, simulate=dummy.slow, progress=progress) == 0
    stated = [note for note in progress.notes if "measured on 2 runs" in note]
    assert len(stated) == 1
    assert stated[0] in text(status_of(folder))


def test_the_next_estimate_is_of_the_runs_so_far(write: Write, tmp_path: Path) -> None:
    study = Study(write("seeds = 1\n" + HILL + "values = [1.0, 1.5, 2.0, 2.5]"))
    folder = tmp_path / "out"
    points = study.points()
    Folder(folder, study).write_points(points)
    journal = Journal(folder / f"{JOURNAL}.jsonl")
    journal.add(entry(points[0].id, days=30.0, burn_in=50.0, burn_in_mm3_years=1.0))
    journal.add(entry(points[1].id, days=30.0))
    journal.close()
    found = plan(study, folder, 2)
    assert (found.to_do, found.burn_ins, found.measured) == (2, 1, 2)
    # Two runs of 30 s and one burn-in of 50 s, on two workers.
    assert found.core_seconds == pytest.approx(55.0)
    assert found.hours == pytest.approx(110.0 / 2 / 3600)
    assert "55 core-seconds a run" in found.text()
    assert "(measured on 2 of its runs)" in found.text()
