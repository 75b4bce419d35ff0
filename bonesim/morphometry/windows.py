"""The window spectrum: how many connections of the network are narrow enough for a ball to close.

A morphological closing by a ball of radius r fills every window (a loop of bone, a hole in a plate)
that the ball cannot pass: those narrower than 2r. Conn.D less Conn.D of the closed bone is their
number per volume. Sphere-based Tb.N does not see them (`tests/morphometry/test_instruments.py`).

A ball that cannot pass still dips into a hole, from both sides. A round hole of diameter d in a plate
of thickness t closes if t > 2r - sqrt(4r^2 - d^2). Holes of 200 um: at r = 150 um in plates of 76 um
or more, at r = 200 um in plates of 54 um or more. So all 124 holes of 200 um cut at thin spots
of five cubes showed at r = 200 um, and 95 % of them at r = 150 um. Thinning by 5 %
moves the number at r = 150 um by 0.0 to 0.3 /mm3.

The closing also fills marrow between bones that come close without touching; where that makes a
loop, it is a connection of the closed bone, and the number is lower for it. In bone that is not
plates a number is therefore no count of holes: compare it with that of another day or of a twin.

Beyond the block, or the region, bone goes on as at its edge.
"""

import math

import numpy as np
from numpy.typing import NDArray

from bonesim.morphometry.connectivity import connectivity, purified

#: Radii of the closings, um.
RADII_UM = (60, 100, 150, 200)
#: A ball of fewer voxels is none: with coarser voxels its number is NaN.
MIN_RADIUS_VOXEL = 2.0

Bool = NDArray[np.bool_]


def name_of(radius_um: int) -> str:
    """Name of the measure: windows narrower than twice the radius."""
    return f"windows_under_{2 * radius_um}_um_per_mm3"


def spectrum(bone: Bool, voxel_um: float, region: Bool) -> dict[int, float]:
    """Windows narrower than 2r in a region, for each r of `RADII_UM`; NaN where voxels are too coarse.

    Args:
        bone: shape (nz, ny, nx), as Conn.D is measured of it: filtered, not purified.
        voxel_um: edge of a voxel.
        region: voxels to measure, same shape.
    """
    open_bone = connectivity(purified(bone), region)
    margin = math.ceil(RADII_UM[-1] / voxel_um)
    wide = np.pad(bone, margin, mode="edge")
    to_bone = distance_within(~wide)
    inner = (slice(margin, -margin),) * 3
    found = {}
    for radius_um in RADII_UM:
        radius = radius_um / voxel_um
        if radius < MIN_RADIUS_VOXEL:
            found[radius_um] = float("nan")
            continue
        filled = distance_within(to_bone <= radius)[inner] > radius
        found[radius_um] = open_bone - connectivity(purified(filled), region)
    return found


def distance_within(phase: Bool) -> NDArray[np.float32]:
    """Distance of each voxel of a phase to the nearest of the other, voxels; 0 in the other."""
    import edt

    found = edt.edt(np.ascontiguousarray(phase, np.uint8), black_border=False, parallel=1)
    return np.asarray(found, np.float32)
