"""The page of a sweep's and a trial's folder: points, failures, figures, tables; in a browser too."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bonesim
from bonesim.errors import InputError
from bonesim.page.arms_table import for_reading, renamed, symbol_of
from bonesim.page.folder_page import MAX_POINTS
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.journal import JOURNAL, Journal
from bonesim.sweeps.study import Study, StudyLike, StudyParameters, read_as
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


@pytest.mark.long
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


@pytest.fixture(scope="module")
def paired_sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two values, three seeds each; the variable's name has a unit."""
    folder = tmp_path_factory.mktemp("paired")
    (folder / "base.toml").write_text(BASE_RUN)
    text = STUDY.format(values="[0.5, 1.0]").replace("seeds = 1", "seeds = 3")
    (folder / "study.toml").write_text(text.replace('"hill"', '"dose_mg"'))
    return done(folder / "out", Study(folder / "study.toml"), dummy.numbers)


def test_arms_are_a_table_with_their_paired_differences(paired_sweep: Path) -> None:
    header = header_of(bonesim.report(paired_sweep).html)
    pairs = bonesim.paired_sweep(paired_sweep).iloc[0]
    (first, second) = header["arms"]["rows"]
    assert first[:3] == ["BV/TV", "dose (mg) = 0.5", "3"] and second[1] == "dose (mg) = 1"
    assert first[4:] == ["\u2013"] * 3
    assert second[4] == f"{pairs['mean']:+.3g} +/- {pairs['ci']:.3g} percentage points"
    assert second[5:] == ["dose (mg) = 0.5", "3"]
    (figure,) = header["figures"]
    assert figure["title"].startswith("BV/TV: change from first to last snapshot (%); mean of each")
    head = [text.partition("\n")[0].split(",")[0] for text in figure["csv"].values()]
    assert head == ["dose_mg", "dose_mg"]


def test_the_table_of_arms_is_above_figures_below_each_other(
    browser: Any, paired_sweep: Path, tmp_path: Path
) -> None:
    bonesim.report(paired_sweep, output=tmp_path / "sweep.html")
    page = browser.open(tmp_path / "sweep.html")
    assert page.locator("#arms tbody tr").count() == 2
    assert "percentage points" in page.locator("#arms").inner_text()
    arms, figures = page.locator("#arms").bounding_box(), page.locator("#figures").bounding_box()
    assert arms["y"] + arms["height"] <= figures["y"]
    assert page.locator("#figures img").bounding_box()["width"] > 0.9 * figures["width"]
    assert browser.foreign() == [] and browser.complaints == []


@pytest.mark.parametrize(
    ("column", "shown"),
    (("dose_mg", "dose (mg)"), ("drugs.x.rate_mg_per_day", "drugs.x.rate (mg/d)"), ("a_b", "a b")),
)
def test_columns_for_reading(column: str, shown: str) -> None:
    assert for_reading(column) == shown


def test_columns_of_one_name_for_reading_stay(paired_sweep: Path) -> None:
    design = read_as(paired_sweep / "study.toml", StudyParameters)[0].design
    results = Folder(paired_sweep).results()
    assert "dose (mg)" in renamed(results, design)[0]
    both = results.assign(**{"dose (mg)": 1.0})
    assert renamed(both, design)[1] is design


@pytest.mark.parametrize(
    ("column", "symbol"),
    (("bvtv_percent", "BV/TV"), ("tb_sp_um", "Tb.Sp"), ("what_else", "what_else")),
)
def test_symbols_of_results(column: str, symbol: str) -> None:
    assert symbol_of(column) == symbol


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
