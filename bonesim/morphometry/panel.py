"""The standard panel of structural measures (Bouxsein 2010), each with unit and method."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.morphometry.connectivity import connectivity, fragments, purified
from bonesim.morphometry.thickness import local_thickness
from bonesim.morphometry.volume import bone_volume_fraction, surface_area_voxel
from bonesim.quantities import BONE, unit_of

#: Spacing is measured on a grid of at least this voxel size: marrow spaces are ten times wider.
SPACING_VOXEL_UM = 40.0
#: Standard deviation of the Gaussian before Conn.D; scanners' protocols use 0.8 to 1.2.
FILTER_VOXEL = 0.5
#: Voxels left out at each cut face.
RIM_VOXEL = 2

#: Name -> (symbol, method) of every measure, in order; the unit is the name's suffix.
PANEL = {
    "bvtv_percent": ("BV/TV", "quanta, partial volume included"),
    "tb_th_um": ("Tb.Th", "largest sphere (Hildebrand 1997), mean over bone voxels"),
    "tb_th_sd_um": ("Tb.Th.SD", "largest sphere, SD over bone voxels"),
    "tb_sp_um": ("Tb.Sp", "largest sphere in marrow, voxels of 40 um or more, mean"),
    "tb_sp_sd_um": ("Tb.Sp.SD", "largest sphere in marrow, SD"),
    "tb_n_per_mm": ("Tb.N", "1 / (Tb.Th + Tb.Sp)"),
    "bstv_per_mm": ("BS/TV", "marching cubes at half a voxel"),
    "bsbv_per_mm": ("BS/BV", "marching cubes, over BV with partial volume"),
    "conn_d_per_mm3": (
        "Conn.D",
        "Euler number, cut faces corrected, purified network, Gaussian of 0.5 voxel before threshold",
    ),
    "conn_d_unfiltered_per_mm3": ("", "as Conn.D without the Gaussian: with the noise of voxels"),
    "fragments": ("", "pieces of bone beside the largest, 26-connected"),
}


@dataclass(frozen=True)
class Measure:
    """One number with what it is: unit, the field's symbol, and how it was measured."""

    value: float
    unit: str
    symbol: str
    method: str


def measure(quanta: NDArray[np.uint8], voxel_um: float) -> dict[str, Measure]:
    """Measure a lattice; a rim of two voxels at the cut faces is left out.

    Args:
        quanta: bone, 0..255 quanta a voxel, shape (nz, ny, nx).
        voxel_um: edge of a voxel.

    Raises:
        InputError: a lattice too small, without bone, or of nothing but bone.
    """
    if min(quanta.shape) <= 2 * RIM_VOXEL + 2:
        raise InputError(f"a lattice of {quanta.shape} voxels is too small to measure")
    inner = (slice(RIM_VOXEL, -RIM_VOXEL),) * 3
    bone = quanta >= BONE
    block = bone[inner]
    if not block.any() or block.all():
        what = "nothing but bone" if block.any() else "no bone"
        raise InputError(f"the lattice holds {what} at {BONE} quanta or more: nothing to measure")
    voxel_mm = voxel_um / 1000.0
    volume_mm3 = block.size * voxel_mm**3
    bone_thickness = local_thickness(bone)[inner][block] * voxel_um
    spacing = _spacing_um(bone, voxel_um)
    bvtv = bone_volume_fraction(quanta[inner])
    bstv = surface_area_voxel(quanta[inner]) * voxel_mm**2 / volume_mm3
    thickness, gap = float(bone_thickness.mean()), float(spacing.mean())
    values = {
        "bvtv_percent": 100.0 * bvtv,
        "tb_th_um": thickness,
        "tb_th_sd_um": float(bone_thickness.std()),
        "tb_sp_um": gap,
        "tb_sp_sd_um": float(spacing.std()),
        "tb_n_per_mm": 1000.0 / (thickness + gap),
        "bstv_per_mm": bstv,
        "bsbv_per_mm": bstv / bvtv,
        "conn_d_per_mm3": connectivity(purified(_filtered(quanta))[inner]) / volume_mm3,
        "conn_d_unfiltered_per_mm3": connectivity(purified(bone)[inner]) / volume_mm3,
        "fragments": float(fragments(bone)),
    }
    return {
        name: Measure(values[name], unit_of(name), symbol, method)
        for name, (symbol, method) in PANEL.items()
    }


def _filtered(quanta: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Bone after a slight Gaussian, as scanners' protocols apply before the threshold.

    Tunnels of one voxel, which erosion and formation leave behind, are noise of the lattice.
    """
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(quanta.astype(np.float32), FILTER_VOXEL, mode="nearest")
    return np.asarray(smooth >= BONE - 0.5)


def _spacing_um(bone: NDArray[np.bool_], voxel_um: float) -> NDArray[np.float64]:
    """Local thickness of marrow, um, of the marrow voxels of a possibly coarser grid."""
    factor = max(1, int(np.ceil(SPACING_VOXEL_UM / voxel_um)))
    nz, ny, nx = (n // factor * factor for n in bone.shape)
    cubes = bone[:nz, :ny, :nx].reshape(
        nz // factor, factor, ny // factor, factor, nx // factor, factor
    )
    marrow = cubes.mean(axis=(1, 3, 5)) < 0.5
    if not marrow.any():
        return np.zeros(1)
    rim = max(1, RIM_VOXEL // factor)
    inner = (slice(rim, -rim),) * 3
    gaps = local_thickness(marrow)[inner][marrow[inner]]
    return np.asarray(gaps, np.float64) * (voxel_um * factor)
