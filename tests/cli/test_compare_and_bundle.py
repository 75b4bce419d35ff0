"""The commands compare and bundle: one success of each, refusals in one line with their options."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Bonesim


@pytest.fixture
def pair(tiny: Path, tmp_path: Path) -> Path:
    """The tiny run twice, as if it were its own twin; where it was made is no matter."""
    for name in ("a.vtkhdf", "a_twin.vtkhdf"):
        shutil.copy(tiny, tmp_path / name)
    return tmp_path


def test_a_run_and_its_twin(pair: Path, main_here: Bonesim) -> None:
    done = main_here("compare", "a.vtkhdf", "--quantity", "bvtv_percent", "--names", "one,other")
    assert done.returncode == 0, done.stderr
    assert "A = one, B = other; one pair" in done.stdout
    assert done.stdout.count("+0.0 %") >= 3
    rows = json.loads(main_here("compare", "a.vtkhdf", "--days", "0,40", "--json").stdout)
    assert {row["day"] for row in rows} == {0, 40}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--days", "0,41"], "--days: day 41 has no snapshot in every run; days of all: 0, 20, 40"),
        (["--days", "x"], "--days: got x; give whole days"),
        (["--arm", "dose"], "--arm: got dose; write column=value"),
        (["--arm", "dose=1"], "--arm: are of a sweep's folder"),
        (["--quantity", "bvtv"], "--quantity: 'bvtv' is no column of every run; did you mean bvtv_percent"),
        (["--names", "a,b,c"], "--names: got 3; give two"),
        (["-o", "a.gif"], "a picture's name ends in .png"),
    ],
)  # fmt: skip
def test_refusals(pair: Path, main_here: Bonesim, words: list[str], message: str) -> None:
    done = main_here("compare", "a.vtkhdf", "a_twin.vtkhdf", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.long
def test_a_bundle(pair: Path, main_here: Bonesim) -> None:
    done = main_here("bundle", "a.vtkhdf", "--licence", "CC0-1.0")
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "a.crate.zip"
    with zipfile.ZipFile(pair / "a.crate.zip") as archive:
        assert archive.testzip() is None
    again = main_here("bundle", "a.vtkhdf")
    assert again.returncode == 2
    assert "a.crate.zip: exists; choose another name or give --overwrite" in again.stderr
