"""Strain energy, mean strain and mean stress of elements from a displacement."""

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.mechanics.element import elasticity
from bonesim.mechanics.mesh_arrays import Mesh


@kernel
def element_modes(
    u: NDArray[np.float64], mesh: Mesh, nodes: NDArray[np.int64], modes: NDArray[np.float64]
) -> None:
    """Sums and differences of an element's corners, (3 components, 8 modes), into `modes`."""
    for c in range(3):
        o = c * mesh.stride
        for a in range(8):
            modes[c, a] = u[o + nodes[a]]
        for bit in (1, 2, 4):
            for a in range(8):
                if a & bit == 0:
                    low, high = modes[c, a], modes[c, a | bit]
                    modes[c, a] = low + high
                    modes[c, a | bit] = high - low


@kernel
def energy_of_modes(m: NDArray[np.float64], k0: NDArray[np.float64]) -> float:
    """Twice the strain energy of an element of unit weight, from its modes."""
    a, b, s, t, v, g, h, p = k0[0], k0[1], k0[2], k0[3], k0[4], k0[5], k0[6], k0[7]
    x1, y2, z4 = m[0, 1], m[1, 2], m[2, 4]
    volume = x1 + y2 + z4
    total = b * volume * volume + (a - b) * (x1 * x1 + y2 * y2 + z4 * z4)
    xy, xz, yz = m[1, 1] + m[0, 2], m[2, 1] + m[0, 4], m[2, 2] + m[1, 4]
    total += s * (xy * xy + xz * xz + yz * yz)
    total += t * (m[0, 3] ** 2 + m[1, 3] ** 2 + m[0, 5] ** 2 + m[2, 5] ** 2)
    total += t * (m[1, 6] ** 2 + m[2, 6] ** 2) + v * (m[2, 3] ** 2 + m[1, 5] ** 2 + m[0, 6] ** 2)
    total += 2.0 * g * (m[0, 3] * m[2, 6] + m[1, 3] * m[2, 5] + m[0, 5] * m[1, 6])
    total += 2.0 * h * (m[2, 3] * m[1, 5] + m[2, 3] * m[0, 6] + m[1, 5] * m[0, 6])
    return total + p * (m[0, 7] ** 2 + m[1, 7] ** 2 + m[2, 7] ** 2)


@kernel
def read_elements(
    u: NDArray[np.float64],
    mesh: Mesh,
    k0: NDArray[np.float64],
    energy: NDArray[np.float64],
    strain: NDArray[np.float64],
) -> None:
    """Strain energy of each element (N mm) and the weighted sum of strains x edge (N: 6 of them).

    `strain`: sums over elements of weight x mean strain x edge: xx, yy, zz, xy, yz, zx.
    """
    nodes = np.empty(8, np.int64)
    m = np.empty((3, 8), np.float64)
    for run in range(mesh.base.shape[0]):
        for e in range(mesh.first[run], mesh.first[run + 1]):
            for a in range(8):
                nodes[a] = mesh.base[run, a >> 1] + (a & 1) + e - mesh.first[run]
            element_modes(u, mesh, nodes, m)
            weight = np.float64(mesh.weight[e])
            energy[e] = 0.5 * weight * energy_of_modes(m, k0)
            strain[0] += 0.25 * weight * m[0, 1]
            strain[1] += 0.25 * weight * m[1, 2]
            strain[2] += 0.25 * weight * m[2, 4]
            strain[3] += 0.25 * weight * (m[1, 1] + m[0, 2])
            strain[4] += 0.25 * weight * (m[2, 2] + m[1, 4])
            strain[5] += 0.25 * weight * (m[2, 1] + m[0, 4])


def mean_stress(
    strain: NDArray[np.float64], edge_mm: float, volume_mm3: float, poisson: float
) -> NDArray[np.float64]:
    """Stress averaged over the whole volume, MPa (6), from the sums of `read_elements`."""
    return np.asarray(elasticity(poisson) @ strain) * edge_mm / volume_mm3
