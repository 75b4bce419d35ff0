"""The standard panel of structural measures (Bouxsein 2010), each with unit and method."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.morphometry.connectivity import connectivity, euler_of, fragments, purified
from bonesim.morphometry.domain import Domain, domain_of
from bonesim.morphometry.network import network_of
from bonesim.morphometry.number import middles_of, number_in_sections, ridge_distance
from bonesim.morphometry.plates_and_rods import plates_and_rods
from bonesim.morphometry.roughness import after_gaussian, roughness
from bonesim.morphometry.shape import Mesh, amid_eight, fabric, structure_model_index, surface_mesh
from bonesim.morphometry.spheres import Progress, part_of
from bonesim.morphometry.thickness import distances_of, mean_and_sd, mean_thickness, spheres_over
from bonesim.morphometry.thinning import half_thickness_of
from bonesim.morphometry.windows import RADII_UM, name_of, spectrum
from bonesim.units import BONE, FULL, unit_of

#: Standard deviation of the Gaussian before Conn.D, um: 0.75 of a simulation's voxel (scanners'
#: protocols: 0.8 voxel, support 1), the widest that leaves a sheet of one voxel. Half a voxel lets
#: one-voxel tunnels count: Conn.D doubles in five years in which nothing can be perforated.
FILTER_UM = 15.0
#: Standard deviation of the Gaussian before SMI and skeletons, um (one voxel of a simulation): steps
#: of voxels have no curvature, and their tunnels are no struts (unfiltered, a suppressed bone's
#: nodes double). Not in voxels: at 50 um it would take the thinnest struts.
SHAPE_UM = 20.0
#: Shares of the whole work that are spheres of bone, and of marrow, about.
BONE_WORK, MARROW_WORK = 0.12, 0.5

_SPHERE = "largest sphere (Hildebrand 1997a)"
_CUT = "spheres that the edge cuts are censored (Kaplan-Meier)"
_MIL = "exact mean intercept over the surface (no test lines), ellipsoid of 1/MIL^2"
_CURVES = "curve skeleton (isthmus thinning) of the purified network, Gaussian of 20 um"
_SHEETS = "sheet skeleton, Gaussian of 20 um; a plate is at least twice as wide as thick"
_MIDDLES = "sheet skeleton, Gaussian of 20 um; spheres between, from middle to middle"
_PLANES = "plates in parallel (Parfitt 1983), mean of all planes across z, y and x"

#: Name -> (symbol, method) of every measure, in order; the unit is the name's suffix.
PANEL = {
    "bvtv_percent": (
        "BV/TV",
        "of the region, or all but a rim of 2 voxels; quanta, partial volume included",
    ),
    "block_bvtv_percent": (
        "BV/TV of the block",
        "of all voxels given, rim or region or not; quanta",
    ),
    "tb_th_um": ("Tb.Th", f"{_SPHERE}, mean over bone voxels; {_CUT}"),
    "tb_th_sd_um": ("Tb.Th.SD", f"{_SPHERE}, SD over bone voxels; {_CUT}"),
    "tb_sp_um": ("Tb.Sp", f"{_SPHERE} in marrow, mean over marrow voxels; {_CUT}"),
    "tb_sp_sd_um": ("Tb.Sp.SD", f"{_SPHERE} in marrow, SD over marrow voxels; {_CUT}"),
    "tb_n_per_mm": ("Tb.N", "1 / (Tb.Th + Tb.Sp)"),
    "tb_n_volume_per_mm": ("Tb.N BV/TV:Tb.Th", f"BV/TV over Tb.Th; {_SPHERE}"),
    "tb_n_ridges_per_mm": ("Tb.N*", f"1 over the mean distance of middles (Laib 1999), {_MIDDLES}"),
    "tb_th_ridges_um": ("Tb.Th*", f"BV/TV over Tb.N*, {_MIDDLES}"),
    "tb_n_sections_per_mm": ("Tb.N 2-D", f"2/pi B.Pm/T.Ar, {_PLANES}"),
    "tb_th_sections_um": ("Tb.Th 2-D", f"pi/2 B.Ar/B.Pm, {_PLANES}"),
    "bstv_per_mm": ("BS/TV", "marching cubes at half a voxel"),
    "bsbv_per_mm": ("BS/BV", "marching cubes, over BV with partial volume"),
    "conn_d_per_mm3": (
        "Conn.D 15 um",
        "Euler number, cut faces corrected, purified network, Gaussian of 15 um before threshold",
    ),
    "conn_d_unfiltered_per_mm3": (
        "Conn.D raw",
        "as Conn.D 15 um without the Gaussian: with the noise of voxels",
    ),
    "roughness": (
        "roughness R",
        "BS over BS after a Gaussian of 40 um on the bone fraction, threshold at equal volume",
    ),
    "tb_th_smooth_um": ("Tb.Th 40 um", "as Tb.Th, of the bone after the Gaussian of R"),
    "fragments": ("fragments", "pieces of bone beside the largest, 26-connected"),
    "smi": ("SMI", "gain of area of the moved surface (Hildebrand 1997b), Gaussian of 20 um"),
    "da": ("DA", f"longest over shortest {_MIL}"),
    "mil_1_um": ("MIL1", f"longest {_MIL}"),
    "mil_2_um": ("MIL2", f"middle {_MIL}"),
    "mil_3_um": ("MIL3", f"shortest {_MIL}"),
    "mil_1_z": ("", "direction of the longest intercept, z component"),
    "mil_1_y": ("", "direction of the longest intercept, y component"),
    "mil_1_x": ("", "direction of the longest intercept, x component"),
    "mil_3_z": ("", "direction of the shortest intercept, z component"),
    "mil_3_y": ("", "direction of the shortest intercept, y component"),
    "mil_3_x": ("", "direction of the shortest intercept, x component"),
    "plate_bvtv_percent": ("pBV/TV", _SHEETS),
    "rod_bvtv_percent": ("rBV/TV", "what is not plate"),
    "plate_share_percent": ("pBV/BV", _SHEETS),
    "plate_n_per_mm": ("pTb.N", "cube root of plates per volume (Liu 2008b)"),
    "rod_n_per_mm": ("rTb.N", "cube root of rods per volume (Liu 2008b)"),
    "nodes_per_mm3": ("N.Nd/TV", _CURVES),
    "struts_per_mm3": ("N.Tb/TV", _CURVES),
    "free_ends_per_mm3": ("N.Fe/TV", _CURVES),
    **{
        name_of(radius): (
            f"windows < {2 * radius} um",
            f"Conn.D 15 um less Conn.D after a closing by a ball of {radius} um as well",
        )
        for radius in RADII_UM
    },
    "euler": ("", "Euler number of the purified network in the region, unfiltered"),
    "tv_mm3": ("TV", "voxels of the region, or all but a rim of 2 voxels"),
    "bv_mm3": ("BV", "quanta, partial volume included"),
}
#: What a run measures at each of its snapshots; the rest can be measured from the file any time.
QUICK = (
    "bvtv_percent", "tb_th_um", "tb_th_sd_um", "tb_sp_um", "tb_sp_sd_um", "tb_n_per_mm",
    "bstv_per_mm", "bsbv_per_mm", "conn_d_per_mm3", "conn_d_unfiltered_per_mm3", "fragments",
    "roughness", "tb_th_smooth_um",
)  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """One number with what it is: unit, the field's symbol, and how it was measured."""

    value: float
    unit: str
    symbol: str
    method: str


def measure(
    quanta: NDArray[np.uint8],
    voxel_um: float,
    region: NDArray[np.bool_] | None = None,
    quick: bool = False,
    progress: Progress | None = None,
) -> dict[str, Measure]:
    """Measure a lattice.

    Nothing outside a region takes part: its edge is treated as a cut face of a block (`domain`), so
    that a core measures the same in air and in the bone it was drilled from. A strut that leaves
    the region and comes back is two. Only `block_bvtv_percent` is of the whole lattice. Where a
    measure has no meaning (no bone, no marrow, no surface) it is NaN; counts are 0.

    Args:
        quanta: bone, 0..255 quanta a voxel, shape (nz, ny, nx).
        voxel_um: edge of a voxel.
        region: voxels to measure, same shape; default all but a rim of two at the cut faces, which
            is seen but not counted.
        quick: only the measures in QUICK.
        progress: receives the share of the work that is done, 0..1.

    Raises:
        InputError: a lattice too small, or a region empty or of another shape.
    """
    whole = 100.0 * float(quanta.mean(dtype=np.float64)) / FULL if quanta.size else float("nan")
    domain = domain_of(quanta, region)
    quanta, counted = domain.quanta, domain.region
    voxel_mm = voxel_um / 1000.0
    bone = quanta >= BONE
    volume_mm3 = int(counted.sum()) * voxel_mm**3
    cubes_mm3 = int(amid_eight(counted).sum()) * voxel_mm**3
    if cubes_mm3 == 0.0:
        raise InputError("region: it is nowhere two voxels thick along each axis; enlarge it")
    bvtv = float(quanta[counted].mean(dtype=np.float64)) / FULL
    values: dict[str, float] = dict.fromkeys(PANEL, float("nan"))
    values |= {
        "bvtv_percent": 100.0 * bvtv,
        "block_bvtv_percent": whole,
        "tv_mm3": volume_mm3,
        "bv_mm3": bvtv * volume_mm3,
        "fragments": float(fragments(bone)),
    }
    if bone[counted].any() and not bone[counted].all():
        values |= _lengths(domain, voxel_um, progress)
        surface = surface_mesh(quanta, counted)
        area = surface.area()
        values["bstv_per_mm"] = area * voxel_mm**2 / cubes_mm3
        if surface.bone > 0.0:
            values["bsbv_per_mm"] = area / (surface.bone * voxel_mm)
        euler = euler_of(purified(bone), counted)
        values["conn_d_unfiltered_per_mm3"] = (1.0 - euler) / cubes_mm3
        network = filtered(quanta, FILTER_UM / voxel_um)
        values["conn_d_per_mm3"] = connectivity(purified(network), counted) / cubes_mm3
        values |= _smoothness(domain, surface, voxel_um)
        if not quick:
            for radius, count in spectrum(network, voxel_um, counted).items():
                values[name_of(radius)] = count / cubes_mm3
            values["euler"] = euler
            values |= _fabric(surface, voxel_um)
            smoothed = surface_mesh(quanta, counted, SHAPE_UM / voxel_um)
            values["smi"] = structure_model_index(smoothed)
            smooth = filtered(quanta, SHAPE_UM / voxel_um)
            values |= _ridges(smooth, domain, bvtv, voxel_um, progress)
            values |= _parts(purified(smooth), domain, bvtv, volume_mm3)
            values |= _sections(surface, bvtv, voxel_mm)
            values["tb_n_volume_per_mm"] = 1000.0 * bvtv / values["tb_th_um"]
    if progress is not None:
        progress(1.0)
    return {
        name: Measure(values[name], unit_of(name), *PANEL[name])
        for name in (QUICK if quick else PANEL)
    }


def _lengths(domain: Domain, voxel_um: float, progress: Progress | None = None) -> dict[str, float]:
    """Thickness, spacing and number of trabeculae."""
    bone = domain.quanta >= BONE
    distances = distances_of(bone, domain.known)
    values: dict[str, float] = {}
    for name, phase, begin, end in (
        ("tb_th", bone, 0.0, BONE_WORK), ("tb_sp", ~bone, BONE_WORK, BONE_WORK + MARROW_WORK),
    ):  # fmt: skip
        spheres = spheres_over(phase, domain.known, part_of(progress, begin, end), distances)
        mean, sd = mean_and_sd(spheres, phase & domain.region)
        values |= {f"{name}_um": mean * voxel_um, f"{name}_sd_um": sd * voxel_um}
    return values | {"tb_n_per_mm": 1000.0 / (values["tb_th_um"] + values["tb_sp_um"])}


def _ridges(
    bone: NDArray[np.bool_], domain: Domain, bvtv: float, voxel_um: float,
    progress: Progress | None,
) -> dict[str, float]:  # fmt: skip
    """Number and thickness by the distance of the middles of trabeculae."""
    within = part_of(progress, BONE_WORK + MARROW_WORK, 1.0)
    apart = ridge_distance(middles_of(bone), domain.region, domain.known, within) * voxel_um
    return {"tb_n_ridges_per_mm": 1000.0 / apart, "tb_th_ridges_um": bvtv * apart}


def _sections(surface: Mesh, bvtv: float, voxel_mm: float) -> dict[str, float]:
    """Number and thickness as plane sections give them."""
    number = number_in_sections(surface) / voxel_mm
    return {
        "tb_n_sections_per_mm": number,
        "tb_th_sections_um": 1000.0 * bvtv / number if number > 0.0 else float("nan"),
    }


def _smoothness(domain: Domain, surface: Mesh, voxel_um: float) -> dict[str, float]:
    """Roughness, and thickness without it."""
    smooth = after_gaussian(domain.quanta, voxel_um, domain.region)
    thickness = mean_thickness(smooth >= BONE, domain.region, domain.known)
    return {
        "roughness": roughness(surface, smooth, domain.region),
        "tb_th_smooth_um": thickness * voxel_um,
    }


def _fabric(mesh: Mesh, voxel_um: float) -> dict[str, float]:
    """Mean intercepts, their directions and DA."""
    ellipsoid = fabric(mesh)
    values = {"da": ellipsoid.anisotropy}
    for rank in (0, 1, 2):
        values[f"mil_{rank + 1}_um"] = float(ellipsoid.intercepts[rank]) * voxel_um
    for rank in (0, 2):
        for axis, component in zip("zyx", ellipsoid.directions[rank], strict=True):
            values[f"mil_{rank + 1}_{axis}"] = float(component)
    return values


def _parts(
    bone: NDArray[np.bool_], domain: Domain, bvtv: float, volume_mm3: float
) -> dict[str, float]:
    """Plates, rods, nodes, struts and free ends."""
    half_thickness = half_thickness_of(bone)
    parts = plates_and_rods(bone, domain.region, domain.known, half_thickness)
    found = network_of(bone, domain.region, domain.known, half_thickness)
    return {
        "plate_bvtv_percent": 100.0 * bvtv * parts.plate_share,
        "rod_bvtv_percent": 100.0 * bvtv * (1.0 - parts.plate_share),
        "plate_share_percent": 100.0 * parts.plate_share,
        "plate_n_per_mm": float(np.cbrt(parts.plates / volume_mm3)),
        "rod_n_per_mm": float(np.cbrt(parts.rods / volume_mm3)),
        "nodes_per_mm3": found.nodes / volume_mm3,
        "struts_per_mm3": found.struts / volume_mm3,
        "free_ends_per_mm3": found.free_ends / volume_mm3,
    }


def filtered(quanta: NDArray[np.uint8], voxel: float) -> NDArray[np.bool_]:
    """Bone after a slight Gaussian (SD in voxels), as scanners apply before the threshold.

    Tunnels of one voxel, which erosion and formation leave behind, are noise of the lattice.
    """
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(quanta.astype(np.float32), voxel, mode="nearest")
    return np.asarray(smooth >= BONE - 0.5)
