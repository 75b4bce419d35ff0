"""Stiffness times displacement, matrix-free: the kernel that takes most of the time.

Elements come in runs along x. A batch of runs is laid side by side in a small scratch pad, one row
for each of the four node rows of a run and each component; sums and differences across y and z,
the element's modes, and the way back are then loops of fixed length over columns, which the
compiler makes into vector instructions. Columns that end a run carry weight zero, so nothing
leaks from run to run. Nodes of a row are consecutive in memory.

Displacements and forces are flat: component c (x, y, z) of node n is at c x stride + n. Each
component is padded, because a run is read and written in whole groups of four columns.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.lattice.indices import Floats
from bonesim.mechanics.mesh_arrays import Mesh
from bonesim.mechanics.threads import in_parts, several

#: Columns of the scratch pad; 30 rows of it fit the first-level cache.
COLUMNS = 256
#: Elements of the longest run: with its padding it must fit the pad.
LONGEST_RUN = COLUMNS - 16
#: Values behind each component that whole groups of columns may touch.
PADDING = 8
#: Of the pad: 12 rows of nodes (component x 4 + y, z combination), 18 of modes.
ROWS = 30
W = COLUMNS
U = np.uintp


@kernel
def copy_eight(source: Floats, s: np.uint64, target: Floats, t: np.uint64) -> None:
    """Eight consecutive values; all are read before one is written, so this is one instruction."""
    a, b, c, d = source[s], source[s + U(1)], source[s + U(2)], source[s + U(3)]
    e, f, g, h = source[s + U(4)], source[s + U(5)], source[s + U(6)], source[s + U(7)]
    target[t], target[t + U(1)], target[t + U(2)], target[t + U(3)] = a, b, c, d
    target[t + U(4)], target[t + U(5)], target[t + U(6)], target[t + U(7)] = e, f, g, h


@kernel
def add_four(source: Floats, s: np.uint64, target: Floats, t: np.uint64) -> None:
    """Add four consecutive values to others."""
    a, b = source[s] + target[t], source[s + U(1)] + target[t + U(1)]
    c, d = source[s + U(2)] + target[t + U(2)], source[s + U(3)] + target[t + U(3)]
    target[t], target[t + U(1)], target[t + U(2)], target[t + U(3)] = a, b, c, d


@kernel
def width_of(length: int) -> int:
    """Columns a run of so many elements takes: its nodes, in whole groups of four."""
    return ((length + 4) >> 2) << 2


@kernel
def gather(u: Floats, mesh: Mesh, run: int, last: int, pad: Floats, weights: Floats) -> int:
    """Lay runs from `run` on into the pad until it is full; returns the run after them."""
    for k in range(W):
        weights[k] = 0.0
    column = 4
    while run < last:
        length = mesh.first[run + 1] - mesh.first[run]
        if column + length + 9 > W:
            break
        for k in range(length):
            weights[column + k] = mesh.weight[mesh.first[run] + k]
        for q in range(4):
            for c in range(3):
                source = c * mesh.stride + mesh.base[run, q]
                target = (c * 4 + q) * W + column
                for k in range(0, length + 1, 8):
                    copy_eight(u, U(source + k), pad, U(target + k))
        column += width_of(length)
        run += 1
    return run


@kernel
def scatter(pad: Floats, mesh: Mesh, run: int, until: int, out: Floats) -> None:
    """Add the pad's forces to the nodes of the runs it was filled with."""
    column = 4
    for r in range(run, until):
        width = width_of(mesh.first[r + 1] - mesh.first[r])
        for q in range(4):
            for c in range(3):
                source = (c * 4 + q) * W + column
                target = c * mesh.stride + mesh.base[r, q]
                for k in range(0, width, 4):
                    add_four(pad, U(source + k), out, U(target + k))
        column += width


@kernel
def across(pad: Floats) -> None:
    """Sums and differences of each column's four nodes across y and z, in place."""
    for c in range(3):
        o = c * 4 * W
        for k in range(W):
            low, high = pad[o + k] + pad[o + W + k], pad[o + 2 * W + k] + pad[o + 3 * W + k]
            dlow, dhigh = pad[o + W + k] - pad[o + k], pad[o + 3 * W + k] - pad[o + 2 * W + k]
            pad[o + k] = low + high
            pad[o + W + k] = dlow + dhigh
            pad[o + 2 * W + k] = high - low
            pad[o + 3 * W + k] = dhigh - dlow


@kernel
def modes(pad: Floats, weights: Floats, k0: Floats) -> None:
    """Rows 12 to 29: force of each element's modes. A mode's digits: does it change along z, y, x.

    `k0` are the eight numbers of `element.mode_stiffness`, in the pad's precision.
    """
    a, b, s, t, v, g, h, p = k0[0], k0[1], k0[2], k0[3], k0[4], k0[5], k0[6], k0[7]
    for k in range(W - 1):
        e = weights[k]
        x2, x4 = pad[W + k] + pad[W + k + 1], pad[2 * W + k] + pad[2 * W + k + 1]
        x6 = pad[3 * W + k] + pad[3 * W + k + 1]
        x1, x3 = pad[k + 1] - pad[k], pad[W + k + 1] - pad[W + k]
        x5, x7 = pad[2 * W + k + 1] - pad[2 * W + k], pad[3 * W + k + 1] - pad[3 * W + k]
        y2, y4 = pad[5 * W + k] + pad[5 * W + k + 1], pad[6 * W + k] + pad[6 * W + k + 1]
        y6 = pad[7 * W + k] + pad[7 * W + k + 1]
        y1, y3 = pad[4 * W + k + 1] - pad[4 * W + k], pad[5 * W + k + 1] - pad[5 * W + k]
        y5, y7 = pad[6 * W + k + 1] - pad[6 * W + k], pad[7 * W + k + 1] - pad[7 * W + k]
        z2, z4 = pad[9 * W + k] + pad[9 * W + k + 1], pad[10 * W + k] + pad[10 * W + k + 1]
        z6 = pad[11 * W + k] + pad[11 * W + k + 1]
        z1, z3 = pad[8 * W + k + 1] - pad[8 * W + k], pad[9 * W + k + 1] - pad[9 * W + k]
        z5, z7 = pad[10 * W + k + 1] - pad[10 * W + k], pad[11 * W + k + 1] - pad[11 * W + k]
        volume = b * (x1 + y2 + z4)
        pad[12 * W + k] = e * (volume + (a - b) * x1)
        pad[13 * W + k] = e * s * (y1 + x2)
        pad[14 * W + k] = e * s * (z1 + x4)
        pad[15 * W + k] = e * s * (z2 + y4)
        pad[16 * W + k] = e * (t * x3 + g * z6)
        pad[17 * W + k] = e * (volume + (a - b) * y2)
        pad[18 * W + k] = e * (t * y3 + g * z5)
        pad[19 * W + k] = e * (v * z3 + h * (y5 + x6))
        pad[20 * W + k] = e * (t * x5 + g * y6)
        pad[21 * W + k] = e * (v * y5 + h * (z3 + x6))
        pad[22 * W + k] = e * (volume + (a - b) * z4)
        pad[23 * W + k] = e * (t * z5 + g * y3)
        pad[24 * W + k] = e * (v * x6 + h * (z3 + y5))
        pad[25 * W + k] = e * (t * y6 + g * x5)
        pad[26 * W + k] = e * (t * z6 + g * x3)
        pad[27 * W + k] = e * p * x7
        pad[28 * W + k] = e * p * y7
        pad[29 * W + k] = e * p * z7


@kernel
def back(
    pad: Floats, first_row: int, d0: int, s1: int, d1: int, s2: int, d2: int, s3: int, d3: int
) -> None:
    """Forces of one component, into its four rows, from its modes' rows.

    `s` rows are modes even along x, `d` odd; 0 to 3 is what they do across y (1) and z (2).
    """
    o = first_row * W
    d0, s1, d1, s2, d2, s3, d3 = d0 * W, s1 * W, d1 * W, s2 * W, d2 * W, s3 * W, d3 * W
    for k in range(1, W - 1):
        j = k - 1
        w0 = pad[d0 + j] - pad[d0 + k]
        w1 = pad[s1 + j] + pad[s1 + k] + (pad[d1 + j] - pad[d1 + k])
        w2 = pad[s2 + j] + pad[s2 + k] + (pad[d2 + j] - pad[d2 + k])
        w3 = pad[s3 + j] + pad[s3 + k] + (pad[d3 + j] - pad[d3 + k])
        low, high, dlow, dhigh = w0 - w1, w0 + w1, w2 - w3, w2 + w3
        pad[o + k] = low - dlow
        pad[o + W + k] = high - dhigh
        pad[o + 2 * W + k] = low + dlow
        pad[o + 3 * W + k] = high + dhigh


@kernel
def multiply_slab(u: Floats, mesh: Mesh, k0: Floats, slab: int, out: Floats) -> None:
    """Add one slab's forces to `out`."""
    pad = np.zeros(ROWS * W, u.dtype)
    weights = np.zeros(W, u.dtype)
    run, last = mesh.slabs[slab], mesh.slabs[slab + 1]
    while run < last:
        until = gather(u, mesh, run, last, pad, weights)
        across(pad)
        modes(pad, weights, k0)
        back(pad, 0, 12, 13, 16, 14, 20, 24, 27)
        back(pad, 4, 13, 17, 18, 15, 21, 25, 28)
        back(pad, 8, 14, 15, 19, 22, 23, 26, 29)
        scatter(pad, mesh, run, until, out)
        run = until


@kernel
def clear_part(out: Floats, part: int, parts: int) -> None:
    """Set a part to zero."""
    for i in range(part * out.size // parts, (part + 1) * out.size // parts):
        out[i] = 0.0


@kernel
def multiply_part(
    u: Floats, mesh: Mesh, k0: Floats, out: Floats, parity: int, part: int, parts: int
) -> None:
    """A part of every second slab, from `parity` (0 or 1) on."""
    several = (mesh.slabs.size - parity) // 2
    for half in range(part * several // parts, (part + 1) * several // parts):
        multiply_slab(u, mesh, k0, 2 * half + parity, out)


@kernel
def release(mesh: Mesh, out: Floats) -> None:
    """Set the forces at constrained nodes to 0."""
    for place in mesh.fixed:
        out[place] = 0.0


@kernel
def multiply_alone(u: Floats, mesh: Mesh, k0: Floats, out: Floats) -> None:
    """As `multiply`, on this thread."""
    clear_part(out, 0, 1)
    multiply_part(u, mesh, k0, out, 0, 0, 1)
    multiply_part(u, mesh, k0, out, 1, 0, 1)
    release(mesh, out)


def multiply(u: NDArray[Any], mesh: Any, k0: NDArray[Any], out: NDArray[Any]) -> None:
    """Forces at the nodes for displacements `u`, into `out`; 0 at constraints.

    On threads if the level is large, with the same bits: at a node that two slabs share the even
    slab is always added first.
    """
    if mesh.slabs.size > 2 and several():
        in_parts(clear_part, out)
        in_parts(multiply_part, u, mesh, k0, out, 0)
        in_parts(multiply_part, u, mesh, k0, out, 1)
        release(mesh, out)
    else:
        multiply_alone(u, mesh, k0, out)
