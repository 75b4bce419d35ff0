"""Small structures, and their stiffness and transfer written out as matrices."""

import numpy as np
from scipy.sparse import csr_matrix

from bonesim.mechanics.element import stiffness
from bonesim.mechanics.mesh import Level, Transfer

POISSON = 0.3
DIAGONAL = float(stiffness(POISSON)[0, 0])
FREE = np.zeros((3, 2, 3), bool)
#: The last has rows longer than a run.
SHAPES = [(3, 4, 5), (6, 5, 7), (1, 1, 1), (4, 1, 9), (1, 2, 300)]


def clamped() -> np.ndarray:
    held = FREE.copy()
    held[0] = True
    return held


def random_weight(shape: tuple[int, ...], seed: int = 1, share: float = 0.6) -> np.ndarray:
    """Elements of moduli between 0.5 and 1.5, at least one."""
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0.5, 1.5, shape)
    weight[rng.random(shape) > share] = 0.0
    weight[0, 0, 0] = 1.0
    return weight.astype(np.float32)


def plates(gap: int = 1, size: int = 12) -> np.ndarray:
    """Two plates across y, `gap` voxels apart."""
    weight = np.zeros((size, 4 + gap, size), np.float32)
    weight[:, :2] = weight[:, 2 + gap :] = 1.0
    return weight


def element_places(level: Level, e: int) -> list[int]:
    """Flat places of an element's 24 displacements: corner by corner, x, y, z."""
    return [c * level.mesh.stride + n for n in level.corners[e] for c in range(3)]


def assembled(level: Level, elements: object = None, hold: bool = True) -> np.ndarray:
    """The stiffness as a matrix; nothing in the rows of what is held."""
    matrix = np.zeros((3 * level.mesh.stride,) * 2)
    for e in range(len(level.corners)) if elements is None else elements:
        at = element_places(level, e)
        matrix[np.ix_(at, at)] += float(level.mesh.weight[e]) * stiffness(POISSON)
    if hold:
        matrix[level.mesh.fixed] = 0.0
    return matrix


def plain_forces(level: Level, u: np.ndarray) -> np.ndarray:
    """Forces at the nodes, element by element; 0 where held."""
    matrix, out = stiffness(POISSON), np.zeros(u.size)
    for e in range(len(level.corners)):
        at = element_places(level, e)
        out[at] += float(level.mesh.weight[e]) * (matrix @ u[at])
    out[level.mesh.fixed] = 0.0
    return out


def interpolation(fine: Level, coarse: Level, transfer: Transfer) -> csr_matrix:
    """Fine displacement from coarse: trilinear within the coarse element above a node."""
    rows, columns, values = [], [], []
    for n, place in enumerate(fine.places):
        e = transfer.element[n]
        at = place / 2 - coarse.cells[e]
        for a in range(8):
            bits = np.array([a >> 2 & 1, a >> 1 & 1, a & 1])
            share = np.prod(np.where(bits, at, 1 - at))
            for c in range(3):
                rows.append(c * fine.mesh.stride + n)
                columns.append(c * coarse.mesh.stride + transfer.corners[e, a])
                values.append(share)
    size = (3 * fine.mesh.stride, 3 * coarse.mesh.stride)
    made = csr_matrix((values, (rows, columns)), size)
    made.eliminate_zeros()
    return made


def random_nodal(level: Level, seed: int = 2, kind: type = np.float64) -> np.ndarray:
    """A value for each displacement, 0 in the padding."""
    u = np.zeros((3, level.mesh.stride), kind)
    u[:, : len(level.places)] = np.random.default_rng(seed).normal(size=(3, len(level.places)))
    return u.ravel()


def linear_field(level: Level, gradient: np.ndarray, edge: float = 1.0) -> np.ndarray:
    """u = gradient (3, 3) times the place x, y, z."""
    u = np.zeros((3, level.mesh.stride))
    u[:, : len(level.places)] = gradient @ (edge * level.places[:, ::-1].T.astype(float))
    return u.ravel()


def rigid_motions(level: Level) -> list[np.ndarray]:
    """Three translations and three rotations."""
    made = []
    for c in range(3):
        u = np.zeros((3, level.mesh.stride))
        u[c, : len(level.places)] = 1.0
        made.append(u.ravel())
    for i, j in ((0, 1), (1, 2), (2, 0)):
        spin = np.zeros((3, 3))
        spin[i, j], spin[j, i] = 1.0, -1.0
        made.append(linear_field(level, spin))
    return made
