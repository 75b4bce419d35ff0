"""A study's file: empty cells of its CSV, and keys that were renamed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bonesim.errors import InputError
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.journal import STUDY
from bonesim.sweeps.study import Study, StudyParameters, read_as

TEXT = """
title = "Rows"
base = "base.toml"
[design]
kind = "list"
rows_csv = "rows.csv"
seeds = 1
[[design.variable]]
path = "title"
name = "arm"
[[design.variable]]
path = "cells.osteoclast.strain_stop"
name = "stop"
"""


@pytest.fixture
def rows(tmp_path: Path) -> Callable[[str], Study]:
    (tmp_path / "base.toml").write_text(
        'title = "Base"\n[cells.osteoclast]\nstrain_stop = 0.75\n[specimen]\nkind = "synthetic"\n'
        "size_mm = [3.5, 4.0, 4.5]\n"
    )
    (tmp_path / "study.toml").write_text(TEXT)

    def study(text: str) -> Study:
        (tmp_path / "rows.csv").write_text(text)
        return Study(tmp_path / "study.toml")

    return study


def test_an_empty_cell_has_what_the_base_has(rows: Callable[[str], Study]) -> None:
    study = rows(
        "arm,stop,mechanics.interval_day,specimen.size_mm.1\nall,,,\nsome,0.5,0,2.0\nrest,,,3.0\n"
    )
    assert study.rows["stop"].tolist() == [0.75, 0.5, 0.75]
    assert study.rows["mechanics.interval_day"].tolist() == [30, 0, 30]
    assert study.rows["specimen.size_mm.1"].tolist() == [4.0, 2.0, 3.0]
    whole, some, _ = study.points()
    assert "strain_stop = 0.75" in whole.config
    assert "strain_stop = 0.5" in some.config


@pytest.mark.parametrize("path", ["hormones.response.no_such", "specimen.size_mm"])
def test_an_empty_cell_that_nothing_can_fill_is_refused(
    rows: Callable[[str], Study], path: str
) -> None:
    with pytest.raises(InputError, match=f"{path}' has an empty cell, and the base has no value"):
        rows(f"arm,{path}\nall,\nsome,1\n")


def test_a_sweep_folder_of_0_1_is_refused_with_the_new_name(
    rows: Callable[[str], Study], tmp_path: Path
) -> None:
    """The study kept in the folder has the old key; its pictures are made from it."""
    study = rows("arm,stop\nall,0.5\n")
    folder = tmp_path / "out"
    Folder(folder, study).write_points(study.points())
    (folder / STUDY).write_text(study.text.replace("seeds = 1", "seeds = 1\ncommon_luck = true"))
    command = [sys.executable, "-m", "bonesim", "plot", "sweep", str(folder), "-o", "a.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "design.common_luck: renamed to design.common_random_numbers in 0.2" in done.stderr


def test_a_misshapen_design_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text('title = "a"\nbase = "b"\ndesign = "common_luck"\n')
    with pytest.raises(InputError, match="design") as error:
        read_as(tmp_path / "study.toml", StudyParameters)
    assert "renamed" not in str(error.value)


DOSES = """
title = "doses"
base = "base.toml"
[design]
seeds = 1
[[design.variable]]
path = "protocol.anastrozole.dose_mg"
unit = "mg"
values = [0, 1.0]
"""


def doses_on(folder: Path, protocol: str) -> Study:
    (folder / "base.toml").write_text(f"[protocol]\nage_year = 61\n{protocol}")
    (folder / "doses.toml").write_text(DOSES)
    return Study(folder / "doses.toml")


def test_a_dose_of_0_is_the_untreated_arm(tmp_path: Path) -> None:
    untreated, treated = doses_on(tmp_path, "anastrozole = { dose_mg = 0.5 }").points()
    assert untreated.columns["protocol.anastrozole.dose_mg"] == 0
    assert (untreated.seed, untreated.group) == (treated.seed, treated.group)


def test_a_base_without_the_drug_is_refused_with_what_to_add(tmp_path: Path) -> None:
    study = doses_on(tmp_path, "")
    with pytest.raises(InputError) as refused:
        study.points()
    assert str(refused.value).endswith(
        "its base) has no protocol.anastrozole; add [[protocol.anastrozole]] with a line dose_mg = ... there"
    )
