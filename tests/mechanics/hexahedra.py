"""A finite element program of its own: hexahedra by quadrature, one sparse direct solve."""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, eye_array
from scipy.sparse.linalg import spsolve


def element(modulus: float, poisson: float, edge: float) -> NDArray[np.float64]:
    """The 24 x 24 stiffness of a cube; nodes in order (z, y, x), displacements x, y, z."""
    lame = modulus * poisson / ((1 + poisson) * (1 - 2 * poisson))
    shear = modulus / (2 * (1 + poisson))
    law = np.diag([2 * shear] * 3 + [shear] * 3)
    law[:3, :3] += lame
    signs = 2 * np.array(list(itertools.product((0, 1), repeat=3))) - 1
    matrix = np.zeros((24, 24))
    for point in itertools.product((-1 / np.sqrt(3), 1 / np.sqrt(3)), repeat=3):
        strain = np.zeros((6, 24))
        for a, sign in enumerate(signs):
            shape = 1 + sign * point
            z, y, x = (sign[c] * np.prod(np.delete(shape, c)) / (4 * edge) for c in range(3))
            strain[[0, 3, 5], 3 * a] = x, y, z
            strain[[1, 3, 4], 3 * a + 1] = y, x, z
            strain[[2, 4, 5], 3 * a + 2] = z, y, x
        matrix += strain.T @ law @ strain * (edge / 2) ** 3
    return matrix


def reaction(
    bone: NDArray[np.bool_], *, clamped: bool, edge: float = 0.02, modulus: float = 1e4,
    poisson: float = 0.3, strain: float = 0.01,
) -> float:  # fmt: skip
    """Force, N, when the two faces across z approach by a strain."""
    size = np.array(bone.shape) + 1
    node = np.arange(size.prod()).reshape(size)
    stiffness = element(modulus, poisson, edge)
    ids = np.array([node[z : z + 2, y : y + 2, x : x + 2].ravel() for z, y, x in np.argwhere(bone)])
    places = (3 * ids[:, :, None] + np.arange(3)).reshape(len(ids), 24)
    rows, columns = np.repeat(places, 24, axis=1).ravel(), np.tile(places, 24).ravel()
    whole = coo_matrix((np.tile(stiffness.ravel(), len(ids)), (rows, columns)), [3 * node.size] * 2)
    whole = whole.tocsr()
    u, held = np.zeros(3 * node.size), np.zeros(3 * node.size, bool)
    for face, moved in ((node[0], 0.0), (node[-1], -strain * edge * bone.shape[0])):
        for c in (0, 1, 2) if clamped else (2,):
            held[3 * face + c] = True
        u[3 * face.ravel() + 2] = moved
    used = whole.diagonal() > 0
    free, given = np.flatnonzero(used & ~held), np.flatnonzero(used & held)
    inner = whole[free][:, free]
    # Sliding ends leave rigid motions: a soft ground holds these and changes 1e-9 of the force.
    ground = 0.0 if clamped else 1e-10 * modulus * edge
    u[free] = spsolve(
        (inner + ground * eye_array(len(free))).tocsc(), -whole[free][:, given] @ u[given]
    )
    return float(u @ (whole @ u)) / (strain * edge * bone.shape[0])
