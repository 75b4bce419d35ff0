"""bonesim doctor: what is there, what is missing, and a drawing that crashes or hangs."""

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import bonesim
from bonesim.cli.main import app
from bonesim.errors import ResourceError
from bonesim.kernel import cache_folder
from bonesim.reports import doctor as report


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return bonesim.doctor()


def row(table: pd.DataFrame, name: str) -> Any:
    """The one row of a name."""
    found = table[table["name"] == name]
    assert len(found) == 1, name
    return found.iloc[0]


def test_it_names_versions_machine_and_caches(table: pd.DataFrame) -> None:
    import numba
    import numpy as np

    assert list(table.columns) == ["part", "name", "value", "state", "remedy"]
    assert row(table, "numpy")["value"] == np.__version__
    assert row(table, "numba")["value"] == numba.__version__
    for name in ("bonesim", "Python", "llvmlite", "HDF5", "VTK", "mesa", "off-screen drawing",
                 "processor", "cores", "memory", "disk here", "kernels", "burn-ins"):  # fmt: skip
        assert row(table, name)["value"], name
    assert str(cache_folder()) in row(table, "kernels")["value"]
    assert set(table["state"]) <= {report.OK, report.MISSING, report.FAILED}
    assert (table.loc[table["state"] != report.OK, "remedy"] != "").all()
    assert row(table, "off-screen drawing")["state"] == report.OK


def test_text_and_json_hold_the_same(table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "table", lambda: table)
    plain = CliRunner().invoke(app, ["doctor"])
    assert plain.exit_code == 0
    assert plain.stdout.rstrip().endswith("all that is needed works")
    for name in table["name"]:
        assert name in plain.stdout
    records = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    assert [one["name"] for one in records] == table["name"].tolist()


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed (SIGSEGV)"),
        ("while True: pass", "no picture within 1 s"),
        ("raise SystemExit('the picture is empty')", "the picture is empty"),
        ("raise ImportError('libGL.so.1: cannot open')", "ImportError: libGL.so.1: cannot open"),
    ],
)
def test_a_drawing_that_fails_is_reported(program: str, why: str) -> None:
    found = report._picture(program, 1.0)
    assert (found.state, found.value) == (report.FAILED, why)
    assert "libegl1" in found.remedy


def test_what_is_missing_names_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["numpy>=1.26", "numpy>=99", "no-such-thing>=1", 'SALib>=99 ; extra == "sweep"',
             'not-there ; extra == "sweep"', 'pytest>=999 ; extra == "dev"']  # fmt: skip
    monkeypatch.setattr(report.metadata, "requires", lambda name: lines)
    states = [(one.name, one.state) for one in report._libraries()]
    assert states == [
        ("numpy", "ok"), ("numpy", "failed"), ("no-such-thing", "failed"), ("SALib", "missing"),
        ("not-there", "missing"),
    ]  # fmt: skip
    remedies = [one.remedy for one in report._libraries()]
    assert remedies == ["", *["pip install -U bonesim"] * 2,
                        *["pip install 'bonesim[sweep]'"] * 2]  # fmt: skip


def test_what_is_needed_and_fails_ends_with_four(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[report.Row]:
        yield report.Row("a", "works", "1")
        raise ImportError("h5py: broken\nmore")

    monkeypatch.setattr(report, "PARTS", {"storage": broken})
    result = CliRunner().invoke(app, ["doctor"])
    assert isinstance(result.exception, ResourceError)
    assert result.exception.exit_code == 4
    assert "does not work: storage" in result.stdout
    assert "ImportError: h5py: broken" in result.stdout and "more" not in result.stdout
