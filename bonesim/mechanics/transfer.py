"""How forces pass to a coarser level and displacements back: trilinear, within coarse elements."""

import numpy as np

from bonesim.kernel import kernel


@kernel
def corner_table():  # type: ignore[no-untyped-def]
    """For each position (27): how many corners carry it, and which (at most 8)."""
    count = np.zeros(27, np.int64)
    which = np.zeros((27, 8), np.int64)
    for z in range(3):
        for y in range(3):
            for x in range(3):
                p = (z * 3 + y) * 3 + x
                for c in range(z >> 1, (z + 3) >> 1):
                    for b in range(y >> 1, (y + 3) >> 1):
                        for a in range(x >> 1, (x + 3) >> 1):
                            which[p, count[p]] = 4 * c + 2 * b + a
                            count[p] += 1
    return count, which


@kernel
def restrict(residual, fine, transfer, coarse, out):  # type: ignore[no-untyped-def]
    """Forces of the fine level, gathered at the coarse nodes (`out`)."""
    count, which = corner_table()
    out[:] = 0.0
    for n in range(transfer.element.size):
        e, p = transfer.element[n], transfer.position[n]
        share = np.float32(1.0) / np.float32(count[p])
        fx = share * residual[n]
        i = fine.stride + n
        fy = share * residual[i]
        i += fine.stride
        fz = share * residual[i]
        for k in range(count[p]):
            place = np.int64(transfer.corners[e, which[p, k]])
            out[place] += fx
            out[place + coarse.stride] += fy
            out[place + 2 * coarse.stride] += fz
    for place in coarse.fixed:
        out[place] = 0.0


@kernel
def prolong(coarse_z, coarse, transfer, fine, d, z, part, parts):  # type: ignore[no-untyped-def]
    """The coarse correction at the fine nodes, into `d`, and added to `z`."""
    count, which = corner_table()
    nodes = transfer.element.size
    for n in range(part * nodes // parts, (part + 1) * nodes // parts):
        e, p = transfer.element[n], transfer.position[n]
        share = np.float32(1.0) / np.float32(count[p])
        ux, uy, uz = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for k in range(count[p]):
            place = np.int64(transfer.corners[e, which[p, k]])
            ux += coarse_z[place]
            uy += coarse_z[place + coarse.stride]
            uz += coarse_z[place + 2 * coarse.stride]
        for c, value in enumerate((share * ux, share * uy, share * uz)):
            d[c * fine.stride + n] = value
            z[c * fine.stride + n] += value


@kernel
def hold(fine, d, z):  # type: ignore[no-untyped-def]
    """Constrained nodes do not move: undo a correction there."""
    for place in fine.fixed:
        z[place] -= d[place]
        d[place] = 0.0
