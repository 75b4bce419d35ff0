"""The window, off-screen: the slider changes the bone, the day and the marks."""

from pathlib import Path

import numpy as np
import pytest

from bonesim.config.config import validated
from bonesim.engine.run import run
from bonesim.errors import InputError
from bonesim.storage.reader import open_run
from bonesim.viewer.window import view
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
