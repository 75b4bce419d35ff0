"""Breaks with their tracks: every hole and cut of the network, from the look that finds it on.

At a look, each `schedule.breaks_every_day` days, the network of closed bone (`morphometry.breaks`) is
compared with that of the look before. A cluster of voxels that changed its topology belongs to a
break: one that is there already, if the cluster touches its gap, or a new one. A break keeps its gap,
the medial bone of day 0 that is gone there, and so grows, narrows and closes as one and the same
hole. The connections that all breaks and `others` made add up to the change of the network's.

What a look finds happened since the look before: days are known to `breaks_every_day`. Where a
cavity left bone without a floor in the gap, its day and its BMU are the break's.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.morphometry.breaks import (
    Change,
    changes,
    connected_bone,
    medial,
    thickness_um,
    touching,
    volume_um3,
    width_um,
)

#: What a break is; its code is its position here. An opening has no net effect on connections, as a
#: hole that has reached the edge of its plate. One that is closed keeps the kind it had.
BREAK_KINDS = ("hole", "cut", "opening")
HOLE, CUT, OPENING = 0, 1, 2
#: What became of it; its code is its position here.
BREAK_STATES = ("there", "closed", "merged")
THERE, CLOSED, MERGED = 0, 1, 2

ROWS: dict[str, Any] = {
    "id": np.int32, "kind": np.uint8, "state": np.uint8, "day": np.float64, "found_day": np.float64,
    "end_day": np.float64, "connections": np.float64, "z_um": np.float32, "y_um": np.float32,
    "x_um": np.float32, "bmu": np.uint64, "thickness_um": np.float32, "load": np.float32,
    "width_um": np.float32, "widest_um": np.float32, "widest_day": np.float64,
    "last_um": np.float32, "volume_um3": np.float64,
}  # fmt: skip
TRACK: dict[str, Any] = {
    "id": np.int32, "day": np.float64, "kind": np.uint8, "width_um": np.float32,
    "volume_um3": np.float64,
}  # fmt: skip

Bool = NDArray[np.bool_]
Ints = NDArray[np.int64]


#: Parts of connections below this are no break: quarters and eighths at a cut face.
LEAST_BREAK = 0.2


class Seen(NamedTuple):
    """What a look sees.

    Attributes:
        closed: bone with the stock of every cavity put back, uint8 (nz, ny, nx).
        strain: strain stimulus u of today, on the grid of the messengers (z, y, x); kept for the
            next look.
        floorless: day, voxel (flat index), quanta and BMU of bone that cavities left without a floor.
    """

    closed: NDArray[np.uint8]
    strain: NDArray[np.float32]
    floorless: dict[str, NDArray[Any]]


class Breaks:
    """All breaks since day 0.

    Args:
        shape: of the specimen, voxels (nz, ny, nx).
        voxel_um: edge of a voxel.
        grid: shape of the messengers' grid (z, y, x).
    """

    def __init__(self, shape: tuple[int, ...], voxel_um: float, grid: tuple[int, ...]) -> None:
        self.shape, self.voxel_um = shape, voxel_um
        self.reference: Bool = np.zeros(shape, bool)
        self.network: Bool = np.zeros(shape, bool)
        self.rows = {name: np.zeros(0, dtype) for name, dtype in ROWS.items()}
        self.track = {name: np.zeros(0, dtype) for name, dtype in TRACK.items()}
        self.gaps: list[Ints] = []
        self.strain: NDArray[np.float32] = np.ones(grid, np.float32)
        #: Connections that changed where no break is: marrow bridged by new bone, parts at cut faces.
        self.others = 0.0
        self._medial: Ints | None = None

    def __len__(self) -> int:
        """Breaks so far."""
        return self.rows["id"].size

    def begin(self, bone: Seen) -> None:
        """Day 0: this is the bone that breaks."""
        self.reference = connected_bone(bone.closed, self.voxel_um)
        self.network, self.strain = self.reference.copy(), bone.strain.copy()

    def look(self, bone: Seen, day: int) -> None:
        """Compare the network of today with that of the look before."""
        before, now = self.network, connected_bone(bone.closed, self.voxel_um)
        found = changes(before, now)
        held = [gap.copy() for gap in self.gaps]
        parts = self._parts(now)
        self._follow(parts, now, day)
        for change in found:
            self._book(change, parts, held, bone, before, day)
        self.network, self.strain = now, bone.strain.copy()
        self._describe(now, day)

    def there(self, kind: int) -> int:
        """Breaks of one kind that were there at the last look."""
        return int(np.count_nonzero((self.rows["kind"] == kind) & (self.rows["state"] == THERE)))

    # -- gaps ----------------------------------------------------------------------------------

    def _parts(self, now: Bool) -> "_Parts":
        """The connected parts of medial bone of day 0 that is gone."""
        if self._medial is None:
            self._medial = medial(self.reference)
        return _Parts(self._medial, now)

    def _follow(self, parts: "_Parts", now: Bool, day: int) -> None:
        """Gaps grow to the parts that touch them; one that is all bone again is closed."""
        owner: dict[int, int] = {}
        flat = now.ravel()
        for one in np.flatnonzero(self.rows["state"] == THERE):
            mine = parts.at(self.gaps[one])
            older = [owner[part] for part in mine if part in owner]
            if older:
                self._merge(int(one), min(older), day)
            elif mine:
                owner |= dict.fromkeys(mine, int(one))
                self.gaps[one] = np.union1d(self.gaps[one], parts.voxels(mine))
            elif flat[self.gaps[one]].all():
                self.rows["state"][one], self.rows["end_day"][one] = CLOSED, day

    def _merge(self, one: int, older: int, day: int) -> None:
        """A gap has met an older one: they are one break from now on."""
        rows = self.rows
        rows["connections"][older] += rows["connections"][one]
        rows["connections"][one] = 0.0
        rows["state"][one], rows["end_day"][one] = MERGED, day
        self.gaps[older] = np.union1d(self.gaps[older], self.gaps[one])

    def _book(
        self, change: Change, parts: "_Parts", held: list[Ints], bone: Seen, before: Bool, day: int
    ) -> None:
        """Book a change of topology on the break it touches, or on a new one."""
        near = touching(change.voxels, self.shape)
        for one in range(len(self)):
            open_then = self.rows["state"][one] == THERE or self.rows["end_day"][one] == day
            if open_then and self.rows["state"][one] != MERGED:
                gap = np.union1d(self.gaps[one], held[one]) if one < len(held) else self.gaps[one]
                if np.isin(near, gap).any():
                    self.rows["connections"][one] += change.connections
                    return
        if not change.removed or abs(change.connections) < LEAST_BREAK:
            self.others += change.connections
            return
        mine = parts.at(near)
        self._add(change, parts.voxels(mine) if mine else change.voxels, bone, before, day)

    def _add(self, change: Change, gap: Ints, bone: Seen, before: Bool, day: int) -> None:
        """A new break."""
        middle = np.array(np.unravel_index(change.voxels, self.shape)).mean(axis=1) + 0.5
        z, y, x = middle * self.voxel_um
        cube = tuple((middle * self.strain.shape / np.array(self.shape)).astype(np.int64))
        when, bmu = _cause(bone.floorless, np.union1d(change.voxels, gap))
        new: dict[str, Any] = {
            "id": len(self), "state": THERE, "day": when, "found_day": day,
            "end_day": np.nan, "connections": change.connections, "z_um": z, "y_um": y, "x_um": x,
            "bmu": bmu, "thickness_um": thickness_um(before, gap, self.voxel_um),
            "load": float(self.strain[cube]), "width_um": np.nan, "widest_um": 0.0, "widest_day": day,
        }  # fmt: skip
        self.rows = {
            name: np.append(column, np.array([new.get(name, 0)], column.dtype))
            for name, column in self.rows.items()
        }
        self.gaps.append(gap)

    # -- what is measured ----------------------------------------------------------------------

    def _describe(self, now: Bool, day: int) -> None:
        """Kind, width and volume of every break that is there; a point of its track."""
        rows, is_there = self.rows, self.rows["state"] == THERE
        made = rows["connections"]
        kind = np.where(made > LEAST_BREAK, HOLE, np.where(made < -LEAST_BREAK, CUT, OPENING))
        rows["kind"][is_there] = kind[is_there]
        seen = np.flatnonzero(is_there | (rows["end_day"] == day))
        for one in seen:
            lost = self.gaps[one][~now.ravel()[self.gaps[one]]]
            gone = lost.size > 0 and rows["state"][one] != MERGED
            width = width_um(now, lost, self.voxel_um) if gone else 0.0
            volume = self._volume(lost, now) if gone else 0.0
            if np.isnan(rows["width_um"][one]):
                rows["width_um"][one] = width
            if width > rows["widest_um"][one]:
                rows["widest_um"][one], rows["widest_day"][one] = width, day
            rows["last_um"][one] = width
            rows["volume_um3"][one] = max(rows["volume_um3"][one], volume)
            point = {"id": one, "day": day, "kind": rows["kind"][one], "width_um": width,
                     "volume_um3": volume}  # fmt: skip
            self.track = {
                name: np.append(column, np.array([point[name]], column.dtype))
                for name, column in self.track.items()
            }

    def _volume(self, lost: Ints, now: Bool) -> float:
        """Bone of day 0 that a gap took, um3."""
        assert self._medial is not None
        return volume_um3(lost, self._medial, self.reference, now, self.voxel_um)

    # -- restart -------------------------------------------------------------------------------

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything a restart needs."""
        lengths = np.array([gap.size for gap in self.gaps], np.int64)
        return {
            **{f"row_{name}": column.copy() for name, column in self.rows.items()},
            **{f"track_{name}": column.copy() for name, column in self.track.items()},
            "gap_lengths": lengths,
            "gap_voxels": np.concatenate([np.zeros(0, np.int64), *self.gaps]),
            "reference": np.packbits(self.reference), "network": np.packbits(self.network),
            "strain": self.strain.copy(), "others": np.array([self.others]),
        }  # fmt: skip

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Put a `state` back."""
        self.rows = {n: np.array(state[f"row_{n}"], dtype) for n, dtype in ROWS.items()}
        self.track = {n: np.array(state[f"track_{n}"], dtype) for n, dtype in TRACK.items()}
        ends = np.cumsum(state["gap_lengths"])
        self.gaps = [part.copy() for part in np.split(state["gap_voxels"], ends[:-1])]
        if not ends.size:
            self.gaps = []
        count = int(np.prod(self.shape))
        self.reference, self.network = (
            np.unpackbits(state[name], count=count).astype(bool).reshape(self.shape)
            for name in ("reference", "network")
        )
        self.strain = np.array(state["strain"], np.float32)
        self.others = float(state["others"][0])
        self._medial = None


class _Parts:
    """The connected parts of medial bone that is gone; 0 is none."""

    def __init__(self, places: Ints, now: Bool) -> None:
        import cc3d

        self.lost = places[~now.ravel()[places]]
        image = np.zeros(now.shape, np.uint8)
        image.ravel()[self.lost] = 1
        labels = cc3d.connected_components(image, connectivity=26)
        self.label = labels.ravel()[self.lost]

    def at(self, voxels: Ints) -> list[int]:
        """The parts that have any of these voxels."""
        return [int(one) for one in np.unique(self.label[np.isin(self.lost, voxels)])]

    def voxels(self, parts: list[int]) -> Ints:
        """All voxels of these parts."""
        return self.lost[np.isin(self.label, parts)]


def _cause(floorless: dict[str, NDArray[Any]], voxels: Ints) -> tuple[float, int]:
    """Day and BMU of most of the bone that cavities left without a floor there; NaN and 0: none."""
    here = np.isin(floorless["voxel"], voxels)
    if not here.any():
        return float("nan"), 0
    bmus, which = np.unique(floorless["bmu"][here], return_inverse=True)
    most = int(np.argmax(np.bincount(which, floorless["quanta"][here])))
    days = floorless["day"][here][which == most]
    return float(days.min()), int(bmus[most])
