"""Sheets, strips and rods with a one-sided cavity: strain of its floor by finite elements, and lattices.

A quarter is solved, on elements of 10 um: the cavity's centre lies on two planes of symmetry; ends
2 mm apart (rods 1.6 mm) approach without turning, sides are free. A sheet is 2 mm wide. Axes z, y, x:
z through the thickness, the cavity's long side and a rod along x. `python -m tests.mechanics.weakened`
solves all of `RECORDED` again.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.lattice.mineral import MineralParameters
from bonesim.lattice.tissue import Tissue
from bonesim.mechanics.cases import affine, uniaxial, unit_strain
from bonesim.mechanics.solver import Structure
from bonesim.mechanics.state import read_elements
from bonesim.units import BONE, FULL

POISSON = 0.3
VOXEL_UM = 20.0
#: Parts of a voxel along each axis, to find its share of bone.
PARTS = 4
HALF_SHEET_UM = 1000.0
HALF_ROD_UM = 800.0
#: Wider than any rod: its whole cap is gone.
CAP_UM = 1e4


class Shape(NamedTuple):
    """Bone with a cavity, um.

    Attributes:
        kind: "sheet", "strip" or "rod".
        thickness: of the sheet or strip; diameter of the rod.
        left: below the cavity's floor.
        wide: of the cavity, along y.
        long: of the cavity, along x.
        breadth: of the strip.
    """

    kind: str
    thickness: float
    left: float
    wide: float = 200.0
    long: float = 500.0
    breadth: float = 2.0 * HALF_SHEET_UM

    def bone(
        self, z: NDArray[np.floating], y: NDArray[np.floating], x: NDArray[np.floating]
    ) -> NDArray[np.bool_]:
        """Whether intact bone is at these places; the origin is the centre."""
        if self.kind == "rod":
            return (z * z + y * y <= 0.25 * self.thickness**2) & (x == x)
        within = np.abs(y) < 0.5 * self.breadth if self.kind == "strip" else y == y
        return (np.abs(z) < 0.5 * self.thickness) & within & (x == x)

    def cavity(
        self, z: NDArray[np.floating], y: NDArray[np.floating], x: NDArray[np.floating]
    ) -> NDArray[np.bool_]:
        """Whether these places are in the cavity."""
        inside = (np.abs(y) < 0.5 * self.wide) & (np.abs(x) < 0.5 * self.long)
        return (z > self.left - 0.5 * self.thickness) & inside


def floor_strain(shape: Shape, axis: int, edge_um: float = 10.0) -> float:
    """Effective strain below the floor's centre over that of intact bone, for load along an axis.

    The energy density is the mean through what is left; effective strain goes with its root. Strain
    of intact bone is the force over the intact section.
    """
    y_um = 0.5 * shape.thickness if shape.kind == "rod" else 0.5 * shape.breadth
    x_um = HALF_ROD_UM if shape.kind == "rod" else HALF_SHEET_UM
    counts = [round(um / edge_um) for um in (shape.thickness, y_um, x_um)]
    z, y, x = np.meshgrid(
        *((np.arange(n) + 0.5) * edge_um for n in counts), indexing="ij", sparse=True
    )
    z = z - 0.5 * shape.thickness
    bone = shape.bone(z, y, x) & ~shape.cavity(z, y, x)
    held = uniaxial(axis, "frictionless", "free")
    held[1, 0, 1] = held[2, 0, 0] = True
    structure = Structure(bone.astype(np.float32), held, POISSON)
    component = 2 - axis
    u = affine(structure.places, 1.0, structure.mesh.stride, unit_strain((component, component)))
    assert structure.solve(u, 1e-7).converged
    listed = np.zeros(structure.mesh.weight.size)
    read_elements(u, structure.mesh, structure.hierarchy.modes, listed, np.zeros(6))
    energy = np.zeros(bone.shape)
    energy[bone] = listed
    # Of unit modulus, edge and end displacement per length: energy is half of force x length.
    force = 2.0 * listed.sum() / bone.shape[axis]
    intact = force / np.count_nonzero(bone.take(-1, axis))
    return float(np.sqrt(2.0 * energy[:, 0, 0][bone[:, 0, 0]].mean()) / intact)


def strains(shape: Shape) -> tuple[float, ...]:
    """`floor_strain` along the cavity's long side, and on a sheet across it."""
    axes = (2, 1) if shape.kind == "sheet" else (2,)
    return tuple(floor_strain(shape, axis) for axis in axes)


def dug(
    shape: Shape, turn: NDArray[np.float64], off_um: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> tuple[Tissue, int, tuple[float, float, float]]:
    """Bone on a lattice of 20 um with the cavity as an open one; voxel of its centre, normal.

    Args:
        shape: bone and cavity.
        turn: rotation (3, 3), rows: the shape's axes z, y, x in those of the lattice.
        off_um: its centre from the lattice's.
    """
    upright = np.allclose(turn, np.eye(3))
    size = np.array([24, 50, 50] if upright else [46, 46, 46])
    centre = 0.5 * VOXEL_UM * size + off_um
    share = np.zeros((2, *size), np.float32)
    for part in np.ndindex(PARTS, PARTS, PARTS):
        axes = [
            (np.arange(n) + (p + 0.5) / PARTS) * VOXEL_UM - c
            for n, p, c in zip(size, part, centre, strict=True)
        ]
        z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
        place = [row[0] * z + row[1] * y + row[2] * x for row in turn]
        bone = shape.bone(*place)
        share[0] += bone
        share[1] += bone & ~shape.cavity(*place)
    before, left = np.round(FULL * share / PARTS**3).astype(np.uint8)
    tissue = Tissue(np.where(before >= BONE, left, np.minimum(before, left)), VOXEL_UM,
                    MineralParameters(), 1)  # fmt: skip
    owner = np.full(tissue.padded_shape, -1, np.int32)
    owner[1:-1, 1:-1, 1:-1][(left < before) & (before >= BONE)] = 0
    tissue.lattice.owner[:] = owner.ravel()
    surface = (0.5 * shape.thickness - 1.0) * turn[0] + centre
    voxel = np.ravel_multi_index(np.floor(surface / VOXEL_UM).astype(int) + 1, tissue.padded_shape)
    nz, ny, nx = (-turn[0]).tolist()
    return tissue, int(voxel), (nz, ny, nx)


TRENCHES = [
    Shape("sheet", t, left, 200.0, long)
    for t, lefts in ((120.0, (60.0, 30.0, 10.0)), (80.0, (40.0, 20.0, 10.0)), (200.0, (100.0, 50.0, 20.0)))
    for long in (500.0, 200.0, 800.0)
    for left in lefts
]  # fmt: skip
STRIPS = [
    Shape("strip", 120.0, left, 200.0, 500.0, breadth)
    for breadth in (300.0, 600.0) for left in (60.0, 30.0, 10.0)
]  # fmt: skip
#: Slots of +/- 30 to 37 degrees, and the whole cap.
RODS = [
    Shape("rod", d, share * d, wide, long)
    for d, slot in ((120.0, 60.0), (80.0, 40.0), (200.0, 120.0)) for wide in (slot, CAP_UM)
    for long in (500.0, 200.0) for share in (0.5, 0.25)
]  # fmt: skip

if __name__ == "__main__":
    for one in TRENCHES + STRIPS + RODS:
        print(f"    {tuple(one)}: ({', '.join(f'{s:.2f}' for s in strains(one))},),", flush=True)
