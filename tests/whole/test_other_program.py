"""A run, a burn-in and another program: nothing is mixed without a word."""

from pathlib import Path

import pytest

import bonesim
from bonesim.config.config import Config, validated
from bonesim.engine import burn_in
from bonesim.engine import run as engine
from bonesim.engine.simulation import Simulation
from bonesim.errors import InputError
from bonesim.reports import run as report
from bonesim.storage import provenance
from bonesim.storage.reader import open_run

OTHER = "0123456789abcdef"


@pytest.fixture(scope="module")
def config() -> Config:
    return validated({
        "specimen": {"kind": "synthetic", "size_mm": [0.8, 0.8, 0.8]},
        "mechanics": {"interval_day": 0},
        "schedule": {"burn_in_day": 0, "duration_day": 12, "snapshots_day": [0, 12]},
    }, "test")  # fmt: skip


def under(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the program has another hash."""
    for module in (engine, burn_in, provenance):
        monkeypatch.setattr(module, "program_hash", lambda: other)


def test_a_run_of_another_program_is_continued_only_on_purpose(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = engine.run(config, tmp_path / "straight.vtkhdf")
    path = engine.run(config, tmp_path / "part.vtkhdf", until_day=5)
    with open_run(path) as part:
        mine = part.provenance["program"]
        assert "resumed" not in part.provenance
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        under(OTHER, patch)
        with pytest.raises(InputError) as error:
            bonesim.resume(path)
        assert error.value.exit_code == 2
        assert mine in str(error.value)
        assert "`anyway`" in error.value.message
        assert path.read_bytes() == before
        bonesim.resume(path, until_day=8, anyway=True)
        bonesim.resume(path, until_day=9)  # it is of this program now
    with pytest.raises(InputError, match=OTHER):
        bonesim.resume(path)
    bonesim.resume(path, anyway=True)
    with open_run(path) as whole, open_run(straight) as other:
        resumed = whole.provenance["resumed"]
        assert [(one["day"], one["program"]) for one in resumed] == [(5, OTHER), (9, mine)]
        assert resumed[0]["bonesim"] == whole.provenance["bonesim"]
        assert whole.table.equals(other.table)
        text = report.text(report.table(whole))
    assert f"from day 6 on bonesim {resumed[0]['bonesim']} (program {OTHER})" in text
    assert "from day 10 on" in text


def test_a_file_that_names_no_program_is_of_another(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(engine, "provenance", lambda *a, **k: {
            name: value for name, value in provenance.provenance(*a, **k).items() if name != "program"
        })  # fmt: skip
        path = engine.run(config, tmp_path / "old.vtkhdf", until_day=2)
    with pytest.raises(InputError, match="program not recorded"):
        bonesim.resume(path)
    bonesim.resume(path, anyway=True)


def test_a_burn_in_of_another_program_is_not_used(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = Simulation(config.with_changes({"schedule.burn_in_day": 5}))
    key = burn_in.burn_in_key(simulation)
    assert burn_in.burn_in_key(simulation) == key
    under(OTHER, monkeypatch)
    assert burn_in.burn_in_key(simulation) != key


def test_what_was_read_is_recorded_by_content(tmp_path: Path, config: Config) -> None:
    table = tmp_path / "levels.csv"
    table.write_text("day,e2_pg_per_ml\n0,20\n10,5\n")
    course = {"kind": "table", "path": str(table)}
    tree = config.with_changes({"hormones.course": course})
    with open_run(engine.run(tree, tmp_path / "a.vtkhdf", until_day=1)) as run:
        import hashlib

        assert run.provenance["inputs"] == {
            "levels.csv": hashlib.sha256(table.read_bytes()).hexdigest()
        }
