"""Mechanical test of one block of bone: stiffness, strength, and the whole stiffness tensor.

    compression   two faces approach by 1 %; only bone that connects them is included, over faces,
                  edges or corners of elements: all of these share nodes
    tensor        six unit strains by mixed uniform boundary conditions (Pahr 2008)

Stiffness and reaction come from the strain energy, W = 1/2 E strain^2 V, which has twice as many
correct digits as the displacement. Nodal forces summed over the faces are an independent check.
"""

import os
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.errors import InputError, NumericalError, ResourceError
from bonesim.mechanics.bone import Material, bridging
from bonesim.mechanics.cases import (
    PAIRS,
    Ends,
    Sides,
    affine,
    confined,
    sheared,
    uniaxial,
    unit_strain,
)
from bonesim.mechanics.solver import Convergence, Structure
from bonesim.mechanics.state import mean_stress, read_elements
from bonesim.mechanics.strength import (
    StrengthParameters,
    effective_strain,
    failure_factor,
    strain_quantiles,
)

Axis = Literal["z", "y", "x"]
AXES: tuple[Axis, ...] = ("z", "y", "x")
#: Apparent strain of the compression; bone is linear, so this only sets the reaction's scale.
STRAIN = 0.01
#: Reported quantiles of the strain distribution, percent of the bone.
QUANTILES = (5, 25, 50, 75, 95)
#: Bytes for each unknown of a structure (three a node), and for each element of the block.
BYTES_PER_UNKNOWN = 110.0
BYTES_PER_ELEMENT = 30.0
#: Share of the machine's memory that may be used.
MAX_MEMORY_SHARE = 0.9
#: Normal stiffnesses whose eigenvalues differ by more have no inverse.
MIN_EIGENVALUE_RATIO = 1e-9


class ApparentParameters(Material):
    """How a block is tested."""

    axis: Annotated[Axis, Field(description="along which it is compressed; input")] = "z"
    ends: Annotated[Ends, Field(description="fixed to the plates or sliding; choice")] = "clamped"
    sides: Annotated[Sides, Field(description="move or not; choice")] = "free"
    voxels_per_element: Annotated[
        int, Field(ge=1, le=4, description="edge of an element; choice, full resolution")
    ] = 1
    tolerance: Annotated[
        float, Field(ge=1e-10, le=0.01, description="error of the strain energy, relative; choice")
    ] = 1e-6
    max_cycles: Annotated[
        int, Field(ge=1, le=100000, description="V-cycles after which a solve has failed; choice")
    ] = 500
    habitual_stress_mpa: Annotated[
        float | None, Field(gt=0, le=100, description="compared with failure; vertebra .3-1; input")
    ] = None
    strength: StrengthParameters = StrengthParameters()


class Block(NamedTuple):
    """Bone cut into elements (z, y, x): share of bone and modulus, MPa; edge of an element, mm."""

    share: NDArray[np.float32]
    modulus: NDArray[np.float32]
    edge_mm: float

    @property
    def volume_mm3(self) -> float:
        """Of the whole block, marrow and all."""
        return float(self.share.size) * self.edge_mm**3


class Tensor(NamedTuple):
    """Apparent stiffness, (6, 6) MPa: xx, yy, zz, xy, yz, zx (engineering shear); how it was solved.

    `asymmetry`: largest difference of two opposite entries over the largest entry.
    `constants`: Young's and shear moduli (MPa) and Poisson's ratios (strain along the second
    axis under stress along the first) of the orthotropic part. Entries that couple normal and shear
    strain are left out: these cases do not define them well. NaN without an inverse.
    """

    stiffness: NDArray[np.float64]
    asymmetry: float
    constants: dict[str, float]
    worst: Convergence


def compress(block: Block, p: ApparentParameters) -> dict[str, float]:
    """Numbers of a compression by 1 %, named as in the table of measures.

    Raises:
        InputError: no bone, or none that reaches from face to face.
        ResourceError: too little memory. NumericalError: it did not converge.
    """
    axis = AXES.index(p.axis)
    through = _carrying(block, axis)
    share = np.where(through, block.share, np.float32(0.0))
    check_memory(share)
    edge = block.edge_mm
    weight = np.where(through, block.modulus, np.float32(0.0)) * np.float32(edge)
    structure = Structure(weight, uniaxial(axis, p.ends, p.sides), p.poisson)
    component = 2 - axis
    u = affine(
        structure.places, edge, structure.mesh.stride, -STRAIN * unit_strain((component, component))
    )
    found = _solved(structure, u, p, f"compression along {p.axis}")
    if found.mechanism:
        raise InputError(
            f"bone reaches from face to face along {p.axis} only over hinges, voxels that share an edge "
            "or a corner, that turn freely: it carries no load that way; lower `threshold`, take a "
            "larger block, or load another `axis`"
        )
    force = structure.forces(u).reshape(3, -1)[component, : len(structure.places)]
    low, high = (structure.places[:, axis] == end for end in (0, share.shape[axis]))
    at_faces = 0.5 * float(force[low].sum() - force[high].sum())
    energy = np.zeros(structure.mesh.weight.size)
    read_elements(u, structure.mesh, structure.hierarchy.modes, energy, np.zeros(6))
    area = block.volume_mm3 / (edge * share.shape[axis])
    modulus = 2.0 * float(energy.sum()) / (STRAIN**2 * block.volume_mm3)
    reaction = modulus * STRAIN * area
    solid = share > 0.0
    strain = effective_strain(energy / edge**3, block.modulus[solid])
    failure = failure_factor(strain, share[solid], p.strength) * reaction
    measures = {
        "apparent_modulus_mpa": modulus,
        "reaction_n": reaction,
        "face_force_n": at_faces,
        "yield_load_n": modulus * p.strength.yield_strain * area,
        "failure_load_n": failure,
    }
    if p.habitual_stress_mpa is not None:
        measures["load_to_strength"] = p.habitual_stress_mpa * area / failure
    shares = [0.01 * percent for percent in QUANTILES]
    spread = strain_quantiles(strain, share[solid], shares)
    measures |= {f"effective_strain_q{q}": s for q, s in zip(QUANTILES, spread, strict=True)}
    return measures | {
        "bone_carrying_percent": 100.0 * float(share.sum(dtype=np.float64)) / share.size,
        "unknowns": 3.0 * len(structure.places),
        **_convergence_measures(found),
    }


def tensor(block: Block, p: ApparentParameters) -> Tensor:
    """The apparent stiffness tensor, from six unit strains.

    Raises:
        InputError: no bone, or none that reaches from face to face along each axis.
        ResourceError: too little memory. NumericalError: it did not converge.
    """
    for axis in range(3):
        _carrying(block, axis)
    check_memory(block.share)
    weight = block.modulus * np.float32(block.edge_mm)
    stiffness = np.zeros((6, 6))
    ended = []
    energy = np.zeros(int(np.count_nonzero(weight > 0.0)))
    cases = [(confined(), (0, 1, 2)), *((sheared(PAIRS[k]), (k,)) for k in (3, 4, 5))]
    for held, strains in cases:
        structure = Structure(weight, held, p.poisson)
        for k in strains:
            strain = unit_strain(PAIRS[k])
            u = affine(structure.places, block.edge_mm, structure.mesh.stride, strain)
            ended.append(_solved(structure, u, p, f"strain {strain_name(k)}"))
            sums = np.zeros(6)
            read_elements(u, structure.mesh, structure.hierarchy.modes, energy, sums)
            stiffness[:, k] = mean_stress(sums, block.edge_mm, block.volume_mm3, p.poisson)
        del structure  # two at once need not fit into memory
    worst = Convergence(
        True, sum(c.iterations for c in ended), max(c.residual for c in ended),
        max(c.energy_error for c in ended), max(c.imbalance for c in ended),
    )  # fmt: skip
    skew = float(np.abs(stiffness - stiffness.T).max() / np.abs(stiffness).max())
    return Tensor(stiffness, skew, _constants(stiffness), worst)


def strain_name(case: int) -> str:
    """xx, yy, zz, xy, yz or zx."""
    return "".join("xyz"[component] for component in PAIRS[case])


def check_memory(share: NDArray[np.float32]) -> None:
    """Raise ResourceError if these elements do not fit into the memory."""
    used = np.zeros([n + 1 for n in share.shape], bool)
    for corner in np.ndindex(2, 2, 2):
        used[tuple(slice(c, c + n) for c, n in zip(corner, share.shape, strict=True))] |= share > 0
    unknowns = 3 * int(np.count_nonzero(used))
    needed = BYTES_PER_UNKNOWN * unknowns + BYTES_PER_ELEMENT * share.size
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > MAX_MEMORY_SHARE * memory:
        raise ResourceError(
            f"micro-FE: {unknowns / 1e6:.0f} million unknowns need about {needed / 1e9:.1f} GB, more "
            f"than {MAX_MEMORY_SHARE:.0%} of the {memory / 1e9:.1f} GB of this machine; give "
            "`voxels_per_element` 2, or a smaller block"
        )


def _carrying(block: Block, axis: int) -> NDArray[np.bool_]:
    """Elements that carry load along an axis; InputError if none do."""
    through = bridging(block.share, axis)
    if not through.any():
        raise InputError(
            f"no bone reaches from face to face along {AXES[axis]}, so the block carries no load "
            "that way; lower `threshold`, take a larger block, or load another `axis`"
        )
    return through


def _solved(
    structure: Structure, u: NDArray[np.float64], p: ApparentParameters, what: str
) -> Convergence:
    found = structure.solve(u, p.tolerance, max_cycles=p.max_cycles)
    if not found.converged:
        raise NumericalError(
            f"micro-FE, {what}: not converged to {p.tolerance:g} ({found}); give more "
            "`max_cycles`, or a larger `tolerance`"
        )
    return found


def _convergence_measures(found: Convergence) -> dict[str, float]:
    return {
        "energy_error": found.energy_error,
        "imbalance": found.imbalance,
        "residual": found.residual,
        "cycles": float(found.iterations),
    }


def _constants(stiffness: NDArray[np.float64]) -> dict[str, float]:
    """Young's and shear moduli and Poisson's ratios along x, y, z, of the orthotropic part."""
    normal = 0.5 * (stiffness[:3, :3] + stiffness[:3, :3].T)
    spread = np.linalg.eigvalsh(normal)
    compliance = np.full((3, 3), np.nan)
    if spread[0] > MIN_EIGENVALUE_RATIO * spread[-1]:
        compliance = np.linalg.inv(normal)
    young = {f"e_{'xyz'[i]}_mpa": float(1.0 / compliance[i, i]) for i in range(3)}
    shear = {f"g_{strain_name(k)}_mpa": float(stiffness[k, k]) for k in range(3, 6)}
    ratios = {
        f"nu_{'xyz'[i]}{'xyz'[j]}": float(-compliance[j, i] / compliance[i, i])
        for i in range(3)
        for j in range(3)
        if i != j
    }
    return young | shear | ratios
