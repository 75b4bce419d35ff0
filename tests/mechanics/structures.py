"""Small structures, and their stiffness and rigid bodies written out as matrices."""

import numpy as np

from bonesim.mechanics.aggregates import (
    Aggregates,
    Graph,
    aggregated,
    coarser_graph,
    elements_at_nodes,
    graph_of_nodes,
)
from bonesim.mechanics.element import stiffness
from bonesim.mechanics.mesh import Level

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


def incidence(level: Level) -> tuple[np.ndarray, np.ndarray]:
    """Elements at each node."""
    start = np.empty(len(level.places) + 2, np.int32)
    incident = np.empty(level.corners.size, np.int32)
    elements_at_nodes(level.corners, start, incident)
    return start, incident


def grouped(level: Level) -> tuple[Aggregates, Graph]:
    """Aggregates of a level's nodes, and their graph."""
    graph = graph_of_nodes(level.corners, *incidence(level))
    groups = aggregated(graph, level.places[:, ::-1].astype(float))
    return groups, coarser_graph(graph, groups)


def rotation_about(arm: np.ndarray) -> np.ndarray:
    """Displacement (3, 6) at an arm from the centre for unit translations and rotations."""
    return np.hstack([np.eye(3), np.cross(np.eye(3), arm).T])


def bodies(level: Level, groups: Aggregates) -> np.ndarray:
    """Displacement of the nodes for the six motions of each aggregate; 0 where held."""
    matrix = np.zeros((3 * level.mesh.stride, 6 * len(groups.centres)))
    for n, place in enumerate(level.places[:, ::-1].astype(float)):
        a = groups.number[n]
        rows = [c * level.mesh.stride + n for c in range(3)]
        matrix[rows, 6 * a : 6 * a + 6] = rotation_about(place - groups.centres[a])
    matrix[level.mesh.fixed] = 0.0
    return matrix


def bodies_of_bodies(centres: np.ndarray, groups: Aggregates) -> np.ndarray:
    """Motions of aggregates at `centres` for the six motions of each aggregate of aggregates."""
    matrix = np.zeros((6 * len(centres), 6 * len(groups.centres)))
    for n, place in enumerate(centres):
        a = groups.number[n]
        matrix[6 * n : 6 * n + 3, 6 * a : 6 * a + 6] = rotation_about(place - groups.centres[a])
        matrix[6 * n + 3 : 6 * n + 6, 6 * a + 3 : 6 * a + 6] = np.eye(3)
    return matrix


def whole(graph: Graph, blocks: np.ndarray) -> np.ndarray:
    """The symmetric matrix of the blocks of the upper half."""
    rows = graph.first.size - 1
    matrix = np.zeros((6 * rows, 6 * rows))
    for a in range(rows):
        for k in range(graph.first[a], graph.first[a + 1]):
            b, block = graph.columns[k], blocks[graph.place[k]]
            matrix[6 * a : 6 * a + 6, 6 * b : 6 * b + 6] = block.T if b < a else block
    return matrix


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
