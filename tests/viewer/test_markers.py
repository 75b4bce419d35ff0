"""What is marked: holes and cuts that are there on the day, where they are."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bonesim.storage.breaks import breaks_there
from bonesim.viewer.markers import hidden, marked_breaks, places_mm, richest_slab, within

VOXEL_MM = 0.02


def at(*rows: tuple[float, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["day", "x_mm", "y_mm", "z_mm"]).assign(kind="strut_cut")


def of_version_0_1() -> Any:
    """A run with events and no breaks."""
    columns = ["day", "kind", "status", "x_um", "y_um", "z_um"]
    rows = [
        (300, "strut_cut", "final", 100, 200, 300),
        (100, "plate_perforation", "final", 500, 210, 50),
        (50, "plate_perforation", "transient", 1, 1, 1),
        (60, "strut_cut", "open", 1, 1, 1),
        (70, "healing", "final", 1, 1, 1),
        (80, "fragment_freed", "final", 1, 1, 1),
    ]
    events = pd.DataFrame(rows, columns=columns).assign(thickness_um=90.0, bmu=1)
    run = SimpleNamespace(events=events, break_tracks=pd.DataFrame({"id": [], "day": []}))
    run.breaks_there = lambda day: breaks_there(run, day)
    return run


def with_breaks() -> Any:
    """A run with looks on days 91, 182 and 273: a hole that closes, a cut, and an opening."""
    breaks = pd.DataFrame(
        {
            "id": [0, 1, 2], "kind": ["hole", "cut", "opening"], "found_day": [91.0, 182.0, 182.0],
            "x_um": [500.0, 100.0, 1.0], "y_um": [210.0, 200.0, 1.0], "z_um": [50.0, 300.0, 1.0],
            "thickness_um": 90.0, "bmu": 1,
        }
    )  # fmt: skip
    track = pd.DataFrame(
        [(0, 91.0, "hole", 60.0), (0, 182.0, "hole", 80.0), (0, 273.0, "hole", 0.0),
         (1, 182.0, "cut", 40.0), (1, 273.0, "cut", 40.0), (2, 182.0, "opening", 40.0)],
        columns=["id", "day", "kind", "width_um"],
    )  # fmt: skip
    run = SimpleNamespace(breaks=breaks, break_tracks=track)
    run.breaks_there = lambda day: breaks_there(run, day)
    return run


@pytest.mark.parametrize(
    ("day", "there"),
    [(90, []), (91, ["hole"]), (181, ["hole"]), (182, ["hole", "cut"]), (300, ["cut"])],
)
def test_a_break_is_there_until_a_look_finds_it_closed(day: int, there: list[str]) -> None:
    found = with_breaks().breaks_there(day)
    assert found["kind"].tolist() == there
    marked = marked_breaks(with_breaks(), day)
    names = {"hole": "plate_perforation", "cut": "strut_cut"}
    assert marked["kind"].tolist() == [names[kind] for kind in there]
    if day == 182:
        assert places_mm(marked) == pytest.approx(np.array([[0.5, 0.21, 0.05], [0.1, 0.2, 0.3]]))
        assert found["width_um"].tolist() == [80.0, 40.0]


def test_in_a_file_of_version_0_1_final_events_stand_for_breaks() -> None:
    run = of_version_0_1()
    assert run.breaks_there(1000)["kind"].tolist() == ["hole", "cut"]
    assert len(marked_breaks(run, 100)) == 1
    assert marked_breaks(run, 10).empty


def test_within_a_box_of_voxels() -> None:
    box = (slice(0, 20), slice(10, 11), slice(0, 30))
    breaks = marked_breaks(of_version_0_1(), 1000)
    assert within(breaks, box, VOXEL_MM)["day"].tolist() == [100, 300]
    box = (slice(0, 3), slice(10, 11), slice(0, 30))
    assert within(breaks, box, VOXEL_MM)["day"].tolist() == [100]


def test_the_slab_with_most_events_is_shown() -> None:
    events = at(*[(1, 0.05, y, 0.05) for y in (0.03, 0.41, 0.43, 0.44, 0.7)])
    box = richest_slab(events, (50, 50, 50), VOXEL_MM, 0.1)
    assert (box[0], box[2]) == (slice(0, 50), slice(0, 50))
    assert box[1].stop - box[1].start == 5
    assert box[1].start <= 20
    assert box[1].stop > 22
    nothing = richest_slab(events.iloc[:0], (50, 50, 50), VOXEL_MM, 0.1)
    assert nothing[1] == slice(0, 5)


def test_an_event_behind_bone_is_hidden() -> None:
    quanta = np.zeros((40, 40, 40), np.uint8)
    quanta[:, 5:8, :20] = 255  # a wall in front (small y) of the left half
    events = at((1, 0.2, 0.6, 0.4), (2, 0.6, 0.6, 0.4))  # left, behind the wall; right
    whole = (slice(0, 40),) * 3
    forward = np.array([0.0, 1.0, 0.0])
    assert hidden(events, quanta, whole, VOXEL_MM, forward).tolist() == [True, False]
    cut_off = (slice(0, 40), slice(10, 40), slice(0, 40))
    assert hidden(events, quanta, cut_off, VOXEL_MM, forward).tolist() == [False, False]
