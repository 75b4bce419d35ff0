"""Habitual loading of a specimen: its strain energy, solved at intervals.

The block is compressed along z, y and x in turn between smooth plates on all six faces (cut faces
are planes of symmetry). The three solutions give the confined stiffnesses, and together any
uniaxial stress. Habitual load is a stress along the main axis (z) and smaller ones across, as
separate events: their strain energies add. Bone is linear: energy scales with the square of the
load, at once and exactly. Between solves the energy stays as it is.

Elements are cubes of 2 x 2 x 2 voxels by default: on two real bones of 20 and 25 um that changes
stiffness by -1 and +6 %, strains by 1 to 2 % (README). Their modulus goes by the bone and the
mineral in them. Left out: plasticity, fatigue, fluid.

Sources: guide M4; 0.4 MPa on a vertebra in daily life (assumed).
"""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.errors import NumericalError
from bonesim.mechanics.bone import Material, bridging, elements_of
from bonesim.mechanics.cases import affine, confined, unit_strain
from bonesim.mechanics.memory import Memory
from bonesim.mechanics.solver import Structure
from bonesim.mechanics.state import mean_stress, read_elements
from bonesim.mechanics.strength import StrengthParameters, effective_strain, failure_factor

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


class Habitual:
    """Strain energy of one specimen under its habitual load.

    Args:
        parameters: load, material and interval.
        shape: voxels along z, y, x.
        voxel_um: edge of a voxel.

    Attributes:
        energy: (z, y, x) strain energy density in the bone of each element at 100 % of habitual
            load, MPa; 0 where there is none.
        voxels_per_element: edge of an element.
        results: the numbers of the last solve, by name (`NUMBERS`); NaN before the first.
    """

    #: Results of a solve; unit and meaning are in the daily table.
    NUMBERS = (
        "apparent_modulus_z_mpa", "apparent_modulus_y_mpa", "apparent_modulus_x_mpa",
        "yield_load_n", "failure_load_n", "load_to_strength", "mechanics_cycles",
    )  # fmt: skip

    def __init__(
        self, parameters: MechanicsParameters, shape: tuple[int, ...], voxel_um: float
    ) -> None:
        self.parameters = parameters
        self.voxels_per_element = parameters.voxels_per_element
        self.edge_mm = voxel_um * 1e-3 * parameters.voxels_per_element
        self.elements = tuple(-(-n // parameters.voxels_per_element) for n in shape)
        self.block_mm = tuple(n * voxel_um * 1e-3 for n in shape)
        self.energy = np.zeros(self.elements, np.float32)
        self.results = dict.fromkeys(self.NUMBERS, float("nan"))
        self._memory = [Memory(self.elements) for _ in range(3)]
        self._solved_day = 0
        self._solved_quanta = -1

    def due(self, day: int, bone_quanta: int) -> bool:
        """Whether mechanics is to be solved on a day with so much bone."""
        p = self.parameters
        if p.interval_day == 0:
            return False
        if self._solved_quanta < 0 or day - self._solved_day >= p.interval_day:
            return True
        changed = abs(bone_quanta - self._solved_quanta)
        return changed >= 0.01 * p.changed_percent * self._solved_quanta

    def solve(self, quanta: NDArray[np.uint8], mineral: NDArray[np.uint8], day: int) -> None:
        """Solve for bone as it is: quanta and mineral of each voxel (z, y, x), both 0..255.

        Raises:
            NumericalError: it does not converge.
        """
        share, modulus = elements_of(quanta, mineral, self.parameters)
        self.energy[:] = 0.0
        self.results = dict.fromkeys(self.NUMBERS, float("nan"))
        self._solved_day, self._solved_quanta = day, int(quanta.sum(dtype=np.int64))
        axes = [axis for axis in range(3) if bridging(share, axis).any()]
        if axes:
            self._load(share, modulus, axes)

    def _load(
        self, share: NDArray[np.float32], modulus: NDArray[np.float32], axes: list[int]
    ) -> None:
        """Solve the confined strains along `axes`; energies and numbers of the habitual load."""
        p, edge = self.parameters, self.edge_mm
        structure = Structure(modulus * np.float32(edge), confined(), p.poisson)
        volume = float(np.prod([n * edge for n in self.elements]))
        solutions: dict[int, NDArray[np.float64]] = {}
        cycles = 0
        main = int(np.argmax([p.share_z, p.share_y, p.share_x]))
        stiffness = np.zeros((3, 3))
        spare = np.zeros(structure.mesh.weight.size)
        for axis in axes:
            even = affine(
                structure.places, edge, structure.mesh.stride, unit_strain((2 - axis, 2 - axis))
            )
            u = even + self._memory[axis].recall(structure)
            # Across, where load is a fraction, a tenth of the accuracy is enough.
            tolerance = p.tolerance if axis == main else 10.0 * p.tolerance
            found = structure.solve(u, tolerance, max_cycles=MAX_CYCLES)
            if not found.converged:
                raise NumericalError(
                    f"micro-FE along {'zyx'[axis]} did not converge: {found}; raise "
                    "mechanics.tolerance, or set mechanics.interval_day = 0 to go without"
                )
            cycles += found.iterations
            if found.mechanism:
                continue
            self._memory[axis].keep(structure, u - even)
            sums = np.zeros(6)
            read_elements(u, structure.mesh, structure.hierarchy.modes, spare, sums)
            stress = mean_stress(sums, edge, volume, p.poisson)
            stiffness[axis] = stress[[2, 1, 0]]
            solutions[axis] = u
        self._combine(structure, share, modulus, stiffness, solutions)
        self.results["mechanics_cycles"] = float(cycles)

    def _combine(
        self, structure: Structure, share: NDArray[np.float32], modulus: NDArray[np.float32],
        stiffness: NDArray[np.float64], solutions: dict[int, NDArray[np.float64]],
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
            self.results[f"apparent_modulus_{'zyx'[axis]}_mpa"] = 1.0 / compliance[place, place]
            # Linear: the displacement under a uniaxial stress is that of its three strains.
            weights = compliance[:, place]
            u = sum(w * solutions[a] for w, a in zip(weights, axes, strict=True))
            energy = np.zeros(bone.size)
            read_elements(u, structure.mesh, structure.hierarchy.modes, energy, np.zeros(6))
            energy /= self.edge_mm**3
            if axis == 0:
                self._strength(effective_strain(energy, moduli), bone)
            total += stress * stress * energy / bone
        self.energy[solid] = total

    def _strength(self, strain: NDArray[np.float64], bone: NDArray[np.float64]) -> None:
        """Strength along z from the effective strains under 1 MPa."""
        p = self.parameters
        area = self.block_mm[1] * self.block_mm[2]
        failing = failure_factor(strain, bone, p.strength)
        self.results["failure_load_n"] = failing * area
        self.results["yield_load_n"] = (
            self.results["apparent_modulus_z_mpa"] * p.strength.yield_strain * area
        )
        self.results["load_to_strength"] = p.habitual_stress_mpa / failing

    # -- restart -------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything a restart needs."""
        return {
            "energy": self.energy.copy(),
            "results": {name: float(value) for name, value in self.results.items()},
            "memory": {f"case_{n}": memory.state() for n, memory in enumerate(self._memory)},
            "solved_day": self._solved_day,
            "solved_quanta": self._solved_quanta,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put a `state` back."""
        self.energy[:] = state["energy"]
        self.results = {name: float(state["results"][name]) for name in self.NUMBERS}
        for n, memory in enumerate(self._memory):
            memory.restore(state["memory"][f"case_{n}"])
        self._solved_day = int(state["solved_day"])
        self._solved_quanta = int(state["solved_quanta"])
