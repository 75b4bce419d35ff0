"""The network of struts: nodes, struts between them, and free ends, from the curve skeleton.

A node is a cluster of skeleton voxels with three or more neighbours; a strut is what runs between
nodes; a free end is a skeleton voxel with one neighbour, where bone ends in marrow. Plates are
thinned to curves too, so in plate-like bone use plates and rods instead.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bonesim.morphometry.thinning import skeleton_of

Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Network:
    """How many nodes, struts and free ends there are in a region."""

    nodes: int
    struts: int
    free_ends: int


def network_of(
    bone: Bool, region: Bool, known: Bool | None = None,
    half_thickness: NDArray[np.float32] | None = None,
) -> Network:  # fmt: skip
    """Count nodes, struts and free ends: those of which most voxels are of the region.

    Of a strut or node that leaves what is `known` (default: all), only the part within is seen.
    `half_thickness`: see `half_thickness_of`, if it is at hand.
    """
    curves = skeleton_of(bone, sheets=False, half_thickness=half_thickness)
    node = curves.neighbours >= 3
    ends = curves.marked(curves.neighbours == 1) & region
    return Network(
        nodes=pieces_within(seen(curves.marked(node), known), region),
        struts=pieces_within(seen(curves.marked(~node), known), region),
        free_ends=int(np.count_nonzero(ends)),
    )


def seen(image: Bool, known: Bool | None) -> Bool:
    """The part of an image within what is known; None: all."""
    return image if known is None else image & known


def pieces_within(image: Bool, region: Bool, smallest: int = 1) -> int:
    """How many 26-connected pieces of at least `smallest` voxels have half or more in a region."""
    import cc3d

    labels, count = cc3d.connected_components(
        np.ascontiguousarray(image), connectivity=26, return_N=True
    )
    sizes = np.bincount(labels[image], minlength=int(count) + 1)[1:]
    within = np.bincount(labels[image & region], minlength=int(count) + 1)[1:]
    return int(np.count_nonzero((2 * within >= sizes) & (sizes >= smallest)))
