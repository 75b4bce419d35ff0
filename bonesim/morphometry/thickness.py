"""Local thickness: the diameter of the largest sphere that lies within a phase and covers a point.

Hildebrand 1997a. Spheres are centred on voxels; their radius is the exact
Euclidean distance to the nearest voxel of the other phase.

A sphere of radius r (centre to centre) stands for a diameter of 2 r - 1/2 voxels: the mean of
what plates of odd and of even thickness give, so that a plate's thickness is unbiased over
positions. A plate or a gap of n voxels is n - 1/2 (even n) or n + 1/2 (odd n) voxels thick, at any
position. In a round cross-section no voxel sits quite in the middle: rods come out up to one
voxel too thin, balls one and a half (tested on phantoms).

**Edges.** What is measured is known in part of the world only: a block, or a region of interest in
it. The other phase may begin right beyond the edge, or nowhere near. So two spheres are found for
each voxel: the largest within what is known (`within`), and the largest that the known part of the
other phase allows if the edge is no surface (`reaching`). Where the largest sphere is clear of the
edge the thickness is known. Elsewhere it is at least `within`: a right-censored observation. Mean
and SD are those of the Kaplan-Meier distribution, the usual edge correction of spatial statistics
(Baddeley 1997, of distances); if the largest observation is censored it counts as known.
Nothing outside the edge takes part: a value is the same in air, in bone, or in the specimen that the
region was cut from.

Measured (random blobs, cubes of 2 to 4 spacings an edge, against the block they were cut from): mean
spacing 0.96 to 1.07 of the true one, where spheres that reach freely through the edge give 1.03 to
1.16, spheres within it 0.67 to 0.80, and voxels with a known thickness alone 0.72 to 0.85. A gap
between plates that the edge cuts is measured as the gaps that it does not cut.

Other programs: BoneJ measures the whole image; spheres end at its border, which is no surface, as
`reaching`. A region has to be erased to background around it; Tb.Sp then sees the erased part as
marrow. With an edge erased to bone, it is `within`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.morphometry.spheres import Progress, paint_spheres, part_of

#: Diameter of a sphere beyond twice its centre-to-centre radius, voxels.
DIAMETER_OFFSET = -0.5

Bool = NDArray[np.bool_]
Floats = NDArray[np.float32]


class Spheres(NamedTuple):
    """Radius of the largest sphere over each voxel of a phase, voxels; 0 outside the phase.

    Attributes:
        within: of spheres within what is known.
        reaching: of spheres that may reach through the edge of what is known; not below `within`.
        cut: whether no sphere clear of the edge is as large as the largest that touches the edge or
            reaches through it: beyond, a larger one may lie over the voxel.
    """

    within: Floats
    reaching: Floats
    cut: Bool


class Distances(NamedTuple):
    """Distances of the voxels that are known, voxels; 0 elsewhere.

    Attributes:
        other: to the nearest known voxel of the other phase; infinite if there is none.
        edge: to the nearest voxel beyond what is known.
    """

    other: Floats
    edge: Floats


def distances_of(phase: Bool, known: Bool | None = None) -> Distances:
    """The distances that spheres of a phase and of its complement need."""
    if known is None:
        # Each label's voxels to the nearest of another: both phases at once.
        return Distances(_distance(phase.astype(np.uint8) + np.uint8(1)), _to_faces(phase.shape))
    other = np.zeros(phase.shape, np.float32)
    for one in (phase, ~phase):
        np.copyto(other, _distance(one | ~known), where=one & known)
    return Distances(other, _distance(known, edge=True))


def _distances_within(phase: Bool, known: Bool | None) -> Distances:
    """The distances that spheres of one phase alone need: less work than `distances_of`."""
    if known is None:
        return Distances(_distance(phase), _to_faces(phase.shape))
    other = np.where(phase & known, _distance(phase | ~known), np.float32(0.0))
    return Distances(other, _distance(known, edge=True))


def mean_thickness(phase: Bool, where: Bool, known: Bool | None = None) -> float:
    """Mean local thickness of a phase over its voxels in `where`, voxels; NaN if there are none.

    Args:
        phase: shape (nz, ny, nx).
        where: voxels that are counted, same shape.
        known: voxels that are known, same shape; default the whole block.
    """
    counted = phase & where
    if not counted.any():
        return float("nan")
    spheres = spheres_over(phase, known, distances=_distances_within(phase, known))
    return mean_and_sd(spheres, counted)[0]


def spheres_over(
    phase: Bool, known: Bool | None = None, progress: Progress | None = None,
    distances: Distances | None = None,
) -> Spheres:  # fmt: skip
    """The largest spheres of a phase, by what is known of it.

    Args:
        phase: shape (nz, ny, nx).
        known: voxels that are known, same shape; default the whole block.
        progress: receives the share that is done.
        distances: of this phase or its complement, if they are at hand.

    A phase that fills all that is known has no surface: `reaching` is infinite.
    """
    seen = phase if known is None else phase & known
    other, to_edge = distances_of(phase, known) if distances is None else distances
    if phase.all() if known is None else seen.sum() == known.sum():
        within = np.zeros(phase.shape, np.float32)
        paint_spheres(to_edge, within, progress)
        return Spheres(within, np.where(seen, np.float32(np.inf), np.float32(0.0)), seen)
    free = np.where(seen, other, np.float32(0.0))
    clear_of_edge = free < to_edge
    within, clear = _within(free, to_edge, clear_of_edge, part_of(progress, 0.0, 0.5))
    # Spheres clear of the edge are painted already.
    reaching = within.copy()
    np.logical_not(clear_of_edge, out=clear_of_edge)
    paint_spheres(free, reaching, part_of(progress, 0.5, 1.0), only=clear_of_edge)
    if known is not None:
        reaching[~known] = 0.0
    cut = seen & ~(clear & (reaching <= within))
    return Spheres(within, reaching, cut)


def _within(
    free: Floats, to_edge: Floats, clear_of_edge: Bool, progress: Progress | None
) -> tuple[Floats, Bool]:
    """The largest spheres within the edge, and where one that is clear of it is among these.

    Of two spheres of one size, that clear of the edge has the higher label, by the least there is.
    """
    label = np.minimum(free, to_edge)
    np.nextafter(label, np.float32(np.inf), out=label, where=clear_of_edge)
    label[free == 0.0] = 0.0
    found = np.zeros(free.shape, np.float32)
    paint_spheres(label, found, progress)
    np.square(found, out=label)
    exact = np.sqrt(np.rint(label, out=label), out=label)
    return exact, found > exact


def _distance(labels: NDArray[Any], *, edge: bool = False) -> Floats:
    """Distance to the nearest voxel of another label, voxels; `edge`: the block's edge is another."""
    import edt

    found = edt.edt(np.ascontiguousarray(labels, np.uint8), black_border=edge, parallel=1)
    return np.asarray(found, np.float32)


def _to_faces(shape: tuple[int, ...]) -> Floats:
    """Distance of each voxel of a block to the nearest beyond its faces, voxels."""
    least = [np.minimum(np.arange(1, n + 1), np.arange(n, 0, -1)) for n in shape]
    z, y, x = np.ix_(*(one.astype(np.float32) for one in least))
    return np.ascontiguousarray(np.minimum(np.minimum(z, y), x))


def local_thickness(phase: Bool, known: Bool | None = None) -> Floats:
    """Local thickness of a phase in voxels, 0 outside it; spheres may reach through the edge.

    Args:
        phase: shape (nz, ny, nx).
        known: voxels that are known, same shape; default the whole block.

    A phase that fills all that is known has no surface: infinite everywhere.
    """
    return diameters(spheres_over(phase, known).reaching)


def diameters(radius: Floats) -> Floats:
    """Diameters in voxels from radii; 0 stays 0."""
    return np.where(radius > 0.0, 2.0 * radius + np.float32(DIAMETER_OFFSET), np.float32(0.0))


def mean_and_sd(spheres: Spheres, where: Bool) -> tuple[float, float]:
    """Mean and SD of the local thickness over some voxels of a phase, voxels; NaN over none.

    Kaplan-Meier: see the module. All voxels of one thickness and none censored: the plain mean.
    """
    squares = np.rint(np.square(spheres.within[where], dtype=np.float64)).astype(np.int64)
    if not squares.size:
        return float("nan"), float("nan")
    # Two numbers for each square: how many are known, and how many are censored.
    squares *= 2
    squares += spheres.cut[where]
    counts = np.bincount(squares, minlength=2 * (int(squares.max()) // 2 + 1)).reshape(-1, 2)
    weights = survival_weights(counts.sum(axis=1), counts[:, 0])
    (found,) = np.nonzero(weights)
    thick = 2.0 * np.sqrt(found) + DIAMETER_OFFSET
    weight = weights[found] / weights[found].sum()
    mean = float(weight @ thick)
    return mean, float(np.sqrt(weight @ (thick - mean) ** 2))


def survival_weights(observed: NDArray[np.int64], ended: NDArray[np.int64]) -> NDArray[np.float64]:
    """Kaplan-Meier probability of each value 0, 1, 2, ...; the largest observed counts as ended.

    Args:
        observed: how many observations have each value.
        ended: how many of these are not censored; may be shorter.
    """
    ends = np.zeros(observed.size, np.float64)
    ends[: ended.size] = ended
    ends[-1] = observed[-1]
    at_risk = observed[::-1].cumsum()[::-1]
    share = np.divide(ends, at_risk, out=np.zeros(ends.size), where=at_risk > 0)
    before = np.concatenate([[1.0], np.cumprod(1.0 - share)[:-1]])
    return before * share
