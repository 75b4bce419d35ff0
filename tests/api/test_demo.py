"""The demo on a small bone: its files, its picture, its numbers; nothing is overwritten."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

import bonesim
from bonesim.api.first_picture import CONFIG, Demo, demo
from bonesim.engine.progress import Terminal
from bonesim.errors import InputError
from bonesim.reports.against_twin import changes, table, text
from bonesim.viewer import twin_scene

ROOT = Path(__file__).parents[2]
SMALL: dict[str, Any] = {
    "specimen.size_mm": [1.0, 1.0, 1.0], "mechanics.interval_day": 0,
    "protocol.anastrozole.stop_day": 60, "cells.bmu.origination_per_mm2_per_year": 8.0,
    "schedule": {"burn_in_day": 20, "duration_day": 120, "snapshots_day": [0, 60, 120]},
}  # fmt: skip


@pytest.fixture(scope="module")
def made(one_core: None, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return demo(tmp_path_factory.mktemp("demo") / "new", changes=SMALL)


def test_its_files(made: Demo) -> None:
    folder = made.picture.parent
    assert {file.name for file in folder.iterdir()} == {
        "demo.png", "demo.csv", "demo.vtkhdf", "demo_twin.vtkhdf"
    }  # fmt: skip
    with bonesim.open_run(made.run) as run, bonesim.open_run(made.twin) as twin:
        assert run.status == twin.status == "complete"
        assert twin.config["title"].startswith("untreated twin")
        assert (run.quanta(0) == twin.quanta(0)).all()
        assert (run.quanta(120) != twin.quanta(120)).any()


def test_the_picture_has_bone_in_four_panels_and_curves(made: Demo) -> None:
    image = imread(made.picture)[..., :3]
    high, wide = image.shape[:2]
    assert 1.2 < wide / high < 1.6 and wide > 2000
    upper = image[int(0.2 * high) : int(0.55 * high)]
    for k in range(4):
        panel = upper[:, wide * k // 4 : wide * (k + 1) // 4]
        assert 0.02 < (panel.std(axis=2) > 0.02).mean() < 0.9, k
    axes = made.figure.axes
    titles = [axis.get_title(loc="left") + axis.get_title() for axis in axes[:4]]
    for title, wanted in zip(
        titles, ("Before", "End of suppression", "End of recovery", "ntreated twin"), strict=True
    ):
        assert wanted in title
    assert "day 120" in titles[2] and "day 120" in titles[3]
    labels = " ".join(
        axis.get_ylabel() + axis.get_title(loc="left") + axis.get_title() for axis in axes[4:]
    )
    for part in ("estradiol", "BV/TV", "twin"):
        assert part in labels
    assert any("0.5 mm" in text.get_text() for text in made.figure.axes[0].texts)


def test_the_numbers_are_those_of_the_files(made: Demo) -> None:
    with bonesim.open_run(made.run) as run, bonesim.open_run(made.twin) as twin:
        mine, other = run.table.set_index("day"), twin.table.set_index("day")
        thickness = [one.snapshot_table.set_index("day")["tb_th_um"] for one in (run, twin)]
    found = made.table.set_index(["quantity", "day"])
    assert found.loc[("bvtv_percent", 0), "difference_percent"] == 0.0
    for day in (60, 120):
        expected = 100.0 * (mine.loc[day, "bvtv_percent"] / other.loc[day, "bvtv_percent"] - 1.0)
        assert found.loc[("bvtv_percent", day), "difference_percent"] == pytest.approx(expected)
        assert found.loc[("tb_th_um", day), "run"] == thickness[0][day]
        assert found.loc[("tb_th_um", day), "twin"] == thickness[1][day]
    numbers = pd.read_csv(made.picture.with_suffix(".csv")).set_index("day")
    assert len(numbers) == 121
    np.testing.assert_allclose(numbers["bvtv_percent"], mine["bvtv_percent"])
    np.testing.assert_allclose(numbers["twin_bmd_mg_per_cm3"], other["bmd_mg_per_cm3"])
    assert numbers["tb_th_difference_percent"].notna().sum() == 3


def test_the_summary_states_loss_and_return() -> None:
    rows = [
        (name, symbol, "%", day, run, 10.0, 100.0 * (run / 10.0 - 1.0))
        for name, symbol in (("bvtv_percent", "BV/TV"), ("bmd_mg_per_cm3", "BMD"), ("tb_th_um", "Tb.Th"))
        for day, run in ((0, 10.0), (730, 8.0), (1095, 9.5))
    ]  # fmt: skip
    rows += [("breaks", "breaks", "", day, 3.0, 1.0, np.nan) for day in (0, 730, 1095)]
    names = ["quantity", "symbol", "unit", "day", "run", "twin", "difference_percent"]
    printed = text(pd.DataFrame(rows, columns=names))
    assert "lost on day 730 against the twin: 20.0 % of BV/TV" in printed
    assert "back 1.0 years later: 75 % of the lost BV/TV" in printed
    gained = pd.DataFrame(rows, columns=names)
    gained["difference_percent"] = -gained["difference_percent"]
    assert "back" not in text(gained), "nothing was lost, so nothing can come back"


def test_days_without_a_snapshot_are_refused(made: Demo) -> None:
    with bonesim.open_run(made.run) as run, bonesim.open_run(made.twin) as twin:
        with pytest.raises(
            InputError, match="day 7 has no snapshot in both files; there are 0, 60, 120"
        ):
            table(run, twin, [0, 7, 120])
        assert changes(run, twin)["tb_th_um"].notna().sum() == 3


def test_a_run_without_return_has_no_such_picture(made: Demo) -> None:
    with (
        bonesim.open_run(made.twin) as twin,
        pytest.raises(InputError, match=r"demo_twin\.vtkhdf: estradiol must fall"),
    ):
        twin_scene.moments_of(twin)


def test_nothing_is_overwritten_and_nothing_is_simulated_first(made: Demo) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in made.picture.parent.iterdir()}
    with pytest.raises(InputError, match=r"demo.vtkhdf: exists; choose another name"):
        demo(made.picture.parent, changes=SMALL)
    assert before == {file.name: file.stat().st_mtime_ns for file in made.picture.parent.iterdir()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schedule.duration_day": 730}, "snapshots_day ends at day 1095"),
        ({"protocol.anastrozole.stop_day": 1095}, "estradiol must fall after day 0 and return"),
        ({"schedule.snapshots_day": [0, 1095]}, "with a snapshot on day 0"),
        ({"protocol.anastrozole.dose_mg": -1.0}, r"anastrozole\[0\]\.dose_mg"),
        ({"specimen.size_mm": [0.0, 1.0, 1.0]}, "specimen"),
    ],
)
def test_bad_input_is_refused_before_the_bone_is_made(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        demo(tmp_path / "new", changes=change)
    assert not list(tmp_path.rglob("*.vtkhdf"))


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file, and a folder is needed"):
        demo(tmp_path / "file", changes=SMALL)


def test_the_configuration_is_what_was_promised() -> None:
    tree = tomllib.loads(CONFIG.read_text())
    assert tree["specimen"]["size_mm"] == [1.6, 1.6, 1.6]
    assert tree["specimen"]["preset"] == "elderly_vertebra"
    schedule, drug = tree["schedule"], tree["protocol"]["anastrozole"]
    assert schedule["burn_in_day"] == 300
    assert (drug["start_day"], drug["stop_day"], schedule["duration_day"]) == (0, 730, 1095)
    blood = bonesim.hormones(CONFIG).set_index("day")["e2_pg_per_ml_mean"]
    assert blood[700] < 0.25 * blood[-1] and blood[1090] > 0.8 * blood[-1]


def test_one_bar_over_both_runs(tmp_path: Path) -> None:
    """Days of the twin go on where the run ended."""
    seen: list[tuple[int, str]] = []

    class Watched(Terminal):
        def on_day(self, simulation: bonesim.Simulation) -> None:
            seen.append((self._earlier_days + simulation.day, self._where(simulation.day)))
            super().on_day(simulation)

    days = {"schedule.duration_day": 90, "schedule.snapshots_day": [0, 60]}
    config = bonesim.load_config(CONFIG, SMALL).with_changes(days)
    bonesim.run_twins(config, tmp_path / "a.vtkhdf", observers=[Watched(runs=2)])
    numbers = [day for day, _ in seen]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 180
    assert {text.partition(",")[0] for _, text in seen} == {"run 1 of 2", "run 2 of 2"}


def test_the_configuration_is_in_every_install() -> None:
    """A plain install has no configs/ beside it: what is read at run time is data of the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shipped = {
        file
        for pattern in project["tool"]["setuptools"]["package-data"]["bonesim"]
        for file in (ROOT / "bonesim").glob(pattern)
    }
    assert CONFIG in shipped
    assert set((ROOT / "bonesim").rglob("*.toml")) <= shipped
