"""Measures bones with bonesim and with independent programs, side by side, into one table.

    python compare.py lhdl_3155_grey_19p5um.tif bonebox_04216_roi1_50um.nrrd -o table.csv

Every program gets the same binary voxels, all of them. Two numbers of bonesim stand beside each of
theirs: by its own convention, and with its kernels set to the other program's convention.
A program that is not installed is skipped, which is reported.
"""

import argparse
import importlib
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import cc3d
import edt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bonesim.morphometry import euler_of, fabric, measure, paint_spheres, purified, surface_mesh
from bonesim.specimens import ScanParameters, read_grey

Bool = NDArray[np.bool_]

#: How the two bones are to be read; others are read as `bonesim measure` does.
SETTINGS = {
    "lhdl_3155_grey_19p5um.tif": {"voxel_um": 19.5, "threshold": 63.0, "smooth_voxel": 1.0},
    "bonebox_04216_roi1_50um.nrrd": {"voxel_um": 50.0, "threshold": 127.5},
}


class Bone(NamedTuple):
    """A bone to measure: its voxels, their edge, and bonesim's panel of it."""

    name: str
    voxels: Bool
    voxel_um: float
    ours: dict[str, float]

    @property
    def mm3(self) -> float:
        """Volume."""
        return float(self.voxels.size * (self.voxel_um / 1000.0) ** 3)


class Row(NamedTuple):
    """One measure: theirs, bonesim's, and bonesim's by their convention (NaN: not tried)."""

    measure: str
    unit: str
    theirs: float
    bonesim: float
    by_their_convention: float
    convention: str


def read(path: Path) -> Bone:
    """The binary voxels of a scan, without empty outermost layers: those are no scan."""
    grey = read_grey(
        ScanParameters.model_validate({"path": str(path), **SETTINGS.get(path.name, {})})
    )
    voxels = grey.values >= grey.threshold
    places = np.argwhere(voxels)
    box = tuple(slice(a, b + 1) for a, b in zip(places.min(0), places.max(0), strict=True))
    voxels = np.ascontiguousarray(voxels[box])
    panel = measure(
        voxels.astype(np.uint8) * np.uint8(255), grey.voxel_um, np.ones(voxels.shape, bool)
    )
    return Bone(path.stem, voxels, grey.voxel_um, {name: one.value for name, one in panel.items()})


def painted(radius: NDArray[np.floating]) -> NDArray[np.float32]:
    """The largest of the spheres over each voxel, by bonesim's kernel."""
    largest = np.zeros(radius.shape, np.float32)
    paint_spheres(np.ascontiguousarray(radius, np.float32), largest)
    return largest


def of_skimage(skimage: ModuleType, bone: Bone) -> Iterator[Row]:
    """Euler numbers and area."""
    from skimage.measure import euler_number, marching_cubes, mesh_surface_area

    largest = cc3d.largest_k(bone.voxels, k=1, connectivity=26) > 0
    network = purified(bone.voxels)
    for what, voxels in (("raw", bone.voxels), ("largest piece", largest), ("purified", network)):
        yield Row(
            "Conn.D", "1/mm3", (1 - euler_number(voxels, connectivity=3)) / bone.mm3,
            bone.ours["conn_d_unfiltered_per_mm3"],
            (1 - euler_of(np.pad(voxels, 1))) / bone.mm3,
            f"{what}, cut faces count as surface, no filter",
        )  # fmt: skip
    corners, faces, *_ = marching_cubes(bone.voxels.astype(np.float32), 0.5)
    area = mesh_surface_area(corners, faces) * (bone.voxel_um / 1000.0) ** 2
    everywhere = np.ones(bone.voxels.shape, bool)
    ours = surface_mesh(bone.voxels.astype(np.uint8) * np.uint8(255), everywhere).area()
    yield Row(
        "BS/TV", "1/mm", area / bone.mm3, bone.ours["bstv_per_mm"],
        ours * (bone.voxel_um / 1000.0) ** 2 / bone.mm3,
        "over all voxels, not over the cubes between their centres",
    )  # fmt: skip


def of_porespy(porespy: ModuleType, bone: Bone) -> Iterator[Row]:
    """Local thickness with whole radii; the value is the diameter 2 r."""
    porespy.settings.tqdm["disable"] = True
    for name, phase in (("tb_th_um", bone.voxels), ("tb_sp_um", ~bone.voxels)):
        theirs = porespy.filters.local_thickness(phase, method="bf")[phase]
        radius = np.floor(edt.edt(phase.astype(np.uint8), black_border=False))
        yield Row(
            symbol(name), "um", 2.0 * float(theirs.mean()) * bone.voxel_um, bone.ours[name],
            2.0 * float(painted(radius)[phase].mean(dtype=np.float64)) * bone.voxel_um,
            "radii rounded down to whole voxels; diameter 2 r; spacing at full resolution",
        )  # fmt: skip


def of_bone_microarchitecture(package: ModuleType, bone: Bone) -> Iterator[Row]:
    """BV/TV and local thickness as for HR-pQCT; the spacing takes minutes."""
    from bone_microarchitecture.metrics import compartment_metrics

    everywhere, spacing = np.ones(bone.voxels.shape, bool), (bone.voxel_um / 1000.0,) * 3
    volumes = compartment_metrics(
        bone_mask=bone.voxels,
        periosteal_mask=everywhere,
        trabecular_mask=everywhere,
        spacing=spacing,
    )
    yield Row("BV/TV", "%", 100.0 * volumes["Tb.BV/TV"], *[bone.ours["bvtv_percent"]] * 2, "voxels")
    for name, phase in (("tb_th_um", bone.voxels), ("tb_sp_um", ~bone.voxels)):
        theirs = package.hildebrand_thickness_map(phase, spacing, backend="cpu")
        yield Row(
            symbol(name), "um", 1000.0 * float(theirs[theirs > 0.0].mean(dtype=np.float64)),
            bone.ours[name], whole_spheres_um(phase, bone.voxel_um),
            "spheres cut by the block left out; diameter 2 r - 1; mean where a sphere is",
        )  # fmt: skip


def whole_spheres_um(phase: Bool, voxel_um: float) -> float:
    """Mean diameter 2 r - 1 of spheres that lie within the block and hold their border voxels."""
    cut = np.pad(phase, 1).astype(np.uint8)
    squared = np.rint(edt.edt(cut, black_border=False)[1:-1, 1:-1, 1:-1] ** 2)
    for axis, size in enumerate(phase.shape):
        place = np.arange(size) + 0.5
        to_face = np.minimum(place, size - place).reshape(
            [-1 if a == axis else 1 for a in range(3)]
        )
        squared = np.where(np.sqrt(squared) < to_face, squared, 0)
    # Their sphere holds voxels at exactly r; ours those nearer than r.
    largest = painted(np.sqrt(np.where(squared > 0, squared + 1, 0)))[phase].astype(np.float64)
    diameter = 2.0 * np.sqrt(np.rint(largest[largest > 0] ** 2) - 1.0) - 1.0
    return float(diameter[diameter > 0.0].mean()) * voxel_um


def of_plate_rod_thinning(package: ModuleType, bone: Bone) -> Iterator[Row]:
    """Plates and rods by the topology of the skeleton."""
    spacing = (bone.voxel_um / 1000.0,) * 3
    theirs = package.plate_rod_analysis(
        bone.voxels, parameters=package.PlateRodParameters(voxel_spacing_mm=spacing)
    ).summary
    nan = float("nan")
    yield Row("BV/TV", "%", 100.0 * theirs["BV/TV"], *[bone.ours["bvtv_percent"]] * 2, "voxels")
    share = 100.0 * theirs["pBV/BV"] / (theirs["pBV/BV"] + theirs["rBV/BV"])
    how = "plate: any sheet of the skeleton, however narrow; share of what is plate or rod"
    yield Row("pBV/BV", "%", share, bone.ours["plate_share_percent"], nan, how)
    for name, key in (("pTb.N", "plate_n_per_mm"), ("rTb.N", "rod_n_per_mm")):
        yield Row(
            name, "1/mm", theirs[name], bone.ours[key], nan, "parted at every skeleton junction"
        )


def of_fabrictensor(package: ModuleType, bone: Bone) -> Iterator[Row]:
    """Mean intercepts by test lines in the largest ball of the block."""
    ball = package.centered_sphere_mask(bone.voxels.shape)
    directions = package.icosahedral_directions(1)
    intercept = np.asarray(
        package.compute_mil_all(
            bone.voxels.astype(np.uint8), ball, directions, n_rays=1000, dense_vectors=False
        ),
        float,
    )
    z, y, x = directions[:, 2], directions[:, 1], directions[:, 0]
    terms = np.stack([z * z, y * y, x * x, 2 * z * y, 2 * z * x, 2 * y * x], axis=1)
    zz, yy, xx, zy, zx, yx = np.linalg.lstsq(terms, intercept**-2.0, rcond=None)[0]
    values = np.linalg.eigvalsh([[zz, zy, zx], [zy, yy, yx], [zx, yx, xx]])
    quanta = bone.voxels.astype(np.uint8) * np.uint8(255)
    yield Row(
        "DA", "", float(np.sqrt(values[-1] / values[0])), bone.ours["da"],
        fabric(surface_mesh(quanta, ball)).anisotropy,
        "surface of the voxels, unsmoothed, in the largest ball; theirs by 42,000 test lines",
    )  # fmt: skip


def symbol(name: str) -> str:
    """The field's name of a length."""
    return {"tb_th_um": "Tb.Th", "tb_sp_um": "Tb.Sp"}[name]


#: Module -> name of its package, and what is asked of it.
OTHERS: dict[str, tuple[str, Callable[[ModuleType, Bone], Iterator[Row]]]] = {
    "skimage": ("scikit-image", of_skimage),
    "porespy": ("porespy", of_porespy),
    "plate_rod_thinning": ("plate-rod-thinning", of_plate_rod_thinning),
    "fabrictensor": ("fabrictensor", of_fabrictensor),
    "bone_microarchitecture": ("bone-microarchitecture", of_bone_microarchitecture),
}


def main() -> None:
    """Measure, print, write the table after every bone and program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bones", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("table.csv"))
    parser.add_argument("--without", nargs="*", default=[], help="modules to leave out")
    given = parser.parse_args()
    bones = [read(path) for path in given.bones]
    rows: list[dict[str, object]] = []
    for module, (package, ask) in OTHERS.items():
        if module in given.without:
            print(f"{package}: left out as asked")
            continue
        try:
            program = importlib.import_module(module)
        except ImportError as error:
            print(f"{package}: skipped, not installed ({error})")
            continue
        named = f"{package} {version(package)}"
        for bone in bones:
            begun = time.perf_counter()
            for row in ask(program, bone):
                rows.append({"bone": bone.name, "program": named, **row._asdict()})
            print(f"{named}, {bone.name}: {time.perf_counter() - begun:.0f} s", flush=True)
            pd.DataFrame(rows).to_csv(given.output, index=False, float_format="%.5g")
    print(pd.DataFrame(rows).drop(columns="convention").to_string(float_format="%.4g"))


if __name__ == "__main__":
    main()
