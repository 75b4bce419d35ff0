"""The window, off-screen: the slider changes the bone, the day and the marks."""

from pathlib import Path

import numpy as np
import pytest

from bonesim.config.config import validated
from bonesim.engine.run import run
from bonesim.errors import InputError
from bonesim.storage.reader import open_run
from bonesim.viewer import palette
from bonesim.viewer.window import CELLS, Window, view
from tests.viewer.conftest import SMALL


def test_the_slider_goes_through_the_snapshots(small_run: Path) -> None:
    with open_run(small_run) as opened:
        plotter = view(opened, off_screen=True)
        (slider,) = plotter.widgets.slider_widgets
        seen = []
        for step in range(3):
            slider.GetRepresentation().SetValue(step)
            slider.InvokeEvent("EndInteractionEvent")
            meshes = [actor.mapper.dataset.n_points for actor in plotter.actors.values()
                      if getattr(getattr(actor, "mapper", None), "dataset", None)]  # fmt: skip
            text = plotter.actors["day"].GetText(2)
            seen.append((sum(meshes), text))
        plotter.close()
    assert [text for _, text in seen] == ["day 0", "day 60 (2.0 months)", "day 120 (3.9 months)"]
    assert len({points for points, _ in seen}) == 3
    assert min(points for points, _ in seen) > 1000


@pytest.mark.long
def test_keys_change_colour_and_layers(small_run: Path) -> None:
    with open_run(small_run) as opened:
        plotter = view(opened, off_screen=True)
        window = Window(plotter, opened)
        last = opened.snapshot_days[-1]
        window.show(last)
        pictures = [plotter.screenshot(return_img=True)]
        for change in (window.next_colour, window.next_colour):
            change()
            pictures.append(plotter.screenshot(return_img=True))
        window.next_colour()
        for name in CELLS:
            window.turn(name)
            rows = len(opened.cells(name, last))
            assert (name in plotter.actors) == (rows > 0)
            window.turn(name)
            assert name not in plotter.actors
        plotter.close()
    assert window.colour == "bone"
    for one in range(3):
        for other in range(one):
            assert (np.asarray(pictures[one]) != np.asarray(pictures[other])).mean() > 0.01


def test_the_keys_are_bound(small_run: Path) -> None:
    with open_run(small_run) as opened:
        plotter = view(opened, off_screen=True)
        text = plotter.actors["colour"].GetText(1)
        marks = [name for name in plotter.actors if name in palette.EVENTS]
        for key in ("c", "o", "x"):
            plotter.iren.interactor.SetKeySym(key)
            plotter.iren.key_press_event(None, None)
        assert plotter.actors["colour"].GetText(1) != text
        assert ("osteoclasts" in plotter.actors) == (len(opened.cells("osteoclasts", 0)) > 0)
        assert not [name for name in marks if name in plotter.actors]
        plotter.close()


def test_the_window_shows_bone(small_run: Path) -> None:
    with open_run(small_run) as opened:
        plotter = view(opened, off_screen=True)
        image = plotter.screenshot(return_img=True)
        plotter.close()
    assert image is not None
    assert np.unique(image.reshape(-1, 3), axis=0).shape[0] > 50


def test_no_screen_and_no_snapshot_are_refused(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bonesim.viewer.window.has_screen", lambda: False)
    with open_run(small_run) as opened, pytest.raises(InputError, match="no screen"):
        view(opened)
    config = validated(SMALL, "test").with_changes({"schedule.snapshots_day": [60]})
    empty = run(config, tmp_path / "empty.vtkhdf", until_day=0)
    with open_run(empty) as opened, pytest.raises(InputError, match="no snapshot yet"):
        view(opened, off_screen=True)
