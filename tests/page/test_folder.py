"""The page of a sweep's and a trial's folder: points, failures, figures, tables; in a browser too."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bonesim
from bonesim.errors import InputError
from bonesim.page.folder_page import MAX_POINTS
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.journal import JOURNAL, Journal
from bonesim.sweeps.study import Study, StudyLike
from bonesim.sweeps.worker import attempt
from bonesim.trials.trial import Trial
from tests.page.test_page import header_of
from tests.sweeps import dummy
from tests.sweeps.conftest import HILL
from tests.trials import dummy as participants
from tests.trials.conftest import ARMS, BASE, COHORT, HEAD

TITLE = "doses </script><img src=x onerror=alert(1)>"
STUDY = (
    f'title = "{TITLE}"\nbase = "base.toml"\n[design]\nseeds = 1\n{HILL}' + "values = {values}\n"
)
BASE_RUN = (
    '[specimen]\nkind = "synthetic"\nsize_mm = [1.0, 1.0, 1.0]\n'
    "[schedule]\nburn_in_day = 0\nduration_day = 20\n"
)


def done(place: Path, study: StudyLike, simulate: Any) -> Path:
    """A folder whose points were tried once, in this process: another would import everything."""
    folder, points = Folder(place, study), study.points()
    folder.write_points(points)
    journal = Journal(place / f"{JOURNAL}.jsonl")
    for point in points:
        journal.add(attempt(folder.task(point, keep_file=False), simulate))
    journal.close()
    return place


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of two values, one of which fails."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "base.toml").write_text(BASE_RUN)
    (folder / "study.toml").write_text(STUDY.format(values="[2.0, 2.5]"))
    return done(folder / "out", Study(folder / "study.toml"), dummy.failing)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trial of six people."""
    folder = tmp_path_factory.mktemp("trial")
    (folder / "base.toml").write_text(BASE)
    (folder / "trial.toml").write_text(HEAD + ARMS + COHORT)
    return done(folder / "out", Trial(folder / "trial.toml"), participants.read)


def test_a_sweep_s_page_in_a_browser(browser: Any, sweep: Path, tmp_path: Path) -> None:
    bonesim.report(sweep, output=tmp_path / "sweep.html")
    page = browser.open(tmp_path / "sweep.html")
    assert page.locator("h1").inner_text() == TITLE
    assert "1 of 2 points done, 1 failed, 0 waiting" in page.locator("#facts").inner_text()
    widths = page.locator("#figures img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert len(widths) == 1 and min(widths) > 300
    assert page.locator("#failed tbody tr").count() == 1
    assert "a dummy's fault" in page.locator("#failed").inner_text()
    rows = page.locator("#points tbody tr")
    assert rows.count() == 2
    page.fill("#filter", "2.5")
    assert rows.count() == 1
    page.fill("#filter", "")
    page.select_option("#state", "failed")
    assert rows.count() == 1
    with page.expect_download() as waited:
        page.locator("[data-table=results]").click()
    waited.value.save_as(tmp_path / "results.csv")
    found, wanted = pd.read_csv(tmp_path / "results.csv"), Folder(sweep).results()
    assert list(found) == list(wanted) and len(found) == len(wanted) == 3
    assert found["bvtv_percent"].tolist() == wanted["bvtv_percent"].tolist()
    assert browser.foreign() == [] and browser.complaints == []


def test_a_trial_s_page_in_a_browser(browser: Any, trial: Path, tmp_path: Path) -> None:
    bonesim.report(trial, output=tmp_path / "trial.html")
    page = browser.open(tmp_path / "trial.html")
    assert "A trial" in page.locator("#facts").inner_text()
    assert page.locator("#figures img").count() == 1
    assert {"estimates", "curves", "trial_repeats"} <= set(
        page.locator("[data-table]").evaluate_all("all => all.map(one => one.dataset.table)")
    )
    assert browser.foreign() == [] and browser.complaints == []


def test_many_points_are_shown_as_figures_not_data(
    sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_POINTS == 300
    few = header_of(bonesim.report(sweep).html)
    assert {"points", "results"} <= set(few["tables"]) and few["few"]
    monkeypatch.setattr("bonesim.page.folder_page.MAX_POINTS", 1)
    many = header_of(bonesim.report(sweep).html)
    assert not many["tables"] and not many["few"]
    assert len(many["figures"]) == len(few["figures"]) > 0
    assert many["failed"]["rows"] == 1 and many["counts"] == few["counts"]


def test_the_same_folder_gives_the_same_bytes(sweep: Path) -> None:
    assert bonesim.report(sweep).html == bonesim.report(sweep).html


def test_a_sweep_without_results_has_a_page(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(BASE_RUN)
    (tmp_path / "study.toml").write_text(STUDY.format(values="[1.0, 2.0]"))
    study = Study(tmp_path / "study.toml")
    Folder(tmp_path / "out", study).write_points(study.points())
    header = header_of(bonesim.report(tmp_path / "out").html)
    assert header["counts"] == {"done": 0, "failed": 0, "waiting": 2}
    assert header["figures"] == []


def test_what_is_no_folder_of_a_sweep_is_refused(sweep: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder of a sweep"):
        bonesim.report(tmp_path)
    with pytest.raises(InputError) as failure:
        bonesim.report(sweep, sweep)
    assert failure.value.parameter == "twin"
