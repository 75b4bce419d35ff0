"""One hole in close-up: the camera, the scale in pixels, the days, the words, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import label

import bonesim
from bonesim.config.config import validated
from bonesim.engine.run import run
from bonesim.errors import InputError
from bonesim.storage.reader import Run, open_run
from bonesim.viewer import close_up, hole_days, palette
from bonesim.viewer.close_up import Panel, draw, look_at
from bonesim.viewer.moments import Moment
from bonesim.viewer.picture import save
from tests.viewer.conftest import SMALL

UM, EDGE = 20.0, 80
TURN = np.radians(25.0)


def plate(hole_voxel: float, *, rods: bool = False) -> NDArray[np.uint8]:
    """A plate of 120 um, turned, with a round hole; and rods before and behind it, across the hole."""
    z, y, x = np.indices((EDGE,) * 3) - (EDGE - 1) / 2.0
    across, along = np.cos(TURN) * x + np.sin(TURN) * z, np.cos(TURN) * z - np.sin(TURN) * x
    depth = np.minimum(3.0 - np.abs(across), np.hypot(along, y) - hole_voxel)
    if rods:
        depth = np.maximum(depth, 3.0 - np.hypot(np.abs(across) - 9.0, along))
    return np.round(255 * np.clip(depth + 0.5, 0, 1)).astype(np.uint8)


def seen(*, rods: bool) -> close_up.CloseUp:
    days = ((0, "Before", -9.0), (730, "End of suppression", 14.0))
    panels = [Panel(day, name, plate(hole, rods=rods)) for day, name, hole in days]
    return look_at(panels, np.full(3, EDGE * UM / 2.0) + 20.0, UM)


@pytest.fixture(scope="module")
def found() -> close_up.CloseUp:
    return seen(rods=False)


@pytest.fixture(scope="module")
def picture(found: close_up.CloseUp, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(close_up, "HEIGHT_PX", 300)
        place = tmp_path_factory.mktemp("close") / "p.png"
        save(draw(found, "a phantom"), place)
    return place


def test_scale_bar_is_true_in_pixels(picture: Path) -> None:
    """The hole is 560 um wide: its white area in the PNG against the bar's length, within 1 %."""
    image = np.rint(imread(picture)[..., :3] * 255).astype(np.int64)
    ink = np.array([int(palette.INK[n : n + 2], 16) for n in (1, 3, 5)])
    dark = (np.abs(image - ink) < 8).all(axis=2)
    dark[: int(0.7 * len(dark))] = False
    pieces, _ = label(dark)
    bar = np.argwhere(pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:]))
    length, height = np.ptp(bar, axis=0)[::-1] + 1
    assert len(bar) == length * height
    assert length > 5 * height
    # Blue is what bone of this thickness lacks: half way to white is the hole's edge.
    marrow, _ = label(image[..., 2] > (255 + 50) / 2)
    areas = np.bincount(marrow.ravel())
    areas[[0, marrow[0, 0]]] = 0
    diameter = 2.0 * np.sqrt(areas.max() / np.pi)
    assert diameter / length == pytest.approx(560.0 / close_up.BAR_UM, rel=0.01)


def highest_um(one: close_up.CloseUp, within_um: float) -> float:
    """The highest bone above the plate's middle, so near to the hole's."""
    at = np.asarray(one.seen[1].block.surface.points) * 1000.0 - one.box.half_width_um
    near = np.hypot(*(at[:, :2] - np.array(one.ring.centre_um)).T) < within_um
    height = at[:, 2] + one.box.half_width_um - one.box.back_um
    return float(height[near].max(initial=-np.inf))


def test_nothing_stands_before_the_hole(found: close_up.CloseUp) -> None:
    """A rod would cover a band of it; it is cut where it does, and stands beside the hole."""
    whole, holed = (one.hole.width_um for one in found.seen)
    assert whole == 0.0
    assert holed == pytest.approx(560.0, abs=UM)
    assert found.seen[0].thickness_um == pytest.approx(120.0, abs=10.0)
    assert highest_um(found, 200.0) == -np.inf
    with_rods = seen(rods=True)
    assert with_rods.seen[1].hole.width_um == holed
    assert highest_um(with_rods, 200.0) < 0.0, "only the rod behind is left"
    assert highest_um(with_rods, 480.0) > 150.0, "the rod before the plate stands there"


def test_words_table_and_description(found: close_up.CloseUp, picture: Path) -> None:
    with Image.open(picture) as opened:
        kept = opened.info["Description"]
    assert kept == close_up.description(found, "a phantom")
    assert "a, before, day 0: no hole, plate 1" in kept
    assert "b, end of suppression, day 730 (2.0 years): hole 5" in kept
    table = pd.read_csv(picture.with_suffix(".csv"))
    assert table["hole_width_um"].tolist() == [one.hole.width_um for one in found.seen]
    assert table["panel"].tolist() == ["a", "b"]
    assert set(close_up.table(found).attrs["units"]) == set(table)


def main_moments() -> list[Moment]:
    return [Moment(0, "Before"), Moment(730, "End of suppression"), Moment(1825, "End of recovery")]


@pytest.mark.parametrize(
    ("event", "exact", "whole", "expected"),
    [
        (555.0, True, 0, {0: "Before", 555: "The hole's first day", 730: "End of suppression",
                          1825: "End of recovery"}),
        (555.0, False, 365, {365: "Before the hole", 600: "The hole, first on file (45 d old)",
                             730: "End of suppression", 1825: "End of recovery"}),
        (590.0, False, 0, {0: "Before", 600: "The hole's first days (10 d old)",
                           730: "End of suppression", 1825: "End of recovery"}),
        (700.0, False, 0, {0: "Before", 730: "End of suppression", 1825: "End of recovery"}),
        (900.0, False, 730, {730: "End of suppression", 1825: "End of recovery"}),
        (900.0, True, 0, {0: "Before", 900: "The hole's first day", 1825: "End of recovery"}),
    ],
)  # fmt: skip
def test_days(event: float, exact: bool, whole: int, expected: dict[int, str]) -> None:
    found = hole_days.days_in(
        [0, 365, 600, 730, 1825], main_moments(), event, "a run", exact=exact, whole=whole
    )
    assert dict(found) == expected


def test_an_event_without_a_snapshot_around_it() -> None:
    for whole, day, word in ((None, 0.0, "before"), (1825, 1900.0, "after")):
        with pytest.raises(InputError, match=f"no snapshot {word} the event of day {day:g}"):
            hole_days.days_in(
                [0, 1825], main_moments(), day, "a run", exact=False, whole=whole
            )  # fmt: skip


def with_breaks(opened: Run) -> int:
    """Let the first perforations of a run stand as its breaks; the id of the widest."""
    events = opened.events
    rows = events[(events["kind"].astype(str) == "plate_perforation") & (events["day"] > 0)]
    rows = rows[rows["day"] <= opened.snapshot_days[-1]][:6]
    opened.__dict__["breaks"] = pd.DataFrame(
        {
            "id": np.arange(len(rows)), "kind": "hole", "state": "there", "found_day": 120.0,
            "widest_um": [60.0 if one == 1 else 20.0 for one in range(len(rows))],
            **{name: rows[name].to_numpy() for name in ("day", "x_um", "y_um", "z_um")},
        }
    )  # fmt: skip
    return 1


@pytest.mark.long
def test_the_largest_hole_on_its_very_day(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(close_up, "HEIGHT_PX", 150)
    with open_run(small_run) as opened:
        widest = with_breaks(opened)
        made = bonesim.render_event(opened, "largest", tmp_path / "p.png", exact=True)
        day = int(opened.breaks["day"].iloc[widest])
        assert made.event == widest
        assert day in made.table["day"].tolist()
        assert made.table["name"][made.table["day"] == day].tolist() == ["The hole's first day"]
        assert made.table.attrs["notes"] == [f"break {widest} of day {day}"]
    assert {one.name for one in tmp_path.iterdir()} == {"p.png", "p.csv"}


def test_the_first_snapshot_since_is_named_as_such(
    small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(close_up, "HEIGHT_PX", 150)
    with open_run(small_run) as opened:
        row = with_breaks(opened)
        made = bonesim.render_event(opened, row)
        day = opened.breaks["day"].iloc[row]
    assert set(made.table["day"]) <= {0, 60, 120}
    assert made.table.attrs["notes"][1].startswith(f"day {day:.0f} is not on file: `exact`")


def test_which_break_is_shown(small_run: Path) -> None:
    with open_run(small_run) as opened:
        widest = with_breaks(opened)
        assert hole_days.break_of(opened, "largest") == widest
        assert hole_days.break_of(opened, "0") == 0
        # A hole that became part of another has no picture of its own; a cut is no hole.
        opened.breaks.loc[widest, "state"] = "merged"
        assert hole_days.break_of(opened, "largest") != widest
        opened.breaks["kind"] = "cut"
        with pytest.raises(InputError, match="no hole in a plate is on file"):
            hole_days.break_of(opened, "largest")


def test_what_cannot_be_shown(small_run: Path, tmp_path: Path) -> None:
    with open_run(small_run) as opened:
        count = len(opened.breaks)
        with pytest.raises(InputError, match=r"is no break of .*: give largest or"):
            bonesim.render_event(opened, count, tmp_path / "p.png")
        with pytest.raises(InputError, match="'-1' is no break") as error:
            bonesim.render_event(opened, "-1", tmp_path / "p.png")
        assert error.value.parameter == "event"
    config = validated(SMALL, "test").with_changes({"schedule.snapshots_day": [60]})
    empty = run(config, tmp_path / "empty.vtkhdf", until_day=5)
    with open_run(empty) as opened, pytest.raises(InputError, match="holds no snapshot"):
        bonesim.render_event(opened, "largest", tmp_path / "p.png")
    assert not (tmp_path / "p.png").exists()
