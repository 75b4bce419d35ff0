"""`bonesim report`, and `bonesim view` where there is no screen: a run in, a page out."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Bonesim = Callable[..., subprocess.CompletedProcess[str]]


def test_a_run_becomes_a_page(main_here: Bonesim, tiny: Path, tmp_path: Path) -> None:
    done = main_here("report", tiny)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "report.html\n")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>tiny</title>" in page and str(tmp_path) not in page
    again = main_here("report", tiny, tiny, "-o", "both.html")
    assert again.returncode == 0
    assert len((tmp_path / "both.html").read_text(encoding="utf-8")) > 1.5 * len(page)


def test_a_page_is_refused_in_one_line(main_here: Bonesim, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    damaged = tmp_path / "damaged.vtkhdf"
    shutil.copy(tiny, damaged)
    with damaged.open("r+b") as file:
        file.truncate(damaged.stat().st_size // 2)
    for arguments, code, words in (
        ((tiny,), 2, "give --overwrite"),
        ((tmp_path / "none.vtkhdf", "-o", "x.html"), 2, "there is no such file"),
        ((tiny.with_name("c.toml"), "-o", "x.html"), 2, "not a run file"),
        ((damaged, "-o", "x.html"), 5, "is damaged"),
        ((tiny, "-o", "none/x.html"), 2, "create it first"),
        ((tiny, "-o", "page"), 2, "page: the name of a page ends in .html or .htm; give page.html"),
    ):
        done = main_here("report", *arguments)
        assert done.returncode == code and words in done.stderr, arguments
        assert done.stderr.count("\n") == 1 and done.stdout == ""
    assert (tmp_path / "report.html").read_text() == "mine"


def test_view_without_a_screen_makes_the_page(
    main_here: Bonesim, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bonesim.viewer.camera.has_screen", lambda: False)
    done = main_here("view", tiny)
    assert done.returncode == 0 and "there is no screen" in done.stderr and "a.html" in done.stderr
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!doctype html>")
