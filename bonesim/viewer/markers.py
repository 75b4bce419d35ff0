"""Which breaks are marked on a bone: holes in plates and cuts of rods that are there on the day.

Crossings of single voxels, that healed or can still heal, are ordinary remodelling. Marks on them
would show damage that does not exist.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bonesim.storage.reader import Run
from bonesim.units import BONE
from bonesim.viewer import palette
from bonesim.viewer.surface import Box

if TYPE_CHECKING:
    import pandas as pd

#: Bone this near an event's place, voxels, is its rim and does not hide it.
RIM_VOXEL = 5.0


def marked_breaks(run: Run, day: float) -> "pd.DataFrame":
    """Holes and cuts that are there on a day (`storage.breaks`), as they are marked.

    Columns day (of the look that found it), kind (of `palette.EVENTS`), x_mm, y_mm, z_mm.
    """
    import pandas as pd

    rows = run.breaks_there(day)
    return pd.DataFrame(
        {
            "day": rows["day"].to_numpy(dtype=np.float64),
            "kind": [palette.OF_BREAKS[str(kind)] for kind in rows["kind"]],
            **{f"{a}_mm": rows[f"{a}_um"].to_numpy(dtype=np.float64) / 1000.0 for a in "xyz"},
        }
    )


def places_mm(events: "pd.DataFrame") -> NDArray[np.float64]:
    """Places of `marked_breaks`, rows (x, y, z) in mm."""
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
