"""How forces pass from nodes to aggregates and motions back; aggregates move as rigid bodies.

Nothing is stored for it but each aggregate's members and centre: a node's share follows from its place.
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.mechanics.aggregates import Aggregates


@kernel
def restrict(
    residual: NDArray[np.float32],
    change: NDArray[np.float32],
    stride: int,
    places: NDArray[np.int16],
    aggregates: Aggregates,
    scale: NDArray[np.float32],
    out: NDArray[np.float32],
    part: int,
    parts: int,
) -> None:
    """Force and moment of residual - change at the nodes of each aggregate, scaled, into `out`.

    `places` (n, 3) z, y, x; `scale` (aggregates, 6, 6) lower triangles.
    """
    count = aggregates.centres.shape[0]
    for a in range(part * count // parts, (part + 1) * count // parts):
        cx, cy, cz = aggregates.centres[a, 0], aggregates.centres[a, 1], aggregates.centres[a, 2]
        t0, t1, t2 = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        r0, r1, r2 = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for m in range(aggregates.start[a], aggregates.start[a + 1]):
            n = np.int64(aggregates.members[m])
            x, y, z = places[n, 2] - cx, places[n, 1] - cy, places[n, 0] - cz
            fx = residual[n] - change[n]
            n += stride
            fy = residual[n] - change[n]
            n += stride
            fz = residual[n] - change[n]
            t0 += fx
            t1 += fy
            t2 += fz
            r0 += y * fz - z * fy
            r1 += z * fx - x * fz
            r2 += x * fy - y * fx
        s, o = scale[a], 6 * a
        out[o] = s[0, 0] * t0
        out[o + 1] = s[1, 0] * t0 + s[1, 1] * t1
        out[o + 2] = s[2, 0] * t0 + s[2, 1] * t1 + s[2, 2] * t2
        out[o + 3] = s[3, 0] * t0 + s[3, 1] * t1 + s[3, 2] * t2 + s[3, 3] * r0
        out[o + 4] = s[4, 0] * t0 + s[4, 1] * t1 + s[4, 2] * t2 + s[4, 3] * r0 + s[4, 4] * r1
        out[o + 5] = (
            s[5, 0] * t0 + s[5, 1] * t1 + s[5, 2] * t2 + s[5, 3] * r0 + s[5, 4] * r1 + s[5, 5] * r2
        )


@kernel
def prolong(
    motion: NDArray[np.float32],
    factor: np.float32,
    stride: int,
    places: NDArray[np.int16],
    aggregates: Aggregates,
    scale: NDArray[np.float32],
    z: NDArray[np.float32],
    part: int,
    parts: int,
) -> None:
    """Add the rigid motion of each aggregate (scaled, times `factor`) to its nodes' displacement."""
    count = aggregates.centres.shape[0]
    for a in range(part * count // parts, (part + 1) * count // parts):
        cx, cy, cz = aggregates.centres[a, 0], aggregates.centres[a, 1], aggregates.centres[a, 2]
        s, o = scale[a], 6 * a
        m0, m1, m2 = factor * motion[o], factor * motion[o + 1], factor * motion[o + 2]
        m3, m4, m5 = factor * motion[o + 3], factor * motion[o + 4], factor * motion[o + 5]
        t0 = s[0, 0] * m0 + s[1, 0] * m1 + s[2, 0] * m2 + s[3, 0] * m3 + s[4, 0] * m4 + s[5, 0] * m5
        t1 = s[1, 1] * m1 + s[2, 1] * m2 + s[3, 1] * m3 + s[4, 1] * m4 + s[5, 1] * m5
        t2 = s[2, 2] * m2 + s[3, 2] * m3 + s[4, 2] * m4 + s[5, 2] * m5
        r0 = s[3, 3] * m3 + s[4, 3] * m4 + s[5, 3] * m5
        r1 = s[4, 4] * m4 + s[5, 4] * m5
        r2 = s[5, 5] * m5
        for m in range(aggregates.start[a], aggregates.start[a + 1]):
            n = np.int64(aggregates.members[m])
            x, y, w = places[n, 2] - cx, places[n, 1] - cy, places[n, 0] - cz
            z[n] += t0 + r1 * w - r2 * y
            n += stride
            z[n] += t1 + r2 * x - r0 * w
            n += stride
            z[n] += t2 + r0 * y - r1 * x
