"""The story of one remodelling unit: its rows are those of the file, in words and as a figure."""

import sys
from pathlib import Path

import numpy as np
import pytest

import bonesim
from bonesim.cli.main import main
from bonesim.errors import InputError
from bonesim.reports.story import text
from bonesim.storage.reader import Run
from bonesim.viewer.story import days_around

LAST = 500


@pytest.mark.long
def test_a_unit_s_snapshots_are_those_of_its_cells(run: Run) -> None:
    for day in run.snapshot_days:
        for row in run.cells("bmus", day).to_dict("records"):
            story = run.story(int(row["id"]))
            assert story["day"].is_monotonic_increasing
            seen = story[(story["what"] == "snapshot") & (story["day"] == day)]
            assert len(seen) == 1 and seen["status"].iloc[0] == row["phase"]
            for name in ("x_um", "y_um", "z_um", "area_um2", "quota_um2", "open_sites"):
                assert seen[name].iloc[0] == pytest.approx(row[name])
            born = story[story["what"] == "born"]
            assert born["day"].tolist() == [day - row["age_day"]] or day > run.snapshot_days[0]
            later = [one for one in run.snapshot_days if one > day]
            if later and row["id"] not in set(run.cells("bmus", later[0])["id"]):
                ended = story[story["what"] == "ended by this snapshot"]
                assert ended["day"].tolist() == [later[0]]


def test_a_unit_s_events_are_those_of_the_log(run: Run) -> None:
    ids = [int(one) for one in run.events["bmu"].unique() if one]
    assert ids
    for bmu in ids:
        wanted = run.events[run.events["bmu"] == bmu].sort_values("day", kind="stable")
        story = run.story(bmu)
        found = story[story["what"].isin(list(run.events["kind"].cat.categories))]
        assert found["day"].tolist() == wanted["day"].tolist()
        for name in ("thickness_um", "depth_um", "delta_euler", "x_um"):
            np.testing.assert_allclose(found[name], wanted[name])
        words = text(story)
        assert str(bmu) in words and "nan" not in words
        assert len(words.splitlines()) >= 2 + len(story)
    assert story.attrs["units"]["depth_um"] == "um"


def test_the_snapshots_around_it() -> None:
    assert days_around([0, 100, 200], np.array([20.0, 90.0])) == [0, 100]
    assert days_around([0, 100, 200], np.array([100.0])) == [100]
    assert days_around([0, 100], np.array([-30.0, 250.0])) == [0, 100]


def test_the_command_and_the_figure(
    run: Run, run_files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    bmu = int(run.events["bmu"].max())
    monkeypatch.chdir(tmp_path)
    command = ["bonesim", "story", str(run_files[0]), str(bmu), "-o", "story.png"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0 and f"BMU {bmu}" in capfd.readouterr().out
    assert (tmp_path / "story.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "story.csv").read_text().startswith("day,what,status,")
    figure = bonesim.plot_story(run, bmu)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert [title.split()[0] for title in titles] == [
        f"$\\bf{{{letter}}}$" for letter in "abc"[: len(titles)]
    ]
    with pytest.raises(InputError, match="holds no BMU 5") as failure:
        bonesim.story(run, 5)
    assert failure.value.parameter == "bmu"
