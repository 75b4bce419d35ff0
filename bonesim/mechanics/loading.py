"""Habitual loading of a specimen: strain energy density under it, solved every so many days.

Elements are cubes of 2 x 2 x 2 voxels whose modulus goes by the bone in them. The block is
pressed along z and, in its share, along y and x, between smooth plates (the cut faces are planes
of symmetry), and all is scaled so that the mean stress along z is the habitual one. Bone is
elastic: strain energy of other loads follows by the square of the load.

A plain solver: one sparse matrix, conjugate gradients from the last solution.
"""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from bonesim.errors import BonesimError
from bonesim.parameters import Parameters
from bonesim.quantities import FULL

VOXELS_PER_ELEMENT = 2
#: Elements with less bone than this carry nothing.
LEAST_FILL = 0.125
TOLERANCE = 1e-3
MOST_STEPS = 5000


class MechanicsParameters(Parameters):
    """When mechanics is solved, and under which load."""

    interval_day: Annotated[
        int,
        Field(ge=0, le=3650, description="days between solves; 0: never, no load felt; mech. 4"),
    ] = 30
    changed_percent: Annotated[
        float, Field(gt=0, le=100, description="of bone; solved anew when so much changed; mech. 4")
    ] = 0.5
    habitual_stress_mpa: Annotated[
        float, Field(gt=0, le=100, description="mean stress along z; vertebra, .3-1 (mech. 4)")
    ] = 0.4
    lateral_share: Annotated[
        float, Field(ge=0, le=1, description="strain across over strain along z; assumed")
    ] = 0.3
    tissue_modulus_mpa: Annotated[
        float, Field(gt=0, le=100000, description="modulus of bone tissue; 6.8-18 GPa (mech. 4)")
    ] = 10000.0


def element_stiffness(poisson: float = 0.3) -> NDArray[np.float64]:
    """24 x 24 stiffness of a cube of edge 1 and modulus 1; corners in binary order (z, y, x)."""
    lame = poisson / ((1 + poisson) * (1 - 2 * poisson))
    shear = 0.5 / (1 + poisson)
    elastic = np.zeros((6, 6))
    elastic[:3, :3] = lame
    elastic[range(3), range(3)] += 2 * shear
    elastic[range(3, 6), range(3, 6)] = shear
    corners = np.array(list(np.ndindex(2, 2, 2)), float)
    total = np.zeros((24, 24))
    for point in np.ndindex(2, 2, 2):
        where = 0.5 + (np.array(point) - 0.5) / np.sqrt(3.0)
        shape = np.where(corners == 1, where, 1 - where)
        sign = np.where(corners == 1, 1.0, -1.0)
        slope = np.stack([sign[:, a] * np.delete(shape, a, 1).prod(1) for a in range(3)], 1)
        strain = np.zeros((6, 24))
        for axis in range(3):
            strain[axis, axis::3] = slope[:, axis]
        for row, (a, b) in enumerate(((0, 1), (1, 2), (0, 2)), 3):
            strain[row, a::3], strain[row, b::3] = slope[:, b], slope[:, a]
        total += strain.T @ elastic @ strain / 8.0
    return total


class Habitual:
    """Strain energy of one specimen under its habitual load.

    Attributes:
        energy: strain energy density in bone of each element, MPa; 0 where there is none.
        voxels_per_element: edge of an element.
        apparent_modulus_mpa: mean stress along z over mean strain, at the last solve.
    """

    def __init__(
        self, parameters: MechanicsParameters, shape: tuple[int, ...], voxel_um: float
    ) -> None:
        self.parameters = parameters
        self.voxels_per_element = VOXELS_PER_ELEMENT
        self.elements = tuple(-(-n // VOXELS_PER_ELEMENT) for n in shape)
        self.energy = np.zeros(self.elements, np.float32)
        self.apparent_modulus_mpa = float("nan")
        self._displacement = np.zeros(3 * int(np.prod([n + 1 for n in self.elements])))
        self._solved_day = 0
        self._solved_quanta = -1
        self._stiffness = element_stiffness()

    def due(self, day: int, bone_quanta: int) -> bool:
        """Whether mechanics is to be solved on a day with so much bone."""
        p = self.parameters
        if p.interval_day == 0:
            return False
        if self._solved_quanta < 0 or day - self._solved_day >= p.interval_day:
            return True
        changed = abs(bone_quanta - self._solved_quanta)
        return changed >= 0.01 * p.changed_percent * self._solved_quanta

    def solve(self, quanta: NDArray[np.uint8], day: int) -> None:
        """Solve for bone as it is: unpadded quanta (z, y, x)."""
        p, edge = self.parameters, VOXELS_PER_ELEMENT
        padded = np.zeros([n * edge for n in self.elements], np.uint8)
        padded[tuple(slice(n) for n in quanta.shape)] = quanta
        parts = [n for size in self.elements for n in (size, edge)]
        fill = padded.reshape(parts).mean(axis=(1, 3, 5), dtype=np.float64) / FULL
        bone = np.argwhere(fill >= LEAST_FILL)
        modulus = fill[tuple(bone.T)]
        points = [n + 1 for n in self.elements]
        corners = np.array(list(np.ndindex(2, 2, 2)))
        nodes = np.ravel_multi_index(tuple((bone[:, None] + corners).T), points).T
        unknowns = (3 * nodes[:, :, None] + np.arange(3)).reshape(-1, 24)

        shown = self._displacement.reshape(*points, 3)
        carries: Any = np.zeros(shown.size, bool)
        carries[unknowns.reshape(-1)] = True
        free = carries.reshape(shown.shape)
        for axis, pressed in enumerate((1.0, p.lateral_share, p.lateral_share)):
            for side, value in ((0, 0.0), (-1, -pressed * self.elements[axis])):
                face: list[Any] = [slice(None)] * 3
                face[axis] = slice(side, None) if side else slice(1)
                shown[(*face, axis)] = value
                free[(*face, axis)] = False
        number = np.cumsum(free.reshape(-1)) - 1
        keep = free.reshape(-1)
        u = self._displacement
        forces = _internal(unknowns, modulus, self._stiffness, np.where(keep, 0.0, u))
        rows = np.repeat(unknowns, 24, axis=1).reshape(-1)
        columns = np.tile(unknowns, (1, 24)).reshape(-1)
        values = (modulus[:, None] * self._stiffness.reshape(1, -1)).reshape(-1)
        used = keep[rows] & keep[columns]
        size = int(keep.sum())
        matrix = sparse.csr_matrix(
            (values[used], (number[rows[used]], number[columns[used]])), (size, size)
        )
        u[keep] = _conjugate_gradients(matrix, -forces[keep], u[keep])

        local = u[unknowns]
        energies = 0.5 * modulus * ((local @ self._stiffness) * local).sum(axis=1)
        reaction = _internal(unknowns, modulus, self._stiffness, u).reshape(*points, 3)
        area = self.elements[1] * self.elements[2]
        stress = abs(float(reaction[-1, :, :, 0].sum())) / area * p.tissue_modulus_mpa
        self.apparent_modulus_mpa = stress
        scale = p.habitual_stress_mpa / stress if stress > 0.0 else 0.0
        self.energy[:] = 0.0
        self.energy[tuple(bone.T)] = energies / modulus * p.tissue_modulus_mpa * scale**2
        self._solved_day = day
        self._solved_quanta = int(quanta.sum(dtype=np.int64))

    def state(self) -> dict[str, Any]:
        """Everything a restart needs."""
        return {
            "energy": self.energy.copy(),
            "displacement": self._displacement.copy(),
            "apparent_modulus_mpa": self.apparent_modulus_mpa,
            "solved_day": self._solved_day,
            "solved_quanta": self._solved_quanta,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put a `state` back."""
        self.energy[:] = state["energy"]
        self._displacement[:] = state["displacement"]
        self.apparent_modulus_mpa = float(state["apparent_modulus_mpa"])
        self._solved_day = int(state["solved_day"])
        self._solved_quanta = int(state["solved_quanta"])


def _internal(
    unknowns: NDArray[np.int64], modulus: NDArray[Any], stiffness: NDArray[Any], u: NDArray[Any]
) -> NDArray[np.float64]:
    forces = modulus[:, None] * (u[unknowns] @ stiffness)
    return np.asarray(np.bincount(unknowns.reshape(-1), forces.reshape(-1), u.size))


def _conjugate_gradients(
    matrix: Any, forces: NDArray[np.float64], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sums are NumPy's own, not the threaded library's: the same bits with any threads."""
    inverse = 1.0 / matrix.diagonal()
    x = start.copy()
    residual = forces - matrix @ x
    wanted = TOLERANCE * float(np.sqrt((forces * forces).sum()))
    direction = inverse * residual
    product = float((residual * direction).sum())
    for _ in range(MOST_STEPS):
        if float(np.sqrt((residual * residual).sum())) <= wanted:
            return x
        pushed = matrix @ direction
        step = product / float((direction * pushed).sum())
        x += step * direction
        residual -= step * pushed
        better = inverse * residual
        new = float((residual * better).sum())
        direction = better + new / product * direction
        product = new
    raise BonesimError(f"strain did not settle in {MOST_STEPS} steps")
