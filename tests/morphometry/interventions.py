"""Known interventions on a cube of bone: thinned, holed, stripped of elements, roughened.

Bone is a fraction 0..1 of each voxel, float32 (z, y, x). Shares are of the bone volume.
"""

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.spatial import cKDTree

from bonesim.morphometry.connectivity import euler_of
from bonesim.morphometry.thinning import skeleton_of
from bonesim.units import FULL

Floats = NDArray[np.float32]
#: Nothing is done this close to the faces, voxels: all of it lies in the measured region.
RIM = 9


def depth_of(quanta: NDArray[np.uint8]) -> Floats:
    """Depth below the surface, voxels (to 4): a Gaussian of one voxel over its own slope."""
    smooth = gaussian_filter(quanta.astype(np.float32) / np.float32(FULL), 1.0, mode="nearest")
    slope = np.sqrt(sum(part * part for part in np.gradient(smooth)))
    return np.clip((smooth - 0.5) / np.maximum(slope, 0.06), -4.0, 4.0).astype(np.float32)


def fraction_of(depth: Floats) -> Floats:
    """Bone fraction of voxels this deep below the surface."""
    return np.clip(depth + np.float32(0.5), 0.0, 1.0)


def quanta_of(fraction: Floats) -> NDArray[np.uint8]:
    """As the panel measures it."""
    return np.rint(fraction * FULL).astype(np.uint8)


def _smooth(bone: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bone after a Gaussian of one voxel: skeletons without spurs, as the panel's."""
    return np.asarray(gaussian_filter(bone.astype(np.float32), 1.0, mode="nearest") >= 0.5)


def thinned(depth: Floats, share: float) -> Floats:
    """A film of even thickness off the whole surface."""
    wanted = (1.0 - share) * float(fraction_of(depth).sum(dtype=np.float64))
    low, high = 0.0, 4.0
    for _ in range(20):
        film = (low + high) / 2.0
        more = float(fraction_of(depth - np.float32(film)).sum(dtype=np.float64)) > wanted
        low, high = (film, high) if more else (low, film)
    return fraction_of(depth - np.float32(low))


def holed(
    fraction: Floats, diameter_voxel: float, share: float, rng: np.random.Generator
) -> tuple[Floats, int]:
    """Round holes straight through plates, apart from each other, thin places first; how many.

    A cut counts, and stays, only if it makes exactly one connection more: neither a notch in a
    plate's edge nor two windows.
    """
    bone, radius = fraction >= 0.5, diameter_voxel / 2.0
    sheets = skeleton_of(_smooth(bone), sheets=True)
    middle = sheets.voxels[sheets.marrow_parts == 2]
    rim = sheets.marked(sheets.marrow_parts != 2)
    # The skeleton of a plate ends half a thickness before its edge.
    room = edt.edt(np.ascontiguousarray(~rim, np.uint8), black_border=False)[tuple(middle.T)]
    half = edt.edt(np.ascontiguousarray(bone, np.uint8), black_border=False)
    inside = (middle.min(axis=1) >= RIM) & (middle.max(axis=1) < min(bone.shape) - RIM)
    places = middle[inside & (room >= radius)]
    places = places[np.argsort(half[tuple(places.T)] + rng.normal(0.0, 0.75, len(places)))]
    tree, cut, count = cKDTree(middle), fraction.copy(), 0
    taken = np.zeros((0, 3))
    wanted = (1.0 - share) * float(fraction.sum(dtype=np.float64))
    for place in places:
        if float(cut.sum(dtype=np.float64)) <= wanted:
            break
        apart = np.linalg.norm(taken - place, axis=1)
        if (apart < 2.0 * radius + 5.0).any():
            continue
        near = middle[tree.query_ball_point(place, radius)] - place
        normal = np.linalg.eigh(near.T @ near)[1][:, 0]
        reach = float(half[tuple(place)]) + 2.0
        size = int(np.ceil(np.hypot(radius, reach))) + 1
        box = tuple(slice(max(at - size, 0), at + size + 1) for at in place)
        before = np.pad(cut[box], 1)
        axes = [
            np.arange(side.start, side.start + n)
            for side, n in zip(box, cut[box].shape, strict=True)
        ]
        offset = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1) - place
        along = offset @ normal
        across = np.sqrt(np.maximum((offset**2).sum(axis=-1) - along**2, 0.0))
        keep = np.where(np.abs(along) <= reach, np.clip(across - radius + 0.5, 0.0, 1.0), 1.0)
        after = np.pad(cut[box] * keep.astype(np.float32), 1)
        if euler_of(after >= 0.5) - euler_of(before >= 0.5) != -1.0:
            continue
        cut[box] *= keep.astype(np.float32)
        taken = np.vstack([taken, place])
        count += 1
    return cut, count


def stripped(fraction: Floats, share: float, rng: np.random.Generator) -> tuple[Floats, int]:
    """Whole elements taken out, thin ones first; how many.

    An element is what is nearest to a part of the curve skeleton between two nodes.
    """
    bone = fraction >= 0.5
    curves = skeleton_of(_smooth(bone), sheets=False)
    node = curves.neighbours >= 3
    parts, number = cc3d.connected_components(
        np.ascontiguousarray(curves.marked(~node)), connectivity=26, return_N=True
    )
    nearest = distance_transform_edt(~curves.image, return_distances=False, return_indices=True)
    element = np.where(fraction > 0.0, parts[tuple(nearest)], 0)
    half = edt.edt(np.ascontiguousarray(bone, np.uint8), black_border=False)
    length = np.bincount(parts.ravel(), minlength=number + 1)
    thick = np.bincount(parts.ravel(), half.ravel(), minlength=number + 1) / np.maximum(length, 1)
    known = [n for n in range(1, number + 1) if 8 <= length[n] <= 60]
    order = sorted(known, key=lambda n: float(thick[n] + rng.normal(0.0, 0.5)))
    left, count = fraction.copy(), 0
    wanted = (1.0 - share) * float(fraction.sum(dtype=np.float64))
    for one in order:
        if float(left.sum(dtype=np.float64)) <= wanted:
            break
        left[element == one] = 0.0
        count += 1
    return left, count


def roughened(
    fraction: Floats, radius_voxel: float, share: float, rng: np.random.Generator
) -> Floats:
    """Shallow pits: balls about chance places of the surface keep 30 % of their bone."""
    bone = fraction >= 0.5
    inside = edt.edt(np.ascontiguousarray(bone, np.uint8), black_border=False)
    surface = np.argwhere((inside > 0.0) & (inside <= 1.0))
    reach = int(radius_voxel) + 1
    ball = np.linalg.norm(np.indices((2 * reach + 1,) * 3) - reach, axis=0) <= radius_voxel
    keep = np.where(ball, np.float32(0.3), np.float32(1.0))
    pitted = fraction.copy()
    left, wanted = (float(fraction.sum(dtype=np.float64)) * one for one in (1.0, 1.0 - share))
    while left > wanted:
        place = surface[rng.integers(len(surface))]
        if place.min() < reach or (place >= np.array(fraction.shape) - reach).any():
            continue
        box = tuple(slice(at - reach, at + reach + 1) for at in place)
        before = float(pitted[box].sum(dtype=np.float64))
        pitted[box] *= keep
        left -= before - float(pitted[box].sum(dtype=np.float64))
    return pitted
