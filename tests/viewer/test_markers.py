"""What is marked: final events of the two kinds that matter, where they are."""

import numpy as np
import pandas as pd
import pytest

from bonesim.viewer.markers import final_events, hidden, places_mm, richest_slab, within

VOXEL_MM = 0.02


def log(*rows: tuple[float, str, str, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["day", "kind", "status", "x_um", "y_um", "z_um"])


EVENTS = log(
    (300, "strut_cut", "final", 100, 200, 300),
    (100, "plate_perforation", "final", 500, 210, 50),
    (50, "plate_perforation", "transient", 1, 1, 1),
    (60, "strut_cut", "open", 1, 1, 1),
    (70, "healing", "final", 1, 1, 1),
    (80, "fragment_freed", "final", 1, 1, 1),
)


def test_only_final_perforations_and_cuts_are_marked() -> None:
    marked = final_events(EVENTS)
    assert marked["kind"].tolist() == ["plate_perforation", "strut_cut"]
    assert places_mm(marked) == pytest.approx(np.array([[0.5, 0.21, 0.05], [0.1, 0.2, 0.3]]))
    assert len(final_events(EVENTS, until_day=100)) == 1
    assert final_events(EVENTS, until_day=10).empty


def test_within_a_box_of_voxels() -> None:
    box = (slice(0, 20), slice(10, 11), slice(0, 30))
    assert within(final_events(EVENTS), box, VOXEL_MM)["day"].tolist() == [100, 300]
    box = (slice(0, 3), slice(10, 11), slice(0, 30))
    assert within(final_events(EVENTS), box, VOXEL_MM)["day"].tolist() == [100]


def test_the_slab_with_most_events_is_shown() -> None:
    events = final_events(log(*[
        (1, "strut_cut", "final", 50, y, 50) for y in (30, 410, 430, 440, 700)
    ]))  # fmt: skip
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
    events = final_events(log(
        (1, "strut_cut", "final", 200, 600, 400),  # left, behind the wall
        (2, "strut_cut", "final", 600, 600, 400),  # right
    ))  # fmt: skip
    whole = (slice(0, 40),) * 3
    forward = np.array([0.0, 1.0, 0.0])
    assert hidden(events, quanta, whole, VOXEL_MM, forward).tolist() == [True, False]
    cut_off = (slice(0, 40), slice(10, 40), slice(0, 40))
    assert hidden(events, quanta, cut_off, VOXEL_MM, forward).tolist() == [False, False]
