"""The scripts of experiments: a study's folder in; words, a picture and its numbers out."""

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from bonesim.analysis.paired import difference_from_twin, in_markdown, summary, with_interval
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.journal import Journal
from bonesim.sweeps.study import Study
from bonesim.viewer.experiment_figure import draw_lines, flat, panels, table_and_figure, unflat

STUDY = """
title = "two hills"
base = "base.toml"
[design]
seeds = 2
[[design.variable]]
path = "hormones.response.hill"
name = "hill"
values = [1.0, 2.0]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study of two rows and two seeds, of which one run is still to come."""
    (tmp_path / "base.toml").write_text('[specimen]\nkind = "synthetic"\n')
    (tmp_path / "study.toml").write_text(STUDY)
    study, place = Study(tmp_path / "study.toml"), tmp_path / "out"
    made = Folder(place, study)
    made.write_points(study.points())
    journal = Journal(place / "journal.jsonl")
    for point in study.points()[:-1]:
        bone = 10.0 * (1.0 - 0.1 * (point.columns["hill"] - 1.0))
        rows = [{"snapshot": k, "day": 100 * k, "bvtv_percent": bone if k else 10.0,
                 "bmd_mg_per_cm3": 100.0} for k in range(2)]  # fmt: skip
        journal.add({"point": point.id, "status": "done", "rows": rows, "seconds": 1.0})
    journal.close()
    return place


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    return summary(difference_from_twin(results, "hill", 1.0), ["hill", "day"])


def words_of(table: pd.DataFrame) -> str:
    bone = table["bone_percent"]
    return in_markdown(
        bone.apply(lambda one: with_interval(one["mean"], one["ci"]), axis=1).unstack("day")
    )


def draw(table: pd.DataFrame) -> Figure:
    figure, (axis,) = panels(1)
    draw_lines(axis, table, "bone_percent", "hill", "day")
    return figure


def test_a_table_a_picture_and_its_numbers(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "hills.png"
    table_and_figure("hills", "x.png", table_of, words_of, draw, [str(folder), "-o", str(output)])
    printed = capsys.readouterr()
    assert "3 of 4 runs are done" in printed.err
    assert "| 1 | +0.0 +/- 0.0 | +0.0 +/- 0.0 |\n| 2 | +0.0 | -10.0 |" in printed.out
    numbers = pd.read_csv(output.with_suffix(".csv"))
    assert {"hill", "day", "bone_percent", "bone_percent_ci", "bone_percent_n"} <= set(numbers)
    assert numbers["bone_percent"].tolist() == pytest.approx([0.0, 0.0, 0.0, -10.0])
    assert output.stat().st_size > 5_000
    again = tmp_path / "again.png"
    table = str(output.with_suffix(".csv"))
    table_and_figure("hills", "x.png", table_of, words_of, draw, [table, "-o", str(again)])
    assert again.read_bytes() == output.read_bytes()
    assert flat(unflat(numbers)).to_csv() == output.with_suffix(".csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(["nowhere"], "is no folder of a sweep"), (["nowhere", "-o", "a.jpg"], "ends in .png")],
)
def test_unusable_folders_and_pictures_are_one_line(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        table_and_figure("hills", "x.png", table_of, words_of, draw, arguments)
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert expected in complaint
    assert complaint.count("\n") == 1


def test_lines_stand_where_the_numbers_are() -> None:
    index = pd.MultiIndex.from_product([["b", "a"], [0, 100]], names=["arm", "day"])
    table = pd.DataFrame(
        {("x", "mean"): [0.0, 1.0, 0.0, 2.0], ("x", "ci"): [0.0, 0.5, 0.0, None]}, index=index
    )
    figure, (left, _) = panels(2)
    draw_lines(left, table, "x", "arm", "day")
    lines = [container.lines[0] for container in left.containers]
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["b", "a"]
    assert [list(line.get_ydata()) for line in lines] == [[0.0, 1.0], [0.0, 2.0]]
    for line in lines:
        assert list(line.get_xdata()) == pytest.approx([0.0, 100.0], abs=1.0)
    assert flat(table).columns.tolist() == ["x", "x_ci"]
    assert len(figure.axes) == 2
