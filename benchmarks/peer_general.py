"""General finite-element programs against bonesim on one small block of bone.

    python -m benchmarks.peer_general --block PATH_TO_VOR100 --ccx ccx --pairs 3

A cube of 48^3 voxels of `vor100` (shared/data) is clamped and pressed by 1 % along z.

- CalculiX (Dhondt, GPL; Debian package calculix-ccx): C3D8 elements, its direct solver SPOOLES on one
  thread, the whole program. Its energy is ours to 7 digits.
- scikit-fem and pyamg (`pip install scikit-fem pyamg`): the same trilinear elements; smoothed
  aggregation with the six rigid motions, conjugate gradients. Set-up and solution count, assembly
  does not.

bonesim and pyamg run at their loosest tolerance whose strain energy is within 8e-4 of bonesim's at
1e-9. All by turns in processor time. Ratios are printed; nothing is gated.
"""

import argparse
import os
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cc3d
import numpy as np

os.environ.setdefault("NUMBA_NUM_THREADS", "1")

EDGE, SIDE_MM, MODULUS_MPA, POISSON, STRAIN = 48, 0.03, 6800.0, 0.3, 0.01
MAX_ERROR = 8e-4
TOLERANCES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6)
#: Corners of an element as CalculiX counts them: x, y, z.
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0],
                    [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]])  # fmt: skip


class Block(NamedTuple):
    """Elements (n, 3; z, y, x), nodes (m, 3; x, y, z, in edges), and each element's eight nodes."""

    solid: np.ndarray
    nodes: np.ndarray
    elements: np.ndarray


def block_of(path: Path) -> Block:
    """The cube's bone that joins both loaded faces."""
    packed = np.load(path)
    size = int(np.prod(packed["shape"]))
    bone = np.unpackbits(packed["bone"])[:size].reshape(packed["shape"])[:EDGE, :EDGE, :EDGE]
    pieces: Any = cc3d.connected_components(bone.astype(bool), connectivity=6)
    both = np.intersect1d(pieces[0], pieces[-1])
    solid = np.isin(pieces, both[both > 0])
    places = np.argwhere(solid)[:, ::-1]
    corners = places[:, None, :] + CORNERS
    nodes, number = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    return Block(solid, nodes, number.reshape(-1, 8))


def bonesim_energy(block: Block, tolerance: float) -> tuple[float, float]:
    """Twice the strain energy (N mm), and processor seconds with set-up."""
    from bonesim.mechanics.cases import affine, uniaxial, unit_strain
    from bonesim.mechanics.solver import Structure

    begun = time.process_time()
    weight = block.solid * np.float32(MODULUS_MPA * SIDE_MM)
    structure = Structure(weight, uniaxial(0, "clamped", "free"), POISSON)
    u = affine(structure.places, SIDE_MM, structure.mesh.stride, -STRAIN * unit_strain((2, 2)))
    assert structure.solve(u, tolerance).converged
    energy = float(u @ structure.forces(u))
    return energy, time.process_time() - begun


def assembled(block: Block) -> tuple[Any, np.ndarray, np.ndarray]:
    """Stiffness of free components, the force on them, and their rigid motions, by scikit-fem."""
    from skfem import Basis, ElementHex1, ElementVector, MeshHex
    from skfem.models.elasticity import lame_parameters, linear_elasticity

    order = MeshHex().t[:, 0]
    places = MeshHex().p[:, order].T.astype(int)
    ours = [int(np.flatnonzero((place == CORNERS).all(axis=1))[0]) for place in places]
    mesh = MeshHex(SIDE_MM * block.nodes.T.astype(float), block.elements[:, ours].T.copy())
    basis = Basis(mesh, ElementVector(ElementHex1()))
    stiffness = linear_elasticity(*lame_parameters(MODULUS_MPA, POISSON)).assemble(basis).tocsr()
    z = mesh.p[2]
    given = np.zeros(stiffness.shape[0])
    dofs = basis.nodal_dofs
    top, bottom = np.flatnonzero(z == z.max()), np.flatnonzero(z == z.min())
    given[dofs[2, top]] = -STRAIN * EDGE * SIDE_MM
    held = np.concatenate([dofs[:, top].ravel(), dofs[:, bottom].ravel()])
    free = np.setdiff1d(np.arange(given.size), held)
    motions = np.zeros((given.size, 6))
    centred = mesh.p - mesh.p.mean(axis=1, keepdims=True)
    for c in range(3):
        motions[dofs[c], c] = 1.0
        i, j = (c + 1) % 3, (c + 2) % 3
        motions[dofs[i], 3 + c], motions[dofs[j], 3 + c] = -centred[j], centred[i]
    force = -(stiffness @ given)
    whole = (stiffness, given, free)
    return whole, force[free], motions[free]


def pyamg_energy(
    system: tuple[Any, np.ndarray, np.ndarray], tolerance: float
) -> tuple[float, float]:
    """As `bonesim_energy`, for an `assembled` system."""
    import pyamg

    (stiffness, given, free), force, motions = system
    inner = stiffness[free][:, free].tocsr()
    begun = time.process_time()
    levels = pyamg.smoothed_aggregation_solver(
        inner, B=motions, strength=("symmetric", {"theta": 0.0})
    )
    found = levels.solve(force, tol=tolerance, accel="cg", maxiter=500)
    seconds = time.process_time() - begun
    u = given.copy()
    u[free] = found
    return float(u @ (stiffness @ u)), seconds


def calculix(block: Block, ccx: str) -> tuple[float, float]:
    """Reaction force (N) times travel, and processor seconds of the whole program."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        z = block.nodes[:, 2]
        lines = ["*NODE, NSET=ALL"]
        lines += [
            f"{n + 1},{','.join(f'{SIDE_MM * v:.6f}' for v in p)}"
            for n, p in enumerate(block.nodes)
        ]
        lines.append("*ELEMENT, TYPE=C3D8, ELSET=BONE")
        lines += [
            f"{n + 1},{','.join(str(v + 1) for v in e)}" for n, e in enumerate(block.elements)
        ]
        for label, level in (("BOTTOM", z.min()), ("TOP", z.max())):
            lines.append(f"*NSET, NSET={label}")
            lines += [f"{n + 1}," for n in np.flatnonzero(z == level)]
        lines += [
            "*MATERIAL, NAME=TISSUE", "*ELASTIC", f"{MODULUS_MPA},{POISSON}",
            "*SOLID SECTION, ELSET=BONE, MATERIAL=TISSUE", "*STEP", "*STATIC, SOLVER=SPOOLES",
            "*BOUNDARY", "BOTTOM,1,3", "TOP,1,2", f"TOP,3,3,{-STRAIN * EDGE * SIDE_MM}",
            "*NODE PRINT, NSET=TOP, TOTALS=ONLY", "RF", "*END STEP",
        ]  # fmt: skip
        (folder / "block.inp").write_text("\n".join(lines) + "\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [ccx, "block"], cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise SystemExit(f"{ccx} ended with {done.returncode}: {done.stdout[-500:]}")
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        total = re.findall(
            r"^\s*\S+\s+\S+\s+(-?\d\.\d+E[+-]\d+)\s*$", (folder / "block.dat").read_text(), re.M
        )
        return abs(float(total[-1])) * STRAIN * EDGE * SIDE_MM, seconds


def loosest(energy: Callable[[float], tuple[float, float]], reference: float) -> float:
    """The loosest tolerance whose energy is within `MAX_ERROR`."""
    for tolerance in TOLERANCES:
        if abs(energy(tolerance)[0] / reference - 1.0) <= MAX_ERROR:
            return tolerance
    raise SystemExit(f"no tolerance is within {MAX_ERROR:g}")


def main() -> None:
    """Read the options; find tolerances; run by turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--block", type=Path, required=True, help="vor100_b20_30um.npz")
    parser.add_argument("--ccx", help="CalculiX; without it only pyamg is compared")
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    block = block_of(options.block)
    system = assembled(block)
    reference = bonesim_energy(block, 1e-9)[0]
    print(
        f"{len(block.elements)} elements, {3 * len(block.nodes)} unknowns; energy {reference:.8g} N mm"
    )
    own = loosest(lambda t: bonesim_energy(block, t), reference)
    peer = loosest(lambda t: pyamg_energy(system, t), reference)
    for pair in range(options.pairs):
        ours, mine = bonesim_energy(block, own)
        theirs, amg = pyamg_energy(system, peer)
        print(f"{pair + 1}: bonesim {own:g}: {mine:.3f} s, error {ours / reference - 1.0:+.1e}")
        print(
            f"   pyamg {peer:g}: {amg:.2f} s, {theirs / reference - 1.0:+.1e}; ratio {amg / mine:.1f}"
        )
        if options.ccx:
            direct, seconds = calculix(block, options.ccx)
            print(
                f"   CalculiX: {seconds:.2f} s, {direct / reference - 1.0:+.1e}; "
                f"ratio {seconds / mine:.1f}", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
