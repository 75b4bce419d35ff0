"""ParOSol against bonesim on the same bone: what the same reaction force costs each of them.

    python -m benchmarks.peer_parosol --parosol PATH_TO_BINARY --case vor100 --pairs 3

ParOSol (Flaig 2011, GPL) is run as a process, one rank, with its default multigrid; it
is no part of bonesim. `pip install parosol-py` in an environment of its own brings the binary, in
`parosol_py/bin`. Blocks are clamped and pressed by 1 % along z; E 6800 MPa, Poisson's ratio 0.3. The
case "suppressed" is bone that the program made (`living_bone`): each element has its own modulus.

Each program runs at its loosest tolerance at which its force is within 1e-3 of the reference, on
one and the same core, by turns; once with the force read off the strain energy, once summed over
the pressed face, which is the harder. Processor time is ParOSol's whole process, and bonesim's from
reading the block to the force, with its kernels loaded before by a tiny solve. Both build
all levels within that time. Peak memory is the whole process, interpreter and all.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import cc3d
import h5py
import numpy as np

from benchmarks.living_bone import FOLDER, living

DATA = Path(__file__).parents[1].parent / "shared" / "data"
MODULUS_MPA, POISSON, STRAIN = 6800.0, 0.3, 0.01
TOLERANCES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 1e-6)
MAX_ERROR = 1e-3
#: How a force is read: off the strain energy, or summed over the pressed face.
WAYS = ("energy", "face")
#: Stands for "reference: bonesim's own force" where ParOSol has published none.
TIGHT = 1e-9
#: Case -> file, voxel (mm), and ParOSol's force at a residual of 1e-6, N (shared/data/README).
CASES = {
    "vor100": ("vor100_b20_30um.npz", 0.03, 23.54433923),
    "vor200": ("vor200_b20_30um.npz", 0.03, 109.68399753),
    "lhdl": ("lhdl_3155_grey_19p5um.tif", 0.0195, None),
    "suppressed": (str(FOLDER / "suppressed.npz"), 0.04, None),
}


class Cost(NamedTuple):
    """One solve: seconds, bytes, V-cycles or iterations; force by energy and on the face, N."""

    processor_s: float
    wall_s: float
    peak_bytes: float
    iterations: int
    energy_n: float
    face_n: float
    unknowns: int

    def error(self, way: str, reference: float) -> float:
        """Of the force by "energy" or on the "face", relative."""
        return (self.energy_n if way == "energy" else self.face_n) / reference - 1.0


def bone_of(case: str, data: Path) -> np.ndarray:
    """What is solved (z, y, x): shares of the modulus. All of it joins the two loaded faces."""
    path = data / CASES[case][0]
    if case == "suppressed":
        weight = living(case).weights[0]
        return joining(weight > 0.0) * (weight / weight.max())
    if path.suffix == ".npz":
        packed = np.load(path)
        size = int(np.prod(packed["shape"]))
        bits = np.unpackbits(packed["bone"])[:size]
        return bits.reshape(packed["shape"]).astype(np.float32)
    import tifffile
    from scipy.ndimage import gaussian_filter

    solid = gaussian_filter(tifffile.imread(path).astype(np.float32), 1.0, mode="nearest") >= 63
    return joining(solid)


def joining(solid: np.ndarray) -> np.ndarray:
    """The pieces that join the two loaded faces, 1 there, 0 elsewhere."""
    pieces: Any = cc3d.connected_components(solid, connectivity=26)
    both = np.intersect1d(pieces[0], pieces[-1])
    return np.isin(pieces, both[both > 0]).astype(np.float32)


def write_input(path: Path, bone: np.ndarray, voxel_mm: float) -> None:
    """ParOSol's input: modulus in GPa, and (z, y, x, direction) of what is given, in mm.

    Its forces come out in N. A displacement of 0 is written 1e-16, as ParOSol's own writer does.
    """
    used = np.zeros([n + 1 for n in bone.shape], bool)
    for corner in np.ndindex(2, 2, 2):
        used[tuple(slice(c, c + n) for c, n in zip(corner, bone.shape, strict=True))] |= bone > 0
    places, values = [], []
    for z, pressed in ((0, 1e-16), (len(bone), -travel(bone, voxel_mm))):
        nodes = np.argwhere(used[z])
        for direction in range(3):
            column = np.ones((len(nodes), 1), int)
            places.append(np.hstack([z * column, nodes, direction * column]))
            values.append(np.full(len(nodes), pressed if direction == 2 else 1e-16))
    with h5py.File(path, "w") as file:
        group = file.create_group("Image_Data")
        group["Image"] = bone * np.float32(MODULUS_MPA / 1000.0)
        group["Voxelsize"], group["Poisons_ratio"] = voxel_mm, POISSON
        group["Fixed_Displacement_Coordinates"] = np.concatenate(places).astype(np.uint16)
        group["Fixed_Displacement_Values"] = np.concatenate(values).astype(np.float32)
        group["Loaded_Nodes_Coordinates"] = np.zeros((0, 4), np.uint16)
        group["Loaded_Nodes_Values"] = np.zeros(0, np.float32)


def travel(bone: np.ndarray, voxel_mm: float) -> float:
    """Of the pressed face, mm."""
    return STRAIN * voxel_mm * len(bone)


def environment(binary: Path) -> dict[str, str]:
    """Where the binary's own MPI is, if it came with one; one thread for bonesim."""
    found = dict(os.environ, NUMBA_NUM_THREADS="1")
    mpi = binary.resolve().parent / "openmpi"
    if mpi.is_dir():
        found |= {
            "PATH": f"{mpi / 'bin'}{os.pathsep}{found.get('PATH', '')}",
            "LD_LIBRARY_PATH": str(mpi / "lib"),
            **dict.fromkeys(("OPAL_PREFIX", "PRTE_PREFIX", "PMIX_PREFIX"), str(mpi)),
            "OPAL_MCA_mca_base_component_path": str(mpi / "lib" / "openmpi"),
            "PMIX_MCA_mca_base_component_path": str(mpi / "lib" / "pmix"),
            "OMPI_MCA_pml": "ob1", "OMPI_MCA_btl": "self,vader,tcp", "OMPI_MCA_osc": "pt2pt",
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        }  # fmt: skip
    return found


def run(command: list[Any], env: dict[str, str], core: int) -> tuple[str, float, float, float]:
    """What a process on one core prints, its processor and wall seconds and peak bytes."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command], env=env, text=True, stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )  # fmt: skip
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}: {printed[-500:]}")
    return printed, used.ru_utime + used.ru_stime, wall, 1024.0 * used.ru_maxrss


def theirs(binary: Path, folder: Path, tolerance: float, env: dict[str, str], core: int) -> Cost:
    """ParOSol's cost; its forces come from what it wrote."""
    path, voxel_mm = folder / "peer.h5", json.loads((folder / "voxel.json").read_text())
    bone = np.load(folder / "bone.npy")
    write_input(path, bone, voxel_mm)
    printed, processor, wall, peak = run([binary, "--tol", tolerance, path], env, core)
    iterations = re.search(r"Nr of It:\s+(\d+)", printed)
    assert iterations, printed
    with h5py.File(path) as file:
        z, force = file["Mesh/Coordinates"][:, 2], file["Solution/force"][()]
        by_energy = float((file["Solution/disp"][()] * force).sum()) / travel(bone, voxel_mm)
    path.unlink()
    on_face = abs(float(force[z > z.max() * (1.0 - 1e-6), 2].sum()))
    return Cost(processor, wall, peak, int(iterations[1]), by_energy, on_face, 3 * len(z))


def ours(folder: Path, tolerance: float, env: dict[str, str], core: int) -> Cost:
    """bonesim's cost, measured within its own process, after the kernels are loaded."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.peer_parosol",
        "--solve",
        folder,
        "--tolerance",
        tolerance,
    ]
    printed, _, _, peak = run(command, env, core)
    found = json.loads(printed.splitlines()[-1])
    return Cost(peak_bytes=peak, **found)


def solve(folder: Path, tolerance: float) -> dict[str, float]:
    """The timed part of `ours`."""
    from bonesim.mechanics.cases import affine, uniaxial, unit_strain
    from bonesim.mechanics.solver import Structure

    def pressed(bone: np.ndarray, edge: float) -> dict[str, float]:
        weight = bone * np.float32(MODULUS_MPA * edge)
        structure = Structure(weight, uniaxial(0, "clamped", "free"), POISSON)
        strain = -STRAIN * unit_strain((2, 2))
        u = affine(structure.places, edge, structure.mesh.stride, strain)
        found = structure.solve(u, tolerance)
        assert found.converged, found
        force = structure.forces(u)
        nodes = len(structure.places)
        top = structure.places[:, 0] == len(bone)
        return {
            "iterations": found.iterations, "unknowns": 3 * nodes,
            "energy_n": float(u @ force) / travel(bone, edge),
            "face_n": abs(float(force.reshape(3, -1)[2, :nodes][top].sum())),
        }  # fmt: skip

    tiny = np.ones((12, 12, 12), np.float32)
    tiny[::3, ::2, 3:9] = 0.0
    pressed(tiny, 0.03)
    began, begun = time.process_time(), time.perf_counter()
    voxel_mm = json.loads((folder / "voxel.json").read_text())
    found = pressed(np.load(folder / "bone.npy"), voxel_mm)
    return found | {
        "processor_s": time.process_time() - began, "wall_s": time.perf_counter() - begun,
    }  # fmt: skip


def row(name: str, tolerance: float, cost: Cost, reference: float) -> None:
    """One line of the table."""
    print(
        f"{name:8} {tolerance:9.0e} {cost.iterations:10d} {cost.processor_s:11.2f} "
        f"{cost.wall_s:8.2f} {cost.peak_bytes / cost.unknowns:9.0f} "
        f"{cost.error('energy', reference):+13.1e} {cost.error('face', reference):+11.1e}",
        flush=True,
    )


def compare(case: str, options: argparse.Namespace) -> None:
    """Find the tolerances, then run by turns."""
    _, voxel_mm, reference = CASES[case]
    env, core = environment(options.parosol), options.core
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "bone.npy", bone_of(case, options.data))
        (folder / "voxel.json").write_text(json.dumps(voxel_mm))

        def cost_of(program: str, tolerance: float) -> Cost:
            if program == "bonesim":
                return ours(folder, tolerance, env, core)
            return theirs(options.parosol, folder, tolerance, env, core)

        source = "ParOSol at a residual of 1e-6"
        if reference is None:
            reference = ours(folder, TIGHT, env, core).energy_n
            source = f"bonesim at {TIGHT:g}"
        print(f"\n{case}: reference {reference:.6f} N, {source}; errors of the force")
        print(
            "program  tolerance iterations processor s   wall s B/unknown     by energy     on face"
        )
        found: dict[tuple[str, str], tuple[float, Cost]] = {}
        for program in ("bonesim", "ParOSol"):
            loosest = options.first if program == "ParOSol" else TOLERANCES[0]
            for tolerance in (t for t in TOLERANCES if t <= loosest):
                cost = cost_of(program, tolerance)
                row(program, tolerance, cost, reference)
                for way in WAYS:
                    if abs(cost.error(way, reference)) <= MAX_ERROR:
                        found.setdefault((program, way), (tolerance, cost))
                if all((program, way) in found for way in WAYS):
                    break
            else:
                raise SystemExit(f"{program}: no tolerance brings the force within {MAX_ERROR:g}")
        for way in WAYS:
            pair_up(way, found, cost_of, options.pairs, reference)


def pair_up(way: str, found: Any, cost_of: Any, pairs: int, reference: float) -> None:
    """Both programs by turns; their ratios."""
    ratios = []
    for pair in range(pairs):
        # The peer's run that found its tolerance is the first half of the first pair.
        tolerance, first = found["ParOSol", way]
        peer = first if pair == 0 else cost_of("ParOSol", tolerance)
        row("ParOSol", tolerance, peer, reference)
        tolerance = found["bonesim", way][0]
        own = cost_of("bonesim", tolerance)
        row("bonesim", tolerance, own, reference)
        ratios.append(peer.processor_s / own.processor_s)
    listed = ", ".join(f"{ratio:.1f}" for ratio in ratios)
    print(f"force {way}: {own.unknowns} unknowns; processor time ParOSol / bonesim: {listed}")


def main() -> None:
    """Read the options; compare, or be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parosol", type=Path, help="ParOSol's native binary")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the blocks")
    parser.add_argument("--case", choices=CASES, nargs="+", default=["vor100"])
    parser.add_argument("--pairs", type=int, default=1, help="runs by turns")
    parser.add_argument(
        "--first", type=float, default=1e-3, help="ParOSol's loosest tolerance tried"
    )
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--solve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--tolerance", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.solve is not None:
        print(json.dumps(solve(options.solve, options.tolerance)))
        return
    if options.parosol is None:
        parser.error("--parosol PATH_TO_BINARY is needed")
    for case in options.case:
        compare(case, options)


if __name__ == "__main__":
    main()
