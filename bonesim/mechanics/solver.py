"""Displacement of a structure with constrained faces: conjugate gradients with an error estimate.

    minimise  W(u) = 1/2 u.K u   over displacements with the given values at the constraints

W falls with every step by exactly alpha r.z / 2 (Hestenes 1952). Its error is the square
of the displacement's error in the energy norm, so stiffness from W has twice as many correct digits
as the displacement. The remaining error of W is estimated from the decreases of the last steps (such
estimates: Meurant 2019). The residual is no such measure: at 1e-3 the force of a weak
structure can be wrong by a quarter.

So the iteration stops on two relative measures. The first is the estimated error of the strain
energy, which is that of the reaction force. The second is the imbalance of the reactions, which
follows the displacement's error; its limit is the square root of the tolerance. On request the
residual is a third.

Bone joined by hinges alone (elements that share an edge or a corner) may be a mechanism: it follows
the faces without strain. Its strain energy falls to nothing, so a relative error means nothing; below
`NOTHING` of the energy of the starting displacement the iteration stops and states a mechanism. (Free
rigid motions are no obstacle: the load, which given displacements make, is always in balance.)

Vectors of the iteration are float32; displacement is float64. The residual is computed again in
float64 whenever it has fallen by `RENEWED`, so that accuracy is not limited by float32.
"""

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import NumericalError
from bonesim.kernel import kernel
from bonesim.mechanics.multigrid import Hierarchy
from bonesim.mechanics.stiffness_product import multiply

#: The float64 residual replaces float32's when the latter has fallen by this factor.
RENEWED = 1e-3
#: Decreases of the energy from which the convergence rate is estimated.
GAINS = 3
#: Convergence rate of the energy that is assumed before one is known.
SLOW = 0.8
#: Of the estimated error: slow motions leave a tail longer than a geometric series. Without it the true
#: error was up to 1.6 times the stated one, with it 1.3 (living bone; tests/mechanics/test_honest_stop).
CAUTION = 1.3
#: Strain energy below this share of the starting displacement's: a mechanism. A strut of one voxel
#: through a block of 400 has 1e-7 of it.
NOTHING = 1e-10
BLOCK = 4096
_NONE = np.zeros(0, np.int64)
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Convergence:
    """How a solve ended; everything relative, for the displacement that is returned.

    Attributes:
        converged: whether all tolerances were reached.
        iterations: V-cycles.
        residual: norm of the residual force over that of the start from rest.
        energy_error: estimated error of the strain energy, which is that of the reaction force.
        imbalance: of the reactions at the faces, over the reaction.
        mechanism: whether the structure follows its faces without strain: it carries no load.
    """

    converged: bool
    iterations: int
    residual: float
    energy_error: float
    imbalance: float
    mechanism: bool = False

    def __str__(self) -> str:
        return (
            f"{self.iterations} cycles, energy error {self.energy_error:.1e}, "
            f"imbalance {self.imbalance:.1e}, residual {self.residual:.1e}"
        )


@kernel
def dot(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Inner product in float64, in blocks of fixed size: always the same bits."""
    total = 0.0
    for low in range(0, a.size, BLOCK):
        part = 0.0
        for i in range(low, min(low + BLOCK, a.size)):
            part += np.float64(a[i]) * np.float64(b[i])
        total += part
    return total


@kernel
def advance(
    x: NDArray[np.float64],
    residual: NDArray[np.float32],
    p: NDArray[np.float32],
    force: NDArray[np.float32],
    alpha: float,
) -> float:
    """Step along `p`: update displacement and residual. Returns the residual's square."""
    total = 0.0
    a = np.float32(alpha)
    for low in range(0, x.size, BLOCK):
        part = 0.0
        for i in range(low, min(low + BLOCK, x.size)):
            x[i] += alpha * p[i]
            left = residual[i] - a * force[i]
            residual[i] = left
            part += np.float64(left) * np.float64(left)
        total += part
    return total


@kernel
def turn(p: NDArray[np.float32], z: NDArray[np.float32], beta: float) -> None:
    """The next direction."""
    b = np.float32(beta)
    for i in range(p.size):
        p[i] = z[i] + b * p[i]


class Structure:
    """A structure, to be solved for any displacement of its constrained faces.

    Args:
        weight: (z, y, x) element modulus x edge, N/mm; 0 where there is no bone.
        held: (3 axes z, y, x; 2 ends; 3 components x, y, z) whether displacement is given there.
        poisson: Poisson's ratio.
    """

    def __init__(
        self, weight: NDArray[np.float32], held: NDArray[np.bool_], poisson: float
    ) -> None:
        self.hierarchy = Hierarchy(weight, held, poisson)
        self.mesh = self.hierarchy.mesh
        self.places = self.hierarchy.places
        self._own_vectors()

    def _own_vectors(self) -> None:
        """Vectors of one solve at a time."""
        size = 3 * self.mesh.stride
        self._residual, self._p, self._z = (np.zeros(size, np.float32) for _ in range(3))
        self._force = np.zeros(2 * size, np.float32)

    def for_another_solve(self) -> "Structure":
        """The same structure, which may be solved at the same time on another thread."""
        other = copy(self)
        other.hierarchy = self.hierarchy.for_another_solve()
        other._own_vectors()
        return other

    def solve(
        self, u: NDArray[np.float64], tolerance: float, residual_tolerance: float = np.inf,
        max_cycles: int = 500,
    ) -> Convergence:  # fmt: skip
        """Solve for equilibrium, in place (`u` flat, mm; constrained places as given).

        Returns how it ended; the caller decides whether that is good enough.

        Raises:
            NumericalError: the iteration broke down: not a finite number.
        """
        first = self._at_rest(u)
        if first == 0.0:
            return Convergence(True, 0, 0.0, 0.0, 0.0)
        energy, norm, imbalance = self._renew(u)
        if norm == 0.0:
            # Uniform bone starts in exact equilibrium: there is nothing to iterate.
            return Convergence(True, 0, 0.0, 0.0, 0.0)
        residual = renewed = norm / first
        nothing = NOTHING * energy
        rz_old, error, cycles, checked = 0.0, np.inf, 0, True
        gains: list[float] = []
        force = self._force[: self._p.size]
        while cycles < max_cycles:
            self.hierarchy.precondition(self._residual, self._z)
            rz = dot(self._residual, self._z)
            turn(self._p, self._z, rz / rz_old if rz_old > 0.0 else 0.0)
            multiply(self._p, self.mesh, self.hierarchy.k0, force)
            curvature = dot(self._p, force)
            if not (np.isfinite(curvature) and np.isfinite(rz)):
                raise NumericalError(
                    f"micro-FE: broke down after {cycles} cycles (not a finite number); "
                    "check moduli and voxel size"
                )
            if curvature <= 0.0 or rz <= 0.0:
                break
            alpha = rz / curvature
            residual = np.sqrt(advance(u, self._residual, self._p, force, alpha)) / first
            rz_old, checked = rz, False
            cycles += 1
            gains = [*gains[-GAINS:], alpha * rz]
            energy -= alpha * rz
            if energy <= nothing:
                # Sums in float32 drift: float64 decides.
                energy, norm, imbalance = self._renew(u)
                residual, checked, renewed = norm / first, True, norm / first
                if energy <= nothing:
                    return Convergence(True, cycles, residual, 0.0, 0.0, mechanism=True)
            error = _remaining(gains) / energy if energy > 0.0 else np.inf
            good = error <= tolerance and residual <= residual_tolerance
            if good:
                good = self._imbalance(self._residual, energy, u) <= np.sqrt(tolerance)
            if good or residual < RENEWED * renewed:
                # The float32 result is checked in float64 and replaced by it.
                energy, norm, imbalance = self._renew(u)
                residual, checked, renewed = norm / first, True, norm / first
                if good and residual <= residual_tolerance and imbalance <= np.sqrt(tolerance):
                    return Convergence(True, cycles, residual, error, imbalance)
        if not checked:
            energy, norm, imbalance = self._renew(u)
            residual = norm / first
        if energy <= nothing:
            return Convergence(True, cycles, float(residual), 0.0, 0.0, mechanism=True)
        return Convergence(False, cycles, float(residual), float(error), imbalance)

    def forces(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Force at every node for a displacement, N, flat; reactions at the constraints.

        The array is overwritten by the next solve.
        """
        out = self._force.view(np.float64)
        multiply(u, self.mesh._replace(fixed=_NONE), self.hierarchy.modes, out)
        return out

    def _at_rest(self, u: NDArray[np.float64]) -> float:
        """Norm of the residual force when all free nodes have zero displacement."""
        held = np.zeros(u.size, np.float32)
        held[self.mesh.fixed] = u[self.mesh.fixed]
        force = self._force[: held.size]
        multiply(held, self.mesh, self.hierarchy.k0, force)
        return float(np.sqrt(dot(force, force)))

    def _renew(self, u: NDArray[np.float64]) -> tuple[float, float, float]:
        """Recompute the residual from `u`: twice the strain energy, its norm, the imbalance."""
        force = self.forces(u)
        energy = dot(u, force)
        force[self.mesh.fixed] = 0.0
        np.negative(force, out=self._residual, casting="same_kind")
        return energy, float(np.sqrt(dot(force, force))), self._imbalance(force, energy, u)

    def _imbalance(
        self, residual: NDArray[np.floating], energy: float, u: NDArray[np.float64]
    ) -> float:
        """Sum of the forces out of equilibrium, over the reaction."""
        held = u[self.mesh.fixed]
        spread = float(held.max() - held.min()) if held.size else 0.0
        if spread == 0.0 or energy <= 0.0:
            return float("inf")
        sums = residual.reshape(3, -1).sum(axis=1, dtype=np.float64)
        return float(np.abs(sums).max() * spread / energy)


def _remaining(gains: list[float]) -> float:
    """Remaining decrease of the energy: the last decreases continued as a geometric series.

    A single decrease gives no rate: a slow one is assumed. `CAUTION` is on top.
    """
    rate = SLOW
    if len(gains) > 1 and gains[0] > 0.0:
        rate = min((gains[-1] / gains[0]) ** (1.0 / (len(gains) - 1)), 0.98)
    return CAUTION * gains[-1] * max(rate / (1.0 - rate), 1.0)
