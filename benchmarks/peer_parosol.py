"""Processor time against ParOSol (C++, MPI, octree multigrid) on the same bone, paired.

    python benchmarks/peer_parosol.py --peer-python PYTHON vor100 vor200 scan

PYTHON is an interpreter of its own that has parosol-py (GPL: a tool of this benchmark, run as a
process, no part of bonesim). Blocks are clamped and pressed by 1 %, E 6800 MPa, nu 0.3. Each
solver is given ever tighter tolerances until its reaction force is within 1e-3 of the reference;
that run counts, whole: reading and setting up included, compilation not. One core each; ratios
of one pair mean something on a busy machine, times do not.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parents[2] / "shared" / "data"
MODULUS_MPA, POISSON = 6800.0, 0.3
#: Reaction force on top at 1 %, N (the stored solutions' README); of the scan, solved to 1e-8 here.
REFERENCE = {"vor100": -23.54433923, "vor200": -109.68399753}
TOLERANCES = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5, 1e-6)
ALLOWED = 1e-3
MB = 1024.0

Bone = NDArray[np.bool_]


def bone_of(name: str) -> tuple[Bone, float]:
    """A block and its voxel, mm."""
    if name == "scan":
        import tifffile
        from scipy.ndimage import gaussian_filter

        grey = tifffile.imread(DATA / "lhdl_3155_grey_19p5um.tif").astype(np.float32)
        return gaussian_filter(grey, 1.0) >= 63.0, 0.0195
    stored = np.load(DATA / f"{name}_b20_30um.npz")
    shape = tuple(int(n) for n in stored["shape"])
    return np.unpackbits(stored["bone"])[: np.prod(shape)].reshape(shape).astype(bool), 0.030


def ours(bone: Bone, edge_mm: float, tolerance: float) -> tuple[float, int, int]:
    """Force (N), cycles and unknowns of our solver; strain energies too, as the peer writes them."""
    from bonesim.mechanics.cases import affine, uniaxial, unit_strain
    from bonesim.mechanics.solver import Structure
    from bonesim.mechanics.state import read_elements

    weight = np.where(bone, np.float32(MODULUS_MPA * edge_mm), np.float32(0.0))
    structure = Structure(weight, uniaxial(0, "clamped", "free"), POISSON)
    u = -0.01 * affine(structure.places, edge_mm, structure.mesh.stride, unit_strain((2, 2)))
    found = structure.solve(u, tolerance)
    energy = np.zeros(structure.mesh.weight.size)
    read_elements(u, structure.mesh, structure.hierarchy.modes, energy, np.zeros(6))
    force = -2.0 * float(energy.sum()) / (0.01 * bone.shape[0] * edge_mm)
    return force, found.iterations, 3 * len(structure.places)


def ours_alone(path: str, edge_mm: float, tolerance: float) -> None:
    """One solve in this process, its cost on stdout as JSON; called as a process of its own."""
    ours(np.ones((6, 6, 6), bool), edge_mm, 1e-3)  # compiled or read from the cache
    ours(np.ones((40, 40, 40), bool), edge_mm, 1e-2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    force, cycles, unknowns = ours(np.load(path), edge_mm, tolerance)
    used = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({
        "force": force, "cycles": cycles, "unknowns": unknowns, "cpu_s": used, "mb": peak / MB,
    }))  # fmt: skip


def write_input(path: Path, bone: Bone, edge_mm: float) -> None:
    """A block as ParOSol reads it: image in GPa and displacements of the faces' nodes."""
    nodes = np.zeros([n + 1 for n in bone.shape], bool)
    for corner in np.ndindex(2, 2, 2):
        nodes[tuple(slice(c, c + n) for c, n in zip(corner, bone.shape, strict=True))] |= bone
    places, values = [], []
    for z, pressed in ((0, 0.0), (bone.shape[0], -0.01 * bone.shape[0] * edge_mm)):
        y, x = np.nonzero(nodes[z])
        for component, value in ((0, 0.0), (1, 0.0), (2, pressed)):
            there = np.stack([np.full(y.size, z), y, x, np.full(y.size, component)], axis=1)
            places.append(there.astype(np.uint16))
            values.append(np.full(y.size, value, np.float32))
    with h5py.File(path, "w") as file:
        group = file.create_group("Image_Data")
        group["Fixed_Displacement_Coordinates"] = np.concatenate(places)
        group["Fixed_Displacement_Values"] = np.concatenate(values)
        group["Loaded_Nodes_Coordinates"] = np.zeros((0, 4), np.uint16)
        group["Loaded_Nodes_Values"] = np.zeros(0, np.float32)
        group["Poisons_ratio"] = POISSON
        group["Voxelsize"] = edge_mm
        group["Image"] = np.where(bone, np.float32(MODULUS_MPA / 1000.0), np.float32(0.0))


def peer_of(python: str) -> tuple[str, dict[str, str]]:
    """The peer's program and the environment it wants."""
    ask = (
        "import json; from parosol_py import runner as r; p = str(r.packaged_executable());"
        "print(json.dumps([p, dict(r.mpi_runtime_environment([p]) or {})]))"
    )
    answer = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    program, environment = json.loads(answer.stdout)
    return program, {**os.environ, **environment}


def theirs(
    program: str, environment: dict[str, str], path: Path, tolerance: float
) -> dict[str, Any]:
    """One run of the peer: what it says and costs."""
    command = [program, "--tol", f"{tolerance:g}", "--level", "6", str(path)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    said = process.stdout.read() if process.stdout else ""
    _, _, usage = os.wait4(process.pid, 0)
    cycles = [int(line.split(":")[1]) for line in said.splitlines() if "Nr of It" in line]
    with h5py.File(path, "r") as file:
        moved, force = file["Solution/disp"][:, 2], file["Solution/force"][:, 2]
    # The nodes of the pressed face: no other goes exactly as far.
    top = np.isclose(moved, moved.min(), rtol=1e-9)
    return {
        "force": -abs(float(force[top].sum())), "cycles": cycles[0], "mb": usage.ru_maxrss / MB,
        "cpu_s": usage.ru_utime + usage.ru_stime,
    }  # fmt: skip


def mine(path: Path, edge_mm: float, tolerance: float) -> dict[str, Any]:
    """One run of our solver, as a process of its own on one thread."""
    command = [sys.executable, __file__, "--alone", str(path), str(edge_mm), str(tolerance)]
    environment = {**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def compare(name: str, program: str, environment: dict[str, str], folder: Path) -> None:
    """Both solvers on one block, each at the loosest tolerance that is good enough; one line each."""
    bone, edge = bone_of(name)
    np.save(folder / "bone.npy", bone)
    write_input(folder / "bone.h5", bone, edge)
    wanted = REFERENCE.get(name) or mine(folder / "bone.npy", edge, 1e-8)["force"]
    found: dict[str, dict[str, Any]] = {}
    for who in ("bonesim", "ParOSol"):
        for tolerance in TOLERANCES:
            if who == "bonesim":
                run = mine(folder / "bone.npy", edge, tolerance)
            else:
                run = theirs(program, environment, folder / "bone.h5", tolerance)
            error = abs(run["force"] / wanted - 1.0)
            if error <= ALLOWED:
                found[who] = {**run, "tolerance": tolerance, "error": error}
                break
    unknowns = found["bonesim"]["unknowns"]
    for who, run in found.items():
        print(
            f"{name:7} {who:8} tolerance {run['tolerance']:.0e}, {run['cycles']:3} cycles, force "
            f"error {run['error']:.1e}, {run['cpu_s']:6.1f} s, {run['mb'] * 1e6 / unknowns:4.0f} bytes "
            "per unknown",
            flush=True,
        )
    ratio = found["ParOSol"]["cpu_s"] / found["bonesim"]["cpu_s"]
    print(f"{name:7} {unknowns} unknowns: ParOSol takes {ratio:.1f} times the processor time")


def main() -> None:
    """Read the command line."""
    if sys.argv[1:2] == ["--alone"]:
        ours_alone(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("blocks", nargs="+", choices=["vor100", "vor200", "scan"])
    given = parser.parse_args()
    program, environment = peer_of(given.peer_python)
    for name in given.blocks:
        with tempfile.TemporaryDirectory() as folder:
            compare(name, program, environment, Path(folder))


if __name__ == "__main__":
    main()
