"""The eight-node hexahedron: one cube of bone, isotropic and linear elastic, fully integrated.

Corner a of a cube lies at (x, y, z) = (a & 1, a >> 1 & 1, a >> 2 & 1); displacements are along
x, y, z. In the basis of corner sums and differences (a Walsh-Hadamard transform of the corners)
symmetry leaves 45 of the 576 entries, made of eight numbers (`mode_stiffness`): three for the
uniform strains, four for the twists between two axes and one for the mode that changes sign
along all three. Two facts make solving cheap: every diagonal entry is the same, so Jacobi's
preconditioner is one number a node; and the largest eigenvalue of an element over its diagonal
bounds that of any structure made of it, so none has to be estimated.

Source: textbook (Hughes 2000); bound: Wathen 1987.
"""

import numpy as np
from numpy.typing import NDArray

#: Corners of a cube, as (x, y, z).
CORNERS = np.array([(a & 1, a >> 1 & 1, a >> 2 & 1) for a in range(8)])


def elasticity(poisson: float) -> NDArray[np.float64]:
    """Hooke's law for unit Young's modulus, (6, 6): xx, yy, zz, xy, yz, zx (engineering shear)."""
    shear = 0.5 / (1.0 + poisson)
    lame = poisson / ((1.0 + poisson) * (1.0 - 2.0 * poisson))
    law = np.zeros((6, 6))
    law[:3, :3] = lame
    law[range(3), range(3)] += 2.0 * shear
    law[range(3, 6), range(3, 6)] = shear
    return law


def strain_at(x: float, y: float, z: float) -> NDArray[np.float64]:
    """Strain per displacement of the 24 corner values at a point of the unit cube, (6, 24)."""
    rows = np.zeros((6, 24))
    for a, corner in enumerate(CORNERS):
        share = [c * t + (1 - c) * (1 - t) for c, t in zip(corner, (x, y, z), strict=True)]
        slope = [2 * c - 1 for c in corner]
        dx = slope[0] * share[1] * share[2]
        dy = share[0] * slope[1] * share[2]
        dz = share[0] * share[1] * slope[2]
        i, j, k = 3 * a, 3 * a + 1, 3 * a + 2
        rows[0, i], rows[1, j], rows[2, k] = dx, dy, dz
        rows[3, i], rows[3, j] = dy, dx
        rows[4, j], rows[4, k] = dz, dy
        rows[5, k], rows[5, i] = dx, dz
    return rows


def stiffness(poisson: float) -> NDArray[np.float64]:
    """Stiffness of a cube of unit edge and unit modulus, (24, 24): corner by corner, x, y, z."""
    law = elasticity(poisson)
    ends = 0.5 + np.array((-0.5, 0.5)) / np.sqrt(3.0)
    total = np.zeros((24, 24))
    for x in ends:
        for y in ends:
            for z in ends:
                strain = strain_at(x, y, z)
                total += strain.T @ law @ strain / 8.0
    return total


def mode_stiffness(poisson: float) -> NDArray[np.float64]:
    """The eight numbers of the stiffness in the basis of corner sums and differences.

    In order: normal strain with itself, with another; shear; twist of a normal strain along
    another axis, of a shear along the third; their couplings; the mode that changes sign along
    all axes. Unit edge and modulus.
    """
    signs = np.array([[(-1) ** bin(~a & s & 7).count("1") for a in range(8)] for s in range(8)])
    basis = np.kron(signs, np.eye(3))
    modes = basis @ stiffness(poisson) @ basis.T / 64.0
    x, y, z = range(3)

    def entry(s: int, along: int, other: int, with_: int) -> float:
        return float(modes[3 * s + along, 3 * other + with_])

    return np.array([
        entry(1, x, 1, x), entry(1, x, 2, y), entry(1, y, 1, y), entry(3, x, 3, x),
        entry(3, z, 3, z), entry(3, x, 6, z), entry(3, z, 5, y), entry(7, x, 7, x),
    ])  # fmt: skip


def max_eigenvalue_ratio(poisson: float) -> float:
    """Bound of the eigenvalues of any such structure's stiffness over its diagonal (Wathen 1987)."""
    matrix = stiffness(poisson)
    return float(np.linalg.eigvalsh(matrix)[-1] / matrix[0, 0])
