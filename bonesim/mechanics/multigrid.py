"""Multigrid on bone: one cycle as the preconditioner of conjugate gradients.

The finest level is the bone itself, matrix-free. The next one is made of small aggregates of nodes that
move as rigid bodies, and further ones of aggregates of those (`aggregates`, `galerkin`, `coarse`).
Rigid bodies follow thin struts and perforated plates where a coarser grid would tie them together.

Single precision throughout: a preconditioner need not be exact, and half the bytes are half the
time. Large levels run on threads. Small ones do not: a parallel region would cost more.
Results do not depend on the number of threads.
"""

from copy import copy

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel
from bonesim.mechanics.aggregates import (
    Aggregates,
    aggregated,
    coarser_graph,
    elements_at_nodes,
    graph_of_nodes,
)
from bonesim.mechanics.coarse import VALUES, Coarse, correct, make_coarse
from bonesim.mechanics.element import mode_stiffness, stiffness
from bonesim.mechanics.galerkin import of_nodes
from bonesim.mechanics.mesh import Level, finest
from bonesim.mechanics.mesh_arrays import Mesh
from bonesim.mechanics.smoothing import jacobi, jacobi_again, jacobi_factor
from bonesim.mechanics.stiffness_product import multiply, multiply_alone, release
from bonesim.mechanics.threads import in_parts, several
from bonesim.mechanics.transfer import prolong, restrict

Floats = NDArray[np.float32]
#: Factor of the correction by rigid bodies; by experiment on living bone (benchmarks).
LENGTHENED = np.float32(1.2)


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
        self.modes = mode_stiffness(poisson)
        self.k0 = self.modes.astype(np.float32)
        self._jacobi = jacobi_factor(poisson)
        level = finest(weight, held, float(stiffness(poisson)[0, 0]))
        self.places = level.places
        self.mesh: Mesh = level.mesh
        self.aggregates, self.coarse, self.scale = rigid_levels(level, poisson)
        self._change = np.zeros(3 * level.mesh.stride, np.float32)

    def for_another_solve(self) -> "Hierarchy":
        """The same levels with vectors of their own."""
        other = copy(self)
        other._change = np.zeros_like(self._change)
        values = {name: np.zeros_like(getattr(self.coarse, name)) for name in VALUES}
        other.coarse = self.coarse._replace(**values)
        return other

    def precondition(self, residual: Floats, out: Floats) -> None:
        """One cycle: approximate displacement under a residual force, into `out`."""
        shared = self.mesh.slabs.size > 2 and several()
        below = self.coarse.given[: 6 * self.coarse.rows[1]]
        (descend_shared if shared else descend)(
            residual, self.mesh, self.k0, self._jacobi, self.places, self.aggregates, self.scale,
            self._change, out, below,
        )  # fmt: skip
        correct(self.coarse)
        motion = self.coarse.total[: 6 * self.coarse.rows[1]]
        (ascend_shared if shared else ascend)(
            residual, self.mesh, self.k0, self._jacobi, self.places, self.aggregates, self.scale,
            self._change, out, motion, LENGTHENED,
        )  # fmt: skip


def rigid_levels(level: Level, poisson: float) -> tuple[Aggregates, Coarse, Floats]:
    """Aggregates of the nodes (centres in float32), the levels of rigid bodies, and their scale."""
    start = np.empty(len(level.places) + 2, np.int32)
    incident = np.empty(level.corners.size, np.int32)
    elements_at_nodes(level.corners, start, incident)
    places = np.ascontiguousarray(level.places[:, ::-1], np.float64)
    graph = graph_of_nodes(level.corners, start, incident)
    groups = aggregated(graph, places)
    graph = coarser_graph(graph, groups)
    blocks = of_nodes(level, places, (start, incident), groups, graph, poisson)
    coarse, scale = make_coarse(graph, blocks, groups.centres)
    return groups._replace(centres=groups.centres.astype(np.float32)), coarse, scale


@kernel
def descend(
    residual: NDArray[np.float32],
    mesh: Mesh,
    k0: NDArray[np.float32],
    factor: np.float32,
    places: NDArray[np.int16],
    aggregates: Aggregates,
    scale: NDArray[np.float32],
    change: NDArray[np.float32],
    z: NDArray[np.float32],
    below: NDArray[np.float32],
) -> None:
    """Smooth from zero, and restrict what is left of the residual, on this thread."""
    jacobi(residual, mesh, factor, z, 0, 1)
    multiply_alone(z, mesh, k0, change)
    restrict(residual, change, mesh.stride, places, aggregates, scale, below, 0, 1)


@kernel
def ascend(
    residual: NDArray[np.float32],
    mesh: Mesh,
    k0: NDArray[np.float32],
    factor: np.float32,
    places: NDArray[np.int16],
    aggregates: Aggregates,
    scale: NDArray[np.float32],
    change: NDArray[np.float32],
    z: NDArray[np.float32],
    motion: NDArray[np.float32],
    lengthened: np.float32,
) -> None:
    """Take the rigid bodies' correction and smooth again, on this thread."""
    prolong(motion, lengthened, mesh.stride, places, aggregates, scale, z, 0, 1)
    release(mesh, z)
    multiply_alone(z, mesh, k0, change)
    jacobi_again(residual, change, mesh, factor, z, 0, 1)


def descend_shared(
    residual: Floats, mesh: Mesh, k0: Floats, factor: np.float32, places: NDArray[np.int16],
    aggregates: Aggregates, scale: Floats, change: Floats, z: Floats, below: Floats,
) -> None:  # fmt: skip
    """As `descend`, on threads, bit for bit."""
    in_parts(jacobi, residual, mesh, factor, z)
    multiply(z, mesh, k0, change)
    in_parts(restrict, residual, change, mesh.stride, places, aggregates, scale, below)


def ascend_shared(
    residual: Floats, mesh: Mesh, k0: Floats, factor: np.float32, places: NDArray[np.int16],
    aggregates: Aggregates, scale: Floats, change: Floats, z: Floats, motion: Floats,
    lengthened: np.float32,
) -> None:  # fmt: skip
    """As `ascend`, on threads, bit for bit."""
    in_parts(prolong, motion, lengthened, mesh.stride, places, aggregates, scale, z)
    release(mesh, z)
    multiply(z, mesh, k0, change)
    in_parts(jacobi_again, residual, change, mesh, factor, z)
