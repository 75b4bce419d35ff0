"""Load cases of a block: which displacements are given on its faces.

All cases give displacement; stress follows by scaling, since bone is taken as linear. Axes are
z, y, x as in the lattice; components of displacement x, y, z.

    uniaxial    one pair of faces approaches; clamped ends are fixed to the plates, frictionless
                ones slide; sides free, or confined (no side moves along its normal)
    mixed       all six faces slide on plates that follow a uniform strain: normal strains confined,
                shears with the faces' tangential motion given along one axis each (Pahr and Zysset
                2008). Averages over the block give the apparent stiffness tensor.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ends = Literal["clamped", "frictionless"]
Sides = Literal["free", "confined"]
#: Components of each of the six strains: xx, yy, zz, xy, yz, zx.
PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))


def uniaxial(axis: int, ends: Ends, sides: Sides) -> NDArray[np.bool_]:
    """Constraints when the faces across `axis` (0 z, 1 y, 2 x) approach: (axis, end, component)."""
    held = np.zeros((3, 2, 3), bool)
    held[axis, :, 2 - axis] = True
    if ends == "clamped":
        held[axis] = True
    if sides == "confined":
        for other in {0, 1, 2} - {axis}:
            held[other, :, 2 - other] = True
    return held


def confined() -> NDArray[np.bool_]:
    """Constraints of all three confined normal strains: each face's normal component."""
    return uniaxial(0, "frictionless", "confined")


def sheared(pair: tuple[int, int]) -> NDArray[np.bool_]:
    """Constraints of a shear between two components (0 x, 1 y, 2 z)."""
    i, j = pair
    k = 3 - i - j
    held = np.zeros((3, 2, 3), bool)
    held[2 - i, :, j] = held[2 - j, :, i] = held[2 - k, :, k] = True
    return held


def affine(
    places: NDArray[np.int16], edge_mm: float, stride: int, strain: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Displacement (flat, mm) of nodes at `places` (n; z, y, x) under a uniform strain (3, 3)."""
    u = np.zeros((3, stride))
    for c, k in np.argwhere(strain != 0.0):
        u[c, : len(places)] += strain[c, k] * edge_mm * places[:, 2 - k]
    return u.ravel()


def unit_strain(pair: tuple[int, int]) -> NDArray[np.float64]:
    """A strain of 1 (3, 3); a shear of engineering strain 1."""
    strain = np.zeros((3, 3))
    strain[pair] += 0.5
    strain[pair[::-1]] += 0.5
    return strain
