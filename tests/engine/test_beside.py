"""A twin on a second core: the same files as one after the other, and none left behind."""

import signal
from pathlib import Path
from typing import Any

import pytest

from bonesim.config.config import Config
from bonesim.engine import beside, burn_in
from bonesim.engine.beside import Beside
from bonesim.engine.days import Observer
from bonesim.engine.run import Stopped
from bonesim.engine.twins import run_twins, run_twins_at_once, twin_path
from bonesim.storage.reader import open_run


class Started(Observer):
    """Counts days, and stops the run on one of them."""

    def __init__(self, stop_day: int | None = None) -> None:
        self.days, self.stop_day = 0, stop_day

    def on_day(self, simulation: Any) -> None:
        self.days += 1
        if simulation.day == self.stop_day:
            signal.raise_signal(signal.SIGTERM)


@pytest.fixture
def quick(small: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setattr(burn_in, "user_cache_path", lambda _: tmp_path / "cache")
    return small.with_changes({"mechanics.interval_day": 0})


def tables(path: Path) -> list[Any]:
    with open_run(path) as run:
        assert run.status == "complete"
        return [run.table, run.events, run.snapshot_table, run.quanta(30).tobytes()]


def same(one: list[Any], other: list[Any]) -> bool:
    return all(
        a == b if isinstance(a, bytes) else a.equals(b) for a, b in zip(one, other, strict=True)
    )


@pytest.mark.long
def test_two_cores_and_one_make_the_same_files(quick: Config, tmp_path: Path) -> None:
    after, at_once, alone = (tmp_path / f"{name}.vtkhdf" for name in ("after", "once", "alone"))
    run_twins(quick, after)
    seen = [Started(), Started()]
    run_twins_at_once(quick, at_once, observers=[seen[0]], cores=2)
    run_twins_at_once(quick, alone, observers=[seen[1]], cores=1)
    assert [one.days for one in seen] == [30, 60], "the twin is simulated elsewhere, or here"
    for place in (at_once, alone):
        assert same(tables(after), tables(place))
        assert same(tables(twin_path(after)), tables(twin_path(place)))
    assert not same(tables(after), tables(twin_path(after)))


def test_if_the_other_process_fails_the_twin_is_simulated_here(
    quick: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside.sys, "executable", "/bin/false")
    seen = Started()
    _, twin = run_twins_at_once(quick, tmp_path / "a.vtkhdf", observers=[seen], cores=2)
    assert seen.days == 30 + 60, "the burn-in too"
    assert tables(twin)


def test_a_stop_ends_both(quick: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Beside] = []
    start = Beside.__init__

    def kept(self: Beside, *arguments: Any) -> None:
        start(self, *arguments)
        made.append(self)

    monkeypatch.setattr(Beside, "__init__", kept)
    with pytest.raises(Stopped):
        run_twins_at_once(quick, tmp_path / "a.vtkhdf", observers=[Started(3)], cores=2)
    (other,) = made
    assert other._process is not None and other._process.poll() is not None
