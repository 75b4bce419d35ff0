"""The second process that compiles: this package's kernels, once, and how far it is."""

import io
import time
from importlib import import_module
from pathlib import Path

import numba
import pytest
from numba.core.dispatcher import Dispatcher
from rich.console import Console

from bonesim.engine import compile_ahead
from bonesim.engine.compiling import CompilingLine, compiling_text
from bonesim.engine.days import Observer
from bonesim.kernel import KERNEL_SOURCES, PACKAGE


class Seen(Observer):
    """Keeps what it is called with."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def note(self, text: str) -> None:
        self.seen.append(text)

    def compiling(self, share: object) -> None:
        self.seen.append("compiling")

    def compiled(self) -> None:
        self.seen.append("compiled")


def test_it_imports_this_package_whatever_the_folder_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain install is run from the checkout, and `python -m` looks there first."""
    (tmp_path / "bonesim").mkdir()
    mark = tmp_path / "imported"
    (tmp_path / "bonesim" / "__init__.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    process = compile_ahead._second_process()
    assert process is not None
    assert process.wait(timeout=600) == 0
    assert not mark.exists()


def test_there_is_one_second_process_and_one_note(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    monkeypatch.setattr(compile_ahead, "all_cached", lambda: False)
    monkeypatch.setattr(compile_ahead, "_second_process", lambda: started.append(1))
    observer = Seen()
    with compile_ahead.in_second_process(observer) as outer:
        with compile_ahead.in_second_process(observer) as inner:
            assert outer and inner
        assert "compiled" not in observer.seen
    assert started == [1]
    assert observer.seen == ["compiling kernels (once, some minutes)", "compiling", "compiled"]
    with compile_ahead.in_second_process(), pytest.raises(ValueError, match="x"):
        raise ValueError("x")
    with compile_ahead.in_second_process():
        pass
    assert started == [1, 1, 1], "an error ends the block too"


def test_what_is_cached_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile_ahead, "all_cached", lambda: True)
    monkeypatch.setattr(compile_ahead, "_second_process", lambda: pytest.fail("started"))
    observer = Seen()
    with compile_ahead.in_second_process(observer) as compiling:
        assert not compiling
    assert observer.seen == []


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_the_share_is_of_the_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = compile_ahead.number_of_kernels()
    places = [PACKAGE / name for name in KERNEL_SOURCES]
    files = [f for one in places for f in ([one] if one.is_file() else one.rglob("*.py"))]
    kernels = set()
    for file in files:
        name = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
        kernels |= {v for v in vars(import_module(name)).values() if isinstance(v, Dispatcher)}
    assert number == len(kernels) > 200
    monkeypatch.setattr(compile_ahead, "cache_folder", lambda: tmp_path)
    assert compile_ahead.share_cached() == 0.0
    for k in range(number // 2):
        (tmp_path / f"{k}.nbi").touch()
    assert compile_ahead.share_cached() == pytest.approx(0.5 / compile_ahead.CALLED_SHARE, rel=0.02)


def test_the_line_states_share_and_time_left() -> None:
    assert compiling_text(0.01, 0.0, 1.0) == "compiling kernels, 1 %"
    assert (
        compiling_text(0.25, 0.0, 10.0)
        == "compiling kernels, 25 %   about 30 s left, then the days"
    )
    # What was there before does not count as fast.
    assert "about 20 s left" in compiling_text(0.8, 0.7, 10.0)


def test_the_line_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bonesim.engine.compiling.LOG_SECONDS", 0.01)
    out, done = io.StringIO(), iter(k / 1000 for k in range(1001))
    line = CompilingLine(Console(file=out, width=200), lambda: next(done))
    end = time.monotonic() + 10.0
    while "left" not in out.getvalue() and time.monotonic() < end:
        time.sleep(0.01)
    line.stop()
    line.stop()
    written = out.getvalue()
    assert written.startswith("compiling kernels, 0 %\n")
    assert "compiling kernels, 5 %   about" in written
    time.sleep(0.05)
    assert out.getvalue() == written
