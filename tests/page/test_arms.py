"""The page of two runs: what the second is to the first, and how both are called."""

import copy
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bonesim
from bonesim.cli.main import main
from bonesim.errors import InputError
from bonesim.page.run_page import page_of_run
from bonesim.storage.reader import Run
from tests.page.test_page import header_of

STEPS = "hormones.course.steps"


def arm(run: Run, path: Path, e2_pg_per_ml: float) -> Run:
    """The same file under another name, as if of another level of estradiol."""
    config = copy.deepcopy(run.config)
    config["hormones"]["course"]["steps"][0]["e2_pg_per_ml"] = e2_pg_per_ml
    run.__dict__["config"] = config
    run.path = path
    return run


@pytest.fixture
def arms(run_files: tuple[Path, Path]) -> Iterator[tuple[Run, Run]]:
    with bonesim.open_run(run_files[0]) as one, bonesim.open_run(run_files[0]) as other:
        yield arm(one, Path("high.vtkhdf"), 7.0), arm(other, Path("low.vtkhdf"), 12.5)


def test_another_arm_is_called_by_its_file_s_name(arms: tuple[Run, Run]) -> None:
    page = page_of_run(*arms)
    header = header_of(page.html)
    assert page.title == header["title"] == "high compared with low"
    assert [one["name"] for one in header["runs"]] == ["high", "low"]
    assert not header["other"]["twin"]
    assert header["other"]["differ"] == f"{STEPS}.e2_pg_per_ml 7 / 12.5"


def test_the_untreated_twin_is_called_twin(run_files: tuple[Path, Path]) -> None:
    with bonesim.open_run(run_files[0]) as one, bonesim.open_run(run_files[1]) as twin:
        header = header_of(page_of_run(one, twin).html)
        turned = header_of(page_of_run(twin, one).html)
    assert header["other"]["twin"] and [r["name"] for r in header["runs"]] == ["run", "twin"]
    assert header["other"]["text"] == (
        "its untreated twin: the same without what changes in hormones from day 0 on"
    )
    assert header["other"]["differ"] == STEPS
    assert not turned["other"]["twin"]
    assert [r["name"] for r in turned["runs"]] == ["small_twin", "small"]


@pytest.mark.parametrize("stem", ("out", "both"))
def test_names_are_two(arms: tuple[Run, Run], stem: str) -> None:
    for one in arms:
        one.path = Path(f"{stem}.vtkhdf")
    names = [one["name"] for one in header_of(page_of_run(*arms).html)["runs"]]
    assert names == [f"{stem} A", f"{stem} B"]


@pytest.mark.long
def test_two_arms_in_a_browser(browser: Any, arms: tuple[Run, Run], tmp_path: Path) -> None:
    page = browser.open(page_of_run(*arms).write(tmp_path / "arms.html"))
    assert page.locator("h1").inner_text() == "high compared with low"
    line = page.locator("#compared").inner_text()
    assert f"differ in: {STEPS}.e2_pg_per_ml 7 / 12.5" in line
    assert "Green, dashed: low" in page.locator("#curve-note").inner_text()
    options = page.locator("#view option").all_inner_texts()
    assert options == ["high", "low", "high and low, side by side"]
    page.select_option("#colour", "sides")
    browser.ready()
    everything = page.locator("body").inner_text()
    assert "bone only in low" in everything and "twin" not in everything.lower()
    assert browser.complaints == []


def test_the_twin_beside_a_run_is_used_and_named(
    run_files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    command = ["bonesim", "report", str(run_files[0]), "-o", str(tmp_path / "r.html")]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "beside its untreated twin small_twin.vtkhdf; --alone" in capsys.readouterr().err
    assert len(header_of((tmp_path / "r.html").read_text(encoding="utf-8"))["runs"]) == 2
    alone = bonesim.report(run_files[0], alone=True)
    assert alone.files == ("small.vtkhdf",) and header_of(alone.html)["other"] is None
    with pytest.raises(InputError) as failure:
        bonesim.report(*run_files, alone=True)
    assert failure.value.parameter == "alone"


def test_a_file_beside_that_is_not_the_twin_is_left_out(
    run_files: tuple[Path, Path], tmp_path: Path
) -> None:
    for name in ("out", "out_twin"):
        shutil.copy(run_files[0], tmp_path / f"{name}.vtkhdf")
    assert bonesim.report(tmp_path / "out.vtkhdf").files == ("out.vtkhdf",)
