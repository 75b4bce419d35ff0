"""A run file that was damaged or made by others: the reports report that, or are as before."""

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

import bonesim
from bonesim.errors import CorruptFileError
from bonesim.reports import run as report
from bonesim.storage.reader import open_run


def reported(path: Path) -> tuple[str, str] | None:
    """What info and measure print; None if they report, in one line, that the file is damaged."""
    try:
        with open_run(path) as run:
            return report.text(report.table(run)), bonesim.measure(run, quick=True).to_csv()
    except CorruptFileError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
        return None


@pytest.mark.parametrize("flips", [20, pytest.param(600, marks=pytest.mark.slow)])
def test_flipped_bits_change_no_report(tiny: Path, tmp_path: Path, flips: int) -> None:
    """One bit at a time, evenly over the file; the full form flips thirty times as many."""
    whole, truth = tiny.read_bytes(), reported(tiny)
    path, noticed = tmp_path / "a.vtkhdf", 0
    for place in np.linspace(0, len(whole) - 1, flips).astype(int):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(place) % 8
        path.write_bytes(damaged)
        printed = reported(path)
        assert printed in (None, truth), f"bit flipped in byte {place}"
        noticed += printed is None
    assert noticed > flips / 3


def _no_title(file: h5py.File) -> None:
    text = file["bonesim/config"][()].tobytes().replace(b"title", b"tilte")
    file["bonesim/config"][...] = np.frombuffer(text, np.uint8)


def _no_day(file: h5py.File) -> None:
    for column in file["bonesim/table"].values():
        column.resize(0, axis=0)


def _no_column(file: h5py.File) -> None:
    del file["bonesim/table/bvtv_percent"]


def _other_day(file: h5py.File) -> None:
    file["VTKHDF/Steps/Values"][1] = 77.0


@pytest.mark.parametrize("change", [_no_title, _no_day, _no_column, _other_day])
def test_run_that_lacks_something(
    tiny: Path, tmp_path: Path, change: Callable[[h5py.File], None]
) -> None:
    path = tmp_path / "a.vtkhdf"
    shutil.copy(tiny, path)
    assert reported(path) is not None
    with h5py.File(path, "r+") as file:
        change(file)
    assert reported(path) is None
