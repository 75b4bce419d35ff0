"""Breaks of the network between two days: where its topology changed, and the gaps that are left.

The network is what Conn.D counts: bone after a Gaussian of `FILTER_UM`, purified. So a sheet is
there while it is thicker than 1.35 SD of that Gaussian, 20 um, whatever the voxel: thickness in um
decides what is a hole, not the state of a voxel. Measured of *closed* bone (`closed`), a cavity that
will be refilled is no hole either.

Topology changes in clusters of voxels. Two clusters that do not touch by a corner share no corner,
edge or face, so their changes of the Euler number add up to that of the whole network exactly.

A *gap* is medial bone that is gone: of the voxels midway between the surfaces of the bone there
was, those that are marrow now. In a plate its area is the hole's; it does not grow where
surfaces retreat.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.morphometry.connectivity import amid_eight_share, purified
from bonesim.morphometry.panel import FILTER_UM, filtered
from bonesim.morphometry.windows import distance_within

Bool = NDArray[np.bool_]
Ints = NDArray[np.int64]

#: Smaller changes of the Euler number are rounding; the least a cut face can give is an eighth.
LEAST_CHANGE = 1e-6
#: Gaps are measured up to this distance from their rim, um.
REACH_UM = 400.0


class Change(NamedTuple):
    """A cluster of voxels that changed the topology of the network.

    Attributes:
        connections: how many connections the network has more; a hole adds one, a cut takes one.
        voxels: flat indices.
        removed: they were bone; else they became bone.
    """

    connections: float
    voxels: Ints
    removed: bool


def connected_bone(quanta: NDArray[np.uint8], voxel_um: float) -> Bool:
    """The network whose breaks are found, as Conn.D counts it.

    Args:
        quanta: bone, or closed bone, 0..255 quanta a voxel, shape (nz, ny, nx).
        voxel_um: edge of a voxel.
    """
    return purified(filtered(quanta, FILTER_UM / voxel_um))


def changes(before: Bool, now: Bool) -> list[Change]:
    """Every cluster that changed the topology: first of bone removed, then of bone added.

    Their `connections` add up to the change of `connectivity`. At a cut face they may be parts.
    """
    middle = before & now
    return [*_clusters(before, middle, removed=True), *_clusters(middle, now, removed=False)]


def _clusters(before: Bool, after: Bool, *, removed: bool) -> list[Change]:
    """The clusters by which two networks differ, one of which contains the other."""
    import cc3d

    differs = before ^ after
    if not differs.any():
        return []
    labels, count = cc3d.connected_components(differs, connectivity=26, return_N=True)
    points = _corners_of(np.argwhere(differs), differs.shape)
    label = np.zeros(len(points), labels.dtype)
    for dz, dy, dx in np.ndindex(2, 2, 2):
        np.maximum(
            label, labels[points[:, 0] + dz, points[:, 1] + dy, points[:, 2] + dx], out=label
        )
    change = amid_eight_share(after, points) - amid_eight_share(before, points)
    by_cluster = np.bincount(label, change, minlength=count + 1)
    found = np.flatnonzero(np.abs(by_cluster) > LEAST_CHANGE)
    if not found.size:
        return []
    flat = np.flatnonzero(differs)
    of = labels.ravel()[flat]
    return [Change(-float(by_cluster[one]), flat[of == one], removed) for one in found]


def _corners_of(voxels: Ints, shape: tuple[int, ...]) -> Ints:
    """The points amid eight voxels that touch any of these, each once; by their lowest voxel."""
    limits = np.array(shape) - 1
    points = np.concatenate([voxels - corner for corner in np.ndindex(2, 2, 2)])
    points = points[np.all((points >= 0) & (points < limits), axis=1)]
    flat = np.unique(np.ravel_multi_index(tuple(points.T), tuple(limits)))
    return np.stack(np.unravel_index(flat, tuple(limits)), axis=1)


def medial(network: Bool) -> Ints:
    """Voxels of bone midway between its surfaces, flat indices in order.

    No neighbour of theirs is clearly further from marrow.
    """
    from scipy.ndimage import maximum_filter

    depth = distance_within(network)
    found = network & (depth >= maximum_filter(depth, 3) - 0.5)
    return np.flatnonzero(found)


def width_um(network: Bool, voxels: Ints, voxel_um: float) -> float:
    """Width of a gap: twice the distance of its furthest voxel to the bone around, at most 800 um.

    Args:
        network: shape (nz, ny, nx).
        voxels: the gap's, flat indices; those that are bone do not count.
        voxel_um: edge of a voxel.
    """
    box, inside = _around(network.shape, voxels, REACH_UM / voxel_um)
    reach = float(distance_within(~network[box]).ravel()[inside].max(initial=0.0))
    return max(2.0 * min(reach * voxel_um, REACH_UM) - voxel_um, 0.0)


def thickness_um(network: Bool, voxels: Ints, voxel_um: float) -> float:
    """Mean thickness of a plate or rod at these medial voxels, um; NaN where they are all marrow."""
    box, inside = _around(network.shape, voxels, REACH_UM / voxel_um)
    depth = distance_within(network[box]).ravel()[inside]
    depth = depth[depth > 0.0]
    return float(np.mean(2.0 * depth - 0.5)) * voxel_um if depth.size else float("nan")


def volume_um3(gap: Ints, middle: Ints, before: Bool, now: Bool, voxel_um: float) -> float:
    """Bone that a gap took: voxels that are gone and nearer to its medial voxels than to any other.

    Args:
        gap: medial voxels that are gone, or a cluster of voxels; flat indices.
        middle: all medial voxels of the bone before, in order.
        before, now: the network then and now.
        voxel_um: edge of a voxel.
    """
    from scipy.spatial import cKDTree

    box, _ = _around(now.shape, gap, REACH_UM / voxel_um)
    low = np.array([side.start for side in box])
    gone = np.argwhere(before[box] & ~now[box]) + low
    if not gone.size:
        return 0.0
    near = np.stack(np.unravel_index(np.union1d(middle, gap), now.shape), axis=1)
    high = np.array([side.stop for side in box])
    near = near[np.all((near >= low) & (near < high), axis=1)]
    _, which = cKDTree(near).query(gone)
    nearest = np.ravel_multi_index(tuple(near[which].T), now.shape)
    return float(np.isin(nearest, gap).sum()) * voxel_um**3


def _around(shape: tuple[int, ...], voxels: Ints, margin: float) -> tuple[tuple[slice, ...], Ints]:
    """A box around voxels, and their flat indices within it."""
    places = np.stack(np.unravel_index(voxels, shape))
    low = np.maximum(places.min(axis=1) - int(margin) - 1, 0)
    high = np.minimum(places.max(axis=1) + int(margin) + 2, shape)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return box, np.ravel_multi_index(tuple(places - low[:, None]), tuple(high - low))


def touching(voxels: Ints, shape: tuple[int, ...]) -> Ints:
    """These voxels and all that touch them by a corner, flat indices in order."""
    places = np.stack(np.unravel_index(voxels, shape), axis=1)
    around = np.concatenate([places + np.array(o) - 1 for o in np.ndindex(3, 3, 3)])
    around = around[np.all((around >= 0) & (around < np.array(shape)), axis=1)]
    return np.unique(np.ravel_multi_index(tuple(around.T), shape))
