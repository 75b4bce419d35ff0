"""The window, off-screen: the slider changes the bone, the day and the marks."""

from pathlib import Path

import numpy as np
import pytest
import pyvista as pv

from bonesim.config.config import validated
from bonesim.engine.run import run
from bonesim.errors import InputError
from bonesim.storage.reader import Run, open_run
from bonesim.viewer import palette
from bonesim.viewer.window import CELLS, Window, add_controls, view
from tests.viewer.conftest import SMALL


def controlled(run: Run) -> pv.Plotter:
    """A window with its slider and keys, not on a screen."""
    plotter = pv.Plotter(off_screen=True)
    add_controls(Window(plotter, run), run.snapshot_days[0])
    return plotter


def test_the_slider_goes_through_the_snapshots(small_run: Path) -> None:
    with open_run(small_run) as opened:
        plotter = controlled(opened)
        (slider,) = plotter.widgets.slider_widgets
        seen = []
        for step in range(3):
            slider.GetRepresentation().SetValue(step)
            slider.InvokeEvent("EndInteractionEvent")
            meshes = [actor.mapper.dataset.n_points for actor in plotter.actors.values()
                      if getattr(getattr(actor, "mapper", None), "dataset", None)]  # fmt: skip
            text = slider.GetRepresentation().GetTitleText()
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
        plotter = controlled(opened)
        text = plotter.actors["colour"].GetInput()
        marks = [name for name in plotter.actors if name in palette.EVENTS]
        for key in ("c", "o", "x"):
            plotter.iren.interactor.SetKeySym(key)
            plotter.iren.key_press_event(None, None)
        assert plotter.actors["colour"].GetInput() != text
        assert ("osteoclasts" in plotter.actors) == (len(opened.cells("osteoclasts", 0)) > 0)
        assert not [name for name in marks if name in plotter.actors]
        plotter.close()


def test_a_picture_has_a_day_a_colour_and_none_of_the_controls(small_run: Path) -> None:
    with open_run(small_run) as opened:
        plotter = view(opened, off_screen=True, day=60, colour="mineral")
        image = plotter.screenshot(return_img=True)
        assert plotter.actors["day"].GetText(2) == "day 60 (2.0 months)"
        assert plotter.actors["colour"].GetInput() == "mineralisation, % of full"
        assert "help" not in plotter.actors
        assert not plotter.widgets.slider_widgets
        plotter.close()
        with pytest.raises(InputError, match="no snapshot of day 61"):
            view(opened, off_screen=True, day=61)
        with pytest.raises(InputError, match="colour"):
            view(opened, off_screen=True, colour="sed")
    assert image is not None
    assert np.unique(image.reshape(-1, 3), axis=0).shape[0] > 50
    # Names, bar and text are all within the picture: its edges are empty.
    edges = np.concatenate([image[-3:].reshape(-1, 3), image[:, -3:].reshape(-1, 3)])
    assert (edges == 255).all()


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
