"""Geometric multigrid on bone: one V-cycle as the preconditioner of conjugate gradients.

Single precision throughout: a preconditioner need not be exact, and half the bytes are half the
time. Large levels run on threads. Small ones do not: a parallel region would cost more.
Results do not depend on the number of threads.
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.mechanics.coarsening import coarser
from bonesim.mechanics.element import max_eigenvalue_ratio, mode_stiffness, stiffness
from bonesim.mechanics.mesh import Level, Mesh, Transfer, finest
from bonesim.mechanics.smoothing import begin, less, step, steps
from bonesim.mechanics.stiffness_product import multiply, multiply_alone
from bonesim.mechanics.threads import in_parts, several
from bonesim.mechanics.transfer import hold, prolong, restrict

Floats = NDArray[np.float32]
#: Nodes of the coarsest level, solved exactly.
COARSEST_NODES = 60
#: A pivot below this share of its diagonal counts as zero: an unconstrained rigid motion.
MIN_PIVOT_RATIO = 1e-9
#: Steps of smoothing before and after a coarse correction; chosen by timing (benchmarks).
DEGREE = 4


class Hierarchy:
    """All levels of one structure under one set of constraints.

    Args:
        weight: (z, y, x) element modulus x edge, N/mm; 0 where there is no bone.
        held: (3 axes z, y, x; 2 ends; 3 components x, y, z) whether displacement is given there.
        poisson: Poisson's ratio.
    """

    def __init__(
        self, weight: NDArray[np.float32], held: NDArray[np.bool_], poisson: float
    ) -> None:
        diagonal = float(stiffness(poisson)[0, 0])
        self.modes = mode_stiffness(poisson)
        self.k0 = self.modes.astype(np.float32)
        self.steps = steps(DEGREE, max_eigenvalue_ratio(poisson))
        level = finest(weight, held, diagonal)
        self.places = level.places
        self.meshes: list[Mesh] = [level.mesh]
        self.transfers: list[Transfer] = []
        while len(level.places) > COARSEST_NODES and max(level.size) > 1:
            level, transfer = coarser(level, held, diagonal)
            self.meshes.append(level.mesh)
            self.transfers.append(transfer)
        self._coarsest = self._inverse_of(level)
        # Residual, correction, its force, the rest; below the finest level the solution too.
        self._work = [
            [np.zeros(3 * mesh.stride, np.float32) for _ in range(5 if number else 4)]
            for number, mesh in enumerate(self.meshes)
        ]

    def precondition(self, residual: Floats, out: Floats) -> None:
        """One V-cycle: approximate displacement under a residual force, into `out`."""
        self._work[0][0][:] = residual
        self._cycle(0, out)

    def _cycle(self, number: int, z: Floats) -> None:
        """Correct a level whose residual is in its first work vector; the correction into `z`."""
        mesh = self.meshes[number]
        residual, d, change, left = self._work[number][:4]
        if number == len(self.meshes) - 1:
            z[:] = self._coarsest @ residual
            return
        below, transfer = self.meshes[number + 1], self.transfers[number]
        coarse = self._work[number + 1]
        shared = mesh.slabs.size > 2 and several()
        (descend_shared if shared else descend)(
            residual, mesh, transfer, below, self.k0, self.steps, d, change, z, left, coarse[0]
        )
        self._cycle(number + 1, coarse[4])
        (ascend_shared if shared else ascend)(
            left, mesh, transfer, below, self.k0, self.steps, d, change, z, coarse[4]
        )

    def _inverse_of(self, level: Level) -> Floats:
        """A generalised inverse of the coarsest stiffness."""
        mesh = level.mesh
        size = 3 * mesh.stride
        matrix = np.zeros((size, size))
        unit = np.zeros(size)
        held = np.zeros(size, bool)
        held[mesh.fixed] = True
        for place in np.flatnonzero(~held & (np.arange(size) % mesh.stride < len(level.places))):
            unit[place] = 1.0
            multiply(unit, mesh, self.modes, matrix[place])
            unit[place] = 0.0
        inverse = np.zeros((size, size))
        invert(matrix, inverse)
        return inverse.astype(np.float32)


@kernel
def descend(residual, mesh, transfer, below, k0, steps, d, change, z, left, coarse):  # type: ignore[no-untyped-def] # fmt: skip
    """Smooth from zero, and restrict the residual `left` to the coarser level, on this thread.

    The residual of the steps is not that of `z`, whose corrections have weights. So it is computed
    again from `z`; otherwise the cycle would not be symmetric.
    """
    left[:] = residual
    begin(residual, mesh, steps[0, 1], steps[0, 2], d, z, 0, 1)
    for k in range(1, steps.shape[0]):
        multiply_alone(d, mesh, k0, change)
        step(change, mesh, steps[k, 0], steps[k, 1], steps[k, 2], residual, d, z, 0, 1)
    multiply_alone(z, mesh, k0, change)
    less(left, change, 0, 1)
    restrict(left, mesh, transfer, below, coarse)


@kernel
def ascend(residual, mesh, transfer, below, k0, steps, d, change, z, coarse):  # type: ignore[no-untyped-def] # fmt: skip
    """Take the coarser level's correction (`coarse`) and smooth again, on this thread."""
    prolong(coarse, below, transfer, mesh, d, z, 0, 1)
    hold(mesh, d, z)
    for k in range(steps.shape[0]):
        multiply_alone(d, mesh, k0, change)
        step(change, mesh, steps[k, 0], steps[k, 1], steps[k, 2], residual, d, z, 0, 1)


def descend_shared(residual, mesh, transfer, below, k0, steps, d, change, z, left, coarse):  # type: ignore[no-untyped-def] # fmt: skip
    """As `descend`, on threads, bit for bit."""
    left[:] = residual
    in_parts(begin, residual, mesh, steps[0, 1], steps[0, 2], d, z)
    for keep, new, weight in steps[1:]:
        multiply(d, mesh, k0, change)
        in_parts(step, change, mesh, keep, new, weight, residual, d, z)
    multiply(z, mesh, k0, change)
    in_parts(less, left, change)
    restrict(left, mesh, transfer, below, coarse)


def ascend_shared(residual, mesh, transfer, below, k0, steps, d, change, z, coarse):  # type: ignore[no-untyped-def] # fmt: skip
    """As `ascend`, on threads, bit for bit."""
    in_parts(prolong, coarse, below, transfer, mesh, d, z)
    hold(mesh, d, z)
    for keep, new, weight in steps:
        multiply(d, mesh, k0, change)
        in_parts(step, change, mesh, keep, new, weight, residual, d, z)


@kernel
def invert(matrix, inverse):  # type: ignore[no-untyped-def]
    """A generalised inverse of a positive semi-definite matrix, which is overwritten.

    Factors L D L'. What nothing holds has no pivot; it is left at 0, which solves any load in
    balance. Written out because a threaded library's bits depend on the number of threads.
    """
    n = matrix.shape[0]
    start = np.diag(matrix).copy()
    for j in range(n):
        if matrix[j, j] <= MIN_PIVOT_RATIO * start[j]:
            matrix[j, j] = 0.0
            matrix[j + 1 :, j] = 0.0
            continue
        for i in range(j + 1, n):
            factor = matrix[i, j] / matrix[j, j]
            if factor != 0.0:
                for k in range(j + 1, i + 1):
                    matrix[i, k] -= factor * matrix[k, j]
        for i in range(j + 1, n):
            matrix[i, j] /= matrix[j, j]
    for column in range(n):
        x = inverse[column]
        x[column] = 1.0 if matrix[column, column] > 0.0 else 0.0
        for i in range(column + 1, n):
            if matrix[i, i] > 0.0:
                for k in range(column, i):
                    x[i] -= matrix[i, k] * x[k]
        for i in range(column, n):
            if matrix[i, i] > 0.0:
                x[i] /= matrix[i, i]
        for i in range(n - 1, -1, -1):
            for k in range(i + 1, n):
                x[i] -= matrix[k, i] * x[k]
            if matrix[i, i] == 0.0:
                x[i] = 0.0
