"""Outputs never replace what a command reads, nor a file without being asked to."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import bonesim
from bonesim.cli.main import app
from bonesim.errors import BonesimError, InputError
from bonesim.storage.outputs import check_output, check_outputs, check_run_files

CONFIG = """
[specimen]
kind = "synthetic"
size_mm = [0.5, 0.5, 0.5]
[protocol]
age_year = 60.0
"""


@pytest.mark.parametrize("name", ["m1.h5", "m1", "m1.vtkhdf.txt"])
def test_a_run_file_s_name_has_its_ending(tmp_path: Path, name: str) -> None:
    check_run_files([tmp_path / "m1.vtkhdf", tmp_path / "m1.VTKHDF"], False)
    (tmp_path / "c.toml").write_text(CONFIG)
    for make in (bonesim.run, bonesim.run_twins):
        with pytest.raises(InputError, match=r"the name of a run file ends in \.vtkhdf; give m1"):
            make(tmp_path / "c.toml", tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["c.toml"]


def test_what_may_be_written(tmp_path: Path) -> None:
    there, new = tmp_path / "there", tmp_path / "new"
    there.write_text("x")
    check_output(new, False)
    check_output(there, True)
    with pytest.raises(InputError, match="exists; choose another name or give overwrite"):
        check_output(there, False)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(there)
    (tmp_path / "dangling").symlink_to(tmp_path / "none")
    for place, reason in (
        (tmp_path, "a folder"),
        (tmp_path / "pipe", "named pipe"),
        (Path("/dev/null"), "a device"),
        (tmp_path / "link", "is a link to"),
        (tmp_path / "dangling", "is a link to"),
        (tmp_path / "none" / "x", "no folder"),
        (there / "x", "no folder"),
        (tmp_path / ("x" * 300), "too long"),
    ):
        with pytest.raises(InputError, match=reason):
            check_output(place, True)


def test_what_is_read_is_never_replaced(tmp_path: Path) -> None:
    read = tmp_path / "a.vtkhdf"
    read.write_text("x")
    (tmp_path / "hard").hardlink_to(read)
    (tmp_path / "elsewhere").symlink_to(tmp_path)
    slices = tmp_path / "slices"
    slices.mkdir()
    (slices / "s_1.tif").write_text("x")
    for place in (
        read,
        tmp_path / "hard",
        tmp_path / "elsewhere" / "a.vtkhdf",
        tmp_path / "slices" / ".." / "a.vtkhdf",
        tmp_path / "a.vtkhdf.checkpoint",
        tmp_path / "a.vtkhdf.journal",
        slices / "s_1.tif",
    ):
        with pytest.raises(InputError, match="is what this command reads"):
            check_output(place, True, [tmp_path / "other", read, slices])
    check_output(slices / "table.csv", False, [slices])
    with pytest.raises(InputError, match="two outputs"):
        check_outputs([tmp_path / "x", tmp_path / "elsewhere" / "x"], True)


#: Command line -> the file that it must not replace: R is a run file, C a config.
REPLACING = [
    ["measure", "R", "--csv", "R"],
    ["measure", "R", "--parquet", "R"],
    ["measure", "R", "--csv", "T"],
    ["clinic", "R", "--csv", "R"],
    ["clinic", "R", "--csv", "T"],
    ["hormones", "C", "--csv", "C"],
    ["hormones", "C", "--csv", "T"],
    ["hormones", "C", "-o", "P"],
    ["biopsy", "C", "--day", "9", "--csv", "C"],
    ["decompose", "C", "--days", "9", "--csv", "C"],
    ["render", "R", "-o", "P"],
    ["run", "C", "-o", "C"],
    ["run", "C", "-o", "R"],
    ["scan-like", "R", "-o", "F"],
]


@pytest.mark.parametrize("command", REPLACING, ids=" ".join)
def test_no_command_replaces_a_file(
    run_on_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    places = {
        "R": tmp_path / "out.vtkhdf", "C": tmp_path / "c.toml", "T": tmp_path / "t.csv",
        "P": tmp_path / "p.png", "F": tmp_path / "scans",
    }  # fmt: skip
    places["F"].mkdir()
    (places["F"] / "scan.json").write_text("{}")
    places["R"].write_bytes(run_on_file.read_bytes())
    places["C"].write_text(CONFIG)
    places["T"].write_text("mine")
    # The picture is new, the numbers beside it are not.
    places["P"].with_suffix(".csv").write_text("mine")
    before = {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()}
    words = [str(places.get(word, word)) for word in command]
    for more in ([], ["--overwrite"]):
        asked_for = (more and command[-1] not in (command[1], "R")) or command[
            -1
        ] == "R" != command[1]
        if more and asked_for:
            continue
        result = CliRunner().invoke(app, [*words, *more], standalone_mode=False)
        assert isinstance(result.exception, InputError), result.exception
        expected = "reads" if command[-1] == command[1] else "exists"
        assert expected in str(result.exception)
        assert {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()} == before


@pytest.fixture(scope="module")
def run_on_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    config = {
        "specimen": {"kind": "synthetic", "size_mm": [0.6, 0.6, 0.6], "voxel_um": 25.0},
        "schedule": {"burn_in_day": 0, "duration_day": 2},
        "mechanics": {"interval_day": 0},
    }
    return bonesim.run(config, folder / "out.vtkhdf")


def test_overwriting_when_asked_to(run_on_file: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    for more in ([], ["--overwrite"]):
        words = ["measure", str(run_on_file), "--csv", str(table), *more]
        assert CliRunner().invoke(app, words, standalone_mode=False).exception is None
        assert "bvtv" in table.read_text()
        table.write_text("old")
    done = bonesim.scan_like(run_on_file, tmp_path / "scans", scanner="micro_ct_20")
    with pytest.raises(InputError, match="exists"):
        bonesim.scan_like(run_on_file, tmp_path / "scans", scanner="micro_ct_20")
    bonesim.scan_like(run_on_file, tmp_path / "scans", scanner="micro_ct_20", overwrite=True)
    image = tmp_path / "scans" / done["bone"][0]
    assert bonesim.measure(image)["value"].notna().any()


def test_verify_names_what_is_wrong(run_on_file: Path, tmp_path: Path) -> None:
    found = bonesim.verify(run_on_file)
    assert found.attrs["wrong"] == 0
    assert {"ledger", "lattice of day 0", "cells of day 2", "checkpoint", "table"} <= set(
        found["what"]
    )
    result = CliRunner().invoke(app, ["verify", str(run_on_file)], standalone_mode=False)
    assert result.exception is None
    assert result.stdout.count("\n") == len(found)
    path = tmp_path / "out.vtkhdf"
    for name, change in WRONG.items():
        path.write_bytes(run_on_file.read_bytes())
        change(path)
        found = bonesim.verify(tmp_path)
        wrong = found[~found["state"].str.startswith("ok")]
        assert name in set(wrong["what"]), (name, wrong)
        assert found.attrs["wrong"] == len(wrong)
        result = CliRunner().invoke(app, ["verify", str(tmp_path)], standalone_mode=False)
        assert getattr(result.exception, "exit_code", None) == 5
        assert name in result.stdout
    (tmp_path / "empty").mkdir()
    for nothing in (tmp_path / "empty", tmp_path / "none.vtkhdf"):
        with pytest.raises(InputError):
            bonesim.verify(nothing)


def _rewritten(place: str, row: int, value: int) -> Callable[[Path], None]:
    """Change a value and its sum: by a program, not by chance."""
    import h5py
    import numpy as np

    from bonesim.storage import checksums

    def change(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            file[place][row] = value
            file[place].attrs.modify(
                "checksum", np.uint32(checksums.sum_of(file[place].name, file[place][()]))
            )

    return change


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def _status(path: Path) -> None:
    from bonesim.storage.writer import RunWriter

    with RunWriter.reopen(path) as writer:
        writer.set_status("interrupted")
        writer.commit()


def _twin(path: Path) -> None:
    import h5py

    other = path.with_name("out_twin.vtkhdf")
    other.write_bytes(path.read_bytes())
    with h5py.File(other, "r+") as file:
        file["VTKHDF/CellData/quanta"][0, 3] = 7


WRONG: dict[str, Callable[[Path], Any]] = {
    "file": _cut,
    "ledger": _rewritten("bonesim/table/formed_quanta", 1, 77),
    "lattice of day 2": _rewritten("bonesim/table/bone_quanta", 2, 77),
    "cells of day 0": _rewritten("bonesim/table/osteocyte_lacunae", 0, 1),
    "days": _rewritten("bonesim/table/day", 1, 7),
    "checkpoint": _status,
    "twin": _twin,
}


def test_a_sweep_folder_is_verified(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text("title = 'x'")
    (tmp_path / "points.csv").write_text("point,row,replicate,seed\na,0,0,1\n")
    found = bonesim.verify(tmp_path)
    assert list(found["what"]) == ["study", "design", "journal", "results"]
    assert found.attrs["wrong"] == 0
    (tmp_path / "results.csv").write_text("point,value\na,3\n")
    assert bonesim.verify(tmp_path).attrs["wrong"] == 1
    with pytest.raises(BonesimError):
        bonesim.verify(tmp_path / "none")
