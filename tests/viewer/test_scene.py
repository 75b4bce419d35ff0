"""The picture of a run: drawn off-screen, with its numbers beside it, whole or not there."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

import bonesim
from bonesim.config.config import validated
from bonesim.engine.run import run
from bonesim.errors import BonesimError, InputError
from bonesim.storage.reader import open_run
from bonesim.viewer import scene
from bonesim.viewer.scene import _figure
from tests.viewer.conftest import SMALL


@pytest.fixture(scope="module")
def picture(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with open_run(small_run) as opened:
        place = tmp_path_factory.mktemp("picture") / "p.png"
        bonesim.render(opened, place)
    return place


@pytest.fixture(autouse=True)
def few_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Photographs of 300 rows in place of 900; `picture`, made before this, has them all."""
    monkeypatch.setattr(scene, "HEIGHT_PX", 300)


def test_bone_is_in_the_picture(picture: Path) -> None:
    image = imread(picture)[..., :3]
    assert image.shape == (1222, 2015, 3)
    upper = image[150:780]
    panels = [upper[:, 671 * k : 671 * (k + 1)] for k in range(3)]
    for panel in panels:
        coloured = (panel.std(axis=2) > 0.02).mean()
        assert 0.03 < coloured < 0.9, "bone is neither missing nor everywhere"
    assert abs(panels[0] - panels[2]).mean() > 1e-3, "120 days change it"


def test_the_numbers_beside_it_are_the_run_s(picture: Path, small_run: Path) -> None:
    numbers = pd.read_csv(picture.with_suffix(".csv"))
    with open_run(small_run) as opened:
        for name in ("day", "e2_pg_per_ml", "bvtv_percent", "bmd_mg_per_cm3"):
            np.testing.assert_allclose(numbers[name], opened.table[name])
        measured = numbers.dropna()
        assert measured["day"].tolist() == opened.snapshot_days
        np.testing.assert_allclose(
            measured["conn_d_per_mm3"], opened.snapshot_table["conn_d_per_mm3"]
        )


def test_the_words_of_the_picture(small_run: Path) -> None:
    with open_run(small_run) as opened:
        figure = _figure(opened, "events")
    axes = [axis for part in figure.subfigs for axis in part.axes]
    titles = [axis.get_title() for axis in axes[:3]]
    assert [title.split(",")[0] for title in titles] == [
        "Before", "End of suppression", "End of recovery",
    ]  # fmt: skip
    assert all("perforations" in title and "BV/TV" in title for title in titles)
    assert "1.2 x 1.0 x 1.1 mm" in figure.get_suptitle()
    legend = [text.get_text() for part in figure.subfigs for old in part.legends
              for text in old.get_texts()]  # fmt: skip
    assert "plate perforation" in legend
    assert "strut cut" in legend
    shaded = [patch for patch in axes[3].patches if patch.get_x() > 0 or patch.get_width() > 0]
    assert len(shaded) == 1
    left = shaded[0].get_x() * 365.25
    assert 0 < left < 5
    assert 58 < left + shaded[0].get_width() * 365.25 < 70


def test_load_is_shown_with_one_scale(small_run: Path) -> None:
    with open_run(small_run) as opened:
        figure = _figure(opened, "sed")
    assert "under the habitual load: 0.4 MPa along z" in figure.get_suptitle()
    axes = figure.subfigs[0].axes
    assert all("stiffness along z" in axis.get_title() for axis in axes[:3])
    assert [axis.get_ylabel() for axis in axes[3:]] == ["strain energy density (MPa)"]
    assert axes[3].get_yscale() == "log"


@pytest.mark.parametrize("colour", ["none", "mineral", "surface_state"])
def test_other_colours(small_run: Path, tmp_path: Path, colour: str) -> None:
    with open_run(small_run) as opened:
        bonesim.render(opened, tmp_path / "p.png", colour=colour)
    assert (tmp_path / "p.png").stat().st_size > 50_000


@pytest.mark.parametrize(
    ("name", "colour", "words"),
    [
        ("p.jpg", "events", "ends in .png"),
        ("no/p.png", "events", "there is no folder"),
        ("p.png", "pink", "colour: 'pink' is not known; one of"),
    ],
)
def test_bad_output_is_refused_before_anything_is_drawn(
    small_run: Path, tmp_path: Path, name: str, colour: str, words: str
) -> None:
    with open_run(small_run) as opened, pytest.raises(InputError, match=words):
        bonesim.render(opened, tmp_path / name, colour=colour)
    assert list(tmp_path.iterdir()) == []


def test_no_half_of_the_output_is_left(small_run: Path, tmp_path: Path) -> None:
    """The CSV cannot be written, or the picture cannot: neither is there."""
    for blocked in ("p.csv", "p.png"):
        folder = tmp_path / blocked.replace(".", "_")
        (folder / blocked).mkdir(parents=True)
        with open_run(small_run) as opened, pytest.raises(BonesimError, match=blocked):
            bonesim.render(opened, folder / "p.png")
        assert [place.name for place in folder.iterdir()] == [blocked]


def test_a_run_with_little_in_it(tmp_path: Path) -> None:
    config = validated(SMALL, "test").with_changes({"schedule.snapshots_day": [60]})
    empty = run(config, tmp_path / "empty.vtkhdf", until_day=0)
    with open_run(empty) as opened, pytest.raises(InputError, match="no snapshot yet"):
        bonesim.render(opened, tmp_path / "p.png")
    one = run(config, tmp_path / "one.vtkhdf", until_day=70)
    with open_run(one) as opened:
        bonesim.render(opened, tmp_path / "p.png")
    assert (tmp_path / "p.png").exists()


def test_a_run_beside_its_twin(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same four photographs as the demo's; another bone, lattice or colour is refused."""
    from bonesim.viewer import twin_scene

    monkeypatch.setattr(twin_scene, "HEIGHT_PX", 150)
    config = validated(SMALL, "test")
    twin = run(bonesim.untreated_twin(config), tmp_path / "twin.vtkhdf")
    figure = bonesim.render(small_run, tmp_path / "p.png", twin=twin)
    assert "Untreated twin" in figure.subfigs[0].axes[3].get_title()
    numbers = pd.read_csv(tmp_path / "p.csv")
    assert numbers["bvtv_difference_percent"].iloc[0] == 0.0
    assert abs(numbers["bvtv_difference_percent"].iloc[-1]) > 0.0
    with pytest.raises(InputError, match="beside a twin"):
        bonesim.render(small_run, twin=twin, colour="bone")
    for changes, words in (
        ({"specimen.seed": 3}, "another bone on day 0"),
        ({"specimen.size_mm": [0.8, 0.8, 0.8]}, "another lattice"),
        ({"schedule.snapshots_day": [0]}, "no snapshot of day 120"),
    ):
        other = run(config.with_changes(changes), tmp_path / f"{len(words)}.vtkhdf", until_day=1)
        with pytest.raises(InputError, match=f"{words}: it is no twin of") as error:
            bonesim.render(small_run, twin=other)
        assert error.value.parameter == "twin"
