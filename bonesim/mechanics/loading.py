"""Strain energy of a block under its habitual load: three confined solves, and what they make.

The block is compressed along z, y and x in turn between smooth plates on all six faces (cut faces
are planes of symmetry). The three solutions give the confined stiffnesses, and together any
uniaxial stress. Habitual load is a stress along the main axis (z) and smaller ones across, as
separate events: their strain energies add. Bone is linear: energy scales with the square of the
load, at once and exactly. The three solves are independent: they run at once if there are threads.

Elements are cubes of 2 x 2 x 2 voxels by default: on two real bones of 20 and 25 um that changes
stiffness by -1 and +6 %, strains by 1 to 2 % (guide, decisions). Their modulus goes by the bone and the
mineral in them. Left out: plasticity, fatigue, fluid.

Sources: guide M4; 0.4 MPa on a vertebra in daily life (assumed).
"""

from functools import partial
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from bonesim.errors import NumericalError
from bonesim.mechanics.bone import Material, bridging, elements_of
from bonesim.mechanics.cases import affine, confined, unit_strain
from bonesim.mechanics.memory import Memory
from bonesim.mechanics.solver import Structure
from bonesim.mechanics.state import mean_stress, read_elements
from bonesim.mechanics.strength import StrengthParameters, effective_strain, failure_factor
from bonesim.mechanics.threads import at_once, several

#: A direction less stiff than this share of the stiffest carries no habitual load.
MIN_STIFFNESS_RATIO = 1e-4
#: V-cycles after which a solve has failed.
MAX_CYCLES = 300


class MechanicsParameters(Material):
    """When mechanics is solved, the load, and the material of bone."""

    interval_day: Annotated[
        int,
        Field(
            ge=0,
            le=3650,
            description="days between solves; 0: never, no strain sensed; choice (guide M4)",
        ),
    ] = 30
    changed_percent: Annotated[
        float,
        Field(
            gt=0, le=100, description="of bone; solved again after this change; choice (guide M4)"
        ),
    ] = 1.0
    delay_day: Annotated[
        int,
        Field(
            ge=0,
            le=365,
            description="days from the start of a solve to its strain; the days between are simulated "
            "beside it; 0: at once; choice, effect measured in benchmarks/README.md",
        ),
    ] = 0
    habitual_stress_mpa: Annotated[
        float, Field(gt=0, le=100, description="along the main axis, z; assumed, .3-1 (guide M4)")
    ] = 0.4
    share_z: Annotated[
        float, Field(ge=0, le=1, description="of the habitual stress, along z; assumed, 70/15/15")
    ] = 0.7
    share_y: Annotated[
        float, Field(ge=0, le=1, description="of the habitual stress, along y; assumed, 70/15/15")
    ] = 0.15
    share_x: Annotated[
        float, Field(ge=0, le=1, description="of the habitual stress, along x; assumed, 70/15/15")
    ] = 0.15
    tolerance: Annotated[
        float, Field(ge=1e-10, le=0.01, description="error of the strain energy, relative; choice")
    ] = 1e-4
    strength: StrengthParameters = StrengthParameters()

    @model_validator(mode="after")
    def _delay_within_interval(self) -> "MechanicsParameters":
        if self.delay_day and self.delay_day >= self.interval_day > 0:
            raise ValueError(
                f"delay_day is {self.delay_day}; it must be less than interval_day = "
                f"{self.interval_day}"
            )
        return self


#: Results of a solve; unit and meaning are in the daily table.
NUMBERS = (
    "apparent_modulus_z_mpa", "apparent_modulus_y_mpa", "apparent_modulus_x_mpa",
    "yield_load_n", "failure_load_n", "load_to_strength", "mechanics_cycles",
)  # fmt: skip


class Answer(NamedTuple):
    """What a solve finds.

    Attributes:
        energy: (z, y, x) strain energy density in the bone of each element at 100 % of habitual
            load, MPa; 0 where there is none.
        results: the `NUMBERS`, NaN where there is none.
    """

    energy: NDArray[np.float32]
    results: dict[str, float]


class _Solved(NamedTuple):
    """One confined strain: displacement, mean stress along z, y, x, and cycles; None: a mechanism."""

    u: NDArray[np.float64] | None
    stress: NDArray[np.float64]
    cycles: int


class HabitualLoad:
    """One specimen under its habitual load.

    Args:
        parameters: load and material.
        shape: voxels along z, y, x.
        voxel_um: edge of a voxel.

    Attributes:
        elements: of the block, along z, y, x.
        edge_mm: of an element.
        memory: the last displacement along each axis: where the next solve begins.
    """

    def __init__(
        self, parameters: MechanicsParameters, shape: tuple[int, ...], voxel_um: float
    ) -> None:
        self.parameters = parameters
        self.edge_mm = voxel_um * 1e-3 * parameters.voxels_per_element
        self.elements = tuple(-(-n // parameters.voxels_per_element) for n in shape)
        self.block_mm = tuple(n * voxel_um * 1e-3 for n in shape)
        self.memory = [Memory(self.elements) for _ in range(3)]

    def answer(self, quanta: NDArray[np.uint8], mineral: NDArray[np.uint8]) -> Answer:
        """Strain energy of bone: quanta and mineral of each voxel (z, y, x), both 0..255.

        Raises:
            NumericalError: it does not converge.
        """
        share, modulus = elements_of(quanta, mineral, self.parameters)
        found = Answer(np.zeros(self.elements, np.float32), dict.fromkeys(NUMBERS, float("nan")))
        axes = [axis for axis in range(3) if bridging(share, axis).any()]
        if axes:
            self._solve(share, modulus, axes, found)
        return found

    def _solve(
        self, share: NDArray[np.float32], modulus: NDArray[np.float32], axes: list[int],
        found: Answer,
    ) -> None:  # fmt: skip
        """Solve the confined strains along `axes`; energies and numbers of the habitual load."""
        p, edge = self.parameters, self.edge_mm
        structure = Structure(modulus * np.float32(edge), confined(), p.poisson)
        solved = at_once([partial(self._confined, structure, axis) for axis in axes])
        stiffness = np.zeros((3, 3))
        solutions: dict[int, NDArray[np.float64]] = {}
        for axis, (u, stress, _) in zip(axes, solved, strict=True):
            stiffness[axis] = stress
            if u is not None:
                solutions[axis] = u
        self._combine(structure, share, modulus, stiffness, solutions, found)
        found.results["mechanics_cycles"] = float(sum(one.cycles for one in solved))

    def _confined(self, whole: Structure, axis: int) -> _Solved:
        """Solve the confined strain along one axis."""
        p, edge = self.parameters, self.edge_mm
        structure = whole.for_another_solve() if several() else whole
        even = affine(
            structure.places, edge, structure.mesh.stride, unit_strain((2 - axis, 2 - axis))
        )
        u = even + self.memory[axis].recall(structure)
        main = int(np.argmax([p.share_z, p.share_y, p.share_x]))
        # Across, where load is a fraction, a tenth of the accuracy is enough.
        tolerance = p.tolerance if axis == main else 10.0 * p.tolerance
        found = structure.solve(u, tolerance, max_cycles=MAX_CYCLES)
        if not found.converged:
            raise NumericalError(
                f"micro-FE along {'zyx'[axis]} did not converge: {found}; raise "
                "mechanics.tolerance, or set mechanics.interval_day = 0 to go without"
            )
        if found.mechanism:
            return _Solved(None, np.zeros(3), found.iterations)
        self.memory[axis].keep(structure, u - even)
        sums = np.zeros(6)
        spare = np.zeros(structure.mesh.weight.size)
        read_elements(u, structure.mesh, structure.hierarchy.modes, spare, sums)
        volume = float(np.prod([n * edge for n in self.elements]))
        stress = mean_stress(sums, edge, volume, p.poisson)
        return _Solved(u, stress[[2, 1, 0]], found.iterations)

    def _combine(
        self, structure: Structure, share: NDArray[np.float32], modulus: NDArray[np.float32],
        stiffness: NDArray[np.float64], solutions: dict[int, NDArray[np.float64]],
        found: Answer,
    ) -> None:  # fmt: skip
        """Combine confined strains (N/mm2 per strain in `stiffness`) into uniaxial stresses."""
        p = self.parameters
        stiff = stiffness.diagonal() > MIN_STIFFNESS_RATIO * stiffness.max()
        axes = [axis for axis in solutions if stiff[axis]]
        compliance = np.linalg.inv(stiffness[np.ix_(axes, axes)])
        shares = np.array([p.share_z, p.share_y, p.share_x])
        solid = share > 0.0
        bone, moduli = share[solid].astype(np.float64), modulus[solid].astype(np.float64)
        total = np.zeros(bone.size)
        for place, axis in enumerate(axes):
            stress = p.habitual_stress_mpa * shares[axis] / max(float(shares.max()), 1e-12)
            found.results[f"apparent_modulus_{'zyx'[axis]}_mpa"] = 1.0 / compliance[place, place]
            # Linear: the displacement under a uniaxial stress is that of its three strains.
            weights = compliance[:, place]
            u = sum(w * solutions[a] for w, a in zip(weights, axes, strict=True))
            energy = np.zeros(bone.size)
            read_elements(u, structure.mesh, structure.hierarchy.modes, energy, np.zeros(6))
            energy /= self.edge_mm**3
            if axis == 0:
                self._strength(effective_strain(energy, moduli), bone, found.results)
            total += stress * stress * energy / bone
        found.energy[solid] = total

    def _strength(
        self, strain: NDArray[np.float64], bone: NDArray[np.float64], results: dict[str, float]
    ) -> None:
        """Strength along z from the effective strains under 1 MPa."""
        p = self.parameters
        area = self.block_mm[1] * self.block_mm[2]
        failing = failure_factor(strain, bone, p.strength)
        results["failure_load_n"] = failing * area
        results["yield_load_n"] = results["apparent_modulus_z_mpa"] * p.strength.yield_strain * area
        results["load_to_strength"] = p.habitual_stress_mpa / failing
