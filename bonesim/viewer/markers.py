"""Which events are marked on a bone: final plate perforations and strut cuts, nothing else.

Crossings that healed, or that can still heal, are voxel noise and ordinary remodelling. Marks on them
would show damage that does not exist.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bonesim.units import BONE
from bonesim.viewer import palette
from bonesim.viewer.surface import Box

if TYPE_CHECKING:
    import pandas as pd

#: Bone this near an event's place, voxels, is its rim and does not hide it.
RIM_VOXEL = 5.0


def final_events(events: "pd.DataFrame", until_day: float = np.inf) -> "pd.DataFrame":
    """Events judged final, of the marked kinds, that happened on `until_day` or before.

    Columns day, kind, x_mm, y_mm, z_mm; in order of day. An event becomes final a year or more
    after its day; it is marked from its day on.
    """
    import pandas as pd

    kind, status = events["kind"].astype(str), events["status"].astype(str)
    kept = events[kind.isin(list(palette.EVENTS)) & (status == "final")]
    kept = kept[kept["day"] <= until_day].sort_values("day", kind="stable")
    return pd.DataFrame(
        {
            "day": kept["day"].to_numpy(dtype=np.float64),
            "kind": kept["kind"].astype(str).to_numpy(dtype=object),
            **{f"{a}_mm": kept[f"{a}_um"].to_numpy(dtype=np.float64) / 1000.0 for a in "xyz"},
        }
    )


def places_mm(events: "pd.DataFrame") -> NDArray[np.float64]:
    """Places of `final_events`, rows (x, y, z) in mm."""
    return events[["x_mm", "y_mm", "z_mm"]].to_numpy(dtype=np.float64)


def within(events: "pd.DataFrame", box: Box, voxel_mm: float) -> "pd.DataFrame":
    """The events whose place lies in `box` (voxel ranges along z, y, x)."""
    places = places_mm(events)[:, ::-1] / voxel_mm
    inside = np.ones(len(events), dtype=bool)
    for axis, side in enumerate(box):
        inside &= (places[:, axis] >= side.start) & (places[:, axis] < side.stop)
    return events[inside]


def hidden(
    events: "pd.DataFrame",
    quanta: NDArray[np.uint8],
    box: Box,
    voxel_mm: float,
    forward: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Whether bone within `box` is between each event and a viewer looking along `forward`.

    `forward`: unit vector (x, y, z). One straight line per event, in steps of a voxel, beginning
    beyond the event's rim.
    """
    places = places_mm(events)[:, ::-1] / voxel_mm
    towards = -np.asarray(forward)[::-1]
    reach = np.arange(RIM_VOXEL, float(np.linalg.norm(quanta.shape)))
    line = np.floor(places[:, None, :] + reach[:, None] * towards).astype(np.int64)
    first = np.array([side.start for side in box])
    last = np.array([side.stop for side in box])
    inside = np.all((line >= first) & (line < last), axis=2)
    line = np.clip(line, 0, np.array(quanta.shape) - 1)
    bone = quanta[line[..., 0], line[..., 1], line[..., 2]] >= BONE
    return np.asarray((bone & inside).any(axis=1))


def richest_slab(
    events: "pd.DataFrame", shape: tuple[int, ...], voxel_mm: float, thickness_mm: float
) -> Box:
    """The slab across y of about `thickness_mm` with the most events; the front one on a tie.

    Whole depth if the lattice is no thicker. It is chosen for its events, so counts within it are no
    estimates for the specimen. The picture therefore also gives the specimen's count.
    """
    nz, ny, nx = shape
    thick = min(ny, max(1, round(thickness_mm / voxel_mm)))
    place = np.floor(events["y_mm"].to_numpy() / voxel_mm).astype(np.int64)
    per_layer = np.bincount(np.clip(place, 0, ny - 1), minlength=ny)
    in_slab = np.convolve(per_layer, np.ones(thick, dtype=np.int64), mode="valid")
    front = int(np.argmax(in_slab))
    return slice(0, nz), slice(front, front + thick), slice(0, nx)
